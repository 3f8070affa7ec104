from __future__ import annotations

from math import log2

from hypothesis import given
from hypothesis import strategies as st

from apps.discovery.logic.ring import Footing, find_fork
from apps.domain.market import BlockRef


def _hash(number: int, fork_at: int | None = None) -> str:
    return f"0x{'f' if fork_at is not None and number >= fork_at else 'a'}{number:063x}"


def _ring(*numbers: int) -> list[BlockRef]:
    return [BlockRef(number, _hash(number), 0) for number in numbers]


class _Chain:
    """A chain of this height whose blocks from ``fork_at`` on are other ones."""

    def __init__(self, head: int, fork_at: int | None = None) -> None:
        self.head, self.fork_at, self.fetches = head, fork_at, 0

    def __call__(self, number: int) -> str | None:
        self.fetches += 1
        return _hash(number, self.fork_at) if number <= self.head else None


def test_find_fork_when_nothing_was_read_then_unbroken() -> None:
    check = find_fork([], _Chain(10), head_number=10)
    assert (check.footing, check.common) == (Footing.UNBROKEN, None)


def test_find_fork_when_newest_agrees_then_unbroken_after_one_fetch() -> None:
    chain = _Chain(200)
    check = find_fork(_ring(*range(1, 101)), chain, head_number=200)
    assert (check.footing, check.common) == (Footing.UNBROKEN, BlockRef(100, _hash(100), 0))
    assert chain.fetches == 1


def test_find_fork_when_chain_is_shorter_and_agrees_then_behind() -> None:
    check = find_fork(_ring(*range(50, 101)), _Chain(90), head_number=90)
    assert check.footing is Footing.BEHIND
    assert check.common is not None
    assert check.common.number == 90


def test_find_fork_when_chain_was_cut_back_and_grew_anew_then_forked() -> None:
    check = find_fork(_ring(*range(50, 101)), _Chain(91, fork_at=91), head_number=91)
    assert check.footing is Footing.FORKED
    assert check.common is not None
    assert check.common.number == 90


def test_find_fork_when_head_is_below_all_we_remember_then_reset() -> None:
    check = find_fork(_ring(*range(50, 101)), _Chain(20), head_number=20)
    assert (check.footing, check.common) == (Footing.RESET, None)
    assert "20" in check.detail


def test_find_fork_when_nothing_agrees_then_reset() -> None:
    check = find_fork(_ring(*range(50, 101)), _Chain(300, fork_at=1), head_number=300)
    assert check.footing is Footing.RESET


def test_find_fork_when_genesis_differs_then_reset() -> None:
    check = find_fork(_ring(1, 2), _Chain(2, fork_at=0), head_number=2, genesis_hash=_hash(0))
    assert (check.footing, check.detail) == (Footing.RESET, "its first block is another one")
    assert find_fork([], _Chain(2, fork_at=0), head_number=2, genesis_hash=_hash(0)).footing is Footing.RESET
    assert find_fork(_ring(1, 2), _Chain(2), head_number=2, genesis_hash=_hash(0)).footing is Footing.UNBROKEN


@given(
    numbers=st.sets(st.integers(0, 600), min_size=1, max_size=512),
    head=st.integers(0, 700),
    fork_at=st.none() | st.integers(0, 700),
)
def test_find_fork_when_any_chain_then_common_is_the_last_shared_block(
    numbers: set[int], head: int, fork_at: int | None
) -> None:
    ring, chain = _ring(*sorted(numbers)), _Chain(head, fork_at)
    shared = [item for item in ring if item.number <= head and (fork_at is None or item.number < fork_at)]
    check = find_fork(ring, chain, head_number=head)
    assert chain.fetches <= log2(len(ring) + 1) + 4
    assert check.common == (shared[-1] if shared else None)
    if check.footing is Footing.FORKED:  # something that we remember was replaced
        assert any(item.number <= head and item not in shared for item in ring)
