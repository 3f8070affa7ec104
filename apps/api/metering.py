"""How long the web server takes to answer: counted for Prometheus, and summed up for the pages of the last minutes."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase
from django.utils.decorators import sync_and_async_middleware
from prometheus_client import Histogram

from apps.intelligence.logic.processing import quantile

#: The time that the summary speaks of, and how many requests of it at most.
WINDOW_S: Final = 300
RECENT_MAX: Final = 5_000
#: First part of an address -> how it is called here; whatever else there is counts as a page.
_AREAS: Final = {"api": "api", "static": "static", "admin": "admin", "metrics": "metrics"}

DURATION: Final = Histogram(
    "dexsniper_http_request_duration_seconds",
    "Time to answer a request.",
    ["area", "method", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10),
)
_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_recent: deque[tuple[float, int, bool]] = deque(maxlen=RECENT_MAX)
_lock = threading.Lock()


@sync_and_async_middleware
def metering(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Measure each request, from the first middleware to the answer's headers."""
    if iscoroutinefunction(get_response):

        async def measured_async(request: HttpRequest) -> HttpResponseBase:
            started = time.monotonic()
            response: HttpResponseBase = await get_response(request)
            _note(request, response, time.monotonic() - started)
            return response

        return measured_async

    def measured(request: HttpRequest) -> HttpResponseBase:
        started = time.monotonic()
        response: HttpResponseBase = get_response(request)
        _note(request, response, time.monotonic() - started)
        return response

    return measured


def _note(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    area = _AREAS.get(request.path_info.lstrip("/").partition("/")[0], "page")
    method = request.method if request.method in _METHODS else "other"
    DURATION.labels(area, method, f"{response.status_code // 100}xx").observe(seconds)
    if area in ("api", "page"):
        with _lock:
            _recent.append((time.monotonic(), int(seconds * 1_000), response.status_code >= 500))


def summary() -> dict[str, Any]:
    """Return pages' and API's requests of the last minutes as plain JSON."""
    since = time.monotonic() - WINDOW_S
    with _lock:
        recent = [item for item in _recent if item[0] >= since]
    times = [taken_ms for _, taken_ms, _ in recent]
    return {
        "window_s": WINDOW_S,
        "requests": len(recent),
        "errors": sum(failed for _, _, failed in recent),
        "latency_ms_p50": quantile(times, 50) if times else None,
        "latency_ms_p95": quantile(times, 95) if times else None,
    }
