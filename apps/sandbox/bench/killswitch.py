"""How long the kill switch takes while orders are being signed and sent, and that nothing leaves after it has returned."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import close_old_connections
from django.utils import timezone

from apps.domain.engine import EngineStatus
from apps.domain.errors import SniperError
from apps.engine import road, wiring
from apps.sandbox.bench.ground import (
    Ground,
    created_orders,
    follower_of,
    grounds,
    messages_forget,
    quantiles_of,
    waiting_opportunities,
)
from apps.state.services.engine import engine_resume, killswitch_pull
from apps.trading.models import TxAttempt
from apps.trading.services.execution import order_execute

_ROUNDS, _ORDERS = 8, 6
_HEAD_START_MAX_S = 2.0
_BY = "bench"


def run() -> dict[str, Any]:
    """Pull under load, several times; return the report. Times are in milliseconds."""
    pulls: list[float] = []
    late = sent = 0
    with grounds(1) as (ground,):
        follower = follower_of(ground)
        ground.launch(_ROUNDS * _ORDERS)
        follower.advance()
        for _ in range(_ROUNDS):
            worker = _at_work(ground)
            _wait_for_a_send(more_than=sent)
            started = time.perf_counter()
            report = killswitch_pull(by=_BY, reason="measurement", close_positions=False)
            pulls.append((time.perf_counter() - started) * 1_000)
            returned_at = timezone.now()
            worker.join()
            assert report.is_effective, report
            late += TxAttempt.objects.filter(status="sent", broadcast_at__gt=returned_at).count()
            sent = TxAttempt.objects.filter(status="sent").count()
            engine_resume(by=_BY, reason="measurement", to=EngineStatus.RUNNING)
    bare = [_bare_ms(Path(settings.DATA_DIR) / "bare") for _ in range(_ROUNDS)]
    pulled, base = quantiles_of(pulls), quantiles_of(bare)
    return {
        "figures": {"pull_ms": pulled, "sent_before": sent, "sent_after_return": late},
        "baseline": {"file_to_disk_ms": base},
        "ratio": {"pull_p50_over_file": round(float(pulled["p50"]) / max(float(base["p50"]), 0.01), 1)},
    }


def _wait_for_a_send(*, more_than: int) -> None:
    """Return once the worker is in the middle of its orders."""
    deadline = time.monotonic() + _HEAD_START_MAX_S
    while TxAttempt.objects.filter(status="sent").count() <= more_than and time.monotonic() < deadline:
        time.sleep(0.002)


def _at_work(ground: Ground) -> threading.Thread:
    """Let a worker carry out orders of the present epoch, one after the other."""
    for opportunity_id in waiting_opportunities()[:_ORDERS]:
        road.evaluate(opportunity_id)
    messages_forget()
    orders, ports = created_orders(ground.key), wiring.chain_ports(ground.key).execution

    def work() -> None:
        for order_id in orders:
            try:
                order_execute(order_id=order_id, ports=ports, worker=_BY)
            except SniperError:  # the switch was quicker
                continue
        close_old_connections()

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def _bare_ms(path: Path) -> float:
    """Write a small file through to the disk: what any switch that survives a power cut must do."""
    started = time.perf_counter()
    with path.open("wb") as file:
        file.write(b"x" * 200)
        file.flush()
        os.fsync(file.fileno())
    return (time.perf_counter() - started) * 1_000
