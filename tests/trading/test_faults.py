"""What goes wrong around an order beside crashes: full disks, clocks that jump, taxes that change, sends that are lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest
from django.db import DatabaseError, connection
from django.utils import timezone

from apps.domain.order import OrderStatus, SignedTx, UnsignedTx
from apps.risk.services.budgets import budget_view
from apps.trading.models import Order, Position, TxAttempt
from apps.trading.services.execution import claims_recover
from apps.trading.services.settlement import REBROADCAST_EVERY_S
from apps.wallets.services.nonces import nonces_next
from tests.trading.conftest import World
from tests.trading.fakes import FakeChain, Killed

PAGES_UNBOUND = 2**32 - 2
#: So large that storing it takes pages that the file does not have yet.
LARGE = 64_000


def entry(world: World, **pool: int) -> Order:
    order = world.decide(world.pair(**pool))
    assert order is not None
    return order


# -- a full disk --------------------------------------------------------------------------
class FillingSigner:
    """Signs, and leaves no page of the disk free for what comes after."""

    def __init__(self, chain: FakeChain) -> None:
        self._chain = chain

    def address(self, wallet_key: str) -> str:
        return self._chain.address(wallet_key)

    def sign(self, tx: UnsignedTx, *, client_order_id: str, epoch: int) -> SignedTx:
        signed = self._chain.sign(tx, client_order_id=client_order_id, epoch=epoch)
        pages_allowed(_pragma("page_count"))
        free = _pragma("freelist_count") * _pragma("page_size")  # what earlier rows have left
        return replace(signed, payload=signed.payload + bytes(LARGE + free))


def pages_allowed(count: int) -> None:
    _pragma(f"max_page_count={count}")


def _pragma(text: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {text}")
        return int(cursor.fetchone()[0])


@pytest.mark.sqlite  # a server's disk is not ours to fill
@pytest.mark.django_db(transaction=True)
def test_disk_full_when_the_signed_bytes_are_stored_then_nothing_is_sent_and_later_it_is_bought_once(
    world: World,
):
    order = entry(world)
    ports = world.ports
    world.ports = replace(ports, signer=cast(Any, FillingSigner(world.chain)))
    try:
        with pytest.raises(DatabaseError, match="full"):
            world.execute(order)
    finally:
        pages_allowed(PAGES_UNBOUND)
    order.refresh_from_db()
    assert (order.status, world.chain.sends, TxAttempt.objects.count()) == ("claimed", [], 0)
    assert budget_view().open_positions == 1
    world.ports = ports
    world.sweep()
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == 1
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


# -- a clock that jumps -------------------------------------------------------------------
def test_clock_set_forward_when_a_swap_is_on_its_way_then_it_or_its_cancellation_counts(world: World):
    order = entry(world)
    world.execute(order)
    original = next(iter(world.chain.pool_of_pending.values()))
    world.age(order, hours=5)
    world.settle(order)  # its deadline seems over
    assert order.attempts.filter(purpose="cancel").count() == 1
    world.chain.pool_of_pending = {original.tx_hash: original}
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_clock_set_back_when_a_send_was_lost_then_the_same_bytes_are_sent_again_all_the_same(world: World):
    order = entry(world)
    world.chain.swallow = True
    world.execute(order)
    world.age(order, hours=-5)
    world.chain.swallow = False
    world.settle(order)
    assert len(set(world.chain.sends)) == 1
    assert len(world.chain.sends) == 2
    world.settle(order)
    assert len(world.chain.sends) == 2  # that one was just now
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


@pytest.mark.parametrize("hours", [-5, 5])
def test_clock_set_when_a_worker_died_with_its_claim_then_the_claim_comes_back(world: World, hours: int):
    order = entry(world)
    world.chain.faults["sign"] = [Killed()]
    with pytest.raises(Killed):
        world.execute(order)
    Order.objects.update(claimed_at=timezone.now() - timedelta(hours=hours))
    assert claims_recover(chain_key=world.profile.chain_key, ports=world.ports) == 1
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


@pytest.mark.parametrize("status", ["signed", "submitted"])
def test_clock_set_back_after_the_store_then_settlement_goes_on(world: World, status: str):
    order = entry(world)
    world.execute(order)
    Order.objects.update(status=status)
    world.age(order, hours=-5)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


# -- a token that changes its tax between quote and fill -----------------------------------
def test_tax_raised_within_slippage_then_the_fill_is_what_came_and_books_are_true(world: World):
    order = entry(world)
    pool = next(iter(world.chain.pools.values()))
    pool.buy_tax_bps = 200
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    position = Position.objects.get()
    assert order.amount_out_min_raw <= position.quantity_raw < (order.expected_out_raw or 0)
    world.assert_books_are_true()


def test_tax_raised_beyond_slippage_before_the_signature_then_nothing_is_sent(world: World):
    order = entry(world)
    next(iter(world.chain.pools.values())).buy_tax_bps = 5_000
    assert world.execute(order) is OrderStatus.CANCELLED
    assert world.chain.sends == []
    assert budget_view().open_positions == 0


def test_tax_raised_beyond_slippage_after_the_send_then_reverts_and_only_gas_is_lost(world: World):
    order = entry(world)
    world.execute(order)
    next(iter(world.chain.pools.values())).buy_tax_bps = 5_000
    world.chain.mine()
    assert world.settle(order) is OrderStatus.REVERTED
    assert not Position.objects.exists()
    assert budget_view().open_positions == 0
    world.assert_books_are_true()


def test_sell_tax_raised_between_quote_and_fill_then_the_sale_reverts_and_the_position_stays(world: World):
    position = world.buy()
    sale = world.ask_exit(position)
    world.execute(sale)
    next(iter(world.chain.pools.values())).sell_tax_bps = 9_900
    world.chain.mine()
    assert world.settle(sale) is OrderStatus.REVERTED
    position.refresh_from_db()
    assert (position.status, position.reserved_raw) == ("open", 0)
    world.assert_books_are_true()


# -- a node that repeats itself ------------------------------------------------------------
def test_node_that_replays_our_send_and_its_answers_then_one_fill_is_booked(world: World):
    order = entry(world)
    world.execute(order)
    tx = next(iter(world.chain.pool_of_pending.values()))
    world.chain.mine()
    for _ in range(3):
        world.chain.broadcast_many([tx], side="buy")
        world.chain.mine()
        assert world.settle(order) is OrderStatus.FILLED
        world.age(order, seconds=REBROADCAST_EVERY_S + 1)
    assert world.chain.nonce == 1
    assert order.fills.count() == 1
    world.assert_books_are_true()
