"""Infrastructure rows: chains, their endpoints, DEX deployments."""

from __future__ import annotations

from django.db import models

from apps.state.fields import RawAmountField


class Chain(models.Model):
    """A chain. ``key`` is CAIP-2; a sandbox chain has an id of its own and the profile of the chain it stands for."""

    key = models.CharField(max_length=60, unique=True)  # "eip155:8453"
    name = models.CharField(max_length=60)
    family = models.CharField(max_length=10, choices=[("evm", "EVM"), ("solana", "Solana")], default="evm")
    chain_id = models.PositiveBigIntegerField(null=True, blank=True, unique=True)
    profile_of = models.CharField(max_length=60, blank=True)  # sandbox: key of the real chain it stands for
    enabled = models.BooleanField(default=True)
    is_sandbox = models.BooleanField(default=False)
    genesis_hash = models.CharField(max_length=66, blank=True)  # pinned for sandbox chains
    native_symbol = models.CharField(max_length=12)
    native_decimals = models.PositiveSmallIntegerField(default=18)
    wrapped_native_address = models.CharField(max_length=66)
    wrapped_native_symbol = models.CharField(max_length=12)
    block_time_ms = models.PositiveIntegerField(default=2000)
    confirmation_depth = models.PositiveIntegerField(default=10)
    base_fee_min_wei = models.PositiveBigIntegerField(default=0)
    tip_min_wei = models.PositiveBigIntegerField(default=0)
    has_public_mempool = models.BooleanField(
        default=True,
        help_text="Strangers see what waits to be mined, so sizes are bound by what a sandwich attack costs."
        " Off where a sequencer keeps it to itself.",
    )
    base_fee_rule = models.CharField(
        max_length=10,
        default="eip1559",
        choices=[("eip1559", "formula of EIP-1559"), ("told", "what the node says"), ("zero", "always zero")],
        help_text="How the next block's base fee comes about.",
    )
    ignores_tips = models.BooleanField(
        default=False, help_text="Whoever comes first is first, so none is ever offered."
    )
    data_fee_rule = models.CharField(
        max_length=10,
        default="none",
        choices=[
            ("none", "none"),
            ("op_stack", "OP stack: coins on top of the gas"),
            ("arbitrum", "Arbitrum: gas out of the transaction's limit"),
        ],
        help_text="How a rollup charges for bringing a transaction's data to the chain below.",
    )
    explorer_url = models.URLField(blank=True)
    dexscreener_slug = models.CharField(max_length=40, blank=True)
    geckoterminal_slug = models.CharField(max_length=40, blank=True)

    def __str__(self) -> str:
        return self.name


class StableToken(models.Model):
    """A stablecoin on a chain, priced at one US dollar, with its real decimals."""

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="stables")
    address = models.CharField(max_length=66)
    symbol = models.CharField(max_length=12)
    decimals = models.PositiveSmallIntegerField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "address"], name="stable_once_per_chain")]

    def __str__(self) -> str:
        return f"{self.symbol} on {self.chain}"


class Endpoint(models.Model):
    """An RPC endpoint. Capabilities are probed when it is added and kept here."""

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="endpoints")
    url_http = models.CharField(max_length=500)
    url_ws = models.CharField(max_length=500, blank=True)
    weight = models.PositiveSmallIntegerField(default=100)  # higher is asked first
    requests_per_s_max = models.PositiveIntegerField(default=0)  # 0: no limit of ours
    enabled = models.BooleanField(default=True)
    capabilities = models.JSONField(
        default=dict, blank=True
    )  # {"state_override": true, "simulate_v1": true, ...}
    checked_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=300, blank=True)  # why it is not used, in plain words

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "url_http"], name="endpoint_once_per_chain")]
        ordering = ["-weight", "id"]

    def __str__(self) -> str:
        return f"{self.chain} #{self.pk}"


class Relay(models.Model):
    """A private way to those who make blocks: what goes there is not seen by strangers before it is mined."""

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="relays")
    key = models.SlugField(max_length=40)  # stands in the record of what was sent
    kind = models.CharField(
        max_length=20,
        default="generic",
        choices=[(v, v) for v in ("generic", "mev_blocker", "flashbots_protect", "flashbots_relay")],
        help_text="generic: takes eth_sendRawTransaction. flashbots_relay: takes eth_sendPrivateTransaction,"
        " signed with a key that stands for nothing but us as its user.",
    )
    url = models.CharField(max_length=500)
    weight = models.PositiveSmallIntegerField(default=100)  # higher is asked first
    timeout_ms = models.PositiveIntegerField(
        default=300, help_text="Longest wait for its answer; never above 300, for a kill waits that long."
    )
    enabled = models.BooleanField(default=True)
    checked_at = models.DateTimeField(null=True, blank=True)
    fault = models.CharField(max_length=300, blank=True)  # why it cannot be used, in plain words

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "key"], name="relay_once_per_chain")]
        ordering = ["-weight", "id"]

    def __str__(self) -> str:
        return f"{self.key} on {self.chain}"


