"""The driver as a process beside real chains: ready, killed chains, orderly end."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from apps.sandbox.chainspec import FEED_PORT_OFFSET
from apps.sandbox.rpc import SandboxRpc
from tests.programs import ROOT
from tests.sandbox.chains import BASE, BSC, Environment, node_url, started_node

pytestmark = [pytest.mark.chain, pytest.mark.slow]


def eventually(holds: Callable[[], bool], *, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def answers(port: int) -> bool:
    with closing(socket.socket()) as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def free_stretch() -> int:
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            base = int(probe.getsockname()[1])
        if base + FEED_PORT_OFFSET < 65_000 and not any(answers(base + item) for item in (1, 90)):
            return base


def head(environment: Environment) -> int:
    return int(SandboxRpc(node_url(environment, spec=BSC)).call("eth_blockNumber"), 16)


def test_run_when_a_chain_is_killed_and_started_then_blocks_go_on(tmp_path: Path) -> None:
    base = free_stretch()
    environment = Environment(data_dir=tmp_path / "sandbox", sandbox_port_base=base)
    variables = os.environ | {
        "DEXSNIPER_MODE": "sandbox",
        "DEXSNIPER_DATA_DIR": str(tmp_path),
        "DEXSNIPER_DATABASE_URL": f"sqlite:///{tmp_path / 'sandbox.sqlite3'}",
        "DEXSNIPER_SANDBOX_PORT_BASE": str(base),
        "DEXSNIPER_SANDBOX_PACE": "2",
        "DJANGO_SETTINGS_MODULE": "dexsniper.settings",
    }
    manage = (sys.executable, str(ROOT / "manage.py"))
    subprocess.run([*manage, "migrate", "--verbosity=0"], env=variables, check=True, timeout=60)
    log = (tmp_path / "driver.log").open("wb")
    with log, started_node(environment, spec=BASE):
        driver = subprocess.Popen([*manage, "sandbox", "run"], env=variables, stdout=log, stderr=log)
        try:
            with started_node(environment, spec=BSC) as node:
                eventually(lambda: answers(base + FEED_PORT_OFFSET), within_s=30)
                started = head(environment)
                eventually(lambda: head(environment) >= started + 3, within_s=10)
                node.kill()
                node.wait(timeout=10)
            with started_node(environment, spec=BSC):
                eventually(lambda: head(environment) >= 13, within_s=20)
                feed = f"http://127.0.0.1:{base + FEED_PORT_OFFSET}/geckoterminal/networks/base/new_pools"
                eventually(lambda: bool(requests.get(feed, timeout=5).json()["data"]), within_s=20)
                status = subprocess.run(
                    [*manage, "sandbox", "status", "--truth"],
                    env=variables,
                    check=True,
                    capture_output=True,
                    text=True,
                    timeout=60,
                ).stdout
                assert "Base (sandbox): answers, seed 1" in status
                assert "  #0 0x" in status
                driver.terminate()
                assert driver.wait(timeout=20) == 0, (tmp_path / "driver.log").read_text()
        finally:
            if driver.poll() is None:
                driver.kill()
                driver.wait()
    assert "Traceback" not in (tmp_path / "driver.log").read_text()
