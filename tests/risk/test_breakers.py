"""Circuit breakers: what trips them, what they do, and how they are armed again."""

from __future__ import annotations

import io
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.config import Breakers, Effect, TradingConfig
from apps.domain.money import USD_MICROS
from apps.engine import breakers as gathering
from apps.risk.logic.breakers import (
    Breach,
    BreakerFacts,
    BurntGas,
    ChainCoordination,
    ChainFees,
    ChainHeads,
    ClosedTrade,
    EndedOrder,
    EndpointHead,
    FillQuality,
    breaches,
)
from apps.risk.models import Breaker, FeeSample
from apps.risk.services.breakers import (
    breaker_reset,
    breakers_evaluate,
    breakers_in_force,
    fee_samples,
    shrink_in_force,
)
from apps.risk.services.limits import entry_limits
from apps.state.models import Event, Incident
from apps.state.services.config import ActiveConfig
from tests import factories
from tests.fakes.rpc import FakeRpc
from tests.trading import cases

CONFIG = Breakers()
CHAIN = "eip155:1"
MAXIMUM = 500 * USD_MICROS
DAY = 1_000_000_000


def burnt(*dollars: int) -> tuple[BurntGas, ...]:
    return tuple(BurntGas(at_ms=DAY + n, usd_micros=usd * USD_MICROS) for n, usd in enumerate(dollars))


def closed(*results: int | None, start: int = DAY) -> tuple[ClosedTrade, ...]:
    return tuple(
        ClosedTrade(at_ms=start + n, realised_usd_micros=None if usd is None else usd * USD_MICROS)
        for n, usd in enumerate(results, 1)
    )


def orders(pattern: str) -> tuple[EndedOrder, ...]:
    return tuple(EndedOrder(at_ms=DAY + n, is_failed=sign == "x") for n, sign in enumerate(pattern, 1))


def fills(*shortfalls: int) -> tuple[FillQuality, ...]:
    return tuple(FillQuality(at_ms=DAY + n, shortfall_bps=bps) for n, bps in enumerate(shortfalls, 1))


def heads(*seen: tuple[int, str | None]) -> tuple[ChainHeads, ...]:
    return (
        ChainHeads(
            chain_key=CHAIN,
            heads=tuple(
                EndpointHead(label=f"endpoint {n}", number=number, common_hash=common)
                for n, (number, common) in enumerate(seen, 1)
            ),
        ),
    )


def fees(now: int, *samples: int) -> tuple[ChainFees, ...]:
    return (ChainFees(chain_key=CHAIN, now_wei=now, samples_wei=samples),)


def concert(detected: int, *, found: int, chain_key: str = CHAIN) -> tuple[ChainCoordination, ...]:
    moments = tuple(DAY + n for n in range(1, detected + 1))
    return (ChainCoordination(chain_key=chain_key, detected_at_ms=moments, pairs_found=found),)


def tripped(
    since: dict[tuple[str, str], int] | None = None, config: Breakers = CONFIG, **facts: Any
) -> list[str]:
    found = breaches(
        BreakerFacts(day_started_ms=DAY, **facts),
        config,
        daily_loss_max_usd_micros=MAXIMUM,
        counted_from_ms=since or {},
    )
    return [item.name for item in found]


# -- what trips them ----------------------------------------------------------------------
@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({}, []),
        ({"closed": closed(-1, -1, -1)}, []),
        ({"closed": closed(-1, -1, -1, -1)}, ["losses"]),
        ({"closed": closed(-1, -1, 1, -1, -1)}, []),
        ({"closed": closed(-1, -1, None, -1, -1)}, []),  # unknown is no loss, and no gain either
        ({"closed": closed(5, -1, -1, -1, -1)}, ["losses"]),
        ({"closed": closed(-249)}, []),
        ({"closed": closed(-250)}, ["daily_loss"]),
        ({"closed": closed(-300, 60)}, []),
        ({"closed": closed(-400, start=DAY - 10_000)}, []),  # yesterday's
        ({"orders": orders("x" * 9)}, []),  # too few to tell
        ({"orders": orders("xxxx......")}, ["failures"]),
        ({"orders": orders("xxx.......")}, []),
        ({"orders": orders("xxxxx" + "." * 20)}, []),  # only the last twenty count
        ({"gas": burnt(20, 4)}, []),
        ({"gas": burnt(20, 5)}, ["failed_gas"]),
        ({"fills": fills(200, 200)}, []),
        ({"fills": fills(200, 0, 200, 0, 200)}, ["slippage"]),
        ({"fills": fills(150, 150, 150, 150, 150)}, []),
        ({"fills": fills(900, 900, 900, 0, 0, 0)}, []),
        ({"fees": fees(41, *[10] * 30)}, ["gas_spike"]),
        ({"fees": fees(40, *[10] * 30)}, []),
        ({"fees": fees(1_000, *[10] * 29)}, []),  # too few samples to say what is usual
        ({"fees": fees(1_000, *[0] * 30)}, []),
        ({"heads": heads((100, "a"), (101, "a"))}, []),
        ({"heads": heads((100, "a"), (101, "b"))}, ["rpc_disagreement"]),
        ({"heads": heads((100, "a"), (103, "a"))}, []),
        ({"heads": heads((100, "a"), (104, "a"))}, ["rpc_disagreement"]),
        ({"heads": heads((100, "a"), (100, None))}, []),
        ({"heads": heads((100, "a"))}, []),  # one alone cannot disagree
        ({"coordination": concert(5, found=9)}, ["coordination"]),
        ({"coordination": concert(4, found=4)}, []),
        ({"coordination": concert(50, found=100)}, []),  # half of all is not more than half
        ({"coordination": concert(5, found=0)}, ["coordination"]),  # found earlier, traded in concert now
    ],
)  # fmt: skip
def test_facts_then_these_breakers_trip(facts: dict[str, Any], expected: list[str]) -> None:
    assert tripped(**facts) == expected


