"""What the protocol canary sees: how many of an exchange's recent creations can be read, and when that is too few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from apps.domain.money import BPS_ONE

#: Every creation of a known protocol decodes and every pool answers; some pools are destroyed or stand behind a node that
#: lags, so a few may fail.
SHARE_MIN_BPS = 9_000
#: A share of fewer says nothing; runs before are counted in until there are so many.
COUNT_MIN = 5
RUNS_POOLED_MAX = 24
#: Where so many came within a run on average, none at all is no chance: below one in a hundred million by Poisson's law.
USUAL_MIN = 20
USUAL_RUNS_MIN = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class CanaryFigures:
    """One look at an exchange's factory. ``pools_answered`` counts those that are what their log says."""

    block_first: int = 0
    block_last: int = 0
    creations: int = 0
    decoded: int = 0
    pools_asked: int = 0
    pools_answered: int = 0


def dropped(now: CanaryFigures, before: Sequence[CanaryFigures], *, may_pause: bool = False) -> str:
    """Return what has dropped, in plain words, "" when all is as it should be or too little is known.

    ``before`` is newest first. ``may_pause``: nothing is made for as long as a person wishes, as in the sandbox.
    """
    runs = (now, *before[:RUNS_POOLED_MAX])
    for name, pairs in (
        ("creations can be read", [(item.decoded, item.creations) for item in runs]),
        ("new pools answer as their logs say", [(item.pools_answered, item.pools_asked) for item in runs]),
    ):
        good, count = _pooled(pairs)
        if count >= COUNT_MIN and good * BPS_ONE < count * SHARE_MIN_BPS:
            return f"only {good} of the last {count} {name}"
    usual = [item.creations for item in before[:RUNS_POOLED_MAX]]
    is_known = len(usual) >= USUAL_RUNS_MIN and sum(usual) >= USUAL_MIN * len(usual)
    if now.creations == 0 and is_known and not may_pause:
        return f"no pool was made since the last look, usual are {sum(usual) // len(usual)}"
    return ""


def _pooled(pairs: Sequence[tuple[int, int]]) -> tuple[int, int]:
    """Return good and all of the newest runs, as many runs as it takes to have enough to tell."""
    good = count = 0
    for part, whole in pairs:
        good, count = good + part, count + whole
        if count >= COUNT_MIN:
            break
    return good, count
