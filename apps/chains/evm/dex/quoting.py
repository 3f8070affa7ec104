"""What any pool gives: by its ticks where liquidity lies in ranges, else by its product. Pure."""

from __future__ import annotations

from typing import Protocol

from apps.chains.evm.dex import concentrated_liquidity, constant_product, solidly_curves
from apps.domain.market import PoolReserves


class ProductFormula(Protocol):
    """What a pool that holds a product constant gives, with its contract's rounding."""

    def __call__(self, *, amount_in_raw: int, reserve_in_raw: int, reserve_out_raw: int, fee_bps: int) -> int:
        """Return the output in raw units."""


def product_formula(name: str) -> ProductFormula:
    """Return the formula of product pools by its name in ``PoolReserves``."""
    return solidly_curves.amount_out_volatile if name == "solidly" else constant_product.amount_out


def quoted(reserves: PoolReserves, *, fee_bps: int, buys: bool, amount_in_raw: int) -> int:
    """Return what a pool gives in raw units before token taxes: a buy pays quote, a sell pays base.

    Where the known ticks end it is what the part that fits brings. A ranged pool's fee is its state's own.
    """
    if reserves.concentrated is None:
        formula = product_formula(reserves.formula)
        return formula(
            amount_in_raw=amount_in_raw,
            reserve_in_raw=reserves.quote_raw if buys else reserves.base_raw,
            reserve_out_raw=reserves.base_raw if buys else reserves.quote_raw,
            fee_bps=fee_bps if reserves.fee_bps is None else reserves.fee_bps,
        )
    assert reserves.base_is_token0 is not None
    zero_for_one = buys is not reserves.base_is_token0
    return concentrated_liquidity.amount_out(
        reserves.concentrated, zero_for_one=zero_for_one, amount_in_raw=amount_in_raw
    )


class PoolQuoter:
    """Implements ``ports.Quoter`` for pools of every kind."""

    def amount_out(self, reserves: PoolReserves, *, fee_bps: int, side: str, amount_in_raw: int) -> int:
        """Return the output in raw units before token taxes: a buy pays quote, a sell pays base."""
        assert side in ("buy", "sell"), side
        return quoted(reserves, fee_bps=fee_bps, buys=side == "buy", amount_in_raw=amount_in_raw)
