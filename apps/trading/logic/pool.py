"""What a trade with a pool brings after the token's own tax."""

from __future__ import annotations

from apps.chains.evm.dex.quoting import quoted
from apps.domain.market import PoolReserves
from apps.domain.money import BPS_ONE


def buy_out(reserves: PoolReserves, *, fee_bps: int, amount_in_raw: int, tax_bps: int) -> int:
    """Return the base units that reach the wallet for ``amount_in_raw`` quote units, rounded down."""
    return after_tax(quoted(reserves, fee_bps=fee_bps, buys=True, amount_in_raw=amount_in_raw), tax_bps)


def sell_out(reserves: PoolReserves, *, fee_bps: int, amount_in_raw: int, tax_bps: int) -> int:
    """Return the quote units that reach the wallet for ``amount_in_raw`` base units, rounded down."""
    return after_tax(quoted(reserves, fee_bps=fee_bps, buys=False, amount_in_raw=amount_in_raw), tax_bps)


def after_tax(amount_raw: int, tax_bps: int) -> int:
    """Return what is left of ``amount_raw`` after a tax, rounded down."""
    return amount_raw * (BPS_ONE - min(tax_bps, BPS_ONE)) // BPS_ONE
