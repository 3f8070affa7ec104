"""Fitted decision trees in plain Python: what runs needs no library of those that fit them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

NODES_MAX = 1_000

#: One inner node: feature, threshold, left, right, whether unknown goes left. A child below 0 is leaf ``-1 - child``.
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
            feature, threshold, left, right, unknown_left = self.nodes[at]
            value = row[feature]
            goes_left = unknown_left if value != value else value <= threshold  # noqa: PLR0124  # NaN
            at = left if goes_left else right
        return self.leaves[-1 - at]


def tree_from_json(item: Sequence[Any], inputs: int) -> Tree:
    """Return a tree whose children come after their parents, so that every walk ends. Raises ValueError."""
    raw, leaves = item
    if len(raw) > NODES_MAX or len(leaves) != len(raw) + 1:
        raise ValueError("a tree of senseless size")
    nodes: list[Node] = []
    for place, (feature, threshold, left, right, unknown_left) in enumerate(raw):
        for child in (left, right):
            if not (place < child < len(raw) or -len(leaves) <= child < 0):
                raise ValueError("a tree that does not end")
        if not 0 <= feature < inputs:
            raise ValueError("a tree that asks for an input that does not exist")
        nodes.append((int(feature), float(threshold), int(left), int(right), int(unknown_left)))
    return Tree(tuple(nodes), tuple(map(float, leaves)))
