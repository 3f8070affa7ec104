"""Shall we buy: refusals of the verdict, then score, then limits, then size, then the engine."""

from __future__ import annotations

from apps.domain.decision import Adjustment, Reason, SkipStage, TradeDecision
from apps.domain.market import FeeQuote
from apps.domain.money import Amount, raw_to_units, usd_to_micros, value_usd_micros
from apps.domain.verdict import Finding, Outcome
from apps.risk.logic.cooldown import cooldown
from apps.trading.logic import gas, pool, slippage
from apps.trading.logic.entry_case import EntryCase
from apps.trading.logic.entry_size import (
    Market,
    adjusted,
    further_of,
    market_of,
    size_of,
    split_noted,
    split_of,
    tolerance_bps,
)
from apps.trading.logic.orders_advanced import PRICE_SCALE
from apps.trading.logic.sizing import Size
from apps.trading.logic.timing import held_back

#: Rules about what the pair is, as against how dangerous it is. The funnel counts them apart.
FILTER_RULES = frozenset({"quote_supported", "token_data", "pair_age", "liquidity"})
#: Failures that time can heal while a pair is young: a pool is often filled, opened for trading, its liquidity burned or
#: locked and its owner renounced some blocks after it was made, and the first buyers spread the supply.
PASSING_CODES = frozenset(
    {
        "LIQUIDITY_BELOW_MINIMUM",
        "TRADING_NOT_OPEN",
        "LIQUIDITY_REMOVABLE",
        "OWNER_CONTROLS",
        "HOLDERS_CONCENTRATED",
        "LARGEST_HOLDER_TOO_LARGE",
        "LOSS_LIKELY",
    }
)
#: Rules that no person can overrule: what they refuse cannot be traded, or never be sold again.
NEVER_ACCEPTED = frozenset({"quote_supported", "token_data", "sellable"})
#: The longer a pair was watched the rarer it is looked at: each pause is at least this part of the time so far.
WATCH_SLOWDOWN = 3


def decide(case: EntryCase) -> TradeDecision:
    """Return the decision about an entry."""
    skip = _unwished(case) or _refused(case) or _too_weak(case) or _held_back(case) or _limited(case)
    if skip is not None:
        return skip
    market = market_of(case)
    if isinstance(market, Reason):
        return skipped(case, SkipStage.LIMIT, (market,), may_change=True)
    return _sized(case, market, size_of(case, market))


def skipped(
    case: EntryCase,
    stage: SkipStage,
    reasons: tuple[Reason, ...],
    *,
    may_change: bool,
    adjustments: tuple[Adjustment, ...] = (),
) -> TradeDecision:
    """Return a skip, to be looked at again while time can change the answer and the pair is still watched."""
    facts = case.facts
    again_ms = facts.now_ms + max(
        case.config.entry.watch_interval_s * 1000, _watched_ms(case) // WATCH_SLOWDOWN
    )
    return TradeDecision(
        trace_id=case.verdict.trace_id,
        pair_key=case.verdict.pair_key,
        action="skip",
        amount_in=None,
        amount_out_min=None,
        expected_out=None,
        value_usd_micros=None,
        slippage_max_bps=case.config.execution.slippage_max_bps,
        score_bps=case.verdict.score_bps,
        reasons=reasons,
        config_revision=case.config_revision,
        skip_stage=stage,
        retry_after_ms=again_ms if may_change and again_ms <= facts.give_up_at_ms else None,
        adjustments=(*_changed_before(case, stage), *adjustments),
    )


def _changed_before(case: EntryCase, stage: SkipStage) -> tuple[Adjustment, ...]:
    """Return what narrowed the limits; nothing where no limit was asked because a rule refused the pair."""
    if case.steering is None or stage in (SkipStage.FILTER, SkipStage.RISK):
        return ()
    return case.steering.adjustments


def _watched_ms(case: EntryCase) -> int:
    """Return how long the pair has been watched."""
    return max(case.config.entry.watch_duration_s * 1000 - (case.facts.give_up_at_ms - case.facts.now_ms), 0)


# -- verdict and score --------------------------------------------------------------------
def _unwished(case: EntryCase) -> TradeDecision | None:
    """Return a final skip when the order that asked for this entry must not be filled any more."""
    if case.wish is None or not case.wish.refusal:
        return None
    reason = Reason(code="ORDER_ENDED", explanation=case.wish.refusal)
    return skipped(case, SkipStage.ENGINE, (reason,), may_change=False)


