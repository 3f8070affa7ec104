"""Rows for tests: one factory for each model, sensible by themselves and consistent with each other."""

# The library re-exports its names without saying so, and a subclass may declare a field otherwise than its base.
# mypy: disable-error-code="attr-defined,assignment,name-defined"

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import factory
from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone
from eth_utils.address import to_checksum_address

from apps.alerts.models import AlertCursor, AlertRecord, BotBinding, Delivery, DeniedChat
from apps.api.models import ApiToken, IdempotencyKey
from apps.chains.models import (
    CanaryRun,
    Chain,
    DexDeployment,
    Endpoint,
    Locker,
    PaperBalance,
    PaperTransaction,
    Relay,
    StableToken,
)
from apps.discovery.models import (
    BlockHash,
    FeedSighting,
    Pair,
    PoolSnapshot,
    PoolTrade,
    QuarantineItem,
    StreamCursor,
    Token,
)
from apps.domain.config import default_config
from apps.domain.engine import EngineStatus
from apps.domain.errors import Category, Recovery
from apps.domain.events import EventKind
from apps.domain.ids import ChainKey, PairKey, client_order_id_of, pair_key_of, trace_id_of
from apps.domain.order import OrderStatus
from apps.intelligence.models import (
    AnalysisRecord,
    Candle,
    EntityMember,
    EntityRecord,
    FundingLinkRecord,
    MarketRegimeRecord,
    ModelHealth,
    OutsideOpinion,
    SocialMention,
    SocialMessage,
    SocialSourceState,
    WalletRecord,
    WhaleAlert,
)
from apps.risk.models import (
    Breaker,
    Budget,
    FeeSample,
    GuardWatch,
    RefusedToken,
    Reservation,
    VerdictRecord,
)
from apps.sandbox.models import SandboxBlock, SandboxLaunch, SandboxRun
from apps.state import latch as latch_file
from apps.state.models import AuditHead, ConfigRevision, EngineState, Event, Heartbeat, Incident, Lease
from apps.trading.models import (
    AccountBalance,
    AdvancedOrder,
    DecisionRecord,
    EquityPoint,
    FillRecord,
    JournalEntry,
    Lot,
    Opportunity,
    Order,
    Position,
    Posting,
    Revocation,
    TxAttempt,
)
from apps.wallets.models import AddressLabel, NonceLease, Wallet, WalletSpend

if TYPE_CHECKING:
    # Calling a factory makes a row, not a factory; the library's own types do not tell.
    from typing import Any as DjangoModelFactory
else:
    from factory.django import DjangoModelFactory

CHAIN_ID = 31_337_001
CHAIN_KEY = f"eip155:{CHAIN_ID}"
ETHER = 10**18


def hash_for(text: str) -> str:
    """Return a 32-byte hash in hex that belongs to ``text``."""
    return "0x" + hashlib.sha256(text.encode()).hexdigest()


def address_for(text: str) -> str:
    """Return an EIP-55 address that belongs to ``text``."""
    return to_checksum_address(hash_for(text)[:42])


