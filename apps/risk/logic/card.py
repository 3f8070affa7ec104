"""Risk, edge and the action that follows from them and from the rules."""

from __future__ import annotations

from apps.domain.config import TradingConfig
from apps.domain.money import BPS_ONE
from apps.domain.verdict import Action, Finding, Gate, Interval, Outcome, ScoreCard
from apps.risk.logic.modifiers import score_moved
from apps.risk.logic.score import Score

_NO_RISK = Interval(low_bps=None, value_bps=None, high_bps=None, coverage_bps=0)


def score_card(
    *,
    scored: Score,
    moved_bps: int,
    edge: Interval,
    outcome: Outcome,
    findings: tuple[Finding, ...],
    config: TradingConfig,
) -> ScoreCard:
    """Return the card. ``moved_bps`` is what news add to the score, negative for what they take."""
    risk = _risk(scored, moved_bps)
    action, why = _action(risk, edge, outcome=outcome, findings=findings, config=config)
    return ScoreCard(
        action=action,
        why=why,
        risk=risk,
        edge=edge,
        helps_most=scored.helps_most,
        helps_bps=scored.helps_bps,
    )


def _risk(scored: Score, moved_bps: int) -> Interval:
    if scored.score_bps is None:
        return _NO_RISK

    def risk_of(score_bps: int) -> int:
        return BPS_ONE - score_moved(score_bps, moved_bps)

    return Interval(
        low_bps=risk_of(scored.high_bps),
        value_bps=risk_of(scored.score_bps),
        high_bps=risk_of(scored.low_bps),
        coverage_bps=scored.coverage_bps,
    )


def _action(
    risk: Interval,
    edge: Interval,
    *,
    outcome: Outcome,
    findings: tuple[Finding, ...],
    config: TradingConfig,
) -> tuple[Action, str]:
    """Return the action and why: the rules first, then what the score can be at best, is, and can be at worst."""
    if outcome is not Outcome.PASS:
        return _refused(outcome, findings)
    most = BPS_ONE - config.entry.score_min_bps
    if risk.low_bps is None or risk.value_bps is None or risk.high_bps is None:
        return Action.WATCH, "too little is known for a score"
    if risk.low_bps > most:
        return Action.AVOID, "its score stays too low whatever may still become known"
    if config.influence.size_by_edge and edge.high_bps is not None and edge.high_bps <= 0:
        return Action.AVOID, "our own entries of lately lose money even at the upper bound"
    if risk.value_bps > most:
        return Action.WATCH, "its score is too low with what is known"
    if not config.influence.probe_when_uncertain:
        return Action.BUY, "every rule passes and the score is high enough"
    if risk.coverage_bps < config.influence.coverage_min_bps:
        return Action.PROBE, "its score is high enough, but rests on too little"
    if risk.high_bps > most:
        return Action.PROBE, "its score is high enough, but may prove too low once all is known"
    return Action.BUY, "every rule passes and the score is high enough, whatever may still become known"


def _refused(outcome: Outcome, findings: tuple[Finding, ...]) -> tuple[Action, str]:
    vetoes = [item for item in findings if item.gate is Gate.VETO]
    for wanted, action in ((Outcome.FAIL, Action.BLOCK), (Outcome.UNKNOWN, Action.WATCH)):
        found = next((item for item in vetoes if item.outcome is wanted), None)
        if outcome is wanted and found is not None:
            return action, found.explanation
    return Action.WATCH, "no rule was asked"