def _refused(case: EntryCase) -> TradeDecision | None:
    refusals = tuple(item for item in case.verdict.refusals if not _is_accepted(case, item))
    quote = case.analysis.listing.quote.address
    if not refusals and quote.lower() != case.facts.wrapped_native_address.lower():
        reason = Reason(
            code="QUOTE_NOT_SUPPORTED",
            explanation="The pool is not paid for in the chain's own coin.",
            detail=f"quote={quote} wrapped_native={case.facts.wrapped_native_address}",
        )
        return skipped(case, SkipStage.FILTER, (reason,), may_change=False)
    if not refusals:
        # A verdict that does not pass and names nobody is a fault of ours: it must never buy.
        if case.verdict.outcome is Outcome.PASS or case.verdict.refusals:
            return None
        reason = Reason(code="VERDICT_NOT_PASSED", explanation="The risk verdict is not a pass.")
        return skipped(case, SkipStage.RISK, (reason,), may_change=True)
    stage = SkipStage.FILTER if refusals[0].rule in FILTER_RULES else SkipStage.RISK
    may_change = _is_empty(case) or all(_may_pass_later(item) for item in refusals)
    return skipped(case, stage, tuple(_reason_of(item) for item in refusals), may_change=may_change)


def _is_accepted(case: EntryCase, finding: Finding) -> bool:
    """Tell whether the person who asked for this entry takes the refusal upon himself; its age he knows."""
    if case.wish is None or finding.rule in NEVER_ACCEPTED:
        return False
    return finding.rule == "pair_age" or finding.rule in case.wish.accepted_rules


def _is_empty(case: EntryCase) -> bool:
    """Tell whether nothing was put into the pool yet: whatever else was measured then, says nothing of the market to come
    (its creator still holds the whole supply).
    """
    reserves = case.facts.reserves
    return reserves is not None and reserves.quote_raw == 0


def _may_pass_later(finding: Finding) -> bool:
    return finding.outcome is Outcome.UNKNOWN or finding.code in PASSING_CODES


def _reason_of(finding: Finding) -> Reason:
    return Reason(code=finding.code, explanation=finding.explanation, detail=finding.detail)


def _too_weak(case: EntryCase) -> TradeDecision | None:
    if case.wish is not None:
        return None
    score, minimum = case.verdict.score_bps, case.config.entry.score_min_bps
    if score is None:
        reason = Reason(
            code="SCORE_UNKNOWN", explanation="Too little is known of this pair to give it a score."
        )
        return skipped(case, SkipStage.SCORE, (reason,), may_change=True)
    if score >= minimum:
        return None
    reason = Reason(
        code="SCORE_BELOW_MINIMUM",
        explanation="No rule speaks against this pair, but its score is too low to buy it.",
        detail=f"score_bps={score} minimum_bps={minimum}",
    )
    return skipped(case, SkipStage.SCORE, (reason,), may_change=True)


def _held_back(case: EntryCase) -> TradeDecision | None:
    if case.steering is None or case.wish is not None:
        return None
    found = held_back(analysis=case.analysis, config=case.config, watched_ms=_watched_ms(case))
    if found is None:
        return None
    return skipped(case, found.stage, (found.reason,), may_change=True, adjustments=(found.adjustment,))


# -- limits -------------------------------------------------------------------------------
def _limited(case: EntryCase) -> TradeDecision | None:
    """Return a skip when a limit that needs no market facts stands in the way."""
    facts, limits = case.facts, case.config.limits
    reasons: list[Reason] = []
    loss = -facts.realised_today_usd_micros
    if loss >= usd_to_micros(limits.daily_loss_max_usd):
        reasons.append(
            Reason(
                code="LIMIT_DAILY_LOSS",
                explanation="Today's realised loss has reached its limit; entries go on after midnight UTC.",
                detail=f"loss_usd={raw_to_units(loss, 6)} maximum_usd={limits.daily_loss_max_usd}",
            )
        )
    if facts.open_positions >= limits.open_positions_max:
        reasons.append(
            Reason(
                code="LIMIT_OPEN_POSITIONS",
                explanation="As many positions are open as are allowed at the same time.",
                detail=f"open={facts.open_positions} maximum={limits.open_positions_max}",
            )
        )
    if facts.exposure_usd_micros >= usd_to_micros(limits.exposure_max_usd):
        reasons.append(
            Reason(
                code="LIMIT_EXPOSURE",
                explanation="All that may be at stake at the same time is at stake.",
                detail=f"exposure_usd={raw_to_units(facts.exposure_usd_micros, 6)} maximum_usd={limits.exposure_max_usd}",
            )
        )
    reasons += cooldown(
        now_ms=facts.now_ms,
        token_exit_at_ms=facts.token_exit_at_ms,
        deployer_loss_at_ms=facts.deployer_loss_at_ms,
        limits=limits,
    )
    return skipped(case, SkipStage.LIMIT, tuple(reasons), may_change=True) if reasons else None


