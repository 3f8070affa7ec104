"""What the paired person can say to the bot. Each verb goes through the service and the permission of its page.

No verb moves coins out of a wallet, shows a key or an address of a service, or lifts a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from apps.alerts.services.pairing import confirmation_ask, confirmation_take
from apps.alerts.telegram import answers
from apps.domain.engine import EngineStatus
from apps.domain.errors import TransitionRefusedError
from apps.state import permissions
from apps.state.services.engine import (
    engine_pause,
    engine_resume,
    engine_start,
    engine_stop,
    engine_view,
    killswitch_pull,
)
from apps.trading.models import Position
from apps.trading.services.positions import exit_request

#: What must be sent, within so long, to sell everything.
SELL_ALL_WORD = "SELL ALL"
CONFIRM_WITHIN = timedelta(seconds=60)
_SALES_MAX = 500
_REASON = "by the Telegram bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A command: who says it, what stands behind the verb, and under which name it is recorded."""

    user: Any
    words: tuple[str, ...]
    by: str
    #: Why a kill must leave the positions, "" when it may sell; None: not found out beforehand.
    close_refusal: str | None = None

    @property
    def rest(self) -> str:
        """Return everything behind the verb."""
        return " ".join(self.words)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verb:
    """One thing that can be said. ``act`` returns the answer in Telegram's HTML."""

    name: str
    help: str
    permission: str
    act: Callable[[Said], str]


class Refused(Exception):
    """What was said cannot be done; the text says why, without markup."""


def _start(said: Said) -> str:
    if engine_view().status is EngineStatus.EMERGENCY_STOPPED:
        if not permissions.may(said.user, permissions.RESUME):
            raise Refused("The kill switch is pulled, and you may not lift it.")
        if not said.words:
            raise Refused("The kill switch is pulled: say /start and what was found and mended.")
        view = engine_resume(by=said.by, reason=said.rest, to=EngineStatus.RUNNING)
    else:
        view = engine_start(by=said.by, reason=said.rest or _REASON)
    return answers.engine_words(view)


def _stop(said: Said) -> str:
    _not_pulled()
    return answers.engine_words(engine_stop(by=said.by, reason=said.rest or _REASON))


def _stop_entry(said: Said) -> str:
    _not_pulled()
    return answers.engine_words(engine_pause(by=said.by, reason=said.rest or _REASON))


def _not_pulled() -> None:
    if engine_view().status is EngineStatus.EMERGENCY_STOPPED:
        raise Refused("The kill switch is pulled: nothing is signed or sent anyway.")


def _kill(said: Said) -> str:
    """Pull at once. Without an argument, or the right to sell, positions are left: that is the stricter of the two."""
    kind = said.words[0].lower() if said.words else "leave"
    if kind not in ("leave", "close"):
        kind = "leave"
    refusal = ""
    if kind == "close":
        known = said.close_refusal
        refusal = permissions.close_refusal(said.user) if known is None else known
    closes = kind == "close" and not refusal
    report = killswitch_pull(by=said.by, reason=_REASON, close_positions=closes)
    what = "everything is sold, nothing is bought" if closes else "nothing is signed or sent"
    left = f" Positions were left as they are: {refusal}." if refusal else ""
    if not report.is_effective:
        return "Pulled, but a transaction may still be on its way. Look at the machine: manage.py killswitch pull"
    return f"<b>Kill switch pulled</b> in {report.duration_ms} ms: {what}. Epoch {report.epoch}.{left}"


def _force_exit(said: Said) -> str:
    what = said.rest.lower()
    if what == "all":
        count = Position.objects.exclude(status="closed").count()
        if not count:
            raise Refused("Nothing is held.")
        confirmation_ask(what="forceexit all", valid=CONFIRM_WITHIN)
        return (
            f"This sells all {count} positions at any price. Send <b>{SELL_ALL_WORD}</b> within"
            f" {CONFIRM_WITHIN.seconds} seconds to do it."
        )
    if not (what.isascii() and what.isdigit()) or len(what) > 18:
        raise Refused("Say /forceexit and a position's number (see /status), or all.")
    if not exit_request(position_id=int(what), by=said.by):
        raise Refused(f"Position {what} is closed already, or there is none.")
    return f"The sale of position {what} was asked for." + _waits()


def sell_all(said: Said) -> str:
    """Ask for the sale of everything, if that waits for its word."""
    if not confirmation_take(what="forceexit all"):
        raise Refused("Nothing waits for this word. Say /forceexit all first.")
    keys = list(
        Position.objects.exclude(status="closed").order_by("pk").values_list("pk", flat=True)[:_SALES_MAX]
    )
    asked = sum(exit_request(position_id=key, by=said.by) for key in keys)
    return f"The sale of {asked} positions was asked for." + _waits()


def _waits() -> str:
    return "" if engine_view().may_exit else " It waits until the engine lets exits run."


def _help(said: Said) -> str:
    return answers.listing(
        "What I understand",
        [f"/{verb.name:<14}{verb.help}" for verb in VERBS if permissions.may(said.user, verb.permission)],
    )


_P = permissions
VERBS = (
    Verb(name="start", help="entries and exits run", permission=_P.OPERATE, act=_start),
    Verb(name="stop", help="no entries, no exits", permission=_P.OPERATE, act=_stop),
    Verb(name="stopentry", help="no entries; exits go on", permission=_P.OPERATE, act=_stop_entry),
    Verb(
        name="status",
        help="engine and open positions",
        permission=_P.LOOK_POSITIONS,
        act=lambda _: answers.status(),
    ),
    Verb(
        name="profit",
        help="what came of it all",
        permission=_P.LOOK_POSITIONS,
        act=lambda _: answers.profit(),
    ),
    Verb(
        name="daily",
        help="results by day; a number: how many",
        permission=_P.LOOK_POSITIONS,
        act=lambda said: answers.daily(said.rest),
    ),
    Verb(
        name="balance",
        help="what the wallets hold",
        permission=_P.LOOK_POSITIONS,
        act=lambda _: answers.balance(),
    ),
    Verb(
        name="performance",
        help="results by token",
        permission=_P.LOOK_POSITIONS,
        act=lambda _: answers.performance(),
    ),
    Verb(
        name="count", help="positions and orders", permission=_P.LOOK_POSITIONS, act=lambda _: answers.count()
    ),
    Verb(name="forceexit", help="sells a position (number) or all", permission=_P.TRADE, act=_force_exit),
    Verb(
        name="reload_config",
        help="reads the configuration anew",
        permission=_P.LOOK_CONFIGURATION,
        act=lambda _: answers.reload_config(),
    ),
    Verb(
        name="show_config",
        help="settings; a word: of that section",
        permission=_P.LOOK_CONFIGURATION,
        act=lambda said: answers.show_config(said.rest),
    ),
    Verb(
        name="health",
        help="components, incidents, alerts",
        permission=_P.LOOK_INCIDENTS,
        act=lambda _: answers.health(),
    ),
    Verb(name="kill", help="leave or close: stops all at once", permission=_P.KILL, act=_kill),
    Verb(name="help", help="this list", permission=_P.LOOK, act=_help),
)
BY_NAME = {verb.name: verb for verb in VERBS}


def refusal_words(error: TransitionRefusedError) -> str:
    """Return a service's refusal in words."""
    return " ".join(filter(None, (str(error), error.remedy)))
