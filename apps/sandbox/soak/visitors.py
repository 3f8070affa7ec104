"""A person with a page open and a program on the socket: how long each was served, and whether it missed anything."""

from __future__ import annotations

import json
import re
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import requests
from django.conf import settings
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect
from websockets.typing import Origin

from apps.domain.errors import PlatformError

_PAGES = ("/", "/positions/", "/monitor/", "/healthz")
_LOOK_EVERY_S, _ANSWER_MAX_S = 0.25, 5.0
_LOGIN_MAX_S = 60.0


@dataclass(slots=True)
class Presence:
    """How long something was there. ``up_s`` + ``down_s`` is how long it was watched."""

    up_s: float = 0.0
    down_s: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)

    @property
    def up_bps(self) -> int | None:
        """Return the share of time that it was there, rounded down; None when it was not watched."""
        whole = self.up_s + self.down_s
        return int(self.up_s * 10_000 / whole) if whole else None


def signed_in() -> requests.Session:
    """Return a browser that has signed in as the admin. Raises PlatformError."""
    base = f"http://127.0.0.1:{settings.ENV.port}"
    deadline = time.monotonic() + _LOGIN_MAX_S
    while time.monotonic() < deadline:
        browser = requests.Session()
        try:
            form = browser.get(f"{base}/login/", timeout=_ANSWER_MAX_S)
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form.text)
            if token is not None:
                given = {
                    "username": settings.ENV.admin_user,
                    "password": settings.ENV.admin_password,
                    "csrfmiddlewaretoken": token.group(1),
                }
                if browser.post(f"{base}/login/", data=given, timeout=_ANSWER_MAX_S).url == f"{base}/":
                    return browser
        except requests.RequestException:
            pass
        time.sleep(_LOOK_EVERY_S)
    raise PlatformError("Nobody could sign in.", remedy="Read the lines of the web server in the log.")


class PageVisitor:
    """Asks for one page after the other. A page counts as down from its first failure until it answers again."""

    def __init__(self, browser: requests.Session) -> None:
        self.presence = Presence()
        self._browser = browser
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="pages", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        base, turn, before = f"http://127.0.0.1:{settings.ENV.port}", 0, time.monotonic()
        while not self._over.wait(_LOOK_EVERY_S):
            fault = self._fault_of(base + _PAGES[turn % len(_PAGES)])
            turn += 1
            now = time.monotonic()
            if fault:
                self.presence.down_s += now - before
                self.presence.faults[fault] += 1
            else:
                self.presence.up_s += now - before
            before = now

    def _fault_of(self, url: str) -> str:
        try:
            answer = self._browser.get(url, timeout=_ANSWER_MAX_S, allow_redirects=False)
        except requests.RequestException as error:
            return type(error).__name__
        return "" if answer.status_code == requests.codes.ok else f"status {answer.status_code}"


class SocketVisitor:
    """Listens on the socket, comes back when it is cut, and resumes after the last message that it has."""

    def __init__(self, browser: requests.Session) -> None:
        self.presence = Presence()
        self.ids: list[int] = []
        self.gaps = 0
        self._cookie = "; ".join(f"{item.name}={item.value}" for item in browser.cookies)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="socket", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def close(self) -> None:
        """End it."""
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        self._mark = time.monotonic()
        while not self._over.is_set():
            try:
                self._listen()
            except (OSError, TimeoutError, WebSocketException) as error:
                self.presence.faults[type(error).__name__] += 1
                self._spent(is_up=False)
            self._over.wait(_LOOK_EVERY_S)

    def _listen(self) -> None:
        port = settings.ENV.port
        with connect(
            f"ws://127.0.0.1:{port}/ws/autotrade",
            origin=Origin(f"http://127.0.0.1:{port}"),
            additional_headers={"Cookie": self._cookie},
            open_timeout=_ANSWER_MAX_S,
        ) as socket:
            if self.ids:
                socket.send(json.dumps({"type": "resume", "last_id": self.ids[-1]}))
            self._spent(is_up=False)
            while not self._over.is_set():
                try:
                    message = json.loads(socket.recv(timeout=_LOOK_EVERY_S))
                except TimeoutError:
                    self._spent(is_up=True)
                    continue
                self._spent(is_up=True)
                if message["type"] == "heartbeat":
                    last_id = message["payload"]["last_id"]
                    socket.send(json.dumps({"type": "pong", "last_id": last_id}))
                elif message["type"] == "gap":
                    self.gaps += 1
                if message["id"] is not None:
                    self.ids.append(int(message["id"]))

    def _spent(self, *, is_up: bool) -> None:
        now = time.monotonic()
        if is_up:
            self.presence.up_s += now - self._mark
        else:
            self.presence.down_s += now - self._mark
        self._mark = now
