"""How much an entry takes and how far below its quote it may fill: by the limits in force and by what steers it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.decision import Adjustment, FurtherSlices, Reason
from apps.domain.market import FeeQuote, PoolReserves
from apps.domain.money import BPS_ONE, raw_for_usd_micros, raw_to_units, usd_to_micros
from apps.risk.logic.conditions import conditions_of
from apps.risk.logic.edge import outcomes_of
from apps.trading.logic import gas, pool, slippage
from apps.trading.logic.entry_case import EntryCase
from apps.trading.logic.orders_advanced import PRICE_SCALE
from apps.trading.logic.sizing import Size, entry_size
from apps.trading.logic.splitting import Split, split
from apps.trading.logic.steering import Stake, edge_caps

_SANDWICH_FREE = "sandwich_free"


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """The facts a size rests on, all of them known."""

    reserves: PoolReserves
    price_usd_micros: int
    fees: FeeQuote
    wallet_raw: int
    buy_tax_bps: int
    buy_gas: int | None
    sell_gas: int | None


def market_of(case: EntryCase) -> Market | Reason:
    """Return the facts a size rests on, or which of them are missing."""
    facts = case.facts
    buy_tax = _figure(case.analysis, "buy_tax_bps")
    missing = [
        name
        for name, value in (
            ("reserves", facts.reserves),
            ("quote_price", facts.quote_price_usd_micros or None),
            ("fees", facts.fees),
            ("data_fee", facts.fees is None or facts.fees.is_data_fee_known or None),
            ("wallet_balance", facts.wallet_native_raw),
            ("buy_tax_bps", buy_tax),
        )
        if value is None
    ]
    if missing:
        return Reason(
            code="SIZE_FACTS_UNKNOWN",
            explanation="The right size cannot be worked out because figures are missing.",
            detail=f"unknown={','.join(missing)}",
        )
    assert facts.reserves is not None
    assert facts.fees is not None
    assert facts.wallet_native_raw is not None
    assert facts.quote_price_usd_micros is not None
    assert buy_tax is not None
    return Market(
        reserves=facts.reserves,
        price_usd_micros=facts.quote_price_usd_micros,
        fees=facts.fees,
        wallet_raw=facts.wallet_native_raw,
        buy_tax_bps=buy_tax,
        buy_gas=_figure(case.analysis, "buy_gas"),
        sell_gas=_figure(case.analysis, "sell_gas"),
    )


def _figure(analysis: Analysis, code: str) -> int | None:
    """Return an estimate as an integer rounded up (taxes and gas count against us), or None when unknown."""
    estimate = analysis.estimate(code)
    if estimate is None or estimate.value is None:
        return None
    return int(estimate.value.to_integral_value(rounding=ROUND_CEILING))


def _gas_reserve_raw(market: Market) -> int:
    """Return what must stay in the wallet: the round trip's gas with the margins that its orders may use."""
    buy = gas.fee_cap_raw(
        gas_limit=gas.gas_limit_of(market.buy_gas, default=gas.BUY_GAS_DEFAULT, fees=market.fees),
        fees=market.fees,
        margin_bps=gas.ENTRY_FEE_MARGIN_BPS,
        transactions=1,
    )
    return buy + 2 * gas.exit_cost_raw(sell_gas=market.sell_gas, fees=market.fees)


def size_of(case: EntryCase, market: Market) -> Size:
    """Return the size by the limits in force and by what our own entries brought."""
    if case.wish is not None:  # what our own entries brought says nothing of what a person wants
        caps = (("order", case.wish.amount_raw), *_sandwich_cap(case, market))
        return _size_by(case, market, case.config, more_caps=caps)
    if case.steering is None:
        return _size_by(case, market, case.config)
    edge = edge_caps(
        case.config,
        Stake(
            outcomes=outcomes_of(case.analysis),
            wallet_native_raw=market.wallet_raw,
            quote_reserve_raw=market.reserves.quote_raw,
            quote_price_usd_micros=market.price_usd_micros,
            quote_decimals=case.facts.native.decimals,
            fee_bps=case.analysis.listing.fee_bps,
            buy_tax_bps=market.buy_tax_bps,
            sell_tax_bps=_figure(case.analysis, "sell_tax_bps") or 0,
            realised_today_usd_micros=case.facts.realised_today_usd_micros,
        ),
    )
    caps = (*edge, *_sandwich_cap(case, market))
    return _size_by(case, market, case.config, size_bps=case.steering.size_bps, more_caps=caps)


def _sandwich_cap(case: EntryCase, market: Market) -> tuple[tuple[str, int], ...]:
    """Return the cap above which strangers who see our order gain by trading around it; none where they do not see it."""
    if not case.config.influence.dynamic_slippage or case.facts.has_public_mempool is not True:
        return ()
    most = slippage.sandwich_free_raw(
        quote_reserve_raw=market.reserves.quote_raw,
        fee_bps=case.analysis.listing.fee_bps,
        slippage_bps=tolerance_bps(case),
        attack_cost_raw=slippage.ATTACK_GAS * (market.fees.base_fee_wei + market.fees.tip_wei),
    )
    return ((_SANDWICH_FREE, most),)


