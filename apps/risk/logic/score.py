"""How good a pair looks: provisional until it is calibrated against outcomes.

Each known figure gives between 0 (worst) and 10000 (best) by a monotone curve. A figure counts with its weight times
its reliability: its confidence, halved with every half-life of its age. The rest of its weight falls back to what is true
of any new pair. So the score is

    (Σ weight·reliability·goodness + Σ weight·(1 − reliability)·base rate) / Σ weight

bounded by 0 and 10000, monotone in every figure, and near the base rate when little is known. It is no probability:
weights and curves are a proposal (removable liquidity weighs most because it tells rug pulls best of all single
figures). The calibrated probability of loss is one of the figures, and weighs as much: it was fitted on one exchange
of one chain in 2020-21, so it does not stand alone. Where it is unknown it has no weight at all.

The bounds of a score are what it could become once everything missing is known: at worst and at best, nothing assumed. So
no input can make the score leave them by becoming known as it is, and the input with the widest part of them is the one
whose knowledge would help most. A chain's own weights and base rate come from the configuration.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
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
    half_life_s: int | None = None  # None: what was read at a block stays true until it is read again


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
    # Who acts together, from parts that need not be there. They fade: an hour later others trade.
    Component(
        figure="coordination_bps",
        weight=10,
        curve=((0, BPS_ONE), (5_000, 4_000), (7_000, 0)),
        needs_value=True,
        half_life_s=1_800,
    ),
    Component(
        figure="bundle_share_bps",
        weight=6,
        curve=((0, BPS_ONE), (1_000, 6_000), (2_500, 0)),
        needs_value=True,
    ),
    Component(
        figure="wash_share_low_bps",
        weight=6,
        curve=((0, BPS_ONE), (3_000, 5_000), (8_000, 0)),
        needs_value=True,
        half_life_s=1_800,
    ),
    Component(
        figure="hidden_concentration_bps",
        weight=6,
        curve=((0, BPS_ONE), (1_000, 6_000), (3_000, 0)),
        needs_value=True,
    ),
)
#: The weight's name under which a chain's own base rate is set.
BASE_RATE_NAME = "base_rate_bps"
#: More halvings than an estimate's confidence has digits for.
_HALVINGS_MAX = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """``score_bps`` is None when nothing at all is known; ``confidence_bps`` says how much it rests on.

    ``low_bps`` and ``high_bps`` bound what it can become; ``coverage_bps`` is the known share of its weight.
    ``helps_most`` names the figure that is missing most and ``helps_bps`` its part of the bounds.
    """

    score_bps: int | None
    confidence_bps: int
    low_bps: int = 0
    high_bps: int = BPS_ONE
    coverage_bps: int = 0
    helps_most: str = ""
    helps_bps: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """One component's share, in weight times bps times bps. ``known`` is of its weight in bps."""

    figure: str
    weight: int
    known: int
    low: int
    value: int
    high: int


def score(analysis: Analysis, *, weights: Mapping[str, int] | None = None) -> Score:
    """Return the provisional score of an analysis; ``weights`` are the chain's own, by figure."""
    own = weights or {}
    base_rate = own.get(BASE_RATE_NAME, BASE_RATE_BPS)
    parts = [
        part
        for item in COMPONENTS
        if (part := _part(item, analysis, own.get(item.figure, item.weight), base_rate)) is not None
    ]
    whole = sum(part.weight for part in parts) * BPS_ONE
    known_weight = sum(part.known for part in parts)
    widest = max(parts, key=lambda part: part.high - part.low, default=None)
    if known_weight == 0 or widest is None:
        return Score(
            score_bps=None, confidence_bps=0, helps_most="" if widest is None else widest.figure, helps_bps=0
        )
    coverage = known_weight * BPS_ONE // whole
    return Score(
        score_bps=sum(part.value for part in parts) // whole,
        confidence_bps=min(coverage, confidence_cap_bps(analysis.estimate("pair_age_s"))),
        low_bps=sum(part.low for part in parts) // whole,
        high_bps=-(-sum(part.high for part in parts) // whole),
        coverage_bps=coverage,
        helps_most=widest.figure if widest.high > widest.low else "",
        helps_bps=(widest.high - widest.low) // whole,
    )


def _part(component: Component, analysis: Analysis, weight: int, base_rate: int) -> _Part | None:
    """Return a component's part, None where it has no weight."""
    estimate = analysis.estimate(component.figure)
    if estimate is None or estimate.value is None:
        if component.needs_value or not weight:
            return None
        whole = weight * BPS_ONE
        return _Part(
            figure=component.figure,
            weight=weight,
            known=0,
            low=0,
            value=whole * base_rate,
            high=whole * BPS_ONE,
        )
    if not weight:
        return None
    reliability = reliability_bps(component, estimate, at_ms=analysis.block.at_ms)
    known, rest = weight * reliability, weight * (BPS_ONE - reliability)
    good = goodness(component, estimate.value)
    ends = [goodness(component, end) for end in (estimate.low, estimate.high) if end is not None]
    return _Part(
        figure=component.figure,
        weight=weight,
        known=known,
        low=known * min(good, *ends),
        value=known * good + rest * base_rate,
        high=known * max(good, *ends) + rest * BPS_ONE,
    )


def reliability_bps(component: Component, estimate: Estimate, *, at_ms: int) -> int:
    """Return how much an estimate bears: its confidence, halved with every half-life since it was made, rounded down."""
    confidence = int(estimate.confidence * BPS_ONE)
    if component.half_life_s is None:
        return confidence
    half_life_ms = component.half_life_s * 1_000
    halvings, over_ms = divmod(max(at_ms - estimate.as_of_ms, 0), half_life_ms)
    if halvings >= _HALVINGS_MAX:
        return 0
    left = confidence >> halvings
    return left - left * over_ms // (2 * half_life_ms)


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
