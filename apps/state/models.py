"""How the system runs: engine, configuration, heartbeats, incidents and the one append-only event log."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.domain.engine import EngineStatus
from apps.domain.errors import Category, Recovery
from apps.domain.events import EventKind


def _choices(enum: type) -> list[tuple[str, str]]:
    return [(item.value, item.value.replace("_", " ")) for item in enum]  # type: ignore[attr-defined]


def event_kinds() -> list[tuple[str, str]]:
    """Return the kinds of events as choices; a function, so that a new kind needs no migration."""
    return _choices(EventKind)


class EngineState(models.Model):
    """The one row that says what the engine may do. Read directly before every signature and every send."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    mode = models.CharField(max_length=10)  # stamped at first start; a mismatch refuses to start
    status = models.CharField(
        max_length=20, choices=_choices(EngineStatus), default=EngineStatus.STOPPED.value
    )
    #: Grows at every kill, resume and start; an order of an older epoch is never signed or sent.
    epoch = models.PositiveBigIntegerField(default=1)
    reason = models.CharField(max_length=500, blank=True)
    changed_by = models.CharField(max_length=150, default="setup")
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(id=1), name="engine_state_is_single"),
            models.CheckConstraint(condition=Q(epoch__gte=1), name="engine_epoch_positive"),
        ]
        permissions = [
            ("operate_engine", "Can start, pause and stop the engine"),
            ("pull_killswitch", "Can pull the kill switch"),
            ("resume_engine", "Can resume after the kill switch"),
        ]

    def __str__(self) -> str:
        return f"{self.mode} {self.status} (epoch {self.epoch})"


class ConfigRevision(models.Model):
    """A trading configuration as it once was. Append-only; exactly one is active."""

    number = models.PositiveIntegerField(unique=True)
    payload = models.JSONField()  # apps.domain.config.TradingConfig, JSON form
    reason = models.CharField(max_length=500)
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    is_active = models.BooleanField(default=False)

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"], condition=Q(is_active=True), name="config_one_active"
            ),
        ]

    def __str__(self) -> str:
        return f"revision {self.number}"


class Heartbeat(models.Model):
    """A component's last sign of life."""

    component = models.CharField(
        max_length=80, unique=True
    )  # "listener", "listener/eip155:31337", "worker/execute", "relay"
    pid = models.PositiveIntegerField()
    beat_at = models.DateTimeField()
    stale_after_s = models.PositiveIntegerField(default=15)
    status = models.CharField(max_length=200, blank=True)
    details = models.JSONField(default=dict, blank=True)

    def __str__(self) -> str:
        return self.component


class Lease(models.Model):
    """The right to be the only one that does something, until it expires."""

    name = models.CharField(max_length=80, unique=True)  # "listener", "relay"
    holder = models.CharField(max_length=120)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.name}: {self.holder}"


class Incident(models.Model):
    """Something a person should know. Repeats are counted, not repeated."""

    dedup_key = models.CharField(max_length=200)
    code = models.CharField(max_length=60)
    category = models.CharField(max_length=10, choices=_choices(Category))
    recovery = models.CharField(max_length=12, choices=_choices(Recovery))
    severity = models.CharField(max_length=10, choices=[(v, v) for v in ("info", "warning", "critical")])
    title = models.CharField(max_length=200)
    detail = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    context = models.JSONField(default=dict, blank=True)
    trace_id = models.CharField(max_length=32, blank=True, db_index=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dedup_key"], condition=Q(resolved_at=None), name="incident_open_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.title}"


class Event(models.Model):
    """One line of the log. Producers insert it in their own transaction; the relay gives position and hash."""

    position = models.PositiveBigIntegerField(
        null=True, unique=True, editable=False
    )  # 1, 2, 3 … without gaps
    kind = models.CharField(max_length=40, choices=event_kinds, db_index=True)
    at = models.DateTimeField(db_index=True)
    trace_id = models.CharField(max_length=32, blank=True, db_index=True)
    actor = models.CharField(max_length=150)  # "engine", "relay", or a user name
    subject = models.CharField(
        max_length=120, blank=True, db_index=True
    )  # "order:7", "pair:12", "position:3"
    summary = models.CharField(max_length=300)
    payload = models.JSONField(default=dict, blank=True)
    previous_hash = models.CharField(max_length=64, blank=True)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-id"]
        permissions = [("view_audit", "Can read and export the audit trail")]

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}"


class AuditHead(models.Model):
    """The log's last numbered line. Kept apart, so that lines removed from the log's end are missed."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    position = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="audit_head_is_single")]

    def __str__(self) -> str:
        return f"position {self.position}"
