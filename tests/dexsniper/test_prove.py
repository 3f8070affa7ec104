"""The table of proof is honest: what missed its aim or was not measured says so, and a second run goes on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from dexsniper.proof import PROOFS, Aim, Measured, Proof, table, value_at

SPEED = Aim(name="speed", path="figures.ms.p95", unit="ms", most=25)


@pytest.mark.parametrize(
    ("value", "told", "met"),
    [(25, "25 ms", True), (25.1, "25.1 ms", False), (None, "not measured", False)],
)
def test_aim_then_what_was_not_measured_is_not_met(value: float | None, told: str, met: bool) -> None:
    assert (SPEED.told(value), SPEED.met(value), SPEED.wanted()) == (told, met, "≤ 25 ms")


def test_aim_when_a_yes_is_wanted_then_a_no_misses_it() -> None:
    aim = Aim(name="books equal", path="x", least=1)
    assert (aim.met(True), aim.met(False), aim.told(False)) == (True, False, "no")
    assert Aim(name="told", path="x").met(3) is None


def test_value_then_a_missing_place_is_none() -> None:
    assert value_at({"figures": {"ms": {"p95": 3}}}, "figures.ms.p95") == 3
    assert value_at({"figures": 1}, "figures.ms.p95") is None


def test_table_then_every_aim_has_its_line_with_fault_and_exclusions() -> None:
    proof = Proof(key="x", command=("bench", "x"), aims=(SPEED, Aim(name="orders", path="orders", least=1)))
    measured = Measured(
        proof=proof,
        command="manage.py bench x",
        at="2026-01-01 00:00",
        load=3.5,
        report={"orders": 2, "exclusions": ["order 7: the price left"]},
        fault="half of it failed",
    )
    page = table([measured], machine="2 cores", is_quick=False)
    assert "| `manage.py bench x` | speed | ≤ 25 ms | not measured | **no** |" in page
    assert "| `manage.py bench x` | orders | ≥ 1 | 2 | yes |" in page
    assert "| `manage.py bench x` | 2026-01-01 00:00 | 3.5 | half of it failed |" in page
    assert "* order 7: the price left" in page


def test_prove_when_a_report_is_kept_then_it_is_not_measured_again_and_a_missed_aim_fails(
    tmp_path: Path,
) -> None:
    kept = tmp_path / "quick"
    kept.mkdir()
    proof = next(item for item in PROOFS if item.key == "bench-killswitch")
    report = {"figures": {"pull_ms": {"max": 900}, "sent_after_return": 0}}
    (kept / "bench-killswitch.json").write_text(
        json.dumps({"command": list(proof.quick), "at": "now", "load": 1.0, "report": report, "fault": ""})
    )
    page = tmp_path / "proof.md"
    with pytest.raises(CommandError, match="bench-killswitch: pull, most"):
        call_command(
            "prove", "--quick", "--only", "bench-killswitch", "--kept", str(tmp_path), "--page", str(page)
        )
    assert "| 900 ms | **no** |" in page.read_text()
    assert len({item.key for item in PROOFS}) == len(PROOFS)
