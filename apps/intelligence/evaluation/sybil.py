"""`manage.py evaluate sybil`: how well addresses of the same person are told from single ones.

Every likelihood is made by trees that saw nobody of the address's published group; the threshold is chosen without the
rows that it is measured on. The rule beside it names whoever dealt with at least two other participants.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.intelligence.fitting.sybil import (
    SEED,
    SybilData,
    best_threshold,
    boosted,
    cross_validated,
    read,
    shipped_model,
    threshold_of,
)
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.metrics import Scored, figures, intervals, rule_figures

HELP = "Addresses of one person among the participants of an airdrop, against a simple rule."
_RULE_PEERS_MIN = 2
_HALVES = 2
DEFINITIONS = {
    "positive": "an address that was eliminated as one of many of the same person",
    "auc": "the chance that a Sybil scores above another",
    "f1": "at the threshold that was best on rows other than those measured",
    "rule": "names whoever paid or was paid by at least two other participants",
    "ci95": "bootstrap of whole published groups",
    "shipped": "the shipped parameters on these rows; where they were fitted on them, that is no measure of skill",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate sybil` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with addresses.* and edges.*."
    )
    parser.add_argument(
        "--test",
        type=Path,
        metavar="DIR",
        help="Score this folder with trees fitted on --data, instead of cross-validating.",
    )


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError when data or libraries are missing."""
    np = needed_library("numpy")
    data = read(options["data"])
    unseen = cross_validated(data)
    if options["test"] is None:
        judged, likelihood = data, unseen.whole
        named = _named_by_halves(data, unseen.whole)
    else:
        judged = read(options["test"])
        everything = np.ones(len(data.group), dtype=bool)
        likelihood = boosted(data, everything).predict(judged.rows, num_threads=1)
        named = likelihood >= threshold_of(data, unseen)
    return _report(judged, likelihood, named.astype(float))


def _named_by_halves(data: SybilData, likelihood: Any) -> Any:
    """Return who is named: each half of the groups at the threshold that was best on the other half."""
    np = needed_library("numpy")
    names = {group: number for number, group in enumerate(sorted(set(data.group)))}
    half = np.array([names[group] % _HALVES for group in data.group])
    named = np.zeros(len(half), dtype=bool)
    for number in range(_HALVES):
        own = half == number
        named[own] = likelihood[own] >= best_threshold(data.is_sybil[~own], likelihood[~own])
    return named


def _report(data: SybilData, likelihood: Any, named: Any) -> Mapping[str, Any]:
    np = needed_library("numpy")
    scored = Scored(
        lost=data.is_sybil,
        probability=likelihood,
        balanced=likelihood,
        refused=named,
        group=data.group,
        era=np.array([""] * len(data.group)),
    )
    rule = rule_figures(scored, data.peers >= _RULE_PEERS_MIN)
    own = shipped_model()
    shipped = np.array([own.likelihood(row) for row in data.rows.tolist()])
    return {
        "n": len(data.group),
        "n_sybil": int(data.is_sybil.sum()),
        "n_groups": len(set(data.group)),
        "metrics": {**figures(scored), "precision": _share(data.is_sybil, named)},
        "baselines": {
            "rule": {
                **rule,
                "precision": _share(data.is_sybil, (data.peers >= _RULE_PEERS_MIN).astype(float)),
            }
        },
        "ci95": intervals(scored, seed=SEED),
        "shipped": {
            "threshold": own.threshold,
            **figures(
                Scored(
                    lost=data.is_sybil,
                    probability=shipped,
                    balanced=shipped,
                    refused=(shipped >= own.threshold).astype(float),
                    group=data.group,
                    era=np.array([""] * len(data.group)),
                )
            ),
        },
        "definitions": DEFINITIONS,
    }


def _share(is_sybil: Any, named: Any) -> float | None:
    count = float(named.sum())
    return round(float((is_sybil * named).sum()) / count, 4) if count else None
