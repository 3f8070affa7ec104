"""Whether a model still earns belief: how true its predictions came, and whether its errors rise."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

#: Skill is judged over so many newest outcomes, and not before.
RESOLVED_MIN = 200
#: A model that was given up is believed again from this skill on.
SKILL_AGAIN = 0.05
BINS = 10
#: Page-Hinkley: rises smaller than this are no drift; a rise that has summed up to this is one. In squared errors.
DRIFT_TOLERANCE, DRIFT_ALARM = 0.02, 8.0
_DRIFT_WARM_UP = 50


@dataclass(frozen=True, slots=True)
class Resolved:
    """A prediction whose outcome is known. ``probability`` 0..1 as it was stated then."""

    probability: float
    happened: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bin:
    """Predictions that lie close together: their mean, how often it happened, how many there are."""

    predicted: float
    happened: float
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How true a model was. ``skill`` 1 is perfect, 0 no better than always saying the frequency; None: too few."""

    is_trusted: bool
    reason: str  # why it is not
    resolved: int
    brier: float | None
    brier_baseline: float | None
    skill: float | None
    has_drifted: bool
    reliability: tuple[Bin, ...]


def health_of(rows: Sequence[Resolved], *, was_trusted: bool = True) -> Health:
    """Return the health of a model from its predictions, oldest first; skill over the newest RESOLVED_MIN.

    With fewer outcomes a model is trusted as its own evaluation says. One that was given up stays so until its skill is
    clearly above zero.
    """
    newest = rows[-RESOLVED_MIN:]
    is_enough = len(newest) >= RESOLVED_MIN
    error, baseline = (brier(newest), brier_of_frequency(newest)) if newest else (None, None)
    skill = None
    if is_enough and error is not None and baseline:
        skill = 1 - error / baseline
    needed = 0.0 if was_trusted else SKILL_AGAIN
    is_trusted = was_trusted if skill is None else skill >= needed
    reason = ""
    if not is_trusted:
        reason = (
            f"over the newest {len(newest)} tokens with a known end its error was {error:.3f},"
            f" that of always saying their frequency {baseline:.3f}"
            if error is not None and baseline is not None
            else "it was given up before, and too few outcomes are known since"
        )
    return Health(
        is_trusted=is_trusted,
        reason=reason,
        resolved=len(rows),
        brier=error,
        brier_baseline=baseline,
        skill=skill,
        has_drifted=has_drifted([(row.probability - row.happened) ** 2 for row in rows]),
        reliability=reliability(rows),
    )


def brier(rows: Sequence[Resolved]) -> float:
    """Return the mean squared error."""
    return math.fsum((row.probability - row.happened) ** 2 for row in rows) / len(rows)


def brier_of_frequency(rows: Sequence[Resolved]) -> float:
    """Return the mean squared error of always saying how often it happened among these rows: the best constant."""
    share = sum(row.happened for row in rows) / len(rows)
    return share * (1 - share)


def reliability(rows: Sequence[Resolved]) -> tuple[Bin, ...]:
    """Return predictions against outcomes in BINS bins of equal width; empty ones are left out."""
    bins: list[list[Resolved]] = [[] for _ in range(BINS)]
    for row in rows:
        bins[min(int(row.probability * BINS), BINS - 1)].append(row)
    return tuple(
        Bin(
            predicted=math.fsum(row.probability for row in own) / len(own),
            happened=sum(row.happened for row in own) / len(own),
            count=len(own),
        )
        for own in bins
        if own
    )


def has_drifted(errors: Sequence[float]) -> bool:
    """Tell whether errors, oldest first, rose against their own past and did not come back.

    Source: Page-Hinkley test, Page 1954; the running mean of all errors so far is what they are compared with.
    """
    total = risen = 0.0
    for number, error in enumerate(errors, start=1):
        total += error
        if number <= _DRIFT_WARM_UP:
            continue
        risen = max(risen + error - total / number - DRIFT_TOLERANCE, 0.0)
    return risen > DRIFT_ALARM
