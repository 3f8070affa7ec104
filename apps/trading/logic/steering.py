"""What market intelligence brings to an entry's decision beside the figures themselves."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.domain.config import TradingConfig
from apps.domain.decision import Adjustment
from apps.domain.money import BPS_ONE, bps_of, raw_for_usd_micros, usd_to_micros
from apps.risk.logic.edge import Outcomes, kelly_bps, pool_best_raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Steering:
    """What has narrowed the configuration of a case already. A case without one is decided by its configuration alone.

    ``size_bps`` is what is left of every bound on the size that grows with wallet or pool; ``position_max_usd`` the bound
    on one position as a person set it, and ``adjustments`` each change of before.
    """

    position_max_usd: Decimal
    size_bps: int = BPS_ONE
    adjustments: tuple[Adjustment, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stake:
    """What the caps of our own outcomes rest on."""

    outcomes: Outcomes | None
    wallet_native_raw: int
    quote_reserve_raw: int
    quote_price_usd_micros: int
    quote_decimals: int
    fee_bps: int
    buy_tax_bps: int
    sell_tax_bps: int
    realised_today_usd_micros: int


def edge_caps(config: TradingConfig, stake: Stake) -> tuple[tuple[str, int], ...]:
    """Return the caps in native units that follow from what our own entries brought; none that rests on an unknown.

    Today's room for losses counts whole, as an entry can be lost whole.
    """
    if not config.influence.size_by_edge:
        return ()

    def raw_of(usd_micros: int) -> int:
        return raw_for_usd_micros(
            max(usd_micros, 0), decimals=stake.quote_decimals, price_usd_micros=stake.quote_price_usd_micros
        )

    room = usd_to_micros(config.limits.daily_loss_max_usd) + min(stake.realised_today_usd_micros, 0)
    caps = [("daily_loss_room", raw_of(room))]
    if stake.outcomes is None:
        return tuple(caps)
    share = kelly_bps(stake.outcomes)
    if share > 0:
        staked = share * config.influence.kelly_share_bps // BPS_ONE
        pool = pool_best_raw(
            stake.outcomes,
            quote_reserve_raw=stake.quote_reserve_raw,
            fee_bps=stake.fee_bps,
            buy_tax_bps=stake.buy_tax_bps,
            sell_tax_bps=stake.sell_tax_bps,
        )
        return (*caps, ("kelly_share_bps", bps_of(stake.wallet_native_raw, staked)), ("pool_best", pool))
    if kelly_bps(stake.outcomes, at_best=True) == 0:
        return (*caps, ("no_edge", 0))
    # Nothing is proven either way: small tries go on, so that it can be.
    tried = usd_to_micros(config.limits.position_max_usd) * config.influence.probe_share_bps // BPS_ONE
    return (*caps, ("edge_unproven", raw_of(tried)))
