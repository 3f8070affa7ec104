"""`manage.py evaluate whales`: whether what large traders do tells of what the price does next.

Nothing is fitted: each figure is read as it is used, so --test merely names another folder to measure on. Two forms of
data: sync_events.* (reserves after each event of a pool, nobody's address, so trades count and entities cannot) against
falls of the price by half; and swaps.* (with addresses, minutes only), where accumulation meets the next return.
No set at hand has holders: the share of the ten largest, and what clusters hide, cannot be measured here.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from django.core.management.base import CommandParser

from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.whales import WHALE_TRADE_BPS, WHALE_TRADES_MIN
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.metrics import auc
from apps.intelligence.measuring.swap_histories import SwapHistory, read_histories

HELP = "Large traders against what the price did next, in real pools."
SEED: Final = 4
ROUNDS: Final = 300
#: Ethereum's blocks of that time: 13.2 s.
HOUR_BLOCKS: Final = 273
HORIZONS: Final = {"1h": HOUR_BLOCKS, "24h": 24 * HOUR_BLOCKS}
#: Ages at which pools are looked at.
AGES: Final = (HOUR_BLOCKS // 2, HOUR_BLOCKS, 3 * HOUR_BLOCKS, 6 * HOUR_BLOCKS)
RECORD_EVENTS: Final = 250  # of each pool; a shorter record is whole
FALL: Final = 0.5
EVENTS_MIN: Final = 10
DEFINITIONS: Final = {
    "positive": "the price fell by half or more within the horizon after the moment",
    "moment": "a pool at an age of half an hour, one, three or six hours that has had ten events and still has its coins",
    "whale_outflow": "within the hour: what trades of at least 2 % of the pool's coins took out net, per coin in the pool",
    "whale_imbalance": "(sold - bought) / (bought + sold) of those trades; from 20 of them on, else the moment does not count",
    "overhang": "how far the price would fall if all tokens that traders took out of the pool were sold",
    "net_outflow": "baseline: as whale_outflow, of all trades",
    "fall_so_far": "baseline: how far the price is below its highest",
    "lift10": "share of falls among the tenth with the highest figure, over the share among all",
    "ic": "rank correlation of the last five minutes' balance of large traders with the next five minutes' return",
    "large": "addresses that traded more than nine tenths of the others so far; the data tells no reserves",
    "ci95": "bootstrap of whole pools",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate whales` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with sync_events.* or swaps.*."
    )
    parser.add_argument("--test", type=Path, metavar="DIR", help="Measure on this folder instead.")


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError when data or libraries are missing."""
    folder: Path = options["test"] or options["data"]
    files = sorted(folder.glob("sync_events.*")) if folder.is_dir() else []
    return _from_reserves(files, folder) if files else _from_swaps(read_histories(folder))


# -- reserves -----------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Record:
    """One pool's reserves after each event."""

    pool: str
    blocks: list[int]
    quote: list[float]
    base: list[float]

    def prices(self) -> list[float]:
        return [q / b if b > 0 else 0.0 for q, b in zip(self.quote, self.base, strict=True)]


@dataclass(frozen=True, slots=True)
class _Moment:
    pool: str
    scores: Mapping[str, float | None]
    fell: Mapping[str, bool | None]


def _records(files: Sequence[Path]) -> Iterator[_Record]:
    rows: defaultdict[str, list[tuple[int, int, float, float]]] = defaultdict(list)
    for path in files:
        kind = "parquet" if path.suffix == ".parquet" else "csv"
        library = needed_library(f"pyarrow.{kind}")
        table = library.read_table(path) if kind == "parquet" else library.read_csv(path)
        columns = (
            table.column(name).to_pylist() for name in ("pool", "block", "log_index", "weth", "token_raw")
        )
        for pool, *event in zip(*columns, strict=True):
            rows[pool].append(tuple(event))
    for pool, events in sorted(rows.items()):
        events.sort()
        yield _Record(
            pool=pool,
            blocks=[event[0] for event in events],
            quote=[event[2] for event in events],
            base=[event[3] for event in events],
        )


def _from_reserves(files: Sequence[Path], folder: Path) -> Mapping[str, Any]:
    moments = [moment for record in _records(files) for moment in _moments(record)]
    if not moments:
        raise ConfigurationError(
            f"{folder} has no pool with {EVENTS_MIN} events.", remedy="Check --data and --test."
        )
    report: dict[str, Any] = {
        "n": len(moments),
        "n_pools": len({moment.pool for moment in moments}),
        "horizons": {name: _judged(moments, name) for name in HORIZONS},
        "not_measurable": "holders are in no set at hand: top-ten share, hidden concentration, early retention",
        "definitions": DEFINITIONS,
    }
    return report


