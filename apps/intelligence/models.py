"""What was known about a pair, and when; what people said about it. Append-only, pruned by age."""

from __future__ import annotations

from django.db import models

from apps.discovery.models import Pair
from apps.state.fields import RawAmountField


class AnalysisRecord(models.Model):
    """One analysis with all its estimates. Estimates are kept as one JSON list: they are written and read together,
    fifteen and more at a time, several times a second.
    """

    trace_id = models.CharField(max_length=32, db_index=True)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="analyses")
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    estimates = models.JSONField()  # list of Estimate, decimals as text
    missing = models.JSONField(default=list)
    evidence = models.JSONField(
        default=list
    )  # list of Evidence: the calls that show what is held against the token
    probes = models.JSONField(null=True, default=None)  # TokenProbes, as observed; null after a first look
    skeleton_hash = models.CharField(
        max_length=66, blank=True, default="", db_index=True
    )  # of the token's code
    facts_duration_ms = models.PositiveIntegerField()  # reading the chain
    durations_us = models.JSONField(default=dict)  # of each part of the analysis, by its name
    caches = models.JSONField(default=dict)  # name -> hits and misses since this process's analysis before
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"analysis {self.pk} of {self.pair_id}"


class SocialMessage(models.Model):
    """One message of a social source, as numbers; the text only where the source's terms let us keep it.

    ``author`` is a digest of source and account id, never the name. ``score_bps`` is the chance of praise less that of
    blame, -10000..10000; ``bot_bps`` None: the source tells nothing about its accounts.
    """

    source = models.CharField(max_length=12)  # x, telegram, tg_channels, discord
    channel = models.CharField(max_length=80)
    dedup_key = models.CharField(max_length=160, unique=True)  # source/channel/id
    author = models.CharField(max_length=32, db_index=True)
    account = models.JSONField(default=dict)  # what the source tells about the account: numbers and flags
    text = models.TextField(blank=True)  # untrusted, bounded; "": may not be kept
    addresses = models.JSONField(default=list)  # found in the text, EVM in lower case
    cashtags = models.JSONField(default=list)  # without $, upper case
    signature = models.CharField(max_length=512, blank=True)  # MinHash of the text: tells near-duplicates
    score_bps = models.SmallIntegerField(null=True)  # None: says nothing that can be scored
    bot_bps = models.PositiveSmallIntegerField(null=True)
    account_age_s = models.PositiveBigIntegerField(null=True)  # when it was sent
    is_simulated = models.BooleanField(default=False)  # of the sandbox's own chatter
    sent_at = models.DateTimeField(db_index=True)
    received_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.dedup_key


class SocialMention(models.Model):
    """A message that speaks of a pair. By address it surely does, by cashtag perhaps."""

    message = models.ForeignKey(SocialMessage, on_delete=models.CASCADE, related_name="mentions")
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="social_mentions")
    match = models.CharField(max_length=8, choices=[(v, v) for v in ("address", "cashtag")])
    sent_at = models.DateTimeField()  # the message's, so that one index finds a pair's newest

    class Meta:
        constraints = [models.UniqueConstraint(fields=["message", "pair"], name="social_mention_once")]
        indexes = [models.Index(fields=["pair", "-sent_at"], name="social_mention_newest")]

    def __str__(self) -> str:
        return f"{self.message_id} of {self.pair_id}"


class SocialSourceState(models.Model):
    """How a social source stands: whether it answers, how far it was read, what it may still cost today."""

    source = models.CharField(max_length=12, unique=True)
    state = models.CharField(
        max_length=16,
        choices=[(v, v) for v in ("up", "down", "blocked", "out_of_budget", "not_configured")],
    )
    reason = models.CharField(max_length=300, blank=True)  # why it is not up, and what mends it
    since = models.DateTimeField()  # of this state
    checked_at = models.DateTimeField(null=True)
    next_try_at = models.DateTimeField(null=True)  # None: at the next poll
    failures = models.PositiveIntegerField(default=0)  # one after another
    cursor = models.JSONField(default=dict)  # the source's own: ids up to which it was read
    budget_day = models.DateField(null=True)  # UTC
    budget_used = models.PositiveIntegerField(default=0)  # units of that day
    messages_total = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.source}: {self.state}"


