"""The fitted likelihood that an address is one of many of the same person: boosted trees in plain Python."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.domain.errors import BadDataError
from apps.intelligence.logic.trees import Tree, tree_from_json

FORMAT = 1
TREES_MAX = 2_000
_LOGIT_MAX = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class SybilModel:
    """Fitted parameters. ``threshold`` is where F1 was best on rows that the trees had not seen."""

    inputs: tuple[str, ...]
    trees: tuple[Tree, ...]
    threshold: float
    card: dict[str, Any]  # data, licence, figures: what a person must know before he trusts it

    def likelihood(self, row: Sequence[float]) -> float:
        """Return the likelihood, 0..1, at the share of Sybils in the fitted data."""
        score = math.fsum(tree.value(row) for tree in self.trees)
        return 1 / (1 + math.exp(-min(max(score, -_LOGIT_MAX), _LOGIT_MAX)))


def model_to_json(model: SybilModel) -> str:
    """Return the model as text, the same bytes for the same model."""
    return (
        json.dumps(
            {
                "format": FORMAT,
                "card": model.card,
                "inputs": model.inputs,
                "threshold": round(model.threshold, 6),
                "trees": [[tree.nodes, tree.leaves] for tree in model.trees],
            },
            separators=(",", ":"),
        )
        + "\n"
    )


def model_from_json(text: str) -> SybilModel:
    """Return the model that ``model_to_json`` wrote. Raises BadDataError."""
    try:
        found = json.loads(text)
        if found["format"] != FORMAT or not 0 < len(found["trees"]) <= TREES_MAX:
            raise BadDataError("the parameters are of another format", format=str(found["format"]))
        inputs = tuple(str(name) for name in found["inputs"])
        trees = tuple(tree_from_json(item, len(inputs)) for item in found["trees"])
        return SybilModel(
            inputs=inputs, trees=trees, threshold=float(found["threshold"]), card=dict(found["card"])
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadDataError(f"the parameters cannot be understood: {error}") from error
