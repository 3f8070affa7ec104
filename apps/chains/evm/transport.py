"""One HTTP POST over a kept-alive connection, with a hard deadline.

Libraries bound each wait for bytes, so an endpoint that drips a byte a second holds a thread for ever; here every wait
gets what is left of one deadline. It also says whether anything was written, which decides if a failed send is unknown.
Proxies of the environment are not used: an endpoint is reached directly or not at all.
"""

from __future__ import annotations

import base64
import http.client
import io
import os
import select
import socket
import ssl
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import unquote, urlsplit

BODY_BYTES_MAX = 32 * 1024 * 1024
CONNECTIONS_KEPT_MAX = 16
CONNECT_MAX_S = 3.0
RETRY_AFTER_DIGITS_MAX = 6

FaultKind = Literal["unreachable", "timeout", "closed", "too_large", "malformed"]


class TransportFault(Exception):
    """An exchange failed. ``was_written`` tells whether the endpoint may have read (a part of) the request."""

    def __init__(self, kind: FaultKind, message: str, *, was_written: bool) -> None:
        super().__init__(message)
        self.kind = kind
        self.was_written = was_written


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What the endpoint answered. ``retry_after_s`` is None when it did not say."""

    status: int
    retry_after_s: int | None
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAddress:
    """An http(s) URL in parts. ``label`` is safe to show: keys of providers stand in path, query or user name."""

    is_tls: bool
    host: str
    port: int
    head: bytes = field(repr=False)  # request line and headers up to the length's value

    @property
    def label(self) -> str:
        """Return host and port."""
        return f"{self.host}:{self.port}"

    @property
    def is_loopback(self) -> bool:
        """Tell whether this is our own machine."""
        return is_loopback_host(self.host)


def is_loopback_host(host: str) -> bool:
    """Tell whether a host name or address always means our own machine."""
    return host in ("localhost", "::1") or (host.startswith("127.") and host.replace(".", "").isdigit())


def parse_address(url: str) -> HttpAddress:
    """Return the parts of an http(s) URL. Raises ValueError when it is none."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isascii() or " " in url:
        raise ValueError("not an http(s) address")
    is_tls = parts.scheme == "https"
    port = parts.port or (443 if is_tls else 80)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    headers = [
        f"POST {target} HTTP/1.1",
        f"Host: {host}:{port}",
        "Content-Type: application/json",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "User-Agent: dex-sniper-pro",
    ]
    if parts.username is not None:
        credentials = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
        headers.append(f"Authorization: Basic {base64.b64encode(credentials).decode()}")
    head = "\r\n".join([*headers, "Content-Length: "]).encode("ascii")
    return HttpAddress(is_tls=is_tls, host=parts.hostname, port=port, head=head)


class _DeadlineReader(io.RawIOBase):
    """Reads a socket, each wait bounded by what is left until ``deadline``."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self.deadline = 0.0
        self.has_read = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._connection.settimeout(_left(self.deadline))
        count = self._connection.recv_into(buffer)
        self.has_read = self.has_read or count > 0
        return count

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Serve http.client, which asks a socket for a file."""
        return io.BufferedReader(self, 65_536)

    def close(self) -> None:
        """Do nothing: the response closes its file at its end, the connection lives on."""


class HttpConnection:
    """One connection to one address; used by one thread at a time."""

    def __init__(self, address: HttpAddress) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._reader: _DeadlineReader | None = None

    @property
    def is_open(self) -> bool:
        """Tell whether the connection stands and the other side has neither closed it nor sent anything unasked."""
        if self._socket is None:
            return False
        poll = select.poll()
        poll.register(self._socket, select.POLLIN)
        return not poll.poll(0)

    def open(self, deadline: float) -> None:
        """Connect (anew), within ``deadline`` of time.monotonic(). Raises TransportFault."""
        self.close()
        address = self._address
        limit = min(deadline, time.monotonic() + CONNECT_MAX_S)
        try:
            self._socket = socket.create_connection((address.host, address.port), timeout=_left(limit))
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if address.is_tls:
                self._socket.settimeout(_left(limit))
                self._socket = _TLS.wrap_socket(self._socket, server_hostname=address.host)
        except TimeoutError as error:
            self.close()
            raise TransportFault(
                "timeout", "did not accept a connection in time", was_written=False
            ) from error
        except ssl.SSLError as error:
            self.close()
            raise TransportFault("unreachable", f"TLS failed: {error.reason}", was_written=False) from error
        except OSError as error:
            self.close()
            raise TransportFault("unreachable", error.strerror or str(error), was_written=False) from error
        self._reader = _DeadlineReader(self._socket)

    def post(self, body: bytes, *, deadline: float, headers: bytes = b"") -> HttpAnswer:
        """Send ``body`` over the open connection and return the answer. Raises TransportFault and closes.

        ``headers`` are of this request alone, each ended by CR LF.
        """
        assert self._socket is not None, "open() comes first"
        assert self._reader is not None
        self._reader.deadline = deadline
        self._reader.has_read = False
        try:
            self._socket.settimeout(_left(deadline))
            self._socket.sendall(b"%b%d\r\n%b\r\n%b" % (self._address.head, len(body), headers, body))
            answer, keeps_alive = _read_answer(self._reader)
        except TimeoutError as error:
            self.close()
            raise TransportFault("timeout", "did not answer in time", was_written=True) from error
        except (http.client.HTTPException, ValueError) as error:
            is_closed = isinstance(error, http.client.RemoteDisconnected)
            self.close()
            if is_closed:
                raise TransportFault(
                    "closed", "closed the connection without an answer", was_written=True
                ) from error
            raise TransportFault("malformed", f"broken HTTP: {error!r:.100}", was_written=True) from error
        except OSError as error:
            self.close()
            raise TransportFault("closed", error.strerror or str(error), was_written=True) from error
        except TransportFault:
            self.close()
            raise
        if not keeps_alive:
            self.close()
        return answer

    def close(self) -> None:
        """Close the connection if there is one."""
        if self._socket is not None:
            self._socket.close()
        self._socket = self._reader = None

    def __del__(self) -> None:
        """Close with the last reference: a client that is dropped may still be in use by another thread."""
        self.close()


