"""Every page: shown to whoever may see it, true, quick and harmless."""

from __future__ import annotations

import html
import re
import time
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from apps.dashboard.panels import PANELS
from apps.discovery.models import BlockHash, Pair
from apps.state.models import Heartbeat, Incident
from apps.state.services.engine import installation_prepare
from apps.state.services.heartbeats import beat
from apps.trading.models import Position
from tests import factories as f
from tests.dashboard import market

HOSTILE = "<script>alert(1)</script>\u202eGNP\x00<img src=x onerror=alert(2)>"
HOSTILE_LONG = "🚀" * 60


def addresses(life: dict[str, Any]) -> dict[str, str]:
    """Return the address of every page that shows something."""
    plain = (
        "overview",
        "opportunities",
        "positions",
        "orders",
        "risk",
        "intelligence",
        "monitor",
        "money",
        "incidents",
        "alerts",
        "configuration",
        "killswitch",
    )
    pages = {name: reverse(f"dashboard:{name}") for name in plain}
    return pages | {
        "closed": reverse("dashboard:positions") + "?tab=closed",
        "resolved": reverse("dashboard:incidents") + "?tab=resolved",
        "pair": reverse("dashboard:pair", args=[life["pair"].pk]),
        "trace": reverse("dashboard:trace", args=[life["trace_id"]]),
        "order": reverse("dashboard:order", args=[life["order"].pk]),
        "incident": reverse("dashboard:incident", args=[life["incident"].pk]),
    }


def text_of(response: Any) -> str:
    """Return a page's visible words."""
    body = re.sub(r"<script.*?</script>|<head.*?</head>", " ", response.content.decode(), flags=re.DOTALL)
    flowing = re.sub(r"</?(?:span|b|bdi|a|time|code|svg|path|rect|circle)\b[^>]*>", "", body)
    return " ".join(re.sub(r"<[^>]*>", " ", flowing).split())


# -- who may see what ----------------------------------------------------------------------


def test_every_page_when_a_viewer_looks_then_shown(viewer, life):
    for name, url in addresses(life).items():
        response = viewer.get(url)
        assert response.status_code == 200, name
        assert "SANDBOX" in text_of(response), name


def test_every_page_when_nobody_is_signed_in_then_sent_to_the_sign_in(stranger, life):
    for name, url in addresses(life).items():
        response = stranger.get(url)
        assert response.status_code == 302, name
        assert response["Location"].startswith(reverse("login")), name


def test_every_page_when_the_account_has_no_role_then_forbidden(nobody, life):
    for name, url in addresses(life).items():
        assert nobody.get(url).status_code == 403, name


def test_every_change_when_a_viewer_tries_then_forbidden(viewer, life):
    posts = {
        reverse("dashboard:killswitch"): {"kind": "leave"},
        reverse("dashboard:engine_action"): {"action": "pause", "reason": "no"},
        reverse("dashboard:position_close", args=[life["position"].pk]): {},
        reverse("dashboard:incident_resolve", args=[life["incident"].pk]): {},
        reverse("dashboard:config_review"): {},
        reverse("dashboard:config_save"): {},
        reverse("dashboard:config_check"): {},
        reverse("dashboard:config_restore", args=[1]): {},
        reverse("dashboard:breaker_reset", args=["losses"]): {"reason": "no"},
    }
    for url, data in posts.items():
        assert viewer.post(url, data).status_code == 403, url
    assert Incident.objects.get(pk=life["incident"].pk).resolved_at is None
    assert Position.objects.get(pk=life["position"].pk).ordered_tag == ""


def test_changes_when_asked_for_by_get_then_not_allowed(operator, life):
    for name in ("engine_action", "config_save", "config_review", "config_check"):
        assert operator.get(reverse(f"dashboard:{name}")).status_code == 405, name


def test_a_change_without_its_token_then_refused(life):
    client = Client(enforce_csrf_checks=True)
    client.force_login(f.UserFactory(admin=True))
    assert client.post(reverse("dashboard:killswitch"), {"kind": "leave"}).status_code == 403


def test_every_panel_when_a_viewer_refreshes_then_same_markup_as_on_the_page(viewer, life):
    keys = {"pair": life["pair"].pk, "trace": life["trace_id"], "order": life["order"].pk}
    for name, panel in PANELS.items():
        view = sorted(panel.views)[0]
        response = viewer.get(
            reverse("dashboard:panel", args=[name]), {"view": view, "key": keys.get(view, "")}
        )
        assert response.status_code == 200, name
        if not panel.is_scattered:
            assert re.match(r"<[a-z]+ [^>]*\bid=\"", response.content.decode()), name
            assert "<form" not in response.content.decode(), f"{name}: a pushed form would carry no token"


