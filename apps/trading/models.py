"""Shall we, and do it: opportunities, decisions, orders, transactions, fills, positions and the books."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from apps.discovery.models import Pair
from apps.domain.decision import SkipStage
from apps.domain.order import OrderStatus
from apps.intelligence.models import AnalysisRecord
from apps.risk.models import VerdictRecord
from apps.state.fields import RawAmountField

SIDES = [("buy", "buy"), ("sell", "sell")]
_ACTIVE = [
    s.value
    for s in (
        OrderStatus.CREATED,
        OrderStatus.CLAIMED,
        OrderStatus.SIGNED,
        OrderStatus.SUBMITTED,
        OrderStatus.UNKNOWN,
    )
]
#: An entry in one of these has its opportunity: there is no other beside it.
ENTRY_HOLDING = [*_ACTIVE, OrderStatus.FILLED.value]


class OpportunityStatus(models.TextChoices):
    """WAITING is a queue: the row waits for an evaluation that is due at ``evaluate_after``."""

    WAITING = "waiting"
    EVALUATING = "evaluating"
    REFUSED = "refused"
    ENTERED = "entered"
    EXPIRED = "expired"
    QUARANTINED = "quarantined"


class Opportunity(models.Model):
    """A pair's n-th chance. Its trace id is the thread of everything that follows."""

    trace_id = models.CharField(max_length=32, unique=True)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="opportunities")
    number = models.PositiveIntegerField(default=1)
    source = models.CharField(max_length=20)  # chain, dexscreener, geckoterminal, manual
    status = models.CharField(
        max_length=12, choices=OpportunityStatus.choices, default=OpportunityStatus.WAITING
    )
    evaluate_after = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True, blank=True)
    evaluations = models.PositiveIntegerField(default=0)
    give_up_at = models.DateTimeField()
    score_bps = models.PositiveIntegerField(null=True)
    priority = models.IntegerField(
        default=0
    )  # of its next evaluation, higher first: see trading.logic.ranking
    skip_stage = models.CharField(max_length=10, blank=True, choices=[(s.value, s.value) for s in SkipStage])
    #: The first reason; all stand in the decision.
    skip_code = models.CharField(max_length=60, blank=True, db_index=True)
    skip_explanation = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField(db_index=True)
    updated_at = models.DateTimeField()
    #: The purchase that an advanced order wants to make of it, and by which of its legs.
    advanced = models.ForeignKey(
        "AdvancedOrder", on_delete=models.PROTECT, null=True, related_name="opportunities"
    )
    advanced_leg = models.PositiveSmallIntegerField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["pair", "number"], name="opportunity_number_once")]
        indexes = [models.Index(fields=["status", "evaluate_after"], name="opportunity_queue")]
        permissions = [("trade_manually", "Can open and close positions by hand")]

    def __str__(self) -> str:
        return f"{self.pair_id}#{self.number} {self.status}"


class DecisionRecord(models.Model):
    """One decision with everything it was made from."""

    trace_id = models.CharField(max_length=32, db_index=True)
    opportunity = models.ForeignKey(Opportunity, on_delete=models.CASCADE, related_name="decisions")
    number = models.PositiveIntegerField()  # 1, 2, 3 … within the trace
    action = models.CharField(max_length=6, choices=[(v, v) for v in ("enter", "exit", "skip")])
    analysis = models.ForeignKey(AnalysisRecord, on_delete=models.SET_NULL, null=True)
    verdict = models.ForeignKey(VerdictRecord, on_delete=models.SET_NULL, null=True)
    position = models.ForeignKey("Position", on_delete=models.SET_NULL, null=True, related_name="decisions")
    amount_in_raw = RawAmountField(null=True)
    amount_out_min_raw = RawAmountField(null=True)
    expected_out_raw = RawAmountField(null=True)
    value_usd_micros = models.BigIntegerField(null=True)
    slippage_max_bps = models.PositiveIntegerField()
    score_bps = models.PositiveIntegerField(null=True)
    skip_stage = models.CharField(max_length=10, blank=True)
    exit_tag = models.CharField(max_length=20, blank=True)
    reasons = models.JSONField(default=list)  # list of Reason
    adjustments = models.JSONField(
        default=list
    )  # list of Adjustment: what intelligence changed, before and after
    inputs = models.JSONField(default=dict)  # what the pure core was given, so that it can be repeated
    config_revision = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["trace_id", "number"], name="decision_number_once")]

    def __str__(self) -> str:
        return f"{self.action} {self.trace_id}#{self.number}"


