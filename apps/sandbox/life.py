"""The life of one chain: who acts in the next block, their signed transactions, the block, the truth about it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.utils import timezone

from apps.sandbox import transactions as tx
from apps.sandbox.accounts import calldata
from apps.sandbox.crew import FAUCET, Crew
from apps.sandbox.deploy import Deployment, created_address
from apps.sandbox.logic import parameters as p
from apps.sandbox.market.acts import Act, Pool, Truth
from apps.sandbox.market.draw import Market, draw
from apps.sandbox.market.plan import Launch
from apps.sandbox.market.play import at_ending, at_launch, poisson, trades
from apps.sandbox.rpc import SandboxRpc, SandboxRpcError

LAUNCHES_LIVE_MAX = 2_000
LAUNCHES_PER_BLOCK_MAX = 20
ACTS_PER_BLOCK_MAX = 150
_MAX_FEE_WEI, _TIP_WEI, _FEE_STEP_WEI = 10 * 10**9, 2 * 10**9, 10**3
_SYNC_TOPIC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1"
_DEPLOYER_GAS_WEI, _INSIDER_GAS_WEI = 3 * 10**17, 10**17
_REGULAR_WEI = 5_000 * 10**18
_AFTERMATH_S = 60.0


@dataclass(slots=True, kw_only=True)
class Running:
    """A launch that is under way. Reserves follow from the chain's own logs."""

    plan: Launch
    created_block: int
    token: str
    pool: str
    native_is_first: bool
    reserves: tuple[int, int] = (0, 0)  # native, token
    holders: list[str] = field(default_factory=list)
    approved: set[str] = field(default_factory=set)
    deployed: bool = False
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """A block and the launches about which something new is true."""

    number: int
    hash: str
    mined_at: datetime
    transactions: int
    launches: tuple[Running, ...]


