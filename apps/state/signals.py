"""Who came in, who left, whose rights changed: recorded in the log."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.http import HttpRequest

from apps.domain.events import EventKind
from apps.state.services.events import event_record

_RIGHTS_CHANGED = {"post_add": "were given", "post_remove": "were taken", "post_clear": "were all taken"}
_NAMES_MAX = 40


def connect() -> None:
    """Connect everything, once each."""
    user = get_user_model()
    user_logged_in.connect(_logged_in, dispatch_uid="state.logged_in")
    user_logged_out.connect(_logged_out, dispatch_uid="state.logged_out")
    user_login_failed.connect(_login_failed, dispatch_uid="state.login_failed")
    post_save.connect(_user_saved, sender=user, dispatch_uid="state.user_saved")
    post_delete.connect(_user_deleted, sender=user, dispatch_uid="state.user_deleted")
    for through in (user.groups.through, user.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_rights_changed, sender=through, dispatch_uid=f"state.rights.{through.__name__}")


def _logged_in(sender: Any, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: Any) -> None:
    _record("logged in", user=user, request=request)


def _logged_out(
    sender: Any, request: HttpRequest | None, user: AbstractBaseUser | None, **kwargs: Any
) -> None:
    if user is not None:  # a session that had run out has none
        _record("logged out", user=user, request=request)


def _login_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    event_record(
        kind=EventKind.LOGIN,
        summary="A log-in was refused",
        actor=str(credentials.get("username", ""))[:150] or "unknown",
        subject="login",
        payload={"address": _address(request)},
    )


def _user_saved(sender: Any, instance: Model, created: bool, update_fields: Any, **kwargs: Any) -> None:  # noqa: FBT001  # Django's signature
    if update_fields is not None and set(update_fields) <= {"last_login"}:
        return
    name = str(instance)
    flags = {item: bool(getattr(instance, item, False)) for item in ("is_active", "is_staff", "is_superuser")}
    event_record(
        kind=EventKind.LOGIN,
        summary=f"User {name} was {'created' if created else 'changed'}",
        subject=f"user:{instance.pk}",
        payload=flags,
    )


def _user_deleted(sender: Any, instance: Model, **kwargs: Any) -> None:
    event_record(kind=EventKind.LOGIN, summary=f"User {instance} was removed", subject=f"user:{instance.pk}")


def _rights_changed(
    sender: Any, instance: Model, action: str, pk_set: set[int] | None, model: type[Model], **kwargs: Any
) -> None:
    word = _RIGHTS_CHANGED.get(action)
    if word is None or (pk_set is not None and not pk_set):
        return
    names = [str(item) for item in model._default_manager.filter(pk__in=sorted(pk_set or ())[:_NAMES_MAX])]
    event_record(
        kind=EventKind.LOGIN,
        summary=f"Rights {word}: {instance}: {', '.join(names) or 'all'}",
        subject=f"{instance._meta.model_name}:{instance.pk}",
        payload={"names": names, "action": action},
    )


def _record(word: str, *, user: AbstractBaseUser, request: HttpRequest | None) -> None:
    event_record(
        kind=EventKind.LOGIN,
        summary=f"{user.get_username()} {word}",
        actor=user.get_username(),
        subject=f"user:{user.pk}",
        payload={"address": _address(request)},
    )


def _address(request: HttpRequest | None) -> str:
    return "" if request is None else str(request.META.get("REMOTE_ADDR", ""))
