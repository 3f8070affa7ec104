"""How analysing itself goes: how many, how fast, how much remains unknown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.domain.money import BPS_ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysed:
    """One stored analysis as statistics see it. Durations in microseconds."""

    estimates: Sequence[Mapping[str, Any]]
    durations_us: Mapping[str, int]
    facts_us: int
    caches: Mapping[str, Sequence[int]]  # name -> hits, misses


@dataclass(frozen=True, slots=True, kw_only=True)
class PartLatency:
    """How long one part takes, in microseconds."""

    name: str
    count: int
    median_us: int
    p95_us: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownShare:
    """How often one estimate was unknown, and the reason given most often."""

    code: str
    count: int
    unknown_bps: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheShare:
    """How often something had not to be worked out anew."""

    name: str
    hits: int
    misses: int

    @property
    def hit_bps(self) -> int | None:
        """Return the share of hits; None when nothing was asked."""
        asked = self.hits + self.misses
        return self.hits * BPS_ONE // asked if asked else None


def part_latencies(rows: Sequence[Analysed]) -> tuple[PartLatency, ...]:
    """Return every part's latency, the slowest first; "all" is the whole analysis, "facts" reading the chain."""
    taken: defaultdict[str, list[int]] = defaultdict(list)
    for row in rows:
        for name, micros in row.durations_us.items():
            taken[name].append(micros)
        if row.durations_us:
            taken["all"].append(sum(row.durations_us.values()))
        taken["facts"].append(row.facts_us)
    found = [
        PartLatency(name=name, count=len(own), median_us=quantile(own, 50), p95_us=quantile(own, 95))
        for name, own in taken.items()
    ]
    return tuple(sorted(found, key=lambda item: (-item.p95_us, item.name)))


def quantile(values: Sequence[int], percent: int) -> int:
    """Return the smallest value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(-(-len(ordered) * percent // 100) - 1, 0)]


def unknown_shares(rows: Sequence[Analysed]) -> tuple[UnknownShare, ...]:
    """Return every estimate's share of unknowns, the least known first."""
    asked: Counter[str] = Counter()
    reasons: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for item in row.estimates:
            asked[item["code"]] += 1
            if item["value"] is None:
                reasons[item["code"]][item["reason_unknown"]] += 1
    found = [
        UnknownShare(
            code=code,
            count=count,
            unknown_bps=sum(reasons[code].values()) * BPS_ONE // count,
            reason=reasons[code].most_common(1)[0][0] if reasons[code] else "",
        )
        for code, count in asked.items()
    ]
    return tuple(sorted(found, key=lambda item: (-item.unknown_bps, item.code)))


def cache_shares(rows: Sequence[Analysed]) -> tuple[CacheShare, ...]:
    """Return how often each cache had what was asked for."""
    hits: Counter[str] = Counter()
    misses: Counter[str] = Counter()
    for row in rows:
        for name, (own_hits, own_misses) in row.caches.items():
            hits[name] += own_hits
            misses[name] += own_misses
    return tuple(
        CacheShare(name=name, hits=hits[name], misses=misses[name]) for name in sorted({*hits, *misses})
    )
