"""Candles in the form that Binance serves and others copied.

We ask for ``GET /api/v3/klines?symbol=BTCUSDT&interval=1d&limit=500`` relative to the base address
(``https://data-api.binance.vision``: public market data, no key). The answer is a list of lists, oldest first: open time
in ms, open, high, low, close, volume (numbers as text), close time in ms (the last one that belongs to the candle), and
more that we ignore. The candle that still runs comes last; it is left out. USDT stands for the dollar.

A request costs 2 of 6,000 weight a minute; we ask a handful of times an hour, and rest when told to.
Source: https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from __future__ import annotations

import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.sources.http import FeedHttp
from apps.domain.candle import Candle, Interval
from apps.domain.errors import BadDataError
from apps.intelligence.sources.prices.figures import price_of, time_of
from apps.intelligence.sources.prices.port import CANDLES_MAX, MARKETS

REQUESTS_PER_MIN = 30
_FIELDS_MIN = 7


class KlineSource:
    """Reads klines. Build one a process: it keeps the rate limit."""

    def __init__(
        self,
        *,
        base_url: str,
        name: str = "binance",
        is_simulated: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._is_simulated = is_simulated
        self._http = FeedHttp(name=name.capitalize(), base_url=base_url, clock=clock)
        self._bucket = TokenBucket(per_min=REQUESTS_PER_MIN, burst=REQUESTS_PER_MIN)

    def candles(
        self, *, market: str, interval: Interval, count: int, now_ms: int
    ) -> tuple[Candle, ...] | None:
        """Return the newest candles that have ended; None when the rate limit says not now."""
        if market not in MARKETS:
            return None
        params = {
            "symbol": MARKETS[market][0],
            "interval": interval.value,
            "limit": str(min(count + 1, CANDLES_MAX)),  # the one that still runs is among them
        }
        answer = self._http.get("/api/v3/klines", bucket=self._bucket, params=params)
        if answer is None:
            return None
        if not isinstance(answer, list) or len(answer) > CANDLES_MAX:
            raise BadDataError(
                f"{self.name} answered without a list of candles",
                remedy="Nothing of it was used; it is asked again by itself.",
            )
        found = [self._candle(row, market=market, interval=interval) for row in answer]
        ended = [candle for candle in found if candle.closed_at_ms <= now_ms]
        ordered = sorted({candle.opened_at_ms: candle for candle in ended}.items())
        return tuple(candle for _, candle in ordered[-count:])

    def _candle(self, row: Any, *, market: str, interval: Interval) -> Candle:
        if not isinstance(row, list) or len(row) < _FIELDS_MIN:
            raise BadDataError(f"{self.name} gave a candle of another form", remedy="Check its address.")
        opened, low, high = time_of(row[0], interval), price_of(row[3]), price_of(row[2])
        first, last = price_of(row[1]), price_of(row[4])
        if not low <= min(first, last) <= max(first, last) <= high:
            raise BadDataError(
                f"{self.name} gave a candle whose prices contradict each other",
                remedy="Nothing of it was used; it is asked again by itself.",
            )
        return Candle(
            market=market,
            interval=interval,
            opened_at_ms=opened,
            open=first,
            high=high,
            low=low,
            close=last,
            volume=price_of(row[5], least=Decimal(0)),
            source=self.name,
            is_simulated=self._is_simulated,
        )
