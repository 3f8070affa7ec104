"""How much an address looks like one of many that a single person commands: its place among the participants.

Only relations count, and nearness is measured in ranks: how many others lie between two participants in time or in
size. So figures learned where people acted over months can be tried where they act within minutes.

Parameters are fitted by ``apps.intelligence.fitting.sybil``. Trading does not use them: see the parameters' card.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Literal

#: Participants of one reading.
PARTICIPANTS_MAX = 100_000
#: A counterpart with more partners is an exchange, a bridge or a contract: being paid by it shows nothing.
HUB_PARTNERS_MIN = 500
#: Counterparts with more partners are not searched for common friends: it would take long and show little.
_COMMON_PARTNERS_MAX = 60
_TRIANGLE_PARTNERS_MAX = 100
_COMPONENTS = (5, 20, 100)
_BUCKETS = ((2, 4), (5, 10), (11, 30), (31, 100), (101, HUB_PARTNERS_MIN))
#: Nearness in ranks of time and of size, as shares of all participants.
_TIME_NEAR = (0.001, 0.01, 0.03)
_SIZE_NEAR = 0.05

INPUTS = (
    *("out_token", "out_native", "in_token", "in_native"),
    *("peers", "peers_out", "peers_in", "peers_mutual", "outsiders", "outsiders_out", "outsiders_in"),
    *("peer_degree_min", "peer_degree_median", "peer_degree_max"),
    *("outsider_degree_min", "outsider_degree_median", "outsider_degree_max"),
    *(f"outsiders_to_{high}" for _, high in _BUCKETS),
    *(f"payers_to_{high}" for _, high in _BUCKETS),
    "closeness",
    *(f"cluster_{limit}" for limit in _COMPONENTS),
    *("common", "common_2", "common_3", "common_max", "triangles"),
    *("near", "time_min", "time_median", "size_min", "size_median"),
    *(f"time_near_{number}" for number in range(len(_TIME_NEAR))),
    *("time_share", "size_near", "size_share", "both_near", "both_share", "size_rank", "size_twins"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Somebody who took part: when he first did (any unit) and how much (any unit)."""

    address: str
    at: float
    size: float


@dataclass(frozen=True, slots=True)
class Link:
    """One address paid another, at least once."""

    source: str
    target: str
    kind: Literal["token", "native"]


class _Graph:
    """Who paid whom, and who took part."""

    def __init__(self, participants: Sequence[Participant], links: Iterable[Link]) -> None:
        self.place = {person.address: at for at, person in enumerate(participants)}
        self.out: dict[str, set[str]] = defaultdict(set)
        self.into: dict[str, set[str]] = defaultdict(set)
        self.kinds: dict[str, Counter[str]] = defaultdict(Counter)
        for link in links:
            if link.source == link.target:
                continue
            self.out[link.source].add(link.target)
            self.into[link.target].add(link.source)
            self.kinds[link.source][f"out_{link.kind}"] += 1
            self.kinds[link.target][f"in_{link.kind}"] += 1
        self.partners: dict[str, set[str]] = defaultdict(set)
        for source, targets in self.out.items():
            for target in targets:
                self.partners[source].add(target)
                self.partners[target].add(source)
        self.degree = {
            address: sum(1 for other in others if other in self.place)
            for address, others in self.partners.items()
        }
        self.clusters = {limit: self._clusters(limit) for limit in _COMPONENTS}

    def _clusters(self, degree_max: int) -> Mapping[str, int]:
        """Return how many participants hang together over addresses with few partners, by participant."""
        parent: dict[str, str] = {}

        def root(address: str) -> str:
            while parent.setdefault(address, address) != address:
                parent[address] = parent[parent[address]]
                address = parent[address]
            return address

        degree = self.degree
        for source, targets in self.out.items():
            if degree[source] > degree_max:
                continue
            for target in targets:
                if degree[target] <= degree_max:
                    one, other = root(source), root(target)
                    if one != other:
                        parent[one] = other
        sizes = Counter(root(address) for address in self.place if address in parent)
        return {address: sizes[root(address)] for address in self.place if address in parent}


class _Ranks:
    """The place of each value among all, 0..1; equal values share the middle of their places."""

    def __init__(self, values: Sequence[float]) -> None:
        self.ordered = sorted(values)
        span = max(len(values) - 1, 1)
        self.ranks = [
            (bisect_left(self.ordered, value) + bisect_right(self.ordered, value) - 1) / 2 / span
            for value in values
        ]

    def twins(self, value: float, *, tolerance: float) -> float:
        """Return the share of others whose value is within this part of it."""
        low, high = sorted((value * (1 - tolerance), value * (1 + tolerance)))
        count = bisect_right(self.ordered, high) - bisect_left(self.ordered, low) - 1
        return max(count, 0) / max(len(self.ordered) - 1, 1)