class ChainLife:
    """Makes one block after the other. Not for use by several threads."""

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
        )
        self.running: dict[int, Running] = {}
        self.next_number = 0
        self._waiting: list[Launch] = []  # funded in the last block, to be launched in the next
        self._code_hash = self._pair_code_hash()
        head = rpc.call("eth_getBlockByNumber", "latest", False)
        self.head, self._head_s = int(head["number"], 16), int(head["timestamp"], 16)

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
        labels += [f"wash:{ring}:{index}" for ring in range(p.WASH_RINGS) for index in range(5)]
        raws = []
        for start in range(0, len(labels), 100):
            part = [self.crew.address(label) for label in labels[start : start + 100]]
            call = tx.fund_call(self.at, part, [_REGULAR_WEI] * len(part))
            raws.append(self._signed(FAUCET, call, order=start))
        self.rpc.batch([("eth_sendRawTransaction", (raw,)) for raw in raws])
        self._mine()

    def resume(self, *, numbers: dict[int, int], next_number: int) -> None:
        """Go on with launches that an earlier process made. ``numbers`` gives each one's block of creation."""
        self.next_number = next_number
        for number, block in numbers.items():
            plan = draw(self.market, number)
            if (self.head - block) * self.market.block_s < LAUNCHES_LIVE_MAX:
                self.running[number] = self._running(plan, block, nonce=None)

    # -- one block ------------------------------------------------------------------------
    def tick(self, *, pairs_per_s: float) -> Mined:
        """Let everybody who is due act, mine a block and return what became true. Raises NetworkError."""
        block = self.head + 1
        raws: list[str] = []
        truths: list[tuple[Running, Truth, int]] = []  # with the transaction's place in ``raws``
        acts = self._acts_due(block)
        self._launch_waiting(block)
        for running in self.running.values():
            age_s = self._age_s(running, block)
            acts += [(running, act) for act in at_launch(running.plan, age_s=age_s, block_s=self.market.block_s)]
        acts.sort(key=lambda item: item[0].plan.number)
        acts = acts[:ACTS_PER_BLOCK_MAX]
        newcomers = self._draw_launches(block, pairs_per_s)
        self.crew.prepare([act.actor for _, act in acts])
        holdings = self._holdings(acts)
        carried: dict[int, Truth] = {}
        for running, act in acts:
            truth = act.truth or carried.pop(running.plan.number, None)
            calls = self._calls(running, act, holdings)
            if not calls and truth is not None:
                carried[running.plan.number] = truth
            for call in calls:
                raws.append(self._signed(act.actor, call, order=len(raws)))
            if calls and truth is not None:
                truths.append((running, truth, len(raws) - 1))
        if newcomers:
            raws.append(self._signed(FAUCET, self._funding(newcomers), order=len(raws)))
        self._waiting = newcomers
        return self._mine_with(raws, [act.actor for _, act in acts], truths)

    def _acts_due(self, block: int) -> list[tuple[Running, Act]]:
        acts: list[tuple[Running, Act]] = []
        for number, running in list(self.running.items()):
            age_s = self._age_s(running, block)
            if age_s > running.ends_at_s():
                del self.running[number]
                continue
            acts += [
                (running, act)
                for act in at_ending(running.plan, age_s=age_s, block_s=self.market.block_s)
            ]
            chance = self.market.chance("trades", number, block - running.created_block)
            acts += [
                (running, act)
                for act in trades(
                    running.plan, running.view(), age_s=age_s, block_s=self.market.block_s, chance=chance
                )
            ]
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
        for plan in self._waiting:
            self.running[plan.number] = self._running(plan, block, nonce=nonces[plan.deployer])
            nonces[plan.deployer] += 1

    def _running(self, plan: Launch, block: int, *, nonce: int | None) -> Running:
        assert nonce is not None
        token = created_address(self.crew.address(plan.deployer), nonce)
        return Running(
            plan=plan,
            created_block=block,
            token=token,
            pool=tx.pool_address(
                factory=self.at.factory, code_hash=self._code_hash, token=token, other=self.at.wrapped
            ),
            native_is_first=int(self.at.wrapped, 16) < int(token, 16),
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
    def _holdings(self, acts: Iterable[tuple[Running, Act]]) -> dict[tuple[str, str], int]:
        wanted: dict[tuple[str, str], None] = {}
        for running, act in acts:
            if act.verb == "sell":
                wanted[running.token, act.actor] = None
            elif act.verb == "remove_liquidity":
                wanted[running.pool, act.actor] = None
        answers = self.rpc.batch(
            [
                (
                    "eth_call",
                    (
                        {
                            "to": token,
                            "data": "0x" + calldata("balanceOf(address)", self.crew.address(label)).hex(),
                        },
                        "latest",
                    ),
                )
                for token, label in wanted
            ],
            strict=False,
        )
        return {
            key: 0 if isinstance(answer, SandboxRpcError) else int(answer, 16)
            for key, answer in zip(wanted, answers, strict=True)
        }

    def _calls(self, running: Running, act: Act, holdings: dict[tuple[str, str], int]) -> list[tx.Call]:
        plan, at, token, pool = running.plan, self.at, running.token, running.pool
        who = self.crew.address(act.actor)
        match act.verb:
            case "deploy":
                return [tx.deploy_call(plan, at, self._named(plan))]
            case "add_liquidity":
                return [tx.add_liquidity_call(plan, at, token=token, provider=who)]
            case "give":
                insiders = tuple(self.crew.address(label) for label, _ in plan.insiders)
                return tx.give_calls(plan, at, token=token, insiders=insiders)
            case "burn_shares":
                return [tx.burn_shares_call(plan, pool)]
            case "lock_shares":
                return tx.lock_shares_calls(plan, at, pool=pool, owner=who, now_s=self._head_s)
            case "renounce":
                return [tx.Call(to=token, data=calldata("renounceOwnership()"), gas=tx.GAS_APPROVE)]
            case "call":
                return [tx.owner_call(plan, token, self._named(plan))]
            case "buy":
                if act.actor not in running.holders:
                    running.holders.append(act.actor)
                return [tx.buy_call(at, token=token, buyer=who, native_wei=act.native_wei)]
            case "sell":
                return self._sale(running, act, holdings.get((token, act.actor), 0))
            case "remove_liquidity":
                raw = holdings.get((pool, act.actor), 0) * act.bps // 10_000
                if raw == 0:
                    return []
                return tx.remove_liquidity_calls(at, token=token, pool=pool, provider=who, raw=raw)

    def _sale(self, running: Running, act: Act, held_raw: int) -> list[tx.Call]:
        raw = held_raw * act.bps // 10_000
        if act.bps == 10_000 and act.actor in running.holders:
            running.holders.remove(act.actor)
        if raw == 0:
            return []
        calls = []
        if act.actor not in running.approved and act.actor != running.plan.deployer:
            running.approved.add(act.actor)
            calls.append(tx.approve_call(running.token, self.at.router))
        seller = self.crew.address(act.actor)
        return [*calls, tx.sell_call(self.at, token=running.token, seller=seller, raw=raw)]

    def _named(self, plan: Launch) -> dict[str, str]:
        deployer = self.crew.address(plan.deployer)
        return {"deployer": deployer, "fees": self.crew.address(f"fees:{plan.deployer}")}

    def _signed(self, label: str, call: tx.Call, *, order: int) -> str:
        """Sign; whoever comes first in the block pays most, so that the order is the same at every replay."""
        return self.crew[label].sign(
            to=call.to,
            data=call.data,
            value_wei=call.value_wei,
            gas=call.gas,
            max_fee_wei=_MAX_FEE_WEI - order * _FEE_STEP_WEI,
            tip_wei=_TIP_WEI - order * _FEE_STEP_WEI,
        )

    # -- the block ------------------------------------------------------------------------
    def _mine_with(
        self, raws: list[str], labels: list[str], truths: list[tuple[Running, Truth, int]]
    ) -> Mined:
        hashes = self.rpc.batch([("eth_sendRawTransaction", (raw,)) for raw in raws], strict=False)
        if any(isinstance(item, SandboxRpcError) for item in hashes):
            for label in {*labels, FAUCET}:  # whose nonces are no longer sure
                self.crew.forget(label)
            self.crew.prepare((FAUCET,))
        asked = [item for item in truths if not isinstance(hashes[item[2]], SandboxRpcError)]
        number, block_hash, mined_at, receipts = self._mine([hashes[place] for _, _, place in asked])
        changed: dict[int, Running] = {}
        for (running, truth, _), receipt in zip(asked, receipts, strict=True):
            if receipt is None or receipt["status"] != "0x1":
                if truth == "created":
                    self.running.pop(running.plan.number, None)
                continue
            changed[running.plan.number] = running
            if truth == "created":
                running.deployed = True
                if running.plan.sells_for_blocks is not None:
                    running.shut_block = number + running.plan.sells_for_blocks + 1
            elif truth == "rugged":
                running.rugged_block = number
            else:
                running.shut_block = number
        for number_, running in list(self.running.items()):
            if not running.deployed:
                del self.running[number_]
        return Mined(
            number=number,
            hash=block_hash,
            mined_at=mined_at,
            transactions=len(raws),
            launches=tuple(changed.values()),
        )

    def _mine(self, receipts_of: Iterable[str] = ()) -> tuple[int, str, datetime, list[Any]]:
        timestamp = max(self._head_s + 1, int(time.time()))
        self.rpc.call("evm_mine", timestamp)
        mined_at = timezone.now()
        calls: list[tuple[str, tuple[object, ...]]] = [
            ("eth_getBlockByNumber", (hex(self.head + 1), False)),
            ("eth_getLogs", ({"fromBlock": hex(self.head + 1), "toBlock": hex(self.head + 1), "topics": [_SYNC_TOPIC]},)),
        ]
        calls += [("eth_getTransactionReceipt", (tx_hash,)) for tx_hash in receipts_of]
        head, logs, *receipts = self.rpc.batch(calls)
        self.head, self._head_s = self.head + 1, timestamp
        self._follow_reserves(logs)
        return self.head, head["hash"], mined_at, receipts

    def _follow_reserves(self, logs: Iterable[dict[str, Any]]) -> None:
        by_pool = {running.pool.lower(): running for running in self.running.values()}
        for log in logs:
            running = by_pool.get(log["address"].lower())
            if running is not None:
                first, second = int(log["data"][2:66], 16), int(log["data"][66:130], 16)
                running.reserves = (first, second) if running.native_is_first else (second, first)

    def _pair_code_hash(self) -> str:
        if self.at.spec.flavour == "uniswap":
            return "96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
        request = {"to": self.at.factory, "data": "0x" + calldata("INIT_CODE_PAIR_HASH()").hex()}
        return str(self.rpc.call("eth_call", request, "latest"))


Clock = Callable[[], float]
