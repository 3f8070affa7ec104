"""Where probes are played: one pool at one block, with actors nobody knows beforehand, and how their trades are measured."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from eth_utils.crypto import keccak

from apps.chains.evm import abi, parse
from apps.chains.evm.dex.constant_product import tax_bps
from apps.chains.evm.simulate import (
    LEG_GAS,
    VIEW_GAS,
    Plan,
    PoolState,
    arrived_raw,
    buy_step_data,
    quote,
    sell_step_data,
    state_after,
    state_topics,
    swap_topics,
)
from apps.chains.evm.simulate_script import Scene, Script, Stage, Step, Told
from apps.domain.probes import Holdings, ProbeCall

#: Actors of the assessments that run at the same time.
_ACTORS_KEPT = 1_024


@dataclass(frozen=True, slots=True, kw_only=True)
class Trade:
    """A simulated buy or sale. ``got_raw`` is what came in, None when it failed for ``detail``."""

    got_raw: int | None
    tax_bps: int | None
    gas_used: int
    detail: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether it went well."""
        return self.got_raw is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """One pool at one block. ``seed`` makes the actors: unknown to any token before its block, the same at each repeat."""

    plan: Plan
    stage: Stage
    seed: str

    def actor(self, name: str) -> str:
        """Return the address of an actor, in lower case."""
        return _actor(self.seed, name)

    # -- steps ----------------------------------------------------------------------------

    def buy(self, sender: str, amount_raw: int) -> Step:
        """Return the purchase for so many coins."""
        data = buy_step_data(self.plan, recipient=sender, amount_raw=amount_raw)
        return Step(sender=sender, to=self.plan.router, data=data, gas=LEG_GAS, value_raw=amount_raw)

    def approve(self, sender: str, amount_raw: int) -> Step:
        """Return the approval of the router."""
        data = "0x" + abi.approve_data(spender=self.plan.router, amount_raw=amount_raw).hex()
        return Step(sender=sender, to=self.plan.token, data=data, gas=LEG_GAS)

    def sell(self, sender: str, amount_raw: int) -> Step:
        """Return the sale of so many tokens."""
        data = sell_step_data(self.plan, recipient=sender, amount_raw=amount_raw)
        return Step(sender=sender, to=self.plan.router, data=data, gas=LEG_GAS)

    def transfer(self, sender: str, receiver: str, amount_raw: int) -> Step:
        """Return a transfer of so many tokens."""
        data = abi.call(abi.TRANSFER, receiver, amount_raw)
        return Step(sender=sender, to=self.plan.token, data=data, gas=LEG_GAS)

    def balance(self, holder: str) -> Step:
        """Return a look at a balance, by an onlooker."""
        return self._look(abi.call(abi.BALANCE_OF, holder))

    def supply(self) -> Step:
        """Return a look at the supply."""
        return self._look(abi.call(abi.TOTAL_SUPPLY))

    def holdings(self, *, caller: str) -> tuple[Step, ...]:
        """Return looks at everything that Holdings keeps."""
        plan = self.plan
        holders = (plan.buyer, caller, self.actor("receiver"), plan.pool, plan.token)
        return (self.supply(), *(self.balance(holder) for holder in holders))

    def _look(self, data: str) -> Step:
        return Step(sender=self.actor("onlooker"), to=self.plan.token, data=data, gas=VIEW_GAS)

    def script(self, scenes: Sequence[Scene], *, paying_raw: int, is_valid: bool = True) -> Script:
        """Return the script, each of its senders given coins for gas and up to ``paying_raw`` for trades."""
        gas: dict[str, int] = {}
        sent: dict[str, int] = {}
        for scene in scenes:
            for step in scene.steps:
                gas[step.sender] = gas.get(step.sender, 0) + step.gas
                sent[step.sender] = sent.get(step.sender, 0) + step.value_raw
        fee = self.stage.max_fee_wei
        funds = {sender: max(paying_raw, sent[sender]) + used * fee for sender, used in gas.items()}
        return Script(scenes=tuple(scenes), funds=funds, is_valid=is_valid)

    # -- measures -------------------------------------------------------------------------

    def bought(
        self, told: Told, *, before: Told, after: Told, amount_raw: int, reserves: PoolState | None
    ) -> Trade:
        """Return how a purchase went; ``reserves`` are those before it, None leaves its tax unknown."""
        if not told.ok:
            return Trade(got_raw=None, tax_bps=None, gas_used=told.gas_used, detail=told.reason)
        if before.word is None or after.word is None:
            return _failed(told, "the token's balance cannot be read")
        received = after.word - before.word
        if received <= 0:
            return _failed(told, "nothing arrived")
        tax = None
        if reserves is not None:
            expected = quote(self.plan, reserves, buys=True, amount_raw=amount_raw)
            tax = tax_bps(expected_raw=expected, received_raw=received) if expected else None
        return Trade(got_raw=received, tax_bps=tax, gas_used=told.gas_used)

    def sold(self, told: Told, *, sold_raw: int, reserves: PoolState | None) -> Trade:
        """Return how a sale went. The tax is the worse of two measures: coins against the quote, tokens that arrived."""
        if not told.ok:
            return Trade(got_raw=None, tax_bps=None, gas_used=told.gas_used, detail=told.reason)
        returned = self._withdrawn(told)
        if returned <= 0:
            return _failed(told, "nothing arrived")
        taxes = []
        if reserves is not None:
            expected = quote(self.plan, reserves, buys=False, amount_raw=sold_raw)
            taxes += [tax_bps(expected_raw=expected, received_raw=returned)] if expected else []
            arrived = self._arrived(told)
            taxes += [tax_bps(expected_raw=sold_raw, received_raw=arrived)] if arrived and sold_raw else []
        return Trade(got_raw=returned, tax_bps=max(taxes, default=None), gas_used=told.gas_used)

    def reserves_after(self, tolds: Iterable[Told], *, before: PoolState | None) -> PoolState | None:
        """Return the pool's state after these transactions, ``before`` when none touched it."""
        state = before
        for told in tolds:
            for topic in state_topics(self.plan):
                log = told.last_log(self.plan.pool, topic)
                if log is not None:
                    state = parse.attempt(state_after, self.plan, log, before=state) or state
        return state

    def _withdrawn(self, told: Told) -> int:
        """Return the coins that the router unwrapped last, which it pays to the seller."""
        log = told.last_log(self.plan.wrapped, abi.TOPIC_WITHDRAWAL)
        move = None if log is None else parse.attempt(parse.wrapped_move, log)
        return 0 if move is None else move.amount_raw

    def _arrived(self, told: Told) -> int:
        logs = (told.last_log(self.plan.pool, topic) for topic in swap_topics(self.plan))
        log = next((item for item in logs if item is not None), None)
        return parse.attempt(arrived_raw, self.plan, log) or 0


def holdings_of(tolds: Sequence[Told]) -> Holdings:
    """Return what ``Ground.holdings`` saw."""
    supply, buyer, caller, receiver, pool, token = (told.word for told in tolds)
    return Holdings(
        supply_raw=supply,
        buyer_raw=buyer,
        caller_raw=caller,
        receiver_raw=receiver,
        pool_raw=pool,
        token_raw=token,
    )


def probe_calls(scenes: Iterable[Scene], *, lookers: frozenset[str] = frozenset()) -> tuple[ProbeCall, ...]:
    """Return the transactions of these scenes as evidence, without those of mere ``lookers``."""
    return tuple(
        ProbeCall(
            sender=step.sender,
            to=step.to,
            data=step.data,
            value_raw=step.value_raw,
            blocks_ahead=scene.ahead,
        )
        for scene in scenes
        for step in scene.steps
        if step.sender not in lookers
    )


@lru_cache(maxsize=_ACTORS_KEPT)
def _actor(seed: str, name: str) -> str:
    return "0x" + bytes(keccak(text=f"{seed}:{name}"))[-20:].hex()


def _failed(told: Told, detail: str) -> Trade:
    return Trade(got_raw=None, tax_bps=None, gas_used=told.gas_used, detail=detail)
