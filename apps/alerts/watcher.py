"""The process that tells: looks, makes messages, sends them, and listens to the Telegram bot.

It stands apart from what it watches and needs no broker: rows are its queue, the database its only dependence. Each way of
telling and the bot have a thread of their own, so that one that hangs delays neither the others nor the looking.
"""

from __future__ import annotations

import logging
import os
import socket
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, close_old_connections, connections

from apps.alerts import wiring
from apps.alerts.logic.rules import Facts, judge
from apps.alerts.services.alerts import alerts_apply, alerts_prune
from apps.alerts.services.deliveries import deliveries_make, deliveries_send
from apps.alerts.services.facts import (
    COMPONENT,
    cursor,
    cursor_advance,
    facts_quick,
    facts_slow,
    log_end,
    read_until,
    with_web,
)
from apps.alerts.telegram.bot import Bot
from apps.domain.errors import Category, Recovery, SniperError
from apps.state.services.config import active_config
from apps.state.services.heartbeats import beat, lease_release, lease_take
from apps.state.services.incidents import incident_from_error, incident_open

logger = logging.getLogger(__name__)

LEASE = "alerts"
LEASE_TTL_S = 15
LOOK_EVERY_S = 1.0
SLOW_EVERY_S = 15.0
SEND_EVERY_S = 0.5
PRUNE_EVERY_S = 3_600.0
_STALE_AFTER_S = 20
#: After a start nothing is missed yet: chains and workers take so long to speak.
SETTLED_AFTER_S = 90.0
_AFTER_FAULT_S = 5.0


_BEAT_EVERY_S = 5.0
_telling = threading.Lock()


def look(facts: Facts) -> None:
    """Judge, keep what was found, and make the messages that are due."""
    config = active_config().config.alerts
    with _telling:  # two threads must not make two messages of one alert
        alerts_apply(judge(facts, config))
        deliveries_make(config=config, ways=wiring.configured())


class Watcher:
    """Runs until stopped. ``web_url``: our own web server, "" where there is none to watch."""

    def __init__(self, *, web_url: str = "") -> None:
        self.stopping = threading.Event()
        self._web_url = web_url
        self._holder = f"{socket.gethostname()}:{os.getpid()}"
        self._started = time.monotonic()
        self._pruned_at = self._beat_at = float("-inf")

    def run(self) -> None:
        """Look and send until ``stop``. A second process waits until the first one is gone."""
        try:
            self._run()
        finally:
            connections.close_all()

    def _run(self) -> None:
        while not self._leads():
            if self.stopping.wait(1.0):
                return
        jobs: list[tuple[str, Callable[[], None], float]] = [
            ("look", self._look, LOOK_EVERY_S),
            ("slow", self._look_slowly, SLOW_EVERY_S),
        ]
        jobs += [(name, self._sender(name), SEND_EVERY_S) for name in wiring.configured()]
        threads = [
            threading.Thread(target=self._every, args=job, name=f"alerts-{job[0]}", daemon=True)
            for job in jobs
        ]
        if "telegram" in wiring.configured():
            bot = Bot(api=wiring.telegram_api(), stopping=self.stopping)
            threads.append(threading.Thread(target=bot.run, name="alerts-bot", daemon=True))
        for thread in threads:
            thread.start()
        while not self.stopping.wait(LEASE_TTL_S / 3):
            if not self._leads():
                logger.error("lease was lost to another process: stopping")
                self.stopping.set()
        for thread in threads:
            thread.join(timeout=2.0)
        lease_release(name=LEASE, holder=self._holder)

    def stop(self) -> None:
        """Ask to end."""
        self.stopping.set()

    def _leads(self) -> bool:
        """Tell whether this is the process that tells; while the database is away nobody else can be."""
        try:
            close_old_connections()
            return lease_take(name=LEASE, holder=self._holder, ttl_s=LEASE_TTL_S)
        except DatabaseError:
            return True

    def _sender(self, name: str) -> Callable[[], None]:
        transport = wiring.transport(name)
        return lambda: _ignore(deliveries_send(transport))

    def _every(self, name: str, job: Callable[[], None], seconds: float) -> None:
        try:
            self._repeat(name, job, seconds)
        finally:
            connections.close_all()  # of this thread

    def _repeat(self, name: str, job: Callable[[], None], seconds: float) -> None:
        while not self.stopping.is_set():
            rest_s = seconds
            close_old_connections()
            try:
                job()
            except DatabaseError as error:
                logger.warning(
                    "the database does not answer", extra={"job": name, "error": type(error).__name__}
                )
                rest_s = _AFTER_FAULT_S
            except SniperError as error:
                logger.warning("a look was not possible", extra={"job": name, "error": str(error)})
                _report(lambda error=error: incident_from_error(error, dedup_key=f"alerts/{name}"))  # type: ignore[misc]
                rest_s = _AFTER_FAULT_S
            except Exception:
                logger.exception("alerts failed", extra={"job": name})
                _report(lambda: _bug(name))
                rest_s = _AFTER_FAULT_S
            self.stopping.wait(rest_s)

    @property
    def _is_settled(self) -> bool:
        return time.monotonic() - self._started >= SETTLED_AFTER_S

    def _look(self) -> None:
        after, until = cursor(), log_end()
        facts = facts_quick(after=after, until=until, is_settled=self._is_settled)
        look(facts)
        cursor_advance(read_until(facts.happenings, after=after, until=until))
        now = time.monotonic()
        if now - self._beat_at >= _BEAT_EVERY_S:
            self._beat_at = now
            ways = ", ".join(wiring.configured()) or "the page alone"
            beat(component=COMPONENT, status=f"tells by {ways}", stale_after_s=_STALE_AFTER_S)

    def _look_slowly(self) -> None:
        is_settled = self._is_settled
        facts = facts_slow(config=active_config().config.alerts, is_settled=is_settled)
        look(with_web(facts, url=self._web_url) if self._web_url and is_settled else facts)
        if time.monotonic() - self._pruned_at >= PRUNE_EVERY_S:
            self._pruned_at = time.monotonic()
            alerts_prune()


def _ignore(_: object) -> None:
    return None


def _report(act: Callable[[], None]) -> None:
    try:
        act()
    except DatabaseError:
        logger.warning("the fault was not recorded: the database does not answer")


def _bug(name: str) -> None:
    incident_open(
        code="UNEXPECTED_ERROR",
        category=Category.SYSTEM,
        recovery=Recovery.RETRY,
        severity="critical",
        title=f"Unexpected error in alerts/{name}",
        detail="Our own code failed. The log holds the details.",
        remedy="It is tried again by itself. Please report it with the log lines.",
        dedup_key=f"bug/alerts/{name}",
    )
