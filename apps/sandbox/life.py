"""The life of one chain: who acts in the next block, their signed transactions, the block, the truth about it."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.chains.evm.fees import BASE_FEE_MARGIN, next_base_fee_wei
from apps.sandbox import ranged
from apps.sandbox import transactions as tx
from apps.sandbox.accounts import calldata
from apps.sandbox.crew import FAUCET, Crew
from apps.sandbox.deploy import Deployment, created_address, pair_code_hash
from apps.sandbox.logic import parameters as p
from apps.sandbox.market.acts import Act, Pool, Truth
from apps.sandbox.market.draw import Market, draw
from apps.sandbox.market.plan import Launch
from apps.sandbox.market.play import at_ending, at_launch, poisson, trades
from apps.sandbox.rpc import SandboxRpc, SandboxRpcError

LAUNCHES_LIVE_MAX = 2_000
LAUNCHES_PER_BLOCK_MAX = 20
ACTS_PER_BLOCK_MAX = 200
LISTED_MAX = 200
_FEE_STEP_WEI = 10**3
_SYNC_TOPIC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
_STATE_TOPICS = [_SYNC_TOPIC, ranged.SWAP_TOPIC, *ranged.LIQUIDITY_TOPICS]
_DEPLOYER_GAS_WEI, _INSIDER_GAS_WEI = 5 * 10**17, 10**17
_FUNDED_PER_TRANSACTION = 100
_AFTERMATH_S = 60.0  # after the last event a launch is still listed
_CALLS_PER_BATCH_MAX = 500
_DAY_S = 86_400
_WORD = 32
_GRABBED_BPS = 9_900  # of the pool's tokens


@dataclass(slots=True, kw_only=True)
class Running:
    """A launch that is under way. Reserves follow from the chain's own logs."""

    plan: Launch
    created_block: int
    created_at: datetime
    token: str
    pool: str
    reserves: tuple[int, int] = (0, 0)  # native, token
    holders: list[str] = field(default_factory=list)
    approved: set[str] = field(default_factory=set)
    is_created: bool = False
    rugged_block: int | None = None
    shut_block: int | None = None

    def view(self) -> Pool:
        """Return what actors see."""
        return Pool(
            native_wei=self.reserves[0],
            token_raw=self.reserves[1],
            first_price_native_wei=self.plan.liquidity_wei,
            first_price_token_raw=tx.pool_tokens_raw(self.plan),
            holders=tuple(self.holders),
        )

    def ends_at_s(self) -> float:
        """Return the age at which nothing is left to happen."""
        plan = self.plan
        last = plan.lives_s + plan.liquidity_after_s
        if plan.ending != "none":
            last = max(last, plan.ending_at_s + plan.ending_parts * plan.ending_every_s)
        return last + _AFTERMATH_S

    def becomes(self, truth: Truth, *, block: int) -> None:
        """Note what is true from this block on."""
        if truth == "created":
            self.is_created = True
            if self.plan.sells_for_blocks is not None:
                self.shut_block = block + self.plan.sells_for_blocks + 1
        elif truth == "rugged":
            self.rugged_block = block
        else:
            self.shut_block = block


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A launch of an earlier process, as the rows have it."""

    number: int
    created_block: int
    created_at: datetime
    token: str
    pool: str
    rugged_block: int | None
    shut_block: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A block and the launches about which something new is true."""

    number: int
    hash: str
    mined_at: datetime
    transactions: int
    launches: tuple[Running, ...]


@dataclass(slots=True)
class _Envelope:
    """The signed transactions of one block, in the order in which they are to stand in it."""

    raws: list[str] = field(default_factory=list)
    labels: set[str] = field(default_factory=set)
    truths: list[tuple[Running, Truth, int]] = field(default_factory=list)  # with a place in ``raws``


