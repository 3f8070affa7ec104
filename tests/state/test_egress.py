"""Nothing leaves the machine but to configured hosts; tried in a process of its own, for here tests' own fence stands before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import programs


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Return what became of every way out, in paper mode with an endpoint that a person added."""
    folder = tmp_path_factory.mktemp("egress")
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {
        "DEXSNIPER_MODE": "paper",
        "DEXSNIPER_DATA_DIR": str(folder),
        "DEXSNIPER_DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
    }
    command = [sys.executable, str(Path(__file__).with_name("egress_attempts.py"))]
    done = subprocess.run(
        command,
        check=False,
        cwd=programs.ROOT,
        env={**environment, "PYTHONPATH": str(programs.ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_ways_out_when_nobody_configured_them_then_refused_before_anything_is_sent(tried: Any) -> None:
    outcomes = dict(tried["outcomes"])
    assert outcomes.pop("loopback") == "done"
    assert outcomes == dict.fromkeys(outcomes, "refused")


def test_hosts_when_configured_in_environment_or_rows_then_open(tried: Any) -> None:
    assert tried["allowed"] == [True, True, True]
    assert not tried["not allowed"]
