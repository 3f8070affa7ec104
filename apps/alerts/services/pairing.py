"""The one person whom the Telegram bot obeys: paired by a code that the page shows once, and everybody else denied."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.alerts.models import BotBinding, DeniedChat
from apps.domain.events import EventKind
from apps.state.services.events import cut, event_record
from apps.state.services.second_factor import is_given

CODE_VALID = timedelta(minutes=10)
CODE_LENGTH = 10
CODE_FAILURES_MAX = 5
#: Without letters and digits that pass for one another.
_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_DENIED_KEPT_MAX = 1_000
_SALT = "apps.alerts.pairing"


def binding() -> BotBinding:
    """Return the bot's one row."""
    row, _ = BotBinding.objects.select_related("user").get_or_create(pk=1)
    return row


def pairing_begin(*, user: Any) -> str:
    """Make a code for this user and return it; only its digest is kept. An earlier code is void."""
    binding()
    code = "".join(secrets.choice(_ALPHABET) for _ in range(CODE_LENGTH))
    with transaction.atomic():
        BotBinding.objects.filter(pk=1).update(
            code_digest=_digest(code),
            code_user=user,
            code_is_vouched=is_given(user),
            code_until=timezone.now() + CODE_VALID,
            code_failures=0,
        )
        _event("A pairing code for the Telegram bot was made", actor=user.get_username())
    return code


def pairing_try(*, code: str, chat_id: int, chat_name: str) -> bool:
    """Bind the bot to the code's user and this chat, if the code is right; it is void then. Few wrong ones void it too."""
    now = timezone.now()
    with transaction.atomic():
        row = BotBinding.objects.select_for_update().filter(pk=1).first()
        if row is None or not row.code_digest or row.code_until is None or row.code_until < now:
            return False
        if not constant_time_compare(_digest(code.strip().upper()), row.code_digest):
            spent = row.code_failures + 1 >= CODE_FAILURES_MAX
            BotBinding.objects.filter(pk=1).update(
                code_failures=F("code_failures") + 1, code_digest="" if spent else row.code_digest
            )
            return False
        user = row.code_user
        BotBinding.objects.filter(pk=1).update(
            chat_id=chat_id,
            chat_name=cut(chat_name, 100),
            user=user,
            paired_at=now,
            is_vouched=row.code_is_vouched,
            code_digest="",
            code_user=None,
            code_until=None,
            asked="",
            asked_until=None,
        )
        DeniedChat.objects.filter(chat_id=chat_id).delete()
        _event(
            f"The Telegram bot was paired with {user}",
            actor=user.get_username() if user is not None else "",
            chat=chat_id,
        )
    return True


def looks_like_code(text: str) -> bool:
    """Tell whether a word has the form of a code."""
    return len(text) == CODE_LENGTH and set(text.upper()) <= set(_ALPHABET)


def pairing_end(*, by: str) -> bool:
    """Let the bot obey nobody. False when it was not paired."""
    with transaction.atomic():
        changed = BotBinding.objects.filter(~Q(chat_id=None), pk=1).update(
            chat_id=None,
            chat_name="",
            user=None,
            paired_at=None,
            is_vouched=False,
            asked="",
            asked_until=None,
        )
        if changed:
            _event("The Telegram bot's pairing was ended", actor=by)
    return bool(changed)


def pairing_unvouch(*, user: Any, **_: Any) -> None:
    """Let this user's chat, and a code not used yet, stand for the second factor no more (a receiver of
    ``factor_removed``)."""
    BotBinding.objects.filter(user_id=user.pk).update(is_vouched=False)
    BotBinding.objects.filter(code_user_id=user.pk).update(code_is_vouched=False)


def chat_deny(*, chat_id: int, name: str) -> bool:
    """Record a chat that is not the paired one; True at its first time. Strangers cannot make the log grow by writing on."""
    now = timezone.now()
    if DeniedChat.objects.filter(chat_id=chat_id).update(count=F("count") + 1, last_at=now):
        return False
    if DeniedChat.objects.count() >= _DENIED_KEPT_MAX:
        return False
    with transaction.atomic():
        _, is_new = DeniedChat.objects.get_or_create(
            chat_id=chat_id, defaults={"name": cut(name, 100), "first_at": now, "last_at": now}
        )
        if is_new:
            _event("A stranger wrote to the Telegram bot and was denied", actor="telegram", chat=chat_id)
    return is_new


def update_take(*, update_id: int) -> bool:
    """Note that an update is dealt with, before it is; False when it was already: no command runs twice."""
    return bool(BotBinding.objects.filter(pk=1, next_update__lte=update_id).update(next_update=update_id + 1))


def confirmation_ask(*, what: str, valid: timedelta) -> None:
    """Let something wait for its word of confirmation."""
    BotBinding.objects.filter(pk=1).update(asked=what, asked_until=timezone.now() + valid)


def confirmation_take(*, what: str) -> bool:
    """Tell whether this was asked and waits still; it is taken by that."""
    waiting = BotBinding.objects.filter(pk=1, asked=what, asked_until__gte=timezone.now())
    return bool(waiting.update(asked="", asked_until=None))


def command_record(*, verb: str, by: str, outcome: str, chat_id: int) -> None:
    """Record a command of the paired person. Without what stands behind a code of pairing."""
    event_record(
        kind=EventKind.BOT_COMMAND,
        summary=f"/{verb}: {outcome}",
        actor=by,
        subject="bot",
        payload={"verb": verb, "outcome": outcome[:100], "chat": str(chat_id)},
    )


def _event(summary: str, *, actor: str, chat: int | None = None) -> None:
    event_record(
        kind=EventKind.BOT_COMMAND,
        summary=summary,
        actor=actor,
        subject="bot",
        payload={} if chat is None else {"chat": str(chat)},
    )


def _digest(code: str) -> str:
    return salted_hmac(_SALT, code, algorithm="sha256").hexdigest()
