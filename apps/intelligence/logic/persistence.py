"""How often a stated regime still stood three days later, as a function of how far the market is from leaving it.

One rising step function for each group, fitted by isotonic regression on days that lie before those it is used for.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.intelligence.logic.regime import CONFIRMED_CLOSES, Label, Regime

HORIZON_BARS = 3
DIRECTED, UNDIRECTED = "directed", "undirected"
#: Regimes against which so many closes in a row speak already are a group each: they may end within the horizon.
_PENDING_MIN = CONFIRMED_CLOSES - HORIZON_BARS
PENDING = tuple(f"pending_{closes}" for closes in range(_PENDING_MIN, CONFIRMED_CLOSES))
GROUPS = (DIRECTED, UNDIRECTED, *PENDING)
#: Days a group needs before its frequency is stated, and so many pool into one step at least.
DAYS_MIN, STEP_DAYS_MIN = 50, 25
#: Nothing about a market is certain, nor excluded.
CONFIDENCE_MIN, CONFIDENCE_MAX = 0.01, 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A step function: ``values[i]`` holds from ``starts[i]`` on, and ``values[0]`` below too."""

    starts: tuple[float, ...]
    values: tuple[float, ...]
    days: int

    def at(self, margin: float) -> float:
        """Return the frequency at this distance from leaving."""
        value = self.values[max(bisect_right(self.starts, margin) - 1, 0)]
        return min(max(value, CONFIDENCE_MIN), CONFIDENCE_MAX)


Curves = Mapping[str, Curve]


def stated(label: Label, *, is_rising: bool | None) -> Regime:
    """Return the regime that is stated: UNKNOWN where the second opinion does not share the rule's direction.

    ``is_rising`` is the second opinion, None when there is none.
    """
    if label.regime.has_direction and is_rising is not (label.regime is Regime.BULL):
        return Regime.UNKNOWN
    return label.regime


def group_of(label: Label) -> str:
    """Return the group of a label whose regime is stated."""
    if label.pending >= _PENDING_MIN:
        return PENDING[min(label.pending - _PENDING_MIN, len(PENDING) - 1)]
    return DIRECTED if label.regime.has_direction else UNDIRECTED


def confidence(label: Label, *, is_rising: bool | None, curves: Curves) -> float | None:
    """Return how often regimes such as this one were still stated HORIZON_BARS later; None when it is unknown."""
    regime = stated(label, is_rising=is_rising)
    curve = None if regime is Regime.UNKNOWN else curves.get(group_of(label))
    return None if curve is None else curve.at(label.margin)


def observations(
    path: Sequence[Label], opinions: Sequence[bool | None]
) -> list[tuple[str, float, bool] | None]:
    """Return for each bar its group, its margin, and whether its regime stood on each of the next HORIZON_BARS bars.

    None where the regime is unknown; the last HORIZON_BARS bars are left out, what follows them is not known.
    """
    said = [stated(label, is_rising=rising) for label, rising in zip(path, opinions, strict=True)]
    found: list[tuple[str, float, bool] | None] = []
    for at in range(len(path) - HORIZON_BARS):
        if said[at] is Regime.UNKNOWN:
            found.append(None)
            continue
        stood = all(later is said[at] for later in said[at + 1 : at + 1 + HORIZON_BARS])
        found.append((group_of(path[at]), path[at].margin, stood))
    return found


def fit(rows: Sequence[tuple[str, float, bool]]) -> dict[str, Curve]:
    """Return a curve for each group with enough days. Source: pool adjacent violators, Ayer et al. 1955."""
    curves: dict[str, Curve] = {}
    for group in GROUPS:
        own = sorted((margin, stood) for name, margin, stood in rows if name == group)
        if len(own) >= DAYS_MIN:
            curves[group] = _isotonic(own)
    return curves


def _isotonic(rows: Sequence[tuple[float, bool]]) -> Curve:
    blocks: list[tuple[float, int, int]] = []  # where it starts, days, of them stood
    for first in range(0, len(rows), STEP_DAYS_MIN):
        part = rows[first : first + STEP_DAYS_MIN]
        if len(part) < STEP_DAYS_MIN and blocks:
            start, days, stood = blocks.pop()
            blocks.append((start, days + len(part), stood + sum(item[1] for item in part)))
        else:
            blocks.append((part[0][0], len(part), sum(item[1] for item in part)))
        while len(blocks) > 1 and blocks[-2][2] * blocks[-1][1] >= blocks[-1][2] * blocks[-2][1]:
            (start, days, stood), last = blocks[-2], blocks[-1]
            blocks[-2:] = [(start, days + last[1], stood + last[2])]
    return Curve(
        starts=tuple(start for start, _, _ in blocks),
        values=tuple(stood / days for _, days, stood in blocks),
        days=len(rows),
    )


def curves_to_json(curves: Curves) -> dict[str, dict[str, object]]:
    """Return curves as plain JSON, numbers rounded to what they are worth."""
    return {
        name: {
            "starts": [round(start, 4) for start in curve.starts],
            "values": [round(value, 4) for value in curve.values],
            "days": curve.days,
        }
        for name, curve in sorted(curves.items())
    }


def curves_from_json(found: Mapping[str, Mapping[str, Any]]) -> dict[str, Curve]:
    """Return stored curves. Raises ValueError, KeyError, TypeError when they are none."""
    curves = {}
    for name, item in found.items():
        starts, values = tuple(map(float, item["starts"])), tuple(map(float, item["values"]))
        if not values or len(starts) != len(values) or list(starts) != sorted(starts):
            raise ValueError(name)
        if not all(0 <= value <= 1 for value in values):
            raise ValueError(name)
        curves[name] = Curve(starts=starts, values=values, days=int(item["days"]))
    return curves
