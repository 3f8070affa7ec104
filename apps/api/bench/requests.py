"""How fast the API answers at 50 requests a second while the whole sandbox trades, beside a bare answer at the same time.

Requests are due at fixed moments whether or not the ones before were answered, and a latency counts from that moment: a
stall shows in every request that it delays. The asking shares the machine, so its work is in the figures too.
"""

from __future__ import annotations

import http.client
import itertools
import queue
import subprocess
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.conf import settings
from django.contrib.auth import get_user_model

from apps.api.services.tokens import token_create
from apps.discovery.models import Pair
from apps.domain.errors import PlatformError
from apps.sandbox.bench.ground import quantiles_of
from apps.state.models import Heartbeat
from apps.trading.models import Opportunity, Order, Position

TIME_MAX_S = 540
SECONDS: Final = 60
PER_S: Final = 50
#: Bare answers a second beside them: what the web server takes for a request that asks nothing.
_BARE_PER_S: Final = 5
_ASKING: Final = 24  # at once
_START_MAX_S, _MARKET_MAX_S, _WARM_UP_S = 180.0, 120.0, 5.0
_WANTED: Final = {"listener", "worker/evaluate", "worker/execute"}
_PAIRS_WANTED: Final = 60
_TIMEOUT_S: Final = 30
_BARE: Final = "/healthz"
_READS: Final = (
    "/autotrade/status",
    "/positions",
    "/opportunities?limit=50",
    "/autotrade/activities?limit=50",
    "/autotrade/status",
    "/orders?limit=50",
    "/autotrade/queue",
    "/autotrade/metrics",
    "/intelligence/pairs/recent?limit=50",
    "/incidents",
    "/breakers",
    "/wallets",
    "/autotrade/config",
    "/intelligence/market/regime",
    "/intelligence/stats/processing",
)
_START: Final = "/autotrade/start"
#: One request in so many changes something: a start of an engine that runs, which still keeps its answer.
_ACT_EVERY: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ask:
    """One request and when it is due, in seconds of the clock of performance."""

    due_s: float
    path: str
    is_act: bool = False


@dataclass(slots=True)
class _Found:
    """What was measured."""

    spent_ms: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    failures: list[str] = field(default_factory=list)


def run(*, seconds: int = SECONDS) -> dict[str, Any]:
    """Start everything, ask for so many seconds, and return the report. Times in milliseconds."""
    with _system():
        token = _token()
        before = _counts()
        reads = [*(f"/api/v1{path}" for path in _READS), *_details()]
        _asked(reads, token, seconds=_WARM_UP_S)
        found = _asked(reads, token, seconds=seconds)
        after = _counts()
    bare = quantiles_of(found.spent_ms.pop(_BARE, []))
    everything = [spent for own in found.spent_ms.values() for spent in own]
    whole = quantiles_of(everything)
    return {
        "figures": {
            "answer_ms": whole,
            "per_s": PER_S,
            "seconds": seconds,
            "failures": len(found.failures),
            "failures_told": sorted(set(found.failures))[:5],
            "p95_by_path_ms": {
                path: quantiles_of(own).get("p95") for path, own in sorted(found.spent_ms.items())
            },
            "meanwhile": {name: after[name] - before[name] for name in after},
        },
        "baseline": {"path": _BARE, **bare},
        "ratio": {
            name: round(float(whole[name]) / float(bare[name]), 2)
            for name in ("p50", "p95")
            if whole.get(name) and bare.get(name)
        },
        "limit": {"p95_ms": 150, "held": bool(whole.get("p95")) and float(whole["p95"]) <= 150},
    }


