"""The page on risk: breakers, limits in force, and what refusing has saved and cost."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.urls import reverse
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.live import LiveConsumer
from apps.dashboard.panels import PANELS
from apps.dashboard.selectors.risk import board_rows, breaker_rows, limit_rows
from apps.domain.config import Breakers, Effect, Gates
from apps.risk.models import Breaker
from apps.state.models import Event, Incident
from apps.trading.models import DecisionRecord
from tests import factories as f
from tests.dashboard import market
from tests.dashboard.conftest import client_of
from tests.dashboard.test_pages import text_of

MICROS = 10**6
RISK = Ask(view="risk")


@pytest.fixture
def engine(db) -> None:
    market.installation()


def trip(name: str = "losses", *, chain_key: str = "", effect: str = "pause", left_s: int = 600) -> Breaker:
    now = timezone.now()
    row: Breaker = f.BreakerFactory(
        name=name,
        chain_key=chain_key,
        effect=effect,
        until=now + timedelta(seconds=left_s),
        tripped_at=now - timedelta(seconds=60),
        explanation="Four losses came one after another.",
        detail="losses=4 maximum=4",
        trips=2,
    )
    f.IncidentFactory(dedup_key=f"breaker/{name}" + (f"/{chain_key}" if chain_key else ""))
    return row


def keeper_of_breakers() -> Any:
    client = client_of("viewer", username="bea")
    user = client.session["_auth_user_id"]
    permission = Permission.objects.get(codename="reset_breaker")
    permission.user_set.add(user)
    return client


def refused(*rules: str, ended: bool = True, died: bool = False, saved: int = 0, missed: int = 0) -> Any:
    now = timezone.now()
    return f.RefusedTokenFactory(
        rules=list(rules),
        status="ended" if ended else "following",
        died_by="drained" if died else "",
        died_at=now if died else None,
        size_usd_micros=100 * MICROS,
        size_raw=10**17,
        value_raw=0 if died else 10**17,
        saved_usd_micros=saved * MICROS,
        missed_usd_micros=missed * MICROS,
    )


# -- breakers -----------------------------------------------------------------------------


def test_nothing_has_tripped_then_every_breaker_is_armed_and_says_what_it_watches(viewer, engine):
    found = breaker_rows(RISK)
    effects = [name for name, value in Breakers() if isinstance(value, Effect)]
    assert [row.name for row in found["rows"]] == effects
    assert {row.state for row in found["rows"]} == {"armed"}
    text = text_of(viewer.get(reverse("dashboard:risk")))
    assert "none is tripped" in text
    assert "Losses in a row After too many losses one after another. Then entries are paused." in text


def test_breaker_has_tripped_then_it_stands_first_with_why_since_when_and_how_long(viewer, engine):
    trip()
    trip("gas_spike", chain_key="eip155:31337002", effect="shrink")
    found = breaker_rows(RISK)
    assert [(row.name, row.state) for row in found["rows"][:2]] == [
        ("losses", "pause"),
        ("gas_spike", "shrink"),
    ]
    text = text_of(viewer.get(reverse("dashboard:risk")))
    assert "2 tripped; exits always go on" in text
    assert "Four losses came one after another. losses 4, at most 4 allowed" in text
    assert "Gas spikeSandbox BSCarmed again in 9 min" in text
    assert "Reset…" not in text


def test_breaker_has_rested_then_it_is_armed_and_tells_of_its_last_trip(viewer, engine):
    trip(left_s=-5)
    assert breaker_rows(RISK)["rows"][0].state == "armed"
    assert "Last tripped" in text_of(viewer.get(reverse("dashboard:risk")))


def test_breaker_when_reset_with_a_reason_then_armed_and_the_reason_is_kept(engine):
    row, bea = trip(), keeper_of_breakers()
    url = reverse("dashboard:breaker_reset", args=["losses"])
    assert "Reset…" in text_of(bea.get(reverse("dashboard:risk")))
    assert "What tripped it Four losses" in text_of(bea.get(url))
    bea.post(url, {"reason": ""})
    row.refresh_from_db()
    assert row.until is not None
    response = bea.post(url, {"reason": "the feed was wrong"}, follow=True)
    assert "The breaker is armed again" in text_of(response)
    assert Breaker.objects.get(pk=row.pk).until is None
    event = Event.objects.get(subject="breaker:losses")
    assert (event.actor, event.payload["reason"]) == ("bea", "the feed was wrong")
    assert Incident.objects.get(dedup_key="breaker/losses").resolved_by == "bea"
    assert "not tripped any more" in text_of(bea.get(url, follow=True))
    assert "not tripped any more" in text_of(bea.post(url, {"reason": "again"}, follow=True))


def test_breaker_of_one_chain_when_reset_then_the_others_stay(engine):
    chain_key = "eip155:31337002"
    trip("gas_spike", chain_key=chain_key)
    other = trip("gas_spike", chain_key="eip155:31337001")
    url = reverse("dashboard:breaker_reset", args=["gas_spike"]) + f"?chain={chain_key}"
    keeper_of_breakers().post(url, {"reason": "gas fell"})
    assert list(Breaker.objects.exclude(until=None)) == [other]


def test_breaker_when_somebody_without_the_permission_resets_then_forbidden(viewer, operator, engine):
    trip()
    url = reverse("dashboard:breaker_reset", args=["losses"])
    for client in (viewer, operator):
        assert client.get(url).status_code == 403
        assert client.post(url, {"reason": "x"}).status_code == 403
    assert Breaker.objects.exclude(until=None).exists()


def test_traders_then_their_group_may_reset_breakers(db):
    assert Group.objects.get(name="trader").permissions.filter(codename="reset_breaker").exists()


# -- limits -------------------------------------------------------------------------------


def test_nothing_narrows_then_limits_are_as_set_with_what_is_used(viewer, engine):
    found = limit_rows(RISK)
    rows = {row.path: row for row in found["limits"]}
    assert rows["limits.exposure_max_usd"].used == 1_250 * MICROS
    assert rows["limits.open_positions_max"].used == 3
    assert not any(row.is_narrowed for row in found["limits"])
    text = text_of(viewer.get(reverse("dashboard:risk")))
    assert "Limits are as they were set." in text
    assert "All positions on one chain – no limit no limit" in text


def test_breaker_shrinks_then_each_narrowed_limit_says_from_what_to_what_and_why(viewer, engine):
    trip("slippage", effect="shrink")
    rows = {row.path: row for row in limit_rows(RISK)["limits"]}
    assert rows["limits.position_max_usd"].is_narrowed
    assert not rows["limits.daily_loss_max_usd"].is_narrowed
    text = text_of(viewer.get(reverse("dashboard:risk")))
    assert "narrower than set" in text
    assert "Sizes are cut down because tripped breakers shrink them (slippage)" in text
    assert "position max $250.00 → $125.00" in text


def test_breaker_shrinks_one_chain_then_only_that_chain_is_named(engine):
    trip("gas_spike", chain_key="eip155:31337002", effect="shrink")
    assert [item.chain.name for item in limit_rows(RISK)["narrowings"]] == ["Sandbox BSC"]


def test_token_narrowed_its_entry_then_the_change_stands_there(viewer, engine):
    market.position(market.pair())
    note = {
        "code": "SHRUNK_BY_WHALES",
        "subject": "position_max_usd",
        "before": "250",
        "after": "75.50",
        "explanation": "Sizes are cut down because large holders are selling.",
        "switch": "influence.size_by_whales",
    }
    coins = note | {"subject": "amount_in", "before": "0.4 ETH", "after": "0.2 ETH"}
    DecisionRecord.objects.update(adjustments=[note, coins])
    text = text_of(viewer.get(reverse("dashboard:risk")))
    assert "position max $250 → $75.50 Sizes are cut down because large holders are selling." in text
    assert "amount in" not in text


# -- refusals -----------------------------------------------------------------------------


def test_nothing_was_refused_then_the_page_says_how_it_works(viewer, engine):
    text = text_of(viewer.get(reverse("dashboard:risk")))
    assert "Nothing was refused yet" in text
    assert "No refused token" in text


def test_tokens_were_refused_then_each_rule_shows_what_it_saves_and_costs(viewer, engine):
    for _ in range(9):
        refused("lp_removable", died=True, saved=90)
    refused("lp_removable", "sell_tax", died=True, saved=90)
    for _ in range(10):
        refused("third_party_proof", missed=30)
    refused("holders_top10", ended=False)
    rows = {row.score.rule: row for row in board_rows(RISK)["rows"]}
    assert (rows["lp_removable"].verdict, rows["third_party_proof"].verdict) == ("pays", "costs")
    assert (rows["sell_tax"].verdict, rows["holders_top10"].verdict) == ("unknown", "unknown")
    assert rows["lp_removable"].gate == "veto"
    text = text_of(viewer.get(reverse("dashboard:risk")))
    assert (
        "Removable liquidityThe pool&#x27;s liquidity cannot be taken out at once. Veto 1010 decided" in text
    )
    assert "unknown: none was followed to its end yet" in text
    assert "$900.00" in text
    assert "Died: drained" in text


def test_tokens_of_another_period_then_they_do_not_count(engine):
    refused("lp_removable")
    f.RefusedTokenFactory(refused_at=timezone.now() - timedelta(hours=3), status="ended")
    whole = board_rows(Ask(view="risk", filters=(("period", "1h"),)))["whole"]
    assert whole.score.refused == 1


def test_a_rule_is_chosen_then_only_its_tokens_are_listed(viewer, engine):
    refused("lp_removable")
    mine = refused("sell_tax")
    body = viewer.get(reverse("dashboard:risk"), {"code": "sell_tax"}).content.decode()
    assert f'id="refused-{mine.pk}"' in body
    assert body.count('<tr id="refused-') == 1
    assert "by the rule sell tax" in text_of(viewer.get(reverse("dashboard:risk"), {"code": "sell_tax"}))


def test_board_names_every_gate_that_there_is(engine):
    for name in Gates.model_fields:
        refused(name)
    rows = board_rows(RISK)["rows"]
    assert {row.score.rule for row in rows} == set(Gates.model_fields)
    assert all(row.help and row.gate for row in rows)


def test_panels_that_are_dear_to_read_then_they_rest_between_two_ticks():
    consumer = LiveConsumer()
    consumer._read_at = {}
    board, breakers = PANELS["refusal-board"], PANELS["breakers"]
    assert consumer._ticks(board)
    consumer._read_at = {"refusal-board": time.monotonic(), "breakers": 0.0}
    assert not consumer._ticks(board)
    assert consumer._ticks(breakers)
