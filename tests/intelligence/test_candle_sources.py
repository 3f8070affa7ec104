"""Candles as services give them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.candle import Interval
from apps.domain.errors import BadDataError, NetworkError, SniperError
from apps.intelligence.sources.prices.coingecko import CoinGeckoSource
from apps.intelligence.sources.prices.figures import price_of, time_of
from apps.intelligence.sources.prices.klines import KlineSource
from tests.discovery.fakes import FeedServer, feed_server
from tests.intelligence.tapes import DAY_MS, START_MS

KLINES, CHART = "/api/v3/klines", "/coins/ethereum/market_chart"
NOW_MS = START_MS + 2 * DAY_MS + 5


def kline(number: int, *, close: Any = "2000.50000000", high: Any = "2100.00000000") -> list[Any]:
    opened = START_MS + number * DAY_MS
    return [
        opened,
        "1990.10",
        high,
        "1900.00",
        close,
        "12.5",
        opened + DAY_MS - 1,
        "25000",
        7,
        "6",
        "12000",
        "0",
    ]


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with feed_server() as state:
        yield state


def ask(source: KlineSource | CoinGeckoSource, *, interval: Interval = Interval.DAY, count: int = 5):
    return source.candles(market="ETH", interval=interval, count=count, now_ms=NOW_MS)


def test_klines_when_read_then_candles_that_have_ended(server: FeedServer):
    server.tell(KLINES, [kline(0), kline(1), kline(2)])
    found = ask(KlineSource(base_url=server.url))
    assert found is not None
    assert [candle.opened_at_ms for candle in found] == [START_MS, START_MS + DAY_MS]
    newest = found[-1]
    assert (newest.open, newest.high, newest.low, newest.close) == tuple(
        Decimal(text) for text in ("1990.10", "2100", "1900", "2000.5")
    )
    assert (newest.volume, newest.source, newest.is_simulated) == (Decimal("12.5"), "binance", False)
    assert server.asked == [KLINES]


@pytest.mark.parametrize(
    "row",
    [
        kline(0, close="nothing"),
        kline(0, close="0"),
        kline(0, close="-1"),
        kline(0, close="NaN"),
        kline(0, close="1e300"),
        kline(0, close=None),
        kline(0, close=True),
        kline(0, high="1950"),  # below its close
        kline(0)[:5],
        {"open": 1},
        [START_MS + 1, *kline(0)[1:]],  # no midnight
        ["2024", *kline(0)[1:]],
    ],
)
def test_klines_when_a_candle_makes_no_sense_then_nothing_is_used(server: FeedServer, row: Any):
    server.tell(KLINES, [kline(1), row])
    with pytest.raises(BadDataError):
        ask(KlineSource(base_url=server.url))


@pytest.mark.parametrize("answer", [{"code": -1121}, None, "x", [[]] * 2])
def test_klines_when_the_answer_is_of_another_form_then_bad_data(server: FeedServer, answer: Any):
    server.tell(KLINES, answer)
    with pytest.raises(BadDataError):
        ask(KlineSource(base_url=server.url))


def test_klines_when_the_service_fails_then_a_network_error(server: FeedServer):
    server.tell(KLINES, [], status=503)
    with pytest.raises(NetworkError):
        ask(KlineSource(base_url=server.url))


def test_coingecko_when_read_then_closes_of_days_and_nothing_made_up(server: FeedServer):
    prices = [[START_MS + DAY_MS, 2000.25], [START_MS + 2 * DAY_MS, 2010], [NOW_MS - 1, 2020.5]]
    server.tell(CHART, {"prices": prices, "total_volumes": [[START_MS, 5.0]]})
    found = ask(CoinGeckoSource(base_url=server.url))
    assert found is not None
    assert [(candle.opened_at_ms, candle.close) for candle in found] == [
        (START_MS, Decimal("2000.25")),
        (START_MS + DAY_MS, Decimal(2010)),
    ]
    assert {(candle.open, candle.high, candle.low, candle.volume) for candle in found} == {(None,) * 4}


def test_coingecko_when_asked_for_hours_then_it_offers_none(server: FeedServer):
    assert ask(CoinGeckoSource(base_url=server.url), interval=Interval.HOUR) is None
    assert not server.asked


def test_coingecko_when_its_limit_is_reached_then_it_waits(server: FeedServer):
    server.tell(CHART, {"prices": []})
    source = CoinGeckoSource(base_url=server.url, clock=lambda: 100.0)
    assert [ask(source) for _ in range(5)] == [(), (), (), (), None]


@pytest.mark.parametrize("answer", [[], {}, {"prices": None}, {"prices": [[1]]}, {"prices": [["x", 1]]}])
def test_coingecko_when_the_answer_makes_no_sense_then_bad_data(server: FeedServer, answer: Any):
    server.tell(CHART, answer)
    with pytest.raises(BadDataError):
        ask(CoinGeckoSource(base_url=server.url))


ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.lists(st.integers(), max_size=2),
)


@given(ANYTHING)
def test_figures_when_anything_is_given_then_a_price_or_a_refusal(given_: Any):
    try:
        assert 0 < price_of(given_) <= 10**15
    except SniperError:
        pass
    try:
        assert time_of(given_, Interval.HOUR) % 3_600_000 == 0
    except SniperError:
        pass
