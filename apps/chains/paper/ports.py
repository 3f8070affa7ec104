"""The ports of paper trading: the same road, but nothing is signed, nothing is sent, and fills come from live pools."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from apps.chains.models import PaperTransaction
from apps.chains.paper.account import PaperAccount, receipt_of
from apps.chains.paper.chance import CERTAIN, FAILED, PaperModel
from apps.chains.paper.fill import CANCEL_GAS, PaperFill, fill, probe_amount_raw
from apps.chains.paper.marker import Marker, PaperSwap, marker_decode, marker_encode, marker_hash, real_of
from apps.domain.entities import FirstCoins
from apps.domain.errors import (
    InsufficientFundsError,
    NetworkError,
    NonceConflictError,
    SniperError,
    TradingError,
)
from apps.domain.ids import NATIVE_ADDRESS, ClientOrderId
from apps.domain.market import (
    BlockRef,
    ChainEvent,
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
from apps.domain.order import Side, SignedTx, UnsignedTx
from apps.domain.ports import ChainReader
from apps.domain.probes import TokenProbes
from apps.domain.sending import SendFacts, SendQuestion
from apps.state import fence


class Fence(Protocol):
    """Lets a signature or a send pass while the engine is open for it: apps.state.fence.passage."""

    def __call__(self, *, epoch: int, side: Side, data_dir: Path) -> AbstractContextManager[None]: ...


class PaperSigner:
    """Implements ``ports.Signer`` without a key: the "signature" is a note. ``address_of`` names a wallet's address."""

    def __init__(
        self, address_of: Callable[[str], str], *, data_dir: Path, passage: Fence = fence.passage
    ) -> None:
        self._address_of = address_of
        self._data_dir = data_dir
        self._passage = passage

    def address(self, wallet_key: str) -> str:
        """Return the wallet's public address."""
        return self._address_of(wallet_key)

    def sign(self, tx: UnsignedTx, *, client_order_id: str, epoch: int) -> SignedTx:
        """Return the marker. Raises EpochClosedError when the engine's fence is shut."""
        side: Side = "buy" if tx.purpose == "swap" and tx.value_raw > 0 else "sell"
        payload = marker_encode(tx, owner=self.address(tx.wallet_key), client_order_id=client_order_id)
        with self._passage(epoch=epoch, side=side, data_dir=self._data_dir):
            return SignedTx(
                client_order_id=ClientOrderId(client_order_id),
                chain_key=tx.chain_key,
                purpose=tx.purpose,
                tx_hash=marker_hash(payload),
                nonce=tx.nonce,
                epoch=epoch,
                max_cost_raw=tx.gas_limit * tx.max_fee_wei,
                payload=payload,
            )


