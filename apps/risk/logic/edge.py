"""What our own entries brought lately: the edge, and the sizes that it bears.

All of it rests on positions that have ended, passed by the same rules as the next entry will be. Nothing is assumed: with
too few of them every figure is unknown, and what rests on it is not applied.

Source of the sizes: Kelly 1956 for three outcomes (a gain, a loss, the loss of everything), and for the pool's own bound
the size of largest expected profit in a constant-product pool, y * (sqrt(A) - 1) / 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from math import isqrt

from apps.domain.analysis import Analysis
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.money import BPS_ONE
from apps.domain.verdict import Interval

#: Fewer ended positions tell nothing that could be acted on.
ENDED_LEAST = 30
#: So many ended positions are looked at, newest first.
ENDED_MAX = 500
#: A position that lost this share of its cost is counted as lost altogether: no stop has held it.
TOTAL_LOSS_BPS = 8_000
#: A gain beyond this is counted as this: one lucky token must not carry the figure.
GAIN_MAX_BPS = 30_000
GAIN_RATE, LOSS_RATE, GAIN_MEAN, LOSS_MEAN = (
    "own_gain_rate_bps",
    "own_total_loss_rate_bps",
    "own_gain_bps",
    "own_loss_bps",
)
CODES = (GAIN_RATE, LOSS_RATE, GAIN_MEAN, LOSS_MEAN)
_SOURCE, _UNIT = "books", "bps"
#: Wilson bounds at 95 %: z and its square, in hundredths and ten-thousandths.
_Z_HUNDREDTHS = 196
_UNKNOWN = Interval(low_bps=None, value_bps=None, high_bps=None, coverage_bps=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcomes:
    """How entries end. Rates are shares of all, with 95 % bounds; means are positive, in bps of a position's cost."""

    gain_rate_low_bps: int
    gain_rate_bps: int
    gain_rate_high_bps: int
    loss_rate_low_bps: int  # of total losses
    loss_rate_bps: int
    loss_rate_high_bps: int
    gain_bps: int
    loss_bps: int
    n: int


def outcome_estimates(results_bps: Sequence[int], *, as_of_ms: int) -> tuple[Estimate, ...]:
    """Return the figures of ended positions from each one's result in bps of its cost (-10000: all of it lost)."""
    n = len(results_bps)
    if n < ENDED_LEAST:
        reason = f"only {n} of our positions have ended lately, {ENDED_LEAST} are needed"
        return tuple(unknown(code, reason, unit=_UNIT, source=_SOURCE, as_of_ms=as_of_ms) for code in CODES)
    gains = [min(item, GAIN_MAX_BPS) for item in results_bps if item > 0]
    total = [item for item in results_bps if item <= -TOTAL_LOSS_BPS]
    losses = [-item for item in results_bps if -TOTAL_LOSS_BPS < item <= 0]
    return (
        _rate(GAIN_RATE, len(gains), n, as_of_ms),
        _rate(LOSS_RATE, len(total), n, as_of_ms),
        _mean(GAIN_MEAN, gains, n, as_of_ms),
        _mean(LOSS_MEAN, losses, n, as_of_ms),
    )


def _rate(code: str, count: int, n: int, as_of_ms: int) -> Estimate:
    low, high = wilson_bps(count, n)
    value = count * BPS_ONE // n
    return known(
        code,
        value,
        unit=_UNIT,
        source=_SOURCE,
        as_of_ms=as_of_ms,
        n=n,
        low=min(low, value),
        high=max(high, value),
    )


def _mean(code: str, items: Sequence[int], n: int, as_of_ms: int) -> Estimate:
    value = sum(items) // len(items) if items else 0
    return known(code, value, unit=_UNIT, source=_SOURCE, as_of_ms=as_of_ms, n=n)