def _moments(record: _Record) -> Iterator[_Moment]:
    prices = record.prices()
    for age in AGES:
        at = record.blocks[0] + age
        last = bisect_right(record.blocks, at) - 1
        if (
            last + 1 < EVENTS_MIN
            or last + 1 >= RECORD_EVENTS
            or record.quote[last] <= 0.05 * max(record.quote[: last + 1])
        ):
            continue
        fell = {name: _fell(record, prices, last, at + horizon) for name, horizon in HORIZONS.items()}
        yield _Moment(record.pool, _scores(record, prices, last, at), fell)


def _fell(record: _Record, prices: Sequence[float], last: int, until: int) -> bool | None:
    """Return whether the price halved until this block; None when the record ends before and shows no fall."""
    end = bisect_right(record.blocks, until)
    ahead = [price for price in prices[last + 1 : end] if price > 0]
    if ahead and min(ahead) <= FALL * prices[last]:
        return True
    is_seen = len(record.blocks) < RECORD_EVENTS or record.blocks[-1] >= until
    return False if is_seen else None


def _scores(record: _Record, prices: Sequence[float], last: int, at: int) -> dict[str, float | None]:
    first = max(bisect_left(record.blocks, at - HOUR_BLOCKS), 1)
    bought = sold = whale_bought = whale_sold = 0.0
    whales = 0
    for number in range(first, last + 1):
        quote = record.quote[number] - record.quote[number - 1]
        base = record.base[number] - record.base[number - 1]
        if quote * base >= 0:
            continue  # both went one way: liquidity came or went
        is_whale = abs(quote) * 10_000 >= WHALE_TRADE_BPS * record.quote[number - 1]
        whales += is_whale
        if quote > 0:
            bought += quote
            whale_bought += quote * is_whale
        else:
            sold -= quote
            whale_sold -= quote * is_whale
    pool_quote = record.quote[last]
    outside = max(max(record.base[: last + 1]) - record.base[last], 0.0)
    both = whale_bought + whale_sold
    return {
        "whale_outflow": (whale_sold - whale_bought) / pool_quote,
        "whale_imbalance": (whale_sold - whale_bought) / both
        if whales >= WHALE_TRADES_MIN and both
        else None,
        "overhang": 1 - (record.base[last] / (record.base[last] + outside)) ** 2,
        "net_outflow": (sold - bought) / pool_quote,
        "fall_so_far": 1 - prices[last] / max(prices[: last + 1]),
    }


_BASELINES = ("net_outflow", "fall_so_far")


def _judged(moments: Sequence[_Moment], horizon: str) -> Mapping[str, Any]:
    known = [moment for moment in moments if moment.fell[horizon] is not None]
    names = list(known[0].scores) if known else []
    found: dict[str, Any] = {
        "n": len(known),
        "falls": sum(bool(moment.fell[horizon]) for moment in known),
        "metrics": {},
        "baselines": {},
        "ci95": {},
    }
    for name in names:
        rows = [moment for moment in known if moment.scores[name] is not None]
        figures, bounds = _figures(rows, name, horizon)
        found["baselines" if name in _BASELINES else "metrics"][name] = figures
        found["ci95"][name] = bounds
    return found


def _figures(
    rows: Sequence[_Moment], name: str, horizon: str
) -> tuple[dict[str, float | None], dict[str, list[float]]]:
    np = needed_library("numpy")
    fell = np.array([float(bool(moment.fell[horizon])) for moment in rows])
    score = np.array([moment.scores[name] for moment in rows], dtype=float)
    measured: dict[str, Callable[[Any, Any], float | None]] = {
        "pr_auc": pr_auc,
        "auc": auc,
        "lift10": lift,
    }
    figures = {key: _rounded(measure(fell, score)) for key, measure in measured.items()}
    bounds = bootstrap(
        [moment.pool for moment in rows],
        lambda at: {key: measure(fell[at], score[at]) for key, measure in measured.items()},
    )
    return {
        "n": len(rows),
        "base_rate": _rounded(float(fell.mean()) if len(rows) else None),
        **figures,
    }, bounds


def pr_auc(fell: Any, score: Any) -> float | None:
    """Return the average precision, ties taken together; the base rate is what chance gives."""
    np = needed_library("numpy")
    if not fell.sum():
        return None
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))
    caught = np.cumsum(fell[order])[ends]
    precision = caught / (ends + 1)
    recall = np.diff(np.concatenate([[0.0], caught / fell.sum()]))
    return float((precision * recall).sum())


def lift(fell: Any, score: Any) -> float | None:
    """Return the share of falls in the top tenth by score over the share among all."""
    np = needed_library("numpy")
    top = len(score) // 10
    if not top or not fell.sum():
        return None
    chosen = np.argsort(-score, kind="stable")[:top]
    return float(fell[chosen].mean() / fell.mean())


