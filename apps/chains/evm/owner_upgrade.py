"""Whether somebody can exchange the code that runs in a token's place: shown by storage that a call changed.

A token that runs foreign code takes it from a known slot, from a beacon, or from some slot of its own. Each call that a
commander may make is played, and the slots are read before and after. Requests and results only.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from apps.chains.evm import abi, owner
from apps.chains.evm.owner_acts import TRY_GAS, Permission
from apps.chains.evm.owner_arguments import Try
from apps.chains.evm.probes_ground import Ground, probe_calls
from apps.chains.evm.simulate import VIEW_GAS
from apps.chains.evm.simulate_script import Account, Scene, Script, Step
from apps.domain.probes import Commander, ProxyKind, UpgradePower

#: Calls that are played in search of an exchange.
WATCHED_MAX = 32
_IMPLEMENTATION_VIEW = abi.selector("implementation()")
#: Written by the agent's code when it runs as the token's own: keccak("agent was here").
SLOT_AGENT = abi.topic("agent was here")
_CODE_SLOTS = frozenset(
    {
        owner.SLOT_IMPLEMENTATION,
        owner.SLOT_IMPLEMENTATION_ZOS,
        owner.SLOT_IMPLEMENTATION_1822,
        owner.SLOT_BEACON,
        SLOT_AGENT,
    }
)
#: A contract that new code is taken for: asked with four bytes it answers as an upgradable implementation does; run for
#: anything else it writes SLOT_AGENT and answers one.
AGENT_CODE = (
    # With four bytes of calldata go to 0x35; else write one into the slot and answer one.
    f"0x6004361460355760017f{SLOT_AGENT[2:]}55600160005260206000f3"
    # 0x35: answer the slot's name.
    f"5b7f{owner.SLOT_IMPLEMENTATION[2:]}60005260206000f3"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One call that is played in search of an exchange."""

    commander: Commander
    call: Try
    appointments: tuple[Step, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpgradePlay:
    """The scripts in search of an exchange of code. ``slots`` are read, ``words`` is what they held at the stage's block.

    ``implementation`` is the code's present address in lower case, "" when it is not known; ``foreign`` are all contracts
    that a transfer runs or asks.
    """

    ground: Ground
    proxy: ProxyKind
    slots: tuple[str, ...]
    words: Mapping[str, int]
    beacon: str
    foreign: frozenset[str]
    implementation: str
    agent: str

    def watches(self, permissions: Sequence[Permission]) -> tuple[Watch, ...]:
        """Return the calls worth watching: of each function one, and every one that names an address to take code from."""
        found: dict[tuple[str, str], Watch] = {}
        for permission in permissions:
            for call in permission.allowed:
                if call.function.target:
                    continue
                watch = Watch(commander=permission.commander, call=call, appointments=permission.appointments)
                found.setdefault((call.function.selector, call.names), watch)
        ordered = sorted(found.values(), key=lambda item: item.call.names != "agent")
        return tuple(ordered[:WATCHED_MAX])

    def script(self, watch: Watch) -> Script:
        """Return the play of one call and the look at the slots behind it."""
        plan, onlooker = self.ground.plan, self.ground.actor("onlooker")
        call = Step(sender=watch.commander.address, to=plan.token, data=watch.call.data, gas=TRY_GAS)
        looks = []
        if self.beacon:
            looks.append(
                Step(sender=onlooker, to=self.beacon, data=abi.call(_IMPLEMENTATION_VIEW), gas=VIEW_GAS)
            )
        data = "0x" + "".join(slot[2:] for slot in self.slots)
        read = Step(sender=onlooker, to=plan.token, data=data, gas=owner.SLOT_READER_GAS)
        token, agent = plan.token.lower(), self.agent.lower()
        scenes = [
            Scene(ahead=1, steps=(*watch.appointments, call, *looks), codes={agent: AGENT_CODE}),
            Scene(ahead=2, steps=(read,), codes={token: owner.SLOT_READER_CODE}),
        ]
        return self.ground.script(scenes, paying_raw=0, is_valid=False)

    def exchanged(self, watch: Watch, account: Account) -> str | None:
        """Return what the call exchanged in plain words, "" for nothing, None when that is unknown."""
        if isinstance(account, str):
            return None
        played = account[0][: -1 if self.beacon else None]
        if not played[-1].ok:
            return ""
        if self.beacon:
            told = account[0][-1].word
            if told is not None and self.implementation and told != int(self.implementation, 16):
                return "the beacon names other code"
        after = owner.storage_of("0x" + account[1][0].data.hex(), self.slots)
        if isinstance(after, str):
            return None
        for slot, value in after.items():
            before = self.words.get(slot, 0)
            if value == before:
                continue
            if slot == SLOT_AGENT:
                return "foreign code ran as the token's own"
            if slot in _CODE_SLOTS:
                return "the slot that names the code was written"
            if f"0x{before % 2**160:040x}" in self.foreign:
                return "the slot that names a contract which transfers run or ask was written"
        return ""

    def calls_of(self, watch: Watch) -> UpgradePower:
        """Return the power that a watched call showed, with the calls that show it; the words are the caller's."""
        plan = self.ground.plan
        call = Step(sender=watch.commander.address, to=plan.token, data=watch.call.data, gas=TRY_GAS)
        scene = Scene(ahead=1, steps=(*watch.appointments, call))
        return UpgradePower(reachable=True, commander=watch.commander, detail="", calls=probe_calls([scene]))
