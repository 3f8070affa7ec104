"""`manage.py evaluate regime`: what followed the regimes that would have been stated, day by day.

Each day is judged by bars up to it alone. The second opinion is fitted anew every REFIT_DAYS days on what lay before,
the confidence on regimes of all TEACHERS whose next three days were over by then, as it is shipped. With --test, days of that folder alone are scored: bars
of --data stand before them, and the confidence comes from --data.

Fixed before any outcome was looked at: the rule and its constants (logic/regime.py), that days on which the second
opinion contradicts are unknown, the horizon, the blocks of the bootstrap, five bins of equal count. Tried: the number of
confirming closes, 1 to 5, and whether volatility goes before direction, by changes a year alone; no other rule. For the confidence three groupings, by its distance from frequencies alone. The
figures of the rule without the second opinion stand beside (``rule_alone``), as do those of simpler rules.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.domain.errors import ConfigurationError
from apps.intelligence.evaluation.ohlcv import Bars, read_bars
from apps.intelligence.logic import persistence
from apps.intelligence.logic.breakout import HORIZON_BARS, RANGE_BARS, breakout
from apps.intelligence.logic.jump import opinions
from apps.intelligence.logic.regime import QUICK_BARS, SLOW_BARS, TREND_BARS, Label, Regime, labels, readings
from apps.intelligence.logic.volatility import deviation, ewma_deviations, log_returns
from apps.intelligence.measuring.libraries import needed_library

HELP = (
    "The market regime on daily bars: what followed it, how long it lasted, and how true its confidence is."
)
#: Markets whose regimes teach the confidence: large ones, as those that are judged live.
TEACHERS = ("BTC", "ETH", "SOL")
FORWARD_DAYS = 7
REFIT_DAYS = 30
_SCORED_MIN = 250
_BLOCK_DAYS, _ROUNDS, SEED = 30, 2_000, 20_240_301
_YEAR_DAYS = 365.25
_BINS = 5
#: How narrow the range is: width of 20 bars (Bollinger) among the widths of the last 180, in three parts.
_WIDTH_BARS, _WIDTH_PARTS = 20, 3
_DIGITS = 4
DEFINITIONS = {
    "stated": "bull, bear, crab or volatile; unknown where the second opinion contradicts a direction",
    "flips_per_year": "changes from one regime to another in a year of 365.25 days; days without a stated regime are skipped",
    "flips_per_year_with_unknown": "the same, where becoming unknown and known again counts as a change each",
    "spread_7d": "mean return over the next 7 days after days stated bull, less that after days stated bear",
    "persistence_gap": "mean distance of the stated confidence from the share of regimes that were stated on each of the next three days too, over five bins of equal count",
    "persistence_gap_overall": "distance of the mean confidence from that share, over all days",
    "ci95": "circular block bootstrap of days, blocks of 30",
    "breakout_brier": "mean squared error of the chance that a high of the next 5 bars tops that of the last 20; lifted: corrected by how narrow the range is, fitted on what lay before",
    "volatility_qlike": "mean of log variance plus squared return over variance, in daily per cent: less is better",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate regime` takes."""
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="A folder with ohlcv.*.")
    parser.add_argument("--test", type=Path, metavar="DIR", help="Score the days of this folder alone.")
    parser.add_argument("--market", default="BTC", help="The symbol that is judged (default: BTC).")


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError when data or libraries are missing."""
    data = read_bars(options["data"])
    test = None if options["test"] is None else read_bars(options["test"])
    scored = data if test is None else test
    market = options["market"]
    if market not in scored:
        raise ConfigurationError(
            f"There are no bars of {market}.", remedy=f"Choose one of {', '.join(scored) or 'none'}."
        )
    bars = scored[market]
    whole = bars if test is None or market not in data else bars.after(data[market])
    others = [item for name in TEACHERS if name in data and name != market for item in observed(data[name])]
    walked = walk(whole, first_day=None if test is None else bars.days[0], others=others)
    if len(walked.scored) < _SCORED_MIN:
        raise ConfigurationError(
            f"{market} has {len(walked.scored)} days to judge.", remedy=f"At least {_SCORED_MIN} are needed."
        )
    return {"market": market, **_report(walked), "definitions": DEFINITIONS}


# -- walking forward ----------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class Walk:
    """One market judged day by day; lists have one entry a bar."""

    bars: Bars
    path: Sequence[Label]  # by the rule alone
    stated: Sequence[Regime]
    opinions: Sequence[bool | None]
    confidence: Sequence[float | None]
    scored: Sequence[int]  # places of the bars that count

    def forward(self, at: int) -> float | None:
        """Return the return over the next FORWARD_DAYS, None when they are not over."""
        ahead = at + FORWARD_DAYS
        return self.bars.closes[ahead] / self.bars.closes[at] - 1 if ahead < len(self.bars.closes) else None


def walk(bars: Bars, *, first_day: int | None = None, others: Sequence[Observed] = ()) -> Walk:
    """Return every bar judged by itself and earlier ones. ``first_day``: bars before it are history only.

    ``others`` are observations of other markets, which teach the confidence as soon as they are over.
    """
    path = labels(readings(bars.closes))
    second = opinions(bars.closes, refits=refit_places(bars.days))
    taught = sorted([*others, *_observed(bars, path, second)], key=lambda item: item.day)
    days = [item.day for item in taught]
    confidence: list[float | None] = []
    curves: persistence.Curves = {}
    for at, label in enumerate(path):
        is_frozen = first_day is not None and bars.days[at] > first_day
        is_due = bars.days[at] % REFIT_DAYS == 0 or bars.days[at] == first_day
        if is_due and not is_frozen:
            # What was observed of a day is known HORIZON_BARS later.
            over = bisect_right(days, bars.days[at] - persistence.HORIZON_BARS)
            curves = persistence.fit([item.row for item in taught[:over]])
        confidence.append(persistence.confidence(label, is_rising=second[at], curves=curves))
    scored = [
        at
        for at, label in enumerate(path)
        if label.regime is not Regime.UNKNOWN and (first_day is None or bars.days[at] >= first_day)
    ]
    stated = [persistence.stated(label, is_rising=rising) for label, rising in zip(path, second, strict=True)]
    return Walk(bars, path, stated, second, confidence, scored)


@dataclass(frozen=True, slots=True)
class Observed:
    """What became of the regime stated on a day: its group, its margin, whether it stood."""

    day: int
    row: tuple[str, float, bool]


def observed(bars: Bars) -> list[Observed]:
    """Return what became of the regimes stated of a market, each day judged by what lay before it."""
    return _observed(
        bars, labels(readings(bars.closes)), opinions(bars.closes, refits=refit_places(bars.days))
    )


def _observed(bars: Bars, path: Sequence[Label], second: Sequence[bool | None]) -> list[Observed]:
    rows = persistence.observations(path, second)
    return [Observed(day, row) for day, row in zip(bars.days, rows, strict=False) if row is not None]


def refit_places(days: Sequence[int]) -> list[int]:
    """Return the places of the bars at which the second opinion is fitted anew: fixed days, whatever the history."""
    return [at for at, day in enumerate(days) if day % REFIT_DAYS == 0 and at > 0]


# -- figures ------------------------------------------------------------------------------
def _report(item: Walk) -> dict[str, Any]:
    forward = [item.forward(at) for at in item.scored]
    stated = [item.stated[at] for at in item.scored]
    rule = [item.path[at].regime for at in item.scored]
    known = [regime for regime in stated if regime is not Regime.UNKNOWN]
    spread, interval = _spread(stated, forward)
    held = _persistence(item)
    headline = {
        "flips_per_year": _flips(known, days=len(stated)),
        "spread_7d": spread,
        "persistence_gap": held["persistence_gap"],
    }
    return {
        "n": len(item.scored),
        **headline,
        "metrics": {
            **headline,
            "flips_per_year_with_unknown": _flips(stated),
            "unknown_share": round(1 - len(known) / len(stated), _DIGITS),
            **{name: value for name, value in held.items() if name != "bins"},
            **_breakouts(item),
            **_volatility(item),
        },
        "ci95": {"spread_7d": interval},
        "by_regime": _by_regime(stated, forward),
        "reliability": held["bins"],
        "baselines": {"rule_alone": _baseline(rule, forward), **_baselines(item, forward)},
        "missing": {},
    }


def _flips(states: Sequence[Any], *, days: int | None = None) -> float:
    changes = sum(before != after for before, after in pairwise(states))
    return round(changes / (days or len(states)) * _YEAR_DAYS, 2)


def _spread(
    regimes: Sequence[Regime], forward: Sequence[float | None]
) -> tuple[float | None, list[float] | None]:
    """Return bull less bear in mean forward return, with its interval; None without days of both."""
    np = needed_library("numpy")
    rows = [(regime, value) for regime, value in zip(regimes, forward, strict=True) if value is not None]
    value = np.array([item for _, item in rows])
    bull = np.array([float(regime is Regime.BULL) for regime, _ in rows])
    bear = np.array([float(regime is Regime.BEAR) for regime, _ in rows])
    if not bull.sum() or not bear.sum():
        return None, None

    def spread(places: Any) -> float:
        up, down = bull[places], bear[places]
        if not up.sum() or not down.sum():
            return float("nan")
        return float((value[places] * up).sum() / up.sum() - (value[places] * down).sum() / down.sum())

    rng = np.random.default_rng(SEED)
    count = len(rows)
    blocks = -(-count // _BLOCK_DAYS)
    drawn = [
        spread(((rng.integers(count, size=blocks)[:, None] + np.arange(_BLOCK_DAYS)) % count).ravel()[:count])
        for _ in range(_ROUNDS)
    ]
    bounds = [round(float(bound), _DIGITS) for bound in np.nanquantile(drawn, (0.025, 0.975))]
    return round(spread(np.arange(count)), _DIGITS), bounds


def _by_regime(regimes: Sequence[Regime], forward: Sequence[float | None]) -> dict[str, Any]:
    shares = Counter(regime.value for regime in regimes)
    found = {}
    for name, days in sorted(shares.items()):
        own = [
            value
            for regime, value in zip(regimes, forward, strict=True)
            if regime.value == name and value is not None
        ]
        found[name] = {
            "days": days,
            "return_7d": round(sum(own) / len(own), _DIGITS) if own else None,
        }
    return found


def _persistence(item: Walk) -> dict[str, Any]:
    rows = []
    for at in item.scored:
        stated = item.confidence[at]
        following = item.stated[at + 1 : at + 1 + persistence.HORIZON_BARS]
        if stated is not None and len(following) == persistence.HORIZON_BARS:
            rows.append((stated, all(later is item.stated[at] for later in following)))
    if not rows:
        return {"persistence_gap": None, "persistence_gap_overall": None, "confidence_days": 0, "bins": []}
    rows.sort(key=lambda row: row[0])
    bins = []
    for number in range(_BINS):
        own = rows[number * len(rows) // _BINS : (number + 1) * len(rows) // _BINS]
        if own:
            stated, stood = _mean([row[0] for row in own]), _mean([float(row[1]) for row in own])
            bins.append({"days": len(own), "stated": round(stated, _DIGITS), "stood": round(stood, _DIGITS)})
    stated, stood = _mean([row[0] for row in rows]), _mean([float(row[1]) for row in rows])
    gap = sum(part["days"] * abs(part["stated"] - part["stood"]) for part in bins) / len(rows)
    return {
        "persistence_gap": round(gap, _DIGITS),
        "persistence_gap_overall": round(abs(stated - stood), _DIGITS),
        "persistence_gap_worst": round(max(abs(part["stated"] - part["stood"]) for part in bins), _DIGITS),
        "confidence_mean": round(stated, _DIGITS),
        "persistence": round(stood, _DIGITS),
        "confidence_brier": round(_mean([(row[0] - row[1]) ** 2 for row in rows]), _DIGITS),
        "confidence_brier_constant": round(stood * (1 - stood), _DIGITS),
        "confidence_days": len(rows),
        "bins": bins,
    }


def _breakouts(item: Walk) -> dict[str, float | None]:
    """Return the Brier scores of the formula, of its correction by width, and of the frequency known by then."""
    rows = breakout_rows(item.bars)
    counted = set(item.scored)
    lifts: list[float] | None = None
    happened, errors = [0], []  # happened[i]: how often among the first i rows
    for row in rows:
        happened.append(happened[-1] + row.broke)
    for place, row in enumerate(rows):
        over = max(place - HORIZON_BARS, 1)
        if place % REFIT_DAYS == 0 and place:
            lifts = lifts_of(rows[:over])
        if row.at in counted and lifts is not None and row.width_part is not None:
            lifted = min(row.chance * lifts[row.width_part], 1.0)
            guesses = (row.chance, lifted, happened[over] / over)
            errors.append([(guess - row.broke) ** 2 for guess in guesses])
    names = ("breakout_brier", "breakout_brier_lifted", "breakout_brier_base_rate")
    if not errors:
        return dict.fromkeys(names)
    return {
        name: round(_mean(column), _DIGITS)
        for name, column in zip(names, zip(*errors, strict=True), strict=True)
    }


def _volatility(item: Walk) -> dict[str, float | None]:
    """Return the mean QLIKE of the next day's variance: by the weighted deviation, by ten days, by half a year."""
    returns = log_returns(item.bars.closes)
    weighted = ewma_deviations(returns)
    losses = []
    for at in item.scored:
        if at < len(returns):  # returns[at] leads to the next bar
            guesses = (
                weighted[at - 1],
                deviation(returns[at - QUICK_BARS : at]),
                deviation(returns[at - SLOW_BARS : at]),
            )
            losses.append([_qlike(guess, returns[at]) for guess in guesses])
    names = ("volatility_qlike", "volatility_qlike_10_days", "volatility_qlike_half_year")
    if not losses:
        return dict.fromkeys(names)
    columns = zip(*losses, strict=True)
    return {name: round(_mean(column), _DIGITS) for name, column in zip(names, columns, strict=True)}


