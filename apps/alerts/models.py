"""What people are told: alerts, their deliveries, and the one person whom the Telegram bot obeys."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from apps.domain.config import ALERT_RULES

SEVERITIES = ("info", "warning", "critical")
TRANSPORTS = ("telegram", "discord", "email", "webhook")


def rules() -> list[tuple[str, str]]:
    """Return the rules as choices; a function, so that a new rule needs no migration."""
    return [(rule, rule.replace("_", " ")) for rule in ALERT_RULES]


class AlertRecord(models.Model):
    """Something a person is told of. Repeats are counted; one is open for each ``dedup_key``."""

    rule = models.CharField(max_length=30, choices=rules)
    dedup_key = models.CharField(max_length=200)
    severity = models.CharField(max_length=10, choices=[(v, v) for v in SEVERITIES])
    title = models.CharField(max_length=200)
    text = models.TextField(blank=True)
    remedy = models.TextField(blank=True)
    subject = models.CharField(max_length=120, blank=True)  # "incident:7", "pair:12"
    trace_id = models.CharField(max_length=32, blank=True)
    #: A condition that is looked at again and ends by itself; else something that happened, which grows old.
    is_lasting = models.BooleanField()
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()
    told_at = models.DateTimeField(
        null=True, blank=True
    )  # None: not told yet; it waits for its rule's window
    told_count = models.PositiveIntegerField(default=0)  # ``count`` when it was last told
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.CharField(max_length=150, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.CharField(max_length=150, blank=True)

    class Meta:
        ordering = ["-last_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["dedup_key"], condition=Q(resolved_at=None), name="alert_open_once"
            )
        ]
        indexes = [models.Index(fields=["rule", "told_at"], name="alert_rule_told")]

    def __str__(self) -> str:
        return f"{self.rule}: {self.title}"


class Delivery(models.Model):
    """One message by one way. The row is the queue: waiting → sending → sent, or back to waiting, or failed."""

    class Status(models.TextChoices):
        WAITING = "waiting"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    alert = models.ForeignKey(AlertRecord, on_delete=models.CASCADE, null=True, related_name="deliveries")
    transport = models.CharField(max_length=10, choices=[(v, v) for v in TRANSPORTS])
    kind = models.CharField(
        max_length=10, choices=[(v, v) for v in ("raised", "resolved", "test")], default="raised"
    )
    number = models.PositiveIntegerField(default=1)  # 1, 2, 3 … messages about this alert
    notice = models.JSONField()  # what is said, as it was when it was said
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    next_try_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    reference = models.CharField(max_length=100, blank=True)  # the other side's own number of it
    error = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    created_by = models.CharField(max_length=150, default="engine")

    class Meta:
        ordering = ["-id"]
        verbose_name_plural = "deliveries"
        constraints = [models.UniqueConstraint(fields=["alert", "transport", "number"], name="delivery_once")]
        indexes = [models.Index(fields=["status", "next_try_at"], name="delivery_queue")]
        permissions = [("send_test", "Can send test messages and failed messages again")]

    def __str__(self) -> str:
        return f"{self.transport} {self.status}"


class AlertCursor(models.Model):
    """Up to which line of the event log alerts were made."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    position = models.PositiveBigIntegerField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="alert_cursor_is_single")]

    def __str__(self) -> str:
        return f"position {self.position}"


class BotBinding(models.Model):
    """The Telegram bot: which one person it obeys, and which update comes next, so that no command runs twice."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1, editable=False)
    next_update = models.BigIntegerField(default=0)
    chat_id = models.BigIntegerField(null=True, blank=True)
    chat_name = models.CharField(max_length=100, blank=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True)
    paired_at = models.DateTimeField(null=True, blank=True)
    #: The code was made in a session that had given the second factor: what the person says counts as given with it.
    is_vouched = models.BooleanField(default=False)
    code_is_vouched = models.BooleanField(default=False)
    #: Of a pairing under way: a digest of the code, for whom it was made, and until when it holds.
    code_digest = models.CharField(max_length=64, blank=True)
    code_user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    code_until = models.DateTimeField(null=True, blank=True)
    code_failures = models.PositiveSmallIntegerField(default=0)  # wrong codes since it was made
    #: What waits for a word of confirmation, and until when.
    asked = models.CharField(max_length=40, blank=True)
    asked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="bot_binding_is_single")]
        permissions = [("pair_bot", "Can pair the Telegram bot with oneself")]

    def __str__(self) -> str:
        return self.chat_name or "not paired"


class DeniedChat(models.Model):
    """A chat that wrote to the bot and is not the paired one. It gets no answer but one."""

    chat_id = models.BigIntegerField(unique=True)
    name = models.CharField(max_length=100, blank=True)
    count = models.PositiveIntegerField(default=1)
    first_at = models.DateTimeField()
    last_at = models.DateTimeField()

    class Meta:
        ordering = ["-last_at"]

    def __str__(self) -> str:
        return f"{self.name} {self.chat_id}"