def block_time(number: int) -> datetime:
    """Return the time of a block on a chain of 2 s blocks."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=2 * number)


class Now(factory.LazyFunction):
    def __init__(self) -> None:
        super().__init__(timezone.now)


# -- people --------------------------------------------------------------------------------


class UserFactory(DjangoModelFactory):
    class Meta:
        model = get_user_model()
        skip_postgeneration_save = True

    username = factory.Sequence(lambda n: f"user{n}")
    password = factory.django.Password("correct horse battery")

    class Params:
        admin = factory.Trait(is_staff=True, is_superuser=True)


# -- state ---------------------------------------------------------------------------------


class EngineStateFactory(DjangoModelFactory):
    """The engine as it stands, without the latch that another test may have left in the data folder."""

    class Meta:
        model = EngineState
        django_get_or_create = ("id",)
        skip_postgeneration_save = True

    id = 1
    mode = "sandbox"
    status = EngineStatus.RUNNING.value
    epoch = 1
    changed_at = Now()

    @factory.post_generation
    def latch(self: EngineState, create: bool, extracted: object, **kwargs: object) -> None:
        (Path(settings.DATA_DIR) / latch_file.FILE_NAME).unlink(missing_ok=True)


class ConfigRevisionFactory(DjangoModelFactory):
    class Meta:
        model = ConfigRevision

    number = factory.Sequence(lambda n: n + 1)
    payload = factory.LazyFunction(lambda: default_config("sandbox").model_dump(mode="json"))
    reason = "test"
    created_by = "test"
    created_at = Now()
    is_active = True


class HeartbeatFactory(DjangoModelFactory):
    class Meta:
        model = Heartbeat

    component = factory.Sequence(lambda n: f"component/{n}")
    pid = 1
    beat_at = Now()


class LeaseFactory(DjangoModelFactory):
    class Meta:
        model = Lease

    name = factory.Sequence(lambda n: f"lease/{n}")
    holder = "test"
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(seconds=30))


class IncidentFactory(DjangoModelFactory):
    class Meta:
        model = Incident

    dedup_key = factory.Sequence(lambda n: f"incident/{n}")
    code = "NETWORK"
    category = Category.NETWORK.value
    recovery = Recovery.RETRY.value
    severity = "warning"
    title = "An endpoint does not answer"
    remedy = "Check the endpoint."
    first_at = Now()
    last_at = Now()


class EventFactory(DjangoModelFactory):
    class Meta:
        model = Event

    kind = EventKind.DECISION_MADE.value
    at = Now()
    actor = "engine"
    summary = factory.Sequence(lambda n: f"event {n}")


class AuditHeadFactory(DjangoModelFactory):
    class Meta:
        model = AuditHead
        django_get_or_create = ("id",)

    id = 1


# -- chains --------------------------------------------------------------------------------


class ChainFactory(DjangoModelFactory):
    class Meta:
        model = Chain
        django_get_or_create = ("key",)

    chain_id = CHAIN_ID
    key = factory.LazyAttribute(lambda o: f"eip155:{o.chain_id}")
    name = "Test chain"
    is_sandbox = True
    profile_of = "eip155:8453"
    genesis_hash = factory.LazyAttribute(lambda o: hash_for(f"genesis {o.chain_id}"))
    native_symbol = "ETH"
    wrapped_native_address = factory.LazyAttribute(lambda o: address_for(f"wrapped {o.chain_id}"))
    wrapped_native_symbol = "WETH"
    confirmation_depth = 3


class StableTokenFactory(DjangoModelFactory):
    class Meta:
        model = StableToken

    chain = factory.SubFactory(ChainFactory)
    address = factory.Sequence(lambda n: address_for(f"stable {n}"))
    symbol = "USDC"
    decimals = 6


class EndpointFactory(DjangoModelFactory):
    class Meta:
        model = Endpoint

    chain = factory.SubFactory(ChainFactory)
    url_http = factory.Sequence(lambda n: f"http://127.0.0.1:{40_000 + n % 20_000}")
    url_ws = factory.LazyAttribute(lambda o: o.url_http.replace("http", "ws"))


class DexDeploymentFactory(DjangoModelFactory):
    class Meta:
        model = DexDeployment
        django_get_or_create = ("chain", "key")

    chain = factory.SubFactory(ChainFactory)
    key = "uniswap_v2"
    kind = "uniswap_v2"
    name = "Uniswap V2"
    factory_address = factory.LazyAttribute(lambda o: address_for(f"factory {o.chain.key} {o.key}"))
    router_address = factory.LazyAttribute(lambda o: address_for(f"router {o.chain.key} {o.key}"))
    confirmed = True


class LockerFactory(DjangoModelFactory):
    class Meta:
        model = Locker

    chain = factory.SubFactory(ChainFactory)
    address = factory.Sequence(lambda n: address_for(f"locker {n}"))
    name = "Locker"
    confirmed = True
    code_hash = "0x" + "c0" * 32


class PaperTransactionFactory(DjangoModelFactory):
    class Meta:
        model = PaperTransaction

    chain_key = CHAIN_KEY
    owner = address_for("paper wallet").lower()
    nonce = factory.Sequence(lambda n: n)
    tx_hash = factory.Sequence(lambda n: hash_for(f"paper transaction {n}"))
    payload = b"paper"
    sent_at = Now()
    fill_block_number = 101


class PaperBalanceFactory(DjangoModelFactory):
    class Meta:
        model = PaperBalance

    chain_key = CHAIN_KEY
    owner = factory.Sequence(lambda n: address_for(f"paper wallet {n}").lower())
    token_address = "native"
    amount_raw = ETHER


# -- wallets -------------------------------------------------------------------------------


class WalletFactory(DjangoModelFactory):
    """A wallet's row alone: for one with a key use ``apps.wallets.services.wallets.wallet_create``."""

    class Meta:
        model = Wallet

    key = factory.Sequence(lambda n: f"wallet-{n}")
    address = factory.LazyAttribute(lambda o: address_for(o.key))
    keystore_file = factory.LazyAttribute(lambda o: f"{o.key}.json")
    is_sandbox = True
    created_at = Now()


