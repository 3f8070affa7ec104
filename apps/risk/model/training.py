"""Fit the probability of loss: gradient boosting that has seen missing data, calibrated on rows it has not seen.

The same rows, seeds and library versions give the same bytes: one thread, fixed order, fixed chance.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from apps.intelligence.measuring.boosted import trees_of
from apps.intelligence.measuring.libraries import needed_library
from apps.risk.model.dataset import Labelled
from apps.risk.model.model import Calibration, LossModel, Spread

SEED = 20_240_229
#: Copies of every row with so much hidden of it: a model that has not seen missing data is sure of itself without it.
DROPOUT_COPIES = 4
DROPOUT_SHARE = (0.20, 0.95)
MEMBERS = 4
_CALIBRATION_BANDS = (0.25, 0.50, 0.75, 1.0)
_CALIBRATION_ROWS_MIN = 50
_CALIBRATION_STEPS = 25
_SPREAD_BANDS = (0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1.0)
_SPREAD_QUANTILE = 0.90  # on either side: 80 % lie within
_DIGITS = 6
#: Rows that lack all of a data set's LP transfers stem from an older market; they teach less about the present.
OLDER_WEIGHT = 0.3

_BOOSTING: Mapping[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.06,
    "num_leaves": 8,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "max_bin": 127,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What may differ between data sets."""

    name: str
    rounds: int = 110
    learning_rate: float = 0.06
    leaves: int = 8
    older_weight: float = OLDER_WEIGHT  # of rows of an older era
    dropout_copies: int = DROPOUT_COPIES
    only: frozenset[str] = frozenset()  # the inputs that may be used; empty: all
    #: What the threshold of a refusal is best at, on rows that the scoring member had not seen.
    best_at: Literal["mcc", "balanced_accuracy"] = "mcc"


#: Launches by their reserve path and LP transfers; tokens by figures over their whole life.
PATH = Settings(name="path", rounds=200)
TOKENS = Settings(name="tokens", rounds=200, leaves=16, best_at="balanced_accuracy")
#: What of a token is known live without watching it. Its activity is left out: it was counted over whole lives, up to
#: the loss for those that were lost, which nobody can know beforehand.
HOLDINGS = Settings(
    name="holdings",
    best_at="balanced_accuracy",
    only=frozenset(
        {
            "lp_creator_holding_ratio",
            "lp_lock_ratio",
            "number_of_token_creation_of_creator",
            "token_burn_ratio",
            "token_creator_holding_ratio",
        }
    ),
)
#: A pool teaches at several ages around the one at which it is judged.
_AGES = (0.25, 0.5, 1.0, 2.0)
#: The ages of the model that is shipped, in blocks of 13 s: one minute to four hours.
SHIPPED_HORIZONS = (5, 25, 75, 150, 300, 1_200)


def horizons_around(horizon_blocks: int) -> tuple[int, ...]:
    """Return the ages in blocks at which pools teach a model that judges at this age."""
    return tuple(sorted({max(int(horizon_blocks * age), 1) for age in _AGES}))


@dataclass(frozen=True, slots=True)
class _Table:
    x: Any  # float64 [rows, inputs], NaN for unknown
    y: Any  # 1.0: lost
    weight: Any
    fold: Any  # which member has not seen the row


