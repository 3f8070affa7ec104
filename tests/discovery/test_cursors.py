from __future__ import annotations

import pytest

from apps.discovery.logic.ring import RING_BLOCKS_MAX, Footing
from apps.discovery.models import BlockHash
from apps.discovery.services.cursors import (
    chain_check,
    cursor_advance,
    cursor_get,
    cursor_rebase,
    ring_forget,
    ring_of,
)
from tests.discovery.fakes import CHAIN, block

pytestmark = pytest.mark.django_db


def _advance(first: int, last: int, *, fork: str = "") -> bool:
    return cursor_advance(
        chain_key=CHAIN, blocks=[block(number, fork=fork) for number in range(first, last + 1)]
    )


def test_cursor_when_nothing_was_read_then_none() -> None:
    assert cursor_get(chain_key=CHAIN) is None
    assert not cursor_advance(chain_key=CHAIN, blocks=[])


def test_cursor_when_advanced_then_stands_at_the_last_block_and_remembers_all() -> None:
    assert _advance(5, 9)
    cursor = cursor_get(chain_key=CHAIN)
    assert cursor is not None
    assert (cursor.number, cursor.hash) == (9, block(9).hash)
    assert ring_of(CHAIN) == tuple(block(number) for number in range(5, 10))


def test_cursor_when_older_blocks_come_then_it_does_not_move_back() -> None:
    _advance(5, 9)
    assert not _advance(3, 9, fork="f")
    assert ring_of(CHAIN)[-1] == block(9)


def test_cursor_when_many_blocks_then_ring_keeps_the_newest() -> None:
    _advance(1, RING_BLOCKS_MAX + 40)
    assert BlockHash.objects.count() == RING_BLOCKS_MAX
    _advance(RING_BLOCKS_MAX + 41, RING_BLOCKS_MAX + 45)
    ring = ring_of(CHAIN)
    assert (len(ring), ring[0].number, ring[-1].number) == (RING_BLOCKS_MAX, 46, RING_BLOCKS_MAX + 45)


def test_cursor_when_streams_differ_then_each_has_its_own() -> None:
    cursor_advance(chain_key=CHAIN, blocks=[block(3)], stream="pools")
    assert cursor_get(chain_key=CHAIN) is None
    assert ring_of(CHAIN) == ()


def test_check_when_chain_forked_then_rebase_and_read_on() -> None:
    _advance(1, 10)
    chain = {number: block(number, fork="f" if number > 7 else "").hash for number in range(1, 13)}
    check = chain_check(chain_key=CHAIN, fetch_hash=chain.get, head_number=12)
    assert check.footing is Footing.FORKED
    assert check.common == block(7)
    cursor_rebase(chain_key=CHAIN, to=check.common)
    assert ring_of(CHAIN)[-1] == block(7)
    _advance(8, 12, fork="f")
    assert chain_check(chain_key=CHAIN, fetch_hash=chain.get, head_number=12).footing is Footing.UNBROKEN


def test_check_when_chain_was_reset_then_ring_is_forgotten_and_cursor_re_based() -> None:
    _advance(100, 110)
    check = chain_check(chain_key=CHAIN, fetch_hash={3: block(3, fork="f").hash}.get, head_number=3)
    assert check.footing is Footing.RESET
    ring_forget(chain_key=CHAIN)
    cursor_rebase(chain_key=CHAIN, to=block(3, fork="f"))
    cursor = cursor_get(chain_key=CHAIN)
    assert cursor is not None
    assert cursor.number == 3
    assert ring_of(CHAIN) == (block(3, fork="f"),)
