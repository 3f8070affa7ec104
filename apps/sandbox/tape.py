"""The sandbox's market tape: made-up candles of large coins that change between rising, falling and going sideways.

The same seed gives the same tape, whenever it is asked: each market's history is drawn day by day from TAPE_START on, in
stretches of some weeks, hours within days. Served as Binance serves klines, so that the same source reads both. It is not
tied to what coins are worth in the pools of the local chains.
"""

from __future__ import annotations

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from urllib.parse import parse_qs

from apps.domain.candle import Interval

#: Dollars on the first day.
MARKETS: Final[Mapping[str, float]] = {
    "BTCUSDT": 42_000.0,
    "ETHUSDT": 2_600.0,
    "SOLUSDT": 95.0,
    "BNBUSDT": 480.0,
    "POLUSDT": 0.7,
}
#: 2024-01-01 UTC: history enough for every question at every start since.
TAPE_START_MS: Final = 1_704_067_200_000
_DAYS_MAX: Final = 7_000
PATH: Final = "binance/api/v3/klines"
LIMIT_DEFAULT: Final = 500
LIMIT_MAX: Final = 1_000
_DAY_MS, _HOUR_MS = Interval.DAY.duration_ms, Interval.HOUR.duration_ms
_HOURS: Final = 24


@dataclass(frozen=True, slots=True)
class _Stretch:
    """What a stretch of days is like: drift and deviation of a day's log price, and how long it lasts at least, at most."""

    drift: float
    deviation: float
    days: tuple[int, int]


_STRETCHES: Final = (
    _Stretch(0.007, 0.018, (35, 120)),  # rising
    _Stretch(-0.009, 0.026, (25, 80)),  # falling
    _Stretch(0.0, 0.012, (20, 70)),  # sideways
    _Stretch(0.0, 0.045, (12, 30)),  # wild
)
#: A market that has gone far from where it began is drawn back, so that prices stay those of such a coin for years.
_PULL_PER_DAY: Final = 0.0015


def answer_of(path: str, query: str, *, seed: int, now_ms: int) -> tuple[int, Any] | None:
    """Return status and answer for a path of this service, None for one of another."""
    if path.strip("/") != PATH:
        return None
    asked = {name: values[-1] for name, values in parse_qs(query).items()}
    limit, end = asked.get("limit", str(LIMIT_DEFAULT)), asked.get("endTime", "")
    if not limit.isdigit() or (end and not end.isdigit()):
        return 400, {"code": -1100, "msg": "Illegal characters found in a parameter."}
    found = klines(
        seed=seed,
        symbol=asked.get("symbol", ""),
        interval=asked.get("interval", ""),
        limit=int(limit[:9]),
        now_ms=now_ms,
        end_ms=int(end[:15]) if end else None,
    )
    return (400, {"code": -1121, "msg": "Invalid symbol."}) if found is None else (200, found)


def klines(
    *, seed: int, symbol: str, interval: str, limit: int, now_ms: int, end_ms: int | None = None
) -> list[list[Any]] | None:
    """Return candles oldest first, the one that still runs as the last; None for a symbol or interval not served."""
    if symbol not in MARKETS or interval not in (Interval.DAY.value, Interval.HOUR.value):
        return None
    until_ms = now_ms if end_ms is None else min(now_ms, end_ms)
    step_ms = Interval(interval).duration_ms
    count = min(max(limit, 1), LIMIT_MAX)
    last = until_ms // step_ms
    first = max(last - count + 1, TAPE_START_MS // step_ms)
    return [_kline(seed, symbol, number * step_ms, step_ms, now_ms) for number in range(first, last + 1)]


def _kline(seed: int, symbol: str, opened_ms: int, step_ms: int, now_ms: int) -> list[Any]:
    """Return one candle as served: numbers as text, its last millisecond, and what nobody reads."""
    hours = _path(seed, symbol, opened_ms)
    first = (opened_ms % _DAY_MS) // _HOUR_MS
    # Of a candle that runs only the hours that are over, and the one that runs, are there.
    over = min((now_ms - opened_ms) // _HOUR_MS + 1, step_ms // _HOUR_MS)
    points = hours[first : first + max(over, 1) + 1]
    opened, closed = points[0], points[-1]
    swing = _random(seed, symbol, "swing", opened_ms // _HOUR_MS)
    high = max(points) * (1 + swing.random() * 0.002)
    low = min(points) * (1 - swing.random() * 0.002)
    volume = 1_000_000 / opened * (0.5 + swing.random()) * len(points)
    prices = [f"{price:.8f}" for price in (opened, high, low, closed)]
    return [
        opened_ms,
        *prices,
        f"{volume:.8f}",
        opened_ms + step_ms - 1,
        f"{volume * closed:.8f}",
        100,
        f"{volume / 2:.8f}",
        f"{volume * closed / 2:.8f}",
        "0",
    ]


def _path(seed: int, symbol: str, at_ms: int) -> tuple[float, ...]:
    """Return the 25 prices at the full hours of a day, the last being the first of the next day."""
    day = (at_ms - TAPE_START_MS) // _DAY_MS
    return _hours(seed, symbol, day)


@lru_cache(maxsize=4_096)
def _hours(seed: int, symbol: str, day: int) -> tuple[float, ...]:
    """Return a bridge of hours between two days' first prices."""
    opens = _opens(seed, symbol)
    begin, end = math.log(opens[day]), math.log(opens[day + 1])
    chance = _random(seed, symbol, "hours", day)
    spread = max(abs(end - begin), 0.012) / math.sqrt(_HOURS)
    walk = [0.0]
    for _ in range(_HOURS):
        walk.append(walk[-1] + chance.gauss(0, spread))
    return tuple(
        math.exp(begin + (end - begin) * hour / _HOURS + walk[hour] - walk[_HOURS] * hour / _HOURS)
        for hour in range(_HOURS + 1)
    )


@lru_cache(maxsize=16)
def _opens(seed: int, symbol: str) -> tuple[float, ...]:
    """Return the first price of each day of the tape."""
    chance = _random(seed, symbol, "days", 0)
    start = math.log(MARKETS[symbol])
    log_price, prices = start, []
    kind = chance.randrange(len(_STRETCHES))
    left = 0
    for _ in range(_DAYS_MAX):
        if left == 0:
            kind = chance.choice([other for other in range(len(_STRETCHES)) if other != kind])
            left = chance.randint(*_STRETCHES[kind].days)
        prices.append(math.exp(log_price))
        stretch = _STRETCHES[kind]
        log_price += chance.gauss(stretch.drift, stretch.deviation) - _PULL_PER_DAY * (log_price - start)
        left -= 1
    return tuple(prices)


def _random(seed: int, symbol: str, what: str, number: int) -> random.Random:
    return random.Random(f"{seed}/{symbol}/{what}/{number}")  # noqa: S311  # a tape, not a secret
