"""An EVM node that can lie: JSON-RPC over real loopback sockets, HTTP and WebSocket.

    with FakeRpc(chain_id=7) as node:
        node.answers["eth_call"] = "0x2a"                   # a value, a Fault, or a function of the parameters
        node.misbehave("429", method="eth_call", times=1)   # see Manner
        client = EvmClient([node.endpoint()], chain_id=7)
        ...
        assert node.methods() == ["eth_chainId", "eth_call"]

It is honest until told otherwise. What it was asked stands in ``requests``, what was sent to it in ``sent``.
"""

from __future__ import annotations

import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, NamedTuple, Self

from eth_utils.crypto import keccak
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import Server, ServerConnection, serve

from apps.chains.evm.client import EndpointConfig

Manner = Literal[
    "malformed",  # text that is not JSON
    "html",  # a provider's error page with status 200
    "wrong_types",  # JSON, but a list of numbers
    "wrong_id",  # an answer to another request
    "no_result",  # neither result nor error
    "null_result",  # result: null
    "wrong_type_result",  # result: a nested object where text is expected
    "huge_number",  # result: a quantity of 5,000 digits
    "oversized",  # a body beyond every bound, announced in its length
    "hang",  # reads and never answers
    "drip",  # answers one byte now and then
    "close",  # reads and closes without an answer
    "truncate",  # closes in the middle of its answer
    "not_http",
    "429",
    "429_retry_after",  # with Retry-After: 7
    "403",
    "500",
    "error_rate",  # a JSON-RPC error that means the same as 429
]
_STATUS: dict[str, int] = {"429": 429, "429_retry_after": 429, "403": 403, "500": 500}
OVERSIZED_BYTES = 100 * 1024 * 1024
DRIP_S = 0.05
RETRY_AFTER_S = 7


class Fault(NamedTuple):
    """A JSON-RPC error as an answer."""

    code: int
    message: str
    data: str | None = None


@dataclass
class _Rule:
    manner: Manner
    method: str | None
    times: int | None  # None: always


