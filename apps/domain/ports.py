"""What the road asks of the outside. Adapters implement these; tests have fakes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from apps.domain.entities import FirstCoins
from apps.domain.errors import SniperError
from apps.domain.market import (
    BlockRef,
    ChainEvent,
    ChainProfile,
    FeedItem,
    FeedLeftovers,
    FeeQuote,
    Funding,
    Listing,
    PairFacts,
    PoolReserves,
    PoolSwap,
    PoolTokens,
    Receipt,
    TokenMetadata,
)
from apps.domain.money import Amount
from apps.domain.order import OrderIntent, Side, SignedTx, UnsignedTx
from apps.domain.probes import TokenProbes
from apps.domain.sending import SendFacts, SendQuestion


class PairSource(Protocol):
    """Reads a factory's log."""

    def events(self, first_block: int, last_block: int) -> tuple[ChainEvent, ...]:
        """Return the pools created in these blocks, both ends included, in log order."""


class FeedSource(Protocol):
    """Reads a web feed of new or boosted pairs."""

    name: str
    leftovers: FeedLeftovers  # of the newest call of ``items``

    def items(self) -> tuple[FeedItem, ...]:
        """Return what the feed shows now. Raises NetworkError, RateLimitedError, BadDataError."""


class TokenReader(Protocol):
    """Reads what registering a pair needs; a part of ChainReader."""

    def token_metadata(self, addresses: Sequence[str]) -> Mapping[str, TokenMetadata]:
        """Return each token's self-description; a hostile token gives faults, never an exception."""

    def senders(self, tx_hashes: Sequence[str]) -> Mapping[str, str]:
        """Return who sent each transaction, in one batch; unknown transactions are absent."""


class PoolReader(TokenReader, Protocol):
    """Reads what confirming a feed's pool needs; a part of ChainReader."""

    def pool_tokens(self, pool_addresses: Sequence[str]) -> Mapping[str, PoolTokens]:
        """Return what these pools say of themselves, by the address as given; what does not answer like a pool is absent."""

    def pool_creations(self, pools: Sequence[PoolTokens]) -> Mapping[str, ChainEvent]:
        """Return the factory's log that created each pool, by pool address; absent means that its factory has no such
        log. Raises NetworkError when no endpoint can search the whole log.
        """


