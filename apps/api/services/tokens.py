"""API tokens: made, found by what is presented, revoked. The token itself is shown once and kept nowhere."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.api.models import ApiToken
from apps.api.scopes import SCOPES
from apps.domain.errors import ConfigurationError
from apps.domain.events import EventKind
from apps.state.permissions import SecondFactorNeeded, may
from apps.state.services.events import cut, event_record
from apps.state.services.second_factor import is_given

#: "dxs_", eight signs that name the token, "_", 256 random bits.
MARK = "dxs"
_PREFIX_LENGTH, _SECRET_BYTES = 8, 32
_TOKEN_LENGTH_MAX = 100
NAME_LENGTH_MAX = 60
TOKENS_MAX = 50  # of one user, in force
DAYS_MAX = 3_650
#: Its last use is written down once in this time, so that reading does not write.
_USE_EVERY = timedelta(minutes=1)


def token_create(
    *, user: Any, name: str, scopes: Sequence[str], by: str, days: int | None = None
) -> tuple[ApiToken, str]:
    """Make a token that ends after so many days (None: when it is revoked); return its row and, this once, itself.

    Raises ConfigurationError for a scope of which the user may do nothing, SecondFactorNeeded for one that acts while it
    is missing: the token will stand for it. What the user may not is refused at every use.
    """
    chosen = sorted(set(scopes))
    _check(user=user, name=name, scopes=chosen, days=days)
    prefix, secret = secrets.token_hex(_PREFIX_LENGTH // 2), secrets.token_urlsafe(_SECRET_BYTES)
    token, now = f"{MARK}_{prefix}_{secret}", timezone.now()
    with transaction.atomic():
        row = ApiToken.objects.create(
            user=user,
            name=cut(name.strip(), NAME_LENGTH_MAX),
            prefix=prefix,
            digest=_digest(token),
            scopes=chosen,
            created_at=now,
            created_by=cut(by, 150),
            expires_at=None if days is None else now + timedelta(days=days),
            is_vouched=is_given(user),
        )
        _event(row, "was made", by=by)
    return row, token


def token_revoke(*, token_id: int, by: str, owner_id: int | None = None) -> bool:
    """End a token at once; False when there is none in force. ``owner_id``: only if it is this user's."""
    rows = ApiToken.objects.filter(pk=token_id, revoked_at=None)
    if owner_id is not None:
        rows = rows.filter(user_id=owner_id)
    with transaction.atomic():
        if not rows.update(revoked_at=timezone.now(), revoked_by=cut(by, 150)):
            return False
        _event(ApiToken.objects.select_related("user").get(pk=token_id), "was revoked", by=by)
    return True


def tokens_unvouch(*, user: Any, **_: Any) -> None:
    """Let this user's tokens stand for the second factor no more (a receiver of ``factor_removed``)."""
    ApiToken.objects.filter(user_id=user.pk, is_vouched=True).update(is_vouched=False)


def token_found(presented: str) -> ApiToken | None:
    """Return the token in force that was presented, with its user; None for anything else."""
    parts = presented.split("_", 2)
    if len(presented) > _TOKEN_LENGTH_MAX or len(parts) != 3 or parts[0] != MARK or "\x00" in presented:
        return None
    row = ApiToken.objects.select_related("user").filter(prefix=parts[1]).first()
    if row is None or not hmac.compare_digest(row.digest, _digest(presented)):
        return None
    is_over = row.expires_at is not None and row.expires_at <= timezone.now()
    if row.revoked_at is not None or is_over or not row.user.is_active:
        return None
    return row


def token_used(row: ApiToken) -> None:
    """Write down that a token was used, to the minute."""
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > _USE_EVERY:
        ApiToken.objects.filter(pk=row.pk).update(last_used_at=now)


def tokens_of(user_id: int | None = None) -> QuerySet[ApiToken]:
    """Return a user's tokens, everybody's for None; newest first."""
    rows = ApiToken.objects.select_related("user").order_by("-id")
    return rows if user_id is None else rows.filter(user_id=user_id)


def in_force(rows: QuerySet[ApiToken], now: datetime) -> QuerySet[ApiToken]:
    """Return those that are neither revoked nor over."""
    return rows.filter(Q(expires_at=None) | Q(expires_at__gt=now), revoked_at=None)


def user_named(name: str) -> Any:
    """Return the user of this name. Raises ConfigurationError."""
    user = get_user_model().objects.filter(username=name).first()
    if user is None:
        raise ConfigurationError(f"There is no user named {name}.", remedy="Make it in the admin first.")
    return user


def _check(*, user: Any, name: str, scopes: Sequence[str], days: int | None) -> None:
    unknown = sorted(set(scopes) - set(SCOPES))
    if unknown or not scopes:
        raise ConfigurationError(
            f"{unknown[0]!r} is no scope." if unknown else "A token needs at least one scope.",
            remedy=f"Choose among {', '.join(SCOPES)}.",
        )
    if not name.strip():
        raise ConfigurationError("A token needs a name.", remedy="Say what it is for.")
    if days is not None and not 1 <= days <= DAYS_MAX:
        raise ConfigurationError(
            f"A token ends after 1 to {DAYS_MAX} days.", remedy="Give another number, or none."
        )
    for scope in scopes:
        held = [permission for permission in SCOPES[scope] if user.has_perm(permission)]
        if any(not may(user, permission) for permission in held):
            raise SecondFactorNeeded
        if not held:
            raise ConfigurationError(
                f"{user.get_username()} may do nothing of what the scope {scope} holds.",
                remedy="Leave it out, or give the user the permission first.",
            )
    if in_force(tokens_of(user.pk), timezone.now()).count() >= TOKENS_MAX:
        raise ConfigurationError(
            f"{user.get_username()} has {TOKENS_MAX} tokens already.", remedy="Revoke some first."
        )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def _event(row: ApiToken, word: str, *, by: str) -> None:
    event_record(
        kind=EventKind.ACCESS_CHANGED,
        summary=f"API token {row.prefix}… ({row.name}) of {row.user} {word}",
        actor=by,
        subject=f"api_token:{row.pk}",
        payload={
            "prefix": row.prefix,
            "user": str(row.user),
            "scopes": row.scopes,
            "expires_at": None if row.expires_at is None else row.expires_at.isoformat(),
        },
    )