def bootstrap(
    groups: Sequence[str], measure: Callable[[Any], Mapping[str, float | None]]
) -> dict[str, list[float]]:
    """Return 95 % intervals: whole groups are drawn again and again with replacement."""
    np = needed_library("numpy")
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, group in enumerate(groups):
        members[group].append(place)
    parts = [np.array(places) for places in members.values()]
    if len(parts) < 2:
        return {}
    rng = np.random.default_rng(SEED)
    drawn: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(ROUNDS):
        places = np.concatenate([parts[at] for at in rng.integers(len(parts), size=len(parts))])
        for name, value in measure(places).items():
            if value is not None:
                drawn[name].append(value)
    return {
        name: [round(float(bound), 4) for bound in np.quantile(values, (0.025, 0.975))]
        for name, values in drawn.items()
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


# -- swaps with addresses -----------------------------------------------------------------
_WINDOW_MS: Final = 300_000
_STEP_MS: Final = 60_000
_LARGE_SHARE: Final = 0.9
_TRADES_MIN: Final = 3


@dataclass(frozen=True, slots=True)
class _Point:
    pool: str
    large: float | None
    everybody: float
    ahead: float


def _from_swaps(histories: Sequence[SwapHistory]) -> Mapping[str, Any]:
    np = needed_library("numpy")
    points = [point for history in histories for point in _points(history)]
    found: dict[str, Any] = {
        "n": len(points),
        "n_pools": len(histories),
        "metrics": {},
        "baselines": {},
        "ci95": {},
    }
    columns: dict[str, tuple[str, list[tuple[str, float | None, float]]]] = {
        "large_ic": ("metrics", [(point.pool, point.large, point.ahead) for point in points]),
        "everybody_ic": ("baselines", [(point.pool, point.everybody, point.ahead) for point in points]),
    }
    for name, (part, everything) in columns.items():
        rows = [row for row in everything if row[1] is not None]
        score = np.array([row[1] for row in rows], dtype=float)
        ahead = np.array([row[2] for row in rows], dtype=float)

        def measure(at: Any, score: Any = score, ahead: Any = ahead) -> Mapping[str, float | None]:
            return {"ic": rank_correlation(score[at], ahead[at])}

        found[part][name] = {"n": len(rows), "ic": _rounded(rank_correlation(score, ahead))}
        found["ci95"][name] = bootstrap([row[0] for row in rows], measure).get("ic", [])
    return {**found, "definitions": DEFINITIONS}


def _points(history: SwapHistory) -> Iterator[_Point]:
    """Yield each minute's balance of the last five minutes with the return of the next five."""
    trades = [
        trade
        for trade in history.trades
        if trade.tx_hash not in history.cross_pool and trade.address not in history.contracts
    ]
    priced = [trade for trade in trades if trade.base_raw > 0 and trade.quote_raw > 0]
    if len(priced) < _TRADES_MIN:
        return
    times = [trade.at_ms for trade in priced]
    volumes: defaultdict[str, int] = defaultdict(int)
    counted = 0
    for now in range(times[0] + _WINDOW_MS, times[-1] - _WINDOW_MS, _STEP_MS):
        end, later = bisect_right(times, now), bisect_right(times, now + _WINDOW_MS)
        recent = priced[bisect_right(times, now - _WINDOW_MS) : end]
        for trade in priced[counted:end]:
            volumes[trade.address] += trade.quote_raw
        counted = end
        if len(recent) < _TRADES_MIN or later == end:
            continue
        limit = sorted(volumes.values())[int(len(volumes) * _LARGE_SHARE)] if volumes else 0
        large = [trade for trade in recent if volumes[trade.address] >= limit]
        is_enough = len(large) >= _TRADES_MIN and len({trade.address for trade in large}) >= 2
        before, after = priced[end - 1], priced[later - 1]
        yield _Point(
            pool=history.pool,
            large=_balance(large) if is_enough else None,
            everybody=_balance(recent),
            ahead=(after.quote_raw / after.base_raw) / (before.quote_raw / before.base_raw) - 1,
        )


def _balance(trades: Sequence[Any]) -> float:
    bought = sum(trade.quote_raw for trade in trades if trade.side == "buy")
    sold = sum(trade.quote_raw for trade in trades if trade.side == "sell")
    return (bought - sold) / (bought + sold) if bought + sold else 0.0


def rank_correlation(one: Any, other: Any) -> float | None:
    """Return Spearman's correlation; None where one of them never changes."""
    np = needed_library("numpy")
    if len(one) < _TRADES_MIN:
        return None
    first, second = (_ranks(values) for values in (one, other))
    if first.std() == 0 or second.std() == 0:
        return None
    return float(np.corrcoef(first, second)[0, 1])


def _ranks(values: Any) -> Any:
    np = needed_library("numpy")
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(count) - (count - 1) / 2)[place]
