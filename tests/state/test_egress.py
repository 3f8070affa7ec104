"""Nothing leaves the machine but to configured hosts; tried in a process of its own, for here tests' own fence stands before."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from apps.state import egress
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


def test_host_in_a_row_when_many_connect_at_once_then_all_wait_for_the_look_and_one_is_made(monkeypatch):
    is_asked, may_answer, looks = threading.Event(), threading.Event(), []

    def rows() -> list[str]:
        looks.append(1)
        is_asked.set()
        assert may_answer.wait(5)
        return ["https://rpc.invalid/v2/key"]

    monkeypatch.setattr(egress, "_providers", [rows])
    monkeypatch.setattr(egress, "_hosts", set())
    monkeypatch.setattr(egress, "_asked_at", -egress.ASK_EVERY_S)
    with ThreadPoolExecutor(4) as pool:
        first = pool.submit(egress.is_allowed, "https://rpc.invalid")
        assert is_asked.wait(5)
        later = [pool.submit(egress.is_allowed, "wss://rpc.invalid") for _ in range(3)]
        threading.Timer(0.3, may_answer.set).start()
        assert [item.result() for item in (first, *later)] == [True] * 4
    assert len(looks) == 1


def test_look_that_itself_connects_then_does_not_wait_for_itself(monkeypatch):
    inner = []

    def rows() -> list[str]:
        inner.append(egress.is_allowed("https://database.invalid"))
        return ["https://rpc.invalid"]

    monkeypatch.setattr(egress, "_providers", [rows])
    monkeypatch.setattr(egress, "_hosts", set())
    monkeypatch.setattr(egress, "_asked_at", -egress.ASK_EVERY_S)
    assert egress.is_allowed("https://rpc.invalid")
    assert inner == [False]


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("localhost%.evil.example", "localhost%.evil.example"),
        (b"127.0.0.1%.evil.example", "127.0.0.1%.evil.example"),
        ("fe80::1%eth0", "fe80::1"),
        ("LOCALHOST.", "localhost"),
        (None, ""),
    ],
)
def test_name_when_a_percent_sign_stands_in_it_then_cut_from_addresses_alone(host: Any, name: str):
    assert egress._name_of(host) == name
