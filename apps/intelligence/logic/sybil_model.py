"""The fitted likelihood that an address is one of many of the same person: boosted trees in plain Python."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from apps.domain.errors import BadDataError

FORMAT = 1
TREES_MAX, NODES_MAX = 2_000, 500
_LOGIT_MAX = 20.0

#: One inner node: input, threshold, left, right, whether unknown goes left. A child below 0 is leaf ``-1 - child``.
Node = tuple[int, float, int, int, int]


@dataclass(frozen=True, slots=True)
class Tree:
    """One tree; without nodes it is its single leaf."""

    nodes: tuple[Node, ...]
    leaves: tuple[float, ...]

    def value(self, row: Sequence[float]) -> float:
        """Return the leaf that ``row`` (NaN for unknown) falls into."""
        at = 0 if self.nodes else -1
        while at >= 0:
            place, threshold, left, right, unknown_left = self.nodes[at]
            value = row[place]
            at = left if (unknown_left if math.isnan(value) else value <= threshold) else right
        return self.leaves[-1 - at]


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
                "trees": [{"nodes": tree.nodes, "leaves": tree.leaves} for tree in model.trees],
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
        trees = tuple(_tree(item, inputs=len(inputs)) for item in found["trees"])
        return SybilModel(
            inputs=inputs, trees=trees, threshold=float(found["threshold"]), card=dict(found["card"])
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadDataError(f"the parameters cannot be understood: {error}") from error


def _tree(item: Any, *, inputs: int) -> Tree:
    nodes = tuple((int(f), float(t), int(lo), int(hi), int(u)) for f, t, lo, hi, u in item["nodes"])
    leaves = tuple(float(value) for value in item["leaves"])
    if len(nodes) > NODES_MAX or len(leaves) != len(nodes) + 1:
        raise ValueError("a tree of impossible shape")
    for at, (place, _, *children, _unknown) in enumerate(nodes):
        for child in children:
            is_inner = at < child < len(nodes)  # children stand behind their parent: no walk is endless
            if not is_inner and not 0 <= -1 - child < len(leaves):
                raise ValueError("a tree whose branches lead nowhere")
        if not 0 <= place < inputs:
            raise ValueError("a tree that asks for an unknown input")
    return Tree(nodes, leaves)
