"""One pair: what is known, what was concluded, its price, its trades and ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from apps.dashboard.logic.candles import Candle, candle_width_s, candles
from apps.dashboard.logic.words import FACT_GROUPS, code_words, figure_words
from apps.dashboard.selectors.chains import chain_label, chain_labels, chains_not_followed
from apps.dashboard.selectors.opportunities import score_threshold_bps, state_of
from apps.dashboard.selectors.orders import ATTEMPTS, order_row
from apps.dashboard.selectors.positions import position_row
from apps.dashboard.templatetags.pictures import SPARKLINE_POINTS_MAX
from apps.discovery.models import Pair
from apps.discovery.selectors import PricePoint, pair_detail, pool_trades, price_series
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE, RATIO_CONTEXT, raw_to_units
from apps.domain.verdict import Outcome
from apps.intelligence.logic.insight import insight
from apps.intelligence.logic.record import estimates_from_json
from apps.intelligence.models import AnalysisRecord
from apps.risk.logic.explainer import NOT_ASKED
from apps.risk.logic.record import card_from_json
from apps.risk.models import VerdictRecord
from apps.trading.models import DecisionRecord, FillRecord, Opportunity, Order, Position

TRADES_SHOWN = 40
DECISIONS_SHOWN = 30
ORDERS_SHOWN = 20
ANALYSES_SHOWN = 60
POINTS_SHOWN = 2_000
MARKERS_MAX = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """One estimate with its plain name."""

    label: str
    estimate: Estimate


def pair_head(pair_id: int) -> dict[str, Any]:
    """Return what the head of a pair's page shows."""
    detail = pair_detail(pair_id=pair_id)
    if detail is None:
        return {"detail": None}
    opportunities = list(detail.pair.opportunities.order_by("number"))
    newest = opportunities[-1] if opportunities else None
    return {
        "detail": detail,
        "pair": detail.pair,
        "chain": chain_label(chain_labels(), detail.pair.chain_key),
        "opportunities": opportunities,
        "newest": newest,
        "state": "" if newest is None else state_of(newest),
        "threshold_bps": score_threshold_bps(),
    }


def pair_facts(pair_id: int) -> dict[str, Any]:
    """Return the newest analysis in groups, with everything that was asked for and not obtained."""
    analysis = AnalysisRecord.objects.filter(pair_id=pair_id).order_by("-id").first()
    if analysis is None:
        return {"analysis": None}
    estimates = estimates_from_json(analysis.estimates)
    by_code = {item.code: item for item in estimates}
    groups: list[tuple[str, list[Fact]]] = []
    for title, names in FACT_GROUPS:
        facts = [
            Fact(label=label, estimate=by_code.pop(code)) for code, label in names.items() if code in by_code
        ]
        if facts:
            groups.append((title, facts))
    if by_code:
        groups.append(
            ("More", [Fact(label=code_words(code), estimate=item) for code, item in by_code.items()])
        )
    pair = Pair.objects.select_related("base").get(pk=pair_id)
    return {
        "analysis": analysis,
        "insight": insight(estimates).text,
        "groups": groups,
        "known": sum(fact.estimate.is_known for _, facts in groups for fact in facts),
        "total": sum(len(facts) for _, facts in groups),
        "base_decimals": pair.base.decimals or 0,
        "count": AnalysisRecord.objects.filter(pair_id=pair_id).count(),
    }


def pair_verdict(pair_id: int) -> dict[str, Any]:
    """Return the newest verdict, what speaks against the pair first, and how the score went.

    What was not asked at first sight (the full assessment does) is counted and left out of the list.
    """
    verdict = VerdictRecord.objects.filter(pair_id=pair_id).order_by("-id").first()
    if verdict is None:
        return {"verdict": None}
    rank = {Outcome.FAIL.value: 0, Outcome.UNKNOWN.value: 1}
    asked = [item for item in verdict.findings if item["code"] != NOT_ASKED]
    findings = sorted(asked, key=lambda item: rank.get(item["outcome"], 2))
    doubts = [item for item in findings if item["outcome"] != Outcome.PASS.value]
    vetoes = sum(item.get("gate", "veto") == "veto" for item in doubts)
    card = None if not verdict.card else card_from_json(verdict.card)
    scores = VerdictRecord.objects.filter(pair_id=pair_id).order_by("-id").values_list("score_bps", flat=True)
    return {
        "verdict": verdict,
        "card": card,
        "score_low_bps": None if card is None or card.risk.high_bps is None else BPS_ONE - card.risk.high_bps,
        "score_high_bps": None if card is None or card.risk.low_bps is None else BPS_ONE - card.risk.low_bps,
        "helps_most": "" if card is None or not card.helps_most else figure_words(card.helps_most),
        "findings": findings,
        "against": vetoes,
        "warnings": len(doubts) - vetoes,
        "not_asked": len(verdict.findings) - len(asked),
        "scores": list(reversed(scores[:ANALYSES_SHOWN])),
        "threshold_bps": score_threshold_bps(),
    }


def pair_trades(pair_id: int) -> dict[str, Any]:
    """Return the newest swaps in the pool, ours marked."""
    pair = Pair.objects.select_related("base", "quote").get(pk=pair_id)
    ours = set(
        FillRecord.objects.filter(position__pair_id=pair_id).values_list("attempt__tx_hash", flat=True)[
            :MARKERS_MAX
        ]
    )
    chain = chain_label(chain_labels(), pair.chain_key)
    return {
        "pair": pair,
        "chain": chain,
        "trades": list(pool_trades(pair=pair, limit=TRADES_SHOWN)),
        "ours": ours,
    }