def wilson_bps(count: int, n: int) -> tuple[int, int]:
    """Return the 95 % bounds of a share, in bps, rounded outwards. Source: Wilson 1927."""
    assert 0 <= count <= n, (count, n)
    assert n > 0
    z2 = Fraction(_Z_HUNDREDTHS**2, 10_000)
    share = Fraction(count, n)
    scale = 10**12
    root = Fraction(isqrt(int((share * (1 - share) / n + z2 / (4 * n * n)) * scale)) + 1, 10**6)
    middle, spread = share + z2 / (2 * n), root * Fraction(_Z_HUNDREDTHS, 100)
    whole = 1 + z2 / n
    low, high = (middle - spread) / whole, (middle + spread) / whole
    return max(int(low * BPS_ONE), 0), min(-int(-high * BPS_ONE // 1), BPS_ONE)


def outcomes_of(analysis: Analysis) -> Outcomes | None:
    """Return the outcomes that an analysis holds, None when any figure is unknown."""
    found = [analysis.estimate(code) for code in CODES]
    figures = [item for item in found if item is not None and item.value is not None]
    if len(figures) < len(CODES):
        return None
    gain, loss, gain_mean, loss_mean = figures
    return Outcomes(
        gain_rate_low_bps=_whole(gain.low),
        gain_rate_bps=_whole(gain.value),
        gain_rate_high_bps=_whole(gain.high),
        loss_rate_low_bps=_whole(loss.low),
        loss_rate_bps=_whole(loss.value),
        loss_rate_high_bps=_whole(loss.high),
        gain_bps=_whole(gain_mean.value),
        loss_bps=_whole(loss_mean.value),
        n=gain.n,
    )


def _whole(value: Decimal | None) -> int:
    assert value is not None
    return int(value)


def edge(outcomes: Outcomes | None) -> Interval:
    """Return what an entry brings on average, in bps of its cost; unknown without outcomes."""
    if outcomes is None:
        return _UNKNOWN
    low = _expected(outcomes, outcomes.gain_rate_low_bps, outcomes.loss_rate_high_bps)
    value = _expected(outcomes, outcomes.gain_rate_bps, outcomes.loss_rate_bps)
    high = _expected(outcomes, outcomes.gain_rate_high_bps, outcomes.loss_rate_low_bps)
    return Interval(low_bps=min(low, value), value_bps=value, high_bps=max(high, value), coverage_bps=BPS_ONE)


def _expected(outcomes: Outcomes, gain_rate: int, loss_rate: int) -> int:
    gain_rate = min(gain_rate, BPS_ONE - loss_rate)
    rest = BPS_ONE - gain_rate - loss_rate
    points = gain_rate * outcomes.gain_bps - rest * outcomes.loss_bps - loss_rate * BPS_ONE
    return points // BPS_ONE


def kelly_bps(outcomes: Outcomes, *, at_best: bool = False) -> int:
    """Return the growth-optimal share of the wallet for one entry, rounded down; 0 when nothing should be staked.

    Rates are taken at the bounds that speak against us; ``at_best`` takes those that speak for us.
    """
    gain_rate = outcomes.gain_rate_high_bps if at_best else outcomes.gain_rate_low_bps
    loss_rate = outcomes.loss_rate_low_bps if at_best else outcomes.loss_rate_high_bps
    gain_rate = min(gain_rate, BPS_ONE - loss_rate)
    rest = BPS_ONE - gain_rate - loss_rate

    def is_worth_more(share_bps: int) -> bool:
        """Tell whether growth still rises at this share: its derivative, which falls with the share."""
        share = Fraction(share_bps, BPS_ONE)
        gain, loss = Fraction(outcomes.gain_bps, BPS_ONE), Fraction(outcomes.loss_bps, BPS_ONE)
        rise = gain_rate * gain / (1 + share * gain)
        fall = rest * loss / (1 - share * loss) + loss_rate / (1 - share)
        return rise > fall

    low, high = 0, BPS_ONE - 1
    while low < high:  # at most 14 halvings
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_worth_more(middle) else (low, middle - 1)
    return low


def pool_best_raw(
    outcomes: Outcomes, *, quote_reserve_raw: int, fee_bps: int, buy_tax_bps: int, sell_tax_bps: int
) -> int:
    """Return the size of largest expected profit in a constant-product pool, rounded down; 0: no size brings any.

    A = (1 + g)(1 - tax on buying)(1 - tax on selling)(1 - fee)^2 (1 - p), with g what an entry brings that is not lost
    altogether and p the share that is, both at the middle of what they may be. Our own results hold taxes and fees
    already, so these count twice here: against us.
    """
    kept = BPS_ONE - outcomes.loss_rate_bps
    if kept <= 0:
        return 0
    rest = kept - min(outcomes.gain_rate_bps, kept)
    gain = (min(outcomes.gain_rate_bps, kept) * outcomes.gain_bps - rest * outcomes.loss_bps) // kept
    factors = (
        BPS_ONE + gain,
        BPS_ONE - min(buy_tax_bps, BPS_ONE),
        BPS_ONE - min(sell_tax_bps, BPS_ONE),
        BPS_ONE - fee_bps,
        BPS_ONE - fee_bps,
        kept,
    )
    product = 1
    for factor in factors:
        product *= max(factor, 0)
    # The root of A in bps: six factors in bps hold BPS_ONE ** 6, and their root BPS_ONE ** 3.
    root_bps = isqrt(product) // BPS_ONE**2
    return max(quote_reserve_raw * (root_bps - BPS_ONE) // (2 * BPS_ONE), 0)