class HttpPool:
    """Kept-alive connections to one address, shared by threads: each exchange has one to itself."""

    def __init__(self, address: HttpAddress) -> None:
        self.address = address
        self._idle: deque[HttpConnection] = deque(maxlen=CONNECTIONS_KEPT_MAX)
        self._owner = os.getpid()

    def post(self, body: bytes, *, deadline: float) -> tuple[HttpAnswer, bool]:
        """Return the answer, and whether a connection had to be made anew after the endpoint dropped the old one.

        For requests that may be repeated: one lost on a kept connection is repeated once on a new one.
        Raises TransportFault.
        """
        connection, was_dropped = self._take()
        if connection is not None:
            try:
                return self._exchange(connection, body, deadline), was_dropped
            except TransportFault as fault:
                if fault.kind != "closed":
                    raise
                was_dropped = True
        connection = HttpConnection(self.address)
        connection.open(deadline)
        return self._exchange(connection, body, deadline), was_dropped

    def checkout(self, *, deadline: float) -> tuple[HttpConnection, bool]:
        """Return an open connection for one exchange that must not be repeated, and whether an old one was lost.

        Give it back afterwards. Raises TransportFault.
        """
        connection, was_dropped = self._take()
        if connection is None:
            connection = HttpConnection(self.address)
            connection.open(deadline)
        return connection, was_dropped

    def give_back(self, connection: HttpConnection) -> None:
        """Keep a connection for the next exchange if it is still good."""
        if connection.is_open:
            self._idle.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close idle connections."""
        while self._idle:
            self._idle.pop().close()

    def _exchange(self, connection: HttpConnection, body: bytes, deadline: float) -> HttpAnswer:
        answer = connection.post(body, deadline=deadline)
        self.give_back(connection)
        return answer

    def _take(self) -> tuple[HttpConnection | None, bool]:
        """Return an open idle connection, newest first, and whether dropped ones were found."""
        if self._owner != os.getpid():  # a forked worker must not talk into its parent's connections
            self._idle.clear()
            self._owner = os.getpid()
        was_dropped = False
        for _ in range(CONNECTIONS_KEPT_MAX):
            try:
                connection = self._idle.pop()
            except IndexError:
                break
            if connection.is_open:
                return connection, was_dropped
            connection.close()
            was_dropped = True
        return None, was_dropped


_TLS = ssl.create_default_context()


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _read_answer(reader: _DeadlineReader) -> tuple[HttpAnswer, bool]:
    response = http.client.HTTPResponse(reader, method="POST")  # type: ignore[arg-type]
    try:
        response.begin()
        if response.length is not None and response.length > BODY_BYTES_MAX:
            raise _too_large()
        body = response.read(BODY_BYTES_MAX + 1)
        if len(body) > BODY_BYTES_MAX:
            raise _too_large()
        if response.length:
            raise TransportFault(
                "closed", "closed the connection in the middle of its answer", was_written=True
            )
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise TransportFault("malformed", "compressed its answer unasked", was_written=True)
        retry_after = response.headers.get("Retry-After", "")
        is_number = retry_after.isdecimal() and len(retry_after) <= RETRY_AFTER_DIGITS_MAX
        answer = HttpAnswer(
            status=response.status, retry_after_s=int(retry_after) if is_number else None, body=body
        )
        return answer, not response.will_close
    finally:
        response.close()


def _too_large() -> TransportFault:
    return TransportFault("too_large", f"answered with more than {BODY_BYTES_MAX} bytes", was_written=True)
