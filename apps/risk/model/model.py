"""The probability of loss from fitted parameters: gradient boosted trees, calibrated, in plain Python.

Several tree models, each fitted without one part of the pools, are averaged; how far they disagree is part of the
bounds. Calibration goes by how much was known, because the same score means less when it rests on less.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from apps.domain.errors import BadDataError
from apps.intelligence.logic.trees import Tree, tree_from_json
from apps.risk.model.history import Features

FORMAT = 1
#: Below this coverage nothing is said at all.
COVERAGE_MIN = 0.10
#: 90 % of a normal distribution lies within so many deviations.
_DEVIATIONS = 1.645
_LOGIT_MAX = 9.0
_TREES_MAX = 5_000


@dataclass(frozen=True, slots=True)
class Calibration:
    """How a score becomes log odds where at most ``coverage_max`` of the inputs' weight is known."""

    coverage_max: float
    slope: float
    offset: float


@dataclass(frozen=True, slots=True)
class Spread:
    """How far the log odds move (down is negative) once the unknown inputs come in, where at most so much is known.

    80 % of the rows lie within: learned by hiding inputs that were known. Setting each unknown input by itself to an
    adverse or benign value was tried and held far less, because inputs do not change one by one.
    """

    coverage_max: float
    down: float
    up: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Probability:
    """A probability of loss at the base rate of the training data; ``balanced`` is what the evidence alone says.

    ``balanced`` starts from even odds instead, so that the base rate alone never decides anything. ``low`` and
    ``high`` are what it could be once the unknown inputs are known, benign or adverse, and given that the members
    disagree.
    """

    value: float
    low: float
    high: float
    balanced: float
    coverage: float


@dataclass(frozen=True, kw_only=True)
class LossModel:
    """Fitted parameters. ``weights`` says how much of the trees' gain each input carries; they sum to one."""

    name: str
    inputs: tuple[str, ...]
    members: tuple[tuple[Tree, ...], ...]
    calibrations: tuple[Calibration, ...]
    base_rate: float  # share of loss among the training rows
    weights: tuple[float, ...]
    spreads: tuple[Spread, ...]
    threshold: float  # of ``balanced``: where Matthews' correlation was best in training

    def row(self, features: Features) -> list[float]:
        """Return the inputs in the model's order, NaN for unknown."""
        found = (features.get(name) for name in self.inputs)
        return [math.nan if value is None else value for value in found]

    def coverage(self, row: Sequence[float]) -> float:
        """Return how much of the inputs' weight is known, 0..1."""
        return sum(weight for weight, value in zip(self.weights, row, strict=True) if value == value)  # noqa: PLR0124

    def scores(self, row: Sequence[float]) -> list[float]:
        """Return each member's log odds, uncalibrated."""
        return [sum(tree.value(row) for tree in trees) for trees in self.members]

    def balanced(self, row: Sequence[float]) -> float:
        """Return the calibrated probability at even odds."""
        scores = self.scores(row)
        return _sigmoid(self._calibrated(sum(scores) / len(scores), self.coverage(row)))

    def probability(self, features: Features) -> Probability | None:
        """Return the probability of loss, None when too little is known to say anything."""
        row = self.row(features)
        coverage = self.coverage(row)
        if coverage < COVERAGE_MIN:
            return None
        scores = self.scores(row)
        score = sum(scores) / len(scores)
        doubt = _DEVIATIONS * math.sqrt(sum((item - score) ** 2 for item in scores) / len(scores))
        logit = self._calibrated(score, coverage)
        unknown = next(
            item for item in self.spreads if coverage <= item.coverage_max or item is self.spreads[-1]
        )
        low = min(self._calibrated(score - doubt, coverage), logit + unknown.down)
        high = max(self._calibrated(score + doubt, coverage), logit + unknown.up)
        return Probability(
            value=_sigmoid(logit + self._base_logit),
            low=_sigmoid(low + self._base_logit),
            high=_sigmoid(high + self._base_logit),
            balanced=_sigmoid(logit),
            coverage=min(coverage, 1.0),
        )

    def with_base_rate(self, balanced: float) -> float:
        """Return a probability at even odds as one at the base rate."""
        return _sigmoid(_logit(balanced) + self._base_logit)

    @cached_property
    def _base_logit(self) -> float:
        return _logit(self.base_rate)

    def _calibrated(self, score: float, coverage: float) -> float:
        fit = next(
            (item for item in self.calibrations if coverage <= item.coverage_max), self.calibrations[-1]
        )
        return max(-_LOGIT_MAX, min(_LOGIT_MAX, fit.slope * score + fit.offset))


def _sigmoid(logit: float) -> float:
    return 1 / (1 + math.exp(-logit))


def _logit(share: float) -> float:
    share = min(max(share, 1e-6), 1 - 1e-6)
    return math.log(share / (1 - share))


# -- as text ------------------------------------------------------------------------------
def model_to_json(model: LossModel) -> str:
    """Return the model as text, the same bytes for the same parameters."""
    fields = {
        "format": FORMAT,
        "name": model.name,
        "base_rate": model.base_rate,
        "threshold": model.threshold,
        "inputs": model.inputs,
        "weights": model.weights,
        "spreads": [[item.coverage_max, item.down, item.up] for item in model.spreads],
        "calibrations": [[item.coverage_max, item.slope, item.offset] for item in model.calibrations],
        "members": [[[tree.nodes, tree.leaves] for tree in trees] for trees in model.members],
    }
    lines = (f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'))}" for key, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def model_from_json(text: str) -> LossModel:
    """Return the model that ``model_to_json`` wrote. Raises BadDataError when the text is not one."""
    try:
        fields = json.loads(text)
        if fields["format"] != FORMAT:
            raise ValueError(f"format {fields['format']} instead of {FORMAT}")
        members = tuple(
            tuple(tree_from_json(item, len(fields["inputs"])) for item in trees)
            for trees in fields["members"]
        )
        if not members or sum(map(len, members)) > _TREES_MAX:
            raise ValueError("no trees or too many")
        return LossModel(
            name=str(fields["name"]),
            inputs=tuple(fields["inputs"]),
            members=members,
            calibrations=tuple(Calibration(*map(float, item)) for item in fields["calibrations"]),
            base_rate=float(fields["base_rate"]),
            weights=tuple(map(float, fields["weights"])),
            spreads=tuple(Spread(*map(float, item)) for item in fields["spreads"]),
            threshold=float(fields["threshold"]),
        )
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadDataError(
            f"The parameters of the probability of loss are not readable: {error}.",
            remedy="Restore the file from the repository, or fit it anew with 'manage.py train risk'.",
        ) from error
