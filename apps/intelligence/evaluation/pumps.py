"""`manage.py evaluate pumps`: whether rushes of buyers tell of a crash, in real pools; and when announced pumps were held.

Nobody has labelled pumps in pools. Two truths can be read from a history after the fact: Chainalysis' label (five buyers,
most of the liquidity removed at once, next to nothing left), and that the price halved within an hour of the alarm. The
alarm sees only what came before it; its thresholds were fixed beforehand. Announced pumps (events.*) are dates without
trades and without a negative: they can show when pumps happen, and nothing about how well an alarm works.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, Final

from django.core.management.base import CommandParser

from apps.domain.entities import Entities, Trade
from apps.domain.errors import ConfigurationError
from apps.intelligence.fitting.pumps import crashed_within, cross_validated, fitted, forest, moments_of
from apps.intelligence.logic.crash import INPUTS
from apps.intelligence.logic.pumps import LABEL_REMOVED_BPS, RUSH_MIN, is_pump_and_dump, pump_report
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.metrics import auc, calibration_error
from apps.intelligence.measuring.swap_histories import SwapHistory, read_histories

HELP = "Pump and dump: rushes of buyers against what became of real pools; announced pumps by date."
SEED: Final = "20261124"
BOOTSTRAP_ROUNDS: Final = 500
#: An ether, for Chainalysis' 300 dollars: about what it was in the years of the sets.
ETHER_USD: Final = {"low": 400, "high": 3_500}
EVENTS_MAX: Final = 100_000
DEFINITIONS: Final = {
    "n": "pools with at least 30 swaps among their first 250 events",
    "label": "Chainalysis after the fact: five buyers, one removal of more than 70 %, at most 300 dollars left (an ether at"
    f" {ETHER_USD['high']} dollars)",
    "metrics": "an alarm before the removal (of other pools, any alarm) against the label",
    "crash": "moments at which the price was at most half as high within the hour that followed; moments within the last"
    " hour of the record do not count unless it had fallen already",
    "crash_base": "the same of all moments (blocks with a purchase), one draw per alarm from the same pool where it has one",
    "baselines": "rush: five buyers in one block and nothing else; buys_over_sells: three times as many buys as sells so far",
    "crash_formula": "what `train pumps` fits, by pools that it has not seen; baselines: the block's distinct buyers, and that"
    " younger pools crash sooner",
    "forest": "boosted trees on the formula's inputs and mean and deviation of rush, trades, volume and price over chunks of 5"
    " and 25 seconds, by pools not seen; not shipped: it gains little over the formula",
    "addresses": "drawn: four fifths of purchases are by strangers, so a rush is nearly the number of purchases",
    "ci95": "bootstrap of whole pools",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate pumps` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with sync_events.* or events.*."
    )
    parser.add_argument("--test", type=Path, metavar="DIR", help="Measure on this folder instead.")


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures of --data, or of --test with the formula fitted on --data. The alarm is not fitted at all."""
    folder: Path = options["test"] or options["data"]
    if any(folder.glob("events.*")):
        return _announced(folder)
    histories = [history for history in read_histories(folder) if history.last_quote_raw is not None]
    if not histories:
        raise ConfigurationError(f"{folder} has no reserves.", remedy="Name a folder with sync_events.*.")
    return {
        **_report([_judged(history) for history in histories]),
        "crash_formula": _formula(options, histories),
    }


# -- pools --------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class _Judged:
    """One pool: what it became, who said so, and how prices went on after each kind of moment."""

    is_pump: bool
    said: Mapping[str, bool]
    crashes: Mapping[str, tuple[int, int]]  # after moments of each kind: crashed, of