class NonceLeaseFactory(DjangoModelFactory):
    class Meta:
        model = NonceLease

    wallet = factory.SubFactory(WalletFactory)
    chain_key = CHAIN_KEY
    next_nonce = 0
    synced_at = Now()


# -- discovery -----------------------------------------------------------------------------


class TokenFactory(DjangoModelFactory):
    class Meta:
        model = Token

    chain_key = CHAIN_KEY
    address = factory.Sequence(lambda n: address_for(f"token {n}"))
    name = factory.Sequence(lambda n: f"Token {n}")
    symbol = factory.Sequence(lambda n: f"TKN{n}")
    decimals = 18
    total_supply_raw = 1_000_000 * ETHER
    creator = factory.LazyAttribute(lambda o: address_for(f"creator of {o.address}"))
    first_seen_at = Now()


class WrappedNativeFactory(TokenFactory):
    class Meta:
        model = Token
        django_get_or_create = ("chain_key", "address")

    address = address_for(f"wrapped {CHAIN_ID}")
    name = "Wrapped Ether"
    symbol = "WETH"
    creator = ""


class PairFactory(DjangoModelFactory):
    class Meta:
        model = Pair

    chain_key = CHAIN_KEY
    dex_key = "uniswap_v2"
    pool_address = factory.Sequence(lambda n: address_for(f"pool {n}"))
    pair_key = factory.LazyAttribute(lambda o: pair_key_of(ChainKey(o.chain_key), o.pool_address))
    base = factory.SubFactory(TokenFactory, chain_key=factory.SelfAttribute("..chain_key"))
    quote = factory.SubFactory(WrappedNativeFactory, chain_key=factory.SelfAttribute("..chain_key"))
    base_is_token0 = factory.LazyAttribute(lambda o: int(o.base.address, 16) < int(o.quote.address, 16))
    fee_bps = 30
    creator = factory.LazyAttribute(lambda o: o.base.creator)
    created_block_number = factory.Sequence(lambda n: n + 10)
    created_block_hash = factory.LazyAttribute(lambda o: hash_for(f"block {o.created_block_number}"))
    created_block_at = factory.LazyAttribute(lambda o: block_time(o.created_block_number))
    created_tx_hash = factory.LazyAttribute(lambda o: hash_for(f"creation of {o.pool_address}"))
    source = "chain"
    registered_at = Now()
    reserve_base_raw = 1_000_000 * ETHER
    reserve_quote_raw = 10 * ETHER
    reserve_block_number = factory.LazyAttribute(lambda o: o.created_block_number)
    reserve_at = Now()
    peak_quote_raw = factory.LazyAttribute(lambda o: o.reserve_quote_raw)


class PoolSnapshotFactory(DjangoModelFactory):
    class Meta:
        model = PoolSnapshot

    pair = factory.SubFactory(PairFactory)
    block_number = factory.Sequence(lambda n: n + 100)
    block_hash = factory.LazyAttribute(lambda o: hash_for(f"block {o.block_number}"))
    at = factory.LazyAttribute(lambda o: block_time(o.block_number))
    base_raw = 1_000_000 * ETHER
    quote_raw = 10 * ETHER
    quote_price_usd_micros = 3_000_000_000


