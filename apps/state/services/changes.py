"""What a person changes in rows of configuration, field by field, in the log."""

from __future__ import annotations

from typing import Any, Final

from django.db.models import Model
from django.db.models.signals import post_delete, post_save, pre_save

from apps.domain.events import EventKind
from apps.state.services.events import event_record
from apps.state.tracing import current_actor

CONSOLE: Final = "console"  # a command on this machine
_BEFORE = "_fields_before"
_VALUE_LENGTH_MAX = 500


def record_changes_of(*models: type[Model]) -> None:
    """Record every row of these models that a person adds, changes or removes. Called when the app is ready.

    What the system itself notes in such rows (when an endpoint was last asked) is nobody's change and makes no event.
    """
    for model in models:
        uid = f"state.changes.{model._meta.label}"
        pre_save.connect(_read, sender=model, dispatch_uid=f"{uid}.read")
        post_save.connect(_saved, sender=model, dispatch_uid=f"{uid}.saved")
        post_delete.connect(_removed, sender=model, dispatch_uid=f"{uid}.removed")


def change_record(*, subject: str, name: str, diff: dict[str, list[Any]], actor: str = "") -> None:
    """Record that a row of configuration was changed. ``diff`` is field -> [before, after], in plain JSON."""
    event_record(
        kind=EventKind.CONFIG_CHANGED,
        summary=f"{name} was changed: "
        + ", ".join(f"{path} {old} → {new}" for path, (old, new) in diff.items()),
        actor=actor,
        subject=subject,
        payload={"diff": diff},
    )


def _read(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    if current_actor() and instance.pk is not None:
        instance.__dict__[_BEFORE] = sender._default_manager.filter(pk=instance.pk).values().first()


def _saved(sender: type[Model], instance: Model, created: bool, **kwargs: Any) -> None:  # noqa: FBT001  # Django's signature
    before = instance.__dict__.pop(_BEFORE, None)
    if not current_actor():
        return
    after = {item.attname: getattr(instance, item.attname) for item in sender._meta.concrete_fields}
    if created or before is None:
        _record(instance, "added", {name: _plain(value) for name, value in after.items()})
        return
    diff = {
        name: [_plain(before.get(name)), _plain(value)]
        for name, value in after.items()
        if before.get(name) != value
    }
    if diff:
        change_record(subject=_subject(instance), name=_name(instance), diff=diff)


def _removed(sender: type[Model], instance: Model, **kwargs: Any) -> None:
    if current_actor():
        _record(instance, "removed", {})


def _record(instance: Model, word: str, fields: dict[str, Any]) -> None:
    event_record(
        kind=EventKind.CONFIG_CHANGED,
        summary=f"{_name(instance)} was {word}",
        subject=_subject(instance),
        payload={"fields": fields},
    )


def _name(instance: Model) -> str:
    return f"{str(instance._meta.verbose_name).capitalize()} {instance}"


def _subject(instance: Model) -> str:
    return f"{instance._meta.model_name}:{instance.pk}"


def _plain(value: Any) -> Any:
    """Return a field's value as plain JSON without floats."""
    if value is None or isinstance(value, bool | int):
        return value
    return str(value)[:_VALUE_LENGTH_MAX]