def _qlike(guess: float, value: float) -> float:
    """Return the loss of a guessed deviation, in daily per cent so that its size can be read."""
    variance = max(guess * 100, 0.01) ** 2
    return math.log(variance) + (value * 100) ** 2 / variance


@dataclass(frozen=True, slots=True)
class _Chance:
    """One bar's chance of a breakout and whether it came; ``width_part`` 0: the range is among the narrowest third."""

    at: int
    chance: float
    broke: bool
    width_part: int | None


def breakout_rows(bars: Bars) -> list[_Chance]:
    """Return each bar whose next HORIZON_BARS bars are over."""
    widths = [_width(bars.closes[max(at - _WIDTH_BARS + 1, 0) : at + 1]) for at in range(len(bars.closes))]
    found = []
    for at in range(RANGE_BARS, len(bars.closes) - HORIZON_BARS):
        start = max(at - SLOW_BARS, 0)
        item = breakout(bars.closes[start : at + 1], bars.highs[start : at + 1])
        if item is not None:
            broke = max(bars.highs[at + 1 : at + 1 + HORIZON_BARS]) > item.level
            found.append(_Chance(at, item.probability, broke, _width_part(widths, at)))
    return found


def lifts_of(rows: Sequence[_Chance]) -> list[float] | None:
    """Return by width how much oftener the level was topped than the formula says; None with too few bars."""
    lifts = []
    for part in range(_WIDTH_PARTS):
        own = [row for row in rows if row.width_part == part]
        expected = sum(row.chance for row in own)
        if len(own) < persistence.DAYS_MIN or not expected:
            return None
        lifts.append(sum(row.broke for row in own) / expected)
    return lifts


