"""Places that a sale hangs on: which are pulled, who is seen to write them, and what is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from apps.chains.evm.bytecode import Function, Variable
from apps.chains.evm.owner_acts import OwnerPlay
from apps.chains.evm.owner_hinges import COUNTED_TIMES, HingePlay
from apps.chains.evm.simulate_script import Account, Script, Told
from apps.domain.probes import Commander, Holdings
from tests.chains.evm.test_levers import CAST, SLOT, TRANSFER
from tests.chains.evm.test_levers import play as lever_play

SETTER = Function(selector="0x11111111", arguments="uint256", is_write=True, is_payable=False)
LEVEL = Variable(
    slot=SLOT, offset=0, kind="uint256", readers=frozenset({TRANSFER}), writers=frozenset({SETTER.selector})
)
OWNER = Commander(address="0x" + "12" * 20, role="owner")
NOBODY = Holdings(
    supply_raw=None, buyer_raw=None, caller_raw=None, receiver_raw=None, pool_raw=None, token_raw=None
)


def hinges(*variables: Variable, before: int = 0, untried: frozenset[str] = frozenset()) -> HingePlay:
    ground = lever_play().ground
    return HingePlay(
        play=OwnerPlay(ground=ground, cast=CAST, reserves=None, received_raw=5),
        variables=variables,
        functions=(SETTER,),
        commanders=(OWNER,),
        untried=untried,
        code="0x6000",
        before=NOBODY,
        words_before={SLOT: before},
    )


def word(value: int) -> Told:
    return Told(ok=True, data=value.to_bytes(32, "big"))


def sales(scripts: Mapping[str, Script], *, failing_from: int) -> dict[str, Account]:
    """Return accounts in which our sale fails from this value of the place on."""
    return {
        name: (
            (Told(ok=True, data=b""),) * 2,
            (Told(ok=int(name.rpartition(":")[2], 16) < failing_from, data=b""),),
        )
        for name in scripts
    }


def writes(
    play: HingePlay, harmful: Mapping, words: Mapping[str, int], *, becomes: int | None
) -> dict[str, Account]:
    """Return accounts in which every call goes through and the place then holds ``becomes``, None: what it held."""
    found: dict[str, Account] = {}
    for name, script in play.write_scripts(harmful, words).items():
        scenes: list[tuple[Told, ...]] = [(Told(ok=True, data=b""),) * 2]
        held = 0
        for scene in script.scenes[1:]:
            if scene.storage:
                held = int(next(iter(next(iter(scene.storage.values())).values())), 16)
                scenes.append((Told(ok=True, data=b""),) * len(scene.steps))
            else:
                scenes.append((word(held if becomes is None else becomes),))
        found[name] = tuple(scenes)
    return found


def test_place_that_its_writer_never_writes_then_it_is_a_lever_and_one_that_is_written_is_none():
    play, words = hinges(LEVEL), {SLOT: 2}
    harmful = play.harmful(words, sales(play.pull_scripts(words), failing_from=99), tax_now_bps=10_000)
    # Sales that bring nothing count as failed: the coins that come back are not part of this play.
    assert SLOT in harmful
    (lever,) = play.hidden(harmful, words, writes(play, harmful, words, becomes=None))
    assert (lever.slot, lever.writers, lever.sold) == (SLOT, (SETTER.selector,), False)
    assert play.hidden(harmful, words, writes(play, harmful, words, becomes=7)) == ()
    assert play.hidden(harmful, words, {}) == ()  # what was not played proves nothing


def test_harmful_value_then_its_writers_are_asked_for_just_it():
    play, words = hinges(LEVEL), {SLOT: 2}
    harmful = play.harmful(words, sales(play.pull_scripts(words), failing_from=0), tax_now_bps=0)
    asked = {act.call.level for act in play.goals(harmful).values()}
    # A number in the higher half of the word is among what is asked for.
    assert 99 << 8 | 2 in asked
    assert all(act.commander == OWNER for act in play.goals(harmful).values())


def test_writer_that_cannot_be_called_then_it_counts_as_unseen():
    arguments = "(uint256,uint256)[][]"
    odd = replace(SETTER, arguments=arguments)
    play = replace(hinges(LEVEL, untried=frozenset({SETTER.selector})), functions=(odd,))
    words = {SLOT: 2}
    harmful = play.harmful(words, sales(play.pull_scripts(words), failing_from=0), tax_now_bps=0)
    assert play.hidden(harmful, words, {})[0].writers == (SETTER.selector,)


@pytest.mark.parametrize(("step", "is_count"), [(1, True), (1_000, True), (1_001, False), (0, False)])
def test_trades_count_a_place_up_then_it_is_pulled_further(step: int, *, is_count: bool):
    counter = replace(LEVEL, writers=frozenset({TRANSFER}))
    play, words = hinges(counter, before=7), {SLOT: 7 + step}
    pulled = {int(name.rpartition(":")[2], 16) for name in play.pull_scripts(words)}
    assert pulled == ({7 + step + step * times for times in COUNTED_TIMES} if is_count else set())


def test_balances_and_what_nobody_writes_then_no_place():
    balances = replace(LEVEL, kind="mapping(address => uint256)", readers=frozenset({TRANSFER, "0x70a08231"}))
    lone = replace(LEVEL, writers=frozenset())
    assert hinges(balances, lone).places == ()
    listed = replace(LEVEL, kind="mapping(address => bool)")
    assert len(hinges(listed).places) == 2  # what it says of us and of the pool