def _judged(history: SwapHistory) -> _Judged:
    trades = history.trades
    removal = next((item for item in history.removals if item[1] > LABEL_REMOVED_BPS), None)
    buyers = len({trade.address for trade in trades if trade.side == "buy"})
    is_pump = removal is not None and is_pump_and_dump(
        unrelated_buyers=buyers,
        removed_bps=removal[1],
        left_usd_micros=(history.last_quote_raw or 0) * ETHER_USD["high"] // 10**12,
    )
    seen = tuple(trade for trade in trades if not is_pump or removal is None or trade.block < removal[0])
    report = pump_report(seen, Entities())
    rushes = _rushes(seen)
    buys = sum(trade.side == "buy" for trade in seen)
    times = {
        "alarm": [alarm.at_ms for alarm in report.alarms if not alarm.is_at_launch],
        "launch_alarm": [alarm.at_ms for alarm in report.alarms if alarm.is_at_launch],
        "rush": rushes,
    }
    chance = Random(f"{SEED}/{history.pool}")  # noqa: S311  # for measuring, not for secrets
    moments = sorted({trade.at_ms for trade in seen if trade.side == "buy"})
    times["any"] = chance.sample(moments, min(len(moments), 5))
    times["any_in_alarmed"] = [chance.choice(moments) for _ in times["alarm"]] if moments else []
    path = [(trade.at_ms, trade.quote_raw / trade.base_raw) for trade in trades if trade.base_raw]
    return _Judged(
        is_pump=is_pump,
        said={
            "": bool(report.alarms),
            "after_launch": bool(times["alarm"]),
            "rush": bool(rushes),
            "buys_over_sells": buys > 3 * (len(seen) - buys),
            "always": True,
        },
        crashes={name: _crashed(path, own) for name, own in times.items()},
    )


def _rushes(trades: Sequence[Trade]) -> list[int]:
    buyers: defaultdict[tuple[int, int], set[str]] = defaultdict(set)
    for trade in trades:
        if trade.side == "buy":
            buyers[trade.block, trade.at_ms].add(trade.address)
    return [at_ms for (_, at_ms), own in buyers.items() if len(own) >= RUSH_MIN]


def _crashed(path: Sequence[tuple[int, float]], moments: Sequence[int]) -> tuple[int, int]:
    """Return after how many of these moments the price halved within an hour, and of how many that is known."""
    told = [told for moment in moments if (told := crashed_within(path, moment)) is not None]
    return sum(told), len(told)


def _report(pools: Sequence[_Judged]) -> Mapping[str, Any]:
    chance = Random(SEED)  # noqa: S311
    drawn: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(BOOTSTRAP_ROUNDS):
        for name, value in _figures(chance.choices(pools, k=len(pools)), "").items():
            if value is not None:
                drawn[name].append(value)
    baselines = ("after_launch", "rush", "buys_over_sells", "always")
    return {
        "n": len(pools),
        "n_labelled": sum(pool.is_pump for pool in pools),
        "metrics": _rounded(_figures(pools, "")),
        "baselines": {name: _rounded(_confusion(pools, name)) for name in baselines},
        "ci95": {name: _interval(values) for name, values in drawn.items()},
        "definitions": DEFINITIONS,
    }


def _formula(options: Mapping[str, Any], histories: Sequence[SwapHistory]) -> Mapping[str, Any]:
    """Return how well the formula tells a crash: by pools it has not seen, of --data, or of --test when fitted on --data."""
    np = needed_library("numpy")
    try:
        data = moments_of(histories, with_chunks=True)
    except ConfigurationError as error:
        return {"n": 0, "reason_unknown": str(error)}
    if options["test"] is None:
        chances = cross_validated(data)
    else:
        model = fitted(moments_of(read_histories(options["data"])))
        chances = np.array([model.probability(row) for row in data.rows])
    columns = {"": chances, "rush": data.rush, "age": -data.rows[:, INPUTS.index("age")]}
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, pool in enumerate(data.pool):
        members[pool].append(place)
    parts, rng = [np.array(own) for own in members.values()], np.random.default_rng(int(SEED))
    drawn: defaultdict[str, list[float]] = defaultdict(list)
    for _ in range(BOOTSTRAP_ROUNDS):
        places = np.concatenate([parts[at] for at in rng.integers(len(parts), size=len(parts))])
        for name, column in columns.items():
            value = auc(data.crashed[places], column[places])
            if value is not None:
                drawn[name].append(value)
    base = float(data.crashed.mean())
    return {
        "n": len(data.pool),
        "n_crashed": int(data.crashed.sum()),
        "metrics": _rounded(
            {
                "auc": auc(data.crashed, chances),
                "brier": float(((chances - data.crashed) ** 2).mean()),
                "ece": calibration_error(data.crashed, chances),
            }
        ),
        "baselines": {
            "base_rate": _rounded({"auc": 0.5, "brier": base * (1 - base)}),
            **{name: _rounded({"auc": auc(data.crashed, columns[name])}) for name in ("rush", "age")},
        },
        "ci95": {name or "auc": _interval(values) for name, values in drawn.items()},
        "forest": _rounded({"auc": auc(data.crashed, forest(data))}),
    }


