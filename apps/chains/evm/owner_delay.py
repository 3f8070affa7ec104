"""Whether a contract that commands a token really makes everybody wait: what it claims, put to the test.

A contract that tells a delay is called by all who may hold its keys, to make the token do at once what only the contract
may ask of it. If any storage of the token changes, the delay is a pretence. Requests and results only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.chains.evm import owner
from apps.chains.evm.bytecode import CodeView
from apps.chains.evm.owner_acts import TRY_GAS
from apps.chains.evm.owner_arguments import Value, encode, split_types
from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.simulate_script import Account, Scene, Script, Step
from apps.domain.probes import Commander

#: Who may hold the keys, and what is asked of the token through the contract.
HOLDERS_MAX = 4
ASKED_MAX = 3
CALLS_MAX = 150


@dataclass(frozen=True, slots=True, kw_only=True)
class DelayPlay:
    """The test of one contract. ``asked`` is calldata that ``target`` (the token, or its administrator's contract) takes
    from it; ``words`` is the token's storage now.
    """

    ground: Ground
    commander: Commander  # who is delayed: the contract itself, or one that it commands
    contract: str
    claimed_s: int
    code: CodeView
    target: str
    holders: tuple[str, ...]
    asked: tuple[str, ...]
    slots: tuple[str, ...]
    words: Mapping[str, int]

    def script(self) -> Script:
        """Return the attempts, made twice because an announcement may come before, and the look at the storage."""
        calls = self._calls()
        look = Step(
            sender=self.ground.actor("onlooker"),
            to=self.ground.plan.token,
            data="0x" + "".join(slot[2:] for slot in self.slots),
            gas=owner.SLOT_READER_GAS,
        )
        codes = {self.ground.plan.token.lower(): owner.SLOT_READER_CODE}
        scenes = [
            *(Scene(ahead=ahead, steps=calls) for ahead in (1, 2) if calls),
            Scene(ahead=3, steps=(look,), codes=codes),
        ]
        return self.ground.script(scenes, paying_raw=0, is_valid=False)

    def passes_through(self, account: Account) -> bool | None:
        """Tell whether an attempt changed the token; None when that is unknown or there was nothing to attempt."""
        if isinstance(account, str) or not self.asked or len(account) < 3:
            return None
        after = owner.storage_of("0x" + account[-1][0].data.hex(), self.slots)
        if isinstance(after, str):
            return None
        return any(value != self.words.get(slot, 0) for slot, value in after.items())

    def _calls(self) -> tuple[Step, ...]:
        steps: list[Step] = []
        for function in self.code.functions:
            if not function.is_write:
                continue
            for asked in self.asked[:ASKED_MAX]:
                data = self._data(function.selector, function.arguments, asked)
                if data is None:
                    continue
                steps += [
                    Step(sender=holder, to=self.contract, data=data, gas=TRY_GAS)
                    for holder in self.holders[:HOLDERS_MAX]
                ]
        return tuple(dict.fromkeys(steps))[:CALLS_MAX]

    def _data(self, selector: str, arguments: str, asked: str) -> str | None:
        """Return a call that names the token and carries what is asked of it, None when it takes other arguments."""
        types = split_types(arguments)
        values: list[Value] = []
        for name in types:
            inner = name.removesuffix("[]")
            if name == "bytes":
                values.append(bytes.fromhex(asked[2:]))
                continue
            if inner == "address":
                value = int(self.target, 16)
            elif inner.startswith(("uint", "int", "bool", "bytes")) and inner != "bytes":
                value = 0
            elif name == "string":
                values.append(None)
                continue
            else:
                return None
            values.append([value] if name.endswith("[]") else value)
        return selector + encode(types, values).hex()


def holders_of(
    contract: str, code: CodeView, *, own_owner: str, others: Sequence[Commander], anyone: str
) -> tuple[str, ...]:
    """Return who may hold a contract's keys, likeliest first."""
    named = [
        own_owner,
        *code.addresses,
        *(other.address for other in others if not other.is_contract),
        anyone,
    ]
    return tuple(dict.fromkeys(address for address in named if address and address != contract))