class OutsideOpinion(models.Model):
    """What an outside service was last heard to say of a token, and until when that holds."""

    chain_key = models.CharField(max_length=60)
    token_address = models.CharField(max_length=66)  # EVM in lower case
    source = models.CharField(max_length=20)  # its name in the environment
    asked_at = models.DateTimeField()  # so that it is not asked twice at once
    fetched_at = models.DateTimeField(null=True)  # None: never answered
    expires_at = models.DateTimeField()  # it is asked again from then on
    fields = models.JSONField(default=dict)  # of Opinion, in our units; empty: it never answered
    failure = models.CharField(max_length=300, blank=True)  # why the newest answer is no verdict

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["chain_key", "token_address", "source"], name="outside_opinion_once"
            )
        ]
        indexes = [models.Index(fields=["expires_at"], name="outside_opinion_by_age")]

    def __str__(self) -> str:
        return f"{self.source} of {self.token_address}"


class Candle(models.Model):
    """A completed candle of a market in US dollars. Prices the source does not give are null, not made up."""

    market = models.CharField(max_length=12)  # "BTC"
    interval = models.CharField(max_length=2, choices=[(v, v) for v in ("1h", "1d")])
    opened_at = models.DateTimeField()
    open = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    high = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    low = models.DecimalField(max_digits=30, decimal_places=12, null=True)
    close = models.DecimalField(max_digits=30, decimal_places=12)
    volume = models.DecimalField(max_digits=40, decimal_places=12, null=True)  # in coins
    source = models.CharField(max_length=20)
    is_simulated = models.BooleanField(default=False)  # of the sandbox's tape

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["market", "interval", "opened_at"], name="candle_once"),
            models.CheckConstraint(condition=models.Q(close__gt=0), name="candle_close_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.market} {self.interval} {self.opened_at:%Y-%m-%d %H:%M}"


class MarketRegimeRecord(models.Model):
    """What was known of a market after a daily candle. One row a candle, the first to be written counts."""

    REGIMES = ("bull", "bear", "crab", "volatile", "unknown")

    market = models.CharField(max_length=12)
    regime = models.CharField(max_length=8, choices=[(v, v) for v in REGIMES])
    by_rule = models.CharField(max_length=8, choices=[(v, v) for v in REGIMES])  # before the second opinion
    second_opinion = models.CharField(max_length=8, choices=[(v, v) for v in REGIMES])
    confidence_bps = models.PositiveIntegerField(default=0)  # how often such a regime stood three days later
    volatility_state = models.CharField(
        max_length=8, choices=[(v, v) for v in ("calm", "normal", "high", "unknown")]
    )
    hour_deviation_bps = models.DecimalField(
        max_digits=12, decimal_places=1, null=True
    )  # of one hour's price
    breakout_bps = models.PositiveIntegerField(null=True)  # chance of a new 20-day high within 5 days
    breakout_level = models.DecimalField(max_digits=30, decimal_places=12, null=True)  # in US dollars
    bars = models.PositiveIntegerField()  # daily candles without a gap
    source = models.CharField(max_length=20)  # of the newest candle
    is_simulated = models.BooleanField(default=False)  # of the sandbox's tape
    is_change = models.BooleanField(default=False)  # another regime than the one known before
    why = models.CharField(max_length=600)
    trace_id = models.CharField(max_length=32, db_index=True)
    as_of = models.DateTimeField()  # when the newest candle ended
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-as_of", "market"]
        constraints = [models.UniqueConstraint(fields=["market", "as_of"], name="market_regime_once")]

    def __str__(self) -> str:
        return f"{self.market} {self.regime} {self.as_of:%Y-%m-%d}"


class ModelHealth(models.Model):
    """How well a model's predictions came true lately, and whether it may still be believed."""

    name = models.CharField(max_length=40, unique=True)  # "loss_probability"
    is_trusted = models.BooleanField(default=True)
    reason = models.CharField(max_length=300, blank=True)  # why it is not
    resolved = models.PositiveIntegerField(default=0)  # predictions whose outcome is known
    brier = models.FloatField(null=True)  # mean squared error
    brier_baseline = models.FloatField(null=True)  # of always saying the frequency
    skill = models.FloatField(null=True)  # 1 - brier / baseline; None: too few
    has_drifted = models.BooleanField(default=False)  # errors rise against their own past
    reliability = models.JSONField(default=list)  # list of {predicted, happened, count}
    checked_at = models.DateTimeField()
    changed_at = models.DateTimeField()  # of is_trusted

    def __str__(self) -> str:
        return f"{self.name}: {'trusted' if self.is_trusted else self.reason}"


class FundingLinkRecord(models.Model):
    """Who gave an address its first coins, as far as was looked back. Looked up once an address and chain."""

    chain_key = models.CharField(max_length=60)
    target = models.CharField(max_length=66)  # in comparable form, like all addresses of this table
    source = models.CharField(
        max_length=66, blank=True, db_index=True
    )  # "": unknown, and ``reason`` says why
    tx_hash = models.CharField(max_length=88, blank=True)
    block_number = models.PositiveBigIntegerField(null=True)
    at = models.DateTimeField(null=True)  # the block's own time
    amount_raw = RawAmountField(null=True)
    is_hub = models.BooleanField(default=False)
    paid_in_tx = models.PositiveIntegerField(default=1)
    reason = models.CharField(max_length=200, blank=True)
    looked_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain_key", "target"], name="funding_once")]

    def __str__(self) -> str:
        return f"{self.source or 'unknown'} funded {self.target}"


class EntityRecord(models.Model):
    """Addresses of one pair that belong together, or that one reason alone makes suspect. Written anew at each look."""

    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="entities")
    chain_key = models.CharField(max_length=60)
    trace_id = models.CharField(max_length=32, blank=True)
    key = models.CharField(max_length=66)  # the smallest member
    is_merged = models.BooleanField()  # False: suspected
    codes = models.JSONField()  # of the reasons, sorted
    reasons = models.JSONField()  # list of {code, addresses, evidence, weight_bps}
    block_number = models.PositiveBigIntegerField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-is_merged", "id"]

    def __str__(self) -> str:
        return f"{self.key} in {self.pair_id}"


