"""What a constant-product pool gives, in integers.

Source: Uniswap v2 whitepaper 3.2.1. With reserves x (in) and y (out) and g = 1 - fee: out = y g d / (x + g d).
"""

from __future__ import annotations

from apps.domain.money import BPS_ONE


def amount_out(*, reserve_in_raw: int, reserve_out_raw: int, fee_bps: int, amount_in_raw: int) -> int:
    """Return what the pool pays for ``amount_in_raw``, rounded down as its contract does."""
    assert amount_in_raw >= 0, amount_in_raw
    assert 0 <= fee_bps < BPS_ONE, fee_bps
    if reserve_in_raw <= 0 or reserve_out_raw <= 0 or amount_in_raw == 0:
        return 0
    charged = amount_in_raw * (BPS_ONE - fee_bps)
    return charged * reserve_out_raw // (reserve_in_raw * BPS_ONE + charged)


def after_tax(amount_raw: int, tax_bps: int) -> int:
    """Return what is left of ``amount_raw`` after a tax, rounded down."""
    return amount_raw * (BPS_ONE - min(tax_bps, BPS_ONE)) // BPS_ONE
