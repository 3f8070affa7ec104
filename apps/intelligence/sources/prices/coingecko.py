"""Daily closes of CoinGecko, for when no exchange answers.

We ask for ``GET /coins/{id}/market_chart?vs_currency=usd&days=365&interval=daily``; the answer is ``{"prices": [[ms,
price], …], "total_volumes": …}``. A point at midnight UTC is the close of the day before. The last point is of now and
stands at no midnight; it is left out. There are no opens, highs and lows, and volumes are in dollars over a sliding day:
all of these stay unknown. Hourly candles are not offered: points do not lie on the hour.

With a key the header is ``x-cg-demo-api-key``, at ``pro-api.coingecko.com`` ``x-cg-pro-api-key``. Without one about five
requests a minute are answered; 365 days is the most that is given. Attribution: data by CoinGecko.
Source: https://docs.coingecko.com/reference/coins-id-market-chart
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.sources.http import FeedHttp
from apps.domain.candle import Candle, Interval
from apps.domain.errors import BadDataError
from apps.intelligence.sources.prices.figures import price_of
from apps.intelligence.sources.prices.port import MARKETS

REQUESTS_PER_MIN = 4
_DAYS_MAX = 365
_POINTS_MAX = 2_000
_PRO_HOST = "pro-api.coingecko.com"


class CoinGeckoSource:
    """Reads daily closes. Build one a process: it keeps the rate limit."""

    name = "coingecko"

    def __init__(self, *, base_url: str, key: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        is_pro = urlsplit(base_url).hostname == _PRO_HOST
        headers = {"x-cg-pro-api-key" if is_pro else "x-cg-demo-api-key": key} if key else {}
        self._http = FeedHttp(name="CoinGecko", base_url=base_url, headers=headers, clock=clock)
        self._bucket = TokenBucket(per_min=REQUESTS_PER_MIN, burst=REQUESTS_PER_MIN)

    def candles(
        self, *, market: str, interval: Interval, count: int, now_ms: int
    ) -> tuple[Candle, ...] | None:
        """Return the newest days that have ended; None for hours, and when the rate limit says not now."""
        if interval is not Interval.DAY or market not in MARKETS:
            return None
        answer = self._http.get(
            f"/coins/{MARKETS[market][1]}/market_chart",
            bucket=self._bucket,
            params={"vs_currency": "usd", "days": str(min(count + 1, _DAYS_MAX)), "interval": "daily"},
        )
        if answer is None:
            return None
        points = answer.get("prices") if isinstance(answer, dict) else None
        if not isinstance(points, list) or len(points) > _POINTS_MAX:
            raise BadDataError(
                "CoinGecko answered without prices",
                remedy="Nothing of it was used; it is asked again by itself.",
            )
        found = {}
        for point in points:
            candle = _candle(point, market=market)
            if candle is not None and candle.closed_at_ms <= now_ms:
                found[candle.opened_at_ms] = candle
        return tuple(candle for _, candle in sorted(found.items()))[-count:]


def _candle(point: Any, *, market: str) -> Candle | None:
    """Return the day that ended at this point, None for a point that lies at no midnight."""
    if not isinstance(point, list) or len(point) != 2 or type(point[0]) is not int:
        raise BadDataError("CoinGecko gave a price of another form", remedy="It is asked again by itself.")
    at_ms, price = point
    if at_ms % Interval.DAY.duration_ms:
        return None
    return Candle(
        market=market,
        interval=Interval.DAY,
        opened_at_ms=at_ms - Interval.DAY.duration_ms,
        open=None,
        high=None,
        low=None,
        close=price_of(price),
        volume=None,
        source="coingecko",
    )