def test_one_chain_is_traded_in_concert_then_only_it_pauses_and_after_a_reset_counts_anew() -> None:
    facts = BreakerFacts(
        day_started_ms=DAY, coordination=concert(9, found=9) + concert(2, found=9, chain_key="eip155:56")
    )
    [found] = breaches(facts, CONFIG, daily_loss_max_usd_micros=MAXIMUM, counted_from_ms={})
    assert (found.chain_key, found.effect) == (CHAIN, Effect.PAUSE)
    since = {("coordination", CHAIN): DAY + 5}
    assert breaches(facts, CONFIG, daily_loss_max_usd_micros=MAXIMUM, counted_from_ms=since) == ()
    off = CONFIG.model_copy(update={"coordination": Effect.OFF})
    assert breaches(facts, off, daily_loss_max_usd_micros=MAXIMUM, counted_from_ms={}) == ()


def test_breaker_counts_anew_then_what_was_before_trips_it_no_more() -> None:
    assert tripped({("losses", ""): DAY + 1}, closed=closed(-1, -1, -1, -1)) == []
    assert tripped({("daily_loss", ""): DAY + 1}, closed=closed(-400, -1)) == []
    assert tripped({("failures", ""): DAY + 5}, orders=orders("xxxxx..........")) == []
    assert tripped({("failed_gas", ""): DAY}, gas=burnt(20, 24)) == []
    assert tripped({("slippage", ""): DAY + 3}, fills=fills(900, 900, 900)) == []


def test_breaker_is_off_then_it_never_trips() -> None:
    off = Breakers.model_validate(
        dict.fromkeys(
            ("losses", "daily_loss", "failures", "slippage", "gas_spike", "rpc_disagreement"), "off"
        )
    )
    everything: dict[str, Any] = {
        "closed": closed(*[-100] * 9),
        "orders": orders("x" * 10),
        "fills": fills(*[900] * 5),
        "fees": fees(99, *[1] * 30),
        "heads": heads((1, "a"), (9, "b")),
    }
    assert len(tripped(**everything)) == 6
    assert tripped(config=off, **everything) == []


@given(results=st.lists(st.integers(-100, 100), max_size=30))
def test_any_results_then_losses_trip_exactly_at_a_row_of_four_at_the_end(results: list[int]) -> None:
    is_row = len(results) >= 4 and all(item < 0 for item in results[-4:])
    assert ("losses" in tripped(closed=closed(*results))) is is_row


# -- tripping and arming ------------------------------------------------------------------
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LOSSES = BreakerFacts(
    day_started_ms=int(NOW.timestamp()) * 1000 - 43_200_000,
    closed=closed(-1, -1, -1, -1, start=int(NOW.timestamp()) * 1000 - 5_000),
)
SPIKE = BreakerFacts(day_started_ms=0, fees=fees(99, *[10] * 30))
NOTHING = BreakerFacts(day_started_ms=0)


def evaluate(facts: BreakerFacts = NOTHING, *, after_s: float = 0, **breakers: Any) -> tuple[Breach, ...]:
    config = TradingConfig.model_validate({"breakers": breakers})
    return breakers_evaluate(facts=facts, config=config, now=NOW + timedelta(seconds=after_s))


def names(after_s: float = 0, chain_key: str = "") -> list[str]:
    return [
        item.name for item in breakers_in_force(chain_key=chain_key, now=NOW + timedelta(seconds=after_s))
    ]


