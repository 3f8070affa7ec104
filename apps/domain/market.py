"""What chains and feeds tell us."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from apps.domain.concentrated import ConcentratedLiquidity
from apps.domain.entities import TokenMove
from apps.domain.errors import SniperError
from apps.domain.ids import ChainKey, PairKey, TraceId
from apps.domain.locks import LiquidityLock
from apps.domain.money import Token

if TYPE_CHECKING:
    from apps.domain.probes import TokenProbes

SourceName = Literal["chain", "dexscreener", "geckoterminal", "manual"]
#: How the next block's base fee comes about. "eip1559": by its formula. "told": by the chain's own, so the node's word
#: counts. "zero": there is none.
BaseFeeRule = Literal["eip1559", "told", "zero"]
#: How a rollup charges for bringing a transaction's data to the chain below. "none": it is no rollup. "op_stack": coins on
#: top of the gas. "arbitrum": gas out of the transaction's own limit.
DataFeeRule = Literal["none", "op_stack", "arbitrum"]


@dataclass(frozen=True, slots=True)
class BlockRef:
    """A block (slot on Solana). ``at_ms`` is the block's own time, UTC: whole seconds on most chains."""

    number: int
    hash: str
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainProfile:
    """What the road must know of one chain. Built from a ``chains.Chain`` row."""

    chain_key: ChainKey
    name: str
    family: Literal["evm", "solana"]
    chain_id: int | None  # None on Solana
    native: Token
    wrapped_native: Token
    stables: tuple[Token, ...]  # priced at one US dollar
    block_time_ms: int
    confirmation_depth: int  # blocks until a fill is final
    base_fee_min_wei: int
    tip_min_wei: int
    is_sandbox: bool
    genesis_hash: str  # "" when not pinned; a sandbox chain always pins it
    has_public_mempool: bool = True  # strangers see what waits, so they can trade around it
    ignores_tips: bool = False  # whoever comes first is first: a tip buys nothing
    base_fee_rule: BaseFeeRule = "eip1559"
    data_fee_rule: DataFeeRule = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class DexProfile:
    """One deployment of a DEX protocol on one chain. Built from a ``chains.DexDeployment`` row."""

    chain_key: ChainKey
    dex_key: str  # "uniswap_v2", unique on its chain
    kind: str  # adapter kind: "uniswap_v2"
    name: str
    factory: str
    router: str
    fee_bps: int  # swap fee of the pool


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainEvent:
    """A pool was created (or first funded), as its factory logged it. Nothing in it is trusted but the log itself."""

    chain_key: ChainKey
    dex_key: str
    kind: Literal["pair_created", "liquidity_added"]
    pool_address: str
    token0: str
    token1: str
    block: BlockRef
    tx_hash: str
    log_index: int
    fee_bps: int | None = None  # the pool's own swap fee; None: that of its exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedItem:
    """A pair that a web feed names; the chain must confirm it before it becomes a listing."""

    source: SourceName
    kind: Literal["new", "boosted", "trending"]
    chain_key: ChainKey
    pool_address: str
    base_address: str
    quote_address: str
    dex_name: str
    created_at_ms: int | None
    liquidity_usd_micros: int | None
    price_usd: str | None  # decimal text as given; for cross-checks only


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReject:
    """One item of a feed's answer that cannot be used. ``sample`` is bounded, printable text."""

    reason: str
    sample: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedLeftovers:
    """What a feed's newest answer held beside its items: nothing is dropped without being counted."""

    rejected: tuple[FeedReject, ...] = ()
    #: The feed's own name of a chain -> how many items of it were skipped.
    unknown_chains: Mapping[str, int] = field(default_factory=dict)
    faults: tuple[SniperError, ...] = ()  # requests that failed while others were answered


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolTokens:
    """What a pool says of itself, read on chain. A false pool can say anything: only its factory's log proves it."""

    pool_address: str
    factory: str
    token0: str
    token1: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployerHistory:
    """What became of earlier tokens of one address on one chain, or of one code. Tokens is the sum of the other three."""

    tokens: int
    dead: int  # every pool drained
    alive: int  # at least one pool holds
    unknown: int  # reserves never seen


