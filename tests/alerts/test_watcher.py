"""The process that tells, as it runs: beside what it watches, without a broker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from apps.alerts.models import Delivery
from apps.alerts.watcher import LEASE, Watcher
from apps.state.models import Heartbeat, Lease
from apps.state.services.engine import killswitch_pull
from apps.state.services.heartbeats import lease_take
from tests.alerts.fakes import Service

pytestmark = pytest.mark.django_db(transaction=True)


def waited(condition: Callable[[], bool], *, seconds: float = 20.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.05)
    return condition()


@pytest.mark.usefixtures("installed", "ways")
def test_kill_switch_when_pulled_then_the_running_process_tells_within_seconds(service: Service):
    watcher = Watcher()
    thread = threading.Thread(target=watcher.run, daemon=True)
    thread.start()
    try:
        assert waited(lambda: Heartbeat.objects.filter(component="alerts").exists())
        started = time.monotonic()
        killswitch_pull(by="ada", reason="drill", close_positions=False)
        hooks: Any = lambda: [item for item in service.requests if item.path == "/hook"]  # noqa: E731
        assert waited(lambda: bool(hooks()))
        assert time.monotonic() - started < 15
        assert hooks()[0].fields["rule"] == "emergency_stop"
        assert waited(lambda: Delivery.objects.filter(transport="webhook", status="sent").exists())
    finally:
        watcher.stop()
        thread.join(timeout=20)
    assert not thread.is_alive()
    assert not Lease.objects.filter(name=LEASE).exists()


@pytest.mark.usefixtures("installed")
def test_second_process_then_waits_until_told_to_end():
    assert lease_take(name=LEASE, holder="another", ttl_s=60)
    watcher = Watcher()
    thread = threading.Thread(target=watcher.run, daemon=True)
    thread.start()
    time.sleep(0.3)
    assert not Heartbeat.objects.filter(component="alerts").exists()
    watcher.stop()
    thread.join(timeout=10)
    assert not thread.is_alive()