class PaperSender:
    """Implements ``ports.TxSender``: notes down what would have been sent."""

    def __init__(
        self,
        reader: ChainReader,
        account: PaperAccount,
        *,
        data_dir: Path,
        model: Callable[[], PaperModel] = lambda: CERTAIN,
        passage: Fence = fence.passage,
    ) -> None:
        self._reader = reader
        self._account = account
        self._data_dir = data_dir
        self._model = model
        self._passage = passage

    def broadcast(self, tx: SignedTx, *, side: Side) -> None:
        """Take the transaction; the first block after the latency may fill it. Raises EpochClosedError, TradingError."""
        self._check(tx)
        head = self._reader.head().number
        with self._passage(epoch=tx.epoch, side=side, data_dir=self._data_dir):
            self._account.take(tx, fill_block_number=head + self._blocks_of(tx))

    def broadcast_many(self, txs: Sequence[SignedTx], *, side: Side) -> tuple[SniperError | None, ...]:
        """Take several; return for each None or what ``broadcast`` would raise. Raises EpochClosedError itself."""
        head = self._reader.head().number
        outcomes: list[SniperError | None] = []
        with self._passage(epoch=txs[0].epoch, side=side, data_dir=self._data_dir):
            for tx in txs:
                try:
                    self._check(tx)
                except TradingError as error:
                    outcomes.append(error)
                else:
                    self._account.take(tx, fill_block_number=head + self._blocks_of(tx))
                    outcomes.append(None)
        return tuple(outcomes)

    def _blocks_of(self, tx: SignedTx) -> int:
        """Return after how many blocks a transaction is in one."""
        latency_ms = self._model().latency_of(tx.client_order_id)
        return max(1, -(-latency_ms // self._reader.profile.block_time_ms))

    def _check(self, tx: SignedTx) -> None:
        """Refuse what a node would refuse: a spent nonce, a wallet that cannot pay."""
        if self._account.is_known(tx.tx_hash):
            return
        marker = marker_decode(tx.payload)
        if marker.nonce < self._account.transaction_count(marker.owner, pending=False):
            raise NonceConflictError(
                f"Nonce {marker.nonce} is spent.",
                remedy="The nonce is read anew by itself.",
                tx_hash=tx.tx_hash,
            )
        if self._account.balances(marker.owner, [NATIVE_ADDRESS])[NATIVE_ADDRESS] < marker.max_cost_raw:
            raise InsufficientFundsError(
                "The paper wallet cannot pay for this order and its gas.",
                remedy="Lower the position size, or begin paper trading anew with more coins.",
                tx_hash=tx.tx_hash,
            )


class PaperReader:
    """Implements ``ports.ChainReader``: the market as it is, wallets and transactions as they are on paper."""

    def __init__(
        self,
        reader: ChainReader,
        account: PaperAccount,
        *,
        listing_of: Callable[[str], Listing | None],
        model: Callable[[], PaperModel] = lambda: CERTAIN,
    ) -> None:
        self.profile = reader.profile
        self._model = model
        self._reader = reader
        self._account = account
        self._listing_of = listing_of

    # -- on paper -------------------------------------------------------------------------

    def balances(self, owner: str, token_addresses: Sequence[str]) -> Mapping[str, int]:
        """Return what the paper wallet holds."""
        return self._account.balances(owner, token_addresses)

    def allowance(self, owner: str, spender: str, token_address: str) -> int:
        """Return zero: nothing is ever approved on paper."""
        return 0

    def failure_ahead(self, tx: UnsignedTx, *, sender: str, balance_raw: int | None = None) -> str:
        """Return why it would fail in the real market; the coins of a paper wallet count as held."""
        held = self.balances(sender, [NATIVE_ADDRESS])[NATIVE_ADDRESS] if balance_raw is None else balance_raw
        return self._reader.failure_ahead(real_of(tx), sender=sender, balance_raw=held)

    def failure_in_turn(self, blocks: Sequence[Sequence[UnsignedTx]], *, sender: str) -> str | None:
        """Return None: nothing on paper asks for it."""
        return None

    def send_facts(self, question: SendQuestion) -> SendFacts:
        """Return fees and trial of the real market, coins and nonce of the paper wallet."""
        held = self.balances(question.owner, [NATIVE_ADDRESS])[NATIVE_ADDRESS]
        trial = None if question.trial is None else real_of(question.trial)
        real = self._reader.send_facts(
            SendQuestion(owner=question.owner, trial=trial, trial_balance_raw=held)
        )
        nonce = self.transaction_count(question.owner, pending=True)
        return replace(real, balance_raw=held, nonce=nonce, allowance_raw=0)

    def transaction_count(self, owner: str, *, pending: bool) -> int:
        """Return the paper wallet's next nonce."""
        return self._account.transaction_count(owner, pending=pending)

    def is_known(self, tx_hash: str) -> bool:
        """Tell whether it was "sent"."""
        return self._account.is_known(tx_hash)

    def receipt(self, tx_hash: str) -> Receipt | None:
        """Return how a transaction on paper went, filling it (and those before it) when its block has come.

        Raises NetworkError. None while it waits: for its block, or for a pool that can be read.
        """
        row = PaperTransaction.objects.filter(tx_hash=tx_hash).first()
        if row is None or row.status == "replaced":
            return None
        if row.status == "waiting":
            head = self._reader.head()
            for earlier in self._account.waiting_until(row):
                earlier.refresh_from_db(fields=["status"])
                if earlier.status == "waiting" and not self._fill(earlier, head):
                    return None
            row.refresh_from_db()
        else:
            self._follow_reorg(row)
        return receipt_of(row)

    def _follow_reorg(self, row: PaperTransaction) -> None:
        """Keep a settled transaction in a block that exists; else the road would reverse its booking for ever."""
        if row.block_number is None:
            return
        block = self._reader.block(row.block_number) or self._reader.head()
        if (block.number, block.hash) != (row.block_number, row.block_hash):
            self._account.move_block(row, block)

    def _fill(self, row: PaperTransaction, head: BlockRef) -> bool:
        """Fill a waiting transaction; False when that must wait."""
        if head.number < row.fill_block_number:
            return False
        marker = marker_decode(bytes(row.payload))
        fees = self._reader.fees()
        price = min(marker.max_fee_wei, fees.base_fee_wei + marker.tip_wei)
        if price < fees.base_fee_wei:
            return False  # no block would include it at this fee
        if marker.swap is None:
            gas_used = CANCEL_GAS + fees.data_gas
            fee_raw = gas_used * price + fees.data_fee_raw
            self._account.settle(row, marker, block=head, gas_used=gas_used, fee_paid_raw=fee_raw)
            return True
        outcome, block = self._swap(marker, marker.swap)
        if outcome is None or block is None:
            return False
        needed = outcome.gas_used + fees.data_gas
        gas_used = min(needed, marker.gas_limit)
        reason = outcome.reason
        if needed > marker.gas_limit:
            reason = "it would have run out of gas"
        elif not reason and self._model().fails(marker.order_id):
            reason = FAILED
        self._account.settle(
            row,
            marker,
            block=block,
            gas_used=gas_used,
            fee_paid_raw=gas_used * price + fees.data_fee_raw,
            transfers=() if reason else outcome.transfers,
            sell_tax_bps=outcome.sell_tax_bps,
            reason=reason,
        )
        return True

    def _swap(self, marker: Marker, swap: PaperSwap) -> tuple[PaperFill | None, BlockRef | None]:
        listing = self._listing_of(swap.pair_key)
        if listing is None:
            raise NetworkError(
                f"The pair {swap.pair_key} of a paper order is not known.",
                remedy="It is tried again by itself.",
            )
        reserves = None
        if swap.side == "sell":
            reserves = self._reader.reserves([listing]).get(swap.pair_key)
        facts = self._reader.pair_facts(
            listing,
            buyer=marker.owner,
            probe_amount_raw=probe_amount_raw(swap, listing, reserves),
            previous_swaps_from=self._reader.head().number,
        )
        if facts.reserves is None:
            return None, None
        paid_with = NATIVE_ADDRESS if swap.side == "buy" else listing.base.address
        outcome = fill(
            swap,
            listing=listing,
            facts=facts,
            owner=marker.owner,
            held_raw=self._account.balances(marker.owner, [paid_with])[paid_with],
            sell_tax_bps=self._account.sell_tax_bps(swap.pair_key),
        )
        return outcome, facts.block

    # -- the market as it is --------------------------------------------------------------

    def head(self) -> BlockRef:
        """Return the newest block."""
        return self._reader.head()

    def block(self, number: int) -> BlockRef | None:
        """Return the block at this height, or None when the chain is shorter."""
        return self._reader.block(number)

    def token_metadata(self, addresses: Sequence[str]) -> Mapping[str, TokenMetadata]:
        """Return each token's self-description."""
        return self._reader.token_metadata(addresses)

    def senders(self, tx_hashes: Sequence[str]) -> Mapping[str, str]:
        """Return who sent each transaction."""
        return self._reader.senders(tx_hashes)

    def pool_tokens(self, pool_addresses: Sequence[str]) -> Mapping[str, PoolTokens]:
        """Return what these pools say of themselves."""
        return self._reader.pool_tokens(pool_addresses)

    def pool_creations(self, pools: Sequence[PoolTokens]) -> Mapping[str, ChainEvent]:
        """Return the factory's log that created each pool."""
        return self._reader.pool_creations(pools)

    def pair_facts(
        self, listing: Listing, *, buyer: str, probe_amount_raw: int, previous_swaps_from: int
    ) -> PairFacts:
        """Return everything readable about a pair."""
        return self._reader.pair_facts(
            listing, buyer=buyer, probe_amount_raw=probe_amount_raw, previous_swaps_from=previous_swaps_from
        )

    def deepest_pool(self, token_address: str) -> tuple[str, str] | None:
        """Return DEX key and address of the token's deepest pool."""
        return self._reader.deepest_pool(token_address)

    def first_funding(self, account: str, *, before_block: int) -> Funding:
        """Return who gave an account its first coins."""
        return self._reader.first_funding(account, before_block=before_block)

    def first_coins(self, addresses: Sequence[str], *, before_block: int) -> FirstCoins:
        """Return who gave each of many addresses its first coins."""
        return self._reader.first_coins(addresses, before_block=before_block)

    def token_probes(
        self, listing: Listing, facts: PairFacts, *, buyer: str, probe_amount_raw: int
    ) -> TokenProbes:
        """Return the full assessment of a pair's token."""
        return self._reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=probe_amount_raw)

    def reserves(self, listings: Sequence[Listing]) -> Mapping[str, PoolReserves]:
        """Return reserves by pair key."""
        return self._reader.reserves(listings)

    def pool_activity(
        self, listings: Sequence[Listing], first_block: int, last_block: int
    ) -> tuple[tuple[PoolReserves, ...], tuple[PoolSwap, ...]]:
        """Return the reserve updates and swaps of these pools."""
        return self._reader.pool_activity(listings, first_block, last_block)

    def quote_price_usd_micros(self) -> int | None:
        """Return the price of one whole native coin."""
        return self._reader.quote_price_usd_micros()

    def fees(self) -> FeeQuote:
        """Return fees for the next block."""
        return self._reader.fees()
