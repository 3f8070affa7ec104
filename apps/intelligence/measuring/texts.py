"""Figures of a classifier of texts with two or three classes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from apps.intelligence.logic.sentiment import BEARISH, BULLISH, NEUTRAL
from apps.intelligence.measuring.labelled_texts import LabelledText
from apps.intelligence.measuring.libraries import needed_library

BOOTSTRAP_ROUNDS = 300
_DIGITS = 4
_ORDER = (BEARISH, BULLISH, NEUTRAL)


def classes_of(rows: Sequence[LabelledText]) -> tuple[str, ...]:
    """Return the classes that these rows have, in the model's order."""
    present = {row.label for row in rows}
    return tuple(name for name in _ORDER if name in present)


def chosen(rows: Sequence[LabelledText], chances: Sequence[Sequence[float]]) -> list[str]:
    """Return the likeliest class of each row among those that the rows have.

    A model of three classes that is asked about two leaves the third out.
    """
    allowed = classes_of(rows)
    return [
        max(
            (name for name in _ORDER[: len(item)] if name in allowed),
            key=lambda name, item=item: item[_ORDER.index(name)],  # type: ignore[misc]
        )
        for item in chances
    ]


def macro_f1(rows: Sequence[LabelledText], chances: Sequence[Sequence[float]]) -> float:
    """Return the mean of the classes' F1."""
    return label_figures([row.label for row in rows], chosen(rows, chances))["macro_f1"]


def label_figures(truth: Sequence[str], said: Sequence[str]) -> dict[str, float]:
    """Return macro-F1, accuracy and each class's F1."""
    found: dict[str, float] = {}
    pairs = list(zip(truth, said, strict=True))
    for name in sorted(set(truth)):
        hit = sum(one == name == other for one, other in pairs)
        either = sum(one == name for one, _ in pairs) + sum(other == name for _, other in pairs)
        found[f"f1_{name}"] = 2 * hit / either
    macro = sum(found.values()) / len(found)
    accuracy = sum(one == other for one, other in pairs) / len(pairs)
    return {
        key: round(value, _DIGITS)
        for key, value in {"macro_f1": macro, "accuracy": accuracy, **found}.items()
    }


def label_intervals(truth: Sequence[str], said: Sequence[str], *, seed: int) -> Mapping[str, list[float]]:
    """Return 95 % intervals of the figures: rows are drawn again and again with replacement."""
    np = needed_library("numpy")
    rng = np.random.default_rng(seed)
    one, other = np.array(truth), np.array(said)
    drawn: dict[str, list[float]] = {}
    for _ in range(BOOTSTRAP_ROUNDS):
        places = rng.integers(len(one), size=len(one))
        if len(set(one[places])) == len(set(truth)):
            for name, value in label_figures(one[places].tolist(), other[places].tolist()).items():
                drawn.setdefault(name, []).append(value)
    return {
        name: [round(float(bound), _DIGITS) for bound in np.quantile(values, (0.025, 0.975))]
        for name, values in drawn.items()
    }
