"""A receipt from a block that goes away before the chain's reader saw it: no fork shows, the block's hash tells."""

from __future__ import annotations

from dataclasses import replace

from apps.domain.order import OrderStatus
from apps.state.models import Incident
from apps.trading.models import FillRecord, JournalEntry, Order, Position, TxAttempt
from apps.trading.services.settlement import fills_verify
from tests.trading.conftest import World


def filled(world: World) -> Order:
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    return order


def verify(world: World) -> tuple[int, ...]:
    """Compare with the blocks as the chain has them now, which is what its reader reads."""
    return fills_verify(
        chain_key=world.profile.chain_key,
        since_block=0,
        hashes_of=lambda since: {
            number: block.hash
            for number in range(since, world.chain.number + 1)
            if (block := world.chain.block(number)) is not None
        },
    )


def test_booked_block_when_it_is_the_one_that_was_read_then_nothing_changes(world: World):
    filled(world)
    before = JournalEntry.objects.count()
    assert verify(world) == ()
    assert JournalEntry.objects.count() == before


def test_booked_block_when_another_stands_in_its_place_then_is_booked_anew_with_its_gas_of_there(
    world: World,
):
    order = filled(world)
    attempt = TxAttempt.objects.get(order=order)
    assert attempt.block_number is not None
    world.chain.hashes[attempt.block_number] = "0x" + "f0" * 32
    mined = world.chain.mined[attempt.tx_hash]
    there = world.chain.block(attempt.block_number)
    assert there is not None
    mined.receipt = replace(mined.receipt, block=there)
    assert verify(world) == (order.pk,)
    order.refresh_from_db()
    assert order.status == OrderStatus.UNKNOWN.value
    assert FillRecord.objects.filter(order=order, reversed_at=None).count() == 0
    assert Incident.objects.filter(code="REORG_OF_FILLS").exists()
    assert world.settle(order) is OrderStatus.FILLED
    attempt.refresh_from_db()
    assert verify(world) == ()
    assert Position.objects.get().quantity_raw > 0
    world.assert_books_are_true()
    world.assert_nothing_sent_twice()
