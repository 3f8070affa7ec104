"""Which pairs exist, and what their pools did."""

from __future__ import annotations

from django.db import models

from apps.state.fields import RawAmountField

SOURCES = [(v, v) for v in ("chain", "dexscreener", "geckoterminal", "manual")]


class Token(models.Model):
    """A token as it describes itself. Everything in it but the address is untrusted, cleaned text."""

    chain_key = models.CharField(max_length=60)
    address = models.CharField(max_length=66)  # EIP-55 on EVM
    name = models.CharField(max_length=64, blank=True)
    symbol = models.CharField(max_length=32, blank=True)
    decimals = models.PositiveSmallIntegerField(null=True)  # None: the contract does not say sensibly
    total_supply_raw = RawAmountField(null=True)
    #: Sender of the transaction that created the token's first pair.
    creator = models.CharField(max_length=66, blank=True, db_index=True)
    faults = models.JSONField(default=list, blank=True)
    first_seen_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain_key", "address"], name="token_once_per_chain")]

    def __str__(self) -> str:
        return self.symbol or self.address


class Pair(models.Model):
    """A pool of two tokens, registered exactly once."""

    pair_key = models.CharField(max_length=130, unique=True)
    chain_key = models.CharField(max_length=60, db_index=True)
    dex_key = models.CharField(max_length=40)
    pool_address = models.CharField(max_length=66)
    base = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="pairs_as_base")
    quote = models.ForeignKey(Token, on_delete=models.PROTECT, related_name="pairs_as_quote")
    base_is_token0 = models.BooleanField()
    fee_bps = models.PositiveSmallIntegerField()
    creator = models.CharField(max_length=66, blank=True, db_index=True)
    created_block_number = models.PositiveBigIntegerField()
    created_block_hash = models.CharField(max_length=66)
    created_block_at = models.DateTimeField()  # the block's own time
    created_tx_hash = models.CharField(max_length=88, blank=True)
    created_log_index = models.PositiveIntegerField(default=0)
    source = models.CharField(max_length=20, choices=SOURCES)  # who named it first
    registered_at = models.DateTimeField(db_index=True)
    removed_at = models.DateTimeField(null=True, blank=True)  # its creating block was reorganised away
    quarantine_code = models.CharField(max_length=40, blank=True, db_index=True)  # "": traded when it is good
    quarantine_reason = models.CharField(max_length=300, blank=True)
    # Names the call that inserted the row: of two that register one pair at once, only the inserter has it as new.
    registration = models.CharField(max_length=32, blank=True, editable=False)
    # Who gave the creator its first coins. "": not looked up yet; "hub": an account that pays very many.
    funding_state = models.CharField(
        max_length=8, blank=True, choices=[(v, v) for v in ("found", "hub", "unknown")], default=""
    )
    funder = models.CharField(max_length=66, blank=True, db_index=True)  # EIP-55 on EVM
    funding_tx_hash = models.CharField(max_length=88, blank=True)
    funding_reason = models.CharField(max_length=200, blank=True)  # why it is unknown, or tells nothing
    # The newest known reserves, kept by the listener.
    reserve_base_raw = RawAmountField(null=True)
    reserve_quote_raw = RawAmountField(null=True)
    reserve_block_number = models.PositiveBigIntegerField(null=True)
    reserve_at = models.DateTimeField(null=True)
    peak_quote_raw = RawAmountField(null=True)  # the deepest the pool has ever been: tells a drained pool

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.pair_key


class PoolSnapshot(models.Model):
    """A pool's reserves after a block in which they changed. For charts and marks; pruned by age."""

    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="snapshots")
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    at = models.DateTimeField(db_index=True)  # the block's own time
    base_raw = RawAmountField()
    quote_raw = RawAmountField()
    quote_price_usd_micros = models.BigIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "block_number"], name="snapshot_once_per_block")
        ]

    def __str__(self) -> str:
        return f"{self.pair_id}@{self.block_number}"


class PoolTrade(models.Model):
    """One swap in a pool we know. Pruned by age."""

    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="trades")
    block_number = models.PositiveBigIntegerField()
    at = models.DateTimeField(db_index=True)
    tx_hash = models.CharField(max_length=88)
    log_index = models.PositiveIntegerField()
    side = models.CharField(max_length=4, choices=[("buy", "buy"), ("sell", "sell")])
    trader = models.CharField(max_length=66)
    base_raw = RawAmountField()
    quote_raw = RawAmountField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["pair", "tx_hash", "log_index"], name="pool_trade_once")
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.tx_hash}"


class StreamCursor(models.Model):
    """How far a chain has been read, and the hash there: the proof that we are still on the same chain."""

    chain_key = models.CharField(max_length=60)
    stream = models.CharField(max_length=40)  # "blocks"
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    updated_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain_key", "stream"], name="cursor_once_per_stream")]

    def __str__(self) -> str:
        return f"{self.chain_key} {self.stream} {self.block_number}"


class BlockHash(models.Model):
    """The ring of recent block hashes of a chain; one ring drives discovery and settlement."""

    chain_key = models.CharField(max_length=60)
    number = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=66)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain_key", "number"], name="block_hash_once_per_height")
        ]

    def __str__(self) -> str:
        return f"{self.chain_key} {self.number}"


class FeedSighting(models.Model):
    """A pair seen in a web feed, cross-referenced with the chain."""

    source = models.CharField(max_length=20, choices=SOURCES)
    kind = models.CharField(max_length=12)  # new, boosted, trending
    pair_key = models.CharField(max_length=130)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, null=True, related_name="sightings")
    outcome = models.CharField(max_length=20)  # known, registered, contradicted, unconfirmed, unsupported
    detail = models.CharField(max_length=300, blank=True)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)  # when the chain was last asked about it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["source", "kind", "pair_key"], name="sighting_once")]

    def __str__(self) -> str:
        return f"{self.source} {self.pair_key}"


class QuarantineItem(models.Model):
    """A sample that we could not understand, kept for a person."""

    source = models.CharField(max_length=60)  # "eip155:31337/uniswap_v2", "dexscreener"
    reason = models.CharField(max_length=300)
    sample = models.TextField()  # bounded, printable
    pair_key = models.CharField(max_length=130, blank=True)
    trace_id = models.CharField(max_length=32, blank=True)
    at = models.DateTimeField()
    status = models.CharField(
        max_length=10, choices=[(v, v) for v in ("open", "released", "discarded")], default="open"
    )

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.source}: {self.reason}"
