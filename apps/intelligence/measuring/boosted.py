"""The trees of a fitted LightGBM booster, as the running system scores them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from apps.intelligence.logic.trees import Node, Tree

_DIGITS = 6


def trees_of(booster: Any) -> tuple[Tree, ...]:
    """Return a booster's trees."""
    return tuple(_tree(item["tree_structure"]) for item in booster.dump_model()["tree_info"])


def _tree(root: Mapping[str, Any]) -> Tree:
    """Return a tree with its nodes in the order of a walk, parents first."""
    nodes: list[list[Any]] = []
    leaves: list[float] = []

    def take(node: Mapping[str, Any]) -> int:
        if "split_feature" not in node:
            leaves.append(round(float(node["leaf_value"]), _DIGITS))
            return -len(leaves)
        at = len(nodes)
        # Without a kind of missing value of its own a node takes unknown for zero.
        zero_goes_left = node["threshold"] >= 0
        unknown_left = node["default_left"] if node["missing_type"] == "NaN" else zero_goes_left
        nodes.append([node["split_feature"], float(f"{node['threshold']:.9g}"), 0, 0, int(unknown_left)])
        nodes[at][2] = take(node["left_child"])
        nodes[at][3] = take(node["right_child"])
        return at

    take(root)
    finished: list[Node] = [
        (f, threshold, left, right, unknown) for f, threshold, left, right, unknown in nodes
    ]
    return Tree(tuple(finished), tuple(leaves))
