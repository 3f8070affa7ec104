"""The panel on all chains together: one ranking, and where money moves to."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.chains.models import Chain
from apps.dashboard.asks import Ask
from apps.dashboard.selectors.crosschain import crosschain_figures
from apps.intelligence.logic.crosschain import FLOW_TRADES_MIN
from tests import factories as f
from tests.dashboard import market
from tests.dashboard.test_pages import text_of

pytestmark = pytest.mark.django_db
ASK = Ask(view="intelligence")


def shown(viewer: Any) -> str:
    return text_of(viewer.get(reverse("dashboard:intelligence")))


def traded(item: Any, *, count: int, sold_each: int = 5) -> None:
    """Give a pair trades of its wrapped coin within the last second: the first of each ``sold_each`` is a sale."""
    item.quote.address = Chain.objects.get(chain_id=item.chain_key.partition(":")[2]).wrapped_native_address
    item.quote.save()
    f.PoolSnapshotFactory(pair=item)
    for number in range(count):
        side = "sell" if number % sold_each == 0 else "buy"
        f.PoolTradeFactory(pair=item, at=timezone.now(), side=side, quote_raw=10**18)


def test_panel_when_nothing_happened_then_it_says_what_it_waits_for(viewer: Any) -> None:
    market.installation()
    text = shown(viewer)
    assert "No pair was analysed within the hour" in text
    assert "No trade was seen lately" in text


def test_pairs_of_two_chains_when_judged_then_one_ranking_with_what_is_unknown(viewer: Any) -> None:
    market.installation()
    low = market.pair(symbol="LOW")
    high = market.pair(symbol="HIGH", chain_id=market.BSC_ID)
    low.verdicts.update(score_bps=1_000)
    rows = crosschain_figures(ASK)["ranks"]
    assert [row.ranked.candidate.pair_id for row in rows] == [high.pk, low.pk]
    text = shown(viewer)
    for words in ("HIGH", "LOW", "Sandbox BSC", "61.00%", "Coordination · money into its chain", "simulated"):
        assert words in text


def test_pair_when_judged_twice_then_the_newest_score_counts(viewer: Any) -> None:
    market.installation()
    item = market.pair()
    again = f.AnalysisRecordFactory(pair=item, created_at=timezone.now())
    f.VerdictRecordFactory(analysis=again, pair=item, score_bps=2_500, created_at=timezone.now())
    assert [row.ranked.candidate.score_bps for row in crosschain_figures(ASK)["ranks"]] == [2_500]


def test_pair_when_analysed_long_ago_then_not_ranked(viewer: Any) -> None:
    market.installation()
    item = market.pair()
    item.analyses.update(created_at=timezone.now() - timedelta(hours=2))
    assert crosschain_figures(ASK)["total"] == 0


def test_flows_when_one_chain_traded_too_little_then_unknown_with_the_reason(viewer: Any) -> None:
    market.installation()
    traded(market.pair(), count=FLOW_TRADES_MIN)
    traded(market.pair(symbol="FEW", chain_id=market.BSC_ID), count=3)
    flows = {row.chain.name: row.flow for row in crosschain_figures(ASK)["flows"]}
    assert flows["Sandbox Base"].net_usd_micros > 0
    text = shown(viewer)
    assert f"3 trades: {FLOW_TRADES_MIN} are needed" in text
    assert "it takes two chains with enough trades" in text
