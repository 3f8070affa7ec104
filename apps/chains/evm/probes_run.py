"""The full assessment of one token: all probes on one block, in as few rounds of questions as the answers allow.

Rounds: 1 code, storage, events, purchases; 2 whoever was named there, sales; 3 which calls are let through; 4 the calls
that matter, one by one; 5 what only the fourth showed. A part that cannot be known has its reason; nothing is made up.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from apps.chains.evm import owner, owner_upgrade
from apps.chains.evm.bytecode import Function
from apps.chains.evm.client import Request
from apps.chains.evm.owner_acts import OwnerPlay
from apps.chains.evm.owner_arguments import (
    Cast,
    Try,
)
from apps.chains.evm.owner_hinges import HingePlay
from apps.chains.evm.owner_levers import LeverPlay, functions_named
from apps.chains.evm.owner_rounds import ActRounds, Acts
from apps.chains.evm.owner_triggers import trigger_tries
from apps.chains.evm.owner_upgrade import UpgradePlay
from apps.chains.evm.probes import Learned, TradePlay
from apps.chains.evm.probes_commanders import CommanderLook
from apps.chains.evm.probes_variants import Variants, numbers_kept
from apps.chains.evm.probes_windfall import WindfallPlay
from apps.chains.evm.simulate import injected_request, injected_result
from apps.chains.evm.simulate_script import Script
from apps.domain.market import PairFacts
from apps.domain.probes import (
    Commander,
    Lever,
    TokenProbes,
    TradeName,
    UpgradePower,
)

#: Numbers in the code that nothing is visibly compared with and that are tried all the same.
_NUMBERS_TRIED_MAX = 4


def unprobed(facts: PairFacts, *, buyer: str, amount_in_raw: int, reason: str) -> TokenProbes:
    """Return an assessment in which nothing could be tried, with the reason."""
    return TokenProbes(
        block=facts.block,
        runner="",
        buyer=buyer,
        amount_in_raw=amount_in_raw,
        trades=(),
        commanders=(),
        trial=None,
        acts=(),
        refused=(),
        untried=(),
        code=None,
        upgrade=UpgradePower(reachable=None, commander=None, detail=reason),
        duration_ms=0,
        missing={"trades": reason, "acts": reason, "code": reason},
    )


@dataclass(kw_only=True)
class Assessment(CommanderLook):
    """One token's full assessment in the making."""

    levers: tuple[Lever, ...] = ()

    def run(self) -> TokenProbes:
        """Return everything that was found out. Raises NetworkError."""
        started = time.monotonic()
        trades = TradePlay(ground=self.ground, reserves=self.reserves, runner=self.runner)
        self.round(self._first_requests(), trades.first())
        self._fall_back(trades)
        trades = replace(trades, runner=self.runner)
        learned = trades.learned(self.accounts)
        self._read_code()
        requests = self._second_requests()
        windfall = self._windfall_play(learned)
        gains = {} if windfall is None else {"windfall": windfall.script()}
        self.round(requests, {**trades.second(learned), **gains})
        self._read_implementation()
        self._read_satellites()
        commanders = self._commanders()
        variants = self._variants(trades, learned)
        third = trades.third(learned, self.accounts)
        third |= {} if variants is None else variants.scripts()
        late = trades.unplayed(self.accounts)
        acts = self._acts(trades, commanders, learned, third, late)
        instead = {
            name: injected_result(self.plan, self.answers[f"late:{name}"])
            for name in late
            if f"late:{name}" in self.answers
        }
        return TokenProbes(
            block=self.facts.block,
            runner=self.runner,
            buyer=self.plan.buyer,
            amount_in_raw=self.plan.amount_in_raw,
            trades=(
                *trades.probes(learned, self.accounts, instead=instead),
                *(() if variants is None else variants.probes(self.accounts, runner=self.runner)),
            ),
            commanders=tuple(map(acts.delayed, self.known_commanders)),
            trial=acts.trial,
            acts=acts.acts,
            refused=acts.refused,
            untried=acts.untried,
            code=self._code_facts(),
            upgrade=acts.upgrade,
            duration_ms=int((time.monotonic() - started) * 1_000),
            missing=dict(self.missing),
            levers=self.levers,
            windfall=None if windfall is None else windfall.windfall(self.accounts.get("windfall")),
        )

    def _variants(self, trades: TradePlay, learned: Learned) -> Variants | None:
        received = learned.received_raw
        if received is None:
            return None
        numbers = dict.fromkeys(number for code in self.running for number in code.numbers)
        return Variants(
            ground=self.ground,
            received_raw=received,
            numbers=(*numbers_kept(self._variables(), self.words), *numbers),
            opcodes=frozenset[int]().union(*(code.opcodes for code in self.running)),
            wait=trades.wait(self.accounts),
            reserves=self.reserves,
            pooled_coins_raw=0 if self.facts.reserves is None else self.facts.reserves.quote_raw,
            accounts=(self.token.lower(), *(item.address for item in self.candidates)),
            persons=tuple(
                item.address
                for item in self.candidates
                if owner.code_of(self.answers.get(f"code:{item.address}")) == b""
            ),
        )

    def _windfall_play(self, learned: Learned) -> WindfallPlay | None:
        received = learned.received_raw
        if received is None:
            return None
        accounts = tuple(item.address for item in self.candidates)
        return WindfallPlay(ground=self.ground, received_raw=received, accounts=accounts)

    def _late_requests(self, late: Mapping[TradeName, int]) -> dict[str, Request]:
        """Return round trips wholly at the later block, where the node would not play the blocks in between."""
        if self.runner != "eth_simulateV1" or not self.plan.family.is_injectable:
            return {}
        requests: dict[str, Request] = {}
        for name, delay in late.items():
            method, params = injected_request(self.plan)
            block = {
                "number": hex(self.stage.number + 1 + delay),
                "time": hex(self.stage.time_s(1 + delay)),
            }
            requests[f"late:{name}"] = (method, [*params, block])
        return requests

    def _acts(
        self,
        trades: TradePlay,
        commanders: Sequence[Commander],
        learned: Learned,
        third: Mapping[str, Script],
        late: Mapping[TradeName, int],
    ) -> Acts:
        """Run rounds three to five."""
        received = learned.received_raw
        requests = self._late_requests(late)
        if received is None or not self.running:
            self.round(requests, third)
            bought = learned.buys.get("intended_size")
            reason = learned.reasons.get("intended_size") or self.missing.get("code") or ""
            if bought is not None and bought.got_raw is None:
                reason = f"buying fails already: {bought.detail}"
            self.missing["acts"] = reason or "nothing could be bought"
            return Acts(upgrade=UpgradePower(reachable=None, commander=None, detail=self.missing["acts"]))
        cast = self._cast(received)
        play = OwnerPlay(
            ground=self.ground,
            cast=cast,
            reserves=self.reserves,
            received_raw=received,
            sale_ahead=2 + trades.wait(self.accounts),
        )
        acts = ActRounds(run=self, play=play, commanders=commanders).acts(requests, third)
        return self._with_storage_tried(play, acts)

    def _with_storage_tried(self, play: OwnerPlay, acts: Acts) -> Acts:
        """Return the acts with those that storage suggested; what nobody's calls showed becomes a lever."""
        if acts.trial is None or not acts.trial.sold:
            return acts
        refused = functions_named(self.functions(), acts.refused)
        locks = self._lever_play(play, refused)
        hinges = self._hinge_play(play, acts)
        self._played({**locks.lock_scripts(), **hinges.look_script()})
        words = hinges.words(self.accounts)
        locked = locks.locked(self.accounts) if locks.lock_scripts() else frozenset[str]()
        if isinstance(locked, str):
            self.missing["levers"] = locked
            locked = frozenset()
        self._played({**(locks.pull_scripts() if locked else {}), **hinges.pull_scripts(words)})
        tax_now = acts.trial.sell_tax_bps or 0
        harmful = hinges.harmful(words, self.accounts, tax_now_bps=tax_now)
        goals = hinges.goals(harmful)
        scripts = {name: play.act_script(act) for name, act in goals.items()}
        self._played({**scripts, **hinges.write_scripts(harmful, words)})
        self.levers = (
            *(locks.levers(locked, self.accounts) if locked else ()),
            *hinges.hidden(harmful, words, self.accounts),
        )
        return replace(acts, acts=(*acts.acts, *hinges.reached(goals, self.accounts))).with_delays()

    def _lever_play(self, play: OwnerPlay, refused: tuple[Function, ...]) -> LeverPlay:
        return LeverPlay(
            ground=self.ground,
            cast=play.cast,
            variables=self._variables(),
            words=self.words,
            refused=refused,
            commanders=tuple(item.address for item in self.known_commanders),
            received_raw=play.received_raw,
            sale_ahead=play.sale_ahead,
            reserves=self.reserves,
        )

    def _hinge_play(self, play: OwnerPlay, acts: Acts) -> HingePlay:
        stranger = Commander(address=self.ground.actor("anyone"), role="anyone")
        assert acts.trial is not None
        return HingePlay(
            play=play,
            variables=self._variables(),
            functions=tuple(
                item for item in self.functions() if not item.target and item.selector not in acts.refused
            ),
            commanders=(*self.known_commanders, stranger),
            # Without an owner nobody is left who could call what we cannot write down.
            untried=frozenset(acts.untried if self.facts.owner else ()),
            code=self.answers["code"],
            # What a commander held is not known here, and no matter: levels are asked for, not tokens.
            before=replace(acts.trial.before, caller_raw=None),
            words_before=self.words,
        )

    def _cast(self, received: int) -> Cast:
        reserves = self.facts.reserves
        return Cast(
            buyer=self.plan.buyer.lower(),
            pool=self.plan.pool.lower(),
            receiver=self.ground.actor("receiver"),
            agent=self.ground.actor("agent") if self.is_watchable else "",
            held_raw=received,
            pooled_raw=0 if reserves is None else reserves.base_raw,
            supply_raw=self.facts.base_total_supply_raw or 0,
            words=tuple(word for code in self.running for word in code.words),
            compared=self._telling(),
        )

    def _telling(self) -> tuple[int, ...]:
        """Return numbers in the code that may mean something, those first that something is compared with."""
        compared = [number for code in self.running for number in code.compared]
        others = [number for code in self.running for number in code.numbers]
        return tuple(dict.fromkeys((*compared, *others[:_NUMBERS_TRIED_MAX])))

    def triggers(self, received: int) -> tuple[Try, ...]:
        """Return calls that do nothing in an honest token, made of constants in the code."""
        constants = [address for code in self.running for address in code.addresses]
        return trigger_tries(
            self._cast(received),
            odd_selectors=[selector for code in self.running for selector in code.odd_selectors],
            constants=[address for address in constants if address not in self.infrastructure],
        )

    def upgrade_play(self) -> UpgradePlay:
        """Return the search for an exchange of code."""
        slots = (*self.words, owner_upgrade.SLOT_AGENT)
        return UpgradePlay(
            ground=self.ground,
            proxy=self.proxy,
            slots=slots,
            words=self.words,
            beacon=self.beacon,
            foreign=frozenset(filter(None, (self.implementation, *(self._called_in_transfer() or ())))),
            implementation=self.implementation,
            agent=self.ground.actor("agent"),
        )