class ChainLife:
    """Makes one block after the other. Not for use by several threads, but for ``listed``."""

    def __init__(self, *, at: Deployment, rpc: SandboxRpc, seed: int) -> None:
        spec = at.spec
        self.at = at
        self.rpc = rpc
        self.crew = Crew(seed=seed, chain_id=spec.chain_id, rpc=rpc)
        self.market = Market(
            seed=seed,
            chain_key=spec.key,
            block_s=spec.block_time_ms / 1_000,
            native_price_usd=spec.native_price_usd,
            is_base_fee_zero=spec.base_fee_wei == 0,
            tip_min_wei=spec.tip_min_wei,
        )
        self.running: dict[int, Running] = {}
        self.listed: tuple[Running, ...] = ()  # the newest created launches, newest last
        self.next_number = 0
        self._waiting: list[Launch] = []  # funded in the last block, to be launched in the next
        self._code_hash = pair_code_hash(at, rpc)
        [head] = rpc.batch([("eth_getBlockByNumber", ("latest", False))])
        self._stands_on(head)

    # -- beginnings -----------------------------------------------------------------------
    def settle_in(self) -> None:
        """Fund the regular actors once in the chain's life."""
        self.crew.prepare((FAUCET,))
        if self.crew[FAUCET].nonce > 0:
            return
        self.crew.open_faucet()
        labels = [f"retail:{index}" for index in range(p.RETAIL)]
        labels += [f"whale:{index}" for index in range(p.WHALES)]
        labels += [f"pump:{index}" for index in range(p.PUMPERS)]
        labels += [
            f"wash:{ring}:{index}" for ring in range(p.WASH_RINGS) for index in range(p.WASH_RING_SIZE)
        ]
        raws = []
        for start in range(0, len(labels), _FUNDED_PER_TRANSACTION):
            part = [self.crew.address(label) for label in labels[start : start + _FUNDED_PER_TRANSACTION]]
            call = tx.fund_call(self.at, part, [self.at.spec.regular_units * 10**18] * len(part))
            raws.append(self._signed(FAUCET, call, order=start))
        self.rpc.batch([("eth_sendRawTransaction", (raw,)) for raw in raws])
        self._mine()

    def resume(self, launches: Iterable[Earlier], *, next_number: int) -> None:
        """Go on with what an earlier process launched: reserves and holders are read from the chain."""
        self.next_number = next_number
        for earlier in launches:
            running = Running(
                plan=draw(self.market, earlier.number),
                created_block=earlier.created_block,
                created_at=earlier.created_at,
                token=earlier.token,
                pool=earlier.pool,
                is_created=True,
                rugged_block=earlier.rugged_block,
                shut_block=earlier.shut_block,
            )
            if self._age_s(running, self.head) <= running.ends_at_s():
                self.running[earlier.number] = running
        self.listed = tuple(self.running.values())[-LISTED_MAX:]
        self._read_ranged([running for running in self.running.values() if running.plan.venue == "v3"])
        alive = [running for running in self.running.values() if running.plan.venue == "v2"]
        reserves = self._read([(running.pool, "getReserves()", ()) for running in alive])
        for running, answer in zip(alive, reserves, strict=True):
            if len(answer) >= 64:
                self._reserves_are(running, answer)
        people = [
            (running, label)
            for running in self.running.values()
            for label in (*running.plan.crew, *running.plan.washers)
        ]
        held = self._read(
            [(running.token, "balanceOf(address)", (self.crew.address(label),)) for running, label in people]
        )
        for (running, label), answer in zip(people, held, strict=True):
            if any(answer):
                running.holders.append(label)

    # -- one block ------------------------------------------------------------------------
    def tick(self, *, pairs_per_s: float) -> Mined:
        """Let everybody who is due act, mine a block and return what became true. Raises NetworkError."""
        block = self.head + 1
        self._launch_waiting(block)
        acts = self._acts_due(block)[:ACTS_PER_BLOCK_MAX]
        newcomers = self._draw_launches(block, pairs_per_s)
        self.crew.prepare([act.actor for _, act in acts])
        envelope = self._signed_acts(acts)
        if newcomers:
            envelope.raws.append(self._signed(FAUCET, self._funding(newcomers), order=len(envelope.raws)))
        self._waiting = newcomers
        return self._mine_with(envelope)

    def _acts_due(self, block: int) -> list[tuple[Running, Act]]:
        """Return who does what, the newest launches first: their beginning never falls to the limit."""
        acts: list[tuple[Running, Act]] = []
        block_s = self.market.block_s
        for number in sorted(self.running, reverse=True):
            running = self.running[number]
            age_s = self._age_s(running, block)
            if age_s > running.ends_at_s():
                del self.running[number]
                continue
            chance = self.market.chance("trades", number, block - running.created_block)
            due = [
                *at_launch(running.plan, age_s=age_s, block_s=block_s),
                *at_ending(running.plan, age_s=age_s, block_s=block_s),
                *trades(running.plan, running.view(), age_s=age_s, block_s=block_s, chance=chance),
            ]
            acts += [(running, act) for act in due]
        return acts

    def _age_s(self, running: Running, block: int) -> float:
        return (block - running.created_block) * self.market.block_s

    def _draw_launches(self, block: int, pairs_per_s: float) -> list[Launch]:
        if len(self.running) >= LAUNCHES_LIVE_MAX:
            return []
        count = poisson(pairs_per_s * self.market.block_s, self.market.chance("schedule", block))
        plans = [
            draw(self.market, self.next_number + index) for index in range(min(count, LAUNCHES_PER_BLOCK_MAX))
        ]
        self.next_number += len(plans)
        return plans

    def _launch_waiting(self, block: int) -> None:
        self.crew.prepare([plan.deployer for plan in self._waiting])
        nonces = {plan.deployer: self.crew[plan.deployer].nonce for plan in self._waiting}
        seen: set[str] = set()
        for plan in self._waiting:
            if plan.deployer in seen:  # its second token of this block would stand at an unknown nonce
                continue
            seen.add(plan.deployer)
            token = created_address(self.crew.address(plan.deployer), nonces[plan.deployer])
            pool = self._pool_address(plan, token)
            self.running[plan.number] = Running(
                plan=plan, created_block=block, created_at=timezone.now(), token=token, pool=pool
            )

    def _pool_address(self, plan: Launch, token: str) -> str:
        if plan.venue == "v3":
            factory = self.at.ranged.factory
            return ranged.pool_address(factory=factory, token=token, other=self.at.wrapped)
        return tx.pool_address(
            factory=self.at.factory, code_hash=self._code_hash, token=token, other=self.at.wrapped
        )

    def _funding(self, plans: Iterable[Launch]) -> tx.Call:
        receivers: list[str] = []
        amounts: list[int] = []
        for plan in plans:
            receivers.append(self.crew.address(plan.deployer))
            amounts.append(plan.liquidity_wei + _DEPLOYER_GAS_WEI)
            for label, _ in plan.insiders:
                receivers.append(self.crew.address(label))
                amounts.append(_INSIDER_GAS_WEI)
        return tx.fund_call(self.at, receivers, amounts)

    # -- transactions ---------------------------------------------------------------------
    def _signed_acts(self, acts: Sequence[tuple[Running, Act]]) -> _Envelope:
        envelope = _Envelope()
        holdings = self._holdings(acts)
        carried: dict[int, Truth] = {}
        for running, act in acts:
            number = running.plan.number
            truth = act.truth or carried.pop(number, None)
            calls = self._calls(running, act, holdings)
            if not calls and truth is not None:  # there was nothing to sell; the next who sells makes it true
                carried[number] = truth
            for call in calls:
                envelope.raws.append(self._signed(act.actor, call, order=len(envelope.raws)))
            if calls:
                envelope.labels.add(act.actor)
                if truth is not None:
                    envelope.truths.append((running, truth, len(envelope.raws) - 1))
        return envelope

    def _holdings(self, acts: Iterable[tuple[Running, Act]]) -> dict[tuple[str, str], int]:
        """Return what sellers hold of what they sell, by contract and label."""
        wanted: dict[tuple[str, str], None] = {}
        for running, act in acts:
            if act.verb == "sell":
                wanted[running.token, act.actor] = None
            elif act.verb == "remove_liquidity" and running.plan.venue == "v2":
                wanted[running.pool, act.actor] = None
        answers = self._read(
            [(token, "balanceOf(address)", (self.crew.address(label),)) for token, label in wanted]
        )
        return {key: int.from_bytes(answer[:32], "big") for key, answer in zip(wanted, answers, strict=True)}

    def _calls(self, running: Running, act: Act, holdings: dict[tuple[str, str], int]) -> list[tx.Call]:
        who = self.crew.address(act.actor)
        match act.verb:
            case "buy":
                if act.actor not in running.holders:
                    running.holders.append(act.actor)
                return [
                    tx.buy_call(
                        self.at,
                        token=running.token,
                        buyer=who,
                        native_wei=act.native_wei,
                        venue=running.plan.venue,
                    )
                ]
            case "sell":
                return self._sale(running, act, holdings.pop((running.token, act.actor), 0))
            case "remove_liquidity" | "call" | "mint_and_sell" | "grab_and_sell":
                return self._ending_calls(running, act, holdings.pop((running.pool, act.actor), 0))
        return self._launch_calls(running, act)

    def _launch_calls(self, running: Running, act: Act) -> list[tx.Call]:
        plan, at, token, pool = running.plan, self.at, running.token, running.pool
        who = self.crew.address(act.actor)
        match act.verb:
            case "deploy":
                return [tx.deploy_call(plan, at, self._named(plan))]
            case "open_pool":
                return [tx.open_pool_call(at, token)]
            case "add_liquidity":
                return tx.add_liquidity_calls(plan, at, token=token, provider=who)
            case "give":
                insiders = tuple(self.crew.address(label) for label, _ in plan.insiders)
                return tx.give_calls(plan, at, token=token, insiders=insiders)
            case "burn_shares" if plan.venue == "v3":
                return []  # the position was made for nobody
            case "burn_shares":
                return [tx.burn_shares_call(plan, pool)]
            case "lock_shares":
                return tx.lock_shares_calls(
                    plan, at, pool=pool, owner=who, today_s=self._head_s // _DAY_S * _DAY_S
                )
            case "renounce":
                return [tx.renounce_call(token)]
        raise AssertionError(act.verb)

    def _ending_calls(self, running: Running, act: Act, shares_raw: int) -> list[tx.Call]:
        plan, at, token, pool = running.plan, self.at, running.token, running.pool
        who = self.crew.address(act.actor)
        if act.verb == "remove_liquidity" and plan.venue == "v3":
            return self._ranged_removal(who, act)
        if act.verb == "remove_liquidity":
            raw = shares_raw * act.bps // 10_000
            if raw == 0:
                return []
            return tx.remove_liquidity_calls(at, token=token, pool=pool, provider=who, raw=raw)
        if act.verb == "grab_and_sell":
            raw = running.reserves[1] * _GRABBED_BPS // 10_000
            if raw == 0:
                return []
            sale = tx.sell_call(at, token=token, seller=who, raw=raw)
            return [*tx.grab_calls(token=token, pool=pool, taker=who, raw=raw), sale]
        shut = tx.owner_call(plan, token, self._named(plan))
        if act.verb == "call":
            return [shut]
        return [shut, tx.sell_call(at, token=token, seller=who, raw=tx.minted_raw(plan))]

    def _ranged_removal(self, owner: str, act: Act) -> list[tx.Call]:
        """Return what takes liquidity out of an account's only position; nothing where it has none."""
        positions = self.at.ranged.positions
        [found] = self._read([(positions, "tokenOfOwnerByIndex(address,uint256)", (owner, 0))])
        if len(found) < _WORD:
            return []
        position = int.from_bytes(found[:_WORD], "big")
        [told] = self._read([(positions, "positions(uint256)", (position,))])
        held = int.from_bytes(told[7 * _WORD : 8 * _WORD], "big")
        liquidity = held * act.bps // 10_000
        if liquidity == 0:
            return []
        return [tx.remove_ranged_call(self.at, position=position, liquidity=liquidity, owner=owner)]

    def _sale(self, running: Running, act: Act, held_raw: int) -> list[tx.Call]:
        raw = held_raw * act.bps // 10_000
        if act.bps == 10_000 and act.actor in running.holders:
            running.holders.remove(act.actor)
        if raw == 0:
            return []
        calls = []
        venue = running.plan.venue
        is_allowed = act.actor == running.plan.deployer and venue == "v2"  # since the deployment
        if act.actor not in running.approved and not is_allowed:
            running.approved.add(act.actor)
            router = self.at.ranged.router if venue == "v3" else self.at.router
            calls.append(tx.approve_call(running.token, router))
        seller = self.crew.address(act.actor)
        return [*calls, tx.sell_call(self.at, token=running.token, seller=seller, raw=raw, venue=venue)]

    def _named(self, plan: Launch) -> dict[str, str]:
        deployer = self.crew.address(plan.deployer)
        return {"deployer": deployer, "fees": self.crew.address(f"fees:{plan.deployer}")}

    def _signed(self, label: str, call: tx.Call, *, order: int) -> str:
        """Sign; whoever comes first in the block pays most, so that the order is the same at every replay.

        Blocks of public chains are ordered by tip, anvil's by the most that is paid: with the usual room for the base fee
        both are one, also beside transactions that are not ours.
        """
        tip_wei = self.market.tip_wei(self.head + 1) - order * _FEE_STEP_WEI
        return self.crew[label].sign(
            to=call.to,
            data=call.data,
            value_wei=call.value_wei,
            gas=call.gas,
            max_fee_wei=BASE_FEE_MARGIN * self._base_fee_wei + tip_wei,
            tip_wei=tip_wei,
        )

    # -- the block ------------------------------------------------------------------------
    def _mine_with(self, envelope: _Envelope) -> Mined:
        hashes = self.rpc.batch([("eth_sendRawTransaction", (raw,)) for raw in envelope.raws], strict=False)
        if any(isinstance(item, SandboxRpcError) for item in hashes):
            for label in (*envelope.labels, FAUCET):  # whose nonces are no longer sure
                self.crew.forget(label)
            self.crew.prepare((FAUCET,))
        asked = [item for item in envelope.truths if not isinstance(hashes[item[2]], SandboxRpcError)]
        block_hash, mined_at, receipts = self._mine([hashes[place] for _, _, place in asked])
        changed: dict[int, Running] = {}
        for (running, truth, _), receipt in zip(asked, receipts, strict=True):
            if receipt is not None and receipt["status"] == "0x1":
                running.becomes(truth, block=self.head)
                changed[running.plan.number] = running
                if truth == "created":
                    self.listed = (*self.listed[-LISTED_MAX + 1 :], running)
        for running in list(self.running.values()):
            if not running.is_created:  # its deployment failed
                del self.running[running.plan.number]
        return Mined(
            number=self.head,
            hash=block_hash,
            mined_at=mined_at,
            transactions=len(envelope.raws),
            launches=tuple(changed.values()),
        )

    def _mine(self, receipts_of: Iterable[str] = ()) -> tuple[str, datetime, list[Any]]:
        """Mine; return the block's hash, the moment, and the receipts asked for."""
        timestamp = max(self._head_s + 1, int(time.time()))
        fixed = self.at.spec.base_fee_wei
        steps: list[tuple[str, Sequence[object]]] = [("evm_mine", (timestamp,))]
        if fixed is not None:
            steps.insert(0, ("anvil_setNextBlockBaseFeePerGas", (hex(fixed),)))
        self.rpc.batch(steps)
        mined_at = timezone.now()
        number = hex(self.head + 1)
        sync_logs = {"fromBlock": number, "toBlock": number, "topics": [_STATE_TOPICS]}
        head, logs, *receipts = self.rpc.batch(
            [
                ("eth_getBlockByNumber", (number, False)),
                ("eth_getLogs", (sync_logs,)),
                *(("eth_getTransactionReceipt", (tx_hash,)) for tx_hash in receipts_of),
            ]
        )
        self._stands_on(head)
        self._follow_reserves(logs)
        return str(head["hash"]), mined_at, receipts

    def _stands_on(self, head: Mapping[str, str]) -> None:
        self.head, self._head_s = int(head["number"], 16), int(head["timestamp"], 16)
        fixed = self.at.spec.base_fee_wei
        self._base_fee_wei = (
            next_base_fee_wei(
                base_fee_wei=int(head["baseFeePerGas"], 16),
                gas_used=int(head["gasUsed"], 16),
                gas_limit=int(head["gasLimit"], 16),
            )
            if fixed is None
            else fixed
        )

    def _follow_reserves(self, logs: Iterable[Mapping[str, str]]) -> None:
        by_pool = {running.pool.lower(): running for running in self.running.values()}
        moved: dict[int, Running] = {}
        for log in logs:
            running = by_pool.get(log["address"].lower())
            if running is None:
                continue
            if running.plan.venue == "v3":
                moved[running.plan.number] = running
            else:
                self._reserves_are(running, bytes.fromhex(log["data"][2:]))
        self._read_ranged(list(moved.values()))

    def _read_ranged(self, launches: Sequence[Running]) -> None:
        """Read what pools of ranged liquidity hold now."""
        if not launches:
            return
        prices = self._read([(running.pool, "slot0()", ()) for running in launches])
        depths = self._read([(running.pool, "liquidity()", ()) for running in launches])
        for running, price, depth in zip(launches, prices, depths, strict=True):
            running.reserves = ranged.reserves_of(
                sqrt_price_x96=int.from_bytes(price[:_WORD], "big"),
                liquidity=int.from_bytes(depth[:_WORD], "big"),
                native_is_first=int(self.at.wrapped, 16) < int(running.token, 16),
            )

    def _reserves_are(self, running: Running, words: bytes) -> None:
        first, second = int.from_bytes(words[:32], "big"), int.from_bytes(words[32:64], "big")
        native_is_first = int(self.at.wrapped, 16) < int(running.token, 16)
        running.reserves = (first, second) if native_is_first else (second, first)

    def _read(self, questions: Sequence[tuple[str, str, tuple[object, ...]]]) -> list[bytes]:
        """Return the raw answers of contracts; b"" where one refuses."""
        calls = [
            ("eth_call", ({"to": to, "data": "0x" + calldata(signature, *arguments).hex()}, "latest"))
            for to, signature, arguments in questions
        ]
        answers: list[Any] = []
        for start in range(0, len(calls), _CALLS_PER_BATCH_MAX):
            answers += self.rpc.batch(calls[start : start + _CALLS_PER_BATCH_MAX], strict=False)
        return [
            b"" if isinstance(answer, SandboxRpcError) else bytes.fromhex(answer[2:]) for answer in answers
        ]