def pair_decisions(pair_id: int) -> dict[str, Any]:
    """Return the newest decisions about the pair."""
    rows = DecisionRecord.objects.filter(opportunity__pair_id=pair_id).order_by("-id").defer("inputs")
    return {"decisions": list(rows[:DECISIONS_SHOWN])}


def pair_orders(pair_id: int) -> dict[str, Any]:
    """Return our orders and positions in this pair."""
    labels, silent = chain_labels(), chains_not_followed()
    orders = Order.objects.filter(pair_id=pair_id).select_related("pair__base", "pair__quote")
    orders = orders.prefetch_related("fills", ATTEMPTS).order_by("-id")
    positions = (
        Position.objects.filter(pair_id=pair_id).select_related("pair__base", "pair__quote").order_by("-id")
    )
    return {
        "orders": [order_row(item, labels) for item in orders[:ORDERS_SHOWN]],
        "positions": [position_row(item, labels, silent) for item in positions[:ORDERS_SHOWN]],
    }


def pair_chart(pair_id: int) -> dict[str, Any]:
    """Return candles with our fills as marks and the open position's levels, in dollars where they are known."""
    pair = Pair.objects.select_related("base", "quote").get(pk=pair_id)
    points = price_series(pair=pair, limit=POINTS_SHOWN)
    in_usd = bool(points) and all(point.price_usd is not None for point in points)
    prices = _prices(points, in_usd=in_usd)
    if not prices:
        return {"chart": None}
    width = candle_width_s(prices[0][0], prices[-1][0])
    bars = candles(prices, width_s=width)
    series = {
        "kind": "candles",
        "label": "Price",
        "data": [_bar(bar) for bar in bars],
        "markers": _markers(pair, width_s=width, first_s=bars[0].time_s),
        "levels": _levels(pair, points[-1], in_usd=in_usd),
    }
    return {"chart": {"unit": "usd" if in_usd else pair.quote.symbol, "series": [series]}}


def pair_closes(pair: Pair) -> list[Decimal | None]:
    """Return the newest prices in the paying token, for the picture that needs no script."""
    return [point.price_quote for point in price_series(pair=pair, limit=SPARKLINE_POINTS_MAX)]


def trace_of_pair(pair_id: int) -> str:
    """Return the newest trace of a pair, "" when it has none."""
    row = Opportunity.objects.filter(pair_id=pair_id).order_by("-number").values_list("trace_id", flat=True)
    return row.first() or ""


def _prices(points: Sequence[PricePoint], *, in_usd: bool) -> list[tuple[int, Decimal]]:
    prices = (
        (int(point.at.timestamp()), point.price_usd if in_usd else point.price_quote) for point in points
    )
    return [(at_s, price) for at_s, price in prices if price is not None]


def _bar(bar: Candle) -> dict[str, Any]:
    values = {name: f"{getattr(bar, name):f}" for name in ("open", "high", "low", "close")}
    return {"time": bar.time_s, **values}


def _markers(pair: Pair, *, width_s: int, first_s: int) -> list[dict[str, Any]]:
    fills = (
        FillRecord.objects.filter(position__pair=pair, reversed_at=None)
        .order_by("-id")
        .select_related("order")
    )
    marks = []
    for fill in reversed(fills[:MARKERS_MAX]):
        at_s = int(fill.block_at.timestamp())
        text = "Buy" if fill.side == "buy" else (fill.order.exit_tag or "sell").replace("_", " ").capitalize()
        marks.append({"time": max(first_s, at_s - at_s % width_s), "kind": fill.side, "text": text})
    return sorted(marks, key=lambda mark: mark["time"])


def _levels(pair: Pair, newest: PricePoint, *, in_usd: bool) -> list[dict[str, str]]:
    """Return entry, stop and target of the open position as prices; approximate: exits go by sale value, not by price."""
    position = Position.objects.filter(pair=pair).exclude(status="closed").order_by("-id").first()
    if (
        position is None
        or position.quantity_raw == 0
        or pair.base.decimals is None
        or pair.quote.decimals is None
    ):
        return []
    row = position_row(position, {}, {})
    with_rate = newest.price_usd is not None and newest.price_quote is not None
    if in_usd and not with_rate:
        return []
    quantity = raw_to_units(position.quantity_raw, pair.base.decimals)
    cost = raw_to_units(row.held_cost_raw, pair.quote.decimals)
    entry = RATIO_CONTEXT.divide(cost, quantity)
    if in_usd and newest.price_usd is not None and newest.price_quote is not None:
        entry = RATIO_CONTEXT.multiply(entry, RATIO_CONTEXT.divide(newest.price_usd, newest.price_quote))
    levels = [("entry", "Entry", 0)]
    if row.target_bps is not None:
        levels.append(("target", "Target", row.target_bps))
    if row.stop_bps is not None:
        levels.append(("stop", "Trailing stop" if row.stop_is_trailing else "Stop", row.stop_bps))
    return [
        {
            "kind": kind,
            "label": label,
            "value": f"{RATIO_CONTEXT.multiply(entry, Decimal(BPS_ONE + bps)) / BPS_ONE:f}",
        }
        for kind, label, bps in levels
    ]
