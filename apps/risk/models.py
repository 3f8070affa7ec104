"""May we: verdicts, and the one place where limits are enforced."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from apps.discovery.models import Pair
from apps.domain.verdict import Action
from apps.intelligence.models import AnalysisRecord
from apps.state.fields import RawAmountField


class VerdictRecord(models.Model):
    """All rules' answers on one analysis."""

    trace_id = models.CharField(max_length=32, db_index=True)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="verdicts")
    analysis = models.OneToOneField(AnalysisRecord, on_delete=models.CASCADE, related_name="verdict")
    outcome = models.CharField(max_length=8, choices=[(v, v) for v in ("pass", "fail", "unknown")])
    score_bps = models.PositiveIntegerField(null=True)  # 0 worst .. 10000 best; None: nothing is known
    confidence_bps = models.PositiveIntegerField(default=0)  # how much the score rests on
    action = models.CharField(max_length=6, blank=True, choices=[(item.value, item.value) for item in Action])
    card = models.JSONField(null=True, default=None)  # ScoreCard; null in rows of before there were cards
    findings = models.JSONField()  # list of Finding
    config_revision = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.outcome} for {self.pair_id}"


class Budget(models.Model):
    """What is at stake now. One row per scope: "all", "chain:<key>", "deployer:<key>/<address>", "token:<key>/<address>".

    A reservation takes from all its scopes, each by one conditional UPDATE, or from none.
    """

    scope = models.CharField(max_length=160, unique=True)
    exposure_usd_micros = models.BigIntegerField(default=0)  # open positions at cost + reserved entries
    open_positions = models.IntegerField(default=0)  # open positions + reserved entries
    day = models.DateField()  # UTC day of the loss counter
    realised_today_usd_micros = models.BigIntegerField(default=0)  # negative: loss
    entered_today_usd_micros = models.BigIntegerField(default=0)  # all entries of the day, given back or not

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
    scope = models.CharField(max_length=160)  # the widest of them
    scopes = models.JSONField(default=list)  # all it was taken from; empty: only ``scope``
    usd_micros = models.BigIntegerField()
    status = models.CharField(max_length=10, choices=[(v, v) for v in ("held", "released")], default="held")
    created_at = models.DateTimeField()
    released_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(usd_micros__gt=0), name="reservation_positive")]
        indexes = [models.Index(F("status"), name="reservation_status")]

    def __str__(self) -> str:
        return self.client_order_id


class Breaker(models.Model):
    """One circuit breaker. Armed while ``until`` is None; tripped from ``tripped_at`` until then."""

    name = models.CharField(max_length=24)  # "losses", "gas_spike"
    chain_key = models.CharField(max_length=60, blank=True)  # "": concerns all chains
    effect = models.CharField(max_length=6, choices=[(v, v) for v in ("shrink", "pause")], default="pause")
    until = models.DateTimeField(null=True, db_index=True)
    tripped_at = models.DateTimeField(null=True)
    #: What happened before was counted already: it does not trip the breaker again after a rest or a reset.
    counted_from = models.DateTimeField()
    explanation = models.CharField(max_length=300, blank=True)
    detail = models.CharField(max_length=300, blank=True)
    trips = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["name", "chain_key"]
        constraints = [models.UniqueConstraint(fields=["name", "chain_key"], name="breaker_once")]
        permissions = [("reset_breaker", "Can arm a tripped breaker again")]

    def __str__(self) -> str:
        return f"{self.name} {self.chain_key}".strip()


class FeeSample(models.Model):
    """A chain's base fee at a moment: what a spike is measured against. Kept for a day."""

    chain_key = models.CharField(max_length=60)
    at = models.DateTimeField()
    base_fee_wei = models.PositiveBigIntegerField()

    class Meta:
        indexes = [models.Index(fields=["chain_key", "at"], name="fee_sample_by_time")]

    def __str__(self) -> str:
        return f"{self.chain_key} {self.base_fee_wei}"


class RefusedToken(models.Model):
    """A refused pair, followed to see whether it was right to refuse it. One row a pair, by its first refusal that
    can be priced: what we would have paid then, what selling would bring since.
    """

    STATUSES = ("following", "ended", "passed", "unpriced")

    pair = models.OneToOneField(Pair, on_delete=models.CASCADE, related_name="refusal")
    verdict = models.ForeignKey(VerdictRecord, on_delete=models.SET_NULL, null=True, related_name="+")
    trace_id = models.CharField(max_length=32, db_index=True)
    chain_key = models.CharField(max_length=60)
    rules = models.JSONField()  # names of the rules that refused
    #: "passed": a later verdict accepted it; "unpriced": no reserves at its refusal. Neither counts on the board.
    status = models.CharField(max_length=10, choices=[(v, v) for v in STATUSES], default="following")
    refused_at = models.DateTimeField(db_index=True)
    follow_until = models.DateTimeField()
    next_look_at = models.DateTimeField()
    looks = models.PositiveIntegerField(default=0)
    size_usd_micros = models.BigIntegerField(default=0)  # what a position would have cost
    size_raw = RawAmountField(default=0)  # the same in quote units
    base_raw = RawAmountField(default=0)  # what it would have bought, before the token's tax
    peak_quote_raw = RawAmountField(default=0)  # the deepest the pool has been
    value_raw = RawAmountField(null=True)  # what selling would bring now; None: not known
    best_raw = RawAmountField(default=0)  # the most it would have brought at any look
    buy_tax_bps = models.PositiveIntegerField(default=0)  # as last measured; 0 while it was not
    sell_tax_bps = models.PositiveIntegerField(default=0)
    is_sellable = models.BooleanField(null=True)  # by the newest simulation; None: never simulated
    sell_checked_at = models.DateTimeField(null=True)
    died_at = models.DateTimeField(null=True)
    died_by = models.CharField(max_length=10, blank=True)  # "drained", "unsellable"
    rose_at = models.DateTimeField(null=True)
    saved_usd_micros = models.BigIntegerField(default=0)
    missed_usd_micros = models.BigIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "next_look_at"], name="refused_queue")]

    def __str__(self) -> str:
        return f"refusal of {self.pair_id} {self.status}"


class GuardWatch(models.Model):
    """What the guard of an open position knows and has found. Deleted with the position's end."""

    trace_id = models.CharField(max_length=32, unique=True)  # the position's
    chain_key = models.CharField(max_length=60, db_index=True)
    baseline = models.JSONField(default=dict)  # what is compared with: taken at entry, or at the first look
    checked_block = models.PositiveBigIntegerField(null=True)  # of the newest simulation
    liquidity_root = RawAmountField(null=True)  # highest root of the product of reserves seen while holding
    looked_block = models.PositiveBigIntegerField(null=True)  # events before were seen
    estimates = models.JSONField(default=list)  # what draws exits in, as of the newest simulation
    estimates_at = models.DateTimeField(null=True)
    trigger_code = models.CharField(max_length=40, blank=True)  # "": nothing found
    trigger_explanation = models.CharField(max_length=300, blank=True)
    trigger_detail = models.CharField(max_length=300, blank=True)
    triggered_block = models.PositiveBigIntegerField(null=True)
    triggered_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"guard {self.trace_id} {self.trigger_code}".strip()