def fit(rows: Sequence[Labelled], settings: Settings) -> LossModel:
    """Return a model of these rows; several rows of one group are the same pool at different ages."""
    np = needed_library("numpy")
    inputs = tuple(sorted(_input_names(rows) & settings.only if settings.only else _input_names(rows)))
    table = _table(rows, inputs, settings)
    rng = np.random.default_rng(SEED)
    copies = [_hidden(table.x, rng) for _ in range(settings.dropout_copies)]
    members, gains, scores = [], np.zeros(len(inputs)), np.zeros((1 + settings.dropout_copies, len(rows)))
    for number in range(MEMBERS):
        seen = table.fold != number
        booster = _boost([table.x[seen], *(copy[seen] for copy in copies)], table, seen, settings, number)
        members.append(trees_of(booster))
        gains += booster.feature_importance("gain")
        for place, matrix in enumerate((table.x, *copies)):
            if (~seen).any():
                scores[place, ~seen] = booster.predict(matrix[~seen], raw_score=True, num_threads=1)
    weights = gains / max(gains.sum(), 1e-12)
    known = np.stack([(~np.isnan(matrix)) @ weights for matrix in (table.x, *copies)])
    calibrations = _calibrations(scores, known, table)
    balanced = 1 / (1 + np.exp(-_apply(calibrations, scores[0], known[0])))
    return LossModel(
        name=settings.name,
        inputs=inputs,
        members=tuple(members),
        calibrations=calibrations,
        base_rate=round(float(_natural(rows, settings)), _DIGITS),
        weights=tuple(round(float(value), _DIGITS) for value in weights),
        spreads=_spreads(calibrations, scores, known),
        threshold=round(_best_threshold(table, balanced, _natural_weights(rows, settings), settings), 4),
    )


def _input_names(rows: Sequence[Labelled]) -> set[str]:
    return {name for row in rows for name, value in row.features.items() if value is not None}


# -- rows ---------------------------------------------------------------------------------
def _table(rows: Sequence[Labelled], inputs: Sequence[str], settings: Settings) -> _Table:
    np = needed_library("numpy")
    x = np.array(
        [
            [math.nan if (value := row.features.get(name)) is None else value for name in inputs]
            for row in rows
        ],
        dtype=float,
    )
    y = np.array([float(row.lost) for row in rows])
    weight = _natural_weights(rows, settings)
    # Even odds: the evidence is learned apart from how common losses are.
    for label in (0.0, 1.0):
        weight[y == label] *= 0.5 * len(rows) / max(weight[y == label].sum(), 1e-12)
    return _Table(x=x, y=y, weight=weight, fold=np.array(folds(rows, count=MEMBERS, seed=SEED)))


def _natural_weights(rows: Sequence[Labelled], settings: Settings) -> Any:
    np = needed_library("numpy")
    newest = max((row.era for row in rows), default="")
    return np.array([1.0 if row.era == newest else settings.older_weight for row in rows])


def _natural(rows: Sequence[Labelled], settings: Settings) -> float:
    weight = _natural_weights(rows, settings)
    lost = sum(float(one) for one, row in zip(weight, rows, strict=True) if row.lost)
    return lost / float(weight.sum())


def folds(rows: Sequence[Labelled], *, count: int, seed: int) -> list[int]:
    """Return each row's part, groups kept together, era and outcome spread evenly."""
    np = needed_library("numpy")
    strata: dict[str, tuple[str, bool]] = {}
    sizes: dict[str, int] = {}
    for row in rows:
        strata.setdefault(row.group, (row.era, row.lost))
        sizes[row.group] = sizes.get(row.group, 0) + 1
    place: dict[str, int] = {}
    rng = np.random.default_rng(seed)
    for stratum in sorted(set(strata.values())):
        groups = sorted(group for group, own in strata.items() if own == stratum)
        load = [0] * count
        shuffled = [groups[at] for at in rng.permutation(len(groups))]
        for group in sorted(shuffled, key=lambda name: -sizes[name]):
            part = min(range(count), key=lambda number: (load[number], number))
            load[part] += sizes[group]
            place[group] = part
    return [place[row.group] for row in rows]


def _hidden(x: Any, rng: Any) -> Any:
    """Return a copy in which each row has lost a share of its inputs, drawn anew for each row."""
    np = needed_library("numpy")
    share = rng.uniform(*DROPOUT_SHARE, size=(len(x), 1))
    return np.where(rng.uniform(size=x.shape) < share, np.nan, x)


# -- trees --------------------------------------------------------------------------------
def _boost(parts: Sequence[Any], table: _Table, seen: Any, settings: Settings, number: int) -> Any:
    np, lightgbm = needed_library("numpy"), needed_library("lightgbm")
    y, weight = (np.concatenate([column[seen]] * len(parts)) for column in (table.y, table.weight))
    changes = {
        "seed": SEED + number,
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.leaves,
    }
    data = lightgbm.Dataset(np.concatenate(parts), y, weight=weight)
    return lightgbm.train({**_BOOSTING, **changes}, data, num_boost_round=settings.rounds)


