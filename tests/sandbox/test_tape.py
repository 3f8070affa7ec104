"""The made-up market tape, read by the system's own source over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import pytest
from django.utils import timezone

from apps.domain.candle import Interval
from apps.domain.errors import BadDataError
from apps.intelligence.logic.outlook import outlook
from apps.intelligence.logic.regime import Regime, labels, readings
from apps.intelligence.services.regime_parameters import shipped_curves
from apps.intelligence.sources.prices.klines import KlineSource
from apps.sandbox import tape
from apps.sandbox.feeds import FeedServer

NOW_MS = 1_795_000_000_000


@pytest.fixture
def source() -> Iterator[KlineSource]:
    server = FeedServer(port=0, lives=lambda: (), seed=5)
    server.start()
    yield KlineSource(base_url=f"http://127.0.0.1:{server.port}/binance", name="sandbox", is_simulated=True)
    server.close()


def now_ms() -> int:
    return int(timezone.now().timestamp() * 1_000)


def test_tape_when_read_over_http_then_whole_days_that_have_ended(source: KlineSource):
    now = now_ms()
    found = source.candles(market="BTC", interval=Interval.DAY, count=400, now_ms=now)
    assert found is not None
    assert len(found) == 400
    assert all(later.opened_at_ms == earlier.closed_at_ms for earlier, later in pairwise(found))
    assert 0 <= now - found[-1].closed_at_ms < Interval.DAY.duration_ms + 60_000
    assert {(candle.source, candle.is_simulated) for candle in found} == {("sandbox", True)}


def test_tape_when_read_then_the_regime_is_known_at_once(source: KlineSource):
    for market in ("BTC", "ETH", "SOL", "BNB"):
        days = source.candles(market=market, interval=Interval.DAY, count=400, now_ms=now_ms())
        hours = source.candles(market=market, interval=Interval.HOUR, count=168, now_ms=now_ms())
        assert days is not None
        assert hours is not None
        found = outlook(market=market, days=days, hours=hours, curves=shipped_curves())
        assert found.by_rule is not Regime.UNKNOWN
        assert found.hour_deviation_bps is not None


@pytest.mark.parametrize("symbol", sorted(tape.MARKETS))
def test_tape_when_looked_at_for_years_then_regimes_change(symbol: str):
    rows = tape.klines(seed=1, symbol=symbol, interval="1d", limit=1_000, now_ms=NOW_MS)
    assert rows is not None
    found = {label.regime for label in labels(readings([float(row[4]) for row in rows]))}
    assert {Regime.BULL, Regime.BEAR, Regime.CRAB} <= found


def test_tape_when_asked_again_with_its_seed_then_the_same_and_later_days_change_nothing():
    def closes(now: int, seed: int = 1) -> list[str]:
        rows = tape.klines(seed=seed, symbol="ETHUSDT", interval="1d", limit=300, now_ms=now)
        assert rows is not None
        return [row[4] for row in rows[:-1]]

    day = Interval.DAY.duration_ms
    assert closes(NOW_MS) == closes(NOW_MS)
    assert closes(NOW_MS)[1:] == closes(NOW_MS + day)[:-1]
    assert closes(NOW_MS) != closes(NOW_MS, seed=2)


def test_hours_of_a_day_then_they_make_the_day():
    day = Interval.DAY.duration_ms
    daily = tape.klines(seed=1, symbol="BTCUSDT", interval="1d", limit=2, now_ms=NOW_MS)
    assert daily is not None
    opened = daily[0][0]
    hourly = tape.klines(
        seed=1, symbol="BTCUSDT", interval="1h", limit=24, now_ms=NOW_MS, end_ms=opened + day - 1
    )
    assert hourly is not None
    assert len(hourly) == 24
    assert hourly[0][1] == daily[0][1]
    assert hourly[-1][4] == daily[0][4]


def test_tape_when_asked_for_what_it_has_not_then_refused_as_the_real_one_does(source: KlineSource):
    assert tape.answer_of("/binance/api/v3/klines", "symbol=XUSDT&interval=1d", seed=1, now_ms=NOW_MS) == (
        400,
        {"code": -1121, "msg": "Invalid symbol."},
    )
    assert tape.answer_of("/binance/api/v3/klines", "limit=x", seed=1, now_ms=NOW_MS) is not None
    assert tape.answer_of("/dexscreener/tokens", "", seed=1, now_ms=NOW_MS) is None
    wrong = KlineSource(base_url=source._http._base_url + "/no")
    with pytest.raises(BadDataError):
        wrong.candles(market="BTC", interval=Interval.DAY, count=5, now_ms=NOW_MS)
