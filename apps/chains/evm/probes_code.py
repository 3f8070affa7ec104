"""What runs in a token's place, and what its transfers touch: code, storage, proxies, contracts beside it."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.chains.evm import abi, owner, parse
from apps.chains.evm.bytecode import CodeView, Function, Variable, is_contract, variables_of, view_of
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.facts import view
from apps.chains.evm.owner_arguments import (
    STANDARD,
    UPGRADE_TO,
    UPGRADE_TO_AND_CALL,
)
from apps.chains.evm.owner_rounds import DIAMOND_CUT
from apps.chains.evm.owner_satellites import children_of, satellites_of
from apps.chains.evm.probes_rounds import Rounds
from apps.domain.probes import (
    CodeFacts,
    ProxyKind,
)

FACETS_MAX = 32
_TRANSFER = "0x" + abi.TRANSFER.hex()
_MOVES_NOTHING = "transfer:nothing"
_FACET_ADDRESSES = abi.selector("facetAddresses()")
_FACET_OF_TRANSFER = "0x" + (abi.selector("facetAddress(bytes4)") + abi.TRANSFER.ljust(32, b"\0")).hex()
_IMPLEMENTATION_VIEW = abi.selector("implementation()")


@dataclass(kw_only=True)
class CodeLook(Rounds):
    """The part of an assessment that reads code and storage."""

    satellites: dict[str, tuple[Function, ...]] = field(default_factory=dict)  # functions to try, by contract

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