@pytest.mark.parametrize(
    ("name", "query"),
    [("nothing", "view=overview"), ("tiles", "view=orders"), ("tiles", "view=nowhere"), ("tiles", "")],
)
def test_panel_when_it_is_not_of_that_page_then_gone(viewer, life, name, query):
    assert viewer.get(f"{reverse('dashboard:panel', args=[name])}?{query}").status_code == 404


def test_panel_when_the_account_has_no_role_then_forbidden(nobody, life):
    assert nobody.get(reverse("dashboard:panel", args=["tiles"]), {"view": "overview"}).status_code == 403


@pytest.mark.parametrize("name", ["pair", "order", "incident"])
def test_page_about_something_when_it_does_not_exist_then_not_found(viewer, life, name):
    assert viewer.get(reverse(f"dashboard:{name}", args=[999_999])).status_code == 404


def test_trace_when_it_does_not_exist_then_not_found(viewer, life):
    assert viewer.get(reverse("dashboard:trace", args=["0" * 32])).status_code == 404


def test_liveness_needs_no_sign_in_and_no_database(client):
    assert client.get("/healthz").json() == {"status": "ok"}


def test_readiness_when_one_that_is_needed_falls_silent_then_not_ready_and_nothing_is_told(client, db):
    installation_prepare(mode="sandbox")
    assert client.get("/readyz").status_code == 503
    for component in ("listener", "worker/evaluate", "worker/execute", "listener/eip155:1"):
        beat(component=component)
    assert client.get("/readyz").status_code == 200
    Heartbeat.objects.filter(component="worker/execute").update(beat_at=timezone.now() - timedelta(minutes=1))
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "not ready"})


# -- true -----------------------------------------------------------------------------------


def test_pages_before_anything_happened_then_say_what_to_do(viewer, db):
    f.EngineStateFactory(status="stopped")
    f.ConfigRevisionFactory()
    words = {
        "overview": "No pair was seen yet",
        "opportunities": "No pair was found yet",
        "positions": "Nothing is held",
        "orders": "Nothing was ordered yet",
        "incidents": "No open incident",
    }
    for name, sentence in words.items():
        assert sentence in text_of(viewer.get(reverse(f"dashboard:{name}"))), name


def test_pages_when_the_engine_was_never_set_up_then_still_shown(viewer, db):
    assert "State unknown" in text_of(viewer.get(reverse("dashboard:overview")))


def test_overview_shows_the_funnel_and_unknown_is_not_zero(viewer, life):
    text = text_of(viewer.get(reverse("dashboard:overview")))
    assert "Why no trade" in text
    assert "Selling is taxed more than allowed" in text
    assert "unknown: a position has no fresh price" in text


def test_position_when_its_chain_is_not_followed_then_result_unknown(viewer, life):
    BlockHash.objects.update(at=timezone.now() - timedelta(minutes=5))
    text = text_of(viewer.get(reverse("dashboard:positions")))
    assert "unknown: there is no fresh price: the newest block of Sandbox Base is" in text
    assert "+$36.00" not in text


def test_position_shows_result_and_the_stop_that_trails(viewer, life):
    text = text_of(viewer.get(reverse("dashboard:positions")))
    assert "+$36.00 +12.00%" in text
    assert "−4.80% trail" in text
    assert "until" in text


def test_position_buttons_are_for_those_who_may_trade(viewer, operator, life):
    assert "Close…" not in text_of(viewer.get(reverse("dashboard:positions")))
    assert "Close…" in text_of(operator.get(reverse("dashboard:positions")))


def test_pair_shows_facts_with_reasons_findings_fills_and_levels(viewer, life):
    response = viewer.get(reverse("dashboard:pair", args=[life["pair"].pk]))
    text, body = text_of(response), response.content.decode()
    assert "Sells in the next block" in text
    assert "the node offers no eth_simulateV1" in text
    assert "The maker can take out all liquidity at once." in text
    assert '"kind": "buy"' in body
    assert '"label": "Trailing stop"' in body


def test_pair_shows_who_paid_for_its_maker_or_why_that_is_unknown(viewer, life):
    url = reverse("dashboard:pair", args=[life["pair"].pk])
    assert "Maker's first coins unknown: it was not looked up yet" in html.unescape(text_of(viewer.get(url)))
    reason = "the node keeps no state as old as the account's first coins"
    Pair.objects.update(funding_state="unknown", funding_reason=reason)
    assert f"unknown: {reason}" in html.unescape(text_of(viewer.get(url)))
    Pair.objects.update(funding_state="found", funding_reason="", funder=f.address_for("payer"))
    assert f.address_for("payer") in viewer.get(url).content.decode()


