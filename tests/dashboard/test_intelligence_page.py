"""The page on markets, on how analysing goes, and on how true models were."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.panels import PANELS, panels_of
from apps.dashboard.selectors.intelligence import regime_rows
from apps.intelligence.models import AnalysisRecord, MarketRegimeRecord, ModelHealth
from tests.dashboard import market
from tests.dashboard.test_pages import text_of

pytestmark = pytest.mark.django_db
ASK = Ask(view="intelligence")


def judged(name: str, regime: str = "bull", *, days_ago: float = 0.2, **fields: Any) -> MarketRegimeRecord:
    now = timezone.now()
    values = {
        "market": name,
        "regime": regime,
        "by_rule": regime,
        "second_opinion": "bull",
        "confidence_bps": 9_120,
        "volatility_state": "normal",
        "hour_deviation_bps": 62,
        "breakout_bps": 3_400,
        "breakout_level": 4_100,
        "bars": 400,
        "source": "sandbox",
        "is_simulated": True,
        "why": f"{name} rises: its price stands 1.2 deviations above its 50-day mean.",
        "trace_id": "ab" * 16,
        "as_of": now - timedelta(days=days_ago),
        "created_at": now,
    }
    return MarketRegimeRecord.objects.create(**values | fields)


def shown(viewer) -> str:
    return text_of(viewer.get(reverse("dashboard:intelligence")))


def test_page_when_nothing_is_known_then_it_says_what_it_waits_for(viewer):
    market.installation()
    text = shown(viewer)
    for words in ("No market was judged yet", "Nothing was analysed lately", "No model was checked yet"):
        assert words in text


def test_markets_when_judged_then_each_with_confidence_reasons_and_mark(viewer):
    market.installation()
    for days, regime in ((3.2, "crab"), (2.2, "crab"), (1.2, "bull"), (0.2, "bull")):
        judged("ETH", regime, days_ago=days)
    judged("BTC", "unknown", why="Unknown: by the rule BTC falls, by the second opinion it rises.")
    text = shown(viewer)
    assert "ETHRisingconfidence 91.20%, judged so for 2 days" in text
    assert "Before: crab 2 d → bull 2 d" in text
    assert "its price stands 1.2 deviations above its 50-day mean" in text
    assert "SIMULATED" in text
    assert "by the rule BTC falls, by the second opinion it rises" in text
    assert [row.record.market for row in regime_rows(ASK)["rows"]] == ["BTC", "ETH"]


def test_market_when_its_candles_stopped_then_unknown_whatever_it_was(viewer):
    market.installation()
    judged("ETH", days_ago=5)
    text = shown(viewer)
    assert "Its candles stopped coming" in text
    assert "Rising" not in text


def test_processing_when_pairs_were_analysed_then_speed_caches_and_unknowns(viewer):
    market.installation()
    item = market.pair()
    AnalysisRecord.objects.filter(pair=item).update(
        created_at=timezone.now() - timedelta(seconds=20),
        durations_us={"age": 40, "safety": 2_500},
        caches={"code views": [3, 1]},
        facts_duration_ms=85,
    )
    text = shown(viewer)
    assert "All parts together 2.5 ms" in text
    assert "Reading the chain 85" in text
    assert "Cache: code views75.00%" in text
    assert "the node offers no eth_simulateV1" in text


def test_models_when_one_was_given_up_then_why_and_how_true_it_was(viewer):
    market.installation()
    now = timezone.now()
    ModelHealth.objects.create(
        name="loss_probability",
        is_trusted=False,
        reason="over the newest 200 tokens its error was 0.400",
        resolved=230,
        brier=0.4,
        brier_baseline=0.25,
        skill=-0.6,
        has_drifted=True,
        reliability=[{"predicted": 0.82, "happened": 0.31, "count": 40}],
        checked_at=now,
        changed_at=now,
    )
    text = shown(viewer)
    for words in (
        "Given up",
        "Errors rise",
        "its error was 0.400",
        "Rules decide without it",
        "82.00%",
        "31.00%",
    ):
        assert words in text


def test_page_when_the_socket_asks_then_every_panel_is_there_by_itself(viewer):
    market.installation()
    judged("ETH")
    assert {panel.name for panel in panels_of("intelligence")} == {
        "frame",
        "intelligence-regimes",
        "intelligence-crosschain",
        "intelligence-processing",
        "intelligence-models",
        "intelligence-social",
        "intelligence-unknowns",
    }
    for panel in panels_of("intelligence"):
        answer = viewer.get(reverse("dashboard:panel", args=[panel.name]) + "?view=intelligence")
        assert answer.status_code == 200, panel.name
    assert "market_regime_change" in PANELS["intelligence-regimes"].kinds