def rows(participants: Sequence[Participant], links: Iterable[Link]) -> list[list[float]]:
    """Return the inputs of each participant in the order of INPUTS, NaN for what does not exist for him."""
    assert len(participants) <= PARTICIPANTS_MAX, len(participants)
    graph = _Graph(participants, links)
    times = _Ranks([person.at for person in participants])
    sizes = _Ranks([person.size for person in participants])
    found: list[list[float]] = []
    for at, person in enumerate(participants):
        near, common = _near(graph, person.address)
        found.append(
            [
                *_counts(graph, person.address),
                *_degrees(graph, person.address),
                *(float(graph.clusters[limit].get(person.address, 0)) for limit in _COMPONENTS),
                *_common(graph, person.address, common),
                *_nearness(at, near, times.ranks, sizes.ranks),
                sizes.ranks[at],
                sizes.twins(person.size, tolerance=0.01),
            ]
        )
    return found


def _counts(graph: _Graph, address: str) -> list[float]:
    kinds, place = graph.kinds.get(address, Counter()), graph.place
    out, into = graph.out.get(address, set()), graph.into.get(address, set())
    peers_out = sum(1 for other in out if other in place)
    peers_in = sum(1 for other in into if other in place)
    mutual = sum(1 for other in into if other in place and other in out)
    partners = graph.partners.get(address, set())
    peers = sum(1 for other in partners if other in place)
    counts = [kinds["out_token"], kinds["out_native"], kinds["in_token"], kinds["in_native"]]
    counts += [peers, peers_out, peers_in, mutual]
    counts += [len(partners) - peers, len(out) - peers_out, len(into) - peers_in]
    return [float(count) for count in counts]


def _degrees(graph: _Graph, address: str) -> list[float]:
    partners = graph.partners.get(address, set())
    peers = [graph.degree[other] for other in partners if other in graph.place]
    outsiders = [graph.degree[other] for other in partners if other not in graph.place]
    payers = [graph.degree[other] for other in graph.into.get(address, set()) if other not in graph.place]
    found: list[float] = []
    for degrees in (peers, outsiders):
        found += (
            [float(min(degrees)), float(median(degrees)), float(max(degrees))] if degrees else [math.nan] * 3
        )
    for degrees in (outsiders, payers):
        found += [float(sum(1 for degree in degrees if low <= degree <= high)) for low, high in _BUCKETS]
    close = [degree for degree in (*peers, *outsiders) if degree <= HUB_PARTNERS_MIN]
    found.append(math.fsum(1 / math.log(1 + max(degree, 1)) for degree in close))
    return found


def _near(graph: _Graph, address: str) -> tuple[set[int], Counter[str]]:
    """Return the places of those linked to an address directly or over a common partner, and the common partners."""
    common: Counter[str] = Counter()
    partners = graph.partners.get(address, set())
    for partner in partners:
        if graph.degree[partner] <= _COMMON_PARTNERS_MAX:
            common.update(other for other in graph.partners[partner] if other in graph.place)
    common.pop(address, None)
    near = {graph.place[other] for other in common}
    near |= {graph.place[other] for other in partners if other in graph.place}
    return near, common


def _common(graph: _Graph, address: str, common: Counter[str]) -> list[float]:
    peers = {other for other in graph.partners.get(address, set()) if other in graph.place}
    few = sorted(peers)[:_TRIANGLE_PARTNERS_MAX]
    triangles = sum(len(graph.partners[other] & peers) for other in few) / 2
    counts = common.values()
    return [
        float(len(common)),
        float(sum(1 for count in counts if count >= 2)),
        float(sum(1 for count in counts if count >= 3)),
        float(max(counts, default=0)),
        triangles,
    ]


def _nearness(at: int, near: set[int], times: Sequence[float], sizes: Sequence[float]) -> list[float]:
    if not near:
        return [0.0] + [math.nan] * (len(_TIME_NEAR) + 9)
    time_gaps = [abs(times[other] - times[at]) for other in near]
    size_gaps = [abs(sizes[other] - sizes[at]) for other in near]
    count = len(near)
    time_near = [sum(1 for gap in time_gaps if gap <= limit) for limit in _TIME_NEAR]
    size_near = sum(1 for gap in size_gaps if gap <= _SIZE_NEAR)
    both = sum(
        1 for one, other in zip(time_gaps, size_gaps, strict=True) if one <= _TIME_NEAR[1] and other <= 0.15
    )
    return [
        float(count),
        min(time_gaps),
        median(time_gaps),
        min(size_gaps),
        median(size_gaps),
        *(float(number) for number in time_near),
        time_near[1] / count,
        float(size_near),
        size_near / count,
        float(both),
        both / count,
    ]