def test_trace_shows_every_stage_with_its_time(viewer, life):
    text = text_of(viewer.get(reverse("dashboard:trace", args=[life["trace_id"]])))
    stages = (
        "Block mined",
        "Registered",
        "Analysed",
        "Decided",
        "Signed",
        "Broadcast",
        "Seen mined",
        "Booked",
    )
    for stage in stages:
        assert stage in text
    assert "+180 ms" in text


def test_order_shows_its_transaction_and_history(viewer, life):
    text = text_of(viewer.get(reverse("dashboard:order", args=[life["order"].pk])))
    assert life["order"].attempts.get().tx_hash[:6] in text
    assert "Provisional" in text
    assert "Filled" in text


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("tab=bought", 7),
        ("tab=refused&code=NOT_SELLABLE", None),
        ("q=PEPE", 4),
        ("q=wif2", 1),
        ("chain=eip155:31337002", 3),
        ("tab=nonsense&sort=nonsense&page=-4&source=nonsense", 50),
        ("page=999999999999", None),
        ("sort=score", 50),
    ],
)
def test_opportunities_when_filtered_then_only_what_fits(viewer, life, query, count):
    response = viewer.get(f"{reverse('dashboard:opportunities')}?{query}")
    assert response.status_code == 200
    rows = re.findall(r'<tr id="opportunity-\d+"', response.content.decode())
    assert len(rows) == count if count is not None else rows


def test_opportunities_when_searched_by_address_then_found(viewer, life):
    address = life["pair"].base.address.lower()
    assert "PEPE" in text_of(viewer.get(reverse("dashboard:opportunities"), {"q": address}))


# -- harmless -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [HOSTILE, HOSTILE_LONG], ids=["markup", "long"])
def test_hostile_names_and_texts_when_shown_then_harmless(operator, life, name):
    name = name.replace("\x00", "")  # it never reaches a row: what writes foreign text takes it out
    hostile = market.pair(symbol=name[:32], name=name[:64])
    held = market.position(hostile)
    f.IncidentFactory(title=name[:200], detail=name, remedy=name, severity="critical")
    f.EventFactory(summary=name, trace_id=held.trace_id, actor=name[:100])
    type(hostile.base).objects.filter(pk=hostile.base_id).update(faults=[name])
    life |= {"pair": hostile, "trace_id": held.trace_id, "order": held.fills.get().order}
    pages = addresses(life) | {"close": reverse("dashboard:position_close", args=[held.pk])}
    for page, url in pages.items():
        body = operator.get(url).content.decode()
        assert "<script>alert" not in body, page
        assert "<img src=x" not in body, page
        assert "\u202e" not in body, page


# -- quick ----------------------------------------------------------------------------------


def queries_of(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as captured:
        assert client.get(url).status_code == 200
    return len(captured)


def test_lists_when_they_grow_then_no_more_queries(operator, life):
    urls = [url for name, url in addresses(life).items() if name not in ("configuration", "killswitch")]
    for url in urls:  # what is counted in or kept at a first visit is no growth
        operator.get(url)
    before = {url: queries_of(operator, url) for url in urls}
    for n in range(12):
        market.position(market.pair(symbol=f"MORE{n}", age_s=30))
        market.position(market.pair(symbol=f"DONE{n}", age_s=90), closed="time_stop", result_bps=50)
        f.IncidentFactory(trace_id=life["trace_id"])
        f.EventFactory(trace_id=life["trace_id"])
    after = {url: queries_of(operator, url) for url in urls}
    assert after == before
    assert max(after.values()) <= 70  # the monitor's, each of something else


@pytest.mark.slow
def test_pages_with_ten_thousand_pairs_then_each_is_quick(operator, life):
    market.crowd(10_000, first=1_000)
    slow = {}
    for name, url in addresses(life).items():
        operator.get(url)
        times = []
        for _ in range(3):
            started = time.thread_time()
            assert operator.get(url).status_code == 200
            times.append(time.thread_time() - started)  # what else the machine does is not ours
        slow[name] = round(min(times) * 1000)
    # Some 20 to 40 ms on an idle core; what a busy neighbour does to its caches is not ours.
    assert {name: ms for name, ms in slow.items() if ms >= 250} == {}
