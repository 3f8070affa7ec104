"""Powers from bytecode alone, on contracts of the honeypot suite whose powers are known."""

from __future__ import annotations

import csv
import gzip
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from apps.chains.evm.bytecode import variables_of, view_of
from apps.domain.errors import BadDataError, ConfigurationError
from apps.risk.evaluation.contracts import KINDS, features_of, figures, interval, ruled_of, run
from tests.programs import ROOT

COMPILED = ROOT / "apps/sandbox/contracts/suite/compiled"
KNOWN = {
    "OwnerMints": {"hidden_mint"},
    "AssemblyMint": {"hidden_mint"},
    "OwnerPauses": {"limiting_sell"},
    "OwnerLists": {"limiting_sell"},
    "PlainRenounced": set(),
    "HoldersBurn": set(),
    "Permits": set(),
}


def code_of(name: str) -> bytes:
    artifact = json.loads((COMPILED / f"{name}.json").read_text())
    return bytes.fromhex(artifact["deployedBytecode"][2:])


def write(folder: Path, names: Mapping[str, set[str]]) -> None:
    with gzip.open(folder / "groundtruth.dev.csv.gz", "wt", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["address", *KINDS, "bytecode"])
        for number, (name, kinds) in enumerate(names.items()):
            labels = [int(kind in kinds) for kind in KINDS]
            rows.writerow([f"0x{number:040x}", *labels, "0x" + code_of(name).hex()])


@pytest.mark.parametrize("name", KNOWN)
def test_contract_of_known_powers_when_read_then_the_rules_name_them(name: str):
    code = code_of(name)
    ruled = ruled_of(view_of(code), variables_of(code))
    assert {kind for kind, named in ruled.items() if named} == KNOWN[name]


def test_code_that_shows_nothing_when_read_then_features_are_still_of_one_length():
    lengths = {
        len(features_of(view_of(code), variables_of(code))) for code in (b"\x00", code_of("OwnerMints"))
    }
    assert len(lengths) == 1


def test_labelled_folder_when_evaluated_then_figures_stand_beside_baselines_and_intervals(tmp_path: Path):
    write(tmp_path, KNOWN)
    report = run({"data": tmp_path, "test": None})
    assert report["n"] == len(KNOWN)
    assert report["metrics"]["micro_f1"] == 1.0
    assert report["baselines"]["published"]["micro_f1"] == 0.887
    assert report["baselines"]["always"]["recall"] == 1.0
    low, high = report["ci95"]["micro_f1"]
    assert 0 <= low <= high <= 1
    assert run({"data": tmp_path, "test": None}) == report
    assert run({"data": tmp_path, "test": tmp_path})["metrics"] == report["metrics"]


def test_folder_without_labels_or_with_damaged_code_then_a_named_fault(tmp_path: Path):
    with pytest.raises(ConfigurationError, match="groundtruth"):
        run({"data": tmp_path, "test": None})
    (tmp_path / "groundtruth.csv").write_text(f"address,{','.join(KINDS)},bytecode\n0x1,0,0,1,zz\n")
    with pytest.raises(BadDataError, match="no hex"):
        run({"data": tmp_path, "test": None})


def test_figures_when_nothing_is_named_or_real_then_there_is_no_share():
    nothing = [[False] * len(KINDS)]
    assert figures(nothing, nothing)["micro_f1"] is None
    assert interval(nothing, nothing, ["a"]) == []
