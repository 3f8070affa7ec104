"""The whole installation under load: the kill switch, and processes killed at random moments."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.road.running import Running, is_alive

pytestmark = [pytest.mark.chain, pytest.mark.slow, pytest.mark.timeout(280)]

PACE = 2.0
BUSY_MAX_S = 90.0
QUIET_S = 6.0  # several blocks of both chains, and longer than stored bytes rest between two sends
KILL_MAX_MS = 500
ORPHANS_MAX_S = 15.0
SETTLE_S = 40.0
SEED = 20_240_607
VICTIMS = (
    "evaluate",
    "execute",
    "listener",
    "broker",
    "chain-bsc",
    "execute",
    "listener",
    "sandbox",
    "chain-base",
)


@pytest.fixture
def system(tmp_path: Path) -> Iterator[Running]:
    running = Running(tmp_path, pace=PACE)
    try:
        running.start()
        yield running
    finally:
        running.stop()


def wait_for_trades(system: Running, *, more: int) -> None:
    console = system.open_console()
    aim = console.ask("counts")["bought"] + more
    system.wait_for(lambda: console.ask("counts")["bought"] >= aim, BUSY_MAX_S, f"{aim} buys")


def test_kill_switch_under_load_then_returns_in_time_and_nothing_older_is_sent(
    system: Running, record_property: Callable[[str, object], None]
):
    wait_for_trades(system, more=4)
    console = system.open_console()
    report = console.ask("pull", close=False)
    record_property("kill_ms", report["duration_ms"])
    assert report["is_effective"], report
    assert report["duration_ms"] <= KILL_MAX_MS, report
    ends = time.monotonic() + QUIET_S
    while time.monotonic() < ends:
        assert console.ask("nonces") == report["nonces"], system.log_end()
        time.sleep(0.2)
    assert console.ask("late_sends", after=report["returned_at"], below_epoch=report["epoch"]) == 0
    assert console.ask("status") == "emergency_stopped"
    assert console.ask("resume") == "running"
    wait_for_trades(system, more=2)
    closing = console.ask("pull", close=True)
    record_property("kill_and_close_ms", closing["duration_ms"])
    assert closing["is_effective"], closing
    assert closing["duration_ms"] <= KILL_MAX_MS, closing
    bought = console.ask("counts")["bought"]
    system.wait_for(lambda: console.ask("status") == "stopped", BUSY_MAX_S, "end of closing")
    counts = console.ask("counts")
    assert "open" not in counts["positions"], counts
    assert counts["bought"] - bought <= 4, counts  # what was sent before the pull may still be booked
    assert console.ask("late_sends", after=closing["returned_at"], below_epoch=closing["epoch"]) == 0
    assert_whole(system)


def test_processes_killed_at_random_moments_then_nothing_is_lost_or_doubled(system: Running):
    wait_for_trades(system, more=2)
    chance = random.Random(SEED)
    victims = list(VICTIMS)
    chance.shuffle(victims)
    for victim in victims:
        time.sleep(chance.uniform(0.5, 3.5))
        system.wait_for(partial(system.kill, victim), BUSY_MAX_S, victim)
    wait_for_trades(system, more=1)
    orphans = system.kill_supervisor()
    assert len(orphans) >= 6
    system.wait_for(lambda: not any(map(is_alive, orphans)), ORPHANS_MAX_S, "end of all orphans")
    system.start()
    wait_for_trades(system, more=2)
    assert_whole(system)


def assert_whole(system: Running) -> None:
    """Let everything come to rest and assert what must hold."""
    report = system.open_console().ask("finish", settle_s=SETTLE_S)
    told = f"{json.dumps(report, indent=1)}\n{system.log_end()}"
    assert report["ledger_balanced"], told
    assert all(wallet["is_equal"] for wallet in report["wallets"]), told
    assert report["double_sends"] == 0, told
    assert report["pairs_registered_twice"] == 0, told
    assert report["pairs_registered"] == report["pairs_created"] > 0, told
    assert report["audit_is_whole"], told
    assert report["unsellable_bought"] == 0, told
    assert "UNEXPECTED_ERROR" not in report["incidents"], told
