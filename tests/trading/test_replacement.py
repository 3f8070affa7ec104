"""Transactions that wait for their price: replaced within the cap, and exactly one of the rivals counts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.engine import EngineStatus
from apps.domain.market import FeeQuote
from apps.domain.order import OrderStatus
from apps.risk.services.budgets import budget_view
from apps.trading.logic.replacement import Waiting, fees_offered, is_outbid, is_shut_out, raised
from apps.trading.models import Order, TxAttempt
from apps.trading.services import attempts, replacement, settlement
from apps.trading.services.allowances import ADDRESS_PADDING, APPROVE_SELECTOR
from apps.trading.services.replacement import REPLACE_EVERY_S, REPLACEMENTS_MAX
from apps.trading.services.revocations import revocation_execute, revocation_request
from tests.trading.conftest import World
from tests.trading.fakes import ROUTER, Killed
from tests.trading.test_contention import at_once

#: Within the entry's cap (half above its quote, which itself is twice the base fee), yet above what was signed.
SPIKE = 25 * 10**6


def stuck_entry(world: World, *, base_fee: int = SPIKE) -> Order:
    """Return a sent entry that the next blocks do not take because gas became dear."""
    order = world.decide(world.pair())
    assert order is not None
    assert world.execute(order) is OrderStatus.SUBMITTED
    world.chain.base_fee = base_fee
    world.chain.mine()
    world.age(order, seconds=REPLACE_EVERY_S + 1)
    return order


def swaps(order: Order) -> list[TxAttempt]:
    return list(order.attempts.filter(purpose="swap").order_by("pk"))


# -- on the chain in memory ---------------------------------------------------------------
def test_entry_when_gas_rises_above_its_offer_then_is_replaced_with_the_same_nonce_and_filled(world: World):
    order = stuck_entry(world)
    assert world.settle(order) is OrderStatus.SUBMITTED
    first, second = swaps(order)
    assert second.nonce == first.nonce
    assert second.epoch == first.epoch
    assert second.max_fee_wei * 8 >= first.max_fee_wei * 9
    assert second.tip_wei * 8 >= first.tip_wei * 9
    assert second.max_cost_raw <= order.fee_cap_raw
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert [item.status for item in swaps(order)] == ["replaced", "mined"]
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_entry_when_the_original_is_mined_after_all_then_counts_once_and_its_replacement_is_void(
    world: World,
):
    order = stuck_entry(world)
    original = next(iter(world.chain.pool_of_pending.values()))
    world.settle(order)
    world.chain.pool_of_pending.clear()
    world.chain.pool_of_pending[original.tx_hash] = original  # the block's maker never saw the second
    world.chain.base_fee = 10**7
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert [item.status for item in swaps(order)] == ["mined", "replaced"]
    assert order.fills.count() == 1
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_transaction_when_its_price_is_not_why_it_waits_then_the_same_bytes_are_sent_again(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.swallow = True
    world.execute(order)
    world.age(order, seconds=REPLACE_EVERY_S + 1)
    world.settle(order)
    assert len(swaps(order)) == 1
    assert len(world.chain.sends) == 2


def test_entry_when_gas_is_above_its_cap_then_is_not_replaced_and_at_its_deadline_cancelled(world: World):
    order = stuck_entry(world, base_fee=10**9)
    world.settle(order)
    assert len(swaps(order)) == 1
    world.age(order, minutes=5)
    world.settle(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.CANCELLED
    assert budget_view().open_positions == 0
    world.assert_books_are_true()


def test_entry_when_it_would_fail_by_now_then_is_cancelled_and_not_replaced(world: World):
    order = stuck_entry(world)
    pool = next(iter(world.chain.pools.values()))
    pool.quote *= 2  # others bought
    world.settle(order)
    assert [item.purpose for item in order.attempts.order_by("pk")] == ["swap", "cancel"]
    world.chain.mine()
    assert world.settle(order) is OrderStatus.CANCELLED
    assert "would fail" in Order.objects.get(pk=order.pk).reason
    world.assert_books_are_true()


def test_entry_when_it_stays_stuck_then_is_replaced_only_so_often_and_never_beyond_its_cap(world: World):
    order = stuck_entry(world)
    for _ in range(REPLACEMENTS_MAX + 3):
        world.age(order, seconds=REPLACE_EVERY_S + 1)
        world.settle(order)
        world.chain.base_fee = max(item.max_fee_wei for item in swaps(order)) + 1
    assert len(swaps(order)) <= REPLACEMENTS_MAX + 1
    assert max(item.max_cost_raw for item in swaps(order)) <= order.fee_cap_raw
    assert {item.nonce for item in swaps(order)} == {0}


def test_order_of_an_older_epoch_then_is_never_replaced(world: World):
    order = stuck_entry(world)
    world.engine(EngineStatus.RUNNING, epoch=2)
    world.settle(order)
    assert len(swaps(order)) == 1
    world.engine(EngineStatus.EMERGENCY_STOPPED, epoch=3)
    world.age(order, minutes=5)
    world.settle(order)
    assert order.attempts.count() == 1


def test_sale_when_stuck_then_approval_and_swap_are_replaced_together_within_the_cap(world: World):
    position = world.buy()
    order = world.ask_exit(position)
    assert world.execute(order) is OrderStatus.SUBMITTED
    world.chain.base_fee = SPIKE
    world.chain.mine()
    world.age(order, seconds=REPLACE_EVERY_S + 1)
    world.settle(order)
    rows = list(order.attempts.order_by("pk"))
    assert [item.purpose for item in rows] == ["approve", "swap", "approve", "swap"]
    assert [item.nonce for item in rows] == [1, 2, 1, 2]
    assert sum(item.max_cost_raw for item in rows[2:]) <= order.fee_cap_raw
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    position.refresh_from_db()
    assert (position.status, position.reserved_raw) == ("closed", 0)
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_replacement_when_process_dies_between_store_and_send_then_its_bytes_are_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    order = stuck_entry(world)

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(replacement, "attempts_send", die)
        with pytest.raises(Killed):
            world.settle(order)
    assert [item.status for item in swaps(order)] == ["sent", "signed"]
    world.age(order, seconds=settlement.REBROADCAST_EVERY_S + 1)
    world.settle(order)
    assert world.chain.sends[-1] == swaps(order)[1].tx_hash
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_replacement_when_two_workers_make_it_at_once_then_one_is_stored(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    order = stuck_entry(world)
    offered = fees_offered

    def slow(*given: Any, **named: Any) -> FeeQuote | None:
        with monkeypatch.context() as patch:
            patch.setattr(replacement, "fees_offered", offered)
            world.settle(order)  # the other worker
        return offered(*given, **named)

    monkeypatch.setattr(replacement, "fees_offered", slow)
    world.settle(order)
    assert len(swaps(order)) == 2
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


def test_replaced_swap_when_its_block_is_reorganised_away_then_is_filled_once_again(world: World):
    order = stuck_entry(world)
    world.settle(order)
    before = world.chain.snapshot()
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.chain.restore(before)
    settlement.fills_reverse(chain_key=world.profile.chain_key, above_block=world.chain.number)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert order.fills.filter(reversed_at=None).count() == 1
    world.assert_books_are_true()


def test_sale_when_a_reorganisation_reopens_it_beside_its_revocation_then_nothing_approves_again(
    world: World,
):
    position = world.buy()
    world.pool(position.pair).is_honeypot = True
    before = world.chain.snapshot()
    order = world.ask_exit(position)
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.REVERTED
    approval = order.attempts.get(purpose="approve")
    payload = APPROVE_SELECTOR + ADDRESS_PADDING + bytes.fromhex(ROUTER[2:]) + bytes(32)
    TxAttempt.objects.filter(pk=approval.pk).update(payload=payload)
    row = revocation_request(approval_id=approval.pk, by="olga")
    assert revocation_execute(revocation_id=row.pk, ports=world.ports) is not None
    world.chain.restore(before)
    settlement.fills_reverse(chain_key=world.profile.chain_key, above_block=world.chain.number)
    world.chain.base_fee = SPIKE
    world.chain.mine()
    world.age(order, seconds=REPLACE_EVERY_S + 1)
    assert world.settle(order) in (OrderStatus.UNKNOWN, OrderStatus.SUBMITTED)
    assert order.attempts.filter(purpose="approve").count() == 2


# -- the arithmetic -----------------------------------------------------------------------
FEES = st.integers(min_value=0, max_value=10**13)


@given(max_fee=FEES, tip=FEES, base=FEES, usual=FEES, cap=st.integers(min_value=0, max_value=10**20))
def test_offer_whatever_the_market_then_raises_both_fees_by_an_eighth_within_the_cap(
    max_fee: int, tip: int, base: int, usual: int, cap: int
):
    waiting = Waiting(gas_limit=300_000, max_fee_wei=max(max_fee, tip), tip_wei=tip)
    fees = FeeQuote(base_fee_wei=base, tip_wei=usual, max_fee_wei=2 * base + usual, block_number=1)
    offer = fees_offered((waiting,), fees, fee_cap_raw=cap)
    if offer is None:
        return
    assert offer.max_fee_wei * 300_000 <= cap
    assert offer.max_fee_wei * 8 >= waiting.max_fee_wei * 9
    assert offer.tip_wei * 8 >= waiting.tip_wei * 9
    assert base + offer.tip_wei <= offer.max_fee_wei
    assert not is_shut_out(Waiting(gas_limit=1, max_fee_wei=offer.max_fee_wei, tip_wei=offer.tip_wei), fees)
    assert not is_outbid(Waiting(gas_limit=1, max_fee_wei=offer.max_fee_wei, tip_wei=offer.tip_wei), fees)


@given(fee=st.integers(min_value=0, max_value=10**18))
def test_raised_whatever_the_fee_then_is_an_eighth_above(fee: int):
    assert raised(fee) * 8 >= fee * 9
    assert raised(fee) > fee


def test_newest_by_nonce_when_rivals_then_only_the_last_signed_of_each() -> None:
    rows = [TxAttempt(pk=pk, nonce=nonce) for pk, nonce in ((1, 5), (2, 6), (3, 5))]
    assert [item.pk for item in attempts.newest_by_nonce(rows)] == [3, 2]


# -- several workers at once ---------------------------------------------------------------
def test_replacement_by_many_workers_then_one_is_stored(world: World, transactional_db: None):
    order = stuck_entry(world)
    results = at_once(lambda: world.settle(order))
    assert not [item for item in results if isinstance(item, Exception)], results
    assert len(swaps(order)) == 2
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


def test_cancellation_by_many_workers_then_one_is_stored(world: World, transactional_db: None):
    order = stuck_entry(world, base_fee=10**9)
    world.age(order, minutes=5)
    results = at_once(lambda: world.settle(order))
    assert not [item for item in results if isinstance(item, Exception)], results
    assert order.attempts.filter(purpose="cancel").count() == 1
    world.chain.mine()
    assert world.settle(order) is OrderStatus.CANCELLED
    world.assert_books_are_true()
