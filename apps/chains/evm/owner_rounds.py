"""Rounds three to five of an assessment: who is let through, what his calls do, and what only those calls showed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from apps.chains.evm import abi
from apps.chains.evm.bytecode import Function
from apps.chains.evm.client import Request
from apps.chains.evm.owner_acts import LATER_S, STRANGER_STRIDE, OwnerPlay, Permission, PlannedAct, Sweep
from apps.chains.evm.owner_arguments import Try, few_of
from apps.chains.evm.owner_delay import DelayPlay
from apps.chains.evm.owner_upgrade import Watch
from apps.chains.evm.simulate_script import Script, Step
from apps.domain.probes import Commander, OwnerAct, ProbeCall, UpgradePower

if TYPE_CHECKING:
    from apps.chains.evm.probes_run import Assessment

#: diamondCut with no cuts: changes nothing, and only those who may cut are let through.
DIAMOND_CUT = Function(
    selector="0x" + abi.selector("diamondCut((address,uint8,bytes4[])[],address,bytes)").hex(),
    arguments="bytes,address,bytes",  # an empty list is written like an empty text
    is_write=True,
    is_payable=False,
)
#: Refused to everybody is what it should be.
TRANSFER_FROM = "0x" + abi.TRANSFER_FROM.hex()
#: What somebody tries, and the calls by which he was put into office before.
Trials = Mapping[Commander, tuple[tuple[Try, ...], tuple[Step, ...]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Acts:
    """What rounds three to five showed."""

    upgrade: UpgradePower
    trial: OwnerAct | None = None
    acts: tuple[OwnerAct, ...] = ()
    refused: tuple[str, ...] = ()
    untried: tuple[str, ...] = ()
    delays: Mapping[str, int] = field(default_factory=dict)  # proven, by commander's address

    def delayed(self, commander: Commander, calls: Sequence[ProbeCall] = ()) -> Commander:
        """Return the commander with the longest proven delay of all who must call."""
        senders = {commander.address, *(call.sender for call in calls)}
        delays = [self.delays[sender] for sender in senders if sender in self.delays]
        return replace(commander, delay_s=max([commander.delay_s, *delays]))

    def with_delays(self) -> Acts:
        """Return the same with the proven delays in every act."""
        power = self.upgrade
        known = power.commander
        return replace(
            self,
            acts=tuple(replace(act, commander=self.delayed(act.commander, act.calls)) for act in self.acts),
            upgrade=power if known is None else replace(power, commander=self.delayed(known, power.calls)),
        )


@dataclass(kw_only=True)
class ActRounds:
    """Rounds three to five: who is let through, what that does, and what only those showed."""

    run: Assessment
    play: OwnerPlay
    commanders: Sequence[Commander]
    delay_plays: Mapping[str, DelayPlay] = field(default_factory=dict)

    def acts(self, requests: Mapping[str, Request], third: Mapping[str, Script]) -> Acts:
        """Return the acts of all commanders; ``requests`` and ``third`` are others' in the third round."""
        functions = self.run.functions()
        calls = self.play.tries(functions)
        triggers = self.run.triggers(self.play.received_raw)
        given = {
            who: calls[::STRANGER_STRIDE] if who.role == "anyone" else (*triggers, *calls)
            for who in self.commanders
        }
        scripts = {
            f"may:{who.address}": self.play.permission_script(who, tried) for who, tried in given.items()
        }
        self.run.round(requests, {**third, **scripts, "trial": self.play.act_script(None)})
        permissions = self._permissions({who: (tried, ()) for who, tried in given.items()}, prefix="may")
        tried = {call.function.selector for call in calls if not call.function.target}
        untried = {function.selector for function in functions if not function.target} - tried
        reached = {selector for permission in permissions for selector in permission.functions}
        acts, watches = self._fourth_and_fifth(permissions, functions)
        reached |= {act.selector for act in acts if not act.target}
        trial = self.play.act(None, self.run.accounts["trial"])
        if isinstance(trial, str):
            self.run.missing["acts"] = trial
        delays = self._proven_delays()
        return Acts(
            upgrade=self._upgrade(watches, permissions, delays),
            delays=delays,
            trial=None if isinstance(trial, str) else trial,
            acts=acts,
            refused=tuple(sorted(tried - reached - {TRANSFER_FROM})),
            untried=tuple(sorted(untried)),
        ).with_delays()

    def _fourth_and_fifth(
        self, permissions: Sequence[Permission], functions: Sequence[Function]
    ) -> tuple[tuple[OwnerAct, ...], dict[str, Watch]]:
        planned = {f"act:{number}": act for number, act in enumerate(self.play.planned(permissions))}
        refined = {item.commander: (self.play.refinements(item), ()) for item in permissions}
        refined = {who: tried for who, tried in refined.items() if tried[0]}
        appointed = self._appointed(permissions, functions)
        watches = self._watches(permissions, start=0)
        upgrade = self.run.upgrade_play()
        later, given_later = replace(self.play, later_s=LATER_S), self._given_later(permissions)
        self.delay_plays = self.run.delay_plays(permissions)
        self.play_all(
            {name: self.play.act_script(act) for name, act in planned.items()}
            | {
                f"finer:{who.address}": self.play.permission_script(who, tried)
                for who, (tried, _) in refined.items()
            }
            | {
                f"office:{who.role}:{who.address}": self.play.permission_script(
                    who, tried, appointments=steps
                )
                for who, (tried, steps) in appointed.items()
            }
            | {
                f"later:{who.address}": later.permission_script(who, tried)
                for who, (tried, _) in given_later.items()
            }
            | {name: upgrade.script(watch) for name, watch in watches.items()}
            | {f"delay:{address}": play.script() for address, play in self.delay_plays.items()}
        )
        finer = self._permissions(refined, prefix="finer")
        office = self._permissions(appointed, prefix="office")
        finer = [self._highest(item) for item in finer]
        late = {f"late:{number}": act for number, act in enumerate(self.play.planned([*finer, *office]))}
        opened = self._permissions(given_later, prefix="later", is_needed=False)
        ripe = {f"ripe:{number}": act for number, act in enumerate(self.play.planned(opened))}
        late_watches = self._watches(office, start=len(watches))
        sweeps = {
            f"sweep:{number}": item for number, item in enumerate(self.play.sweeps([*permissions, *office]))
        }
        slow = self.play.slow_sweeps(permissions)
        sweeps |= {f"sweep:slow {number}": item for number, item in enumerate(slow)}
        self.play_all(
            {name: self.play.act_script(act) for name, act in late.items()}
            | {name: later.act_script(act) for name, act in ripe.items()}
            | {name: self.play.sweep_script(sweep) for name, sweep in sweeps.items()}
            | {name: upgrade.script(watch) for name, watch in late_watches.items()}
        )
        acts = self._played({**planned, **late, **ripe})
        return (*acts, *self._swept(sweeps)), watches | late_watches

    def _highest(self, permission: Permission) -> Permission:
        """Return a refinement with the highest level of each function alone."""
        best: dict[str, Try] = {}
        for call in permission.allowed:
            best.setdefault(call.function.target + call.function.selector, call)
        return replace(permission, allowed=tuple(best.values()))

    def _appointed(self, permissions: Sequence[Permission], functions: Sequence[Function]) -> Trials:
        """Return who might be put into office, what he then tries, and the calls that put him there."""
        reached = {selector for permission in permissions for selector in permission.functions}
        refused = [
            function for function in functions if not function.target and function.selector not in reached
        ]
        found: dict[Commander, tuple[tuple[Try, ...], tuple[Step, ...]]] = {}
        if not refused:
            return found
        calls = tuple(call for function in refused for call in few_of(self.play.tries([function])))
        for permission in permissions:
            steps = self.play.appointments(permission, functions)
            if not steps:
                continue
            stranger = Commander(
                address=self.run.ground.actor("appointed"),
                role="anyone" if permission.commander.role == "anyone" else "appointed",
                delay_s=permission.commander.delay_s,
            )
            found.setdefault(stranger, (calls, steps))
            if permission.commander.role != "anyone":
                found.setdefault(permission.commander, (calls, steps))
        return found

    def _watches(self, permissions: Sequence[Permission], *, start: int) -> dict[str, Watch]:
        if not self.run.is_watchable:
            return {}
        watches = self.run.upgrade_play().watches(permissions)
        return {f"watch:{number}": watch for number, watch in enumerate(watches, start=start)}

    def _given_later(self, permissions: Sequence[Permission]) -> Trials:
        """Return what those who have a name here try again later: functions of which no call was let through."""
        found: dict[Commander, tuple[tuple[Try, ...], tuple[Step, ...]]] = {}
        for item in permissions:
            reached = {(call.function.target, call.function.selector) for call in item.allowed}
            refused = [
                call
                for call in item.refused
                if (call.function.target, call.function.selector) not in reached and not call.is_everyday
            ]
            if refused and item.commander.role != "anyone":
                found[item.commander] = (tuple(_few_each(refused)), ())
        return found

    def _permissions(self, given: Trials, *, prefix: str, is_needed: bool = True) -> list[Permission]:
        found: list[Permission] = []
        for who, (tried, steps) in given.items():
            name = f"{prefix}:{who.role}:{who.address}" if prefix == "office" else f"{prefix}:{who.address}"
            permission = self.play.permission(who, tried, self.run.accounts[name], appointments=steps)
            if isinstance(permission, str):
                if is_needed:
                    self.run.missing.setdefault("acts", permission)
            else:
                found.append(permission)
        return found

    def _played(self, planned: Mapping[str, PlannedAct]) -> tuple[OwnerAct, ...]:
        acts: list[OwnerAct] = []
        for name, plan in planned.items():
            act = self.play.act(plan, self.run.accounts[name])
            if isinstance(act, str):
                self.run.missing.setdefault("some_acts", act)
            else:
                acts.append(act)
        return tuple(acts)

    def _swept(self, sweeps: Mapping[str, Sweep]) -> tuple[OwnerAct, ...]:
        acts = (self.play.swept(sweep, self.run.accounts[name]) for name, sweep in sweeps.items())
        return tuple(act for act in acts if not isinstance(act, str))

    def _proven_delays(self) -> dict[str, int]:
        """Return the delays that stood the test; a claim that could not be tested counts for nothing."""
        return {
            address: play.claimed_s
            for address, play in self.delay_plays.items()
            if play.passes_through(self.run.accounts[f"delay:{address}"]) is False
        }

    def _upgrade(
        self, watches: Mapping[str, Watch], permissions: Sequence[Permission], delays: Mapping[str, int]
    ) -> UpgradePower:
        """Return whether anybody exchanged the code; of several, he who needs to wait least."""
        if self.run.proxy == "diamond":
            return self._diamond(permissions)
        if not self.run.is_watchable:
            return UpgradePower(reachable=False, commander=None, detail="the code runs no other code")
        play = self.run.upgrade_play()
        found: list[UpgradePower] = []
        unknown = ""
        for name, watch in watches.items():
            words = play.exchanged(watch, self.run.accounts[name])
            if words is None:
                account = self.run.accounts[name]
                unknown = account if isinstance(account, str) else "the storage could not be read again"
            elif words:
                found.append(replace(play.calls_of(watch), detail=words))
        if found:
            proven = Acts(upgrade=found[0], delays=delays)
            waits = [
                0 if power.commander is None else proven.delayed(power.commander, power.calls).delay_s
                for power in found
            ]
            return found[waits.index(min(waits))]
        if unknown or "implementation" in self.run.missing or "storage" in self.run.missing:
            reason = unknown or self.run.missing.get("implementation") or self.run.missing["storage"]
            return UpgradePower(reachable=None, commander=None, detail=reason)
        return UpgradePower(reachable=False, commander=None, detail="nobody tried could exchange the code")

    def _diamond(self, permissions: Sequence[Permission]) -> UpgradePower:
        for permission in permissions:
            call = next(
                (item for item in permission.allowed if item.function.selector == DIAMOND_CUT.selector), None
            )
            if call is not None:
                watch = Watch(commander=permission.commander, call=call, appointments=permission.appointments)
                return replace(
                    self.run.upgrade_play().calls_of(watch), detail="the diamond's facets may be cut"
                )
        return UpgradePower(reachable=False, commander=None, detail="nobody tried may cut the diamond")

    def play_all(self, scripts: Mapping[str, Script]) -> None:
        """Play scripts, all in one round."""
        self.run.round({}, scripts)


def _few_each(calls: Sequence[Try]) -> list[Try]:
    """Return of each function a few calls."""
    groups: dict[tuple[str, str], list[Try]] = {}
    for call in calls:
        groups.setdefault((call.function.target, call.function.selector), []).append(call)
    return [call for group in groups.values() for call in few_of(group)]
