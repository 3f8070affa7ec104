"""Candles kept as rows, read anew as soon as another one has ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Final

from apps.domain.candle import Candle, Interval
from apps.domain.errors import NetworkError, SniperError
from apps.intelligence.logic.outlook import BARS_MAX, HOURS_MAX
from apps.intelligence.models import Candle as CandleRow
from apps.intelligence.sources.prices.port import CANDLES_MAX, CandleSource

#: Kept beyond what is looked at, so that a gap of the newest ones does not cost the history.
_KEPT: Final = {Interval.DAY: timedelta(days=BARS_MAX + 100), Interval.HOUR: timedelta(days=30)}
_WANTED: Final = {Interval.DAY: CANDLES_MAX - 1, Interval.HOUR: HOURS_MAX}
#: An exchange may publish a candle a little after it has ended.
LATE_MS: Final = 15_000
_MILLISECOND = timedelta(milliseconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class CandlesReport:
    """What one run did. ``faults`` are of sources that did not answer while others may have."""

    stored: int
    asked: int
    faults: tuple[SniperError, ...]


def candles_refresh(
    *, sources: Sequence[CandleSource], markets: Iterable[str], now: datetime
) -> CandlesReport:
    """Read what has ended since the newest stored candle of each market; the first source that answers counts.

    One that cannot be reached is asked no more in this run, so that a run never waits for it again and again.
    """
    stored = asked = 0
    faults: list[SniperError] = []
    reachable = list(sources)
    for market in markets:
        for interval in Interval:
            missing = _missing(market, interval, now)
            if not missing:
                continue
            asked += 1
            found = _first_answer(reachable, market, interval, missing, now, faults)
            stored += candles_store(candles=found)
    _prune(now)
    return CandlesReport(stored=stored, asked=asked, faults=tuple(faults))


def candles_store(*, candles: Sequence[Candle]) -> int:
    """Keep candles that have ended; one that is there already stays as it is. Returns how many were given."""
    rows = [
        CandleRow(
            market=candle.market,
            interval=candle.interval.value,
            opened_at=_EPOCH + candle.opened_at_ms * _MILLISECOND,
            open=candle.open,
            high=candle.high,
            low=candle.low,
            close=candle.close,
            volume=candle.volume,
            source=candle.source,
            is_simulated=candle.is_simulated,
        )
        for candle in candles
    ]
    CandleRow.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def candles_of(*, market: str, interval: Interval, count: int) -> tuple[Candle, ...]:
    """Return the newest stored candles, oldest first."""
    rows = CandleRow.objects.filter(market=market, interval=interval.value).order_by("-opened_at")[:count]
    return tuple(_candle(row) for row in reversed(rows))


def _candle(row: CandleRow) -> Candle:
    return Candle(
        market=row.market,
        interval=Interval(row.interval),
        opened_at_ms=(row.opened_at - _EPOCH) // _MILLISECOND,
        open=row.open,
        high=row.high,
        low=row.low,
        close=Decimal(row.close),
        volume=row.volume,
        source=row.source,
        is_simulated=row.is_simulated,
    )


def _missing(market: str, interval: Interval, now: datetime) -> int:
    """Return how many candles have ended since the newest stored one; without any, what the history needs."""
    newest = (
        CandleRow.objects.filter(market=market, interval=interval.value)
        .order_by("-opened_at")
        .values_list("opened_at", flat=True)
        .first()
    )
    if newest is None:
        return _WANTED[interval]
    passed_ms = (now - newest) // _MILLISECOND - LATE_MS
    return min(max(passed_ms // interval.duration_ms - 1, 0), _WANTED[interval])


def _first_answer(
    sources: list[CandleSource],
    market: str,
    interval: Interval,
    count: int,
    now: datetime,
    faults: list[SniperError],
) -> tuple[Candle, ...]:
    for source in tuple(sources):
        try:
            found = source.candles(
                market=market, interval=interval, count=count, now_ms=(now - _EPOCH) // _MILLISECOND
            )
        except SniperError as error:
            faults.append(error)
            if isinstance(error, NetworkError):
                sources.remove(source)
            continue
        if found:
            return found
    return ()


def _prune(now: datetime) -> None:
    for interval, kept in _KEPT.items():
        CandleRow.objects.filter(interval=interval.value, opened_at__lt=now - kept).delete()
