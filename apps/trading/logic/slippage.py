"""How far below its quote a trade may fill, and how much may be bought before that is worth an attack."""

from __future__ import annotations

from math import isqrt

from apps.domain.money import BPS_ONE

#: Exits that run from a loss take the whole allowance at once; the others begin with half of it.
PATIENT_SHARE_BPS = 5_000
#: By so much of the allowance the tolerance grows at each failed exit.
PATIENT_STEP_BPS = 2_500
#: An entry's tolerance covers the price's moves up to inclusion in 19 of 20 cases: 1.645 deviations, in hundredths.
DEVIATIONS_HUNDREDTHS = 165
#: Below this an entry fails on rounding and on the dust of others' trades.
ENTRY_SLIPPAGE_MIN_BPS = 50
_HOUR_MS = 3_600_000
#: What we judge by is up to one block old, and the next block takes us.
INCLUSION_BLOCKS = 2
#: The least that a sandwich's two swaps burn; attackers' own contracts take less gas than routers.
ATTACK_GAS = 2 * 100_000


def minimum_out(expected_out_raw: int, slippage_bps: int) -> int:
    """Return the least we accept: the quote less slippage, rounded down, so never above the quote.

    One unit is the least that a pool can pay, so a positive quote never gives zero (which would accept anything).
    """
    assert 0 <= slippage_bps <= BPS_ONE, slippage_bps
    return max(expected_out_raw * (BPS_ONE - slippage_bps) // BPS_ONE, min(expected_out_raw, 1))


def exit_slippage_bps(*, allowed_max_bps: int, failed_attempts: int, is_urgent: bool) -> int:
    """Return the tolerance of the next exit: it grows with each failure and never passes what the person allowed."""
    if is_urgent:
        return allowed_max_bps
    share_bps = min(PATIENT_SHARE_BPS + failed_attempts * PATIENT_STEP_BPS, BPS_ONE)
    return max(allowed_max_bps * share_bps // BPS_ONE, 1)


def entry_slippage_bps(*, allowed_max_bps: int, volatility_bps: int | None, delay_ms: int) -> int:
    """Return an entry's tolerance: what the price usually moves within ``delay_ms``, never more than allowed.

    ``volatility_bps`` is the deviation of an hour's price; it grows with the root of time. Unknown: all that is allowed.
    """
    if volatility_bps is None:
        return allowed_max_bps
    # isqrt of the scaled ratio keeps four digits: integers, so that every machine gives the same.
    root = isqrt(delay_ms * BPS_ONE * BPS_ONE // _HOUR_MS)
    moves = -(-volatility_bps * root * DEVIATIONS_HUNDREDTHS // (BPS_ONE * 100))
    return min(max(moves, ENTRY_SLIPPAGE_MIN_BPS), allowed_max_bps)


def sandwich_free_raw(
    *, quote_reserve_raw: int, fee_bps: int, slippage_bps: int, attack_cost_raw: int
) -> int:
    """Return the largest buy into a constant-product pool that nobody gains by sandwiching, in quote units.

    A buy of d into y leaves an attacker slippage * (d - fee * y) at most, less what the two transactions cost:
    d <= fee * y + cost / slippage. Source: closed form for small trades, checked against brute force in the tests.
    """
    assert slippage_bps > 0, slippage_bps
    return quote_reserve_raw * fee_bps // BPS_ONE + attack_cost_raw * BPS_ONE // slippage_bps
