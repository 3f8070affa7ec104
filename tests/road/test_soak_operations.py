"""A minute of random faults: pages and socket stay up, everything comes back by itself, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(420)]

SECONDS = 60
#: The web server is not killed in so short a run, so whatever is down was not meant to be.
UP_MIN_BPS = 9_950


def test_a_minute_of_faults_then_everything_is_up_recovers_and_nothing_is_lost(tmp_path: Path):
    command = [sys.executable, "manage.py", "soak", "operations", "--seconds", str(SECONDS), "--json"]
    ran = subprocess.run(
        [*command, "--keep", str(tmp_path)],
        cwd=Path(__file__).resolve().parents[2],
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert told["nothing_lost"], told
    assert told["faults"], told
    assert told["recoveries_recorded"] > 0, told
    assert min(told["pages_up_bps"], told["socket_up_bps"]) >= UP_MIN_BPS, told
    assert told["errors_unrecovered"] == [], told
    assert told["messages"] > 0, told
