"""Shall we sell a part: an advanced order's leg that has come due, in the same words as every other exit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from pydantic import TypeAdapter

from apps.domain.decision import ExitTag, Reason, TradeDecision
from apps.domain.market import PoolReserves
from apps.domain.money import Amount
from apps.domain.position import ExitPlan
from apps.trading.logic import exit as exits
from apps.trading.logic import pool, slippage
from apps.trading.logic.exit import ExitCase, PositionFacts
from apps.trading.logic.orders_advanced import PRICE_SCALE, Child, Trigger
from apps.trading.logic.record import exit_inputs

_TAGS: dict[Trigger, ExitTag] = {
    Trigger.AT_LEAST: "take_profit",
    Trigger.AT_MOST: "stop_loss",
    Trigger.TRAILING: "trailing_stop",
    Trigger.AT_TIME: "time_stop",
}
_EXPLANATIONS = {
    Trigger.AT_LEAST: "The price has reached what this order asks for.",
    Trigger.AT_MOST: "The price has fallen to this order's stop.",
    Trigger.TRAILING: "The price has fallen from its highest by this order's share.",
    Trigger.AT_TIME: "The time for this sale has come.",
}
#: Due at once, whatever the price: what is asked is the machine's own answer.
_DUE = ExitPlan(
    take_profit_bps=None,
    stop_loss_bps=None,
    trailing_stop_bps=None,
    trailing_activation_bps=0,
    time_stop_ms=0,
    liquidity_drop_bps=None,
)


def sale_price(position: PositionFacts, reserves: PoolReserves, amount_raw: int) -> int | None:
    """Return what selling so much brings per PRICE_SCALE base units, after pool fee, impact and tax, rounded down."""
    if amount_raw <= 0:
        return None
    out = pool.sell_out(
        reserves,
        fee_bps=position.fee_bps,
        amount_in_raw=amount_raw,
        tax_bps=position.sell_tax_bps or 0,
    )
    return out * PRICE_SCALE // amount_raw


def part_exit(case: ExitCase, child: Child) -> TradeDecision:
    """Return the decision to sell a child's amount, or "skip" with why it cannot be sold now."""
    position = case.position
    assert 0 < child.amount_raw <= position.quantity_raw, (child.amount_raw, position.quantity_raw)
    part = replace(
        position,
        quantity_raw=child.amount_raw,
        cost_raw=position.cost_raw * child.amount_raw // position.quantity_raw,
        opened_at_ms=min(position.opened_at_ms, case.now_ms),
        plan=_DUE,
        ordered_tag=None,
    )
    decision = exits.decide(replace(case, position=part, estimates=()))
    if decision.action != "exit":
        return decision
    assert decision.expected_out is not None
    expected, is_urgent = decision.expected_out.raw, child.trigger in (Trigger.AT_MOST, Trigger.TRAILING)
    tolerance = slippage.exit_slippage_bps(
        allowed_max_bps=case.config.execution.exit_slippage_max_bps,
        failed_attempts=position.failed_exits,
        is_urgent=is_urgent,
    )
    least = slippage.minimum_out(expected, tolerance)
    if child.price_limit is not None:  # rounded up: never below the limit
        least = max(least, -(-child.amount_raw * child.price_limit // PRICE_SCALE))
    if least > expected:
        reason = Reason(
            code="LIMIT_PRICE_MISSED",
            explanation="The price went below the order's limit.",
            detail=child.detail,
        )
        return replace(
            decision,
            action="skip",
            amount_in=None,
            amount_out_min=None,
            expected_out=None,
            value_usd_micros=None,
            exit_tag=None,
            gas_limit=0,
            fee_cap_raw=0,
            reasons=(reason,),
        )
    reason = Reason(
        code=f"ORDER_{child.trigger.name}", explanation=_EXPLANATIONS[child.trigger], detail=child.detail
    )
    return replace(
        decision,
        exit_tag=_TAGS[child.trigger],
        slippage_max_bps=tolerance,
        amount_out_min=Amount(least, position.native),
        reasons=(reason,),
    )


_CASE, _CHILD = TypeAdapter(ExitCase), TypeAdapter(Child)


def part_inputs(case: ExitCase, child: Child) -> dict[str, Any]:
    """Return what a part's decision was made from as plain JSON; an exit's inputs with the child beside them."""
    kept = {name: str(value) if type(value) is int else value for name, value in _dump(child).items()}
    return {**exit_inputs(case), "advanced": kept}


def _dump(child: Child) -> dict[str, Any]:
    found: dict[str, Any] = _CHILD.dump_python(child, mode="json")
    return found


def part_decision_from_inputs(inputs: Mapping[str, Any]) -> TradeDecision:
    """Return the decision that these stored inputs lead to."""
    return part_exit(_CASE.validate_python(inputs["given"]), _CHILD.validate_python(inputs["advanced"]))
