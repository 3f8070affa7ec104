"""How good a pair looks: provisional until it is calibrated against outcomes.

Each known figure gives between 0 (worst) and 10000 (best) by a monotone curve. A figure counts with its weight times
its confidence; the rest of its weight falls back to what is true of any new pair. So the score is

    (Σ weight·confidence·goodness + Σ weight·(1 − confidence)·base rate) / Σ weight

bounded by 0 and 10000, monotone in every figure, and near the base rate when little is known. It is no probability:
weights and curves are a proposal (removable liquidity weighs most because it tells rug pulls best of all single
figures). The calibrated probability of loss is one of the figures, and weighs as much: it was fitted on one exchange
of one chain in 2020-21, so it does not stand alone. Where it is unknown it has no weight at all.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from apps.domain.analysis import Analysis
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE, USD_MICROS

#: Of 4,076 Uniswap V2 pools of 2020-21 that ever held 1 ETH, 17.5 % were not drained in the end (counted from their
#: public Sync events): what is true of any new pair.
BASE_RATE_BPS = 1_750

#: Highest confidence of a score by the pair's age in seconds, until calibration says otherwise.
AGE_CONFIDENCE_CAPS_BPS = ((3_600, 3_500), (86_400, 6_500))
CONFIDENCE_CAP_BPS = 8_500

_YES_IS_GOOD = ((0, 0), (1, BPS_ONE))
_YES_IS_BAD = ((0, BPS_ONE), (1, 0))


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One figure's part in the score. ``curve`` is (value, goodness) by rising value, straight in between.

    ``needs_value``: its weight counts only where it is known, because not every look asks for it and what it is made
    of counts by itself too.
    """

    figure: str
    weight: int
    curve: tuple[tuple[int, int], ...]
    needs_value: bool = False


COMPONENTS = (
    Component(figure="lp_removable_bps", weight=20, curve=((0, BPS_ONE), (2_000, 6_000), (BPS_ONE, 0))),
    Component(figure="sellable", weight=10, curve=_YES_IS_GOOD),
    Component(figure="sellable_next_block", weight=10, curve=_YES_IS_GOOD),
    Component(figure="owner_controls", weight=8, curve=_YES_IS_BAD),
    Component(figure="buy_tax_bps", weight=4, curve=((0, BPS_ONE), (500, 5_000), (2_500, 0))),
    Component(figure="sell_tax_bps", weight=8, curve=((0, BPS_ONE), (500, 5_000), (2_500, 0))),
    Component(figure="creator_holding_bps", weight=8, curve=((0, BPS_ONE), (1_000, 5_000), (5_000, 0))),
    Component(figure="creator_dump_drop_bps", weight=8, curve=((0, BPS_ONE), (3_000, 5_000), (6_000, 0))),
    Component(figure="holders_top10_bps", weight=10, curve=((2_000, BPS_ONE), (5_000, 3_000), (BPS_ONE, 0))),
    Component(figure="deployer_dead_bps", weight=8, curve=((0, BPS_ONE), (BPS_ONE, 0))),
    Component(
        figure="liquidity_usd",
        weight=6,
        curve=(
            (0, 0),
            (5_000 * USD_MICROS, 3_000),
            (20_000 * USD_MICROS, 7_000),
            (100_000 * USD_MICROS, BPS_ONE),
        ),
    ),
    # n third parties who sold bound the share of blocked sellers by 3/n with 95 %: 5 are a start, 30 comfortable.
    Component(figure="sellers_count", weight=6, curve=((0, 0), (5, 6_000), (30, BPS_ONE))),
    Component(figure="loss_probability", weight=20, curve=((0, BPS_ONE), (BPS_ONE, 0)), needs_value=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``score_bps`` is None when nothing at all is known; ``confidence_bps`` says how much it rests on."""

    score_bps: int | None
    confidence_bps: int


def score(analysis: Analysis) -> Score:
    """Return the provisional score of an analysis."""
    whole, known_weight, points = 0, 0, 0
    for component in COMPONENTS:
        estimate = analysis.estimate(component.figure)
        is_known = estimate is not None and estimate.value is not None
        if is_known or not component.needs_value:
            whole += component.weight * BPS_ONE
        if estimate is None or estimate.value is None:
            continue
        weight = component.weight * int(estimate.confidence * BPS_ONE)
        known_weight += weight
        points += weight * goodness(component, estimate.value)
    if known_weight == 0:
        return Score(score_bps=None, confidence_bps=0)
    coverage = known_weight * BPS_ONE // whole
    return Score(
        score_bps=(points + (whole - known_weight) * BASE_RATE_BPS) // whole,
        confidence_bps=min(coverage, confidence_cap_bps(analysis.estimate("pair_age_s"))),
    )


def goodness(component: Component, value: Decimal) -> int:
    """Return where ``value`` lies on the component's curve, 0..10000, rounded down."""
    curve = component.curve
    at = int(value.to_integral_value(rounding=ROUND_FLOOR))
    place = bisect_right(curve, at, key=lambda point: point[0])
    if place == 0:
        return curve[0][1]
    if place == len(curve):
        return curve[-1][1]
    (left, low), (right, high) = curve[place - 1], curve[place]
    return low + (high - low) * (at - left) // (right - left)


def confidence_cap_bps(age: Estimate | None) -> int:
    """Return the highest confidence that a pair of this age can have; an unknown age counts as none."""
    if age is None or age.value is None:
        return AGE_CONFIDENCE_CAPS_BPS[0][1]
    return next((cap for below_s, cap in AGE_CONFIDENCE_CAPS_BPS if age.value < below_s), CONFIDENCE_CAP_BPS)
