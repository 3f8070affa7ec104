"""May we: verdicts, and the one place where limits are enforced."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.discovery.models import Pair
from apps.intelligence.models import AnalysisRecord


class VerdictRecord(models.Model):
    """All rules' answers on one analysis."""

    trace_id = models.CharField(max_length=32, db_index=True)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="verdicts")
    analysis = models.OneToOneField(AnalysisRecord, on_delete=models.CASCADE, related_name="verdict")
    outcome = models.CharField(max_length=8, choices=[(v, v) for v in ("pass", "fail", "unknown")])
    score_bps = models.PositiveIntegerField(null=True)  # 0 worst .. 10000 best; None: nothing is known
    confidence_bps = models.PositiveIntegerField(default=0)  # how much the score rests on
    findings = models.JSONField()  # list of Finding
    config_revision = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.outcome} for {self.pair_id}"


class Budget(models.Model):
    """What is at stake now. One row per scope ("all"); every reservation is one conditional UPDATE of it."""

    scope = models.CharField(max_length=80, unique=True)
    exposure_usd_micros = models.BigIntegerField(default=0)  # open positions at cost + reserved entries
    open_positions = models.IntegerField(default=0)  # open positions + reserved entries
    day = models.DateField()  # UTC day of the loss counter
    realised_today_usd_micros = models.BigIntegerField(default=0)  # negative: loss

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(exposure_usd_micros__gte=0), name="budget_exposure_not_negative"
            ),
            models.CheckConstraint(condition=Q(open_positions__gte=0), name="budget_positions_not_negative"),
        ]

    def __str__(self) -> str:
        return self.scope


class Reservation(models.Model):
    """Budget held for one entry order, until its position closes or the order comes to nothing."""

    client_order_id = models.CharField(max_length=80, unique=True)
    scope = models.CharField(max_length=80)
    usd_micros = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=[(v, v) for v in ("held", "released")], default="held")
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(usd_micros__gt=0), name="reservation_positive")]
        indexes = [models.Index(F("status"), name="reservation_status")]

    def __str__(self) -> str:
        return self.client_order_id
