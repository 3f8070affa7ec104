"""Listens to Telegram by long polling and obeys one person.

An update is noted as dealt with before it is carried out, so that a crash loses a command (whose answer then is missing, and
is said again) and never repeats one. The kill switch is the exception in every respect: it is pulled first and noted then, it
is never limited, never too old, and waits for no other command: everything else has a thread of its own.
"""

from __future__ import annotations

import html
import logging
import queue
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.db import DatabaseError, close_old_connections, connections

from apps.alerts.services import pairing
from apps.alerts.telegram import verbs
from apps.alerts.transports.port import DeliveryFailedError, DeliveryRefusedError
from apps.alerts.transports.telegram import TelegramApi
from apps.discovery.logic.bucket import TokenBucket
from apps.domain.errors import Category, Recovery, SniperError, TransitionRefusedError
from apps.state import permissions
from apps.state.services.events import cut
from apps.state.services.incidents import incident_open, incident_resolve
from apps.state.services.second_factor import vouch

logger = logging.getLogger(__name__)

WAIT_S = 25
BACKOFF_FIRST_S, BACKOFF_MAX_S = 1.0, 60.0
#: A locked database is no reason not to listen: the kill switch needs none.
DATABASE_RETRY_S = 1.0
#: Anything older was said to a bot that did not run: who said it may not want it any more.
COMMAND_AGE_MAX_S = 120
COMMANDS_PER_MIN = 20
_QUEUE_MAX = 50
_NAME_LENGTH_MAX, _TEXT_LENGTH_MAX = 100, 300
#: After so many failures one after another a person is told.
_FAILURES_TOLD = 3
_INCIDENT = "alerts/bot"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A text that somebody wrote to the bot. ``is_private``: from a person in a chat with the bot alone."""

    update_id: int
    chat_id: int
    name: str
    text: str
    sent_at_s: int
    is_private: bool

    @property
    def verb(self) -> str:
        """Return the verb, "" when it is none: "/kill@our_bot close" is "kill"."""
        word = self.text.split(maxsplit=1)[0] if self.text.strip() else ""
        return word[1:].partition("@")[0].lower() if word.startswith("/") else ""

    @property
    def words(self) -> tuple[str, ...]:
        """Return what stands behind the verb."""
        return tuple(self.text.split()[1:])


def message_of(update: Mapping[str, Any]) -> Message | None:
    """Return an update's text, None where it is none or not of the documented shape."""
    found = update.get("message")
    update_id = update.get("update_id")
    if (
        not isinstance(found, dict)
        or not isinstance(found.get("chat"), dict)
        or not isinstance(update_id, int)
    ):
        return None
    chat, sender, text = found["chat"], found.get("from"), found.get("text")
    if not isinstance(text, str) or not isinstance(chat.get("id"), int) or not isinstance(sender, dict):
        return None
    name = " ".join(str(chat.get(key, "")) for key in ("first_name", "username", "title"))
    date = found.get("date")
    return Message(
        update_id=update_id,
        chat_id=chat["id"],
        name=cut(" ".join(name.split()), _NAME_LENGTH_MAX),
        text=text[:_TEXT_LENGTH_MAX],
        sent_at_s=date if isinstance(date, int) else 0,
        is_private=chat.get("type") == "private" and sender.get("id") == chat["id"],
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    """Whom the bot obeys, kept in memory, so that the kill switch needs no database."""

    chat_id: int
    username: str
    may_kill: bool
    close_refusal: str  # why a kill of theirs sells nothing, "" when it may


class Bot:
    """One bot. ``handle`` deals with one update; ``run`` asks for them until ``stopping``."""

    def __init__(
        self, *, api: TelegramApi, stopping: threading.Event, clock: Callable[[], float] = time.time
    ) -> None:
        self._api, self._stopping, self._clock = api, stopping, clock
        self._known: _Known | None = None
        self._taken = -1  # newest update dealt with by this process
        self._killed: set[int] = set()  # pulled and not noted yet
        self._bucket = TokenBucket(per_min=COMMANDS_PER_MIN, burst=COMMANDS_PER_MIN)
        self._is_told_of_limit = False
        self._commands: queue.Queue[Message] = queue.Queue(_QUEUE_MAX)

    # -- asking ---------------------------------------------------------------------------
    def run(self) -> None:
        """Ask and obey until stopped; whatever fails is tried again, with back-off unless it is the database."""
        threading.Thread(target=self._work, name="alerts-bot-work", daemon=True).start()
        try:
            self._listen()
        finally:
            connections.close_all()  # of this thread

    def _listen(self) -> None:
        delay_s, failures = BACKOFF_FIRST_S, 0
        while not self._stopping.is_set():
            close_old_connections()
            try:
                self.poll(wait_s=WAIT_S)
                if failures:
                    _tell_well()
            except DatabaseError as error:  # said by the log alone: an incident would wait for the same lock
                logger.warning("the bot was hindered by the database", extra={"error": type(error).__name__})
                self._stopping.wait(DATABASE_RETRY_S)
            except (DeliveryFailedError, DeliveryRefusedError) as error:
                failures += 1
                logger.warning("the bot was not heard", extra={"error": type(error).__name__})
                if failures >= _FAILURES_TOLD or isinstance(error, DeliveryRefusedError):
                    _tell_failing(error)
                self._stopping.wait(delay_s)
                delay_s = min(delay_s * 2, BACKOFF_MAX_S)
            except Exception:
                logger.exception("the bot failed")
                self._stopping.wait(delay_s)
                delay_s = min(delay_s * 2, BACKOFF_MAX_S)
            else:
                delay_s, failures = BACKOFF_FIRST_S, 0

    def poll(self, *, wait_s: int) -> int:
        """Ask once and deal with what came, the kill switch before all else; return how many updates that were."""
        updates = self._api.updates(offset=self._offset(), wait_s=wait_s)
        try:
            self._learn()
        except DatabaseError:
            logger.warning("whom the bot obeys was not read anew: the database does not answer")
        for update in updates:
            self._kill_first(update)
        for update in updates:
            self.handle(update)
        return len(updates)

    def _offset(self) -> int:
        """Return which update comes next; while the database is away, by what this process remembers."""
        try:
            stored = pairing.binding().next_update
        except DatabaseError:
            if self._taken < 0:
                raise
            stored = 0
        return max(stored, self._taken + 1)

    def _learn(self) -> None:
        row = pairing.binding()
        user = row.user
        if row.chat_id is None or user is None or not user.is_active:
            self._known = None
            return
        self._known = _Known(
            chat_id=row.chat_id,
            username=user.get_username(),
            may_kill=permissions.may(user, permissions.KILL),
            close_refusal=permissions.close_refusal(vouch(user) if row.is_vouched else user),
        )

    # -- one update -----------------------------------------------------------------------
    def _kill_first(self, update: Mapping[str, Any]) -> None:
        """Pull the kill switch if this says so; it is noted as dealt with afterwards, like every update."""
        message, known = message_of(update), self._known
        if message is None or known is None or message.verb != "kill" or not self._is_known(message):
            return
        if known.may_kill and message.update_id > self._taken and message.update_id not in self._killed:
            self._kill(message, known)

    def handle(self, update: Mapping[str, Any]) -> None:
        """Deal with one update, at most once."""
        update_id = update.get("update_id")
        if not isinstance(update_id, int) or update_id <= self._taken:
            return
        is_new = pairing.update_take(update_id=update_id)
        self._taken = update_id
        message = message_of(update)
        if message is None or not is_new or update_id in self._killed:
            self._killed.discard(update_id)
            return
        if self._pairs(message):
            return
        if not self._is_known(message):
            if pairing.chat_deny(chat_id=message.chat_id, name=message.name):
                self._say(message.chat_id, "This bot obeys one person, and that is not you.")
            return
        try:
            self._commands.put_nowait(message)
        except queue.Full:
            logger.warning("a command was dropped: too many wait")

    def _is_known(self, message: Message) -> bool:
        return self._known is not None and message.is_private and message.chat_id == self._known.chat_id

    def _kill(self, message: Message, known: _Known) -> None:
        """Pull first; whatever else there is to do comes after, and may fail."""
        said = verbs.Said(
            user=None,
            words=message.words,
            by=f"telegram:{known.username}",
            close_refusal=known.close_refusal,
        )
        answer = verbs.BY_NAME["kill"].act(said)
        self._killed.add(message.update_id)  # not before: what raised comes again with the next poll
        try:
            pairing.command_record(
                verb="kill",
                by=said.by,
                outcome=" ".join(("done", *message.words))[:60],
                chat_id=message.chat_id,
            )
        except DatabaseError:
            logger.warning("the kill by the bot was not recorded: the database does not answer")
        self._say(message.chat_id, answer)

    def _pairs(self, message: Message) -> bool:
        """Pair whoever has the code; tell whether this was about a code at all."""
        code = message.words[0] if message.verb in ("pair", "start") and len(message.words) == 1 else ""
        if not message.is_private or not pairing.looks_like_code(code):
            return False
        if pairing.pairing_try(code=code, chat_id=message.chat_id, chat_name=message.name):
            self._learn()
            self._say(message.chat_id, "Paired. /help says what I understand.")
            return True
        if not self._is_known(message):
            return False
        self._say(message.chat_id, "That code is not right, or too old. Nothing was changed.")
        return True

    # -- commands -------------------------------------------------------------------------
    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                message = self._commands.get(timeout=1.0)
            except queue.Empty:
                continue
            close_old_connections()
            self.obey(message)
        connections.close_all()

    def obey_waiting(self) -> int:
        """Carry out what waits, in this thread; return how many commands that were."""
        done = 0
        while not self._commands.empty():
            self.obey(self._commands.get_nowait())
            done += 1
        return done

    def obey(self, message: Message) -> None:
        """Carry out one command of the paired person and answer."""
        if not self._bucket.take(self._clock()):
            if not self._is_told_of_limit:
                self._say(message.chat_id, "Too much at once: wait a minute. /kill always works.")
            self._is_told_of_limit = True
            return
        self._is_told_of_limit = False
        try:
            answer = self._answer(message)
        except DatabaseError:
            answer = "The database does not answer. /kill works all the same."
        except Exception:
            logger.exception("a command failed")
            answer = "That failed by an error of ours; the log on the machine says more."
        self._say(message.chat_id, answer)

    def _answer(self, message: Message) -> str:
        row = pairing.binding()
        user = row.user
        if (
            row.chat_id != message.chat_id or user is None or not user.is_active
        ):  # changed since it was queued
            return "Your account may not do anything any more."
        if row.is_vouched:
            vouch(user)
        by = f"telegram:{user.get_username()}"
        verb = verbs.BY_NAME.get(message.verb)
        said = verbs.Said(user=user, words=message.words, by=by)
        is_word = message.text.strip().upper() == verbs.SELL_ALL_WORD
        if is_word:
            verb = verbs.Verb(name="forceexit", help="", permission=permissions.TRADE, act=verbs.sell_all)
        if verb is None:
            return "I do not understand that. /help says what I understand."
        name = f"{verb.name} {'all, confirmed' if is_word else said.rest}".strip()[:60]
        if self._clock() - message.sent_at_s > COMMAND_AGE_MAX_S:
            return f"/{html.escape(name)} was said while I was away and is not done. Say it again if you still want it."
        if not permissions.may(user, verb.permission):
            pairing.command_record(verb=name, by=by, outcome="not allowed", chat_id=message.chat_id)
            if user.has_perm(verb.permission):
                return "This needs your second factor: give it on the pages and pair this chat anew there."
            return "Your account may not do that."
        try:
            answer = verb.act(said)
        except (verbs.Refused, TransitionRefusedError) as error:
            words = str(error) if isinstance(error, verbs.Refused) else verbs.refusal_words(error)
            pairing.command_record(verb=name, by=by, outcome=f"refused: {words}", chat_id=message.chat_id)
            return html.escape(words)
        except SniperError as error:
            pairing.command_record(verb=name, by=by, outcome=f"failed: {error.code}", chat_id=message.chat_id)
            return html.escape(f"{error} {error.remedy}".strip())
        pairing.command_record(verb=name, by=by, outcome="done", chat_id=message.chat_id)
        return answer

    def _say(self, chat_id: int, text: str) -> None:
        """Answer; that it was not heard undoes nothing."""
        try:
            self._api.say(chat_id, text)
        except (DeliveryFailedError, DeliveryRefusedError) as error:
            logger.warning("an answer of the bot was not delivered", extra={"error": type(error).__name__})


def _tell_failing(error: Exception) -> None:
    remedy = getattr(error, "remedy", "")
    try:
        incident_open(
            code="BOT_NOT_HEARD",
            category=Category.NETWORK,
            recovery=Recovery.RETRY,
            severity="warning",
            title="The Telegram bot does not hear commands",
            detail=str(error)[:300],
            remedy=f"{remedy} Use the pages or 'manage.py killswitch' meanwhile.".strip(),
            dedup_key=_INCIDENT,
        )
    except DatabaseError:
        logger.warning("the fault was not recorded: the database does not answer")


def _tell_well() -> None:
    incident_resolve(dedup_key=_INCIDENT, reason="it hears again")
