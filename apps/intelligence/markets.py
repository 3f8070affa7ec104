"""What is known of the markets, as pages and API show it. Writes nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from typing import Final

from django.utils import timezone

from apps.intelligence.logic.outlook import STALE_AFTER_DAYS
from apps.intelligence.models import MarketRegimeRecord
from apps.intelligence.sources.prices.port import MARKETS

#: Days of a market's past regimes that are shown.
DAYS_SHOWN: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRow:
    """One market: its newest record, and the regimes of the days up to it, oldest first."""

    record: MarketRegimeRecord
    is_stale: bool
    course: tuple[str, ...]  # "bull 12 d", "unknown 2 d": stretches of one regime
    days: int  # for how many of them the newest regime has stood

    @property
    def state(self) -> str:
        """Return the regime as it may be relied on now."""
        return "unknown" if self.is_stale else self.record.regime


def market_rows() -> tuple[MarketRow, ...]:
    """Return every market that was lately judged, the large ones first."""
    now = timezone.now()
    records: dict[str, list[MarketRegimeRecord]] = {}
    since = now - timedelta(days=DAYS_SHOWN + STALE_AFTER_DAYS)
    for record in MarketRegimeRecord.objects.filter(as_of__gte=since).order_by("as_of"):
        records.setdefault(record.market, []).append(record)
    order = {name: place for place, name in enumerate(MARKETS)}
    return tuple(
        MarketRow(
            record=found[-1],
            is_stale=now - found[-1].as_of > timedelta(days=STALE_AFTER_DAYS),
            course=tuple(f"{regime} {days} d" for regime, days in _stretches(found)),
            days=_stretches(found)[-1][1],
        )
        for _, found in sorted(records.items(), key=lambda item: order.get(item[0], len(order)))
    )


def _stretches(found: list[MarketRegimeRecord]) -> list[tuple[str, int]]:
    """Return the regimes in their order, each with how many days it stood."""
    return [
        (regime, sum(1 for _ in own))
        for regime, own in groupby(found[-DAYS_SHOWN:], key=lambda record: record.regime)
    ]
