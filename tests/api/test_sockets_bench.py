"""The measurement of the sockets, in its shortest form: a real server, real connections, all of them cut once."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from tests.programs import ROOT


@pytest.mark.chain  # one at a time: it starts a server and a broker of its own
@pytest.mark.slow
@pytest.mark.timeout(170)
def test_bench_when_run_shortly_then_everything_arrives_once_and_in_order_also_after_the_storm() -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", "sockets", "--seconds", "2", "--json"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=160,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)["figures"]
    assert figures["messages"] > 50
    assert figures["deliveries"] == figures["messages"] * figures["clients"]
    faults = ("missing", "duplicates", "clients_out_of_order", "errors")
    assert [figures[name] for name in faults] == [0] * len(faults), figures