class ChainReader(PoolReader, Protocol):
    """Reads one chain. Every method raises NetworkError when no endpoint answers."""

    profile: ChainProfile

    def head(self) -> BlockRef:
        """Return the newest block."""

    def block(self, number: int) -> BlockRef | None:
        """Return the block at this height, or None when the chain is shorter."""

    def pair_facts(
        self, listing: Listing, *, buyer: str, probe_amount_raw: int, previous_swaps_from: int
    ) -> PairFacts:
        """Return everything readable about a pair at the newest block, the round trip at ``probe_amount_raw``."""

    def first_funding(self, account: str, *, before_block: int) -> Funding:
        """Return who gave an account its first coins, as far as the node's old state tells; for few accounts."""

    def first_coins(self, addresses: Sequence[str], *, before_block: int) -> FirstCoins:
        """Return who gave each of many addresses its first coins, where a node keeps traces; else unknown, with why."""

    def deepest_pool(self, token_address: str) -> tuple[str, str] | None:
        """Return DEX key and address of the token's pool that holds most wrapped coins, None when it has none."""

    def token_probes(
        self, listing: Listing, facts: PairFacts, *, buyer: str, probe_amount_raw: int
    ) -> TokenProbes:
        """Return the full assessment of the pair's token at the facts' block; slower than the facts, for few pairs."""

    def reserves(self, listings: Sequence[Listing]) -> Mapping[str, PoolReserves]:
        """Return reserves by pair key, all at one block; pools that do not answer are absent."""

    def pool_activity(
        self, listings: Sequence[Listing], first_block: int, last_block: int
    ) -> tuple[tuple[PoolReserves, ...], tuple[PoolSwap, ...]]:
        """Return the reserve updates and swaps of these pools in these blocks, in log order."""

    def quote_price_usd_micros(self) -> int | None:
        """Return the price of one whole native coin from the chain's own stable pools, or None when there is none."""

    def balances(self, owner: str, token_addresses: Sequence[str]) -> Mapping[str, int]:
        """Return raw balances; "native" is the chain's own coin. A token that does not answer is absent."""

    def allowance(self, owner: str, spender: str, token_address: str) -> int:
        """Return the raw allowance."""

    def transaction_count(self, owner: str, *, pending: bool) -> int:
        """Return the next nonce as the chain sees it."""

    def fees(self) -> FeeQuote:
        """Return fees for the next block."""

    def failure_ahead(self, tx: UnsignedTx, *, sender: str, balance_raw: int | None = None) -> str:
        """Return why the transaction would fail in the block that is being made, "" when it would not or nobody can tell.

        What others have sent before us counts where the node shows it. ``balance_raw``: what the sender is taken to hold.
        """

    def failure_in_turn(self, blocks: Sequence[Sequence[UnsignedTx]], *, sender: str) -> str | None:
        """Return why one of these would fail, played block after block; "" for none, None when no node can tell."""

    def send_facts(self, question: SendQuestion) -> SendFacts:
        """Return what must be known right before a signature, in one round trip. Raises NetworkError, BadDataError."""

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt, or None while the transaction is not mined."""

    def is_known(self, tx_hash: str) -> bool:
        """Tell whether the node has the transaction, mined or pending."""


class Quoter(Protocol):
    """Computes what a pool gives, exactly as its contract does."""

    def amount_out(self, reserves: PoolReserves, *, fee_bps: int, side: str, amount_in_raw: int) -> int:
        """Return the output in raw units, before token taxes."""


class SwapBuilder(Protocol):
    """Builds the transactions of one DEX."""

    def approval(self, intent: OrderIntent, *, nonce: int, allowance_raw: int) -> UnsignedTx | None:
        """Return the approval a sell needs before it, or None when the allowance covers it."""

    def swap(self, intent: OrderIntent, *, nonce: int, recipient: str, deadline_s: int) -> UnsignedTx:
        """Return the swap itself."""


class Signer(Protocol):
    """Signs; the only holder of keys."""

    def address(self, wallet_key: str) -> str:
        """Return the wallet's public address."""

    def sign(self, tx: UnsignedTx, *, client_order_id: str, epoch: int) -> SignedTx:
        """Return the signed transaction. Raises EpochClosedError when the engine's fence is shut."""


class TxSender(Protocol):
    """Sends what was signed and stored."""

    def broadcast(self, tx: SignedTx, *, side: Side) -> None:
        """Send. Raises EpochClosedError before, BroadcastUncertainError during, TradingError when refused for good.

        ``side`` is what the fence is asked for; an approval or a cancellation counts as "sell".
        """

    def broadcast_many(self, txs: Sequence[SignedTx], *, side: Side) -> tuple[SniperError | None, ...]:
        """Send several of one chain and epoch in one go; return for each None or the error ``broadcast`` would raise.

        Raises EpochClosedError itself: then nothing was sent.
        """


class PrivateRelay(TxSender, Protocol):
    """Sends so that strangers do not see the transaction before it is mined."""

    @property
    def key(self) -> str:
        """Return its name in the record of what was sent."""

    def withdraw(self, tx_hash: str) -> bool:
        """Ask to forget a transaction; False when the relay knows no such request or did not answer."""


class ReceiptReader(Protocol):
    """Reads back what a transaction really moved. The paper sender implements it from quotes."""

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Return the receipt, or None while it is not mined."""


class BalanceReader(Protocol):
    """Reads what a wallet really holds."""

    def balances(self, owner: str, token_addresses: Sequence[str]) -> Mapping[str, int]:
        """Return raw balances by token address, "native" for the chain's coin."""


def amount_of_native(profile: ChainProfile, raw: int) -> Amount:
    """Return ``raw`` wei or lamports as an Amount of the chain's own coin."""
    return Amount(raw, profile.native)
