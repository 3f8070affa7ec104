"""``manage.py up`` with its real processes: first start, second instance, second start, Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from dexsniper.env import BASE_DIR, child_environment
from tests.chain_fixtures import running_anvil

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(300)]

START_MAX_S = 120.0  # under ten seconds on an idle machine; a test run is none
STOP_MAX_S = 30.0
#: A line of the supervisor's own before the processes start, or one under the name of a process.
PREFIXED = re.compile(r"^[a-z-]+ +│ ")
NOISE = ("Traceback", "celery@", "[queues]", "overcommit", "Warm shutdown", "ended with")
ADD_ENDPOINT = """
from apps.chains.models import Chain, Endpoint
chain = Chain.objects.create(key="eip155:{chain_id}", chain_id={chain_id}, name="Added", native_symbol="ETH",
    wrapped_native_address="0x" + "11" * 20, wrapped_native_symbol="WETH")
Endpoint.objects.create(chain=chain, url_http="{url}", url_ws="{url}".replace("http", "ws"))
"""
SHOW_BEATS = (
    "from apps.state.models import Heartbeat; print([row.component for row in Heartbeat.objects.all()])"
)


class Up:
    """A running system: what it prints, and its processes."""

    def __init__(self, folder: Path, **environment: str) -> None:
        self._log = folder / "up.log"
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", "up"],
                cwd=BASE_DIR,
                env=child_environment(
                    DEXSNIPER_DATA_DIR=str(folder), DEXSNIPER_DATABASE_URL="", **environment
                ),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    @property
    def text(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + START_MAX_S
        while text not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.1)

    def wait_for_beat(self, component: str, environment: dict[str, str]) -> None:
        deadline = time.monotonic() + START_MAX_S
        while component not in manage(self._log.parent, "shell", "-c", SHOW_BEATS, **environment).stdout:
            assert time.monotonic() < deadline, self.text

    def children(self) -> list[int]:
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def stop(self, number: signal.Signals = signal.SIGINT) -> int:
        self.process.send_signal(number)
        return self.process.wait(STOP_MAX_S)


@contextmanager
def running(folder: Path, **environment: str) -> Iterator[Up]:
    up = Up(folder, **environment)
    try:
        yield up
    finally:
        if up.process.poll() is None:
            up.process.kill()  # its guard ends the children
            up.process.wait()


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def assert_quiet(text: str) -> None:
    """Every line of the running system has a process's name before it, and none is noise."""
    for words in NOISE:
        assert words not in text, text
    lines = text.splitlines()
    first = next(number for number, line in enumerate(lines) if PREFIXED.match(line))
    assert lines[-1] == "stopped"
    assert all(PREFIXED.match(line) for line in lines[first:-1]), text


def manage(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=BASE_DIR,
        env=child_environment(DEXSNIPER_DATA_DIR=str(folder), DEXSNIPER_DATABASE_URL="", **environment),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_sandbox_from_first_start_to_second(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.wait_for("SANDBOX is running at http://127.0.0.1:")
        password = re.search(r"Password: (\S{12,})  \(shown only this once\)", up.text)
        assert password is not None
        second = manage(tmp_path, "up")
        assert second.returncode == 1
        assert f"already running here (process {up.process.pid}" in second.stderr
        assert "Stop it first" in second.stderr
        assert "Traceback" not in second.stderr
        assert up.process.poll() is None
        children = up.children()
        assert len(children) >= 9  # two chains, market, broker, web, two workers, listener, beat, guard
        assert up.stop() == 0
    assert not [pid for pid in children if is_alive(pid)]
    assert_quiet(up.text)
    with running(tmp_path) as again:
        again.wait_for("is running at")
        assert "assword" not in again.text
        assert again.stop(signal.SIGTERM) == 0
    assert_quiet(again.text)


def test_paper_at_its_first_start_then_chains_and_wallet_are_there(tmp_path: Path) -> None:
    paper = {"DEXSNIPER_MODE": "paper", "DEXSNIPER_ADMIN_PASSWORD": "given by the environment"}
    with running(tmp_path, **paper) as up:
        up.wait_for("PAPER is running at")
        assert "with the password from the environment" in up.text
        assert "given by the environment" not in up.text
        assert "Filled in 5 chains" in up.text
        report = manage(tmp_path, "doctor", **paper)
        assert "no chain has one: nothing is followed" in report.stdout
        assert "its key opens" in report.stdout
        assert report.stdout.splitlines()[-1].endswith(" 1 faults")
        assert report.returncode == 1
        with running_anvil() as chain:
            program = ADD_ENDPOINT.format(chain_id=chain.chain_id, url=chain.url)
            assert manage(tmp_path, "shell", "-c", program, **paper).returncode == 0
            up.wait_for(f"chain is followed  chain=eip155:{chain.chain_id}")
            report = manage(tmp_path, "doctor", **paper)
            assert report.returncode == 0, report.stdout
            up.wait_for_beat(f"listener/eip155:{chain.chain_id}", paper)
        assert up.stop() == 0
    assert_quiet(up.text)


def test_stopped_while_it_starts_then_ends_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as up:
        up.wait_for("Created the admin user")
        time.sleep(1)
        assert up.stop() == 0
        assert "is running at" not in up.text
        assert "Traceback" not in up.text
