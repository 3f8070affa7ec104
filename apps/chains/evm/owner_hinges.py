"""Places in storage that our sale hangs on, and what functions that somebody may call do to them.

First each place is set to other values before our sale. Where that stops or taxes it, the functions that write the place
are asked for just those values; and one that the code shows to write there, though no call was ever seen to do so, does
it on a condition that nobody could find: a secret word, a rare number. Requests and results only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from eth_utils.crypto import keccak

from apps.chains.evm import abi, owner
from apps.chains.evm.bytecode import Function, Variable
from apps.chains.evm.owner_acts import TRY_GAS, OwnerPlay, PlannedAct
from apps.chains.evm.owner_arguments import STANDARD, Try, few_of, tries_of
from apps.chains.evm.owner_levers import MOVES, field_of, field_width, with_field
from apps.chains.evm.simulate_script import Account, Scene, Script, Step
from apps.domain.probes import Commander, Holdings, Lever, OwnerAct

PLACES_MAX = 12
#: What a place is set to: switches, percents, per mille and basis points.
VALUES = (0, 1, 99, 990, 9_900)
#: What stands higher in a word that is one number for all the code shows: a number may be two.
HIGH_SHIFTS = (8, 16, 128)
HIGH_VALUE = 99
WRITES_MAX = 12
CALLS_MAX = 40
CALLERS_MAX = 4
CALLS_PER_CALLER = 8
GOALS_MAX = 24
#: What trades count up by no more than this is a count, and so many trades later it stands further.
COUNT_STEP_MAX, COUNTED_TIMES = 1_000, (4, 30, 250)
#: A sale that loses so much more hangs on the place.
HARM_FROM_BPS = 2_000
_NARROW = re.compile(r"\buint\d+")
_BALANCES = frozenset({"0x" + abi.BALANCE_OF.hex(), "0x" + abi.ALLOWANCE.hex()})


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A slot that transfers read and functions write. ``fields`` are the variables in it; none lies in a mapping."""

    slot: str
    fields: tuple[Variable, ...]
    writers: frozenset[str]
    is_traded: bool = False  # trades write it, too


