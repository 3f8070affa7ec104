"""Candles: no price is lost, none is invented."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.logic.candles import CANDLES_MAX, candle_width_s, candles

_PRICES = st.lists(
    st.tuples(st.integers(0, 100_000), st.decimals("0.000001", "1000000", places=9)), min_size=1, max_size=60
).map(lambda prices: sorted(prices, key=lambda item: item[0]))


def test_candle_holds_first_highest_lowest_and_last():
    bars = candles([(60, Decimal(5)), (61, Decimal(9)), (70, Decimal(2)), (119, Decimal(4))], width_s=60)
    assert [(bar.time_s, bar.open, bar.high, bar.low, bar.close) for bar in bars] == [
        (60, Decimal(5), Decimal(9), Decimal(2), Decimal(4))
    ]


def test_candle_opens_where_the_last_one_closed():
    bars = candles([(0, Decimal(5)), (60, Decimal(9))], width_s=60)
    assert (bars[1].open, bars[1].low, bars[1].close) == (Decimal(5), Decimal(5), Decimal(9))


@given(_PRICES)
def test_candles_span_all_prices_within_their_number(prices):
    width = candle_width_s(prices[0][0], prices[-1][0])
    bars = candles(prices, width_s=width)
    assert len(bars) <= CANDLES_MAX
    assert max(bar.high for bar in bars) == max(price for _, price in prices)
    assert min(bar.low for bar in bars) == min(price for _, price in prices)
    assert bars[-1].close == prices[-1][1]
    times = [bar.time_s for bar in bars]
    assert times == sorted(set(times))
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in bars)
