"""Who came in, who left, who was kept out, and whose rights changed: recorded in the log."""

from __future__ import annotations

from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser, Group
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models import Model
from django.db.models.signals import m2m_changed, post_delete, post_save, pre_save
from django.http import HttpRequest

from apps.domain.events import EventKind
from apps.state.services.changes import CONSOLE
from apps.state.services.events import event_record
from apps.state.tracing import current_actor

_RIGHTS_CHANGED = {"post_add": "were given", "post_remove": "were taken", "post_clear": "were all taken"}
_NAMES_MAX = 40
_NAME_LENGTH_MAX = 150
#: What of a user stands in the log; a new password is said, never shown.
_FLAGS = ("username", "is_active", "is_staff", "is_superuser", "password")
_HIDDEN = "password"


def connect() -> None:
    """Connect everything, once each."""
    user = get_user_model()
    user_logged_in.connect(_logged_in, dispatch_uid="state.logged_in")
    user_logged_out.connect(_logged_out, dispatch_uid="state.logged_out")
    user_login_failed.connect(_login_failed, dispatch_uid="state.login_failed")
    user_locked_out.connect(_locked_out, dispatch_uid="state.locked_out")
    pre_save.connect(_user_read, sender=user, dispatch_uid="state.user_read")
    post_save.connect(_user_saved, sender=user, dispatch_uid="state.user_saved")
    post_save.connect(_group_saved, sender=Group, dispatch_uid="state.group_saved")
    for model in (user, Group):
        post_delete.connect(_removed, sender=model, dispatch_uid=f"state.removed.{model.__name__}")
    for through in (user.groups.through, user.user_permissions.through, Group.permissions.through):
        m2m_changed.connect(_rights_changed, sender=through, dispatch_uid=f"state.rights.{through.__name__}")


# -- coming and going -----------------------------------------------------------------------


def _logged_in(sender: Any, request: HttpRequest | None, user: AbstractBaseUser, **kwargs: Any) -> None:
    _came_or_went("logged in", user=user, request=request)


def _logged_out(
    sender: Any, request: HttpRequest | None, user: AbstractBaseUser | None, **kwargs: Any
) -> None:
    if user is not None:  # a session that had run out has none
        _came_or_went("logged out", user=user, request=request)


def _came_or_went(word: str, *, user: AbstractBaseUser, request: HttpRequest | None) -> None:
    event_record(
        kind=EventKind.LOGIN,
        summary=f"{user.get_username()} {word}",
        actor=user.get_username(),
        subject=f"user:{user.pk}",
        payload={"address": _address(request)},
    )


def _login_failed(
    sender: Any, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    if getattr(request, "axes_locked_out", False):  # told by the lock-out's line, and the log is never pruned
        return
    event_record(
        kind=EventKind.LOGIN,
        summary="A log-in was refused",
        actor=str(credentials.get("username", ""))[:_NAME_LENGTH_MAX] or "unknown",
        subject="login",
        payload={"address": _address(request)},
    )


def _locked_out(
    sender: Any, request: HttpRequest | None = None, username: str = "", ip_address: str = "", **kwargs: Any
) -> None:
    # The failure that locks is counted; what is turned away while the lock holds is not, and adds no line.
    if getattr(request, "axes_failures_since_start", None) is None:
        return
    event_record(
        kind=EventKind.LOGIN,
        summary=f"{username or 'Somebody'} is locked out after too many refused log-ins",
        actor=str(username)[:_NAME_LENGTH_MAX] or "unknown",
        subject="login",
        payload={"address": ip_address or _address(request)},
    )


def _address(request: HttpRequest | None) -> str:
    return "" if request is None else str(request.META.get("REMOTE_ADDR", ""))


# -- users, groups and their rights -----------------------------------------------------------


def _who() -> str:
    """Return the person whose request this is; without one a command on this machine did it."""
    return current_actor() or CONSOLE


def _user_read(sender: type[Model], instance: Model, update_fields: Any, **kwargs: Any) -> None:
    if instance.pk is None or (update_fields is not None and not set(update_fields) & set(_FLAGS)):
        return
    row = sender._default_manager.filter(pk=instance.pk).values(*_FLAGS).first()
    instance._flags_before = row  # type: ignore[attr-defined]  # handed to _user_saved


def _user_saved(sender: Any, instance: Model, created: bool, update_fields: Any, **kwargs: Any) -> None:  # noqa: FBT001  # Django's signature
    before = instance.__dict__.pop("_flags_before", None) or {}
    after = {name: getattr(instance, name, None) for name in _FLAGS}
    diff = {
        name: ["(hidden)", "(changed)"] if name == _HIDDEN else [before.get(name), value]
        for name, value in after.items()
        if before.get(name) != value
    }
    if not created and (not diff or not before):
        return
    event_record(
        kind=EventKind.ACCESS_CHANGED,
        summary=f"User {instance} was {'created' if created else 'changed: ' + ', '.join(diff)}",
        actor=_who(),
        subject=f"user:{instance.pk}",
        payload={"diff": diff},
    )


def _group_saved(sender: Any, instance: Group, created: bool, **kwargs: Any) -> None:  # noqa: FBT001  # Django's signature
    event_record(
        kind=EventKind.ACCESS_CHANGED,
        summary=f"Group {instance} was {'created' if created else 'saved'}",
        actor=_who(),
        subject=f"group:{instance.pk}",
    )


def _removed(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    name = str(sender._meta.model_name)
    event_record(
        kind=EventKind.ACCESS_CHANGED,
        summary=f"{name.capitalize()} {instance} was removed",
        actor=_who(),
        subject=f"{name}:{instance.pk}",
    )


def _rights_changed(
    sender: Any, instance: Model, action: str, pk_set: set[int] | None, model: type[Model], **kwargs: Any
) -> None:
    word = _RIGHTS_CHANGED.get(action)
    if word is None or (pk_set is not None and not pk_set):
        return
    names = [str(item) for item in model._default_manager.filter(pk__in=sorted(pk_set or ())[:_NAMES_MAX])]
    event_record(
        kind=EventKind.ACCESS_CHANGED,
        summary=f"Rights {word}: {instance}: {', '.join(names) or 'all'}",
        actor=_who(),
        subject=f"{instance._meta.model_name}:{instance.pk}",
        payload={"names": names, "action": action},
    )