class PoolTradeFactory(DjangoModelFactory):
    class Meta:
        model = PoolTrade

    pair = factory.SubFactory(PairFactory)
    block_number = factory.Sequence(lambda n: n + 100)
    at = factory.LazyAttribute(lambda o: block_time(o.block_number))
    tx_hash = factory.Sequence(lambda n: hash_for(f"pool trade {n}"))
    log_index = 0
    side = "buy"
    trader = factory.Sequence(lambda n: address_for(f"trader {n}"))
    base_raw = 1_000 * ETHER
    quote_raw = ETHER // 100


class StreamCursorFactory(DjangoModelFactory):
    class Meta:
        model = StreamCursor

    chain_key = CHAIN_KEY
    stream = "blocks"
    block_number = 100
    block_hash = factory.LazyAttribute(lambda o: hash_for(f"block {o.block_number}"))
    updated_at = Now()


class BlockHashFactory(DjangoModelFactory):
    class Meta:
        model = BlockHash

    chain_key = CHAIN_KEY
    number = factory.Sequence(lambda n: n + 100)
    hash = factory.LazyAttribute(lambda o: hash_for(f"block {o.number}"))
    at = factory.LazyAttribute(lambda o: block_time(o.number))


class FeedSightingFactory(DjangoModelFactory):
    class Meta:
        model = FeedSighting

    source = "dexscreener"
    kind = "new"
    pair = factory.SubFactory(PairFactory)
    pair_key = factory.LazyAttribute(lambda o: o.pair.pair_key)
    outcome = "known"
    first_seen_at = Now()
    last_seen_at = Now()


class QuarantineItemFactory(DjangoModelFactory):
    class Meta:
        model = QuarantineItem

    source = f"{CHAIN_KEY}/uniswap_v2"
    reason = "the log cannot be decoded"
    sample = "0xdead"
    at = Now()


# -- intelligence, risk --------------------------------------------------------------------


def trace_of(pair: Any, number: int = 1) -> str:
    """Return the trace id of a pair's n-th opportunity."""
    return trace_id_of(PairKey(pair.pair_key), number)


class FundingLinkRecordFactory(DjangoModelFactory):
    class Meta:
        model = FundingLinkRecord

    chain_key = CHAIN_KEY
    target = factory.Sequence(lambda n: address_for(f"funded {n}").lower())
    source = factory.Sequence(lambda n: address_for(f"payer {n}").lower())
    tx_hash = factory.Sequence(lambda n: hash_for(f"payment {n}"))
    block_number = 5
    at = block_time(5)
    amount_raw = ETHER // 10
    looked_at = Now()


class EntityRecordFactory(DjangoModelFactory):
    class Meta:
        model = EntityRecord

    pair = factory.SubFactory(PairFactory)
    chain_key = factory.SelfAttribute("pair.chain_key")
    key = factory.Sequence(lambda n: address_for(f"member {n}").lower())
    is_merged = True
    codes = factory.LazyFunction(lambda: ["same_funder", "unpaid_transfer"])
    reasons = factory.LazyFunction(list)
    block_number = 100
    created_at = Now()


class EntityMemberFactory(DjangoModelFactory):
    class Meta:
        model = EntityMember

    record = factory.SubFactory(EntityRecordFactory)
    chain_key = factory.SelfAttribute("record.chain_key")
    address = factory.SelfAttribute("record.key")
    has_acted = False


class WalletRecordFactory(DjangoModelFactory):
    class Meta:
        model = WalletRecord

    chain_key = CHAIN_KEY
    address = factory.Sequence(lambda n: address_for(f"rated {n}").lower())
    gains = 12
    closed = 20
    quality_bps = 5_500
    counted_at = Now()


class WhaleAlertFactory(DjangoModelFactory):
    class Meta:
        model = WhaleAlert

    pair = factory.SubFactory(PairFactory)
    code = "whale_distribution_bps"
    is_beyond = True
    value_bps = 3_000
    crossings = 1
    changed_at = Now()


