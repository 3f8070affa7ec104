"""A request that is made twice has one effect: the answer is kept with the effect, under the caller's key."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from django.db import IntegrityError
from django.utils import timezone

from apps.api.models import IdempotencyKey
from apps.state.durability import durable_transaction

KEY_PATTERN: Final = r"^[\x21-\x7e]{1,100}$"
KEPT_FOR: Final = timedelta(hours=24)
_PRUNED_AT_ONCE_MAX: Final = 100
_KEY: Final = re.compile(KEY_PATTERN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What was answered before. ``is_same``: to this very request."""

    status: int
    answer: Any
    is_same: bool


def is_key(text: str) -> bool:
    """Tell whether the text can be a key."""
    return _KEY.fullmatch(text) is not None


def fingerprint(*, method: str, address: str, body: bytes) -> str:
    """Return the digest of a request; two bodies that say the same JSON have one."""
    try:
        body = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        pass
    return hashlib.sha256(b"\n".join((method.encode(), address.encode(), body))).hexdigest()


def kept_answer(*, user_id: int, key: str, print_: str) -> Kept | None:
    """Return what this key was answered within its time, None when it is new."""
    row = IdempotencyKey.objects.filter(
        user_id=user_id, key=key, created_at__gt=timezone.now() - KEPT_FOR
    ).first()
    if row is None or row.status is None:
        return None
    return Kept(status=row.status, answer=row.answer, is_same=row.fingerprint == print_)


def act_once(
    *, user_id: int, key: str, print_: str, act: Callable[[], tuple[int, Any]]
) -> Kept | tuple[int, Any]:
    """Do ``act`` and keep its answer (status, JSON) in one transaction, or return what another request kept.

    An act that raises leaves nothing behind: the key may be used again.
    """
    try:
        with durable_transaction():
            _prune(user_id=user_id, key=key)
            row = IdempotencyKey.objects.create(
                user_id=user_id, key=key, fingerprint=print_, created_at=timezone.now()
            )
            status, answer = act()
            IdempotencyKey.objects.filter(pk=row.pk).update(status=status, answer=answer)
            return status, answer
    except IntegrityError:
        kept = kept_answer(user_id=user_id, key=key, print_=print_)
        if kept is None:  # it was not the key
            raise
        return kept


def _prune(*, user_id: int, key: str) -> None:
    """Forget what is older than its time: this key first of all, then some more."""
    old = IdempotencyKey.objects.filter(created_at__lte=timezone.now() - KEPT_FOR)
    old.filter(user_id=user_id, key=key).delete()
    ids = list(old.order_by("created_at").values_list("pk", flat=True)[:_PRUNED_AT_ONCE_MAX])
    if ids:
        IdempotencyKey.objects.filter(pk__in=ids).delete()
