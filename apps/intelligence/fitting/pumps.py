"""`manage.py train pumps`: fit how likely a pool's price halves within the hour, on pools' public reserves.

From each pool a few moments are drawn, right after a block with a purchase; the inputs see only what came before. A moment
counts when the hour that follows is on record, or the price has halved within what is.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any, Final

from django.core.management.base import CommandParser

from apps.domain.entities import Trade
from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.crash import (
    HORIZON_MS,
    INPUTS,
    SWAPS_MIN,
    CrashModel,
    crash_inputs,
    model_from_json,
    model_to_json,
)
from apps.intelligence.logic.pumps import chunk_features
from apps.intelligence.measuring.artefacts import Fitted
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.metrics import auc, calibration_error
from apps.intelligence.measuring.swap_histories import SwapHistory, read_histories

HELP = "how likely a pool's price halves within the hour"
PATH: Final = Path(__file__).resolve().parent.parent / "parameters" / "pumps.json"
BYTES_MAX: Final = 100_000
SEED: Final = "20261124"
PARTS: Final = 5
MOMENTS: Final = 5  # of a pool
ROWS_MIN: Final = 100
CRASH_SHARE: Final = 0.5
_RIDGE: Final = 3.0
_STEPS: Final = 30
_DIGITS: Final = 6
_TREES: Final = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 15,
    "min_data_in_leaf": 40,
    "feature_fraction": 0.7,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "seed": 1,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
CARD: Final = {
    "data": "public Sync events of Uniswap V2 pools on Ethereum, made September 2020 to October 2021, the first 250 events",
    "data_licence": "on-chain facts",
    "date": "2026-11-24",
    "label": "the price was at most half as high within the hour",
    "doubts": "another exchange's years, blocks of 13 seconds; not measured on other chains, nor on simulated markets,"
    " whose time runs faster",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """Moments of many pools, all columns of one length."""

    rows: Any  # float64 [moments, inputs]
    crashed: Any  # 1.0 or 0.0
    rush: Any  # distinct buyers of the block: the simple rule's only input
    pool: Sequence[str]
    chunks: Any = None  # features of chunks, NaN where too few, when asked for


def arguments(parser: CommandParser) -> None:
    """Add what `train pumps` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with sync_events.*."
    )


def run(options: Mapping[str, Any]) -> Fitted:
    """Return the parameters fitted on one folder of pools."""
    data = moments_of(read_histories(options["data"]))
    model = fitted(data)
    unseen = cross_validated(data)
    metrics = {
        "auc": auc(data.crashed, unseen),
        "auc_of_a_single_rush": auc(data.crashed, data.rush),
        "brier": float(((unseen - data.crashed) ** 2).mean()),
        "ece": calibration_error(data.crashed, unseen),
    }
    told = {name: None if value is None else round(value, 4) for name, value in metrics.items()}
    model = replace(model, card={**model.card, "cross_validated_by_pool": told})
    return Fitted(
        name="pumps",
        content=model_to_json(model).encode(),
        path=PATH,
        rows=len(data.pool),
        positives=int(data.crashed.sum()),
    )


@lru_cache(maxsize=1)
def shipped_model() -> CrashModel:
    """Return the shipped parameters, read once. Raises ConfigurationError, BadDataError."""
    try:
        with PATH.open(encoding="utf-8") as file:
            text = file.read(BYTES_MAX)
    except OSError as error:
        raise ConfigurationError(
            f"The parameters of the crash formula cannot be read: {error}.",
            remedy="Restore apps/intelligence/parameters from the repository.",
        ) from error
    return model_from_json(text)


# -- rows ---------------------------------------------------------------------------------
def moments_of(histories: Sequence[SwapHistory], *, with_chunks: bool = False) -> Moments:
    """Return the moments of pools whose reserves are known. Raises ConfigurationError when there are too few."""
    np = needed_library("numpy")
    rows: list[tuple[float, ...]] = []
    crashed: list[float] = []
    rush: list[float] = []
    pools: list[str] = []
    chunks: list[dict[str, float]] = []
    for history in histories:
        for inputs, fell, buyers, seen in _of_pool(history):
            rows.append(inputs)
            crashed.append(fell)
            rush.append(buyers)
            pools.append(history.pool)
            if with_chunks:
                chunks.append(chunk_features(seen))
    if min(sum(crashed), len(crashed) - sum(crashed)) < ROWS_MIN:
        raise ConfigurationError(
            f"{int(sum(crashed))} crashes in {len(crashed)} moments are too few to learn from.",
            remedy=f"At least {ROWS_MIN} of each are needed, from a folder with sync_events.*.",
        )
    names = sorted({name for found in chunks for name in found})
    return Moments(
        rows=np.array(rows),
        crashed=np.array(crashed),
        rush=np.array(rush),
        pool=pools,
        chunks=np.array([[found.get(name, math.nan) for name in names] for found in chunks])
        if chunks
        else None,
    )


