"""What a trade with a constant-product pool brings after the token's own tax."""

from __future__ import annotations

from apps.chains.evm.dex.constant_product import amount_out
from apps.domain.market import PoolReserves
from apps.domain.money import BPS_ONE


def buy_out(reserves: PoolReserves, *, fee_bps: int, amount_in_raw: int, tax_bps: int) -> int:
    """Return the base units that reach the wallet for ``amount_in_raw`` quote units, rounded down."""
    quoted = amount_out(
        amount_in_raw=amount_in_raw,
        reserve_in_raw=reserves.quote_raw,
        reserve_out_raw=reserves.base_raw,
        fee_bps=fee_bps,
    )
    return after_tax(quoted, tax_bps)


def sell_out(reserves: PoolReserves, *, fee_bps: int, amount_in_raw: int, tax_bps: int) -> int:
    """Return the quote units that reach the wallet for ``amount_in_raw`` base units, rounded down."""
    quoted = amount_out(
        amount_in_raw=amount_in_raw,
        reserve_in_raw=reserves.base_raw,
        reserve_out_raw=reserves.quote_raw,
        fee_bps=fee_bps,
    )
    return after_tax(quoted, tax_bps)


def after_tax(amount_raw: int, tax_bps: int) -> int:
    """Return what is left of ``amount_raw`` after a tax, rounded down."""
    return amount_raw * (BPS_ONE - min(tax_bps, BPS_ONE)) // BPS_ONE