class DexDeployment(models.Model):
    """A DEX on a chain: a row over few protocol kinds."""

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="dexes")
    key = models.CharField(max_length=40)  # "uniswap_v2"
    kind = models.CharField(max_length=30)  # adapter kind in apps/chains/registry.py
    name = models.CharField(max_length=60)
    factory_address = models.CharField(max_length=66)
    router_address = models.CharField(max_length=66)
    fee_bps = models.PositiveSmallIntegerField(default=30)
    init_code_hash = models.CharField(max_length=66, blank=True)
    enabled = models.BooleanField(default=True)
    confirmed = models.BooleanField(default=False)  # addresses were seen in two sources or read on chain

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "key"], name="dex_once_per_chain")]

    def __str__(self) -> str:
        return f"{self.name} on {self.chain}"


class CanaryRun(models.Model):
    """How many of an exchange's recent creations could be read: its factory's logs, and the pools that they name."""

    dex = models.ForeignKey(DexDeployment, on_delete=models.CASCADE, related_name="canary_runs")
    looked_at = models.DateTimeField()
    block_first = models.PositiveBigIntegerField(default=0)
    block_last = models.PositiveBigIntegerField(default=0)
    creations = models.PositiveIntegerField(default=0)  # logs of the factory in these blocks
    decoded = models.PositiveIntegerField(default=0)
    pools_asked = models.PositiveIntegerField(default=0)
    pools_answered = models.PositiveIntegerField(default=0)  # as the pools that their logs name
    fault = models.CharField(max_length=300, blank=True)  # why nothing could be looked at
    alarm = models.CharField(max_length=300, blank=True)  # what has dropped, in plain words

    class Meta:
        ordering = ["-id"]
        indexes = [models.Index(fields=["dex", "-id"], name="canary_newest")]

    def __str__(self) -> str:
        return f"{self.dex}: {self.decoded} of {self.creations}"


class Locker(models.Model):
    """A contract known to lock liquidity. What it holds counts as locked once its code was verified on chain, and while it
    is still that code.
    """

    chain = models.ForeignKey(Chain, on_delete=models.CASCADE, related_name="lockers")
    address = models.CharField(max_length=66)
    name = models.CharField(max_length=60)
    kind = models.CharField(
        max_length=20, default="plain"
    )  # how its locks are read: apps/chains/evm/lock_lists.py
    confirmed = models.BooleanField(default=False)  # its code was verified on chain and is the one below
    code_hash = models.CharField(max_length=66, blank=True)  # keccak of its runtime code, when verified
    implementation_address = models.CharField(max_length=66, blank=True)  # of a proxy, when verified
    implementation_hash = models.CharField(max_length=66, blank=True)
    verified_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain", "address"], name="locker_once_per_chain")]

    def __str__(self) -> str:
        return f"{self.name} on {self.chain}"


class PaperTransaction(models.Model):
    """A transaction of paper trading: taken by nobody, filled from the live market. Nothing of it was ever signed."""

    STATUSES = [(v, v) for v in ("waiting", "mined", "reverted", "replaced")]

    chain_key = models.CharField(max_length=60)
    owner = models.CharField(max_length=66)  # lower case
    nonce = models.PositiveBigIntegerField()
    tx_hash = models.CharField(max_length=66, unique=True)
    payload = models.BinaryField()  # the unsigned marker
    sent_at = models.DateTimeField()
    fill_block_number = models.PositiveBigIntegerField()  # the first block that may fill it
    status = models.CharField(max_length=10, choices=STATUSES, default="waiting")
    pair_key = models.CharField(max_length=130, blank=True)
    sell_tax_bps = models.PositiveIntegerField(null=True)  # measured when it was filled
    block_number = models.PositiveBigIntegerField(null=True)
    block_hash = models.CharField(max_length=66, blank=True)
    block_at_ms = models.BigIntegerField(null=True)
    gas_used = models.PositiveBigIntegerField(null=True)
    fee_paid_raw = RawAmountField(null=True)
    transfers = models.JSONField(default=list, blank=True)  # [[token, sender, recipient, amount as text], …]
    reason = models.CharField(max_length=300, blank=True)  # why it reverted

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["chain_key", "owner", "nonce"], name="paper_by_nonce")]

    def __str__(self) -> str:
        return self.tx_hash


class PaperBalance(models.Model):
    """What a wallet of paper trading holds of one token, or of the chain's own coin ("native")."""

    chain_key = models.CharField(max_length=60)
    owner = models.CharField(max_length=66)  # lower case
    token_address = models.CharField(max_length=66)  # lower case
    amount_raw = RawAmountField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["chain_key", "owner", "token_address"], name="paper_balance_once")
        ]

    def __str__(self) -> str:
        return f"{self.owner} {self.token_address}"
