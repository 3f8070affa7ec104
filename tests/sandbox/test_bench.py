"""Measurements run on chains of their own, leave nothing behind, and say what they rest on."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from apps.sandbox.bench.ground import quantiles_of
from tests.programs import ROOT


def test_quantiles_when_few_times_then_the_tail_shows() -> None:
    assert quantiles_of([]) == {"count": 0}
    assert quantiles_of([3.0]) == {"count": 1, "p50": 3.0, "p95": 3.0, "max": 3.0}
    found = quantiles_of([float(number) for number in range(100, 0, -1)])
    assert found == {"count": 100, "p50": 50.0, "p95": 95.0, "max": 100.0}
    assert quantiles_of([1.0] * 9 + [50.0])["p95"] == 50.0


@pytest.mark.chain
@pytest.mark.slow
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("subject", "figure", "baseline"),
    [
        ("analyse", "analysis_ms", "facts_alone_ms"),
        ("discovery", "block_to_queue_ms", "bare_logs_ms"),
        ("killswitch", "pull_ms", "file_to_disk_ms"),
    ],
)
def test_bench_when_run_then_measures_on_its_own_chains_and_leaves_nothing(
    subject: str, figure: str, baseline: str
) -> None:
    before = set(Path(tempfile.gettempdir()).glob("dexsniper-bench-*"))
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", subject, "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=170,
    )
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert set(report) == {"name", "figures", "baseline", "ratio"}
    assert report["name"] == subject
    assert report["figures"][figure]["count"] > 0
    assert report["baseline"][baseline]["count"] > 0
    assert report["figures"].get("pairs_found", 50) == 50
    assert report["figures"].get("sent_after_return", 0) == 0
    assert set(Path(tempfile.gettempdir()).glob("dexsniper-bench-*")) <= before
