"""A position's exits as the market allows them now: drawn in while it is dangerous, never wider than they were armed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from apps.domain.config import TradingConfig
from apps.domain.decision import Adjustment
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.domain.position import ExitPlan
from apps.risk.logic.conditions import REGIME_CODES, VOLATILITY_CODES
from apps.risk.logic.exit_limits import STOP_MIN_BPS, exits_in_force
from apps.risk.logic.limits import WHALES_SELL_BPS, WHALES_SIZE_MIN_BPS
from apps.trading.logic.timing import weighed

#: What a position's exits look at; every other estimate is left out of its record.
CODES = frozenset({*REGIME_CODES, *VOLATILITY_CODES, "whale_distribution_bps"})
_STOPS = ("stop_loss_bps", "trailing_stop_bps")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanInForce:
    """The plan that counts now, what changed it, and the figures when large holders sell so much that we do too."""

    plan: ExitPlan
    adjustments: tuple[Adjustment, ...] = ()
    whales_sell: str = ""


def plan_in_force(plan: ExitPlan, *, estimates: tuple[Estimate, ...], config: TradingConfig) -> PlanInForce:
    """Return the plan under what is known of the token and its market; without estimates it is the armed one."""
    if not estimates:
        return PlanInForce(plan=plan)
    drawn, notes = _by_market(plan, estimates, config)
    if not config.influence.whales_in_exits:
        return PlanInForce(plan=drawn, adjustments=notes)
    selling = weighed(_known(estimates, ("whale_distribution_bps",)))
    if selling is None:
        return PlanInForce(plan=drawn, adjustments=notes)
    if selling > config.influence.whales_exit_bps:
        figures = f"whale_distribution_bps={selling} maximum_bps={config.influence.whales_exit_bps}"
        return PlanInForce(plan=drawn, adjustments=notes, whales_sell=figures)
    drawn, more = _by_whales(drawn, selling)
    return PlanInForce(plan=drawn, adjustments=(*notes, *more))


def _known(estimates: tuple[Estimate, ...], codes: tuple[str, ...]) -> Estimate | None:
    """Return the first of these codes that is known."""
    return next((item for code in codes for item in estimates if item.code == code and item.is_known), None)


def _by_market(
    plan: ExitPlan, estimates: tuple[Estimate, ...], config: TradingConfig
) -> tuple[ExitPlan, tuple[Adjustment, ...]]:
    """Return the plan with what swing and regime draw in. They start from what a person set, not from the plan, which
    they may have drawn in at entry already.
    """
    found, notes = exits_in_force(
        config.exits,
        config.influence,
        volatility=_known(estimates, VOLATILITY_CODES),
        regime=_known(estimates, REGIME_CODES),
        held_max_s=None if plan.time_stop_ms is None else plan.time_stop_ms // 1_000,
    )
    kept = []
    for note in notes:
        armed: int | None = getattr(plan, note.subject)
        drawn: int | None = getattr(found, note.subject)
        if armed is not None and drawn is not None and drawn < armed:
            plan = replace(plan, **{note.subject: drawn})
            kept.append(replace(note, before=str(armed), after=str(drawn)))
    return plan, tuple(kept)


def _by_whales(plan: ExitPlan, selling: int) -> tuple[ExitPlan, tuple[Adjustment, ...]]:
    """Return the plan with its stops drawn in by what large holders have sold."""
    if selling <= WHALES_SELL_BPS:
        return plan, ()
    left = max(BPS_ONE - selling, WHALES_SIZE_MIN_BPS)
    notes = []
    for name in _STOPS:
        before: int | None = getattr(plan, name)
        after = None if before is None else max(before * left // BPS_ONE, STOP_MIN_BPS)
        if before is None or after is None or after >= before:
            continue
        plan = replace(plan, **{name: after})
        notes.append(
            Adjustment(
                code="STOPS_BY_WHALES",
                subject=name,
                before=str(before),
                after=str(after),
                explanation="The stop is closer because large holders are selling.",
                switch="influence.whales_in_exits",
            )
        )
    return plan, tuple(notes)