class Position(models.Model):
    """What we hold of one token in one wallet, from its entry fill to its last exit fill."""

    trace_id = models.CharField(max_length=32, unique=True)
    opportunity = models.OneToOneField(Opportunity, on_delete=models.PROTECT, related_name="position")
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="positions")
    wallet_key = models.CharField(max_length=60)
    chain_key = models.CharField(max_length=60, db_index=True)
    status = models.CharField(
        max_length=8, choices=[(v, v) for v in ("open", "closed", "stuck")], default="open", db_index=True
    )
    quantity_raw = RawAmountField(default=0)  # base units held, from fills
    #: Promised to exit orders on their way: ladder and stop never oversell.
    reserved_raw = RawAmountField(default=0)
    cost_raw = RawAmountField(default=0)  # quote units paid for everything ever bought
    proceeds_raw = RawAmountField(default=0)  # quote units received for everything ever sold
    fees_raw = RawAmountField(default=0)  # native units paid for gas
    realised_cost_raw = RawAmountField(default=0)  # cost of the lots that were sold (FIFO)
    cost_usd_micros = models.BigIntegerField(default=0)
    realised_usd_micros = models.BigIntegerField(null=True)  # after gas; set at close
    entry_quote_reserve_raw = RawAmountField(null=True)
    sell_tax_bps = models.PositiveIntegerField(null=True)  # newest measurement
    exit_plan = models.JSONField(default=dict)  # ExitPlan
    high_water_raw = RawAmountField(default=0)  # highest sale value seen, quote units
    #: What selling everything would bring now; None: no fresh price.
    mark_value_raw = RawAmountField(null=True)
    mark_block_number = models.PositiveBigIntegerField(null=True)
    marked_at = models.DateTimeField(null=True)
    exit_tag = models.CharField(max_length=20, blank=True)
    exit_attempts = models.PositiveIntegerField(default=0)
    next_exit_at = models.DateTimeField(null=True)  # back-off after a failed exit
    sell_gas = models.PositiveIntegerField(null=True)  # as measured before entry
    ordered_tag = models.CharField(max_length=20, blank=True)  # "force_exit": a person asked for the sale
    #: Base units that came without a purchase (rebase, transfer by hand).
    found_raw = RawAmountField(default=0)
    lost_raw = RawAmountField(default=0)  # base units that went without a sale
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"position {self.pk} {self.status}"


class AdvancedOrder(models.Model):
    """Trades that wait for prices or times. What became of its children tells the next step, so a restart loses nothing.

    Only one of the engine's present epoch acts: after a kill or a new start it waits until a person resumes it.
    """

    #: Given with the request: asking twice makes one order.
    request_key = models.CharField(max_length=80, unique=True)
    kind = models.CharField(max_length=10)  # for people: limit, stop, ladder, bracket, trailing, twap, …
    side = models.CharField(max_length=4, choices=SIDES)
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="advanced_orders")
    #: Sold from, or added to; None: a purchase that opens a position.
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, null=True, related_name="advanced_orders"
    )
    chain_key = models.CharField(max_length=60)
    wallet_key = models.CharField(max_length=60)
    status = models.CharField(
        max_length=9,
        choices=[(v, v) for v in ("open", "done", "cancelled", "failed")],
        default="open",
    )
    explanation = models.CharField(max_length=300, blank=True)  # how it ended, or why it waits
    plan = models.JSONField()  # trading.logic.orders_advanced.Plan; amounts and prices as text
    highest_price_raw = RawAmountField(default=0)  # of trailing legs; per PRICE_SCALE, only grows
    accepted_rules = models.JSONField(default=list)  # refusals that a person has seen and accepted
    epoch = models.PositiveBigIntegerField()
    children = models.PositiveIntegerField(default=0)  # grows with each: two watchers never make the same one
    last_child_at = models.DateTimeField(null=True)
    source = models.CharField(max_length=5, choices=[(v, v) for v in ("hand", "entry")], default="hand")
    created_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["chain_key", "status"], name="advanced_queue")]

    def __str__(self) -> str:
        return f"{self.kind} {self.side} {self.pk} {self.status}"


