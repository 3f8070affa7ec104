"""The full assessment of one token: all probes on one block, in as few rounds of questions as the answers allow.

Rounds: 1 code, storage, events, purchases; 2 whoever was named there, sales; 3 which calls are let through; 4 the calls
that matter, one by one; 5 what only the fourth showed. A part that cannot be known has its reason; nothing is made up.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from apps.chains.evm import abi, owner, owner_upgrade, parse, simulate_local
from apps.chains.evm.bytecode import CodeView, Function, Variable, is_contract, variables_of, view_of
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.facts import view
from apps.chains.evm.owner_acts import OwnerPlay, Permission
from apps.chains.evm.owner_arguments import (
    STANDARD,
    UPGRADE_TO,
    UPGRADE_TO_AND_CALL,
    Cast,
    Try,
)
from apps.chains.evm.owner_delay import DelayPlay, holders_of
from apps.chains.evm.owner_hinges import HingePlay
from apps.chains.evm.owner_levers import LeverPlay, functions_named
from apps.chains.evm.owner_rounds import DIAMOND_CUT, ActRounds, Acts
from apps.chains.evm.owner_satellites import children_of, satellites_of
from apps.chains.evm.owner_triggers import trigger_tries
from apps.chains.evm.owner_upgrade import UpgradePlay
from apps.chains.evm.probes import Learned, TradePlay
from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.probes_variants import Variants, numbers_kept
from apps.chains.evm.probes_windfall import WindfallPlay
from apps.chains.evm.simulate import Plan, injected_request, injected_result, pool_state
from apps.chains.evm.simulate_script import Account, Script, Stage, script_request, script_told
from apps.domain.market import Listing, PairFacts
from apps.domain.probes import (
    CodeFacts,
    Commander,
    Lever,
    ProxyKind,
    Runner,
    TokenProbes,
    TradeName,
    UpgradePower,
)

#: Asks named requests in one go and returns the answers by name.
Ask = Callable[[Mapping[str, Request]], dict[str, Any]]

FACETS_MAX = 32
_TRANSFER = "0x" + abi.TRANSFER.hex()
_MOVES_NOTHING = "transfer:nothing"
_FACET_ADDRESSES = abi.selector("facetAddresses()")
_FACET_OF_TRANSFER = "0x" + (abi.selector("facetAddress(bytes4)") + abi.TRANSFER.ljust(32, b"\0")).hex()
_IMPLEMENTATION_VIEW = abi.selector("implementation()")
#: Numbers in the code that nothing is visibly compared with and that are tried all the same.
_NUMBERS_TRIED_MAX = 4
#: A commander behind a longer delay cannot harm a holder of ours.
_FOREVER_S = 10 * 365 * 86_400
#: What a proxy's administrator contract answers to and nothing else.
_PROXY_ADMIN_FUNCTIONS = frozenset(
    "0x" + abi.selector(signature).hex()
    for signature in (
        *("owner()", "renounceOwnership()", "transferOwnership(address)", "getProxyAdmin(address)"),
        *("getProxyImplementation(address)", "changeProxyAdmin(address,address)"),
        *("upgrade(address,address)", "upgradeAndCall(address,address,bytes)"),
        "UPGRADE_INTERFACE_VERSION()",
    )
)


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
class Assessment:
    """One token's full assessment in the making."""

    listing: Listing
    facts: PairFacts
    plan: Plan
    stage: Stage
    ask: Ask
    chain_id: int
    can_simulate: bool
    url_http: str  # for an EVM in our own process; "" when there is none
    infrastructure: frozenset[str]  # router, factories, wrapped coin: they command no token; lower case
    missing: dict[str, str] = field(default_factory=dict)
    runner: Runner = ""
    answers: dict[str, Any] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    behind: dict[str, str] = field(default_factory=dict)  # an administrator's contract -> who owns it
    satellites: dict[str, tuple[Function, ...]] = field(default_factory=dict)  # functions to try, by contract
    levers: tuple[Lever, ...] = ()

    def __post_init__(self) -> None:
        self.runner = "eth_simulateV1" if self.can_simulate else "pyrevm" if self.url_http else ""
        self.ground = Ground(
            plan=self.plan,
            stage=self.stage,
            seed=f"{self.facts.block.hash}:{self.listing.pair_key}",
        )
        self.reserves = pool_state(self.facts.reserves)
        self.at = hex(self.stage.number)
        self.token = self.listing.base.address

    # -- the rounds -----------------------------------------------------------------------

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

    def round(self, requests: Mapping[str, Request], scripts: Mapping[str, Script]) -> None:
        """Ask everything at once; scripts by whatever runs them."""
        asked = dict(requests)
        if self.runner == "eth_simulateV1":
            asked |= {
                f"script:{name}": script_request(script, self.stage) for name, script in scripts.items()
            }
        answers = self.ask(asked)
        self.answers |= {name: answers[name] for name in requests}
        if self.runner == "eth_simulateV1":
            self.accounts |= {
                name: script_told(answers[f"script:{name}"], script) for name, script in scripts.items()
            }
        else:
            self.accounts |= self._locally(scripts)

    def _locally(self, scripts: Mapping[str, Script]) -> dict[str, Account]:
        if self.runner == "pyrevm" and scripts:
            return simulate_local.scripts_told(self.url_http, scripts, self.stage, chain_id=self.chain_id)
        return dict.fromkeys(scripts, "nothing here can simulate: no endpoint does, and no EVM is installed")

    def _fall_back(self, trades: TradePlay) -> None:
        """Play the first round in our own process when the node turned out not to simulate."""
        scripts = trades.first()
        if self.runner != "eth_simulateV1" or not self.url_http:
            return
        if all(isinstance(self.accounts[name], str) for name in scripts):
            self.runner = "pyrevm"
            self.accounts |= self._locally(scripts)

    # -- code and storage -----------------------------------------------------------------

    def _first_requests(self) -> dict[str, Request]:
        slots = owner.slot_names(owner.SLOTS_READ)
        requests: dict[str, Request] = {
            "code": ("eth_getCode", [self.token, self.at]),
            "nonce": ("eth_getTransactionCount", [self.token, self.at]),
            "slots": owner.storage_request(self.token, slots, self.at),
            "facets": view(self.token, abi.call(_FACET_ADDRESSES), self.at),
            "facet": view(self.token, _FACET_OF_TRANSFER, self.at),
        }
        requests |= owner.history_requests(self.listing, last=self.stage.number)
        for name, sender, receiver in self._transfers():
            amount = 0 if name == _MOVES_NOTHING else 1
            call = {"from": sender, "to": self.token, "data": abi.call(abi.TRANSFER, receiver, amount)}
            requests[name] = ("eth_createAccessList", [call, self.at])
        return requests

    def _transfers(self) -> list[tuple[str, str, str]]:
        """Return transfers that need nobody's leave: out of the pool as in a purchase, into it as in a sale."""
        pool = self.plan.pool
        transfers = [("transfer:out", pool, self.ground.actor("another"))]
        holder = next(
            (address for address, _ in self.facts.holders or () if address.lower() != self.token.lower()), ""
        )
        if holder:
            transfers.append(("transfer:in", holder, pool))
        # Those who hold most may be let through without being looked at: so a stranger moves nothing, too.
        transfers.append((_MOVES_NOTHING, self.ground.actor("another"), pool))
        return transfers

    def _read_code(self) -> None:
        """Understand code and storage, and tell what kind of proxy the token is."""
        code = owner.code_of(self.answers["code"])
        self.view: CodeView | None = view_of(code) if code else None
        if self.view is None:
            self.missing["code"] = "the token's code could not be read"
        words = owner.storage_of(self.answers["slots"], owner.slot_names(owner.SLOTS_READ))
        if isinstance(words, str):
            self.missing["storage"] = words
            words = {}
        self.words: dict[str, int] = words
        self.storage = owner.Storage(words=self.words)
        self.beacon = self.storage.address(owner.SLOT_BEACON)
        self.facets = self._facets()
        self.implementation = self._known_implementation()
        self.proxy: ProxyKind = self._proxy_kind()

    def _known_implementation(self) -> str:
        if self.view is not None and self.view.minimal_target:
            return self.view.minimal_target
        slots = (owner.SLOT_IMPLEMENTATION, owner.SLOT_IMPLEMENTATION_ZOS, owner.SLOT_IMPLEMENTATION_1822)
        return next(filter(None, map(self.storage.address, slots)), "")

    def _proxy_kind(self) -> ProxyKind:
        if self.view is None:
            return ""
        if self.view.minimal_target:
            return "minimal"
        if self.implementation:
            return "eip1967"
        if self.beacon:
            return "beacon"
        if self.facets:
            return "diamond"
        return "unknown" if self.view.has_delegatecall and _TRANSFER not in self.view.selectors else ""

    def _facets(self) -> tuple[str, ...]:
        """Return the addresses of a diamond's facets, none for every other contract."""
        if self.view is None or _TRANSFER in self.view.selectors:
            return ()
        data = parse.attempt(parse.hex_data, self.answers["facets"], "facets") or b""
        count = parse.attempt(parse.word, data, 1, "facets", maximum=FACETS_MAX) or 0
        found = [parse.attempt(parse.word_address, data, 2 + number, "facet") for number in range(count)]
        one = parse.attempt(parse.hex_data, self.answers["facet"], "facet") or b""
        found.append(parse.attempt(parse.word_address, one, 0, "facet"))
        return tuple(dict.fromkeys(address for address in found if address and int(address, 16)))

    def _second_requests(self) -> dict[str, Request]:
        codes = [] if self.view is None else [self.view]
        self.candidates = owner.candidates_of(
            self.listing,
            self.facts,
            history=[answer for name, answer in self.answers.items() if name.startswith("history:")],
            storage=self.storage,
            codes=codes,
            strangers=self.infrastructure | {self.implementation, self.beacon, *self.facets},
        )
        requests = owner.candidate_requests(self.candidates, self.at)
        self.children = children_of(self.token, self.answers["nonce"])
        asked = (*(self._called_in_transfer() or ()), self.plan.wrapped.lower())
        for address in filter(None, (self.implementation, self.beacon, *self.facets, *self.children, *asked)):
            requests[f"code:{address}"] = ("eth_getCode", [address, self.at])
        if self.beacon:
            requests["beacon"] = view(self.beacon, abi.call(_IMPLEMENTATION_VIEW), self.at)
            requests |= owner.delay_requests(self.beacon, self.at)
        built_in = () if self.view is None else self.view.words
        if built_in:
            requests["built_in_slots"] = owner.storage_request(self.token, built_in, self.at)
        return requests

    def _read_implementation(self) -> None:
        """Find the code that really runs, in the second round's answers or among those whom the token names."""
        if self.proxy == "beacon":
            data = parse.attempt(parse.hex_data, self.answers["beacon"], "beacon")
            address = None if data is None else parse.attempt(parse.word_address, data, 0, "implementation")
            self.implementation = address or ""
            if self.implementation:
                self._ask_code(self.implementation)
        if self.proxy == "unknown":
            named = [item.address for item in self.candidates]
            asked = self._called_in_transfer() or ()
            self.implementation = next(filter(self._has_transfer, (*named, *asked)), "")
        built_in = self.answers.get("built_in_slots")
        words = "" if built_in is None else owner.storage_of(built_in, self.view.words if self.view else ())
        if not isinstance(words, str):
            self.words |= words
        self.running = self._running_code()

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

    def _read_satellites(self) -> None:
        """Find the contracts that the token made, that its transfers ask, or that it names."""
        strangers = {self.implementation, self.beacon, *self.facets, *parse.BURN_ADDRESSES}
        # A transfer that asks the wrapped coin looks at what somebody holds of it, and anybody can hold some.
        wrapped = self.plan.wrapped.lower()
        coins = (wrapped,) if wrapped in self._touched() else ()
        named = [item.address for item in self.candidates if item.role in ("stored", "constant")]
        self.satellites = satellites_of(
            (*self.children, *coins, *(self._called_in_transfer() or ()), *named),
            self.answers,
            strangers=self.infrastructure.difference(coins) | strangers,
        )

    def _ask_code(self, address: str) -> None:
        self.round({f"code:{address}": ("eth_getCode", [address, self.at])}, {})

    def _has_transfer(self, address: str) -> bool:
        code = owner.code_of(self.answers.get(f"code:{address}"))
        return bool(code) and is_contract(code or b"") and _TRANSFER in view_of(code or b"").selectors

    def _running_code(self) -> tuple[CodeView, ...]:
        """Return the token's own code and all that runs in its place."""
        addresses = filter(None, (self.implementation, *self.facets))
        codes = (owner.code_of(self.answers.get(f"code:{address}")) for address in addresses)
        views = tuple(view_of(code) for code in codes if code)
        if self.proxy and not views:
            self.missing["implementation"] = "the code that runs in the token's place was not found"
        return (*(() if self.view is None else (self.view,)), *views)

    def _code_facts(self) -> CodeFacts | None:
        if self.view is None:
            return None
        main = self.running[-1] if self.proxy and len(self.running) > 1 else self.view
        return CodeFacts(
            skeleton_hash=main.skeleton_hash,
            functions=len({item.selector for code in self.running for item in code.functions}),
            has_delegatecall=any(code.has_delegatecall for code in self.running),
            has_selfdestruct=any(code.has_selfdestruct for code in self.running),
            proxy=self.proxy,
            implementation=self.implementation,
            called_in_transfer=self._called_in_transfer(),
        )

    def _touched(self) -> frozenset[str]:
        """Return every contract that a transfer of the token touches, as far as nodes tell."""
        found: set[str] = set()
        for name, _, _ in self._transfers():
            answer = self.answers.get(name)
            listed = answer.get("accessList") if isinstance(answer, dict) else None
            for entry in listed[:FACETS_MAX] if isinstance(listed, list) else ():
                found |= {parse.attempt(parse.hex_address, entry.get("address"), "address") or ""}
        return frozenset(found)

    def _called_in_transfer(self) -> tuple[str, ...] | None:
        """Return the contracts that a transfer touches beside the token's own code."""
        known = self.infrastructure | {self.token.lower(), self.implementation, self.beacon, *self.facets}
        found: dict[str, None] = {}
        for name, sender, receiver in self._transfers():
            answer = self.answers.get(name)
            listed = answer.get("accessList") if isinstance(answer, dict) else None
            if not isinstance(listed, list) and name == _MOVES_NOTHING:
                continue  # some tokens refuse it
            if not isinstance(listed, list):
                words = answer.message if isinstance(answer, RpcFault) else "no access list"
                self.missing["called_in_transfer"] = words
                return None
            for entry in listed[:FACETS_MAX]:
                address = parse.attempt(parse.hex_address, entry.get("address"), "address")
                if address and address not in known | {sender.lower(), receiver.lower()}:
                    found[address] = None
        return tuple(found)

    # -- commanders -----------------------------------------------------------------------

    def _commanders(self) -> tuple[Commander, ...]:
        """Return who is tried, a stranger first; the rest is named in ``missing``."""
        beside = (owner.code_of(self.answers.get(f"code:{address}")) for address in self.satellites)
        codes = (*self.running, *(view_of(code) for code in beside if code))
        again = owner.candidates_of(
            self.listing,
            self.facts,
            history=[answer for name, answer in self.answers.items() if name.startswith("history:")],
            storage=owner.Storage(words=self.words),
            codes=codes,
            strangers=self.infrastructure | {self.implementation, self.beacon, *self.facets},
        )
        found = owner.commanders_of(again, self.answers)
        if len(found) > owner.COMMANDERS_MAX:
            self.missing["commanders"] = (
                f"{len(found) - owner.COMMANDERS_MAX} further addresses were not tried"
            )
        found = tuple(map(self._through_admin, found[: owner.COMMANDERS_MAX]))
        self.known_commanders = found
        return (Commander(address=self.ground.actor("anyone"), role="anyone"), *found)

    def _through_admin(self, commander: Commander) -> Commander:
        """Return an administrator's contract whose owner gave it up as one that never acts; look behind any other."""
        if not commander.is_contract:
            return commander
        code = owner.code_of(self.answers.get(f"code:{commander.address}")) or b""
        own = owner.owner_of(commander.address, self.answers)
        if own is None or not code or not view_of(code).selectors <= _PROXY_ADMIN_FUNCTIONS:
            return commander
        if own == "":
            return replace(commander, delay_s=_FOREVER_S)
        requests = {f"code:{own}": ("eth_getCode", [own, self.at]), **owner.delay_requests(own, self.at)}
        self.round(requests, {})
        self.behind[commander.address] = own
        return commander

    def delay_plays(self, permissions: Sequence[Permission]) -> dict[str, DelayPlay]:
        """Return the tests of contracts that claim to make everybody wait, by the delayed commander's address."""
        plays: dict[str, DelayPlay] = {}
        for permission in permissions:
            commander = permission.commander
            contract = self.behind.get(commander.address, commander.address)
            claimed = owner.delay_claimed(contract, self.answers)
            code = owner.code_of(self.answers.get(f"code:{contract}"))
            if not commander.is_contract or not claimed or not code or not permission.allowed:
                continue
            is_direct = contract == commander.address
            own = [call for call in permission.allowed if not call.function.target]
            calls = sorted(own, key=lambda call: call.names != "agent")
            plays[commander.address] = DelayPlay(
                ground=self.ground,
                commander=commander,
                contract=contract,
                claimed_s=claimed,
                code=view_of(code),
                target=self.token if is_direct else commander.address,
                holders=holders_of(
                    contract,
                    view_of(code),
                    own_owner=owner.owner_of(contract, self.answers) or "",
                    others=self.known_commanders,
                    anyone=self.ground.actor("anyone"),
                ),
                asked=tuple(call.data for call in calls) if is_direct else self._asked_of_admin(),
                slots=tuple(self.words),
                words=self.words,
            )
        return plays

    def _asked_of_admin(self) -> tuple[str, ...]:
        token, agent = self.token, self.ground.actor("agent")
        plain = abi.call(abi.selector("upgrade(address,address)"), token, agent)
        called = abi.call(abi.selector("upgradeAndCall(address,address,bytes)"), token, agent, 96, 0)
        return plain, called

    # -- acts -----------------------------------------------------------------------------

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

    def _played(self, scripts: Mapping[str, Script]) -> None:
        if scripts:
            self.round({}, scripts)

    def _variables(self) -> tuple[Variable, ...]:
        """Return where the running code keeps what."""
        codes = [owner.code_of(self.answers["code"])]
        codes += [
            owner.code_of(self.answers.get(f"code:{address}"))
            for address in filter(None, (self.implementation, *self.facets))
        ]
        return tuple(item for code in codes if code for item in variables_of(code))

    @property
    def is_watchable(self) -> bool:
        """Tell whether the token runs or asks code that might be exchanged."""
        delegates = any(code.has_delegatecall for code in self.running) and self.proxy != "minimal"
        return delegates or bool(self._called_in_transfer())

    def functions(self) -> tuple[Function, ...]:
        """Return the functions that change state, each once."""
        found = {item.selector: item for code in self.running for item in code.functions if item.is_write}
        if self.proxy in ("eip1967", "unknown", "beacon"):
            for item in (UPGRADE_TO, UPGRADE_TO_AND_CALL):
                found.setdefault(item.selector, item)
        if self.proxy == "diamond":
            found[DIAMOND_CUT.selector] = DIAMOND_CUT
        beside = [item for functions in self.satellites.values() for item in functions]
        return tuple(item for item in (*found.values(), *beside) if item.selector not in STANDARD)

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
