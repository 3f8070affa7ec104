"""What is known of the markets, and how analysing itself goes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.logic.words import code_words, figure_words
from apps.domain.money import BPS_ONE
from apps.intelligence.logic.drift import RESOLVED_MIN
from apps.intelligence.logic.processing import CacheShare, PartLatency, UnknownShare
from apps.intelligence.markets import market_rows
from apps.intelligence.models import ModelHealth
from apps.intelligence.services.statistics import processing_statistics

#: Estimates that are least known.
UNKNOWNS_SHOWN: Final = 25
_MODELS: Final = {"loss_probability": "Probability of loss"}


# -- markets ------------------------------------------------------------------------------
def regime_rows(_: Ask) -> dict[str, Any]:
    """Return every market that was ever judged, the large ones first."""
    rows = list(market_rows())
    return {"rows": rows, "is_simulated": any(row.record.is_simulated for row in rows)}


# -- processing ---------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class PartRow:
    """How long one part of an analysis takes."""

    words: str
    part: PartLatency

    @property
    def median_ms(self) -> Decimal:
        """Return the median in milliseconds."""
        return Decimal(self.part.median_us) / 1_000

    @property
    def p95_ms(self) -> Decimal:
        """Return the 95th percentile in milliseconds."""
        return Decimal(self.part.p95_us) / 1_000


_PARTS: Final = {"all": "All parts together", "facts": "Reading the chain"}


def processing_figures(_: Ask) -> dict[str, Any]:
    """Return how many analyses are made, how long their parts take, and what caches did."""
    found = processing_statistics(now=timezone.now())
    caches: tuple[CacheShare, ...] = found.caches
    parts = {item.name: item for item in found.latencies}
    return {
        "analyses": found.analyses,
        "looked_into": found.looked_into,
        "window_s": int((timezone.now() - found.since).total_seconds()),
        "per_minute": Decimal(f"{found.per_minute:.1f}"),
        "whole": None if "all" not in parts else PartRow(words="", part=parts["all"]),
        "parts": [
            PartRow(words=_PARTS.get(item.name, code_words(item.name)), part=item) for item in found.latencies
        ],
        "caches": caches,
    }


def unknown_figures(_: Ask) -> dict[str, Any]:
    """Return what remains unknown most often, with its usual reason."""
    found: tuple[UnknownShare, ...] = processing_statistics(now=timezone.now()).unknowns
    missing = [(figure_words(item.code), item) for item in found if item.unknown_bps][:UNKNOWNS_SHOWN]
    return {"rows": missing, "total": len(found), "known": sum(item.unknown_bps == 0 for item in found)}


# -- models -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class ReliabilityRow:
    """Predictions that lie close together against what happened, in basis points."""

    predicted_bps: int
    happened_bps: int
    count: int


def model_figures(_: Ask) -> dict[str, Any]:
    """Return how true each model's predictions came."""
    rows = []
    for health in ModelHealth.objects.order_by("name"):
        bins = [
            ReliabilityRow(
                predicted_bps=round(item["predicted"] * BPS_ONE),
                happened_bps=round(item["happened"] * BPS_ONE),
                count=item["count"],
            )
            for item in health.reliability
        ]
        rows.append((_MODELS.get(health.name, code_words(health.name)), health, _bps(health), bins))
    return {"rows": rows, "resolved_min": RESOLVED_MIN}


def _bps(health: ModelHealth) -> dict[str, int | None]:
    """Return the figures of a model in basis points."""
    return {
        name: None if (value := getattr(health, name)) is None else round(value * BPS_ONE)
        for name in ("skill", "brier", "brier_baseline")
    }
