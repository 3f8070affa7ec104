"""Lists of locks from hostile contracts: a strange answer never makes a lock, and never an exception."""

from __future__ import annotations

from typing import Any

import pytest
from eth_utils.address import to_checksum_address
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import lockers
from apps.chains.evm.jsonrpc import RpcFault
from apps.chains.evm.lock_lists import LOCK_LISTS, LOCKS_READ_MAX, Place
from apps.chains.known_lockers import KNOWN_LOCKERS
from apps.domain.locks import LockerProfile

POOL, LOCKER, CREATOR = "0x" + "b0" * 20, "0x" + "10" * 20, "0x" + "c0" * 20
PLACE = Place(locker=LOCKER, pool=POOL, creator=CREATOR, block="0x1", ranges=((0, 9),))
PROFILE = LockerProfile(address=LOCKER, kind="uncx_v2", name="L", code_hash="0x" + "11" * 32)
QUESTION = lockers.LockQuestion(lockers=(PROFILE,), pool=POOL, creator=CREATOR, block="0x1", ranges=((0, 9),))


def words(*values: int) -> str:
    return "0x" + b"".join(value.to_bytes(32, "big") for value in values).hex()


_HOSTILE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.lists(st.dictionaries(st.text(max_size=8), st.text(max_size=8)), max_size=3),
    st.text(max_size=40),
    st.binary(max_size=640).map(lambda data: "0x" + data.hex()),
    st.lists(st.integers(0, 2**256 - 1), max_size=30).map(lambda values: words(*values)),
    st.lists(st.sampled_from([0, 1, 32, 2**256 - 1, int(POOL, 16)]), max_size=30).map(
        lambda values: words(*values)
    ),
    st.just(RpcFault(code=3, message="execution reverted")),
)


@pytest.mark.parametrize("kind", sorted(LOCK_LISTS))
@given(data=st.data())
def test_any_answers_then_bounded_locks_and_no_exception(kind: str, data: st.DataObject) -> None:
    lists = LOCK_LISTS[kind]
    answers: dict[str, Any] = {name: data.draw(_HOSTILE) for name in lists.first(PLACE)}
    second = lists.second(PLACE, answers)
    assert len(second) <= 2 * LOCKS_READ_MAX
    answers |= {name: data.draw(_HOSTILE) for name in second}
    found = list(lists.locks(PLACE, answers))
    assert len(found) <= 2 * LOCKS_READ_MAX
    assert all(lock.amount_raw >= 0 and lock.unlock_at_s >= 0 for lock in found)


@pytest.mark.parametrize("kind", ["plain", "uncx_v2_later", "team_finance"])
def test_lock_of_another_pool_under_the_asked_number_then_left_out(kind: str) -> None:
    other = [int("0x" + "0d" * 20, 16), int(CREATOR, 16), 10**18, 2**40, 2**40, 0, 0, 0]
    assert list(LOCK_LISTS[kind].locks(PLACE, {"lock:0": words(*other)})) == []


def test_locks_claim_more_than_the_locker_holds_then_those_that_end_first_count() -> None:
    entry = {
        f"lock:{n}": words(0, 100, 100, until, n, int(CREATOR, 16)) for n, until in enumerate((900, 50, 400))
    }
    code = {"code": "0x6001", "slot:0": words(0), "slot:1": words(0)}
    proof = lockers.code_proof(code)
    assert proof is not None
    profile = LockerProfile(address=LOCKER, kind="uncx_v2", name="L", code_hash=proof.code_hash)
    question = lockers.LockQuestion(
        lockers=(profile,), pool=POOL, creator=CREATOR, block="0x1", ranges=((0, 9),)
    )
    answers = {f"locker:{LOCKER}:{name}": answer for name, answer in (code | entry).items()}
    found = lockers.locked_shares(question, {LOCKER: 250}, answers)
    assert [(lock.unlock_at_s, lock.amount_raw) for lock in found.locks] == [(50, 100), (400, 100), (900, 50)]
    assert (found.beyond(400), found.unverified_raw, found.why) == (50, 0, "")


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"code": "0x6001"},
        {"code": "0x", "slot:0": words(0), "slot:1": words(0)},
        {"code": "0x6001", "slot:0": RpcFault(code=-32601, message="no such method"), "slot:1": words(0)},
        {"code": "0x6001", "slot:0": words(int(CREATOR, 16)), "slot:1": words(0)},
        {"code": "0x6001", "slot:0": words(int(CREATOR, 16)), "slot:1": words(0), "implementation": "0x"},
    ],
)
def test_code_cannot_be_told_then_nothing_is_proven_and_nothing_locked(answers: dict[str, Any]) -> None:
    assert lockers.code_proof(answers) is None
    named = {f"locker:{LOCKER}:{name}": answer for name, answer in answers.items()}
    found = lockers.locked_shares(QUESTION, {LOCKER: 7}, named)
    assert (found.locks, found.unverified_raw) == ((), 7)


def test_nothing_is_held_then_no_locker_is_asked() -> None:
    assert lockers.first_requests(QUESTION, {}) == {}
    assert lockers.second_requests(QUESTION, {}, {}) == {}


def test_known_lockers_then_checksummed_once_a_chain_and_of_known_kinds() -> None:
    for chain_id, facts in KNOWN_LOCKERS.items():
        assert len({fact.address for fact in facts}) == len(facts), chain_id
        for fact in facts:
            assert to_checksum_address(fact.address) == fact.address
            assert fact.kind in LOCK_LISTS