class AnalysisRecordFactory(DjangoModelFactory):
    class Meta:
        model = AnalysisRecord

    pair = factory.SubFactory(PairFactory)
    trace_id = factory.LazyAttribute(lambda o: trace_of(o.pair))
    block_number = factory.LazyAttribute(lambda o: o.pair.created_block_number + 1)
    block_hash = factory.LazyAttribute(lambda o: hash_for(f"block {o.block_number}"))
    estimates = factory.LazyFunction(list)
    facts_duration_ms = 20
    created_at = Now()


class VerdictRecordFactory(DjangoModelFactory):
    class Meta:
        model = VerdictRecord

    analysis = factory.SubFactory(AnalysisRecordFactory)
    pair = factory.LazyAttribute(lambda o: o.analysis.pair)
    trace_id = factory.LazyAttribute(lambda o: o.analysis.trace_id)
    outcome = "pass"
    score_bps = 7_000
    findings = factory.LazyFunction(list)
    config_revision = 1
    created_at = Now()


class BudgetFactory(DjangoModelFactory):
    class Meta:
        model = Budget
        django_get_or_create = ("scope",)

    scope = "all"
    day = factory.LazyFunction(lambda: timezone.now().date())


class ReservationFactory(DjangoModelFactory):
    class Meta:
        model = Reservation

    client_order_id = factory.Sequence(lambda n: f"reservation:{n}")
    scope = "all"
    usd_micros = 100_000_000
    created_at = Now()


class BreakerFactory(DjangoModelFactory):
    class Meta:
        model = Breaker

    name = factory.Sequence(lambda n: f"breaker{n}")
    counted_from = Now()


class FeeSampleFactory(DjangoModelFactory):
    class Meta:
        model = FeeSample

    chain_key = CHAIN_KEY
    at = Now()
    base_fee_wei = 10**7


class RefusedTokenFactory(DjangoModelFactory):
    class Meta:
        model = RefusedToken

    pair = factory.SubFactory(PairFactory)
    trace_id = factory.LazyAttribute(lambda o: trace_of(o.pair))
    chain_key = factory.LazyAttribute(lambda o: o.pair.chain_key)
    rules = factory.LazyFunction(lambda: ["lp_removable"])
    refused_at = Now()
    follow_until = factory.LazyAttribute(lambda o: o.refused_at + timedelta(days=1))
    next_look_at = Now()


class GuardWatchFactory(DjangoModelFactory):
    class Meta:
        model = GuardWatch

    trace_id = factory.Sequence(lambda n: f"{n:032x}")
    chain_key = CHAIN_KEY


# -- trading -------------------------------------------------------------------------------


class OpportunityFactory(DjangoModelFactory):
    class Meta:
        model = Opportunity

    pair = factory.SubFactory(PairFactory)
    number = 1
    trace_id = factory.LazyAttribute(lambda o: trace_of(o.pair, o.number))
    source = "chain"
    evaluate_after = Now()
    give_up_at = factory.LazyFunction(lambda: timezone.now() + timedelta(minutes=15))
    created_at = Now()
    updated_at = Now()


class DecisionRecordFactory(DjangoModelFactory):
    class Meta:
        model = DecisionRecord

    opportunity = factory.SubFactory(OpportunityFactory)
    trace_id = factory.LazyAttribute(lambda o: o.opportunity.trace_id)
    number = factory.Sequence(lambda n: n + 1)
    action = "enter"
    analysis = factory.SubFactory(
        AnalysisRecordFactory,
        pair=factory.SelfAttribute("..opportunity.pair"),
        trace_id=factory.SelfAttribute("..trace_id"),
    )
    verdict = factory.SubFactory(VerdictRecordFactory, analysis=factory.SelfAttribute("..analysis"))
    amount_in_raw = ETHER // 10
    amount_out_min_raw = 9_000 * ETHER
    expected_out_raw = 9_500 * ETHER
    value_usd_micros = 300_000_000
    slippage_max_bps = 300
    score_bps = 7_000
    config_revision = 1
    created_at = Now()


