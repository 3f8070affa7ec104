"""A chain in memory that implements the ports of execution: mempool, nonces, pools with taxes, blocks, reorganisations.

Everything that can go wrong at a port is armed by name: ``chain.faults["broadcast"] = [error, …]`` raises at the next
calls of that port. ``Killed`` stands for a process that dies there: nothing of our code may swallow it.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.chains.evm.dex.constant_product import amount_out
from apps.domain.errors import EpochClosedError, SniperError, TradingError
from apps.domain.ids import ChainKey, ClientOrderId, PairKey
from apps.domain.market import (
    BlockRef,
    ChainProfile,
    FeeQuote,
    Listing,
    PoolReserves,
    Receipt,
    TokenTransfer,
)
from apps.domain.money import Token
from apps.domain.order import OrderIntent, SignedTx, UnsignedTx
from apps.domain.sending import SendFacts, SendQuestion
from apps.state.services.engine import engine_view

ZERO = "0x" + "0" * 40
APPROVE_SELECTOR = bytes.fromhex("095ea7b3")
ROUTER = "0x" + "7a" * 20
APPROVE_GAS_LIMIT, SWAP_GAS_USED, CANCEL_GAS = 60_000, 110_000, 21_000
UNLIMITED = 10**30


class Killed(BaseException):
    """The process dies here."""


@dataclass(slots=True)
class Pool:
    """A constant-product pool of a token with taxes."""

    address: str
    token: str
    base: int
    quote: int
    fee_bps: int = 30
    buy_tax_bps: int = 0
    sell_tax_bps: int = 0
    is_honeypot: bool = False
    is_silent: bool = False  # logs no transfers of its token


@dataclass(slots=True)
class _Mined:
    tx: UnsignedTx
    receipt: Receipt


@dataclass(slots=True)
class FakeChain:
    """Implements ChainReader (what execution needs of it), Signer, TxSender and SwapBuilder."""

    profile: ChainProfile
    owner: str
    pools: dict[str, Pool] = field(default_factory=dict)  # by token, lower case
    native: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    tokens: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))
    allowances: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    nonce: int = 0
    number: int = 100
    salt: str = ""  # changes all later block hashes: another history
    base_fee: int = 10**7
    data_fee: int = 0  # a rollup's, beside the gas of each transaction
    data_gas: int = 0  # out of its limit
    price: int | None = 3_000_000_000
    pool_of_pending: dict[str, SignedTx] = field(default_factory=dict)
    mined: dict[str, _Mined] = field(default_factory=dict)
    hashes: dict[int, str] = field(default_factory=dict)
    faults: dict[str, list[BaseException | None]] = field(default_factory=lambda: defaultdict(list))
    swallow: bool = False  # broadcasts go nowhere, silently
    sends: list[str] = field(default_factory=list)
    signed: dict[str, UnsignedTx] = field(default_factory=dict)
    relays: list[FakeRelay] = field(default_factory=list)

    # -- faults ---------------------------------------------------------------------------
    def _at(self, port: str) -> None:
        if self.faults[port]:
            fault = self.faults[port].pop(0)
            if fault is not None:
                raise fault

    # -- reader ---------------------------------------------------------------------------
    def head(self) -> BlockRef:
        return self._block(self.number)

    def block(self, number: int) -> BlockRef | None:
        return self._block(number) if 0 <= number <= self.number else None

    def _block(self, number: int) -> BlockRef:
        made = "0x" + hashlib.sha256(f"{number}{self.salt}".encode()).hexdigest()
        return BlockRef(number, self.hashes.setdefault(number, made), 1_800_000_000_000 + number * 2_000)

    def reserves(self, listings: Sequence[Listing]) -> Mapping[str, PoolReserves]:
        self._at("reserves")
        found = {item.pair_key: self.pools.get(item.base.address.lower()) for item in listings}
        return {
            key: PoolReserves(
                pair_key=PairKey(key), base_raw=pool.base, quote_raw=pool.quote, block=self.head()
            )
            for key, pool in found.items()
            if pool is not None
        }

    def quote_price_usd_micros(self) -> int | None:
        return self.price

    def balances(self, owner: str, token_addresses: Sequence[str]) -> Mapping[str, int]:
        self._at("balances")
        return {
            item: self.native[owner] if item == "native" else self.tokens[owner, item.lower()]
            for item in token_addresses
        }

    def allowance(self, owner: str, spender: str, token_address: str) -> int:
        self._at("allowance")
        assert (owner, spender) == (self.owner, ROUTER)
        return self.allowances[token_address.lower()]

    def transaction_count(self, owner: str, *, pending: bool) -> int:
        self._at("transaction_count")
        count = self.nonce
        waiting = {tx.nonce for tx in self.pool_of_pending.values()}
        while pending and count in waiting:
            count += 1
        return count

    def fees(self) -> FeeQuote:
        self._at("fees")
        return FeeQuote(
            base_fee_wei=self.base_fee,
            tip_wei=10**6,
            max_fee_wei=2 * self.base_fee + 10**6,
            block_number=self.number,
            data_fee_raw=self.data_fee,
            data_gas=self.data_gas,
        )

    def failure_in_turn(self, blocks: Sequence[Sequence[UnsignedTx]], *, sender: str) -> str | None:
        return None

    def failure_ahead(self, tx: UnsignedTx, *, sender: str, balance_raw: int | None = None) -> str:
        """Answer from the newest block: what waits is seen by nobody here."""
        self._at("failure_ahead")
        do = json.loads(tx.data)
        trade = self._buy if do["do"] == "buy" else self._sell
        given = trade(self.pools[do["token"]], int(do["amount"]))
        return "" if given is not None and given >= int(do["least"]) else "INSUFFICIENT_OUTPUT_AMOUNT"

    def send_facts(self, question: SendQuestion) -> SendFacts:
        """Answer each part as it is answered alone, so that a fault armed for one strikes here, too."""
        owner, allowance = question.owner, 0
        if question.spender:
            allowance = self.allowance(owner, question.spender, question.token_address)
        return SendFacts(
            fees=self.fees(),
            balance_raw=self.balances(owner, ["native"])["native"],
            nonce=self.transaction_count(owner, pending=True),
            allowance_raw=allowance,
            failure="" if question.trial is None else self.failure_ahead(question.trial, sender=owner),
        )

    def receipt(self, tx_hash: str) -> Receipt | None:
        self._at("receipt")
        entry = self.mined.get(tx_hash)
        return None if entry is None else entry.receipt

    def is_known(self, tx_hash: str) -> bool:
        return tx_hash in self.mined or tx_hash in self.pool_of_pending

    # -- builder --------------------------------------------------------------------------
    def approval(self, intent: OrderIntent, *, nonce: int, allowance_raw: int) -> UnsignedTx | None:
        if intent.side == "buy" or allowance_raw >= intent.amount_in.raw:
            return None
        data = {
            "do": "approve",
            "token": intent.amount_in.token.address.lower(),
            "amount": str(intent.amount_in.raw),
        }
        return self._unsigned(
            intent, "approve", nonce, to=intent.amount_in.token.address, data=data, gas=APPROVE_GAS_LIMIT
        )

    def swap(self, intent: OrderIntent, *, nonce: int, recipient: str, deadline_s: int) -> UnsignedTx:
        self._at("build")
        buys = intent.side == "buy"
        data = {
            "do": intent.side,
            "token": intent.route[-1 if buys else 0].lower(),
            "amount": str(intent.amount_in.raw),
            "least": str(intent.amount_out_min.raw),
        }
        value = intent.amount_in.raw if buys else 0
        return self._unsigned(intent, "swap", nonce, to=ROUTER, data=data, gas=intent.gas_limit, value=value)

    def _unsigned(
        self,
        intent: OrderIntent,
        purpose: Any,
        nonce: int,
        *,
        to: str,
        data: dict[str, str],
        gas: int,
        value: int = 0,
    ) -> UnsignedTx:
        return UnsignedTx(
            chain_key=self.profile.chain_key,
            wallet_key=intent.wallet_key,
            purpose=purpose,
            nonce=nonce,
            to=to,
            value_raw=value,
            data=json.dumps(data).encode(),
            gas_limit=gas,
            max_fee_wei=0,
            tip_wei=0,
        )

    # -- signer ---------------------------------------------------------------------------
    def address(self, wallet_key: str) -> str:
        return self.owner

    def sign(self, tx: UnsignedTx, *, client_order_id: str, epoch: int) -> SignedTx:
        self._at("sign")
        self._fence(epoch, "sell")
        payload = (
            f"{tx.nonce}|{tx.to}|{tx.value_raw}|{tx.gas_limit}|{tx.max_fee_wei}|{tx.tip_wei}|".encode()
            + tx.data
        )
        tx_hash = "0x" + hashlib.sha256(payload).hexdigest()
        self.signed[tx_hash] = tx
        return SignedTx(
            client_order_id=ClientOrderId(client_order_id),
            chain_key=tx.chain_key,
            purpose=tx.purpose,
            tx_hash=tx_hash,
            nonce=tx.nonce,
            epoch=epoch,
            max_cost_raw=tx.gas_limit * tx.max_fee_wei,
            payload=payload,
        )

    @staticmethod
    def _fence(epoch: int, side: str) -> None:
        engine = engine_view()
        allowed = engine.may_enter if side == "buy" else engine.may_exit
        if engine.epoch != epoch or not allowed:
            raise EpochClosedError("Nothing may pass.", remedy="Resume the engine.")

    # -- sender ---------------------------------------------------------------------------
    def broadcast(self, tx: SignedTx, *, side: str) -> None:
        [error] = self.broadcast_many([tx], side=side)
        if error is not None:
            raise error

    def broadcast_many(self, txs: Sequence[SignedTx], *, side: str) -> tuple[SniperError | None, ...]:
        self._fence(txs[0].epoch, side)
        self._at("broadcast")
        answers = tuple(self._take(tx) for tx in txs)
        self._at("after_broadcast")
        return answers

    def _take(self, tx: SignedTx) -> SniperError | None:
        self.sends.append(tx.tx_hash)
        if self.swallow or tx.tx_hash in self.pool_of_pending or tx.tx_hash in self.mined:
            return None
        if tx.nonce is not None and tx.nonce < self.nonce:
            return TradingError("nonce too low", remedy="")
        rival = next((item for item in self.pool_of_pending.values() if item.nonce == tx.nonce), None)
        if rival is not None:
            old, new = self.signed[rival.tx_hash], self.signed[tx.tx_hash]
            if new.max_fee_wei * 10 < old.max_fee_wei * 11 or new.tip_wei * 10 < old.tip_wei * 11:
                return TradingError("replacement transaction underpriced", remedy="")
            del self.pool_of_pending[rival.tx_hash]
        self.pool_of_pending[tx.tx_hash] = tx
        return None

    # -- the chain itself -----------------------------------------------------------------
    def mine(self, blocks: int = 1) -> None:
        """Mine what waits in nonce order and pays the base fee into the next block, then empty blocks.

        What relays hold comes first: makers of blocks take it in before they look at the public pool.
        """
        self.number += 1
        while True:
            private = [item for relay in self.relays if relay.includes for item in relay.held.values()]
            ready = [
                item
                for item in (*private, *self.pool_of_pending.values())
                if item.nonce == self.nonce and self.signed[item.tx_hash].max_fee_wei >= self.base_fee
            ]
            if not ready:
                break
            tx = ready[0]
            self.pool_of_pending.pop(tx.tx_hash, None)
            self.nonce += 1
            self.mined[tx.tx_hash] = _Mined(self.signed[tx.tx_hash], self._execute(tx))
        self.number += blocks - 1

    def spend_nonce_elsewhere(self) -> None:
        """Let somebody else use the next nonce."""
        for tx_hash in [key for key, item in self.pool_of_pending.items() if item.nonce == self.nonce]:
            del self.pool_of_pending[tx_hash]
        self.nonce += 1
        self.number += 1

    def _execute(self, tx: SignedTx) -> Receipt:
        unsigned = self.signed[tx.tx_hash]
        do = _revoked(unsigned) or (json.loads(unsigned.data) if unsigned.data else {"do": "cancel"})
        used = {"approve": 46_000, "cancel": CANCEL_GAS}.get(do["do"], SWAP_GAS_USED) + self.data_gas
        fee = used * min(unsigned.max_fee_wei, self.base_fee + unsigned.tip_wei) + self.data_fee
        self.native[self.owner] -= fee
        moves = self._run(do, unsigned) if used <= unsigned.gas_limit else None
        return Receipt(
            tx_hash=tx.tx_hash,
            succeeded=moves is not None,
            block=self.head(),
            gas_used=used,
            fee_paid_raw=fee,
            transfers=tuple(
                TokenTransfer(
                    token_address=token,
                    sender=sender,
                    recipient=recipient,
                    amount_raw=amount,
                    log_index=index,
                )
                for index, (token, sender, recipient, amount) in enumerate(moves or ())
            ),
        )

    def _run(self, do: dict[str, str], unsigned: UnsignedTx) -> list[tuple[str, str, str, int]] | None:
        if do["do"] == "cancel":
            return []
        if do["do"] == "approve":
            self.allowances[do["token"]] = int(do["amount"])
            return []
        pool, amount = self.pools[do["token"]], int(do["amount"])
        buys = do["do"] == "buy"
        given = self._buy(pool, amount) if buys else self._sell(pool, amount)
        if given is None or given < int(do["least"]):
            return None
        wrapped = self.profile.wrapped_native.address
        if buys:
            out = given + given * pool.buy_tax_bps // max(10_000 - pool.buy_tax_bps, 1)
            pool.quote, pool.base = pool.quote + amount, pool.base - out
            self.native[self.owner] -= amount
            self.tokens[self.owner, pool.token] += given
            token_move = [] if pool.is_silent else [(pool.token, pool.address, self.owner, given)]
            return [(wrapped, ZERO, ROUTER, amount), (wrapped, ROUTER, pool.address, amount), *token_move]
        pool.base, pool.quote = (
            pool.base + amount * (10_000 - pool.sell_tax_bps) // 10_000,
            pool.quote - given,
        )
        self.native[self.owner] += given
        self.tokens[self.owner, pool.token] -= amount
        self.allowances[pool.token] -= amount
        token_move = [] if pool.is_silent else [(pool.token, self.owner, pool.address, amount)]
        return [*token_move, (wrapped, pool.address, ROUTER, given), (wrapped, ROUTER, ZERO, given)]

    def _buy(self, pool: Pool, amount: int) -> int | None:
        out = amount_out(
            amount_in_raw=amount, reserve_in_raw=pool.quote, reserve_out_raw=pool.base, fee_bps=pool.fee_bps
        )
        return out * (10_000 - pool.buy_tax_bps) // 10_000

    def _sell(self, pool: Pool, amount: int) -> int | None:
        if (
            pool.is_honeypot
            or self.allowances[pool.token] < amount
            or self.tokens[self.owner, pool.token] < amount
        ):
            return None
        return amount_out(
            amount_in_raw=amount * (10_000 - pool.sell_tax_bps) // 10_000,
            reserve_in_raw=pool.base,
            reserve_out_raw=pool.quote,
            fee_bps=pool.fee_bps,
        )

    def snapshot(self) -> dict[str, Any]:
        """Return what ``restore`` needs to go back to this block."""
        return {
            "pools": {key: replace(pool) for key, pool in self.pools.items()},
            "native": dict(self.native),
            "tokens": dict(self.tokens),
            "allowances": dict(self.allowances),
            "nonce": self.nonce,
            "number": self.number,
            "mined": dict(self.mined),
        }

    def restore(self, state: dict[str, Any], *, lose_pending: bool = False) -> None:
        """Reorganise: go back to ``state`` on another history; mined transactions wait again unless they are lost."""
        gone = {key: entry for key, entry in self.mined.items() if key not in state["mined"]}
        self.pools = {key: replace(pool) for key, pool in state["pools"].items()}
        self.native = defaultdict(int, state["native"])
        self.tokens = defaultdict(int, state["tokens"])
        self.allowances = defaultdict(int, state["allowances"])
        self.nonce, self.number, self.mined = state["nonce"], state["number"], dict(state["mined"])
        self.hashes = {number: text for number, text in self.hashes.items() if number <= self.number}
        self.salt += "'"
        if lose_pending:
            self.pool_of_pending.clear()
            return
        for tx_hash, entry in gone.items():
            signed = SignedTx(
                client_order_id=ClientOrderId(""),
                chain_key=self.profile.chain_key,
                purpose=entry.tx.purpose,
                tx_hash=tx_hash,
                nonce=entry.tx.nonce,
                epoch=0,
                max_cost_raw=0,
                payload=b"",
            )
            self.pool_of_pending[tx_hash] = signed


@dataclass(slots=True)
class FakeRelay:
    """Implements PrivateRelay over the chain in memory: nobody sees what it holds."""

    key: str
    chain: FakeChain
    includes: bool = True  # False: it takes transactions and leaves them out
    fault: SniperError | None = None  # answered at every send, nothing taken
    takes_and_fails: bool = False  # holds them, and answers with the fault all the same
    held: dict[str, SignedTx] = field(default_factory=dict)
    sends: list[str] = field(default_factory=list)
    withdrawn: list[str] = field(default_factory=list)

    def broadcast(self, tx: SignedTx, *, side: str) -> None:
        [error] = self.broadcast_many([tx], side=side)
        if error is not None:
            raise error

    def broadcast_many(self, txs: Sequence[SignedTx], *, side: str) -> tuple[SniperError | None, ...]:
        self.chain._fence(txs[0].epoch, side)
        self.chain._at(f"relay:{self.key}")
        for tx in txs:
            self.sends.append(tx.tx_hash)
            if self.fault is None or self.takes_and_fails:
                rivals = [key for key, item in self.held.items() if item.nonce == tx.nonce]
                for key in rivals:
                    del self.held[key]
                self.held[tx.tx_hash] = tx
        return tuple(self.fault for _ in txs)

    def withdraw(self, tx_hash: str) -> bool:
        self.withdrawn.append(tx_hash)
        return self.held.pop(tx_hash, None) is not None


def _revoked(tx: UnsignedTx) -> dict[str, str] | None:
    """Return what real calldata of approve(spender, amount) does; every other transaction here speaks JSON."""
    if not tx.data.startswith(APPROVE_SELECTOR):
        return None
    return {"do": "approve", "token": tx.to.lower(), "amount": str(int.from_bytes(tx.data[-32:], "big"))}


def profile_of(chain_key: str, wrapped_address: str) -> ChainProfile:
    """Return the profile of the chain in memory."""
    key = ChainKey(chain_key)
    return ChainProfile(
        chain_key=key,
        name="Fake",
        family="evm",
        chain_id=int(chain_key.split(":")[1]),
        native=Token(key, "native", "ETH", 18),
        wrapped_native=Token(key, wrapped_address, "WETH", 18),
        stables=(),
        block_time_ms=2_000,
        confirmation_depth=5,
        base_fee_min_wei=0,
        tip_min_wei=0,
        is_sandbox=True,
        genesis_hash="0x" + "00" * 32,
    )
