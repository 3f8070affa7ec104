"""What an analysis recommends, with bounds, and what intelligence changed, as people see them."""

from __future__ import annotations

from typing import Any

from django.test import Client
from django.urls import reverse

from apps.domain.verdict import Action, Interval, ScoreCard
from apps.risk.logic.record import card_to_json
from apps.risk.models import VerdictRecord
from apps.trading.models import DecisionRecord, Opportunity

UNKNOWN = Interval(low_bps=None, value_bps=None, high_bps=None, coverage_bps=0)
CARD = ScoreCard(
    action=Action.PROBE,
    why="its score is high enough, but may prove too low once all is known",
    risk=Interval(low_bps=2_000, value_bps=3_900, high_bps=5_200, coverage_bps=8_000),
    edge=Interval(low_bps=-700, value_bps=150, high_bps=1_100, coverage_bps=10_000),
    helps_most="deployer_dead_bps",
    helps_bps=754,
)


def keep(card: ScoreCard) -> None:
    for row in Opportunity.objects.all():
        VerdictRecord.objects.filter(pair_id=row.pair_id).update(trace_id=row.trace_id)
    VerdictRecord.objects.update(card=card_to_json(card), action=card.action.value)


def page(client: Client, name: str, *args: Any) -> str:
    return client.get(reverse(f"dashboard:{name}", args=args)).content.decode()


def test_pair_then_its_page_and_its_row_show_the_action_with_bounds_and_what_would_help(
    viewer: Client, life: dict[str, Any]
) -> None:
    keep(CARD)
    shown = page(viewer, "pair", life["pair"].pk)
    for text in ("Small try", "may prove too low", "48–80", "80.00%", "Of those, dead", "+1.50%"):
        assert text in shown, text
    rows = page(viewer, "opportunities")
    assert "48–80" in rows
    assert "Small try" in rows


def test_nothing_is_known_then_unknown_is_not_zero(viewer: Client, life: dict[str, Any]) -> None:
    keep(ScoreCard(action=Action.WATCH, why="too little is known for a score", risk=UNKNOWN, edge=UNKNOWN))
    shown = page(viewer, "pair", life["pair"].pk)
    assert "too few of our positions have ended" in shown
    assert "too little is known" in shown


def test_verdict_of_before_there_were_cards_then_shown_as_before(
    viewer: Client, life: dict[str, Any]
) -> None:
    VerdictRecord.objects.update(card=None, action="")
    shown = page(viewer, "pair", life["pair"].pk)
    assert "Would help most" not in shown


def test_decision_was_steered_then_its_trace_shows_before_and_after(
    viewer: Client, life: dict[str, Any]
) -> None:
    trace_id = life["trace_id"]
    DecisionRecord.objects.filter(trace_id=trace_id).update(
        adjustments=[
            {
                "code": "SHRUNK_BY_WHALES",
                "subject": "position_max_usd",
                "before": "250.00",
                "after": "100.00",
                "explanation": "Sizes are cut down because large holders are selling.",
                "switch": "influence.size_by_whales",
            }
        ]
    )
    shown = page(viewer, "trace", trace_id)
    assert "$250" in shown
    assert "$100" in shown
    assert "large holders are selling" in shown
    assert "influence.size_by_whales" in shown
