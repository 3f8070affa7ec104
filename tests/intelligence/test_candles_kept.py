"""Candles as rows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from apps.domain.candle import Candle, Interval
from apps.domain.errors import NetworkError
from apps.intelligence.models import Candle as Row
from apps.intelligence.services.candles import candles_of, candles_refresh, candles_store
from tests.intelligence.tapes import DAY_MS, START_MS, candles, path

pytestmark = pytest.mark.django_db
CLOSES = path((300, 0.0, 0.02))
NOW = datetime.fromtimestamp((START_MS + 300 * DAY_MS) / 1_000, tz=UTC) + timedelta(minutes=1)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Source:
    """Gives days of a tape; hours never."""

    def __init__(self, name: str = "tape", *, fails: bool = False) -> None:
        self.name, self.fails = name, fails
        self.asked: list[tuple[str, Interval, int]] = []

    def candles(
        self, *, market: str, interval: Interval, count: int, now_ms: int
    ) -> tuple[Candle, ...] | None:
        self.asked.append((market, interval, count))
        if self.fails:
            raise NetworkError("it does not answer")
        if interval is Interval.HOUR:
            return None
        return tuple(candle for candle in candles(CLOSES, market=market) if candle.closed_at_ms <= now_ms)[
            -count:
        ]


def refresh(*sources: Source, now: datetime = NOW):
    return candles_refresh(sources=sources, markets=("ETH",), now=now)


def days() -> Sequence[Candle]:
    return candles_of(market="ETH", interval=Interval.DAY, count=1_000)


def test_refresh_when_nothing_is_stored_then_the_whole_history_is_read():
    source = Source()
    assert refresh(source).stored == 300
    assert source.asked == [("ETH", Interval.HOUR, 168), ("ETH", Interval.DAY, 999)]
    assert [candle.close for candle in days()] == [candle.close for candle in candles(CLOSES)]
    assert days()[0].opened_at_ms == START_MS


def test_refresh_when_no_candle_has_ended_since_then_nobody_is_asked():
    refresh(Source())
    again = Source()
    refresh(again, now=NOW + timedelta(hours=22))
    assert [interval for _, interval, _ in again.asked] == [Interval.HOUR]


def test_refresh_when_days_have_ended_since_then_only_those_are_asked_for():
    refresh(Source(), now=NOW - timedelta(days=3))
    again = Source()
    assert refresh(again).stored == 3
    assert again.asked[-1] == ("ETH", Interval.DAY, 3)
    assert len(days()) == 300


def test_refresh_when_the_first_source_fails_then_the_second_answers_and_the_fault_is_told():
    report = refresh(Source("first", fails=True), Source("second"))
    assert report.stored == 300
    assert {type(fault) for fault in report.faults} == {NetworkError}


def test_refresh_when_a_source_cannot_be_reached_then_it_is_asked_once_a_run():
    source = Source(fails=True)
    candles_refresh(sources=(source,), markets=("BTC", "ETH", "SOL"), now=NOW)
    assert len(source.asked) == 1


def test_refresh_when_all_sources_fail_then_nothing_is_made_up():
    assert refresh(Source(fails=True)).stored == 0
    assert not Row.objects.exists()


def test_store_when_a_candle_is_there_already_then_it_stays():
    first = candles(CLOSES)[:1]
    candles_store(candles=first)
    candles_store(candles=candles([5.0]))
    assert [candle.close for candle in days()] == [first[0].close]


def test_refresh_when_candles_are_old_then_they_are_deleted():
    candles_store(candles=candles(CLOSES[:2]))
    refresh(now=NOW + timedelta(days=2_000))
    assert not Row.objects.exists()
