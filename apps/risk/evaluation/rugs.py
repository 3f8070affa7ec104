"""`manage.py evaluate rugs`: how well the probability of loss tells launches that will be drained.

Every prediction is made by a model that has seen neither the pool nor any other of its maker. The threshold of a
refusal is chosen on the fitted rows alone. Rules are measured on the same rows; what a rule cannot know it refuses.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.domain.config import Rules
from apps.domain.errors import ConfigurationError
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.metrics import Scored, figures, intervals, rule_figures
from apps.risk.model.dataset import Labelled, is_pools, read_pools, read_tokens
from apps.risk.model.model import LossModel
from apps.risk.model.probability import probability
from apps.risk.model.training import PATH, SEED, TOKENS, Settings, fit, folds, horizons_around

HELP = "The probability of loss on labelled pools, against simple rules on the same rows."
HORIZON_MAX = 100_000
_PARTS = 5
_ROWS_MIN = 50
_MISSING = (50, 90)
_HALF = 0.5
DEFINITIONS = {
    "positive": "a loss: the pool was drained, the liquidity removed",
    "refused": "the probability at even odds is at least the threshold, chosen on fitted rows: of pools for the best MCC, of tokens for the best balanced accuracy",
    "decided": "at even odds at most 0.1 or at least 0.9; both outcomes weigh the same in its share and accuracy",
    "missing": "so many percent of the inputs of each row hidden at random",
    "ci95": "bootstrap of whole groups (all pools of one maker)",
    "rules": "what a rule cannot know it refuses",
    "gate": "the rule loss_probability at its default maximum, on the upper bound by this model alone",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate rugs` takes."""
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="A data set's folder.")
    parser.add_argument(
        "--test",
        type=Path,
        metavar="DIR",
        help="Score this folder with a model fitted on --data, instead of cross-validating.",
    )
    parser.add_argument(
        "--horizon-blocks",
        type=int,
        default=300,
        metavar="N",
        help="Age in blocks at which pools are judged (300 are one hour). Tokens have no age.",
    )


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError when data or libraries are missing."""
    horizon = options["horizon_blocks"]
    if not 1 <= horizon <= HORIZON_MAX:
        raise ConfigurationError(
            f"--horizon-blocks {horizon} is no age to judge at.", remedy=f"Choose 1 to {HORIZON_MAX}."
        )
    data = _Data.read(options["data"], horizon)
    if options["test"] is None:
        scored = _cross_validated(data)
        rows = data.judged
    else:
        test = _Data.read(options["test"], horizon)
        if test.is_pools != data.is_pools:
            raise ConfigurationError(
                "--data and --test hold different kinds of data.", remedy="Name two folders of one kind."
            )
        rows = test.judged
        scored = _predicted(fit(data.teaching, data.settings), rows)
    return _report(rows, scored, horizon=horizon if data.is_pools else None)


@dataclass(frozen=True, slots=True)
class _Data:
    judged: Sequence[Labelled]
    teaching: Sequence[Labelled]  # the same pools at several ages
    is_pools: bool

    @property
    def settings(self) -> Settings:
        return PATH if self.is_pools else TOKENS

    @classmethod
    def read(cls, folder: Path, horizon: int) -> _Data:
        if not is_pools(folder):
            tokens = read_tokens(folder)
            return cls(judged=_enough(tokens, folder), teaching=tokens, is_pools=False)
        pools = read_pools(folder)
        teaching = [row for age in horizons_around(horizon) for row in pools.cut(age)]
        return cls(judged=_enough(list(pools.cut(horizon)), folder), teaching=teaching, is_pools=True)


def _enough(rows: Sequence[Labelled], folder: Path) -> Sequence[Labelled]:
    losses = sum(row.lost for row in rows)
    if min(losses, len(rows) - losses) < _ROWS_MIN:
        raise ConfigurationError(
            f"{folder} has {losses} losses and {len(rows) - losses} others: too few to measure anything.",
            remedy=f"At least {_ROWS_MIN} of each are needed.",
        )
    return rows


# -- predictions --------------------------------------------------------------------------
@dataclass(frozen=True, slots=True)
class _Predictions:
    """Predictions with all inputs, and with some hidden."""

    full: Scored
    missing: Mapping[int, Scored]
    upper: Any  # upper bound of the estimate for all inputs, bps; NaN where it is unknown


def _cross_validated(data: _Data) -> _Predictions:
    parts = folds(data.judged, count=_PARTS, seed=SEED)
    place = {row.group: part for row, part in zip(data.judged, parts, strict=True)}
    pieces: list[tuple[list[int], _Predictions]] = []
    for number in range(_PARTS):
        own = [at for at, part in enumerate(parts) if part == number]
        others = [row for row in data.teaching if place.get(row.group) != number]
        pieces.append((own, _predicted(fit(others, data.settings), [data.judged[at] for at in own])))
    return _joined(pieces)


def _joined(pieces: Sequence[tuple[Sequence[int], _Predictions]]) -> _Predictions:
    np = needed_library("numpy")
    back = np.argsort([at for own, _ in pieces for at in own])

    def join(parts: Sequence[Scored]) -> Scored:
        return Scored(
            lost=np.concatenate([part.lost for part in parts]),
            probability=np.concatenate([part.probability for part in parts]),
            balanced=np.concatenate([part.balanced for part in parts]),
            refused=np.concatenate([part.refused for part in parts]),
            group=[group for part in parts for group in part.group],
            era=np.concatenate([part.era for part in parts]),
        ).at(back)

    return _Predictions(
        join([piece.full for _, piece in pieces]),
        {share: join([piece.missing[share] for _, piece in pieces]) for share in _MISSING},
        np.concatenate([piece.upper for _, piece in pieces])[back],
    )


def _predicted(model: LossModel, rows: Sequence[Labelled]) -> _Predictions:
    return _Predictions(
        _scored(model, rows, hidden_percent=0),
        {share: _scored(model, rows, hidden_percent=share) for share in _MISSING},
        _upper(model, rows),
    )


def _upper(model: LossModel, rows: Sequence[Labelled]) -> Any:
    """Return what the rule loss_probability compares with its maximum."""
    np = needed_library("numpy")
    found = [
        probability(((model, row.features),), base_rate=model.base_rate, as_of_ms=0).high for row in rows
    ]
    return np.array([math.nan if high is None else float(high) for high in found])


def _scored(model: LossModel, rows: Sequence[Labelled], *, hidden_percent: int) -> Scored:
    np = needed_library("numpy")
    balanced = np.array(
        [model.balanced(_hidden(model.row(row.features), row.key, hidden_percent)) for row in rows]
    )
    return Scored(
        lost=np.array([float(row.lost) for row in rows]),
        probability=np.array([model.with_base_rate(value) for value in balanced]),
        balanced=balanced,
        refused=(balanced >= model.threshold).astype(float),
        group=[row.group for row in rows],
        era=np.array([row.era for row in rows]),
    )


def _hidden(row: list[float], key: str, percent: int) -> list[float]:
    """Return the row with each input hidden by its own chance, the same in every run."""
    if not percent:
        return row
    chance = random.Random(f"{SEED}/{percent}/{key}")  # noqa: S311  # for measuring, not for secrets
    return [math.nan if chance.random() * 100 < percent else value for value in row]


# -- rules to compare with ----------------------------------------------------------------
def lp_rule(row: Labelled) -> bool:
    """Tell whether the two-condition rule refuses: the maker holds half of the LP tokens, and less than half are locked.

    Burned ones count as locked. Unknown holdings are refused.
    """
    found = row.features
    maker = found.get("lp_maker", found.get("lp_creator_holding_ratio"))
    locked = found.get("lp_lock_ratio")
    if "lp_locked" in found:
        locked = (found["lp_locked"] or 0.0) + (found.get("lp_burned") or 0.0)
    if maker is None or locked is None:
        return True
    return maker >= _HALF and locked < _HALF


# -- the report ---------------------------------------------------------------------------
def _report(rows: Sequence[Labelled], made: _Predictions, *, horizon: int | None) -> Mapping[str, Any]:
    np = needed_library("numpy")
    newest = max(row.era for row in rows)
    always = np.ones(len(rows))
    rule = np.array([float(lp_rule(row)) for row in rows])
    return {
        "n": len(rows),
        "n_lost": sum(row.lost for row in rows),
        "n_by_era": dict(sorted(Counter(row.era or "all" for row in rows).items())),
        "horizon_blocks": horizon,
        "metrics": figures(made.full, newest=newest),
        "baselines": {
            "always_scam": rule_figures(made.full, always, newest=newest),
            "lp_rule": rule_figures(made.full, rule, newest=newest),
        },
        "ci95": intervals(made.full, newest=newest, seed=SEED),
        "missing": {str(share): figures(made.missing[share], newest=newest) for share in _MISSING},
        "gate": gate_figures(made.full.lost, made.upper, maximum_bps=Rules().loss_probability_max_bps),
        "definitions": DEFINITIONS,
    }


def gate_figures(lost: Any, upper: Any, *, maximum_bps: int) -> dict[str, float | int | None]:
    """Return what the rule loss_probability does at its default maximum; an unknown probability refuses nothing."""
    refused = upper > maximum_bps  # never so for NaN
    kept = lost[~refused]
    return {
        "maximum_bps": maximum_bps,
        "refused_share": round(float(refused.mean()), 4),
        "lost_refused": round(float(refused[lost == 1].mean()), 4),
        "alive_kept": round(float((~refused)[lost == 0].mean()), 4),
        "lost_share_of_kept": round(float(kept.mean()), 4) if len(kept) else None,
    }
