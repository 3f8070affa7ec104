"""Is a window's figure unlike those before it? One robust rule, for every figure that is counted or timed by windows."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

#: So many earlier windows are needed to say what is usual.
WINDOWS_MIN = 8
#: Beyond so many robust deviations a figure is marked. Source: Iglewicz and Hoaglin, "How to Detect and Handle
#: Outliers" (1993): 3.5 of the modified z-score.
SCORE_MAX = 3.5
#: A median absolute deviation times this estimates the standard deviation of normal noise.
_MAD_TO_DEVIATION = 1.4826
#: Times that hardly vary are no anomaly as long as they stay within this share of their median.
_TIME_FLOOR = 0.25

Kind = Literal["count", "time"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """What the rule says of the newest window. ``score`` is signed: above or below what is usual."""

    is_anomaly: bool
    score: float
    usual: float
    deviation: float
    windows: int  # that "usual" rests on


def judge(earlier: Sequence[float | None], newest: float | None, *, kind: Kind) -> Mark | None:
    """Return how the newest window stands against the earlier ones; None when too few are known, or it is not.

    Median and median absolute deviation, so that one wild window neither hides the next nor makes it seem wild. The
    deviation is never taken for less than the noise that a count has by itself (the root of its median), or than a
    quarter of a time's median: five quiet windows do not make the sixth an alarm.
    """
    known = [value for value in earlier if value is not None]
    if newest is None or len(known) < WINDOWS_MIN:
        return None
    usual = median(known)
    spread = median(abs(value - usual) for value in known) * _MAD_TO_DEVIATION
    floor = math.sqrt(max(usual, 1.0)) if kind == "count" else max(abs(usual) * _TIME_FLOOR, 1.0)
    deviation = max(spread, floor)
    score = (newest - usual) / deviation
    return Mark(
        is_anomaly=abs(score) > SCORE_MAX,
        score=score,
        usual=usual,
        deviation=deviation,
        windows=len(known),
    )