class EntityMember(models.Model):
    """One address of an entity: tells where else the same addresses were seen together."""

    record = models.ForeignKey(EntityRecord, on_delete=models.CASCADE, related_name="members")
    chain_key = models.CharField(max_length=60)
    address = models.CharField(max_length=66)
    has_acted = models.BooleanField()  # they bought or sold together; a common funder alone is no act

    class Meta:
        indexes = [models.Index(fields=["chain_key", "address"], name="entity_member_address")]

    def __str__(self) -> str:
        return f"{self.address} of {self.record_id}"


class WhaleAlert(models.Model):
    """Whether a figure of a pair stands beyond its threshold: an alert is given once a crossing."""

    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="whale_alerts")
    code = models.CharField(max_length=60)  # of the estimate
    is_beyond = models.BooleanField()
    value_bps = models.IntegerField()
    crossings = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["pair", "code"], name="whale_alert_once")]

    def __str__(self) -> str:
        return f"{self.code} of {self.pair_id}"


class WalletRecord(models.Model):
    """How often a wallet's closed tokens were gains, over what we recorded of its chain; only of those with enough."""

    chain_key = models.CharField(max_length=60)
    address = models.CharField(max_length=66)  # in comparable form
    gains = models.PositiveIntegerField()
    closed = models.PositiveIntegerField()
    quality_bps = models.PositiveIntegerField()  # drawn towards everybody's rate
    counted_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain_key", "address"], name="wallet_record_once")]

    def __str__(self) -> str:
        return f"{self.address} {self.gains}/{self.closed}"
