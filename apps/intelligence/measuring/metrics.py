"""Figures of a classifier. Positive is a loss; probabilities are of a loss. A figure that has no meaning is None."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.intelligence.measuring.libraries import needed_library

ECE_BINS = 10
FPR_MAX = 0.10
#: Evidence decides from nine to one upwards, either way.
DECIDED = 0.90
BOOTSTRAP_ROUNDS = 300
_DIGITS = 4

Figures = dict[str, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """Rows with their outcome and what was predicted, all columns of one length.

    ``probability`` is at the base rate, ``balanced`` at even odds, ``refused`` is the class.
    """

    lost: Any
    probability: Any
    balanced: Any
    refused: Any
    group: Sequence[str]
    era: Any

    def at(self, places: Any) -> Scored:
        """Return these rows, in this order."""
        return Scored(
            lost=self.lost[places],
            probability=self.probability[places],
            balanced=self.balanced[places],
            refused=self.refused[places],
            group=[self.group[place] for place in places],
            era=self.era[places],
        )


def figures(rows: Scored, *, newest: str = "") -> Figures:
    """Return all figures; those ending in the newest era speak of its rows alone."""
    np = needed_library("numpy")
    found: Figures = {"auc": auc(rows.lost, rows.balanced), **confusion_figures(rows.lost, rows.refused)}
    found["recall_at_fpr10"] = recall_at_fpr(rows.lost, rows.balanced)
    found["brier"] = float(np.mean((rows.probability - rows.lost) ** 2))
    found["ece"] = calibration_error(rows.lost, rows.probability)
    found.update(decided(rows.lost, rows.balanced))
    if newest:
        own = np.flatnonzero(rows.era == newest)
        found[f"auc_{newest}"] = auc(rows.lost[own], rows.balanced[own])
        found[f"mcc_{newest}"] = confusion_figures(rows.lost[own], rows.refused[own])["mcc"]
    return {name: None if value is None else round(value, _DIGITS) for name, value in found.items()}


def intervals(
    rows: Scored, *, newest: str = "", seed: int, rounds: int = BOOTSTRAP_ROUNDS
) -> dict[str, list[float]]:
    """Return 95 % intervals of all figures: whole groups are drawn again and again with replacement."""
    np = needed_library("numpy")
    members: dict[str, list[int]] = {}
    for place, group in enumerate(rows.group):
        members.setdefault(group, []).append(place)
    parts = [np.array(places) for places in members.values()]
    rng = np.random.default_rng(seed)
    drawn: dict[str, list[float]] = {}
    for _ in range(rounds):
        places = np.concatenate([parts[at] for at in rng.integers(len(parts), size=len(parts))])
        for name, value in figures(rows.at(places), newest=newest).items():
            if value is not None:
                drawn.setdefault(name, []).append(value)
    return {
        name: [round(float(bound), _DIGITS) for bound in np.quantile(values, (0.025, 0.975))]
        for name, values in drawn.items()
    }


def auc(lost: Any, score: Any) -> float | None:
    """Return the chance that a loss scores above a gain, ties counting half."""
    np = needed_library("numpy")
    positives, negatives = int(lost.sum()), int((1 - lost).sum())
    if not positives or not negatives:
        return None
    _, place, count = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(count) - (count - 1) / 2)[place]
    return float((ranks[lost == 1].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def confusion_figures(lost: Any, refused: Any) -> Figures:
    """Return what follows from the classes alone."""
    tp, fp = float((lost * refused).sum()), float(((1 - lost) * refused).sum())
    fn, tn = float((lost * (1 - refused)).sum()), float(((1 - lost) * (1 - refused)).sum())
    f1, f1_other = _ratio(2 * tp, 2 * tp + fp + fn), _ratio(2 * tn, 2 * tn + fp + fn)
    recall, specificity = _ratio(tp, tp + fn), _ratio(tn, tn + fp)
    below = ((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)) ** 0.5
    return {
        # A classifier that gives one answer only knows nothing: its correlation is zero by convention.
        "mcc": (tp * tn - fp * fn) / below if below else 0.0,
        "f1": f1,
        "macro_f1": None if f1 is None or f1_other is None else (f1 + f1_other) / 2,
        "balanced_accuracy": None if recall is None or specificity is None else (recall + specificity) / 2,
    }


def _ratio(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def recall_at_fpr(lost: Any, score: Any, *, fpr_max: float = FPR_MAX) -> float | None:
    """Return the share of losses caught when at most ``fpr_max`` of the gains may be refused."""
    np = needed_library("numpy")
    positives, negatives = lost.sum(), (1 - lost).sum()
    if not positives or not negatives:
        return None
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True))  # ties are taken together
    caught, wrong = np.cumsum(lost[order])[ends], np.cumsum(1 - lost[order])[ends]
    allowed = caught[wrong <= fpr_max * negatives]
    return float(allowed.max() / positives) if len(allowed) else 0.0


def calibration_error(lost: Any, probability: Any, *, bins: int = ECE_BINS) -> float:
    """Return the expected calibration error over bins of equal width."""
    np = needed_library("numpy")
    place = np.minimum((probability * bins).astype(int), bins - 1)
    error = 0.0
    for number in range(bins):
        own = place == number
        if own.any():
            error += float(own.mean()) * abs(float(lost[own].mean()) - float(probability[own].mean()))
    return error


def decided(lost: Any, balanced: Any) -> Figures:
    """Return on which share the evidence decides, and how often rightly; both outcomes count the same."""
    np = needed_library("numpy")
    weight = np.where(lost == 1, 0.5 / max(lost.sum(), 1), 0.5 / max((1 - lost).sum(), 1))
    is_decided = (balanced >= DECIDED) | (balanced <= 1 - DECIDED)
    share = float(weight[is_decided].sum() / weight.sum())
    right = (balanced >= DECIDED) == (lost == 1)
    accuracy = float(weight[is_decided & right].sum() / weight[is_decided].sum()) if share else None
    return {"decided_share": share, "accuracy_decided": accuracy}


def rule_figures(rows: Scored, refused: Any, *, newest: str = "") -> Mapping[str, float | None]:
    """Return the figures of a rule that refuses or not: what is no probability has no calibration."""
    np = needed_library("numpy")
    as_score = refused.astype(float)
    own = Scored(
        lost=rows.lost,
        probability=as_score,
        balanced=as_score,
        refused=as_score,
        group=rows.group,
        era=np.asarray(rows.era),
    )
    return figures(own, newest=newest)
