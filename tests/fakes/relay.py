"""A private relay that can misbehave: it takes transactions over a real loopback socket and gives them to a local chain.

with LocalRelay(forward=market.rpc) as relay:
    relay.manner = "hold"          # see Manner
    ...
    relay.release()                # what it holds goes to the chain
    assert relay.taken == ["0x02…"]
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self

from eth_utils.crypto import keccak

Manner = Literal[
    "include",  # gives it to the chain at once
    "hold",  # takes it and gives it to the chain when told to
    "drop",  # says that it took it, and forgets it
    "refuse",  # answers with an error, takes nothing
    "rubbish",  # takes nothing and answers with what is no JSON-RPC
    "hang",  # takes it, and does not answer in time
    "hang_and_include",  # gives it to the chain, and does not answer in time
]
_SENDS = ("eth_sendRawTransaction", "eth_sendPrivateTransaction")


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    params: list[Any]
    body: bytes
    signature: str  # of the header X-Flashbots-Signature, "" without


class LocalRelay:
    """One relay on the loopback. Everything public may be changed while it runs."""

    def __init__(self, *, forward: Callable[..., Any] | None = None, chain_id: int = 31_337) -> None:
        self.manner: Manner = "include"
        self.chain_id = chain_id
        self.asked: list[Asked] = []
        self.taken: list[str] = []  # raw transactions in order of arrival
        self.held: list[str] = []
        self.forgotten: list[str] = []  # hashes of withdrawn transactions
        self._forward = forward
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._http.block_on_close = False

    def __enter__(self) -> Self:
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._http.shutdown()
        self._http.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def release(self) -> None:
        """Give everything held to the chain."""
        held, self.held = self.held, []
        for raw in held:
            self._to_chain(raw)

    def answer(self, asked: Asked) -> dict[str, Any] | None:
        """Return what is answered; None: nothing, for ever."""
        with self._lock:
            self.asked.append(asked)
            if asked.method == "eth_chainId":
                return {"result": hex(self.chain_id)}
            if asked.method == "eth_cancelPrivateTransaction":
                return self._forget(str(asked.params[0]["txHash"]))
            if asked.method not in _SENDS:
                return {"error": {"code": -32_601, "message": "method not found"}}
            given = asked.params[0]
            return self._take(given["tx"] if isinstance(given, dict) else given)

    def wait_for_end(self) -> None:
        self._stopping.wait(5)

    def _take(self, raw: str) -> dict[str, Any] | None:
        if self.manner == "refuse":
            return {"error": {"code": -32_000, "message": "this relay takes no transactions now"}}
        if self.manner == "rubbish":
            return {}
        self.taken.append(raw)
        if self.manner in ("include", "hang_and_include"):
            self._to_chain(raw)
        elif self.manner != "drop":
            self.held.append(raw)
        return None if self.manner in ("hang", "hang_and_include") else {"result": hash_of(raw)}

    def _forget(self, tx_hash: str) -> dict[str, Any]:
        self.forgotten.append(tx_hash)
        kept = [raw for raw in self.held if hash_of(raw) != tx_hash]
        was_held, self.held = len(kept) < len(self.held), kept
        return {"result": was_held}

    def _to_chain(self, raw: str) -> None:
        if self._forward is not None:
            self._forward("eth_sendRawTransaction", raw)


def hash_of(raw: str) -> str:
    """Return the hash of a raw transaction."""
    return "0x" + keccak(bytes.fromhex(raw[2:])).hex()


def _handler(relay: LocalRelay) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # the name that http.server calls
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = json.loads(body)
            answer = relay.answer(
                Asked(
                    method=request["method"],
                    params=request["params"],
                    body=body,
                    signature=self.headers.get("X-Flashbots-Signature", ""),
                )
            )
            if answer is None:
                relay.wait_for_end()
                self.close_connection = True
                return
            text = json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler
