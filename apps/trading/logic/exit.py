"""Shall we sell: armed exits against what selling would bring now, in integers."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.config import TradingConfig
from apps.domain.decision import Adjustment, ExitTag, GuardTag, Reason, TradeDecision
from apps.domain.estimate import Estimate
from apps.domain.ids import PairKey, TraceId
from apps.domain.market import BlockRef, FeeQuote, PoolReserves
from apps.domain.money import BPS_ONE, Amount, Token, raw_to_units, value_usd_micros
from apps.domain.position import ExitPlan
from apps.trading.logic import gas, pool, slippage
from apps.trading.logic.plan import PlanInForce, plan_in_force

#: These run from a loss or from danger: they take the whole slippage allowance at once.
URGENT_TAGS: frozenset[ExitTag | GuardTag] = frozenset(
    {"stop_loss", "liquidity_drop", "force_exit", "kill_close", "guard"}
)
#: A person or the kill switch wants it sold even when the sale does not pay its gas.
ORDERED_TAGS: frozenset[ExitTag | GuardTag] = frozenset({"force_exit", "kill_close"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PositionFacts:
    """A position as its exits see it. Raw figures in base units or, for values, in native units."""

    trace_id: TraceId
    pair_key: PairKey
    base: Token
    native: Token
    fee_bps: int
    quantity_raw: int  # free to sell: held less what exit orders on their way have reserved
    cost_raw: int  # of the held quantity
    opened_at_ms: int
    plan: ExitPlan
    high_water_raw: int  # highest value seen, after tax and selling fees
    entry_quote_reserve_raw: int | None
    sell_tax_bps: int | None  # None: never measured
    sell_gas: int | None
    failed_exits: int
    next_exit_at_ms: int | None  # back-off after a failed exit
    ordered_tag: ExitTag | None  # "force_exit" or "kill_close" when somebody asked for it


@dataclass(frozen=True, slots=True, kw_only=True)
class ExitCase:
    """One position with everything that is judged about it."""

    position: PositionFacts
    reserves: PoolReserves | None
    fees: FeeQuote | None
    quote_price_usd_micros: int | None
    head: BlockRef
    config: TradingConfig
    config_revision: int
    now_ms: int
    estimates: tuple[Estimate, ...] = ()  # of the token and its market: what draws the exits in


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """An exit that is due, its figures, and the code and words of its reason."""

    tag: ExitTag | GuardTag
    detail: str
    code: str
    explanation: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleValue:
    """What selling everything would bring now, native units: ``gross_raw`` after tax, ``net_raw`` after gas too."""

    gross_raw: int
    net_raw: int


def sale_value(position: PositionFacts, reserves: PoolReserves, fees: FeeQuote | None) -> SaleValue:
    """Return what selling the free quantity would bring. An unmeasured tax counts as none: the market value."""
    gross = pool.sell_out(
        reserves,
        fee_bps=position.fee_bps,
        amount_in_raw=position.quantity_raw,
        tax_bps=position.sell_tax_bps or 0,
    )
    cost = 0 if fees is None else gas.exit_cost_raw(sell_gas=position.sell_gas, fees=fees)
    return SaleValue(gross_raw=gross, net_raw=max(gross - cost, 0))


def decide(case: ExitCase) -> TradeDecision:
    """Return "exit" with its tag, or "skip" with the reason for holding."""
    position = case.position
    if position.quantity_raw == 0:
        return _held(case, "EXIT_UNDER_WAY", "Everything held is being sold already.")
    if position.next_exit_at_ms is not None and case.now_ms < position.next_exit_at_ms:
        left_s = (position.next_exit_at_ms - case.now_ms) // 1000
        return _held(
            case, "EXIT_RESTING", "The last sale failed; the next try comes after a rest.", f"left_s={left_s}"
        )
    if case.reserves is None:
        return _held(case, "EXIT_PRICE_UNKNOWN", "The pool did not answer, so there is no price to sell at.")
    value = sale_value(position, case.reserves, case.fees)
    plan = plan_in_force(position.plan, estimates=case.estimates, config=case.config)
    due = _due(case, case.reserves, value, plan)
    if due is None:
        return _held(case, "EXIT_NOT_DUE", "No exit is due.", _figures(case, value))
    if case.fees is None:
        return _held(
            case, "EXIT_FEES_UNKNOWN", "An exit is due, but the price of gas is unknown.", due.detail
        )
    if value.gross_raw == 0 or (value.net_raw == 0 and due.tag not in ORDERED_TAGS):
        return _held(
            case,
            "EXIT_NOT_WORTH_GAS",
            "An exit is due, but the sale would bring less than its gas.",
            _figures(case, value),
        )
    return _exited(case, value, case.fees, due=due, adjustments=plan.adjustments)


def _due(case: ExitCase, reserves: PoolReserves, value: SaleValue, now: PlanInForce) -> _Due | None:
    """Return the first exit that is due; danger comes before profit."""
    position, plan, net = case.position, now.plan, value.net_raw
    cost, high = position.cost_raw, max(position.high_water_raw, value.net_raw)
    if position.ordered_tag is not None:
        return _tagged(position.ordered_tag, _figures(case, value))
    if plan.liquidity_drop_bps is not None and position.entry_quote_reserve_raw:
        fall = BPS_ONE - reserves.quote_raw * BPS_ONE // position.entry_quote_reserve_raw
        if fall >= plan.liquidity_drop_bps:
            return _tagged("liquidity_drop", f"fall_bps={fall} limit_bps={plan.liquidity_drop_bps}")
    if now.whales_sell:
        return _Due(
            tag="guard",
            detail=now.whales_sell,
            code="WHALES_SOLD",
            explanation="Large holders have sold so much that we sell too.",
        )
    if plan.stop_loss_bps is not None and net * BPS_ONE <= cost * (BPS_ONE - plan.stop_loss_bps):
        return _tagged("stop_loss", f"{_figures(case, value)} limit_bps=-{plan.stop_loss_bps}")
    is_armed = high * BPS_ONE >= cost * (BPS_ONE + plan.trailing_activation_bps)
    if (
        plan.trailing_stop_bps is not None
        and is_armed
        and net * BPS_ONE <= high * (BPS_ONE - plan.trailing_stop_bps)
    ):
        highest = raw_to_units(high, position.native.decimals)
        return _tagged(
            "trailing_stop", f"{_figures(case, value)} highest={highest} limit_bps={plan.trailing_stop_bps}"
        )
    if plan.take_profit_bps is not None and net * BPS_ONE >= cost * (BPS_ONE + plan.take_profit_bps):
        return _tagged("take_profit", f"{_figures(case, value)} limit_bps={plan.take_profit_bps}")
    if plan.time_stop_ms is not None and case.now_ms - position.opened_at_ms >= plan.time_stop_ms:
        held_s = (case.now_ms - position.opened_at_ms) // 1000
        return _tagged("time_stop", f"held_s={held_s} limit_s={plan.time_stop_ms // 1000}")
    return None


def _tagged(tag: ExitTag, detail: str) -> _Due:
    return _Due(tag=tag, detail=detail, code=tag.upper(), explanation=_EXPLANATIONS[tag])


def _figures(case: ExitCase, value: SaleValue) -> str:
    position = case.position
    decimals = position.native.decimals
    gain = (
        "unknown" if position.cost_raw == 0 else str(value.net_raw * BPS_ONE // position.cost_raw - BPS_ONE)
    )
    return (
        f"value={raw_to_units(value.net_raw, decimals)} cost={raw_to_units(position.cost_raw, decimals)}"
        f" {position.native.symbol} gain_bps={gain}"
    )


def _held(case: ExitCase, code: str, explanation: str, detail: str = "") -> TradeDecision:
    return TradeDecision(
        trace_id=case.position.trace_id,
        pair_key=case.position.pair_key,
        action="skip",
        amount_in=None,
        amount_out_min=None,
        expected_out=None,
        value_usd_micros=None,
        slippage_max_bps=case.config.execution.exit_slippage_max_bps,
        score_bps=None,
        reasons=(Reason(code=code, explanation=explanation, detail=detail),),
        config_revision=case.config_revision,
    )


_EXPLANATIONS: dict[ExitTag, str] = {
    "take_profit": "The gain has reached its target.",
    "stop_loss": "The loss has reached its limit.",
    "trailing_stop": "The value has fallen from its highest by the limit.",
    "time_stop": "The position was held for as long as it may be.",
    "liquidity_drop": "The pool has lost so much of its coins that selling becomes dangerous.",
    "force_exit": "A person asked for the sale.",
    "kill_close": "The kill switch sells everything.",
}


def _exited(
    case: ExitCase,
    value: SaleValue,
    fees: FeeQuote,
    *,
    due: _Due,
    adjustments: tuple[Adjustment, ...],
) -> TradeDecision:
    position = case.position
    slippage_bps = slippage.exit_slippage_bps(
        allowed_max_bps=case.config.execution.exit_slippage_max_bps,
        failed_attempts=position.failed_exits,
        is_urgent=due.tag in URGENT_TAGS,
    )
    price = case.quote_price_usd_micros
    gas_limit = gas.gas_limit_of(position.sell_gas, default=gas.SELL_GAS_DEFAULT, fees=fees)
    approval_gas = gas.limit_with_data(gas.APPROVE_GAS * 2, fees)
    return TradeDecision(
        trace_id=position.trace_id,
        pair_key=position.pair_key,
        action="exit",
        amount_in=Amount(position.quantity_raw, position.base),
        amount_out_min=Amount(slippage.minimum_out(value.gross_raw, slippage_bps), position.native),
        expected_out=Amount(value.gross_raw, position.native),
        value_usd_micros=None
        if price is None
        else value_usd_micros(value.gross_raw, decimals=position.native.decimals, price_usd_micros=price),
        slippage_max_bps=slippage_bps,
        score_bps=None,
        reasons=(Reason(code=due.code, explanation=due.explanation, detail=due.detail),),
        config_revision=case.config_revision,
        exit_tag=due.tag,
        gas_limit=gas_limit,
        fee_cap_raw=gas.fee_cap_raw(
            gas_limit=gas_limit + approval_gas,
            fees=fees,
            margin_bps=gas.EXIT_FEE_MARGIN_BPS,
            transactions=2,
        ),
        adjustments=adjustments,
    )