@pytest.mark.django_db
class TestLife:
    def test_trips_then_it_is_kept_with_an_incident_and_an_event_once(self) -> None:
        assert [item.name for item in evaluate(LOSSES)] == ["losses"]
        assert evaluate(LOSSES, after_s=5) == ()
        row = Breaker.objects.get()
        assert (row.effect, row.trips, row.until) == ("pause", 1, NOW + timedelta(hours=1))
        incident = Incident.objects.get()
        assert (incident.code, incident.count) == ("BREAKER_LOSSES", 1)
        assert "manage.py breakers reset losses" in incident.remedy
        assert Event.objects.filter(kind="risk_alert", subject="breaker:losses").count() == 1

    def test_rests_then_it_is_armed_and_the_same_losses_do_not_trip_it_again(self) -> None:
        evaluate(LOSSES)
        assert names(3_599) == ["losses"]
        assert evaluate(LOSSES, after_s=3_600) == ()
        assert names(3_600) == []
        assert Incident.objects.get().resolved_by == "engine"

    def test_new_losses_after_the_rest_then_it_trips_again(self) -> None:
        evaluate(LOSSES)
        again = replace(LOSSES, closed=closed(-1, -1, -1, -1, start=int(NOW.timestamp()) * 1000 + 3_700_000))
        evaluate(after_s=3_600)
        assert [item.name for item in evaluate(again, after_s=3_800)] == ["losses"]
        assert Breaker.objects.get().trips == 2

    def test_cause_still_stands_then_the_rest_begins_anew_without_a_new_trip(self) -> None:
        evaluate(SPIKE)
        assert evaluate(SPIKE, after_s=3_000) == ()
        row = Breaker.objects.get()
        assert (row.trips, row.until) == (1, NOW + timedelta(seconds=6_600))
        assert names(4_000, CHAIN) == ["gas_spike"]
        assert names(4_000, "eip155:2") == []

    def test_person_resets_then_entries_go_on_at_once(self) -> None:
        evaluate(LOSSES)
        Breaker.objects.update(until=timezone.now() + timedelta(hours=1))
        assert breaker_reset(name="losses", by="ann") is True
        assert breaker_reset(name="losses", by="ann") is False
        assert breakers_in_force() == ()
        assert Incident.objects.get().resolved_by == "ann"
        assert Event.objects.filter(actor="ann").exists()

    def test_breaker_is_switched_off_while_tripped_then_it_is_armed(self) -> None:
        evaluate(LOSSES)
        evaluate(NOTHING, after_s=1, losses="off")
        assert names(1) == []

    def test_rows_are_read_again_after_a_restart_then_it_is_still_tripped(self) -> None:
        evaluate(LOSSES)
        assert evaluate(NOTHING, after_s=10) == ()
        assert names(10) == ["losses"]

    def test_slippage_then_sizes_shrink_and_entries_go_on(self) -> None:
        facts = BreakerFacts(day_started_ms=0, fills=fills(900, 900, 900))
        evaluate(facts)
        Breaker.objects.update(until=timezone.now() + timedelta(hours=1))
        assert shrink_in_force(chain_key=CHAIN, config=CONFIG) == (5_000, ("slippage",))
        active = ActiveConfig(revision=7, config=TradingConfig())
        narrowed = entry_limits(active=active, analysis=cases.analysis())
        assert narrowed.config.limits.position_max_usd == Decimal("125.00")
        [reason] = narrowed.changes
        assert "slippage" in reason.explanation
        Breaker.objects.update(effect="pause")
        assert shrink_in_force(chain_key=CHAIN, config=CONFIG) == (10_000, ())
        assert entry_limits(active=active, analysis=cases.analysis()).config == active.config


@pytest.mark.django_db(transaction=True)
def test_many_look_at_once_then_it_trips_once() -> None:
    barrier = threading.Barrier(8)

    def one(_: int) -> int:
        try:
            barrier.wait(timeout=20)
            return len(evaluate(LOSSES))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(8))) == 1
    assert (Breaker.objects.get().trips, Incident.objects.count()) == (1, 1)


@pytest.mark.django_db
def test_fees_are_sampled_then_one_a_minute_for_a_day() -> None:
    now = timezone.now()
    for minute in range(3):
        for second in (0, 20):
            fee_samples(
                chain_key=CHAIN, base_fee_wei=minute, now=now + timedelta(minutes=minute, seconds=second)
            )
    assert fee_samples(chain_key=CHAIN, base_fee_wei=9, now=now + timedelta(minutes=2)) == (2, 1, 0)
    assert fee_samples(chain_key=CHAIN, base_fee_wei=9, now=now + timedelta(days=2)) == (9,)
    assert FeeSample.objects.count() == 1