class OrderFactory(DjangoModelFactory):
    class Meta:
        model = Order

    decision = factory.SubFactory(DecisionRecordFactory)
    opportunity = factory.LazyAttribute(lambda o: o.decision.opportunity)
    pair = factory.LazyAttribute(lambda o: o.opportunity.pair)
    trace_id = factory.LazyAttribute(lambda o: o.opportunity.trace_id)
    side = "buy"
    client_order_id = factory.LazyAttribute(
        lambda o: client_order_id_of(o.trace_id, o.decision.number, "entry" if o.side == "buy" else "exit")
    )
    chain_key = factory.LazyAttribute(lambda o: o.pair.chain_key)
    wallet_key = "trader"
    status = OrderStatus.CREATED.value
    amount_in_raw = ETHER // 10
    amount_out_min_raw = 9_000 * ETHER
    expected_out_raw = 9_500 * ETHER
    value_usd_micros = 300_000_000
    fee_cap_raw = ETHER // 100
    gas_limit = 300_000
    epoch = 1
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(seconds=30))
    created_at = Now()
    status_at = Now()


class TxAttemptFactory(DjangoModelFactory):
    class Meta:
        model = TxAttempt

    order = factory.SubFactory(OrderFactory, status=OrderStatus.SIGNED.value)
    purpose = "swap"
    chain_key = factory.LazyAttribute(lambda o: o.order.chain_key)
    wallet_key = factory.LazyAttribute(lambda o: o.order.wallet_key)
    nonce = factory.Sequence(lambda n: n)
    tx_hash = factory.Sequence(lambda n: hash_for(f"attempt {n}"))
    payload = b"\x02signed"
    epoch = factory.LazyAttribute(lambda o: o.order.epoch)
    max_cost_raw = 300_000 * 10**9
    signed_at = Now()


class RevocationFactory(DjangoModelFactory):
    class Meta:
        model = Revocation

    order = factory.SubFactory(OrderFactory, side="sell", status=OrderStatus.REVERTED.value)
    token_address = factory.LazyAttribute(lambda o: o.order.pair.base.address)
    spender = factory.Sequence(lambda n: address_for(f"spender {n}"))
    requested_by = "olga"
    created_at = Now()


class PositionFactory(DjangoModelFactory):
    class Meta:
        model = Position

    opportunity = factory.SubFactory(OpportunityFactory, status="entered")
    trace_id = factory.LazyAttribute(lambda o: o.opportunity.trace_id)
    pair = factory.LazyAttribute(lambda o: o.opportunity.pair)
    wallet_key = "trader"
    chain_key = factory.LazyAttribute(lambda o: o.pair.chain_key)
    quantity_raw = 9_400 * ETHER
    cost_raw = ETHER // 10
    cost_usd_micros = 300_000_000
    entry_quote_reserve_raw = 10 * ETHER
    high_water_raw = ETHER // 10
    opened_at = Now()


class FillRecordFactory(DjangoModelFactory):
    class Meta:
        model = FillRecord

    position = factory.SubFactory(PositionFactory)
    attempt = factory.SubFactory(
        TxAttemptFactory,
        status="mined",
        order__status=OrderStatus.FILLED.value,
        order__decision__opportunity=factory.SelfAttribute("....position.opportunity"),
    )
    order = factory.LazyAttribute(lambda o: o.attempt.order)
    trace_id = factory.LazyAttribute(lambda o: o.position.trace_id)
    side = factory.LazyAttribute(lambda o: o.order.side)
    block_number = factory.Sequence(lambda n: n + 100)
    block_hash = factory.LazyAttribute(lambda o: hash_for(f"block {o.block_number}"))
    block_at = factory.LazyAttribute(lambda o: block_time(o.block_number))
    fill_key = factory.LazyAttribute(lambda o: f"{o.attempt.tx_hash}:{o.block_hash}")
    amount_in_raw = ETHER // 10
    amount_out_raw = 9_400 * ETHER
    fee_native_raw = 120_000 * 10**9
    booked_at = Now()


class LotFactory(DjangoModelFactory):
    class Meta:
        model = Lot

    fill = factory.SubFactory(FillRecordFactory)
    position = factory.LazyAttribute(lambda o: o.fill.position)
    quantity_raw = factory.LazyAttribute(lambda o: o.fill.amount_out_raw)
    remaining_raw = factory.LazyAttribute(lambda o: o.quantity_raw)
    cost_raw = factory.LazyAttribute(lambda o: o.fill.amount_in_raw)