@dataclass(frozen=True, slots=True, kw_only=True)
class HingePlay:
    """The scripts on one ground. ``functions`` are the token's that somebody may call, ``code`` is the token's own."""

    play: OwnerPlay
    variables: tuple[Variable, ...]
    functions: tuple[Function, ...]
    commanders: tuple[Commander, ...]
    untried: frozenset[str]  # selectors of functions whose arguments cannot be made
    code: str
    before: Holdings
    words_before: Mapping[str, int]  # storage before our purchase, by slot

    @property
    def places(self) -> tuple[Place, ...]:
        """Return the places: plain variables, and what mappings keep of us and of the pool."""
        open_to = frozenset(item.selector for item in self.functions if self._counts(item))
        found: dict[str, Place] = {}
        for item in self.variables:
            writers = item.writers & open_to - MOVES - STANDARD
            is_traded = bool(item.writers & MOVES) and not item.is_mapping
            is_balance = item.is_mapping and item.readers & _BALANCES
            if not item.readers & MOVES or not (writers or is_traded) or is_balance:
                continue
            for slot in self._slots(item):
                known = found.get(slot, Place(slot=slot, fields=(), writers=frozenset()))
                # Of what lies in a mapping nothing but the whole word is known.
                plain = replace(item, slot=slot, offset=0, kind="uint256") if item.is_mapping else item
                found[slot] = replace(
                    known,
                    fields=(*known.fields, plain),
                    writers=known.writers | writers,
                    is_traded=known.is_traded or is_traded,
                )
        return tuple(found.values())[:PLACES_MAX]

    def _counts(self, item: Function) -> bool:
        return bool(tries_of(item, self.play.cast)) or item.selector in self.untried

    def _slots(self, item: Variable) -> list[str]:
        if not item.is_mapping:
            return [item.slot]
        if not item.kind.startswith("mapping(address => ") or "=> mapping" in item.kind:
            return []
        holders = (self.play.cast.buyer, self.play.cast.pool)
        keys = (bytes.fromhex(holder[2:]).rjust(32, b"\0") for holder in holders)
        return ["0x" + bytes(keccak(key + bytes.fromhex(item.slot[2:]))).hex() for key in keys]

    # -- how they stand after a purchase -----------------------------------------------------

    def look_script(self) -> dict[str, Script]:
        """Return our purchase and a look at all places."""
        slots = [place.slot for place in self.places]
        if not slots:
            return {}
        scenes = [self._purchase(), self._look(slots, ahead=2)]
        return {"hinge:look": self._script(scenes)}

    def words(self, accounts: Mapping[str, Account]) -> dict[str, int]:
        """Return what stands in each place after our purchase, by slot; nothing when it is unknown."""
        account = accounts.get("hinge:look", "")
        slots = [place.slot for place in self.places]
        if isinstance(account, str) or not account[0][0].ok:
            return {}
        read = owner.storage_of("0x" + account[1][0].data.hex(), slots)
        return {} if isinstance(read, str) else read

    def counted(self, words: Mapping[str, int]) -> dict[str, int]:
        """Return by how much our purchase counted up each place that trades write, as far as it is a count."""
        found: dict[str, int] = {}
        for place in self.places:
            step = words.get(place.slot, 0) - self.words_before.get(place.slot, words.get(place.slot, 0))
            if place.is_traded and 0 < step <= COUNT_STEP_MAX:
                found[place.slot] = step
        return found

    # -- what they do to a sale --------------------------------------------------------------

    def pull_scripts(self, words: Mapping[str, int]) -> dict[str, Script]:
        """Return our sale with a place set to another value, by place and value."""
        return {
            f"hinge:{slot}:{value:x}": self._pull_script(slot, value) for slot, value in self._pulls(words)
        }

    def harmful(
        self, words: Mapping[str, int], accounts: Mapping[str, Account], *, tax_now_bps: int
    ) -> dict[str, dict[int, Lever]]:
        """Return the values that stop or tax our sale, with what they do, by slot."""
        found: dict[str, dict[int, Lever]] = {}
        for slot, value in self._pulls(words):
            account = accounts.get(f"hinge:{slot}:{value:x}", "")
            if isinstance(account, str) or not account[0][0].ok:
                continue
            ground, received = self.play.ground, self.play.received_raw
            reserves = ground.reserves_after(account[0], before=self.play.reserves)
            sale = ground.sold(account[1][0], sold_raw=received, reserves=reserves)
            if sale.ok and (sale.tax_bps or 0) < tax_now_bps + HARM_FROM_BPS:
                continue
            found.setdefault(slot, {})[value] = Lever(
                slot=slot,
                word=f"0x{value:064x}",
                writers=(),
                sold=sale.ok,
                sell_tax_bps=sale.tax_bps,
                detail=sale.detail,
            )
        return found

    def _pulls(self, words: Mapping[str, int]) -> list[tuple[str, int]]:
        pulls: dict[tuple[str, int], None] = {}
        for place in self.places:
            now = words.get(place.slot)
            if now is None:
                continue
            step = self.counted(words).get(place.slot, 0)
            pulls |= {(place.slot, now + step * times): None for times in COUNTED_TIMES if step}
            if not place.writers:
                continue
            for item in place.fields:
                width = field_width(item)
                for value in VALUES:
                    pulls[place.slot, with_field(now, item, min(value, 2**width - 1))] = None
            if len(place.fields) == 1 and not place.fields[0].offset:
                pulls |= {(place.slot, now % 2**shift | HIGH_VALUE << shift): None for shift in HIGH_SHIFTS}
            pulls.pop((place.slot, now), None)
        return list(pulls)

    def _pull_script(self, slot: str, value: int) -> Script:
        ground = self.play.ground
        sale = Scene(
            ahead=self.play.sale_ahead,
            steps=(ground.sell(ground.plan.buyer, self.play.received_raw),),
            storage={ground.plan.token.lower(): {slot: f"0x{value:064x}"}},
        )
        return self._script([self._purchase(), sale])

    # -- who writes them ---------------------------------------------------------------------

    def write_scripts(
        self, harmful: Mapping[str, Mapping[int, Lever]], words: Mapping[str, int]
    ) -> dict[str, Script]:
        """Return of each function that writes such a place its calls, with the place set to two values before them."""
        return {
            f"write:{slot}:{item.selector}": self._write_script(
                slot, item, (next(iter(harmful[slot])), words[slot])
            )
            for slot, item in self._writes(harmful)
        }

    def hidden(
        self,
        harmful: Mapping[str, Mapping[int, Lever]],
        words: Mapping[str, int],
        accounts: Mapping[str, Account],
    ) -> tuple[Lever, ...]:
        """Return the places that a function writes by its code and never wrote when it was called."""
        found: list[Lever] = []
        for slot, values in harmful.items():
            writers = next(place.writers for place in self.places if place.slot == slot)
            unseen = [*(writers & self.untried)]
            unseen += [
                item.selector
                for where, item in self._writes(harmful)
                if where == slot
                and self._never_wrote(slot, item, (next(iter(values)), words[slot]), accounts)
            ]
            # What trades count up reaches by itself what stops them.
            step = self.counted(words).get(slot, 0)
            if step and any(words[slot] + step * times in values for times in COUNTED_TIMES):
                unseen += sorted(MOVES)
            if unseen:
                worst = min(values.values(), key=lambda lever: (lever.sold, -(lever.sell_tax_bps or 0)))
                found.append(replace(worst, writers=tuple(sorted(unseen))))
        return tuple(found)

    def _writes(self, harmful: Mapping[str, Mapping[int, Lever]]) -> list[tuple[str, Function]]:
        return [
            (place.slot, item)
            for place in self.places
            if place.slot in harmful
            for item in self.functions
            if item.selector in place.writers and self._tries(item)
        ][:WRITES_MAX]

    def _never_wrote(
        self, slot: str, item: Function, worlds: tuple[int, ...], accounts: Mapping[str, Account]
    ) -> bool:
        account = accounts.get(f"write:{slot}:{item.selector}", "")
        if isinstance(account, str):
            return False
        reads = [account[place][0].word for place in range(2, len(account), 2)]
        was_called = any(told.ok for told in account[1])
        return was_called and all(read == world for read, world in zip(reads, worlds, strict=True))

    def _write_script(self, slot: str, item: Function, worlds: tuple[int, ...]) -> Script:
        token = self.play.ground.plan.token.lower()
        steps = tuple(
            Step(sender=who, to=token, data=call.data, gas=TRY_GAS, value_raw=call.value_raw)
            for who in self._callers()
            for call in self._tries(item)
        )[:CALLS_MAX]
        scenes = [self._purchase()]
        for number, world in enumerate(worlds):
            ahead = 2 * number + 2
            codes = {} if number == 0 else {token: self.code}
            storage = {token: {slot: f"0x{world:064x}"}}
            scenes += [
                Scene(ahead=ahead, steps=steps, storage=storage, codes=codes),
                self._look([slot], ahead=ahead + 1),
            ]
        return self._script(scenes)

    def _callers(self) -> tuple[str, ...]:
        buyer = self.play.ground.plan.buyer
        return (*(who.address for who in self.commanders[: CALLERS_MAX - 1]), buyer)

    def _tries(self, item: Function) -> tuple[Try, ...]:
        return few_of(tries_of(item, self.play.cast))[:CALLS_PER_CALLER]

    # -- asking for what harms ---------------------------------------------------------------

    def goals(self, harmful: Mapping[str, Mapping[int, Lever]]) -> dict[str, PlannedAct]:
        """Return calls that ask for the very values that harm."""
        found: dict[str, PlannedAct] = {}
        for place in self.places:
            wanted = dict.fromkeys(
                number
                for value in harmful.get(place.slot, {})
                for number in (value, *(field_of(value, item) for item in place.fields))
            )
            cast = replace(self.play.cast, compared=tuple(wanted))
            for item in self.functions:
                if item.selector not in place.writers:
                    continue
                # Code that looks at one byte of a number shows a number of one byte.
                wide = replace(item, arguments=_NARROW.sub("uint256", item.arguments))
                calls = [call for call in tries_of(wide, cast) if call.level in wanted and not call.is_alone]
                for who in self.commanders[: CALLERS_MAX - 1]:
                    for call in calls:
                        key = f"goal:{who.address}:{call.data}"
                        found[key] = PlannedAct(commander=who, call=call, before=self.before)
        return dict(list(found.items())[:GOALS_MAX])

    def reached(
        self, goals: Mapping[str, PlannedAct], accounts: Mapping[str, Account]
    ) -> tuple[OwnerAct, ...]:
        """Return the acts of those calls that were let through."""
        acts = (self.play.act(act, accounts[name]) for name, act in goals.items() if name in accounts)
        return tuple(act for act in acts if not isinstance(act, str))

    # -- parts -------------------------------------------------------------------------------

    def _purchase(self) -> Scene:
        ground, us = self.play.ground, self.play.ground.plan.buyer
        steps = (ground.buy(us, ground.plan.amount_in_raw), ground.approve(us, self.play.received_raw))
        return Scene(ahead=1, steps=steps)

    def _look(self, slots: list[str], *, ahead: int) -> Scene:
        token = self.play.ground.plan.token
        look = Step(
            sender=self.play.ground.actor("onlooker"),
            to=token,
            data="0x" + "".join(slot[2:] for slot in slots),
            gas=owner.SLOT_READER_GAS,
        )
        return Scene(ahead=ahead, steps=(look,), codes={token.lower(): owner.SLOT_READER_CODE})

    def _script(self, scenes: list[Scene]) -> Script:
        ground = self.play.ground
        return ground.script(scenes, paying_raw=ground.plan.amount_in_raw, is_valid=False)
