"""Whether everything stays up, comes back by itself and loses nothing while processes, broker and endpoints fail.

The whole system runs in a sandbox of its own with its web server. Any process is killed, the broker among them; endpoints
time out, lie and lag; blocks are replaced. Meanwhile a person keeps asking for pages and a program listens on the socket.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from django.utils import timezone

from apps.domain.events import EventKind
from apps.sandbox.demo import finish, open_market
from apps.sandbox.soak.execution import behind_proxies, chains_at_work, listener_anew
from apps.sandbox.soak.faults import Trouble
from apps.sandbox.soak.visitors import PageVisitor, SocketVisitor, signed_in
from apps.state.models import Event, Incident
from apps.state.services.incidents import incidents_heal
from apps.state.services.relay import audit_verify
from apps.wallets.services.wallets import sandbox_wallet_prepare

HELP = "pages, sockets, recoveries and the log while processes, broker and endpoints fail"
SECONDS_DEFAULT = 1_800
NEEDS_WEB = True
UP_AIM_BPS, UNRECOVERED_AIM_BPS = 9_950, 100
_SETTLE_S = 60.0
_START_TIMEOUT_S = 90.0
#: Everything but the web server, which is killed once in a while by itself: it needs seconds to come back.
_VICTIMS = ("evaluate", "execute", "listener", "broker", "beat", "alerts")
_WEB_KILLED_EVERY_S = 600.0
#: Faults of the outside that stopped count as mended after so long without a repetition.
_CALM_S = 5
_HEAL_MAX_S = 40.0
_READ_MAX_S = 20.0
#: The kinds of the log that travel on the socket.
_TOLD = (
    EventKind.ENGINE_STATUS.value,
    EventKind.TRADE_EXECUTED.value,
    EventKind.OPPORTUNITY_FOUND.value,
    EventKind.RISK_ALERT.value,
    EventKind.NEW_PAIR_ANALYSIS.value,
    EventKind.MARKET_REGIME_CHANGE.value,
    EventKind.WHALE_ACTIVITY_ALERT.value,
    EventKind.COORDINATION_DETECTED.value,
)


def run(*, seconds: int, seed: int, kill: Callable[[str], bool]) -> dict[str, Any]:
    """Soak the running system for so long; return the report. ``kill`` ends a process by name, hard.

    Call ``market_pause`` before the start. Raises PlatformError when the system does not come up.
    """
    ours = sandbox_wallet_prepare().address
    with behind_proxies() as proxies:
        listener_anew(kill)
        open_market(timeout_s=_START_TIMEOUT_S)
        browser = signed_in()
        pages, socket = PageVisitor(browser), SocketVisitor(browser)
        trouble = Trouble(
            seed=seed, proxies=proxies, chains=chains_at_work(), ours=ours, kill=kill, workers=_VICTIMS
        )
        pages.start()
        socket.start()
        trouble.start()
        try:
            web_kills = _killing_web(seconds, kill)
        finally:
            trouble.close()
        rest = finish(seconds=seconds, settle_s=_SETTLE_S)
        missed, doubled = _read_to_the_end(socket)
        pages.close()
        socket.close()
        # Before the proxies are gone: the listener goes on, and would rightly tell that nothing answers.
        return _report(rest, trouble, pages, socket, web_kills=web_kills, missed=missed, doubled=doubled)


def _killing_web(seconds: int, kill: Callable[[str], bool]) -> int:
    """Wait for the run's end, and kill the web server every ten minutes of it; return how often."""
    kills, ended = 0, time.monotonic() + seconds
    over = threading.Event()
    while ended - time.monotonic() > _WEB_KILLED_EVERY_S:
        over.wait(_WEB_KILLED_EVERY_S)
        kills += kill("web")
    over.wait(max(0.0, ended - time.monotonic()))
    return kills


def _read_to_the_end(socket: SocketVisitor) -> tuple[int, int]:
    """Return how many messages of the log never reached the socket, and how many came twice."""
    deadline = time.monotonic() + _READ_MAX_S
    while True:
        got = list(socket.ids)
        if not got:
            return Event.objects.exclude(position=None).count(), 0
        due = set(
            Event.objects.filter(position__gte=got[0], kind__in=_TOLD).values_list("position", flat=True)
        )
        missed = len(due - set(got))
        if not missed or time.monotonic() > deadline:
            return missed, len(got) - len(set(got))
        time.sleep(0.5)


def _wait_until_healed() -> None:
    """Return once nothing is open any more, or after long enough: a fault of the last second has to come to rest, too."""
    deadline = time.monotonic() + _HEAL_MAX_S
    while Incident.objects.filter(resolved_at=None).exists() and time.monotonic() < deadline:
        time.sleep(1.0)
        incidents_heal(calm_s=_CALM_S)


def _report(
    rest: Mapping[str, Any],
    trouble: Trouble,
    pages: PageVisitor,
    socket: SocketVisitor,
    *,
    web_kills: int,
    missed: int,
    doubled: int,
) -> dict[str, Any]:
    _wait_until_healed()
    errors = Incident.objects.count()
    left = [
        f"{item.code}: {item.title} ({item.dedup_key}; last {(timezone.now() - item.last_at).seconds} s ago)"
        for item in Incident.objects.filter(resolved_at=None)
    ]
    unrecovered_bps = len(left) * 10_000 // errors if errors else 0
    audit = audit_verify()
    found = {
        "pages_up_bps": pages.presence.up_bps,
        "socket_up_bps": socket.presence.up_bps,
        "up_aim_bps": UP_AIM_BPS,
        "pages_faults": dict(pages.presence.faults),
        "socket_faults": dict(socket.presence.faults),
        "messages": len(socket.ids),
        "messages_missed": missed,
        "messages_doubled": doubled,
        "messages_gaps": socket.gaps,
        "errors": errors,
        "errors_unrecovered": left,
        "unrecovered_bps": unrecovered_bps,
        "unrecovered_aim_bps": UNRECOVERED_AIM_BPS,
        "recoveries_recorded": Event.objects.filter(kind=EventKind.COMPONENT_CHANGED.value).count(),
        "audit_lines": audit.checked,
        "audit_faults": len(audit.faults),
        "web_killed": web_kills,
        "faults": dict(trouble.struck),
        **{
            key: rest[key]
            for key in (
                *("seconds", "pairs_created", "pairs_registered", "pairs_registered_twice"),
                *("bought", "sold", "double_sends", "ledger_balanced", "book_equals_chain", "incidents"),
            )
        },
    }
    up = (found["pages_up_bps"] or 0, found["socket_up_bps"] or 0)
    nothing_lost = not (missed or doubled or audit.faults or rest["double_sends"]) and all(
        (
            rest["ledger_balanced"],
            rest["book_equals_chain"],
            rest["pairs_created"] == rest["pairs_registered"],
        )
    )
    return {
        "met": min(up) >= UP_AIM_BPS and unrecovered_bps < UNRECOVERED_AIM_BPS and nothing_lost,
        "nothing_lost": nothing_lost,
        **found,
    }