class JournalEntryFactory(DjangoModelFactory):
    class Meta:
        model = JournalEntry

    entry_key = factory.Sequence(lambda n: f"deposit:{n}")
    kind = "deposit"
    description = "Deposit"
    at = Now()


class PostingFactory(DjangoModelFactory):
    class Meta:
        model = Posting

    entry = factory.SubFactory(JournalEntryFactory)
    account = "wallet:trader"
    side = "debit"
    chain_key = CHAIN_KEY
    token_address = "native"
    amount_raw = ETHER


class EquityPointFactory(DjangoModelFactory):
    class Meta:
        model = EquityPoint

    at = Now()
    cash_usd_micros = 10_000_000_000
    positions_usd_micros = 300_000_000


class AdvancedOrderFactory(DjangoModelFactory):
    class Meta:
        model = AdvancedOrder

    request_key = factory.Sequence(lambda n: f"request-{n}")
    kind = "limit"
    side = "buy"
    pair = factory.SubFactory(PairFactory)
    chain_key = CHAIN_KEY
    wallet_key = "trader"
    plan = factory.LazyFunction(dict)
    epoch = 1
    created_by = "ada"
    created_at = Now()
    updated_at = Now()


class AccountBalanceFactory(DjangoModelFactory):
    class Meta:
        model = AccountBalance

    account = factory.Sequence(lambda n: f"wallet:trader-{n}")
    chain_key = CHAIN_KEY
    token_address = "native"
    balance_raw = ETHER


class WalletSpendFactory(DjangoModelFactory):
    class Meta:
        model = WalletSpend

    client_order_id = factory.Sequence(lambda n: f"order-{n}")
    wallet = factory.SubFactory(WalletFactory)
    day = factory.LazyFunction(lambda: timezone.now().date())
    usd_micros = 10_000_000


class AddressLabelFactory(DjangoModelFactory):
    class Meta:
        model = AddressLabel

    address = factory.Sequence(lambda n: address_for(f"labelled {n}").lower())
    label = "An exchange"
    created_at = Now()


# -- what markets, people and services say ------------------------------------------------


class RelayFactory(DjangoModelFactory):
    class Meta:
        model = Relay

    chain = factory.SubFactory(ChainFactory)
    key = factory.Sequence(lambda n: f"relay-{n}")
    url = "http://127.0.0.1:9/relay"


class CanaryRunFactory(DjangoModelFactory):
    class Meta:
        model = CanaryRun

    dex = factory.SubFactory(DexDeploymentFactory)
    looked_at = factory.LazyFunction(timezone.now)
    block_first, block_last = 1, 1_800
    creations = decoded = pools_asked = pools_answered = 30


class CandleFactory(DjangoModelFactory):
    class Meta:
        model = Candle

    market = factory.Sequence(lambda n: f"C{n}")
    interval = "1d"
    opened_at = Now()
    close = Decimal(1_000)
    source = "test"


class MarketRegimeRecordFactory(DjangoModelFactory):
    class Meta:
        model = MarketRegimeRecord

    market = factory.Sequence(lambda n: f"M{n}")
    regime = by_rule = second_opinion = "crab"
    volatility_state = "normal"
    bars = 300
    source = "test"
    why = "It goes sideways."
    trace_id = "0" * 32
    as_of = Now()
    created_at = Now()


class ModelHealthFactory(DjangoModelFactory):
    class Meta:
        model = ModelHealth

    name = factory.Sequence(lambda n: f"model-{n}")
    checked_at = Now()
    changed_at = Now()


class OutsideOpinionFactory(DjangoModelFactory):
    class Meta:
        model = OutsideOpinion

    chain_key = CHAIN_KEY
    token_address = factory.Sequence(lambda n: address_for(f"token {n}").lower())
    source = "goplus"
    asked_at = Now()
    expires_at = Now()


class SocialSourceStateFactory(DjangoModelFactory):
    class Meta:
        model = SocialSourceState

    source = factory.Sequence(lambda n: f"source-{n}")
    state = "up"
    since = Now()


