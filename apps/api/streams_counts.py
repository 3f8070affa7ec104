"""What the sockets of this process count about themselves."""

from __future__ import annotations

import time
from typing import Final

from prometheus_client import Counter, Gauge

CLIENTS: Final = Gauge("dexsniper_websocket_clients", "Open JSON sockets.", ["stream"])
SENT: Final = Counter("dexsniper_websocket_messages_sent", "Messages sent on JSON sockets.", ["stream"])
REFUSED: Final = Counter("dexsniper_websocket_refused", "JSON sockets that were turned away.", ["reason"])
RESYNCS: Final = Counter("dexsniper_websocket_resyncs", "Clients that fell behind and had to resume.")
CLOSED_SLOW: Final = Counter("dexsniper_websocket_closed_slow", "Clients closed because they did not answer.")

_failing_since: float | None = None


def reader_was_well(*, well: bool) -> None:
    """Note whether the event log could be read."""
    global _failing_since
    _failing_since = None if well else _failing_since or time.monotonic()


def reader_failing_s() -> float:
    """Return for how long the log cannot be read, 0 when it can."""
    return 0.0 if _failing_since is None else time.monotonic() - _failing_since


def clients() -> int:
    """Return how many JSON sockets are open in this process."""
    return int(sum(sample.value for family in CLIENTS.collect() for sample in family.samples))
