"""Slots that decide over sales and that are written behind a lock which no account opens: signatures, secrets, riddles.

A function that nobody tried may call is usually one whose owner has left. Whether it is, is found out by putting a stranger
where accounts are named that are nobody: if he is let through then, the lock is an office, and it is empty. And those who
do hold an office are tried with other switches set: what is done already cannot be done again. If neither opens it,
something else does, and what it writes is set to other values before our sale. Requests and results only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from eth_utils.crypto import keccak

from apps.chains.evm import abi, parse
from apps.chains.evm.bytecode import Function, Variable
from apps.chains.evm.owner_acts import TRY_GAS
from apps.chains.evm.owner_arguments import Cast, few_of, tries_of
from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.simulate import PoolState
from apps.chains.evm.simulate_script import Account, Scene, Script, Step
from apps.domain.probes import Lever

#: Slots that are set to other values.
SLOTS_MAX = 4
#: Functions whose lock is looked at.
WRITERS_MAX = 8
#: Who holds an office and is tried again, and calls in all: their gas must fit into a block.
HOLDERS_MAX = 2
CALLS_MAX = 120
#: What a slot is set to: switches, percents, per mille and basis points. Larger numbers make honest sums overflow.
VALUES = (0, 1, 99, 990, 9_900)
#: A sale that loses more is as good as none.
CONFISCATED_FROM_BPS = 5_000
MOVES = frozenset({"0x" + abi.TRANSFER.hex(), "0x" + abi.TRANSFER_FROM.hex()})
_WORD_BITS = 256
_ADDRESS_BITS = 160
_BYTE_BITS = 8
_ROLES_MAX = 4
_WIDTHS: Mapping[str, int] = {"address": _ADDRESS_BITS, "bool": _BYTE_BITS}
#: How other variables that a locked function reads are set while its lock is looked at; None leaves them as they are.
_STATES: tuple[int | None, ...] = (None, 0, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LeverPlay:
    """The scripts on one ground. ``words`` is what storage held, by slot; ``refused`` are functions that nobody may call."""

    ground: Ground
    cast: Cast
    variables: tuple[Variable, ...]
    words: Mapping[str, int]
    refused: tuple[Function, ...]
    commanders: tuple[str, ...]  # who was refused
    received_raw: int
    sale_ahead: int
    reserves: PoolState | None

    @property
    def writers(self) -> tuple[Function, ...]:
        """Return the refused functions that write what transfers read."""
        selectors = {selector for item in self.slots for selector in item.writers}
        return tuple(item for item in self.refused if item.selector in selectors)[:WRITERS_MAX]

    @property
    def slots(self) -> tuple[Variable, ...]:
        """Return the variables that a transfer reads and a refused function writes."""
        refused = {item.selector for item in self.refused}
        return tuple(
            item
            for item in self.variables
            if not item.is_mapping and item.readers & MOVES and item.writers & refused
        )[:SLOTS_MAX]

    # -- whether an empty office is all that locks them ------------------------------------

    def lock_scripts(self) -> dict[str, Script]:
        """Return the attempts of a stranger who holds every office that is empty."""
        if not self.slots:
            return {}
        return {f"lock:{number}": self._lock_script(state) for number, state in enumerate(_STATES)}

    def locked(self, accounts: Mapping[str, Account]) -> frozenset[str] | str:
        """Return the selectors that no office opens, or why that is unknown."""
        opened: set[str] = set()
        calls = self._calls()
        for number in range(len(_STATES)):
            account = accounts.get(f"lock:{number}", "it was not played")
            if isinstance(account, str):
                return account
            opened |= {
                function.selector for (_, function, _), told in zip(calls, account[0], strict=True) if told.ok
            }
        return frozenset(item.selector for item in self.writers) - opened

    def _calls(self) -> list[tuple[str, Function, str]]:
        """Return who calls what with which data."""
        callers = (self.ground.actor("heir"), *self.commanders[:HOLDERS_MAX])
        return [
            (caller, item, call.data)
            for caller in callers
            for item in self.writers
            for call in few_of(tries_of(item, self.cast))
        ][:CALLS_MAX]

    def _lock_script(self, state: int | None) -> Script:
        heir, token = self.ground.actor("heir"), self.ground.plan.token
        calls = self._calls()
        steps = tuple(Step(sender=who, to=token, data=data, gas=TRY_GAS) for who, _, data in calls)
        storage = {token.lower(): self._offices(heir, state)}
        return self.ground.script(
            [Scene(ahead=1, steps=steps, storage=storage)], paying_raw=0, is_valid=False
        )

    def _offices(self, heir: str, state: int | None) -> dict[str, str]:
        """Return storage in which a stranger holds every office that is empty, and switches stand as told."""
        selectors = {item.selector for item in self.writers}
        changed: dict[str, int] = {}
        for item in self.variables:
            if not item.readers & selectors:
                continue
            if item.is_mapping:
                changed |= dict.fromkeys(self._memberships(item, heir), 1)
                continue
            word = changed.get(item.slot, self.words.get(item.slot, 0))
            width = field_width(item)
            held = field_of(word, item)
            if item.kind == "address" or width == _ADDRESS_BITS:
                value = int(heir, 16) if f"0x{held:040x}" in parse.BURN_ADDRESSES else held
            else:
                value = held if state is None else state
            changed[item.slot] = with_field(word, item, value)
        return {slot: f"0x{value:064x}" for slot, value in changed.items()}

    def _memberships(self, item: Variable, heir: str) -> list[str]:
        """Return where a mapping keeps what it says of somebody, for every role that the code names."""
        slot = bytes.fromhex(item.slot[2:])
        roles = [bytes(32), *(bytes.fromhex(word[2:]) for word in self.cast.words[:_ROLES_MAX])]
        inner = [slot, *(bytes(keccak(role + slot)) for role in roles)]
        key = bytes.fromhex(heir[2:]).rjust(32, b"\0")
        return ["0x" + bytes(keccak(key + place)).hex() for place in inner]

    # -- what the slots do to a sale -------------------------------------------------------

    def pull_scripts(self) -> dict[str, Script]:
        """Return our purchase and, with a slot set to another value, our sale; by slot and value."""
        return {name: self._pull_script(item, value) for name, item, value in self._pulls()}

    def levers(self, locked: frozenset[str], accounts: Mapping[str, Account]) -> tuple[Lever, ...]:
        """Return of each slot that a locked function writes the value that harms most, if any does."""
        found: dict[str, Lever] = {}
        for name, item, value in self._pulls():
            account = accounts.get(name, "")
            writers = tuple(sorted(item.writers & locked))
            if isinstance(account, str) or not writers or not account[0][0].ok:
                continue
            reserves = self.ground.reserves_after(account[0], before=self.reserves)
            sale = self.ground.sold(account[1][0], sold_raw=self.received_raw, reserves=reserves)
            if sale.ok and (sale.tax_bps or 0) < CONFISCATED_FROM_BPS:
                continue
            lever = Lever(
                slot=item.slot,
                word=f"0x{value:064x}",
                writers=writers,
                sold=sale.ok,
                sell_tax_bps=sale.tax_bps,
                detail=sale.detail,
            )
            if item.slot not in found or (found[item.slot].sold and not lever.sold):
                found[item.slot] = lever
        return tuple(found.values())

    def _pulls(self) -> list[tuple[str, Variable, int]]:
        pulls: dict[tuple[str, int], tuple[str, Variable, int]] = {}
        for item in self.slots:
            width, word = field_width(item), self.words.get(item.slot, 0)
            for value in VALUES:
                after = with_field(word, item, min(value, 2**width - 1))
                if after != word:
                    pulls.setdefault((item.slot, after), (f"pull:{item.slot}:{after:x}", item, after))
        return list(pulls.values())

    def _pull_script(self, item: Variable, value: int) -> Script:
        ground, us = self.ground, self.ground.plan.buyer
        first = (ground.buy(us, ground.plan.amount_in_raw), ground.approve(us, self.received_raw))
        storage = {ground.plan.token.lower(): {item.slot: f"0x{value:064x}"}}
        scenes = [
            Scene(ahead=1, steps=first),
            Scene(ahead=self.sale_ahead, steps=(ground.sell(us, self.received_raw),), storage=storage),
        ]
        return ground.script(scenes, paying_raw=ground.plan.amount_in_raw, is_valid=False)


def functions_named(functions: Sequence[Function], selectors: Sequence[str]) -> tuple[Function, ...]:
    """Return those functions of the token that have these selectors."""
    wanted = frozenset(selectors)
    return tuple(item for item in functions if not item.target and item.selector in wanted)


def field_width(item: Variable) -> int:
    """Return how many bits a variable has, the rest of its word when its kind does not say."""
    if item.kind in _WIDTHS:
        return _WIDTHS[item.kind]
    digits = item.kind.removeprefix("u").removeprefix("int").removeprefix("bytes")
    rest = _WORD_BITS - item.offset * _BYTE_BITS
    if not digits.isdigit():
        return rest
    return min(rest, int(digits) * (_BYTE_BITS if item.kind.startswith("bytes") else 1))


def field_of(word: int, item: Variable) -> int:
    """Return what a variable holds in its word."""
    return (word >> (item.offset * _BYTE_BITS)) % 2 ** field_width(item)


def with_field(word: int, item: Variable, value: int) -> int:
    """Return a word in which one variable has another value, and all others theirs."""
    shift = item.offset * _BYTE_BITS
    mask = (2 ** field_width(item) - 1) << shift
    return (word & ~mask) | ((value << shift) & mask)