def _width(closes: Sequence[float]) -> float:
    return deviation(closes) / _mean(closes)


def _width_part(widths: Sequence[float], at: int) -> int | None:
    if at < SLOW_BARS + _WIDTH_BARS:
        return None
    recent = widths[at - SLOW_BARS + 1 : at + 1]
    below = sum(width < widths[at] for width in recent)
    return min(below * _WIDTH_PARTS // len(recent), _WIDTH_PARTS - 1)


def _baselines(item: Walk, forward: Sequence[float | None]) -> dict[str, Any]:
    """Return the same figures of simpler rules. Always crab has no spread and never changes."""
    closes = item.bars.closes
    average = [
        Regime.BULL if closes[at] > _mean(closes[at - TREND_BARS + 1 : at + 1]) else Regime.BEAR
        for at in item.scored
    ]
    jump = [
        Regime.UNKNOWN if (rising := item.opinions[at]) is None else Regime.BULL if rising else Regime.BEAR
        for at in item.scored
    ]
    return {
        "above_mean_of_50": _baseline(average, forward),
        "jump_model": _baseline(jump, forward),
        "always_crab": {"flips_per_year": 0.0, "spread_7d": None, "ci95": None},
    }


def _baseline(states: Sequence[Regime], forward: Sequence[float | None]) -> dict[str, Any]:
    spread, bounds = _spread(states, forward)
    return {"flips_per_year": _flips(states), "spread_7d": spread, "ci95": bounds}


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
