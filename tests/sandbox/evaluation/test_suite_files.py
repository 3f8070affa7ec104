"""The suite's files: generated from plan and compiled contracts, split by mechanism."""

from __future__ import annotations

import hashlib
import json

import pytest

from tests.sandbox.evaluation.files import CASES, FIRST_PARTS, PARTS, SUITE

PLAN = json.loads((SUITE / "suite.json").read_text())
LABELS = ("safe", "unsafe")


def test_suite_when_counted_then_it_has_thirty_of_each_label_and_both_halves_have_both():
    for label in LABELS:
        assert sum(entry["label"] == label for entry in PLAN) >= 30
        for half in FIRST_PARTS:
            assert sum(entry["label"] == label and entry["half"] == half for entry in PLAN) >= 15


def test_fresh_part_when_counted_then_it_has_thirty_unsafe_and_twenty_five_safe_mechanisms():
    fresh = [entry for entry in PLAN if entry["half"].startswith("held-out-2/")]
    counts = {label: {entry["mechanism"] for entry in fresh if entry["label"] == label} for label in LABELS}
    assert len(counts["unsafe"]) >= 30
    assert len(counts["safe"]) >= 25


def test_fresh_part_when_split_then_the_hash_of_the_mechanism_decides():
    fresh = [entry for entry in PLAN if entry["half"].startswith("held-out-2/")]
    for entry in fresh:
        even = int(hashlib.sha256(entry["mechanism"].encode()).hexdigest(), 16) % 2 == 0
        assert entry["half"] == ("held-out-2/tune" if even else "held-out-2/final")


def test_mechanisms_when_split_then_none_is_in_two_parts():
    parts = [{entry["mechanism"] for entry in PLAN if entry["half"] == part} for part in PARTS]
    assert sum(map(len, parts)) == len(set().union(*parts))
    unsafe = {entry["mechanism"] for entry in PLAN if entry["label"] == "unsafe"}
    safe = {entry["mechanism"] for entry in PLAN if entry["label"] == "safe"}
    assert len(unsafe) >= 30
    assert len(safe) >= 30
    assert unsafe.isdisjoint(safe)


@pytest.mark.parametrize("entry", PLAN, ids=lambda entry: entry["contract"])
def test_token_file_when_compared_then_it_is_plan_and_compiled_contract(entry: dict[str, object]):
    name = entry["contract"]
    compiled = json.loads((SUITE / "compiled" / f"{name}.json").read_text())
    written = json.loads((CASES / str(entry["half"]) / f"{name}.json").read_text())
    planned = {key: value for key, value in entry.items() if key not in ("contract", "half")}
    assert written == {"name": name, **planned, "abi": compiled["abi"], "bytecode": compiled["bytecode"]}


def test_files_when_counted_then_there_is_none_without_a_plan():
    planned = {(entry["half"], entry["contract"]) for entry in PLAN}
    found = {(str(path.parent.relative_to(CASES)), path.stem) for path in CASES.rglob("*.json")}
    assert found == planned
