"""A second opinion on the regime: the statistical jump model, two states, with a price on every change of state.

States minimise the squared distance to their centres plus JUMP_PENALTY for each change. Online, a bar's state is the
end of the cheapest path up to it: nothing later is used, and with fixed centres a state is never revised.

Source: Aydınhan, Kolm, Mulvey, Shu, "Identifying patterns in financial markets: extending the statistical jump model for
regime identification", Annals of Operations Research, 2024. Inputs as in Shu, Yu, Mulvey, "Downside risk reduction using
regime-switching signals", Journal of Asset Management, 2024.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

from apps.intelligence.logic.volatility import deviation, log_returns

JUMP_PENALTY = 20.0
#: Half-lives in bars: downside deviation, and two Sortino ratios.
DOWNSIDE_HALF_LIFE, SORTINO_HALF_LIVES = 10, (20, 60)
#: Returns that go by before inputs mean something.
WARM_UP = 60
#: Inputs to fit on, at least; and the newest that count, at most.
FIT_MIN, FIT_MAX = 180, 3_000
#: Inputs further out than so many deviations count as so far.
CLIP = 3.0
#: Fits start from each input cut in two here, in deviations: one start ends in a worse place now and then.
_START_CUTS = (-0.5, 0.0, 0.5)
_ROUNDS_MAX = 50
_TINY = 1e-8

Point = tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpModel:
    """Two centres in standardised inputs; ``bull`` is the one in which prices rose more."""

    means: Point
    deviations: Point
    bear: Point
    bull: Point

    def path(self, points: Sequence[Point]) -> list[bool]:
        """Return for each point whether the market rises, each from itself and earlier points alone."""
        rising: list[bool] = []
        cost_bear = cost_bull = 0.0
        for raw in points:
            point = _standard(raw, self.means, self.deviations)
            cost_bear, cost_bull = (
                min(cost_bear, cost_bull + JUMP_PENALTY) + _loss(point, self.bear),
                min(cost_bull, cost_bear + JUMP_PENALTY) + _loss(point, self.bull),
            )
            rising.append(cost_bull < cost_bear)
        return rising


def inputs(closes: Sequence[float]) -> list[Point]:
    """Return the model's inputs after each return: log downside deviation and Sortino ratios, all from the past."""
    returns = log_returns(closes)
    falls = [min(value, 0.0) ** 2 for value in returns]
    downside = [math.sqrt(value) for value in _weighted(falls, DOWNSIDE_HALF_LIFE)]
    columns = [[math.log(max(value, _TINY)) for value in downside]]
    for half_life in SORTINO_HALF_LIVES:
        means, squares = _weighted(returns, half_life), _weighted(falls, half_life)
        columns.append(
            [mean / max(math.sqrt(square), _TINY) for mean, square in zip(means, squares, strict=True)]
        )
    return list(zip(*columns, strict=True))


def fit(points: Sequence[Point], returns: Sequence[float]) -> JumpModel | None:
    """Return the model of these inputs and the returns that led to them; None with too few or without variation.

    The same inputs give the same model: fixed starts, the best end counts.
    """
    assert len(points) == len(returns), (len(points), len(returns))
    points, returns = points[-FIT_MAX:], returns[-FIT_MAX:]
    if len(points) < FIT_MIN:
        return None
    columns = list(zip(*points, strict=True))
    means = tuple(math.fsum(column) / len(points) for column in columns)
    deviations = tuple(deviation(column) for column in columns)
    if not all(deviations):
        return None
    standard = [_standard(point, means, deviations) for point in points]
    best: tuple[float, list[int]] | None = None
    for column, cut in product(range(len(columns)), _START_CUTS):
        found = _descend(standard, [int(point[column] > cut) for point in standard])
        if found is not None and (best is None or found[0] < best[0]):
            best = found
    if best is None:
        return None
    states = best[1]
    centres = _centres(standard, states)
    if centres is None:
        return None
    gains = [
        _mean([value for value, own in zip(returns, states, strict=True) if own == state]) for state in (0, 1)
    ]
    bull = int(gains[1] >= gains[0])
    return JumpModel(means=means, deviations=deviations, bear=centres[1 - bull], bull=centres[bull])


def cheapest(points: Sequence[Point], centres: Sequence[Point], *, penalty: float) -> tuple[float, list[int]]:
    """Return the least cost of any path of states through all points, and that path."""
    costs = [0.0, 0.0]
    came: list[tuple[int, int]] = []
    for point in points:
        before = [0 if costs[0] <= costs[1] + penalty else 1, 1 if costs[1] <= costs[0] + penalty else 0]
        costs = [
            costs[before[state]] + (penalty if before[state] != state else 0.0) + _loss(point, centres[state])
            for state in (0, 1)
        ]
        came.append((before[0], before[1]))
    state = 0 if costs[0] <= costs[1] else 1
    least, states = costs[state], []
    for step in reversed(came):
        states.append(state)
        state = step[state]
    return least, states[::-1]


def _descend(points: Sequence[Point], states: list[int]) -> tuple[float, list[int]] | None:
    """Return cost and states where moving centres and states in turn comes to rest; None when one state dies out."""
    least = math.inf
    for _ in range(_ROUNDS_MAX):
        centres = _centres(points, states)
        if centres is None:
            return None
        cost, following = cheapest(points, centres, penalty=JUMP_PENALTY)
        if following == states or cost >= least:
            break
        least, states = cost, following
    return least, states


def _centres(points: Sequence[Point], states: Sequence[int]) -> tuple[Point, Point] | None:
    found = []
    for state in (0, 1):
        own = [point for point, value in zip(points, states, strict=True) if value == state]
        if not own:
            return None
        found.append(tuple(math.fsum(column) / len(own) for column in zip(*own, strict=True)))
    return found[0], found[1]


def _standard(point: Point, means: Point, deviations: Point) -> Point:
    return tuple(
        max(-CLIP, min(CLIP, (value - mean) / spread))
        for value, mean, spread in zip(point, means, deviations, strict=True)
    )


def _loss(point: Point, centre: Point) -> float:
    return 0.5 * sum((value - own) ** 2 for value, own in zip(point, centre, strict=True))


def _weighted(values: Sequence[float], half_life: float) -> list[float]:
    """Return the exponentially weighted mean up to each value, weights normalised."""
    kept = 0.5 ** (1 / half_life)
    total = weight = 0.0
    found = []
    for value in values:
        total, weight = total * kept + value, weight * kept + 1.0
        found.append(total / weight)
    return found


def _mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values) if values else 0.0


def opinions(closes: Sequence[float], *, refits: Sequence[int]) -> list[bool | None]:
    """Return for each bar whether the market rises, by the model fitted at the last refit before it; None without one.

    ``refits`` are rising places of bars: a fit at one sees the closes up to it, none later.
    """
    points, returns = inputs(closes), log_returns(closes)
    found: list[bool | None] = [None] * len(closes)
    for at, following in zip(refits, [*refits[1:], len(closes)], strict=True):
        model = fit(points[WARM_UP:at], returns[WARM_UP:at])
        if model is None:
            continue
        rising = model.path(points[WARM_UP : following - 1])
        found[at:following] = rising[at - 1 - WARM_UP :]
    return found
