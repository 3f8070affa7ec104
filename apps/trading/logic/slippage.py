"""How far below its quote a trade may fill."""

from __future__ import annotations

from apps.domain.money import BPS_ONE

#: Exits that run from a loss take the whole allowance at once; the others begin with half of it.
PATIENT_SHARE_BPS = 5_000
#: By so much of the allowance the tolerance grows at each failed exit.
PATIENT_STEP_BPS = 2_500


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