def _figures(pools: Sequence[_Judged], name: str) -> dict[str, float | None]:
    found = _confusion(pools, name)
    for moment in ("alarm", "launch_alarm", "rush", "any", "any_in_alarmed"):
        fell = sum(pool.crashes[moment][0] for pool in pools)
        known = sum(pool.crashes[moment][1] for pool in pools)
        found[f"crash_after_{moment}"] = fell / known if known else None
    alarm, usual = found["crash_after_alarm"], found["crash_after_any"]
    found["crash_lift"] = alarm / usual if alarm is not None and usual else None
    return found


def _confusion(pools: Sequence[_Judged], name: str) -> dict[str, float | None]:
    counts = Counter((pool.said[name], pool.is_pump) for pool in pools)
    tp, fp, fn, tn = counts[True, True], counts[True, False], counts[False, True], counts[False, False]
    below = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5
    return {
        "precision": tp / (tp + fp) if tp + fp else None,
        "recall": tp / (tp + fn) if tp + fn else None,
        "f1": 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else None,
        "alarm_rate_unlabelled": fp / (fp + tn) if fp + tn else None,
        "mcc": (tp * tn - fp * fn) / below if below else 0.0,
    }


# -- announced pumps ----------------------------------------------------------------------
def _announced(folder: Path) -> Mapping[str, Any]:
    rows: list[dict[str, Any]] = []
    for path in sorted(folder.glob("events.*"))[:20]:
        rows += needed_library("pyarrow.csv").read_csv(path).to_pylist()
    events = {(str(row["symbol"]).upper(), str(row["exchange"]).lower(), _moment(row["ts"])) for row in rows}
    events = set(sorted(events)[:EVENTS_MAX])
    minutes = Counter(at.minute for _, _, at in events)
    hours = Counter(at.hour for _, _, at in events)
    total = len(events) or 1
    return {
        "n": len(rows),
        "n_distinct": len(events),
        "metrics": {
            "share_on_the_hour": round(minutes[0] / total, 4),
            "share_on_the_half_hour": round(minutes[30] / total, 4),
            "share_in_busiest_six_hours": round(sum(sorted(hours.values())[-6:]) / total, 4),
        },
        "baselines": {"share_of_one_minute": round(1 / 60, 4), "share_of_six_hours": 0.25},
        "definitions": {
            "n": "announcements; two sources overlap, so distinct ones are of one coin, exchange and minute",
            "metrics": "when announced pumps begin (UTC). There are no trades and no other moments: how well an alarm"
            " works cannot be measured on this set",
        },
    }


def _moment(text: object) -> datetime:
    if isinstance(text, datetime):
        return text.replace(tzinfo=UTC)
    return datetime.strptime(str(text)[:16], "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


def _interval(values: Sequence[float]) -> list[float]:
    ordered = sorted(values)
    return [round(ordered[int(edge * (len(ordered) - 1))], 4) for edge in (0.025, 0.975)]


def _rounded(figures: Mapping[str, float | None]) -> dict[str, float | None]:
    return {name: None if value is None else round(value, 4) for name, value in figures.items()}
