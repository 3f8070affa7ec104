"""Daily bars read from folders of public data: files ``ohlcv.*`` with symbol, Date, Open, High, Low, Close."""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from apps.domain.errors import ConfigurationError
from apps.intelligence.measuring.libraries import needed_library

_FILES_MAX = 20
_SUFFIXES = (".parquet", ".csv", ".csv.gz")
_NEEDED = ("symbol", "Date", "High", "Close")


@dataclass(frozen=True, slots=True)
class Bars:
    """One market's daily bars without gaps, oldest first. ``days`` are numbers of days since 1970."""

    days: tuple[int, ...]
    highs: tuple[float, ...]
    closes: tuple[float, ...]

    def after(self, earlier: Bars) -> Bars:
        """Return these bars with those of an earlier part before them, where the two meet; else these alone."""
        place = next((at for at, day in enumerate(earlier.days) if day == self.days[0]), len(earlier.days))
        if not place or earlier.days[place - 1] + 1 != self.days[0]:
            return self
        return Bars(
            earlier.days[:place] + self.days,
            earlier.highs[:place] + self.highs,
            earlier.closes[:place] + self.closes,
        )


def read_bars(folder: Path, *, sources: frozenset[str] = frozenset()) -> dict[str, Bars]:
    """Return each symbol's longest stretch of days without gaps. ``sources``: only rows whose ``src`` is one of them.

    Raises ConfigurationError when there are no such files or columns.
    """
    days: defaultdict[str, dict[int, tuple[float, float]]] = defaultdict(dict)
    for path in _files(folder):
        for row in _rows(path):
            if sources and row.get("src") not in sources:
                continue
            high, close = float(row["High"] or math.nan), float(row["Close"] or math.nan)
            if close > 0 and high > 0:
                days[str(row["symbol"])][_day(row["Date"])] = (high, close)
    return {symbol: _longest(found) for symbol, found in sorted(days.items())}


def _longest(found: dict[int, tuple[float, float]]) -> Bars:
    stretches: list[list[int]] = []
    for day in sorted(found):
        if stretches and stretches[-1][-1] == day - 1:
            stretches[-1].append(day)
        else:
            stretches.append([day])
    best = max(stretches, key=len)
    return Bars(tuple(best), tuple(found[day][0] for day in best), tuple(found[day][1] for day in best))


def _day(value: Any) -> int:
    moment = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    return moment.toordinal() - date(1970, 1, 1).toordinal()


def _files(folder: Path) -> list[Path]:
    found = [
        path
        for path in sorted(folder.glob("ohlcv.*") if folder.is_dir() else ())
        if path.name.endswith(_SUFFIXES)
    ][:_FILES_MAX]
    if not found:
        raise ConfigurationError(f"{folder} has no file ohlcv.*.", remedy="Check --data and --test.")
    return found


def _rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        table = needed_library("pyarrow.parquet").read_table(path)
    else:
        table = needed_library("pyarrow.csv").read_csv(path)
    lacking = [name for name in _NEEDED if name not in table.column_names]
    if lacking:
        raise ConfigurationError(
            f"{path.name} lacks the columns {', '.join(lacking)}.", remedy=f"Needed are {', '.join(_NEEDED)}."
        )
    wanted = [name for name in (*_NEEDED, "src") if name in table.column_names]
    found: list[dict[str, Any]] = table.select(wanted).to_pylist()
    return found
