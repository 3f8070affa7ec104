"""The other side of every way of telling: one local server that answers in the shapes that the services document."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "7000000001:AAfakefakefakefakefakefakefakefake00"


@dataclass(slots=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body) if self.body else {}


@dataclass(slots=True)
class Service:
    """Telegram's Bot API under /bot<token>, Discord's webhooks under /discord, a webhook of one's own under /hook."""

    requests: list[Request] = field(default_factory=list)
    #: Answered in place of the usual, once each: (status, fields, headers).
    faults: list[tuple[int, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""

    def answer(self, request: Request) -> tuple[int, dict[str, Any], dict[str, str]]:
        self.requests.append(request)
        if self.faults:
            return self.faults.pop(0)
        if request.path.startswith("/bot"):
            return self._telegram(request)
        if request.path.startswith("/discord"):
            return 200, {"id": "1300000000000000001", "type": 0, "content": "…"}, {}
        return 204, {}, {}

    def _telegram(self, request: Request) -> tuple[int, dict[str, Any], dict[str, str]]:
        if not request.path.startswith(f"/bot{TOKEN}/"):
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}, {}
        method = request.path.rpartition("/")[2]
        if method == "getUpdates":
            offset = request.fields["offset"]
            self.updates = [item for item in self.updates if item["update_id"] >= offset]
            return 200, {"ok": True, "result": self.updates}, {}
        if method == "getMe":
            return 200, {"ok": True, "result": {"id": 1, "is_bot": True, "username": "sniper_bot"}}, {}
        number = len(self.said) + 1
        return 200, {"ok": True, "result": {"message_id": number, "chat": {"id": 1}}}, {}

    @property
    def said(self) -> list[dict[str, Any]]:
        """Return what was sent as messages."""
        return [item.fields for item in self.requests if item.path.endswith("/sendMessage")]

    @property
    def last(self) -> str:
        return self.said[-1]["text"]


class Server:
    """Serves on a free loopback port while it is entered."""

    def __init__(self) -> None:
        self.service = service = Service()

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                request = Request(self.command, self.path, dict(self.headers), self.rfile.read(length))
                status, fields, headers = service.answer(request)
                body = b"" if status == 204 else json.dumps(fields).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            do_GET = do_POST = do_HEAD = _serve  # noqa: N815

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        service.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Service:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self.service

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def update(number: int, text: str, *, chat: int, at_s: int, kind: str = "private") -> dict[str, Any]:
    """Return an update as Telegram writes it."""
    person = {"id": chat, "is_bot": False, "first_name": "Ada", "username": "ada"}
    return {
        "update_id": number,
        "message": {
            "message_id": number,
            "from": person,
            "chat": {"id": chat, "first_name": "Ada", "username": "ada", "type": kind},
            "date": at_s,
            "text": text,
        },
    }