class Order(models.Model):
    """One swap we asked for. Idempotent by ``client_order_id``; its status changes only along ORDER_TRANSITIONS."""

    client_order_id = models.CharField(max_length=80, unique=True)
    trace_id = models.CharField(max_length=32, db_index=True)
    opportunity = models.ForeignKey(Opportunity, on_delete=models.PROTECT, related_name="orders")
    decision = models.ForeignKey(DecisionRecord, on_delete=models.PROTECT, related_name="orders")
    position = models.ForeignKey(
        Position, on_delete=models.PROTECT, null=True, related_name="orders"
    )  # exits
    pair = models.ForeignKey(Pair, on_delete=models.PROTECT, related_name="orders")
    chain_key = models.CharField(max_length=60)
    wallet_key = models.CharField(max_length=60)
    side = models.CharField(max_length=4, choices=SIDES)
    status = models.CharField(
        max_length=10, choices=[(s.value, s.value) for s in OrderStatus], default=OrderStatus.CREATED.value
    )
    amount_in_raw = RawAmountField()  # native coin for a buy, base token for a sell
    amount_out_min_raw = RawAmountField()
    expected_out_raw = RawAmountField(null=True)
    value_usd_micros = models.BigIntegerField(null=True)
    fee_cap_raw = RawAmountField()
    gas_limit = models.PositiveIntegerField()
    epoch = models.PositiveBigIntegerField()
    exit_tag = models.CharField(max_length=20, blank=True)
    reason = models.CharField(max_length=300, blank=True)  # why it was denied, reverted, dropped, …
    expires_at = models.DateTimeField()
    created_at = models.DateTimeField(db_index=True)
    status_at = models.DateTimeField()
    claimed_at = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=120, blank=True)
    nonce_first = models.PositiveBigIntegerField(null=True)  # taken with the claim; None: nothing taken
    nonce_count = models.PositiveSmallIntegerField(default=0)
    #: Block at which a nonce of ours was first seen consumed by a transaction that is not ours.
    foreign_nonce_block = models.PositiveBigIntegerField(null=True)
    #: An entry that had ended and may be mined after all (a reorganisation), while its opportunity has another one.
    is_extra = models.BooleanField(default=False)
    #: The advanced order whose leg this sale is; purchases are told by their opportunity.
    advanced = models.ForeignKey("AdvancedOrder", on_delete=models.PROTECT, null=True, related_name="orders")
    advanced_leg = models.PositiveSmallIntegerField(null=True)
    #: The way through other pools than the pair's own, as ``services.routing`` chose it; empty: the pair itself.
    way = models.JSONField(default=dict, blank=True)

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["status", "status_at"], name="order_queue")]
        constraints = [
            models.UniqueConstraint(
                fields=["opportunity"],
                condition=Q(side="buy", is_extra=False, status__in=ENTRY_HOLDING),
                name="order_one_entry_per_opportunity",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.client_order_id} {self.status}"


class TxAttempt(models.Model):
    """A signed transaction, stored before it is sent. Its bytes are what any resend sends."""

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="attempts")
    purpose = models.CharField(max_length=8, choices=[(v, v) for v in ("swap", "approve", "wrap", "cancel")])
    chain_key = models.CharField(max_length=60)
    wallet_key = models.CharField(max_length=60)
    nonce = models.PositiveBigIntegerField(null=True)  # None on Solana
    tx_hash = models.CharField(max_length=88, unique=True)
    payload = models.BinaryField()
    epoch = models.PositiveBigIntegerField()
    max_cost_raw = RawAmountField()
    max_fee_wei = models.PositiveBigIntegerField(default=0)  # a replacement must offer more than both
    tip_wei = models.PositiveBigIntegerField(default=0)
    status = models.CharField(
        max_length=9,
        choices=[(v, v) for v in ("signed", "sent", "mined", "reverted", "replaced", "dropped")],
        default="signed",
    )
    signed_at = models.DateTimeField()
    broadcast_at = models.DateTimeField(null=True)
    seen_mined_at = models.DateTimeField(null=True)
    block_number = models.PositiveBigIntegerField(null=True)
    block_hash = models.CharField(max_length=66, blank=True)
    fee_paid_raw = RawAmountField(null=True)
    error = models.CharField(max_length=300, blank=True)
    signed_block = models.PositiveBigIntegerField(null=True)  # the newest block when it was signed
    #: The ways it was given to, in order: keys of private relays, "public". Empty: nobody has taken it yet.
    sent_by = models.JSONField(default=list)

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["chain_key", "wallet_key", "nonce"], name="attempt_nonce")]

    def __str__(self) -> str:
        return f"{self.purpose} {self.tx_hash}"


