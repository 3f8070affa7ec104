"""Slots behind locks: which are pulled, to what, and whom an empty office lets through."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.bytecode import Function, Variable
from apps.chains.evm.owner_arguments import Cast
from apps.chains.evm.owner_levers import VALUES, LeverPlay
from apps.chains.evm.probes_ground import Ground
from apps.chains.evm.simulate import Plan
from apps.chains.evm.simulate_script import Script, Stage, Told, script_request

TRANSFER = "0x23b872dd"
WRITER = Function(selector="0x11111111", arguments="uint256", is_write=True, is_payable=False)
SLOT = f"0x{6:064x}"
TOKEN, BUYER, POOL = ("0x" + digits * 20 for digits in ("aa", "bb", "cc"))
CAST = Cast(
    buyer=BUYER,
    pool=POOL,
    receiver="0x" + "dd" * 20,
    agent="",
    held_raw=5,
    pooled_raw=9,
    supply_raw=99,
    words=(),
)
FLAG = Variable(
    slot=SLOT, offset=20, kind="bool", readers=frozenset({TRANSFER}), writers=frozenset({WRITER.selector})
)
OWNER = Variable(
    slot=SLOT, offset=0, kind="address", readers=frozenset({WRITER.selector}), writers=frozenset()
)


def play(*variables: Variable, word: int = 0) -> LeverPlay:
    plan = Plan(
        buyer=BUYER,
        token=TOKEN,
        wrapped="0x" + "ee" * 20,
        pool=POOL,
        router="0x" + "ff" * 20,
        amount_in_raw=10**17,
        fee_bps=30,
        base_fee_wei=1,
        tip_wei=1,
        block="0x7",
    )
    stage = Stage(number=7, at_s=1_700_000_000, block_time_ms=12_000, base_fee_wei=1, tip_wei=1)
    return LeverPlay(
        ground=Ground(plan=plan, stage=stage, seed="test"),
        cast=CAST,
        variables=variables,
        words={SLOT: word},
        refused=(WRITER,),
        commanders=(),
        received_raw=5,
        sale_ahead=3,
        reserves=None,
    )


def changed(script: Script) -> dict[str, int]:
    (storage,) = (scene.storage[TOKEN] for scene in script.scenes if scene.storage)
    return {slot: int(word, 16) for slot, word in storage.items()}


def told(*, ok: bool) -> Told:
    return Told(ok=ok, data=b"")


def test_flag_beside_an_address_when_pulled_then_only_the_flag_changes():
    word = 0x1234 + (1 << 160)
    pulls = [changed(script)[SLOT] for script in play(FLAG, word=word).pull_scripts().values()]
    assert 0x1234 in pulls
    assert all(value % 2**160 == 0x1234 for value in pulls)
    assert word not in pulls


@given(st.integers(0, 2**256 - 1), st.sampled_from(["uint8", "uint16", "bool", "uint256", "address", "odd"]))
def test_any_word_and_kind_when_pulled_then_words_fit_and_the_rest_stands(word: int, kind: str):
    variable = replace(FLAG, kind=kind, offset=0)
    for script in play(variable, word=word).pull_scripts().values():
        value = changed(script)[SLOT]
        assert 0 <= value < 2**256
        width = {"uint8": 8, "bool": 8, "uint16": 16, "address": 160}.get(kind, 256)
        assert value >> width == word >> width
        assert value % 2**width in {min(number, 2**width - 1) for number in VALUES}


def test_empty_office_when_its_lock_is_tried_then_a_stranger_sits_in_it_and_a_held_one_stays():
    empty, held = play(FLAG, OWNER), play(FLAG, OWNER, word=0x77 << 32)
    heir = int(empty.ground.actor("heir"), 16)
    assert all(changed(script)[SLOT] % 2**160 == heir for script in empty.lock_scripts().values())
    assert all(changed(script)[SLOT] % 2**160 == 0x77 << 32 for script in held.lock_scripts().values())


def test_variables_that_no_refused_function_writes_then_nothing_is_played():
    lone = replace(FLAG, writers=frozenset({"0x22222222"}))
    mapping = replace(FLAG, kind="mapping(address => bool)")
    assert play(lone, mapping).lock_scripts() == {}


def test_lock_that_opens_then_there_is_no_lever_and_one_that_does_not_leads_to_the_pulls():
    one = play(FLAG)

    def locks(*, opens: bool):
        return {
            name: ((told(ok=opens),) * len(script.scenes[0].steps),)
            for name, script in one.lock_scripts().items()
        }

    pulls = dict.fromkeys(one.pull_scripts(), ((told(ok=True),) * 2, (told(ok=False),)))
    assert one.locked(locks(opens=True)) == frozenset()
    locked = one.locked(locks(opens=False))
    assert isinstance(locked, frozenset)
    (lever,) = one.levers(locked, pulls)
    assert (lever.slot, lever.writers, lever.sold) == (SLOT, (WRITER.selector,), False)
    assert one.locked(dict.fromkeys(one.lock_scripts(), "no node")) == "no node"


def test_scene_with_storage_when_requested_then_the_node_is_told_single_slots():
    script = next(iter(play(FLAG).pull_scripts().values()))
    _, (body, _) = script_request(script, play(FLAG).ground.stage)
    overrides = body["blockStateCalls"][1]["stateOverrides"][TOKEN]
    assert set(overrides) == {"stateDiff"}
    assert set(overrides["stateDiff"]) == {SLOT}