# -- people -------------------------------------------------------------------------------
@pytest.mark.django_db
class TestPeople:
    def trip(self) -> None:
        evaluate(LOSSES)
        Breaker.objects.update(until=timezone.now() + timedelta(hours=1))

    def run(self, *arguments: str) -> dict[str, Any]:
        out = io.StringIO()
        call_command("breakers", *arguments, "--json", stdout=out)
        answer: dict[str, Any] = json.loads(out.getvalue())
        return answer

    def test_command_then_it_tells_and_resets(self) -> None:
        self.trip()
        [shown] = self.run("status")["tripped"]
        assert (shown["name"], shown["effect"], shown["detail"]) == ("losses", "pause", "losses=4 maximum=4")
        assert self.run("reset", "losses")["tripped"] == []
        with pytest.raises(CommandError, match="No breaker 'losses' is tripped"):
            self.run("reset", "losses")

    def test_admin_then_only_who_may_can_reset(self) -> None:
        self.trip()
        for is_admin, left in ((False, 1), (True, 0)):
            client = Client()
            client.force_login(factories.UserFactory(admin=is_admin, is_staff=True))
            data = {"action": "arm", "_selected_action": [Breaker.objects.get().pk]}
            client.post(reverse("admin:risk_breaker_changelist"), data)
            assert len(breakers_in_force()) == left


# -- gathering ----------------------------------------------------------------------------
@pytest.mark.django_db
class TestGathering:
    def test_books_then_results_orders_and_fills_are_judged(self) -> None:
        now = timezone.now()
        for number in range(4):
            position: Any = factories.PositionFactory(
                status="closed", closed_at=now - timedelta(minutes=number), realised_usd_micros=-USD_MICROS,
                cost_raw=10**18,
            )  # fmt: skip
            factories.OrderFactory(
                opportunity=position.opportunity,
                side="sell",
                status="reverted",
                status_at=now,
                position=position,
            )
        factories.ConfigRevisionFactory(
            number=1, payload=TradingConfig().model_dump(mode="json"), is_active=True
        )
        gathering.breakers_watch(())
        assert {item.name for item in breakers_in_force()} >= {"losses"}

    def test_detections_then_each_pair_counts_once_for_its_chain(self) -> None:
        now = timezone.now()
        rows: list[Any] = [factories.OpportunityFactory() for _ in range(6)]
        for row in (*rows, rows[0]):
            factories.EventFactory(
                kind="coordination_detected", trace_id=row.trace_id, subject=f"pair:{row.pair_id}", at=now
            )
        factories.EventFactory(
            kind="coordination_detected", trace_id=rows[0].trace_id, at=now - timedelta(hours=2)
        )
        chains = {item.chain_key: item for item in gathering._coordination(Breakers(), now)}
        assert sum(len(item.detected_at_ms) for item in chains.values()) == 6
        assert {row.pair.chain_key for row in rows} == set(chains)
        assert all(item.pairs_found >= len(item.detected_at_ms) for item in chains.values())
        off = Breakers(coordination=Effect.OFF)
        assert gathering._coordination(off, now) == ()

    def test_stuck_position_then_it_is_a_loss_of_its_cost(self) -> None:
        now = timezone.now()
        factories.PositionFactory(status="stuck", next_exit_at=now, cost_usd_micros=300 * USD_MICROS)
        [loss] = gathering._closed(now)
        assert loss.realised_usd_micros == -300 * USD_MICROS

    def test_endpoints_contradict_each_other_then_the_chain_is_paused(self) -> None:
        with FakeRpc(chain_id=7_777) as honest, FakeRpc(chain_id=7_777) as other:
            chain: Any = factories.ChainFactory(chain_id=7_777, is_sandbox=False, genesis_hash="")
            for node in (honest, other):
                factories.EndpointFactory(chain=chain, url_http=node.url, url_ws="")
            from apps.chains.selectors import chain_profile, endpoint_configs

            gathering._client.cache_clear()
            profile, endpoints = chain_profile(chain.key), endpoint_configs(chain.key)
            config = Breakers()
            facts = BreakerFacts(day_started_ms=0, heads=(gathering.heads_seen(profile, endpoints),))
            assert [item.number for item in facts.heads[0].heads] == [100, 100]
            assert breaches(facts, config, daily_loss_max_usd_micros=1, counted_from_ms={}) == ()
            other.head_number = 110
            facts = BreakerFacts(day_started_ms=0, heads=(gathering.heads_seen(profile, endpoints),))
            [found] = breaches(facts, config, daily_loss_max_usd_micros=1, counted_from_ms={})
            assert (found.name, found.chain_key, found.effect) == (
                "rpc_disagreement",
                chain.key,
                Effect.PAUSE,
            )
            assert "endpoint 1 at 1" in found.detail
            other.misbehave("malformed")
            silent = gathering.heads_seen(profile, endpoints)
            assert len(silent.heads) == 1