class SocialMessageFactory(DjangoModelFactory):
    class Meta:
        model = SocialMessage

    source = "telegram"
    channel = "a channel"
    dedup_key = factory.Sequence(lambda n: f"telegram/a channel/{n}")
    author = "0" * 32
    sent_at = Now()
    received_at = Now()


class SocialMentionFactory(DjangoModelFactory):
    class Meta:
        model = SocialMention

    message = factory.SubFactory(SocialMessageFactory)
    pair = factory.SubFactory(PairFactory)
    match = "address"
    sent_at = Now()


# -- sandbox -------------------------------------------------------------------------------


class SandboxRunFactory(DjangoModelFactory):
    class Meta:
        model = SandboxRun

    seed = 1
    chain_key = CHAIN_KEY
    genesis_hash = hash_for(f"genesis {CHAIN_ID}")
    started_at = Now()


class SandboxBlockFactory(DjangoModelFactory):
    class Meta:
        model = SandboxBlock

    chain_key = CHAIN_KEY
    number = factory.Sequence(lambda n: n + 1)
    hash = factory.LazyAttribute(lambda o: hash_for(f"block {o.number}"))
    mined_at = Now()


class SandboxLaunchFactory(DjangoModelFactory):
    class Meta:
        model = SandboxLaunch

    chain_key = CHAIN_KEY
    number = factory.Sequence(lambda n: n + 1)
    kind = "honest"
    is_honest = True
    is_unsellable = False
    token_address = factory.Sequence(lambda n: address_for(f"token {n}"))
    pool_address = factory.Sequence(lambda n: address_for(f"pool {n}"))


# -- alerts --------------------------------------------------------------------------------
class AlertRecordFactory(DjangoModelFactory):
    class Meta:
        model = AlertRecord

    rule = "incident"
    dedup_key = factory.Sequence(lambda n: f"incident/{n}")
    severity = "critical"
    title = "The books differ from the chain"
    remedy = "Run `manage.py ledger check`."
    is_lasting = True
    first_at = Now()
    last_at = Now()


class DeliveryFactory(DjangoModelFactory):
    class Meta:
        model = Delivery

    alert = factory.SubFactory(AlertRecordFactory)
    transport = "webhook"
    notice = factory.LazyFunction(
        lambda: {
            "kind": "raised",
            "rule": "incident",
            "severity": "critical",
            "title": "The books differ from the chain",
            "text": "",
            "remedy": "Run `manage.py ledger check`.",
            "link": "",
            "at_ms": 1_767_225_600_000,
            "mode": "sandbox",
            "count": 1,
        }
    )
    next_try_at = Now()
    created_at = Now()


class AlertCursorFactory(DjangoModelFactory):
    class Meta:
        model = AlertCursor
        django_get_or_create = ("id",)

    id = 1
    position = 0


class BotBindingFactory(DjangoModelFactory):
    class Meta:
        model = BotBinding
        django_get_or_create = ("id",)

    id = 1


class DeniedChatFactory(DjangoModelFactory):
    class Meta:
        model = DeniedChat

    chat_id = factory.Sequence(lambda n: 1_000 + n)
    first_at = Now()
    last_at = Now()


# -- API -----------------------------------------------------------------------------------
class ApiTokenFactory(DjangoModelFactory):
    class Meta:
        model = ApiToken

    user = factory.SubFactory(UserFactory)
    name = "a script"
    prefix = factory.Sequence(lambda n: f"p{n:07d}")
    digest = factory.LazyAttribute(lambda row: hashlib.sha256(row.prefix.encode()).hexdigest())
    scopes = factory.LazyFunction(lambda: ["read"])
    created_at = Now()
    created_by = "admin"


class IdempotencyKeyFactory(DjangoModelFactory):
    class Meta:
        model = IdempotencyKey

    user = factory.SubFactory(UserFactory)
    key = factory.Sequence(lambda n: f"key-{n}")
    fingerprint = factory.LazyAttribute(lambda row: hashlib.sha256(row.key.encode()).hexdigest())
    status = 200
    answer = factory.LazyFunction(dict)
    created_at = Now()
