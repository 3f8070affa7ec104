"""`manage.py evaluate contracts`: which powers bytecode alone gives away, on contracts of rugs that people labelled by hand.

Two readers are measured. Rules say what storage shows: who beside transfers writes balances, and what transfers read that
somebody else writes. A fitted reader weighs the same features; it is cross-validated, contracts of equal code together.
The published figure is of another set of contracts that holds these: it is told beside ours and not the same.
"""

from __future__ import annotations

import csv
import gzip
import io
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.chains.evm.bytecode import CodeView, Variable, variables_of, view_of
from apps.domain.errors import BadDataError, ConfigurationError
from apps.intelligence.logic.contract import control_families
from apps.intelligence.logic.control_selectors import CONTROL_SELECTORS
from apps.intelligence.measuring.libraries import needed_library

HELP = "The risk kinds of token contracts from their bytecode alone, against labels made by hand."
KINDS = ("hidden_mint", "leaking_token", "limiting_sell")
#: Micro-F1 of the published analyser on its 69 contracts. Source: CRPWarner, TSE 2024, arXiv 2403.01425.
PUBLISHED_MICRO_F1 = 0.887
SEED = 20_261
PARTS = 5
BOOTSTRAP_ROUNDS = 500
ROWS_MAX = 20_000
FILES_MAX = 16
CODE_CHARS_MAX = 2 * 1024 * 1024
FILE_BYTES_MAX = 256 * 1024 * 1024
_TRANSFER, _TRANSFER_FROM, _APPROVE = "0xa9059cbb", "0x23b872dd", "0x095ea7b3"
_MOVES = frozenset({_TRANSFER, _TRANSFER_FROM})
_BALANCE_OF, _SUPPLY = "0x70a08231", "0x18160ddd"
#: burn(uint256) and burnFrom(address,uint256): holders' own doing; ERC-721's safe transfers: a transfer.
_HARMLESS = frozenset({_APPROVE, "0x42966c68", "0x79cc6790", "0x42842e0e", "0xb88d4fde"})
_REGULARISATION = 0.3
_COUNTED_MAX = 8
_FUNCTIONS_COUNTED_MAX = 80
_HALF = 0.5
_DIGITS = 4
DEFINITIONS = {
    "hidden_mint": "rule: a function that is no transfer, no burn and takes no list of accounts writes balances or the supply",
    "leaking_token": "rule: a function that is no transfer writes balances and takes a list of accounts, or two accounts",
    "limiting_sell": "rule: a transfer reads a value, or a value kept for each account, that a function other than transfers writes",
    "fitted": "logistic regression on counts of such functions and values, families of known functions and opcodes",
    "checked": "detections of the published tool on other contracts that people checked, in --data: the rules' answers",
    "ci95": "bootstrap of whole groups of contracts with equal code",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """One labelled contract. A kind that nobody judged is absent from ``labels``."""

    address: str
    group: str  # equal for equal code
    labels: Mapping[str, bool]
    features: tuple[float, ...]
    ruled: Mapping[str, bool]


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate contracts` takes."""
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="A folder with groundtruth.* (address, a column of 0 and 1 a kind, bytecode) and perhaps large_manual.*"
        " (address, aspect, manual_true_positive, bytecode), which is only fitted on.",
    )
    parser.add_argument(
        "--test",
        type=Path,
        metavar="DIR",
        help="Score this folder's groundtruth.* with a reader fitted on --data, instead of cross-validating.",
    )


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError or BadDataError when data or libraries are missing."""
    judged, more = _read(options["data"])
    if options["test"] is None:
        rows, fitted = judged, _cross_validated(judged, more)
    else:
        rows = _read(options["test"])[0]
        fitted = _predicted(fit_on=[*judged, *more], rows=rows)
    ruled = [[row.ruled[kind] for kind in KINDS] for row in rows]
    everything = [[True] * len(KINDS) for _ in rows]
    truths = [[row.labels[kind] for kind in KINDS] for row in rows]
    groups = [row.group for row in rows]
    return {
        "n": len(rows),
        "positives": {kind: sum(truth[place] for truth in truths) for place, kind in enumerate(KINDS)},
        "metrics": figures(truths, ruled),
        "kinds": {kind: _kind_figures(truths, ruled, place) for place, kind in enumerate(KINDS)},
        "ci95": {
            "micro_f1": interval(truths, ruled, groups),
            "fitted_micro_f1": interval(truths, fitted, groups),
        },
        "baselines": {
            "fitted": figures(truths, fitted),
            "always": figures(truths, everything),
            "published": {"micro_f1": PUBLISHED_MICRO_F1},
        },
        "checked": _checked(more),
        "missing": {},
        "definitions": DEFINITIONS,
    }


# -- figures ------------------------------------------------------------------------------------------


def figures(truths: Sequence[Sequence[bool]], answers: Sequence[Sequence[bool]]) -> dict[str, float | None]:
    """Return precision, recall and F1 over all contracts and kinds together, and the mean of the kinds' F1."""
    pairs = [
        pair
        for truth, answer in zip(truths, answers, strict=True)
        for pair in zip(truth, answer, strict=True)
    ]
    by_kind = [_kind_figures(truths, answers, place)["f1"] for place in range(len(KINDS))]
    known = [value for value in by_kind if value is not None]
    told = _told(pairs)
    return {
        "micro_f1": told["f1"],
        "precision": told["precision"],
        "recall": told["recall"],
        "macro_f1": round(sum(known) / len(known), _DIGITS) if known else None,
    }


def interval(
    truths: Sequence[Sequence[bool]], answers: Sequence[Sequence[bool]], groups: Sequence[str]
) -> list[float]:
    """Return the 95 % interval of micro-F1: whole groups are drawn again and again with replacement."""
    members: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        members.setdefault(group, []).append(place)
    parts = list(members.values())
    chance = random.Random(SEED)  # noqa: S311  # a bootstrap, to be repeated exactly
    values: list[float] = []
    for _ in range(BOOTSTRAP_ROUNDS):
        places = [place for part in chance.choices(parts, k=len(parts)) for place in part]
        value = figures([truths[at] for at in places], [answers[at] for at in places])["micro_f1"]
        values += [] if value is None else [value]
    values.sort()
    if not values:
        return []
    return [values[int(share * (len(values) - 1))] for share in (0.025, 0.975)]


def _checked(rows: Sequence[Contract]) -> dict[str, dict[str, int]]:
    """Return, of another tool's detections that people checked, how many of the true and of the false the rules name."""
    found: dict[str, dict[str, int]] = {}
    for kind in KINDS:
        pairs = [(row.labels[kind], row.ruled[kind]) for row in rows if kind in row.labels]
        found[kind] = {
            "true": sum(truth for truth, _ in pairs),
            "true_named": sum(truth and named for truth, named in pairs),
            "false": sum(not truth for truth, _ in pairs),
            "false_named": sum(named and not truth for truth, named in pairs),
        }
    return found


def _kind_figures(
    truths: Sequence[Sequence[bool]], answers: Sequence[Sequence[bool]], place: int
) -> dict[str, float | None]:
    return _told([(truth[place], answer[place]) for truth, answer in zip(truths, answers, strict=True)])


def _told(pairs: Sequence[tuple[bool, bool]]) -> dict[str, float | None]:
    hits = sum(truth and answer for truth, answer in pairs)
    named, real = sum(answer for _, answer in pairs), sum(truth for truth, _ in pairs)
    return {
        "f1": round(2 * hits / (named + real), _DIGITS) if named + real else None,
        "precision": round(hits / named, _DIGITS) if named else None,
        "recall": round(hits / real, _DIGITS) if real else None,
    }


# -- the fitted reader --------------------------------------------------------------------------------


def _cross_validated(judged: Sequence[Contract], more: Sequence[Contract]) -> list[list[bool]]:
    """Return answers of readers that saw neither the contract nor one of equal code."""
    groups = sorted({row.group for row in judged})
    random.Random(SEED).shuffle(groups)  # noqa: S311  # parts, to be repeated exactly
    part_of = {group: place % PARTS for place, group in enumerate(groups)}
    answers: dict[str, list[bool]] = {}
    for part in range(PARTS):
        rows = [row for row in judged if part_of[row.group] == part]
        seen = [row for row in (*judged, *more) if part_of.get(row.group) != part]
        for row, answer in zip(rows, _predicted(fit_on=seen, rows=rows), strict=True):
            answers[row.address] = answer
    return [answers[row.address] for row in judged]


def _predicted(*, fit_on: Sequence[Contract], rows: Sequence[Contract]) -> list[list[bool]]:
    """Return a reader's answers, kind by kind; no where there was nothing to learn from."""
    linear = needed_library("sklearn.linear_model")
    pipeline = needed_library("sklearn.pipeline")
    scaling = needed_library("sklearn.preprocessing")
    answers = [[False] * len(KINDS) for _ in rows]
    for place, kind in enumerate(KINDS):
        known = [row for row in fit_on if kind in row.labels]
        truths = [row.labels[kind] for row in known]
        if not rows or len(set(truths)) < len((False, True)):
            continue
        model = pipeline.make_pipeline(
            scaling.StandardScaler(),
            linear.LogisticRegression(C=_REGULARISATION, class_weight="balanced", max_iter=2_000),
        )
        model.fit([row.features for row in known], truths)
        chances = model.predict_proba([row.features for row in rows])[:, 1]
        for answer, chance in zip(answers, chances, strict=True):
            answer[place] = bool(chance >= _HALF)
    return answers


# -- what bytecode shows ------------------------------------------------------------------------------


def ruled_of(view: CodeView, variables: Sequence[Variable]) -> dict[str, bool]:
    """Return what the rules say of a contract, by kind."""
    written, sharing = _balance_writers(view, variables)
    return {
        "hidden_mint": bool((written | _supply_writers(view, variables)) - sharing),
        "leaking_token": bool(sharing),
        "limiting_sell": bool(_limits(variables)),
    }


def features_of(view: CodeView, variables: Sequence[Variable]) -> tuple[float, ...]:
    """Return what the fitted reader weighs."""
    written, sharing = _balance_writers(view, variables)
    limits = _limits(variables)
    families = control_families(tuple(view.selectors))
    ruled = ruled_of(view, variables)
    return (
        *(float(ruled[kind]) for kind in KINDS),
        float(min(len(written), _COUNTED_MAX)),
        float(min(len(sharing), _COUNTED_MAX)),
        float(min(len(_supply_writers(view, variables)), _COUNTED_MAX)),
        float(min(sum(not item.is_mapping for item in limits), _COUNTED_MAX)),
        float(min(sum(item.is_mapping for item in limits), _COUNTED_MAX)),
        float(any(item.kind == "bool" for item in limits)),
        float(min(len(view.functions), _FUNCTIONS_COUNTED_MAX)),
        float(not view.functions),
        float(view.has_delegatecall),
        float(view.has_selfdestruct),
        *(float(family in families) for family in CONTROL_SELECTORS),
    )


def _balance_writers(view: CodeView, variables: Sequence[Variable]) -> tuple[frozenset[str], frozenset[str]]:
    """Return the functions beside transfers and burns that write balances, and those of them that share out or take."""
    written = {
        selector
        for item in variables
        if item.is_mapping and _BALANCE_OF in item.readers
        for selector in item.writers
    }
    written -= _MOVES | _HARMLESS
    types = {item.selector: item.arguments.split(",") for item in view.functions}
    sharing = {
        selector
        for selector in written
        if "address[]" in types.get(selector, ()) or types.get(selector, []).count("address") > 1
    }
    return frozenset(written), frozenset(sharing)


def _supply_writers(view: CodeView, variables: Sequence[Variable]) -> frozenset[str]:
    own = frozenset(item.selector for item in view.functions)
    return frozenset(
        selector
        for item in variables
        if not item.is_mapping and _SUPPLY in item.readers
        for selector in item.writers
        if selector in own
    ) - (_MOVES | _HARMLESS)


def _limits(variables: Sequence[Variable]) -> tuple[Variable, ...]:
    """Return what transfers read and others write, balances and allowances left aside."""
    return tuple(
        item
        for item in variables
        if item.readers & _MOVES
        and item.writers - _MOVES - _HARMLESS
        and _BALANCE_OF not in item.readers
        and "mapping(address => mapping" not in item.kind
        and not item.kind.startswith("mapping(uint")
    )


# -- data ---------------------------------------------------------------------------------------------


def _read(folder: Path) -> tuple[list[Contract], list[Contract]]:
    """Return the contracts that people judged in every kind, and those of which one kind was checked."""
    judged = [
        _contract(row, {kind: row[kind] == "1" for kind in KINDS})
        for row in _rows(folder, "groundtruth", needed=True)
    ]
    more = [
        _contract(row, {row["aspect"]: row["manual_true_positive"] == "1"})
        for row in _rows(folder, "large_manual", needed=False)
        if row["aspect"] in KINDS
    ]
    return judged, more


def _contract(row: Mapping[str, str], labels: Mapping[str, bool]) -> Contract:
    try:
        code = bytes.fromhex(row["bytecode"].strip().removeprefix("0x"))
    except ValueError:
        raise BadDataError(
            f"The bytecode of {row['address']} is no hex text.", remedy="Mend or drop the row."
        ) from None
    view, variables = view_of(code), variables_of(code)
    return Contract(
        address=row["address"].lower(),
        group=view.skeleton_hash,
        labels=labels,
        features=features_of(view, variables),
        ruled=ruled_of(view, variables),
    )


def _rows(folder: Path, name: str, *, needed: bool) -> list[dict[str, str]]:
    """Return the rows with code of all files that begin with this name. Raises ConfigurationError when one is needed."""
    found = sorted(folder.glob(f"{name}.*csv*"))[:FILES_MAX] if folder.is_dir() else []
    if not found and needed:
        raise ConfigurationError(
            f"{folder} holds no file that begins with {name}.",
            remedy=f"Give a folder with a {name}.*.csv or .csv.gz.",
        )
    csv.field_size_limit(CODE_CHARS_MAX)
    rows: list[dict[str, str]] = []
    for path in found:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            text = file.read(FILE_BYTES_MAX).decode("utf-8")
        rows += csv.DictReader(io.StringIO(text))
    return [row for row in rows[:ROWS_MAX] if row.get("bytecode")]