# -- size ---------------------------------------------------------------------------------
def _sized(case: EntryCase, market: Market, size: Size) -> TradeDecision:
    config, facts = case.config, case.facts
    decimals = facts.native.decimals
    value = value_usd_micros(size.amount_raw, decimals=decimals, price_usd_micros=market.price_usd_micros)
    minimum = usd_to_micros(config.limits.position_min_usd)
    if size.amount_raw == 0 or value < minimum:
        reason = Reason(
            code="LIMIT_SIZE_BELOW_MINIMUM",
            explanation="The largest position that all limits allow is smaller than the least that is worth its gas.",
            detail=f"value_usd={raw_to_units(value, 6)} minimum_usd={config.limits.position_min_usd} bound_by={size.bound_by}",
        )
        return skipped(case, SkipStage.LIMIT, (reason,), may_change=True)
    cost = gas.round_trip_cost_raw(buy_gas=market.buy_gas, sell_gas=market.sell_gas, fees=market.fees)
    gas_limit = gas.gas_limit_of(market.buy_gas, default=gas.BUY_GAS_DEFAULT, fees=market.fees)
    fees = gas.fees_bid(
        market.fees, gas_limit=gas_limit, raise_max_raw=gas.tip_raise_max_raw(config, size.amount_raw)
    )
    cost += gas_limit * (fees.max_fee_wei - market.fees.max_fee_wei)
    if cost * 10_000 > size.amount_raw * config.execution.fee_share_max_bps:
        reason = Reason(
            code="LIMIT_FEE_SHARE",
            explanation="Gas for buying and selling would eat too much of this position.",
            detail=f"fees={raw_to_units(cost, decimals)} amount={raw_to_units(size.amount_raw, decimals)}"
            f" maximum_bps={config.execution.fee_share_max_bps}",
        )
        return skipped(case, SkipStage.LIMIT, (reason,), may_change=True)
    if not facts.engine_may_enter:
        reason = Reason(
            code="ENGINE_NOT_RUNNING",
            explanation="The pair would be bought, but the engine takes no entries now.",
            detail=f"engine={facts.engine_status}",
        )
        return skipped(case, SkipStage.ENGINE, (reason,), may_change=True)
    if not facts.exits_watched:
        reason = Reason(
            code="EXITS_NOT_WATCHED",
            explanation="The pair would be bought, but what watches this chain's exits gives no sign of life.",
        )
        return skipped(case, SkipStage.ENGINE, (reason,), may_change=True)
    return _entered(case, market, size, value, gas_limit=gas_limit, fees=fees)


def _entered(
    case: EntryCase, market: Market, size: Size, value: int, *, gas_limit: int, fees: FeeQuote
) -> TradeDecision:
    listing, slippage_bps = case.analysis.listing, tolerance_bps(case)
    expected = pool.buy_out(
        market.reserves,
        fee_bps=listing.fee_bps,
        amount_in_raw=size.amount_raw,
        tax_bps=market.buy_tax_bps,
    )
    if expected == 0:
        reason = Reason(
            code="POOL_GIVES_NOTHING",
            explanation="The pool would pay nothing for the largest position that all limits allow.",
            detail=f"amount_raw={size.amount_raw} buy_tax_bps={market.buy_tax_bps}",
        )
        return skipped(case, SkipStage.LIMIT, (reason,), may_change=True)
    minimum = slippage.minimum_out(expected, slippage_bps)
    if case.wish is not None and case.wish.price_max is not None:
        least = -(-size.amount_raw * PRICE_SCALE // case.wish.price_max)
        if least > expected:
            reason = Reason(
                code="LIMIT_PRICE_ABOVE",
                explanation="The price is above the order's limit.",
                detail=f"expected_raw={expected} wanted_raw={least}",
            )
            return skipped(case, SkipStage.LIMIT, (reason,), may_change=True)
        minimum = max(minimum, least)
    entered = Reason(
        code="ENTRY" if case.wish is None else "ENTRY_BY_ORDER",
        explanation="Every rule passes, the score is high enough and the limits leave room."
        if case.wish is None
        else "An order asked for it, and the limits leave room.",
        detail=f"score_bps={case.verdict.score_bps} size_bound_by={size.bound_by} tip_wei={fees.tip_wei}",
    )
    parts = split_of(case, market, size)
    further = further_of(case, market, size, parts)
    notes = adjusted(case, market, size, slippage_bps=slippage_bps, tip_wei=fees.tip_wei)
    return TradeDecision(
        trace_id=case.verdict.trace_id,
        pair_key=case.verdict.pair_key,
        action="enter",
        amount_in=Amount(size.amount_raw, case.facts.native),
        amount_out_min=Amount(minimum, listing.base),
        expected_out=Amount(expected, listing.base),
        value_usd_micros=value,
        slippage_max_bps=slippage_bps,
        score_bps=case.verdict.score_bps,
        reasons=(entered,),
        config_revision=case.config_revision,
        gas_limit=gas_limit,
        fee_cap_raw=gas.fee_cap_raw(
            gas_limit=gas_limit, fees=fees, margin_bps=gas.ENTRY_FEE_MARGIN_BPS, transactions=1
        ),
        adjustments=notes if parts is None or further is None else (*notes, split_noted(case, parts)),
        further=further,
    )
