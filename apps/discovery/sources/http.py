"""One feed's HTTP: bounded in time and size, within its rate limit, every fault translated."""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from email.utils import parsedate_to_datetime
from typing import Any, NoReturn
from urllib.parse import urlsplit

import requests

from apps.discovery.logic.bucket import TokenBucket
from apps.domain.errors import BadDataError, NetworkError, RateLimitedError

CONNECT_TIMEOUT_S, READ_TIMEOUT_S = 3.05, 5.0
ANSWER_MAX_S = 10.0  # from the request to the last byte
ANSWER_MAX_BYTES = 4_000_000
_CHUNK_BYTES = 65_536
#: Numbers beyond this power of ten would cost more to convert than they can mean.
EXPONENT_MAX = 400
#: Python's own guard against deep nesting is raised so far by a chain library that the parser would crash the process.
DEPTH_MAX = 64
#: A string ends at its quote or at the end of the text, so that every byte is looked at once.
_STRING_OR_BRACKET = re.compile(rb'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[\]{}]', re.DOTALL)
#: After a 429 without a usable Retry-After we rest so long, doubled each time up to the maximum.
REST_FIRST_S, REST_MAX_S = 30.0, 600.0
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class FeedHttp:
    """Asks one feed. Raises RateLimitedError without asking while the feed wants us to rest."""

    def __init__(
        self,
        *,
        name: str,
        base_url: str,
        headers: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._base_url = base_url.rstrip("/")
        self._clock = clock
        self._session = requests.Session()
        self._session.headers.update({"Accept": "application/json", "User-Agent": "dex-sniper-pro"})
        self._session.headers.update(headers or {})
        # No proxy stands between us and our own machine.
        self._session.trust_env = urlsplit(base_url).hostname not in _LOOPBACK
        self._lock = threading.Lock()
        self._rest_until_s = 0.0
        self._rest_s = REST_FIRST_S

    def get(self, path: str, *, bucket: TokenBucket, params: Mapping[str, str] | None = None) -> Any:
        """Return the parsed answer, fractions as Decimal; None when our own rate limit says: not now.

        Raises NetworkError, RateLimitedError, BadDataError.
        """
        with self._lock:
            now_s = self._clock()
            if now_s < self._rest_until_s:
                raise RateLimitedError(
                    f"{self._name} asked us to rest for {self._rest_until_s - now_s:.0f} s more",
                    remedy="It goes on by itself.",
                )
            if not bucket.take(now_s):
                return None
        try:
            with self._session.get(
                self._base_url + path,
                params=params,
                timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
                stream=True,
                allow_redirects=False,
            ) as response:
                self._check_status(response, path)
                body = self._read(response)
        except requests.RequestException as error:
            raise NetworkError(
                f"{self._name} did not answer: {type(error).__name__}",
                remedy="It is asked again by itself; check the network and the feed's address in the environment.",
                path=path,
            ) from error
        with self._lock:
            self._rest_s = REST_FIRST_S
        return self._parsed(body, path)

    def _check_status(self, response: requests.Response, path: str) -> None:
        status = response.status_code
        if status == 429:
            self._rest(response.headers.get("Retry-After"))
        if status >= 500:
            raise NetworkError(
                f"{self._name} answered with status {status}",
                remedy="It is asked again by itself.",
                path=path,
            )
        if status != 200:
            raise BadDataError(
                f"{self._name} answered with status {status}",
                remedy="Check the feed's address in the environment and the chain's name at the feed in the admin.",
                path=path,
            )

    def _rest(self, retry_after: str | None) -> NoReturn:
        with self._lock:
            asked_s = _seconds_of(retry_after)
            rest_s = min(max(asked_s if asked_s is not None else self._rest_s, 1.0), REST_MAX_S)
            self._rest_s = min(self._rest_s * 2, REST_MAX_S)
            self._rest_until_s = self._clock() + rest_s
        raise RateLimitedError(
            f"{self._name} asked us to rest for {rest_s:.0f} s",
            remedy="It goes on by itself; when it comes often, another program asks from the same address.",
        )

    def _read(self, response: requests.Response) -> bytes:
        deadline_s = self._clock() + ANSWER_MAX_S
        body = bytearray()
        for chunk in response.iter_content(_CHUNK_BYTES):
            body += chunk
            if len(body) > ANSWER_MAX_BYTES:
                raise BadDataError(
                    f"{self._name} sent more than {ANSWER_MAX_BYTES} bytes", remedy="It was not read."
                )
            if self._clock() > deadline_s:
                raise NetworkError(
                    f"{self._name} took longer than {ANSWER_MAX_S:.0f} s",
                    remedy="It is asked again by itself.",
                )
        return bytes(body)

    def _parsed(self, body: bytes, path: str) -> Any:
        try:
            _refuse_depth(body)
            answer = json.loads(body, parse_float=_fraction, parse_constant=_no_constant)
            if answer is None:
                raise ValueError("null")
        except ValueError as error:
            raise BadDataError(
                f"{self._name} did not answer in usable JSON",
                remedy="It is asked again by itself.",
                path=path,
            ) from error
        return answer


def _refuse_depth(body: bytes) -> None:
    depth = 0
    for token in _STRING_OR_BRACKET.finditer(body):
        if body[token.start()] in b"[{":
            depth += 1
            if depth > DEPTH_MAX:
                raise ValueError(f"nested deeper than {DEPTH_MAX}")
        elif body[token.start()] in b"]}":
            depth -= 1


def _fraction(text: str) -> Decimal:
    """Return a JSON number exactly; one beyond every magnitude becomes NaN, which no field accepts."""
    number = Decimal(text)
    return number if abs(number.adjusted()) <= EXPONENT_MAX else Decimal("NaN")


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no number")


def _seconds_of(retry_after: str | None) -> float | None:
    """Return a Retry-After header in seconds: it is a number or a date."""
    if not retry_after:
        return None
    if retry_after.isascii() and retry_after.strip().isdigit():
        return float(retry_after.strip()[:9])
    try:
        until = parsedate_to_datetime(retry_after)
    except (TypeError, ValueError):
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    return (until - datetime.fromtimestamp(time.time(), tz=UTC)).total_seconds()