class FakeRpc:
    """One node on the loopback. Everything public may be changed while it runs."""

    def __init__(
        self, *, chain_id: int = 31_337, genesis_hash: str = "0x" + "9e" * 32, head_number: int = 100
    ) -> None:
        self.chain_id: Any = chain_id
        self.genesis_hash = genesis_hash
        self.head_number = head_number
        self.head_at_s: int | None = None  # None: now
        self.base_fee_wei = 10**9
        self.gas_used, self.gas_limit = 15_000_000, 30_000_000
        self.answers: dict[str, Any] = {}
        self.requests: list[tuple[str, list[Any]]] = []
        self.posts: list[list[str]] = []  # methods by HTTP post
        self.sent: list[str] = []  # raw transactions in order of arrival, lower case
        self.connections = 0
        self.delay_s = 0.0
        self.open_sockets: set[socket.socket] = set()
        self._rules: list[_Rule] = []
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._subscribers: list[tuple[ServerConnection, str, str]] = []  # connection, subscription, kind
        self._subscription_ids = itertools.count(1)
        self._http: ThreadingHTTPServer | None = None
        self._websocket: Server | None = None
        self._port = self._port_ws = 0

    # -- life -----------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, on the same ports as before after a stop."""
        self._stopping.clear()
        self._http = ThreadingHTTPServer(("127.0.0.1", self._port), _handler(self))
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self._port = self._http.server_address[1]
        self._websocket = serve(self._serve_websocket, "127.0.0.1", self._port_ws, compression=None)
        self._port_ws = self._websocket.socket.getsockname()[1]
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        threading.Thread(target=self._websocket.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Close everything; hanging answers are let go."""
        self._stopping.set()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
        for connection in list(self.open_sockets):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.drop_subscribers()
        if self._websocket is not None:
            self._websocket.shutdown()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    @property
    def url_ws(self) -> str:
        return f"ws://127.0.0.1:{self._port_ws}"

    def endpoint(self, **changes: Any) -> EndpointConfig:
        """Return the node as a configured endpoint."""
        return EndpointConfig(**{"url_http": self.url, "url_ws": self.url_ws, **changes})

    # -- conduct --------------------------------------------------------------------------

    def misbehave(self, manner: Manner, *, method: str | None = None, times: int | None = None) -> None:
        """Answer in this manner: always or so many times, to every post or to those that hold ``method``."""
        self._rules.append(_Rule(manner, method, times))

    def behave(self) -> None:
        """Be honest again."""
        self._rules.clear()

    def methods(self) -> list[str]:
        """Return the methods asked so far, in order."""
        return [method for method, _ in self.requests]

    # -- events ---------------------------------------------------------------------------

    def push_head(self, number: int | None = None) -> None:
        """Mine a block and tell the subscribers."""
        self.head_number = self.head_number + 1 if number is None else number
        self.push("newHeads", self.block(self.head_number))

    def push_log(self, log: Any) -> None:
        """Tell the subscribers of a log, whatever their filter."""
        self.push("logs", log)

    def push(self, kind: str, result: Any) -> None:
        """Tell subscribers of ``kind`` anything at all."""
        for connection, subscription, its_kind in list(self._subscribers):
            if its_kind == kind:
                params = {"subscription": subscription, "result": result}
                message = {"jsonrpc": "2.0", "method": "eth_subscription", "params": params}
                with suppress(ConnectionClosed):
                    connection.send(json.dumps(message))

    def push_text(self, text: str) -> None:
        """Send every subscriber any text."""
        for connection in {connection for connection, _, _ in self._subscribers}:
            with suppress(ConnectionClosed):
                connection.send(text)

    def drop_subscribers(self) -> None:
        """Close the subscribers' connections without a word."""
        for connection in {connection for connection, _, _ in self._subscribers}:
            with suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        self._subscribers.clear()

    def wait_for_subscribers(self, count: int = 1, *, timeout_s: float = 5.0) -> None:
        """Wait until so many subscriptions stand."""
        deadline = time.monotonic() + timeout_s
        while len(self._subscribers) < count:
            assert time.monotonic() < deadline, "nobody subscribed"
            time.sleep(0.005)

    # -- answers --------------------------------------------------------------------------

    def block(self, number: int) -> dict[str, Any] | None:
        """Return a block header, None beyond the head."""
        if number > self.head_number:
            return None
        head_at_s = int(time.time()) if self.head_at_s is None else self.head_at_s
        return {
            "number": hex(number),
            "hash": self.genesis_hash if number == 0 else f"0x{number:064x}",
            "parentHash": self.genesis_hash if number == 1 else f"0x{max(number - 1, 0):064x}",
            "timestamp": hex(max(head_at_s - 2 * (self.head_number - number), 0)),
            "baseFeePerGas": hex(self.base_fee_wei),
            "gasUsed": hex(self.gas_used),
            "gasLimit": hex(self.gas_limit),
        }

    def answer(self, method: str, params: list[Any]) -> Any:
        """Return the honest result of a request, or a Fault."""
        if method in self.answers:
            given = self.answers[method]
            return given(params) if callable(given) else given
        match method:
            case "eth_chainId":
                return hex(self.chain_id) if isinstance(self.chain_id, int) else self.chain_id
            case "eth_blockNumber":
                return hex(self.head_number)
            case "eth_getBlockByNumber":
                return self.block(self.head_number if params[0] == "latest" else int(params[0], 16))
            case "eth_getLogs":
                return []
            case "eth_sendRawTransaction":
                return "0x" + keccak(hexstr=params[0]).hex()
            case _:
                return Fault(-32_601, f"the method {method} does not exist")

    def reply(self, request: Any) -> dict[str, Any]:
        """Note a request and return its whole reply."""
        method, params = request["method"], request.get("params", [])
        with self._lock:
            self.requests.append((method, params))
            if method == "eth_sendRawTransaction":
                self.sent.append(params[0].lower())
        result = self.answer(method, params)
        reply: dict[str, Any] = {"jsonrpc": "2.0", "id": request.get("id")}
        if isinstance(result, Fault):
            error = {"code": result.code, "message": result.message}
            return reply | {"error": error if result.data is None else error | {"data": result.data}}
        return reply | {"result": result}

    def manner_for(self, methods: list[str]) -> Manner | None:
        """Return how to answer a post, and count it."""
        with self._lock:
            for rule in self._rules:
                if rule.times != 0 and (rule.method is None or rule.method in methods):
                    if rule.times is not None:
                        rule.times -= 1
                    return rule.manner
        return None

    def wait_until_stopped(self) -> None:
        """Block as a hanging node does."""
        self._stopping.wait(60)

    # -- WebSocket ------------------------------------------------------------------------

    def _serve_websocket(self, connection: ServerConnection) -> None:
        with suppress(ConnectionClosed):
            for frame in connection:
                request = json.loads(frame)
                manner = self.manner_for([request["method"]])
                if manner == "hang":
                    self.reply(request)
                    continue
                if manner == "close":
                    return
                if manner is not None:
                    connection.send(_body(manner, [self.reply(request)], is_batch=False))
                    continue
                reply = self._subscribed(connection, request)
                connection.send(json.dumps(reply))

    def _subscribed(self, connection: ServerConnection, request: Any) -> dict[str, Any]:
        if request["method"] != "eth_subscribe" or "eth_subscribe" in self.answers:
            return self.reply(request)
        self.requests.append((request["method"], request["params"]))
        subscription = hex(next(self._subscription_ids))
        self._subscribers.append((connection, subscription, request["params"][0]))
        return {"jsonrpc": "2.0", "id": request["id"], "result": subscription}


def _body(manner: Manner | None, replies: list[dict[str, Any]], *, is_batch: bool) -> str:
    """Return the JSON text of replies, spoiled in this manner."""
    match manner:
        case "malformed":
            return '{"jsonrpc": "2.0", "id": 1, "result": '
        case "html":
            return "<html><body>Welcome</body></html>"
        case "wrong_types":
            return "[1, 2, 3]"
        case "wrong_id":
            replies = [reply | {"id": 999_999_999} for reply in replies]
        case "no_result":
            replies = [{"jsonrpc": "2.0", "id": reply["id"]} for reply in replies]
        case "null_result":
            replies = [{"jsonrpc": "2.0", "id": reply["id"], "result": None} for reply in replies]
        case "wrong_type_result":
            replies = [{"jsonrpc": "2.0", "id": reply["id"], "result": {"a": [{}]}} for reply in replies]
        case "huge_number":
            replies = [
                {"jsonrpc": "2.0", "id": reply["id"], "result": "0x" + "f" * 5_000} for reply in replies
            ]
        case "error_rate":
            error = {"code": -32_005, "message": "daily request count exceeded, request rate limited"}
            replies = [{"jsonrpc": "2.0", "id": reply["id"], "error": error} for reply in replies]
        case _:
            pass
    return json.dumps(replies if is_batch else replies[0])


def _handler(node: FakeRpc) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            node.connections += 1
            node.open_sockets.add(self.request)
            super().setup()

        def finish(self) -> None:
            node.open_sockets.discard(self.request)
            with suppress(OSError):
                super().finish()

        def log_message(self, *_: object) -> None:
            pass

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            parsed = json.loads(raw)
            items = parsed if isinstance(parsed, list) else [parsed]
            methods = [item["method"] for item in items]
            node.posts.append(methods)
            manner = node.manner_for(methods)
            replies = [node.reply(item) for item in items]
            time.sleep(node.delay_s)
            if manner in ("hang", "close"):
                if manner == "hang":
                    node.wait_until_stopped()
                self.close_connection = True
                return
            if manner == "not_http":
                self.wfile.write(b"220 smtp.example ESMTP ready\r\n")
                self.close_connection = True
                return
            self._answer(manner, _body(manner, replies, is_batch=isinstance(parsed, list)).encode())

        def _answer(self, manner: Manner | None, body: bytes) -> None:
            self.send_response(_STATUS.get(manner or "", 200))
            if manner == "429_retry_after":
                self.send_header("Retry-After", str(RETRY_AFTER_S))
            body = b"no" if manner in _STATUS else body
            length = OVERSIZED_BYTES if manner == "oversized" else len(body)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(length))
            self.end_headers()
            if manner == "truncate":
                body = body[: len(body) // 2]
            if manner in ("truncate", "oversized"):
                self.close_connection = True
            with suppress(ConnectionError):
                for chunk in _chunks(body, is_dripping=manner == "drip"):
                    self.wfile.write(chunk)

    return Handler


def _chunks(body: bytes, *, is_dripping: bool) -> Iterator[bytes]:
    if not is_dripping:
        yield body
        return
    for value in body:
        yield bytes([value])
        time.sleep(DRIP_S)


@contextmanager
def running_nodes(count: int, **settings: Any) -> Iterator[list[FakeRpc]]:
    """Run several alike nodes."""
    nodes = [FakeRpc(**settings) for _ in range(count)]
    try:
        for node in nodes:
            node.start()
        yield nodes
    finally:
        for node in nodes:
            node.stop()