def split_of(case: EntryCase, market: Market, size: Size) -> Split | None:
    """Return the parts in which an entry is bought whose size only the attack on it would bound; None: in one."""
    if case.wish is not None or case.steering is None or size.bound_by != _SANDWICH_FREE:
        return None
    decimals = case.facts.native.decimals
    return split(
        free_raw=size.amount_raw,
        wanted_raw=min(amount for name, amount in size.caps if name != _SANDWICH_FREE),
        least_raw=raw_for_usd_micros(
            usd_to_micros(case.config.limits.position_min_usd),
            decimals=decimals,
            price_usd_micros=market.price_usd_micros,
        ),
        slippage_bps=tolerance_bps(case),
        gas_each_raw=gas.fee_cap_raw(
            gas_limit=gas.gas_limit_of(market.buy_gas, default=gas.BUY_GAS_DEFAULT, fees=market.fees),
            fees=market.fees,
            margin_bps=gas.ENTRY_FEE_MARGIN_BPS,
            transactions=1,
        ),
        round_trip_raw=gas.round_trip_cost_raw(
            buy_gas=market.buy_gas, sell_gas=market.sell_gas, fees=market.fees
        ),
        fee_share_max_bps=case.config.execution.fee_share_max_bps,
        slices_max=case.config.execution.split_slices_max,
    )


def further_of(case: EntryCase, market: Market, size: Size, parts: Split | None) -> FurtherSlices | None:
    """Return what follows the first part: never dearer than all of it at once would have been at its worst."""
    if parts is None:
        return None
    at_once = pool.buy_out(
        market.reserves,
        fee_bps=case.analysis.listing.fee_bps,
        amount_in_raw=parts.total_raw,
        tax_bps=market.buy_tax_bps,
    )
    least = slippage.minimum_out(at_once, tolerance_bps(case))
    if least == 0 or case.facts.block_time_ms is None:
        return None
    return FurtherSlices(
        slices=parts.slices - 1,
        total_raw=parts.total_raw - size.amount_raw,
        interval_ms=slippage.INCLUSION_BLOCKS * case.facts.block_time_ms,
        price_max=parts.total_raw * PRICE_SCALE // least,
    )


def split_noted(case: EntryCase, parts: Split) -> Adjustment:
    """Return the note that an entry is bought in parts."""
    return Adjustment(
        code="SPLIT_OVER_BLOCKS",
        subject="slices",
        before="1",
        after=str(parts.slices),
        explanation=f"An attack on all of it at once could take {_in_coins(case, parts.spared_raw)};"
        f" further transactions cost {_in_coins(case, parts.gas_raw)} at most.",
        switch="execution.split_slices_max",
    )


def tolerance_bps(case: EntryCase) -> int:
    """Return how far below its quote the entry may fill, by the price's usual moves until it is mined."""
    allowed = case.config.execution.slippage_max_bps
    if (
        case.steering is None
        or not case.config.influence.dynamic_slippage
        or case.facts.block_time_ms is None
    ):
        return allowed
    volatility = conditions_of(case.analysis).volatility
    value = None if volatility is None else volatility.value
    return slippage.entry_slippage_bps(
        allowed_max_bps=allowed,
        volatility_bps=None if value is None else int(value.to_integral_value(rounding=ROUND_CEILING)),
        delay_ms=slippage.INCLUSION_BLOCKS * case.facts.block_time_ms,
    )


def _size_by(
    case: EntryCase,
    market: Market,
    config: TradingConfig,
    *,
    size_bps: int = BPS_ONE,
    more_caps: tuple[tuple[str, int], ...] = (),
) -> Size:
    return entry_size(
        config=config,
        quote_reserve_raw=market.reserves.quote_raw,
        quote_price_usd_micros=market.price_usd_micros,
        quote_decimals=case.facts.native.decimals,
        wallet_native_raw=market.wallet_raw,
        gas_reserve_raw=_gas_reserve_raw(market),
        exposure_usd_micros=case.facts.exposure_usd_micros,
        size_bps=size_bps,
        more_caps=more_caps,
    )


def _in_coins(case: EntryCase, raw: int) -> str:
    return f"{raw_to_units(raw, case.facts.native.decimals):f} {case.facts.native.symbol}"


def adjusted(
    case: EntryCase, market: Market, size: Size, *, slippage_bps: int, tip_wei: int
) -> tuple[Adjustment, ...]:
    """Return all that intelligence changed; last the size, the slippage and the tip that came of it."""
    if case.steering is None:
        return ()
    limits = case.config.limits
    as_set = case.config.model_copy(
        update={"limits": limits.model_copy(update={"position_max_usd": case.steering.position_max_usd})}
    )
    results = (
        Adjustment(
            code="SIZE",
            subject="amount_in",
            before=_in_coins(case, _size_by(case, market, as_set).amount_raw),
            after=_in_coins(case, size.amount_raw),
            explanation=f"The size that all influences together leave; bound by {size.bound_by}.",
            switch="influence",
        ),
        Adjustment(
            code="SLIPPAGE_BY_VOLATILITY",
            subject="slippage_max_bps",
            before=str(case.config.execution.slippage_max_bps),
            after=str(slippage_bps),
            explanation="What the price usually moves until the transaction is mined, within what is allowed.",
            switch="influence.dynamic_slippage",
        ),
        Adjustment(
            code="TIP_BY_VALUE",
            subject="tip_wei",
            before=str(market.fees.tip_wei),
            after=str(tip_wei),
            explanation="The tip bids for the front of the block, within its share of the entry's worth.",
            switch="influence.gas_by_value",
        ),
    )
    return (*case.steering.adjustments, *(item for item in results if item.before != item.after))
