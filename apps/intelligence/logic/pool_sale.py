"""What a large sale does to a constant-product pool: exact integers, rounded against us.

x is the pool's base reserve, y its quote reserve, q the tokens sold, γ what the fee leaves of them.
Source: Uniswap v2 whitepaper 3.2.1.
"""

from __future__ import annotations

from apps.domain.money import BPS_ONE


def dump_drop_bps(*, base_raw: int, fee_bps: int, sold_raw: int) -> int:
    """Return how far selling ``sold_raw`` lowers the pool's price, rounded up: it falls to x²/((x+q)(x+γq)) of itself."""
    _check(base_raw, fee_bps, sold_raw)
    kept = BPS_ONE * base_raw * base_raw * BPS_ONE
    whole = (base_raw + sold_raw) * (BPS_ONE * base_raw + (BPS_ONE - fee_bps) * sold_raw)
    return BPS_ONE - kept // whole


def cash_taken_raw(*, base_raw: int, quote_raw: int, fee_bps: int, sold_raw: int) -> int:
    """Return the quote units that selling ``sold_raw`` takes out, rounded up: y·γq/(x+γq)."""
    _check(base_raw, fee_bps, sold_raw)
    kept = (BPS_ONE - fee_bps) * sold_raw
    return -(-quote_raw * kept // (BPS_ONE * base_raw + kept))


def cash_taken_bps(*, base_raw: int, fee_bps: int, sold_raw: int) -> int:
    """Return the share of the pool's coins that selling ``sold_raw`` takes out, rounded up."""
    return cash_taken_raw(base_raw=base_raw, quote_raw=BPS_ONE, fee_bps=fee_bps, sold_raw=sold_raw)


def _check(base_raw: int, fee_bps: int, sold_raw: int) -> None:
    assert base_raw > 0, base_raw
    assert sold_raw >= 0, sold_raw
    assert 0 <= fee_bps < BPS_ONE, fee_bps