# -- calibration --------------------------------------------------------------------------
def _calibrations(scores: Any, known: Any, table: _Table) -> tuple[Calibration, ...]:
    """Return logistic curves by how much was known, fitted on rows that the scoring member had not seen."""
    np = needed_library("numpy")
    y, weight = np.broadcast_to(table.y, scores.shape), np.broadcast_to(table.weight, scores.shape)
    found, low = [], 0.0
    for band in _CALIBRATION_BANDS:
        inside = (known > low) & (known <= band + (1e-9 if band == 1.0 else 0))
        low = band
        if inside.sum() < _CALIBRATION_ROWS_MIN:
            continue
        slope, offset = _logistic(scores[inside], y[inside], weight[inside])
        found.append(Calibration(band, round(slope, _DIGITS), round(offset, _DIGITS)))
    return tuple(found) or (Calibration(1.0, 1.0, 0.0),)


def _logistic(score: Any, y: Any, weight: Any) -> tuple[float, float]:
    """Return slope and offset of the logistic curve through these points (Newton's method, drawn towards 1 and 0)."""
    np = needed_library("numpy")
    x = np.stack([score, np.ones_like(score)], axis=1)
    start = np.array([1.0, 0.0])
    at = start.copy()
    for _ in range(_CALIBRATION_STEPS):
        p = 1 / (1 + np.exp(-(x @ at)))
        gradient = x.T @ (weight * (p - y)) + (at - start)
        curvature = (x * (weight * p * (1 - p))[:, None]).T @ x + np.eye(2)
        at = at - np.linalg.solve(curvature, gradient)
    return max(float(at[0]), 0.0), float(at[1])


def _apply(calibrations: Sequence[Calibration], scores: Any, known: Any) -> Any:
    np = needed_library("numpy")
    place = np.searchsorted([item.coverage_max for item in calibrations], known - 1e-9)
    place = np.minimum(place, len(calibrations) - 1)
    slope, offset = np.array([[item.slope, item.offset] for item in calibrations]).T
    return slope[place] * scores + offset[place]


def _best_threshold(table: _Table, balanced: Any, natural: Any, settings: Settings) -> float:
    """Return the threshold at which the figure named in the settings is best."""
    np = needed_library("numpy")
    order = np.argsort(-balanced, kind="stable")
    y, weights = table.y[order], natural[order]
    tp, fp = np.cumsum(y * weights), np.cumsum((1 - y) * weights)
    fn, tn = tp[-1] - tp, fp[-1] - fp
    if settings.best_at == "mcc":
        below = np.sqrt(np.maximum((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn), 1e-12))
        best = int(np.argmax((tp * tn - fp * fn) / below))
    else:
        best = int(np.argmax(tp / tp[-1] + tn / fp[-1]))
    beside = min(best + 1, len(order) - 1)
    return float((balanced[order][best] + balanced[order][beside]) / 2)


def _spreads(calibrations: Sequence[Calibration], scores: Any, known: Any) -> tuple[Spread, ...]:
    """Return how far the log odds move when hidden inputs come back, by how much was known; less known, never less."""
    np = needed_library("numpy")
    whole = _apply(calibrations, scores[0], known[0])
    moved = np.stack(
        [whole - _apply(calibrations, *pair) for pair in zip(scores[1:], known[1:], strict=True)]
    )
    found: list[Spread] = []
    down = up = 0.0
    for high in reversed(_SPREAD_BANDS):
        inside = (known[1:] > high - _SPREAD_BANDS[0]) & (known[1:] <= high)
        if inside.sum() >= _CALIBRATION_ROWS_MIN:
            low_move, high_move = np.quantile(moved[inside], (1 - _SPREAD_QUANTILE, _SPREAD_QUANTILE))
            down, up = min(down, float(low_move)), max(up, float(high_move))
        found.append(Spread(high, round(down, _DIGITS), round(up, _DIGITS)))
    return tuple(reversed(found))
