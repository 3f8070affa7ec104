"""How often somebody may ask. All web processes count together where the broker answers, else each for itself.

Pulling the kill switch is never held back.
"""

from __future__ import annotations

import logging
import time
from typing import Any, Final

from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

from apps.api.problems import RequestError

logger = logging.getLogger(__name__)
WINDOW_S: Final = 60
#: The one address that no limit holds back.
KILL_PATH: Final = "/killswitch/pull"
#: After a failure the shared count is left alone for so long: nobody waits for a dead broker twice.
_REST_S: Final = 5.0
_SAFE: Final = ("GET", "HEAD", "OPTIONS")
_rest_until = 0.0


class CallerThrottle(BaseThrottle):
    """Counts each caller's reads and acts of a sliding minute. Limits: ``settings.API_PER_MINUTE``."""

    def allow_request(self, request: HttpRequest) -> bool:
        """Tell whether the request may go on; raises RequestError with the seconds to wait."""
        if request.path.endswith(KILL_PATH):
            return True
        kind = "read" if request.method in _SAFE else "act"
        count(request.auth.key, kind)  # type: ignore[attr-defined]  # set by ninja
        return True


def refusal_count(request: HttpRequest) -> None:
    """Count a wrong token of this address. Raises RequestError when there were too many."""
    count(f"address:{request.META.get('REMOTE_ADDR', '')}", "refused")


def count(who: str, kind: str) -> None:
    """Count one more. Raises RequestError beyond the limit."""
    limit: int = settings.API_PER_MINUTE[kind]
    now = time.time()
    window, into = divmod(now, WINDOW_S)
    before, current = _counted(f"api/{kind}/{who}", int(window))
    if before * (1 - into / WINDOW_S) + current > limit:
        raise RequestError(
            f"More than {limit} requests in a minute.",
            status=429,
            code="TOO_MANY_REQUESTS",
            remedy="Ask less often; Retry-After tells when there is room again.",
            retry_after_s=WINDOW_S - into if before <= limit else WINDOW_S,
        )


def _counted(key: str, window: int) -> tuple[int, int]:
    """Return the counts of the window before and of this one, with this request."""
    global _rest_until
    if time.monotonic() >= _rest_until:
        try:
            return _count_in(caches["shared"], key, window)
        except Exception as error:  # noqa: BLE001  # whatever ails the broker, the API serves on
            _rest_until = time.monotonic() + _REST_S
            logger.warning("requests are counted by this process alone", extra={"reason": str(error)[:200]})
    return _count_in(caches["default"], key, window)


def _count_in(cache: Any, key: str, window: int) -> tuple[int, int]:
    now, before = f"{key}/{window}", f"{key}/{window - 1}"
    cache.add(now, 0, timeout=2 * WINDOW_S)
    return int(cache.get(before, 0)), int(cache.incr(now))
