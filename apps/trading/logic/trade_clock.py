"""How long each step of a trade took, from a pair's first sight to the booked fill."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

#: Upper ends of the histogram's classes in milliseconds; what took longer is in a last one.
BUCKETS_MS = (10, 25, 50, 100, 250, 500, 1_000, 2_500, 5_000, 15_000, 60_000)
#: Name of a stretch -> the moments between which it lies.
STRETCHES = {
    "seen_to_analysed": ("seen_ms", "analysed_ms"),
    "analysed_to_decided": ("analysed_ms", "decided_ms"),
    "decided_to_signed": ("decided_ms", "signed_ms"),
    "signed_to_sent": ("signed_ms", "sent_ms"),
    "decided_to_sent": ("decided_ms", "sent_ms"),
    "sent_to_landed": ("sent_ms", "landed_ms"),
    "landed_to_booked": ("landed_ms", "booked_ms"),
    "sent_to_booked": ("sent_ms", "booked_ms"),
    "seen_to_booked": ("seen_ms", "booked_ms"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeMoments:
    """When each step of one entry was done, in UTC milliseconds; None where nobody knows.

    ``landed_ms`` is the block's own time, which chains give in whole seconds.
    """

    seen_ms: int  # the opportunity was opened
    analysed_ms: int | None  # the analysis on which the decision rests was stored
    decided_ms: int
    signed_ms: int
    sent_ms: int | None
    landed_ms: int
    booked_ms: int
    landed_block: int
    first_liquidity_block: int | None  # None: the pair was not followed from its beginning

    @property
    def blocks_behind(self) -> int | None:
        """Return how many blocks after the pair's first liquidity we bought, 0 in the same one."""
        return None if self.first_liquidity_block is None else self.landed_block - self.first_liquidity_block


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Whole numbers by rank. ``buckets`` counts them by ``BUCKETS_MS``, one class more at the end."""

    count: int
    p50: int
    p95: int
    p99: int
    most: int
    total: int  # of all values
    buckets: tuple[int, ...]


def stretches_ms(moments: TradeMoments) -> dict[str, int]:
    """Return how long each stretch took; one of which an end is unknown is absent.

    A block's whole second may lie before the send that is in it: then the stretch counts as nothing.
    """
    found: dict[str, int] = {}
    for name, (first, last) in STRETCHES.items():
        begun, ended = getattr(moments, first), getattr(moments, last)
        if begun is not None and ended is not None:
            found[name] = max(ended - begun, 0)
    return found


def spread(values: Sequence[int]) -> Spread | None:
    """Return how values are spread, by nearest rank (never below the true quantile); None without any."""
    if not values:
        return None
    ranked = sorted(values)
    buckets = [0] * (len(BUCKETS_MS) + 1)
    for value in ranked:
        buckets[next((n for n, end in enumerate(BUCKETS_MS) if value <= end), len(BUCKETS_MS))] += 1
    return Spread(
        count=len(ranked),
        p50=_ranked(ranked, 50),
        p95=_ranked(ranked, 95),
        p99=_ranked(ranked, 99),
        most=ranked[-1],
        total=sum(ranked),
        buckets=tuple(buckets),
    )


def _ranked(ranked: Sequence[int], percent: int) -> int:
    return ranked[max(-(-len(ranked) * percent // 100), 1) - 1]