def _of_pool(
    history: SwapHistory,
) -> list[tuple[tuple[float, ...], float, float, Sequence[Trade]]]:
    trades = history.trades
    found: list[tuple[tuple[float, ...], float, float, Sequence[Trade]]] = []
    if len(history.depths) != len(trades):
        return []
    chance = Random(f"{SEED}/{history.pool}")  # noqa: S311  # for measuring, not for secrets
    blocks = [trade.block for trade in trades]
    path = [(trade.at_ms, trade.quote_raw / trade.base_raw) for trade in trades if trade.base_raw]
    after_buys = [place for place in range(SWAPS_MIN, len(trades)) if trades[place].side == "buy"]
    for place in sorted(chance.sample(after_buys, min(MOMENTS, len(after_buys)))):
        end = bisect_right(blocks, trades[place].block)
        fell = crashed_within(path, trades[place].at_ms)
        inputs = crash_inputs(
            trades[:end], quote_reserve_raw=history.depths[end - 1][0], now_ms=trades[place].at_ms
        )
        if fell is None or inputs is None:
            continue
        same = {
            trade.address for trade in trades[:end] if trade.block == blocks[place] and trade.side == "buy"
        }
        found.append((inputs, float(fell), float(len(same)), trades[:end]))
    return found


def crashed_within(path: Sequence[tuple[int, float]], moment_ms: int) -> bool | None:
    """Tell whether the price halved within the hour after a moment; None when the record ends before it did."""
    at = bisect_right(path, moment_ms, key=lambda item: item[0])
    if at == 0:
        return None
    after = [price for at_ms, price in path[at:] if at_ms <= moment_ms + HORIZON_MS]
    if after and min(after) <= CRASH_SHARE * path[at - 1][1]:
        return True
    return False if path[-1][0] >= moment_ms + HORIZON_MS else None


# -- fitting ------------------------------------------------------------------------------
def cross_validated(data: Moments) -> Any:
    """Return each moment's probability by a formula that saw nothing of its pool."""
    np = needed_library("numpy")
    part = _parts(data)
    found = np.zeros(len(part))
    for number in range(PARTS):
        own = part == number
        if own.any():
            model = _fit(data.rows[~own], data.crashed[~own])
            found[own] = [model.probability(row) for row in data.rows[own]]
    return found


def _parts(data: Moments) -> Any:
    np = needed_library("numpy")
    hashes = [sha256(f"{SEED}/{pool}".encode()).hexdigest() for pool in data.pool]
    return np.array([int(item[:8], 16) % PARTS for item in hashes])


def forest(data: Moments) -> Any:
    """Return each moment's probability by boosted trees on the inputs and the chunks' features: what more could tell."""
    np, lightgbm = needed_library("numpy"), needed_library("lightgbm")
    part, columns = _parts(data), np.c_[data.rows, data.chunks]
    found = np.zeros(len(part))
    for number in range(PARTS):
        own = part == number
        if own.any():
            table = lightgbm.Dataset(columns[~own], data.crashed[~own])
            found[own] = lightgbm.train(_TREES, table, num_boost_round=150).predict(columns[own])
    return found


def fitted(data: Moments) -> CrashModel:
    """Return the formula of all moments."""
    return _fit(data.rows, data.crashed)


def _fit(rows: Any, crashed: Any) -> CrashModel:
    """Fit by Newton's steps with a ridge on the weights."""
    np = needed_library("numpy")
    means, deviations = rows.mean(axis=0), rows.std(axis=0) + 1e-9
    columns = np.c_[np.ones(len(rows)), (rows - means) / deviations]
    weights = np.zeros(columns.shape[1])
    ridge = np.full(len(weights), _RIDGE)
    ridge[0] = 0
    for _ in range(_STEPS):
        predicted = 1 / (1 + np.exp(-columns @ weights))
        curvature = (columns.T * (predicted * (1 - predicted))) @ columns + np.diag(ridge)
        weights += np.linalg.solve(curvature, columns.T @ (crashed - predicted) - ridge * weights)
    rounded = [round(float(weight), _DIGITS) for weight in weights]
    return CrashModel(
        intercept=rounded[0],
        means=tuple(round(float(value), _DIGITS) for value in means),
        deviations=tuple(round(float(value), _DIGITS) for value in deviations),
        weights=tuple(rounded[1:]),
        base_rate=round(float(crashed.mean()), _DIGITS),
        card={**CARD, "moments": len(rows), "crashes": int(crashed.sum()), "inputs": len(INPUTS)},
    )
