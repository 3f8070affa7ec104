"""A telling service's HTTP: bounded in time and size, no redirect, and no address or token in any message or log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests

from apps.alerts.transports.port import DeliveryFailedError, DeliveryRefusedError

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3.05, 8.0
ANSWER_MAX_BYTES = 1_000_000
DETAIL_LENGTH_MAX = 160
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
#: These refusals pass by themselves.
_PASSING = (408, 425, 429)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back. ``fields`` is {} where it is no JSON object."""

    status: int
    fields: dict[str, Any]
    retry_after: str


class TellingHttp:
    """Asks one service. A session is no thread's own: make one for each thread."""

    def __init__(self, *, name: str, url: str) -> None:
        self._name, self._url = name, url.rstrip("/")
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": "dex-sniper-pro"})
        # No proxy stands between us and our own machine.
        self._session.trust_env = urlsplit(url).hostname not in _LOOPBACK

    def ask(
        self,
        method: str,
        path: str = "",
        *,
        body: Mapping[str, Any] | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = READ_TIMEOUT_S,
    ) -> Answer:
        """Return the answer whatever its status. Raises DeliveryFailedError when none came."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        kind = {} if data is None else {"Content-Type": "application/json"}
        fault = ""
        try:
            with self._session.request(
                method,
                self._url + path,
                data=data,
                headers={**kind, **(headers or {})},
                timeout=(CONNECT_TIMEOUT_S, timeout_s),
                stream=True,
                allow_redirects=False,
            ) as response:
                return Answer(
                    status=response.status_code,
                    fields=_fields(response),
                    retry_after=response.headers.get("Retry-After", ""),
                )
        except (requests.RequestException, ValueError) as error:
            fault = type(error).__name__
        # Raised here, without its cause: the library's own message names the whole address, and with it the key.
        raise DeliveryFailedError(
            f"{self._name} did not answer ({fault})",
            remedy="It is tried again by itself; check the network.",
        )

    def refuse(self, answer: Answer, *, remedy: str) -> None:
        """Raise what an answer's status means; return when it is a success."""
        status = answer.status
        if 200 <= status < 300:
            return
        told = next(
            (str(answer.fields[key]) for key in ("description", "message") if answer.fields.get(key)), ""
        )
        what = f"{self._name} answered with status {status}" + (
            f": {told[:DETAIL_LENGTH_MAX]}" if told else ""
        )
        if status >= 500 or status in _PASSING:
            raise DeliveryFailedError(what, remedy="It is tried again by itself.", rest_s=rest_of(answer))
        raise DeliveryRefusedError(what, remedy=remedy)


def rest_of(answer: Answer) -> int | None:
    """Return how many seconds the other side asks us to rest, from whichever place it says it."""
    parameters = answer.fields.get("parameters")
    told = parameters.get("retry_after") if isinstance(parameters, dict) else answer.fields.get("retry_after")
    if isinstance(told, int | float) and 0 <= told < 1_000_000:
        return int(told) + 1
    given = answer.retry_after.strip()
    return int(given[:7]) if given.isascii() and given.isdigit() else None


def _fields(response: requests.Response) -> dict[str, Any]:
    body = bytearray()
    for chunk in response.iter_content(65_536):
        body += chunk
        if len(body) > ANSWER_MAX_BYTES:
            return {}
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
