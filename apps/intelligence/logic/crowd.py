"""One pool with its people: what the figures about whales, early buyers and bundles are made from."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from apps.domain.entities import Entities, TokenMove, Trade
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.money import BPS_ONE

_SOURCE: Final = "events"
HOUR_MS: Final = 3_600_000
#: Clustering can only miss members: figures by entity are never certain, and less so where nobody looked who paid whom.
CLUSTERED_CONFIDENCE, UNFUNDED_CONFIDENCE = Decimal("0.9"), Decimal("0.7")
#: 95 % of a normal distribution lies within so many deviations.
_DEVIATIONS: Final = 1.96


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """One pool with its people. Addresses are in comparable form, trades and moves in chain order.

    ``holders`` and ``trades`` are None when they could not be read; ``reasons`` says why, by the part's name.
    ``is_whole`` tells whether trades go back to the first; ``is_funding_known`` whether first coins were looked up.
    """

    as_of_ms: int
    created_ms: int
    fee_bps: int
    entities: Entities
    trades: tuple[Trade, ...] | None
    moves: tuple[TokenMove, ...] = ()
    holders: tuple[tuple[str, int], ...] | None = None
    supply_raw: int | None = None
    reserve_base_raw: int | None = None
    reserve_quote_raw: int | None = None
    creator: str = ""
    own_addresses: frozenset[str] = frozenset()
    is_whole: bool = True
    is_funding_known: bool = False
    reasons: Mapping[str, str] = field(default_factory=dict)
    #: How good wallets' earlier trades were, bps of gains; only of those with a record that is long enough.
    qualities: Mapping[str, int] = field(default_factory=dict)

    @property
    def confidence(self) -> Decimal:
        """Return how far figures by entity are trusted: less where nobody looked who paid whom."""
        return CLUSTERED_CONFIDENCE if self.is_funding_known else UNFUNDED_CONFIDENCE

    def unknown(self, code: str, *parts: str, otherwise: str = "", unit: str = "bps") -> Estimate:
        """Return an unknown estimate for the first of these parts that has a reason, else for the given one."""
        reason = next((self.reasons[part] for part in parts if self.reasons.get(part)), otherwise)
        words = reason or "it could not be read"
        return unknown(code, words, unit=unit, source=_SOURCE, as_of_ms=self.as_of_ms)

    def known(
        self,
        code: str,
        value: int,
        *,
        n: int,
        low: int | None = None,
        high: int | None = None,
        confidence: Decimal | None = None,
        unit: str = "bps",
    ) -> Estimate:
        """Return a known estimate as of the pool's block."""
        return known(
            code,
            value,
            unit=unit,
            source=_SOURCE,
            as_of_ms=self.as_of_ms,
            n=n,
            low=low,
            high=high,
            confidence=self.confidence if confidence is None else confidence,
        )


def wilson(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a share seen in ``n`` (effective) independent cases. Source: Wilson, 1927."""
    assert n > 0, n
    square = _DEVIATIONS**2
    middle = (share + square / (2 * n)) / (1 + square / n)
    spread = (
        _DEVIATIONS * math.sqrt(max(share * (1 - share) / n, 0) + square / (4 * n * n)) / (1 + square / n)
    )
    return max(middle - spread, 0.0), min(middle + spread, 1.0)


def signed_bps(part: float) -> int:
    """Return a part of -1..1 in basis points, rounded to the nearest."""
    return max(min(round(part * BPS_ONE), BPS_ONE), -BPS_ONE)
