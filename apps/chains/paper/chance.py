"""What a real network does to a transaction and paper would not: it comes late, and now and then it fails.

Every figure is an assumption that a person sets. An order's fate follows from its id alone, so that a run can be repeated.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from apps.domain.money import BPS_ONE

#: Stands in the record of every transaction that the model failed.
FAILED = "paper model: it fails as some do on a real network"
_DRAW_BYTES = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperModel:
    """From broadcast to inclusion a transaction takes ``latency_ms`` and up to ``latency_spread_ms`` more; of swaps
    ``failure_bps`` are turned down by the chain and pay their gas. ``seed`` gives another fate to all.
    """

    latency_ms: int
    latency_spread_ms: int
    failure_bps: int
    seed: int = 0

    def latency_of(self, order_id: str) -> int:
        """Return how many milliseconds an order's transactions take."""
        return self.latency_ms + self._draw("latency", order_id, below=self.latency_spread_ms + 1)

    def fails(self, order_id: str) -> bool:
        """Tell whether an order's swap is turned down."""
        return self._draw("failure", order_id, below=BPS_ONE) < self.failure_bps

    def _draw(self, what: str, order_id: str, *, below: int) -> int:
        digest = sha256(f"{self.seed}:{what}:{order_id}".encode()).digest()
        return int.from_bytes(digest[:_DRAW_BYTES], "big") % below


#: Nothing but the way to the next block: what tests of everything else trade by.
CERTAIN = PaperModel(latency_ms=300, latency_spread_ms=0, failure_bps=0)
