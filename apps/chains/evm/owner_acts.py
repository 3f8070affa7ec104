"""What commanders can do to a token we hold: which calls the token lets them make, and how we then trade.

First every call is only made, to see whether it is let through, all calls of a commander in one script behind our purchase.
Then each call that matters is played on its own: we buy, it is made, we sell and another buys. Requests and results only.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apps.chains.evm import abi
from apps.chains.evm.bytecode import Function
from apps.chains.evm.owner_arguments import (
    LEVELS,
    UPGRADE_TO,
    UPGRADE_TO_AND_CALL,
    Cast,
    Names,
    Try,
    encode,
    role_numbers,
    split_types,
    tries_of,
)
from apps.chains.evm.probes_ground import Ground, holdings_of, probe_calls
from apps.chains.evm.simulate import PoolState
from apps.chains.evm.simulate_script import STEPS_MAX, Account, Scene, Script, Step, Told
from apps.domain.money import UINT256_MAX
from apps.domain.probes import Commander, Holdings, OwnerAct, ProbeCall

TRY_GAS = 1_000_000
#: Calls in one block of a script: their gas together must fit into it.
TRIES_PER_SCENE = 120
SCENES_OF_TRIES_MAX = 3
#: Of a function, the calls that are played for what they do to trades.
PLAYED_PER_TARGET_MAX = 8
#: Played acts of one assessment.
ACTS_MAX = 64
#: A stranger is tried with fewer levels: what matters is whether he is let through at all.
STRANGER_STRIDE = 3
#: Levels tried between the highest that is let through and the next above it.
REFINE_STEPS = 16
APPOINTMENTS_MAX = 24
#: Levels at which everything is done at once: the largest number, and extremes in basis points, per mille and percent.
SWEEP_LEVELS = (UINT256_MAX, 9_900, 990, 99, 1, 0)
SWEEPS_MAX = 24
#: Announced first, applied later: within a day nobody need have seen it.
NOTICE_S = 82_800
#: When locks in time may have fallen open that are closed now, and a block that nodes still fill the gap to.
LATER_S, LATER_BLOCKS = 8 * 86_400, 200
SLOW_LEVELS = (9_900, 99, 0)
SLOW_MAX = 16
SWEEP_CALLS_MAX = 24
#: Upper ends of what a level may mean: basis points, per mille, percent.
_SCALES = (9_900, 990, 99)
_NOTHING = "0" * 64  # a last argument of zero
_PREFIX = 6  # looks at holdings before the tries


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """Calls of one commander that the token let through, and what everybody held before them."""

    commander: Commander
    allowed: tuple[Try, ...]
    refused: tuple[Try, ...]
    before: Holdings
    appointments: tuple[Step, ...] = ()  # made before, by those who may

    @property
    def functions(self) -> frozenset[str]:
        """Return the selectors of the token's functions of which at least one call was let through."""
        return frozenset(item.function.selector for item in self.allowed if not item.function.target)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedAct:
    """One call that is to be played."""

    commander: Commander
    call: Try
    before: Holdings
    appointments: tuple[Step, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Everything that a commander may call, at one level, one call of each function and those without arguments last."""

    permission: Permission
    calls: tuple[Try, ...]
    after: tuple[Try, ...] = ()  # made most of a day later


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerPlay:
    """The scripts of all acts on one ground. ``received_raw`` is what our purchase brings."""

    ground: Ground
    cast: Cast
    reserves: PoolState | None
    received_raw: int
    sale_ahead: int = 3  # the block of our sale: later where a token lets nobody sell at once
    later_s: int = 0  # how long after now commanders call, 0: in the next block but one

    # -- who is let through ---------------------------------------------------------------

    def tries(self, functions: Iterable[Function]) -> tuple[Try, ...]:
        """Return the calls to try, those with numbers first and those without arguments last.

        A call may shut out those behind it: nothing that hands power over or ends it may come early.
        """
        # What is called elsewhere comes last: it may change what the token answers.
        ordered = sorted(functions, key=lambda item: (item.target != "", _disruption(item.arguments)))
        return tuple(call for function in ordered for call in tries_of(function, self.cast))

    def permission_script(
        self, commander: Commander, calls: Sequence[Try], *, appointments: Sequence[Step] = ()
    ) -> Script:
        """Return the script in which a commander makes these calls, one after the other."""
        kept = calls[: min(TRIES_PER_SCENE * SCENES_OF_TRIES_MAX, STEPS_MAX - 20 - len(appointments))]
        scenes = [self._purchase(ahead=1)]
        if appointments:
            scenes.append(Scene(ahead=2, steps=tuple(appointments)))
        looks = self.ground.holdings(caller=commander.address)
        ahead = len(scenes) + 1 + (LATER_BLOCKS if self.later_s else 0)
        for start in range(0, len(kept), TRIES_PER_SCENE):
            steps = tuple(self._step(commander, call) for call in kept[start : start + TRIES_PER_SCENE])
            steps = (*looks, *steps) if start == 0 else steps
            scenes.append(Scene(ahead=ahead, steps=steps, at_s=self._called_at_s()))
            ahead += 1
        return self._script(scenes)

    def permission(
        self,
        commander: Commander,
        calls: Sequence[Try],
        account: Account,
        *,
        appointments: Sequence[Step] = (),
    ) -> Permission | str:
        """Return what was let through, or why that is unknown."""
        if isinstance(account, str):
            return account
        first = 2 if appointments else 1
        told = [item for scene in account[first:] for item in scene]
        if len(told) < _PREFIX:
            return "no call could be tried"
        pairs = list(zip(calls, told[_PREFIX:], strict=False))
        made = (
            ()
            if not appointments
            else tuple(step for step, item in zip(appointments, account[1], strict=True) if item.ok)
        )
        return Permission(
            commander=commander,
            allowed=tuple(call for call, item in pairs if item.ok),
            refused=tuple(call for call, item in pairs if not item.ok),
            before=holdings_of(told[:_PREFIX]),
            appointments=made,
        )

    # -- who can be put into office -------------------------------------------------------

    def appointments(self, permission: Permission, functions: Iterable[Function]) -> tuple[Step, ...]:
        """Return the calls by which a commander might put himself or a stranger into office, as far as he is let."""
        commander, appointed = permission.commander, self.ground.actor("appointed")
        steps: list[Step] = []
        for function in functions:
            types = split_types(function.arguments)
            is_upgrade = function.selector in (UPGRADE_TO.selector, UPGRADE_TO_AND_CALL.selector)
            is_own = not function.target and function.selector in permission.functions
            if not is_own or types.count("address") > 1 or is_upgrade:
                continue
            for holder in (commander.address, appointed) if types else ("",):
                cast = replace(self.cast, buyer=holder, pool=holder, receiver=holder) if holder else self.cast
                roles = role_numbers(self.cast)
                named = [call for call in tries_of(function, cast) if call.level in (None, 1, 0, *roles)]
                if types and "address" not in types:
                    continue
                steps += [self._step(commander, call) for call in named[: 3 + len(roles)]]
        return tuple(steps[:APPOINTMENTS_MAX])

    # -- what is played -------------------------------------------------------------------

    def planned(self, permissions: Sequence[Permission]) -> tuple[PlannedAct, ...]:
        """Return the acts that are played: of each function the strongest calls, once for the first who may make them."""
        seen: set[tuple[str, str, int]] = set()
        planned: list[PlannedAct] = []
        for permission in permissions:
            fresh = [call for call in permission.allowed if not call.is_everyday and _key(call) not in seen]
            # What a stranger may call may still do something else for those who have a name here.
            if permission.commander.role != "anyone":
                seen |= {_key(call) for call in permission.allowed}
            planned += [
                PlannedAct(
                    commander=permission.commander,
                    call=chosen,
                    before=permission.before,
                    appointments=permission.appointments,
                )
                for chosen in _strongest(fresh)
            ]
        # What harms us most often comes first, should there be more than can be played.
        planned.sort(key=lambda act: act.call.names in ("receiver", "agent"))
        return tuple(planned[:ACTS_MAX])

    def refinements(self, permission: Permission) -> tuple[Try, ...]:
        """Return levels between the highest that was let through and the next above it, highest first."""
        found: list[Try] = []
        by_function: dict[tuple[str, str], list[Try]] = {}
        for call in permission.allowed:
            if call.names == "nobody" and call.level is not None and not call.is_alone:
                key = (call.function.target, call.function.selector)
                by_function.setdefault(key, []).append(call)
        for calls in by_function.values():
            reached = max(call.level or 0 for call in calls)
            above = [level for level in LEVELS if reached < level <= LEVELS[1]]
            if not above or reached == 0:
                continue
            width = min(above) - reached
            for number in range(REFINE_STEPS - 1, 0, -1):
                level = reached + width * number // REFINE_STEPS
                if level > reached:
                    found += _with_level(calls[0].function, level)
        return tuple({call.data: call for call in found}.values())

    def act_script(self, act: PlannedAct | None) -> Script:
        """Return the play of one act; without one, of nothing in its place."""
        caller = self.ground.actor("anyone") if act is None else act.commander.address
        made = () if act is None else (*act.appointments, self._step(act.commander, act.call))
        return self._played_script(made, caller=caller)

    def _called_at_s(self) -> int | None:
        return self.ground.stage.at_s + self.later_s if self.later_s else None

    def _played_script(self, made: Sequence[Step], *, caller: str, before: Sequence[Step] = ()) -> Script:
        wait = LATER_BLOCKS if before or self.later_s else 0
        ground, us, other = self.ground, self.ground.plan.buyer, self.ground.actor("another")
        amount = ground.plan.amount_in_raw
        look = ground.balance(other)
        scenes = [
            self._purchase(ahead=1),
            *(() if not before else (Scene(ahead=2, steps=tuple(before)),)),
            Scene(
                ahead=2 + wait,
                steps=(*made, *ground.holdings(caller=caller)),
                at_s=ground.stage.at_s + NOTICE_S if before else self._called_at_s(),
            ),
            Scene(
                ahead=self.sale_ahead + wait,
                steps=(ground.sell(us, self.received_raw), look, ground.buy(other, amount), look),
            ),
        ]
        return self._script(scenes)

    def act(self, planned: PlannedAct | None, account: Account) -> OwnerAct | str:
        """Return what an act did, or why that is unknown."""
        if isinstance(account, str):
            return account
        if not account[0][0].ok:
            return "the simulated purchase was not repeated"
        if planned is not None and not account[1][:-_PREFIX][-1].ok:
            return "the call was not let through again"
        return self._outcome(planned, account)

    def _outcome(self, planned: PlannedAct | None, account: Sequence[Sequence[Told]]) -> OwnerAct:
        looks = account[1][-_PREFIX:]
        before_sale = [*account[0], *account[1]]
        sale_told, look, buy_told, look_after = account[2]
        reserves = self.ground.reserves_after(before_sale, before=self.reserves)
        sale = self.ground.sold(sale_told, sold_raw=self.received_raw, reserves=reserves)
        reserves = self.ground.reserves_after([sale_told], before=reserves)
        buy = self.ground.bought(
            buy_told,
            before=look,
            after=look_after,
            amount_raw=self.ground.plan.amount_in_raw,
            reserves=reserves,
        )
        after = holdings_of(looks)
        if planned is None:
            commander, before = Commander(address=self.ground.actor("anyone"), role="anyone"), after
        else:
            commander, before = planned.commander, planned.before
        return OwnerAct(
            commander=commander,
            selector="" if planned is None else planned.call.function.selector,
            arguments="" if planned is None else planned.call.function.arguments,
            names="nobody" if planned is None else _named(planned.call.names),
            calls=() if planned is None else self._calls(planned),
            before=before,
            after=after,
            sold=sale.ok,
            buy_tax_bps=buy.tax_bps,
            sell_tax_bps=sale.tax_bps,
            detail=sale.detail,
            target="" if planned is None else planned.call.function.target,
        )

    # -- several calls at once ------------------------------------------------------------

    def sweeps(self, permissions: Sequence[Permission]) -> tuple[Sweep, ...]:
        """Return for each commander everything that he may do, at one level after the other.

        Some powers need two calls: one proposes, the next applies; one approves, the next moves.
        """
        found: dict[tuple[str, tuple[str, ...]], Sweep] = {}
        for permission in permissions:
            everyday = [call for call in permission.allowed if call.is_everyday]
            # Something and nothing apart: the one may undo what the other did.
            bundles = [
                tuple(call for call in everyday if call.data.endswith(_NOTHING) is is_nothing)
                for is_nothing in (False, True)
            ]
            bundles += [_at_level(permission, level) for level in SWEEP_LEVELS]
            who = permission.commander.address
            for calls in filter(None, bundles):
                sweep = Sweep(permission=permission, calls=calls)
                found.setdefault((who, tuple(call.data for call in calls)), sweep)
        return tuple(found.values())[:SWEEPS_MAX]

    def slow_sweeps(self, permissions: Sequence[Permission]) -> tuple[Sweep, ...]:
        """Return for each commander what he may do now, and most of a day later what he may not do yet."""
        found: list[Sweep] = []
        for permission in permissions:
            if not permission.refused:
                continue
            for level in SLOW_LEVELS:
                after = _chosen(permission.refused, level)
                allowed = _chosen(permission.allowed, level)
                bare = [call for call in allowed if not call.function.arguments]
                told = [call for call in allowed if call.function.arguments]
                # What takes no arguments may be the announcement, or call it off.
                found += [
                    Sweep(permission=permission, calls=tuple(calls[:SWEEP_CALLS_MAX]), after=after)
                    for calls in (told, bare if level == SLOW_LEVELS[0] else [])
                    if calls and after
                ]
        return tuple(found)[:SLOW_MAX]

    def sweep_script(self, sweep: Sweep) -> Script:
        """Return the play of a sweep: we buy, all calls are made, our tokens are asked for, we sell, another buys."""
        caller = sweep.permission.commander.address
        if sweep.after:
            return self._played_script(self._afterwards(sweep), caller=caller, before=self._announced(sweep))
        return self._played_script(self._swept(sweep), caller=caller)

    def swept(self, sweep: Sweep, account: Account) -> OwnerAct | str:
        """Return what a sweep did, or why that is unknown."""
        if isinstance(account, str) or not account[0][0].ok:
            return account if isinstance(account, str) else "the simulated purchase was not repeated"
        # Single calls of a sweep may be refused: it is judged by what all of them did.
        steps: Sequence[Step] = self._swept(sweep)
        if sweep.after:
            steps = (*self._announced(sweep), *self._afterwards(sweep))
            account = (account[0], (*account[1], *account[2]), account[3])
        made = [step for step, told in zip(steps, account[1][:-_PREFIX], strict=True) if told.ok]
        if not made:
            return "the calls were not let through again"
        plan = PlannedAct(
            commander=sweep.permission.commander, call=sweep.calls[-1], before=sweep.permission.before
        )
        act = self._outcome(plan, account)
        return replace(act, names="nobody", calls=probe_calls([Scene(ahead=2, steps=tuple(made))]))

    def _swept(self, sweep: Sweep) -> tuple[Step, ...]:
        permission = sweep.permission
        calls = (self._step(permission.commander, call) for call in sweep.calls)
        return (*permission.appointments, *calls, *self._moves(permission))

    def _announced(self, sweep: Sweep) -> tuple[Step, ...]:
        calls = (self._step(sweep.permission.commander, call) for call in sweep.calls)
        return (*sweep.permission.appointments, *calls)

    def _afterwards(self, sweep: Sweep) -> tuple[Step, ...]:
        calls = (self._step(sweep.permission.commander, call) for call in sweep.after)
        return (*calls, *self._moves(sweep.permission))

    def _moves(self, permission: Permission) -> list[Step]:
        cast = self.cast
        taken = abi.call(abi.TRANSFER_FROM, cast.buyer, cast.receiver, self.received_raw)
        return [
            Step(sender=who, to=self.ground.plan.token, data=taken, gas=TRY_GAS)
            for who in (permission.commander.address, cast.receiver)
        ]

    # -- parts ----------------------------------------------------------------------------

    def _calls(self, planned: PlannedAct) -> tuple[ProbeCall, ...]:
        steps = (*planned.appointments, self._step(planned.commander, planned.call))
        return probe_calls([Scene(ahead=2, steps=steps)])

    def _purchase(self, *, ahead: int) -> Scene:
        ground, us = self.ground, self.ground.plan.buyer
        steps = (ground.buy(us, ground.plan.amount_in_raw), ground.approve(us, self.received_raw))
        return Scene(ahead=ahead, steps=steps)

    def _step(self, commander: Commander, call: Try) -> Step:
        to = call.function.target or self.ground.plan.token
        return Step(sender=commander.address, to=to, data=call.data, gas=TRY_GAS, value_raw=call.value_raw)

    def _script(self, scenes: Sequence[Scene]) -> Script:
        # Contracts are among the commanders, and no contract can sign.
        return self.ground.script(scenes, paying_raw=self.ground.plan.amount_in_raw, is_valid=False)


def _key(call: Try) -> tuple[str, str, int]:
    return call.function.target, call.data, call.value_raw


def _disruption(arguments: str) -> int:
    """Return how likely a call of such arguments shuts out those behind it."""
    types = split_types(arguments)
    if not types:
        return 3
    return 2 if types == ["address"] else 1 if "address" in types else 0


def _strongest(calls: Sequence[Try]) -> list[Try]:
    """Return of each function and target the calls that reach furthest, on each scale that a level may be of."""
    groups: dict[tuple[str, str, Names], list[Try]] = {}
    for call in calls:
        groups.setdefault((call.function.target, call.function.selector, call.names), []).append(call)
    chosen: list[Try] = []
    for (_, _, names), group in groups.items():
        if names == "agent":
            continue
        most = PLAYED_PER_TARGET_MAX if names in ("nobody", "buyer") else 2
        chosen += _spread(group)[:most]
    return chosen


def _spread(group: Sequence[Try]) -> list[Try]:
    """Return calls spread over the scales; all of them when they carry no level."""
    equal = [call for call in group if call.level is not None and not call.is_alone]
    alone = [call for call in group if call.is_alone]
    picked = [call for call in group if call.level is None]
    # Two numbers may be the ends of a range, which lies between nothing and everything.
    picked += [call for call in alone if call.level == UINT256_MAX]
    if equal:
        levels = sorted({call.level or 0 for call in equal}, reverse=True)
        wanted = {levels[0], levels[-1]}
        for scale in _SCALES:
            below = [level for level in levels if level <= scale]
            wanted |= set(below[:1])
        wanted |= {call.level or 0 for call in equal if call.is_telling}
        picked += [call for call in equal if (call.level or 0) in wanted]
    highest = max((call.level or 0 for call in equal), default=-1)
    # A number alone matters where it may be higher than all together.
    further = [call for call in alone if (call.level or 0) > highest]
    best = max((call.level or 0 for call in further), default=0)
    picked += [call for call in further if (call.level or 0) in (best, *_SCALES)]
    return picked


def _with_level(function: Function, level: int) -> list[Try]:
    types = split_types(function.arguments)
    if any(not name.startswith(("uint", "int")) or name.endswith("]") for name in types):
        return []
    data = function.selector + encode(types, [level] * len(types)).hex()
    return [Try(function=function, data=data, names="nobody", level=level)]


def _at_level(permission: Permission, level: int) -> tuple[Try, ...]:
    """Return of each function the call at this level, against us where it names somebody; nothing for a single call."""
    ordered = _chosen(permission.allowed, level)
    # A single call is played on its own already, unless it may have approved somebody.
    is_worth = len(ordered) > 1 or any(call.names == "buyer" for call in ordered)
    return ordered if is_worth else ()


def _chosen(calls: Sequence[Try], level: int) -> tuple[Try, ...]:
    chosen: dict[tuple[str, str, Names], Try] = {}
    for call in calls:
        is_wanted = (
            call.names in ("nobody", "buyer")
            and call.level in (None, level)
            and not (call.is_alone or call.is_everyday)
        )
        if is_wanted:
            chosen.setdefault((call.function.target, call.function.selector, call.names), call)
    ordered = sorted(chosen.values(), key=lambda call: _disruption(call.function.arguments))
    return tuple(ordered[:SWEEP_CALLS_MAX])


def _named(names: Names) -> Literal["nobody", "buyer", "pool", "receiver"]:
    return "receiver" if names == "agent" else names
