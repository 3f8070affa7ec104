"""A social service's HTTP: bounded in time and size, every fault translated, no token in any message or log."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, NoReturn

import requests

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.sources.http import FeedHttp
from apps.domain.errors import (
    BadDataError,
    NetworkError,
    SniperError,
    SourceBlockedError,
    SourceExhaustedError,
)

#: The sandbox's own server says so with every answer.
SIMULATED_HEADER = "X-Simulated-Market"
#: Status -> what it means where the service does not say more.
_REFUSALS = {
    401: ("does not accept our token", "Check the token in the environment."),
    403: ("does not let us read this", "Give the bot the rights it needs, or name other channels."),
    409: (
        "is read by another program with the same token",
        "Stop the other program or use a token of its own.",
    ),
}
_DETAIL_MAX = 160
_REST_SENSIBLE_S = 1_000_000


class SocialHttp(FeedHttp):
    """Asks one service. ``headers`` are those of its newest answer, by lower-case name."""

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        per_min: int,
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        more = {} if clock is None else {"clock": clock}
        super().__init__(name=name, base_url=base_url, headers=headers, **more)
        self.headers: dict[str, str] = {}
        self._bucket = TokenBucket(per_min=per_min, burst=max(per_min // 6, 1))

    @property
    def is_simulated(self) -> bool:
        """Tell whether the newest answer came from the sandbox."""
        return SIMULATED_HEADER.lower() in self.headers

    def ask(self, path: str, params: Mapping[str, str]) -> Any:
        """Return the parsed answer; None when our own rate limit says: not now. Raises as ``SocialSource.read``."""
        fault: NetworkError | None = None
        try:
            return self.get(path, bucket=self._bucket, params=params)
        except NetworkError as error:
            fault = error
        # Without its cause: the library's own message names the whole address, and with it the token.
        fault.__cause__ = fault.__context__ = None
        raise fault

    def _check_status(self, response: requests.Response, path: str) -> None:
        self.headers = {key.lower(): value for key, value in response.headers.items()}
        status = response.status_code
        if status == 402:
            raise SourceExhaustedError(
                f"{self._name} says that our credit is spent", remedy="It is asked again by itself tomorrow."
            )
        if status == 429:
            self._rest(self._asked_rest(response))
        if status in _REFUSALS:
            what, remedy = _REFUSALS[status]
            raise SourceBlockedError(f"{self._name} {what} (status {status})", remedy=remedy)
        if 400 <= status < 500:
            raise BadDataError(
                f"{self._name} refused the request (status {status}): {self._detail(response)}",
                remedy="Check the channels and addresses in the environment.",
            )
        super()._check_status(response, path)

    def _asked_rest(self, response: requests.Response) -> str | None:
        """Return how many seconds to rest, from whichever place the service says it."""
        if response.headers.get("Retry-After"):
            return response.headers["Retry-After"]
        told = self._told(response)
        seconds = told.get("retry_after")
        if isinstance(told.get("parameters"), dict):
            seconds = told["parameters"].get("retry_after", seconds)
        if seconds is None and self.headers.get("x-rate-limit-reset", "").isdigit():
            seconds = int(self.headers["x-rate-limit-reset"][:12]) - int(time.time())
        if isinstance(seconds, int | Decimal) and 0 <= seconds < _REST_SENSIBLE_S:
            return str(int(seconds) + 1)
        return None

    def _detail(self, response: requests.Response) -> str:
        told = self._told(response)
        for key in ("detail", "description", "message", "title"):
            if isinstance(told.get(key), str):
                return str(told[key])[:_DETAIL_MAX]
        return "no reason given"

    def _told(self, response: requests.Response) -> dict[str, Any]:
        """Return a refusal's own words, empty where there are none that can be read."""
        try:
            told = self._parsed(self._read(response), "")
        except (SniperError, requests.RequestException):
            return {}
        return told if isinstance(told, dict) else {}


def refuse_shape(name: str, why: str) -> NoReturn:
    """Raise that an answer is not of the documented shape."""
    raise BadDataError(f"{name} answered in an unknown shape: {why}", remedy="It is asked again by itself.")
