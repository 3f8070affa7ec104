"""The arithmetic of constant-product pools, exactly as their contracts do it. Pure.

Source: Uniswap v2 whitepaper 3.2.1 and UniswapV2Library. A fee of 30 bps gives Uniswap's 997/1000, 25 bps
PancakeSwap's 9975/10000, 20 bps the 998/1000 of Pancake's first core; common factors do not change the rounding.
"""

from __future__ import annotations

from apps.domain.market import PoolReserves
from apps.domain.money import BPS_ONE


def amount_out(*, amount_in_raw: int, reserve_in_raw: int, reserve_out_raw: int, fee_bps: int) -> int:
    """Return what the pool gives for ``amount_in_raw``, rounded down as the contract does; 0 from an empty pool."""
    assert amount_in_raw >= 0, amount_in_raw
    assert 0 <= fee_bps < BPS_ONE, fee_bps
    if reserve_in_raw <= 0 or reserve_out_raw <= 0:
        return 0
    taken = amount_in_raw * (BPS_ONE - fee_bps)
    return taken * reserve_out_raw // (reserve_in_raw * BPS_ONE + taken)


def amount_in(*, amount_out_raw: int, reserve_in_raw: int, reserve_out_raw: int, fee_bps: int) -> int | None:
    """Return the least input that the router asks for ``amount_out_raw`` (rounded up), None when no input buys it."""
    assert amount_out_raw >= 0, amount_out_raw
    assert 0 <= fee_bps < BPS_ONE, fee_bps
    if reserve_in_raw <= 0 or amount_out_raw >= reserve_out_raw:
        return None
    if amount_out_raw == 0:
        return 0
    taken = reserve_in_raw * amount_out_raw * BPS_ONE
    return taken // ((reserve_out_raw - amount_out_raw) * (BPS_ONE - fee_bps)) + 1


def price_impact_bps(*, amount_in_raw: int, reserve_in_raw: int, fee_bps: int) -> int:
    """Return how far the average price lies beyond the spot price after fee, in bps, rounded up (against us)."""
    assert amount_in_raw >= 0, amount_in_raw
    if reserve_in_raw <= 0:
        return BPS_ONE
    taken = amount_in_raw * (BPS_ONE - fee_bps)
    return -(-taken * BPS_ONE // (reserve_in_raw * BPS_ONE + taken))


def amount_in_for_impact(*, impact_max_bps: int, reserve_in_raw: int, fee_bps: int) -> int:
    """Return an input whose price impact stays within ``impact_max_bps``, the largest up to rounding (down)."""
    assert 0 <= impact_max_bps < BPS_ONE, impact_max_bps
    return reserve_in_raw * BPS_ONE * impact_max_bps // ((BPS_ONE - impact_max_bps) * (BPS_ONE - fee_bps))


def tax_bps(*, expected_raw: int, received_raw: int) -> int:
    """Return the share of ``expected_raw`` that did not arrive, in bps, rounded up (against us)."""
    assert expected_raw > 0, expected_raw
    return max(0, -(-(expected_raw - received_raw) * BPS_ONE // expected_raw))


class ConstantProductQuoter:
    """Implements ``ports.Quoter``."""

    def amount_out(self, reserves: PoolReserves, *, fee_bps: int, side: str, amount_in_raw: int) -> int:
        """Return the output in raw units before token taxes: a buy pays quote, a sell pays base."""
        assert side in ("buy", "sell"), side
        buys = side == "buy"
        return amount_out(
            amount_in_raw=amount_in_raw,
            reserve_in_raw=reserves.quote_raw if buys else reserves.base_raw,
            reserve_out_raw=reserves.base_raw if buys else reserves.quote_raw,
            fee_bps=fee_bps,
        )