class Revocation(models.Model):
    """A person's wish to take an approval back. Its transaction is a further attempt of the order that approved.

    WAITING is a queue: nothing is signed yet. From then on the attempt says how it stands.
    """

    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="revocations")
    token_address = models.CharField(max_length=64)
    spender = models.CharField(max_length=64)
    status = models.CharField(
        max_length=7, choices=[(v, v) for v in ("waiting", "signed", "ended")], default="waiting"
    )
    attempt = models.OneToOneField(
        TxAttempt, on_delete=models.PROTECT, null=True, related_name="revocation"
    )  # None: nothing signed
    explanation = models.CharField(
        max_length=300, blank=True
    )  # why it waits, or why it ended without a signature
    requested_by = models.CharField(max_length=150)
    created_at = models.DateTimeField()

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["order", "spender"], condition=Q(status="waiting"), name="revocation_waits_once"
            )
        ]

    def __str__(self) -> str:
        return f"revocation {self.pk} {self.status}"


class FillRecord(models.Model):
    """What a mined swap really moved. Provisional at first receipt, final at the chain's depth."""

    fill_key = models.CharField(max_length=160, unique=True)  # tx hash : block hash
    order = models.ForeignKey(Order, on_delete=models.PROTECT, related_name="fills")
    attempt = models.ForeignKey(TxAttempt, on_delete=models.PROTECT, related_name="fills")
    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="fills")
    trace_id = models.CharField(max_length=32, db_index=True)
    side = models.CharField(max_length=4, choices=SIDES)
    amount_in_raw = RawAmountField()
    amount_out_raw = RawAmountField()
    fee_native_raw = RawAmountField()
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    block_at = models.DateTimeField()
    is_final = models.BooleanField(default=False)
    #: Its block was reorganised away; counter-entries stand in the journal.
    reversed_at = models.DateTimeField(null=True)
    booked_at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.fill_key


class Lot(models.Model):
    """A bought quantity with its cost; consumed first in, first out."""

    position = models.ForeignKey(Position, on_delete=models.PROTECT, related_name="lots")
    fill = models.OneToOneField(FillRecord, on_delete=models.PROTECT, related_name="lot")
    quantity_raw = RawAmountField()
    remaining_raw = RawAmountField()
    cost_raw = RawAmountField()  # quote units paid for the whole quantity

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"lot {self.pk}"


class JournalEntry(models.Model):
    """One balanced booking. Append-only; a correction is a counter-entry."""

    #: Idempotency: "fill:<key>", "gas:<hash>:<block>", "deposit:…".
    entry_key = models.CharField(max_length=200, unique=True)
    kind = models.CharField(
        max_length=10,
        choices=[(v, v) for v in ("deposit", "withdrawal", "fill", "gas", "reversal", "adjust")],
    )
    trace_id = models.CharField(max_length=32, blank=True, db_index=True)
    description = models.CharField(max_length=300)
    at = models.DateTimeField()

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return self.entry_key


class Posting(models.Model):
    """One side of an entry. Debits and credits of an entry are equal for each token."""

    entry = models.ForeignKey(JournalEntry, on_delete=models.PROTECT, related_name="postings")
    #: wallet:<key>, market:<pair_key>, fees:gas, equity:deposits.
    account = models.CharField(max_length=200, db_index=True)
    side = models.CharField(max_length=6, choices=[("debit", "debit"), ("credit", "credit")])
    chain_key = models.CharField(max_length=60)
    token_address = models.CharField(max_length=66)  # "native" for the chain's own coin
    amount_raw = RawAmountField()
    usd_micros = models.BigIntegerField(null=True)  # at booking; None: no price then

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["account", "chain_key", "token_address"], name="posting_balance")]

    def __str__(self) -> str:
        return f"{self.side} {self.account}"


class AccountBalance(models.Model):
    """What the postings of a wallet add up to, kept in the transaction that writes them; derived, so never authoritative.

    For wallets alone, whose balance is asked for again and again. ``reconcile`` compares it with the postings.
    """

    account = models.CharField(max_length=200)  # wallet:<key>
    chain_key = models.CharField(max_length=60)
    token_address = models.CharField(max_length=66)  # "native" for the chain's own coin
    balance_raw = RawAmountField(default=0)  # without its sign
    is_negative = models.BooleanField(default=False)  # more left than came: the book is wrong, and says so

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["account", "chain_key", "token_address"], name="balance_once_per_account_token"
            )
        ]

    def __str__(self) -> str:
        return f"{self.account} {self.token_address}"


class EquityPoint(models.Model):
    """The worth of everything at a moment, for the equity line."""

    at = models.DateTimeField(db_index=True)
    cash_usd_micros = models.BigIntegerField()
    positions_usd_micros = models.BigIntegerField()
    unpriced_positions = models.PositiveIntegerField(default=0)  # left out of the sum: unknown is not zero

    def __str__(self) -> str:
        return f"{self.at:%F %T}"
