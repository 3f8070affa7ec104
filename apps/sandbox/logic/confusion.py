"""Counts how verdicts stand against the truth. Positive means: unsafe, and refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

Label = Literal["safe", "unsafe"]
Verdict = Literal["safe", "unsafe", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Confusion:
    """How many tokens of each label met each verdict; what is unknown is counted apart."""

    tp: int  # unsafe, judged unsafe
    fp: int  # safe, judged unsafe
    tn: int  # safe, judged safe
    fn: int  # unsafe, judged safe: what costs money
    unknown_safe: int
    unknown_unsafe: int

    @property
    def n(self) -> int:
        """Return the number of tokens."""
        return self.tp + self.fp + self.tn + self.fn + self.unknown_safe + self.unknown_unsafe

    @property
    def precision(self) -> float | None:
        """Return the share of refusals that hit an unsafe token, None without refusals."""
        return _share(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        """Return the share of unsafe tokens that were judged so; an unknown one was not. None without unsafe tokens."""
        return _share(self.tp, self.tp + self.fn + self.unknown_unsafe)

    @property
    def unknown_share(self) -> float | None:
        """Return the share of tokens without a verdict, None without tokens."""
        return _share(self.unknown_safe + self.unknown_unsafe, self.n)


def confusion_of(pairs: Iterable[tuple[Label, Verdict]]) -> Confusion:
    """Return the counts of (truth, verdict) pairs."""
    counts: dict[tuple[Label, Verdict], int] = {}
    for pair in pairs:
        counts[pair] = counts.get(pair, 0) + 1
    return Confusion(
        tp=counts.get(("unsafe", "unsafe"), 0),
        fp=counts.get(("safe", "unsafe"), 0),
        tn=counts.get(("safe", "safe"), 0),
        fn=counts.get(("unsafe", "safe"), 0),
        unknown_safe=counts.get(("safe", "unknown"), 0),
        unknown_unsafe=counts.get(("unsafe", "unknown"), 0),
    )


def quantile(values: Sequence[float], share: float) -> float | None:
    """Return the smallest value that at least ``share`` of all do not exceed (nearest rank), None without values."""
    assert 0 < share <= 1, share
    if not values:
        return None
    ordered = sorted(values)
    rank = max(1, -int(-share * len(ordered) // 1))
    return ordered[rank - 1]


def _share(part: int, whole: int) -> float | None:
    return None if whole == 0 else round(part / whole, 4)
