"""Stands between the engine and a local chain, and does on order what bad endpoints do."""

from __future__ import annotations

import json
import threading
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, cast

#: How it misbehaves: answers nothing, answers late, passes transactions on and drops the answer, tells of a head that is
#: some blocks old, tells of tips that nobody pays.
Manner = Literal["hang", "late", "drop_answer", "old_head", "tip_spike"]
MANNERS: tuple[Manner, ...] = ("hang", "late", "drop_answer", "old_head", "tip_spike")

LATE_S = 0.4
OLD_BLOCKS = 3
TIP_TIMES = 20
_HANG_MAX_S = 12.0
_UPSTREAM_TIMEOUT_S = 20.0
_BODY_BYTES_MAX = 16 * 1024 * 1024


class FaultProxy:
    """One chain's endpoint over loopback HTTP. ``manner`` None: it passes everything on."""

    def __init__(self, *, upstream_port: int) -> None:
        self.manner: Manner | None = None
        self.hits: Counter[str] = Counter()  # requests that met a fault, by manner
        self.requests = 0
        self._upstream_port = upstream_port
        self._over = threading.Event()
        self._local = threading.local()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler_of(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="fault-proxy", daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Return where it listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        """Stop listening; requests that hang are let go."""
        self._over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, body: bytes) -> bytes | None:
        """Return what a request gets; None: the connection is closed without a word."""
        self.requests += 1
        manner = self.manner
        if manner is None:
            return self._pass_on(body)
        asked = json.loads(body)
        calls = asked if isinstance(asked, list) else [asked]
        if manner == "hang":
            self.hits[manner] += 1
            self._over.wait(_HANG_MAX_S)
            return None
        if manner == "late":
            self.hits[manner] += 1
            self._over.wait(LATE_S)
            return self._pass_on(body)
        if manner == "drop_answer":
            answer = self._pass_on(body)
            if not _asks(calls, ("eth_sendRawTransaction",)):
                return answer
            self.hits[manner] += 1
            return None
        if manner == "old_head":
            return self._of_old(asked, calls)
        return self._with_dear_tips(body, calls)

    def thread_ends(self) -> None:
        """Let go of the calling thread's connection to the chain."""
        connection = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()

    def _of_old(self, asked: Any, calls: list[dict[str, Any]]) -> bytes | None:
        self.hits["old_head"] += 1
        head = self._head()
        if head is None:
            return None
        old = hex(max(head - OLD_BLOCKS, 0))
        for call in calls:
            call["params"] = [old if item == "latest" else item for item in call.get("params", [])]
        answer = self._pass_on(json.dumps(asked).encode())
        if answer is None:
            return None
        found = json.loads(answer)
        for item in found if isinstance(found, list) else [found]:
            method = next((call["method"] for call in calls if call.get("id") == item.get("id")), "")
            if method == "eth_blockNumber":
                item["result"] = old
            elif method == "eth_getTransactionReceipt" and _is_newer(item.get("result"), int(old, 16)):
                item["result"] = None
        return json.dumps(found).encode()

    def _with_dear_tips(self, body: bytes, calls: list[dict[str, Any]]) -> bytes | None:
        answer = self._pass_on(body)
        if answer is None or not _asks(calls, ("eth_feeHistory", "eth_maxPriorityFeePerGas")):
            return answer
        self.hits["tip_spike"] += 1
        found = json.loads(answer)
        for item in found if isinstance(found, list) else [found]:
            result = item.get("result")
            if isinstance(result, dict) and "reward" in result:
                result["reward"] = [[_times(tip) for tip in row] for row in result["reward"] or []]
        return json.dumps(found).encode()

    def _head(self) -> int | None:
        request = {"jsonrpc": "2.0", "id": 0, "method": "eth_blockNumber", "params": []}
        answer = self._pass_on(json.dumps(request).encode())
        return None if answer is None else int(json.loads(answer)["result"], 16)

    def _pass_on(self, body: bytes) -> bytes | None:
        for _ in range(2):  # the kept connection may have been closed meanwhile
            connection = getattr(self._local, "connection", None)
            if connection is None:
                connection = HTTPConnection("127.0.0.1", self._upstream_port, timeout=_UPSTREAM_TIMEOUT_S)
                self._local.connection = connection
            try:
                connection.request("POST", "/", body, {"Content-Type": "application/json"})
                return cast(bytes, connection.getresponse().read())
            except (OSError, HTTPException):
                connection.close()
                self._local.connection = None
        return None


def _asks(calls: Iterable[dict[str, Any]], methods: tuple[str, ...]) -> bool:
    return any(call.get("method") in methods for call in calls)


def _is_newer(receipt: Any, number: int) -> bool:
    return isinstance(receipt, dict) and int(str(receipt.get("blockNumber") or "0x0"), 16) > number


def _times(tip: str) -> str:
    return hex(int(tip, 16) * TIP_TIMES)


def _handler_of(proxy: FaultProxy) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = min(int(self.headers.get("Content-Length") or 0), _BODY_BYTES_MAX)
            answer = proxy.answer(self.rfile.read(length))
            if answer is None:
                self.close_connection = True
                return
            with suppress(OSError):  # whoever asked has given up
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

        def finish(self) -> None:
            proxy.thread_ends()
            super().finish()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the base class names it
            return

    return Handler