@dataclass(frozen=True, slots=True, kw_only=True)
class Funding:
    """Who gave an account its first coins.

    "found": an account like any other. "hub": one that pays very many, so it tells nothing of who stands behind.
    "unknown": ``reason`` says why, ``funder`` is "". The block is None when unknown.
    """

    state: Literal["found", "hub", "unknown"]
    funder: str
    block_number: int | None
    tx_hash: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployerCluster:
    """Everybody who launches with the same money: the creator, whoever shares his first funder, the funder, the funded.

    ``history`` is of all their tokens together, None when nobody beside the creator is known to belong to it;
    ``makers`` counts them without the creator. ``funder`` is "" when unknown, and then ``reason_unknown`` says why.
    ``funded`` are addresses whose first coins came from the creator.
    """

    funder: str
    reason_unknown: str
    history: DeployerHistory | None
    makers: int = 0
    funded: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenMetadata:
    """A token's self-description, read on chain and cleaned.

    ``decimals`` and ``total_supply_raw`` are None when the contract does not answer sensibly;
    ``faults`` lists what was odd ("symbol_bytes32", "name_reverts", "name_cut", "name_bidi", "decimals_absurd").
    """

    address: str
    name: str
    symbol: str
    decimals: int | None
    total_supply_raw: int | None
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A pool that may be traded: what we might buy (base) and what we pay with (quote)."""

    trace_id: TraceId
    pair_key: PairKey
    dex_key: str
    pool_address: str
    base: Token
    quote: Token
    base_is_token0: bool
    fee_bps: int
    created_block: BlockRef
    creator: str  # sender of the creating transaction; "" when unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolReserves:
    """A pool at one block, seen from the base token.

    Where liquidity lies in ranges, base and quote are those of a constant-product pool of the same price that is no
    deeper than the range in force and than the coins held; exact quotes come from ``concentrated``. ``formula`` says by
    which rounding a product pool pays; ``fee_bps`` is the fee at this block where it may change, None: the listing's.
    """

    pair_key: PairKey
    base_raw: int
    quote_raw: int
    block: BlockRef
    concentrated: ConcentratedLiquidity | None = None
    base_is_token0: bool | None = None  # None: not needed, as the pool is a constant-product one
    formula: Literal["uniswap_v2", "solidly"] = "uniswap_v2"
    fee_bps: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolSwap:
    """One swap in a pool, seen from the base token."""

    pair_key: PairKey
    side: Literal["buy", "sell"]
    base_raw: int
    quote_raw: int
    trader: str  # recipient of the output
    tx_hash: str
    log_index: int
    block: BlockRef


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundTrip:
    """A simulated buy–approve–sell at one size.

    ``stage``: "bought_and_sold" is success; else where it ended. Taxes are against the pool's own formula and rounded
    up (against us); None when that leg did not happen.
    """

    amount_in_raw: int
    sold_share_bps: int
    sell_delay_blocks: int  # 0: same call; 1: next block
    method: Literal["eth_call", "eth_simulateV1", "pyrevm"]  # pyrevm: in our own process, on the node's state
    stage: Literal["bought_and_sold", "buy_failed", "sell_failed", "unavailable"]
    received_raw: int | None
    returned_raw: int | None
    buy_tax_bps: int | None
    sell_tax_bps: int | None
    buy_gas: int | None
    sell_gas: int | None
    detail: str = ""  # decoded revert reason, cleaned and bounded


@dataclass(frozen=True, slots=True, kw_only=True)
class SuppliedHolder:
    """Somebody to whom the creator's side, or the mint, gave base tokens without a trade in the pool, also through others.

    ``balance_raw`` is what he holds now, ``tx_hash`` his first gift.
    """

    address: str
    balance_raw: int
    tx_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PairFacts:
    """Everything read on chain for one evaluation, all at ``block``. A part that could not be read is None and its
    reason stands in ``missing`` under the part's name.
    """

    block: BlockRef
    read_at_ms: int
    reserves: PoolReserves | None
    quote_price_usd_micros: int | None  # one whole quote token
    base_total_supply_raw: int | None
    base_creator_raw: int | None  # creator's (and owner's) balance of the base token
    lp_total_supply_raw: int | None
    lp_burned_raw: int | None  # held by zero and dead addresses
    lp_locked_raw: int | None  # held by known lockers of verified code, unlock time beyond the horizon
    lp_creator_raw: int | None  # held by creator and owner
    owner: str | None  # "" when renounced or absent
    code_hash: str | None
    selectors: tuple[str, ...] | None  # 4-byte selectors, "0x…"
    holders: tuple[tuple[str, int], ...] | None  # (address, raw balance), largest first, pool excluded
    round_trips: tuple[RoundTrip, ...] = ()
    swaps: tuple[PoolSwap, ...] | None = None  # since creation, newest last, bounded
    missing: Mapping[str, str] | None = None
    lp_locks: tuple[LiquidityLock, ...] | None = None  # what those lockers hold, shorter locks included
    lp_unverified_raw: int = 0  # held by known lockers whose code was never verified, or is another one now
    probes: TokenProbes | None = None  # None: a first look, which asks for no full assessment
    supplied: tuple[SuppliedHolder, ...] | None = (
        None  # largest first, creator and owner excluded; None: not known
    )
    #: Transfers of the base token that no swap of the pool paid for, mints and burns left out, oldest first, bounded.
    moves: tuple[TokenMove, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeQuote:
    """EIP-1559 fees for the next block, wei per gas, and what one transaction's data costs on a rollup.

    ``data_fee_raw`` is wei on top of the gas, ``data_gas`` gas out of the limit; 0 where the chain takes none. With
    ``is_data_fee_known`` off the chain takes it and did not say how much.
    """

    base_fee_wei: int  # computed for the next block
    tip_wei: int
    max_fee_wei: int
    block_number: int
    tip_front_wei: int = 0  # highest tip paid at the front of recent blocks; 0: not known
    data_fee_raw: int = 0
    data_gas: int = 0
    is_data_fee_known: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenTransfer:
    """One ERC-20 Transfer log (or wrapped-native deposit/withdrawal) of a receipt."""

    token_address: str
    sender: str
    recipient: str
    amount_raw: int
    log_index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A mined transaction."""

    tx_hash: str
    succeeded: bool
    block: BlockRef
    gas_used: int
    fee_paid_raw: int  # everything the sender paid for inclusion, L1 data fee included, wei
    transfers: tuple[TokenTransfer, ...]