@contextmanager
def _system() -> Iterator[None]:
    """Run the whole sandbox until the block ends. Raises PlatformError."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), "up", "--no-colour"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _await(_is_up, process, seconds=_START_MAX_S, what="at work")
        _await(lambda: Pair.objects.count() >= _PAIRS_WANTED, process, seconds=_MARKET_MAX_S, what="trading")
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()


def _await(
    is_done: Callable[[], bool], process: subprocess.Popen[bytes], *, seconds: float, what: str
) -> None:
    deadline = time.monotonic() + seconds
    while not is_done():
        if process.poll() is not None or time.monotonic() > deadline:
            raise PlatformError(f"The system was not {what} in time.", remedy="Run it again.")
        time.sleep(0.25)


def _is_up() -> bool:
    if not set(Heartbeat.objects.values_list("component", flat=True)) >= _WANTED:
        return False
    try:
        return _answer(_connection(), "GET", _BARE, {}) == 200
    except (OSError, http.client.HTTPException):
        return False


def _token() -> str:
    admin = get_user_model().objects.filter(is_superuser=True).first()
    assert admin is not None, "the first start makes one"
    return token_create(user=admin, name="bench", scopes=["read", "operate"], by="bench", days=1)[1]


def _details() -> list[str]:
    """Return what asks for one thing: a trace, an analysis, a position, an order."""
    chance = Opportunity.objects.filter(pair__analyses__isnull=False).select_related("pair").first()
    order, position = Order.objects.first(), Position.objects.first()
    return [
        *([] if chance is None else [f"/api/v1/trace/{chance.trace_id}"]),
        *([] if chance is None else [f"/api/v1/intelligence/pairs/{chance.pair.pool_address}/analysis"]),
        *([] if position is None else [f"/api/v1/positions/{position.pk}"]),
        *([] if order is None else [f"/api/v1/orders/{order.pk}"]),
    ]


def _counts() -> dict[str, int]:
    return {
        "pairs": Pair.objects.count(),
        "orders_filled": Order.objects.filter(status="filled").count(),
        "positions": Position.objects.count(),
    }


# -- asking -------------------------------------------------------------------------------
def _asked(reads: list[str], token: str, *, seconds: float) -> _Found:
    found, waiting = _Found(), queue.Queue[_Ask | None]()
    threads = [
        threading.Thread(target=_work, args=(waiting, found, token), daemon=True) for _ in range(_ASKING)
    ]
    for thread in threads:
        thread.start()
    start = time.perf_counter() + 0.2
    for ask in _plan(reads, start=start, seconds=seconds):
        waiting.put(ask)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join(timeout=seconds + 2 * _TIMEOUT_S)
    return found


def _plan(reads: list[str], *, start: float, seconds: float) -> list[_Ask]:
    paths = itertools.cycle(reads)
    asks = [
        _Ask(due_s=start + number / PER_S, path=f"/api/v1{_START}", is_act=True)
        if number % _ACT_EVERY == _ACT_EVERY - 1
        else _Ask(due_s=start + number / PER_S, path=next(paths))
        for number in range(int(PER_S * seconds))
    ]
    bare = [
        _Ask(due_s=start + (number + 0.5) / _BARE_PER_S, path=_BARE)
        for number in range(int(_BARE_PER_S * seconds))
    ]
    return sorted(asks + bare, key=lambda item: item.due_s)


def _work(waiting: queue.Queue[_Ask | None], found: _Found, token: str) -> None:
    connection = _connection()
    headers = {"Authorization": f"Bearer {token}"}
    while (ask := waiting.get()) is not None:
        time.sleep(max(0.0, ask.due_s - time.perf_counter()))
        sent = headers | (
            {"Idempotency-Key": uuid.uuid4().hex, "Content-Type": "application/json"} if ask.is_act else {}
        )
        try:
            status = _answer(connection, "POST" if ask.is_act else "GET", ask.path, sent)
        except (OSError, http.client.HTTPException) as error:
            found.failures.append(f"{ask.path}: {type(error).__name__}")
            connection.close()
            connection = _connection()
            continue
        if status != 200:
            found.failures.append(f"{ask.path}: {status}")
        name = "/api/v1/trace" if "/trace/" in ask.path else ask.path.partition("?")[0]
        found.spent_ms[name].append((time.perf_counter() - ask.due_s) * 1_000)
    connection.close()


def _connection() -> http.client.HTTPConnection:
    return http.client.HTTPConnection(settings.ENV.host, settings.ENV.port, timeout=_TIMEOUT_S)


def _answer(connection: http.client.HTTPConnection, method: str, path: str, headers: dict[str, str]) -> int:
    connection.request(method, path, body=b"{}" if method == "POST" else None, headers=headers)
    response = connection.getresponse()
    response.read()
    return response.status
