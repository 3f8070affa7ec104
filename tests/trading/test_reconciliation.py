"""Book against chain: deposits, differences, reorganisations, finality."""

from __future__ import annotations

from apps.domain.order import OrderStatus
from apps.risk.services.budgets import budget_view
from apps.state.models import Incident
from apps.trading.models import FillRecord, JournalEntry, Lot, Order, Position, TxAttempt
from apps.trading.services.reconciliation import (
    WalletReport,
    fills_verify,
    native_difference_accept,
    wallet_reconcile,
)
from apps.trading.services.settlement import fills_finalise, fills_reverse
from tests.trading.conftest import START_NATIVE, World


def compare(world: World) -> WalletReport:
    return wallet_reconcile(chain_key=world.profile.chain_key, wallet_key="trader", ports=world.ports)


# -- wallets ------------------------------------------------------------------------------
def test_wallet_seen_first_then_its_balance_is_a_deposit_once(world: World):
    assert compare(world).is_equal
    entry = JournalEntry.objects.get()
    assert (entry.kind, entry.postings.first().amount_raw) == ("deposit", START_NATIVE)  # type: ignore[union-attr]


def test_wallet_while_orders_are_on_their_way_then_is_not_compared(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    report = compare(world)
    assert (report.is_equal, bool(report.skipped)) == (False, True)


def test_wallet_when_coins_differ_then_is_a_critical_incident_and_stays(world: World):
    world.chain.native[world.chain.owner] += 5
    report = compare(world)
    [difference] = report.differences
    assert (difference.chain_raw - difference.book_raw, difference.adjusted) == (5, False)
    incident = Incident.objects.get(code="LEDGER_MISMATCH")
    assert incident.severity == "critical"
    assert not compare(world).is_equal
    assert JournalEntry.objects.count() == 1
    given = {"chain_key": world.profile.chain_key, "wallet_key": "trader", "ports": world.ports}
    assert native_difference_accept(**given, by="tester", reason="sent by hand") == 5  # type: ignore[arg-type]
    assert compare(world).is_equal
    incident.refresh_from_db()
    assert incident.resolved_at is not None


def test_wallet_when_coins_went_by_hand_then_accepting_books_a_withdrawal(world: World):
    world.chain.native[world.chain.owner] -= 7
    given = {"chain_key": world.profile.chain_key, "wallet_key": "trader", "ports": world.ports}
    assert native_difference_accept(**given, by="tester", reason="taken out") == -7  # type: ignore[arg-type]
    assert JournalEntry.objects.filter(kind="withdrawal").count() == 1
    world.assert_books_are_true()


def test_wallet_when_a_token_shrinks_then_book_and_position_follow_with_the_cost(world: World):
    pair = world.pair()
    position = world.buy(pair)
    token = pair.base.address.lower()
    before = position.quantity_raw
    world.chain.tokens[world.chain.owner, token] -= before // 4
    report = compare(world)
    assert [item.adjusted for item in report.differences] == [True]
    position.refresh_from_db()
    assert position.quantity_raw == before - before // 4
    assert position.lost_raw == before // 4
    assert abs(position.realised_cost_raw - position.cost_raw // 4) <= 1
    assert compare(world).is_equal
    world.assert_books_are_true()
    order = world.ask_exit(position)
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    position.refresh_from_db()
    assert (position.status, position.realised_cost_raw) == ("closed", position.cost_raw)
    world.assert_books_are_true()


def test_wallet_when_a_token_grows_then_the_whole_can_be_sold(world: World):
    pair = world.pair()
    position = world.buy(pair)
    world.chain.tokens[world.chain.owner, pair.base.address.lower()] += 1_000
    compare(world)
    position.refresh_from_db()
    assert position.found_raw == 1_000
    order = world.ask_exit(position)
    assert order.amount_in_raw == position.quantity_raw
    world.execute(order)
    world.chain.mine()
    world.settle(order)
    position.refresh_from_db()
    assert position.status == "closed"
    world.assert_books_are_true()


def test_wallet_when_nonces_were_used_elsewhere_then_they_are_taken_up(world: World):
    world.buy()
    world.chain.spend_nonce_elsewhere()
    compare(world)
    order = world.decide(world.pair())
    assert order is not None
    assert world.execute(order) is OrderStatus.SUBMITTED


# -- reorganisations ----------------------------------------------------------------------
def test_fill_when_its_block_is_reorganised_away_and_mined_again_then_stands_once(world: World):
    pair = world.pair()
    order = world.decide(pair)
    assert order is not None
    world.execute(order)
    before = world.chain.snapshot()
    world.chain.mine()
    world.settle(order)
    first_key = FillRecord.objects.get().fill_key
    world.chain.restore(before)
    assert fills_reverse(chain_key=world.profile.chain_key, above_block=world.chain.number) == (order.pk,)
    order.refresh_from_db()
    position = Position.objects.get()
    assert (order.status, position.quantity_raw, position.status) == ("unknown", 0, "open")
    assert Lot.objects.count() == 0
    assert world.exits() == ()
    world.assert_books_are_true()
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    position.refresh_from_db()
    assert position.quantity_raw == order.expected_out_raw
    assert FillRecord.objects.get(reversed_at=None).fill_key != first_key
    assert budget_view().open_positions == 1
    world.assert_books_are_true()


def test_same_block_when_it_comes_back_then_is_booked_anew(world: World):
    world.buy()
    order = Order.objects.get()
    for _ in range(2):
        fills_reverse(chain_key=world.profile.chain_key, above_block=100)
        assert world.settle(order) is OrderStatus.FILLED
    assert FillRecord.objects.filter(reversed_at=None).count() == 1
    world.assert_books_are_true()


def test_entry_when_lost_in_a_reorganisation_then_its_position_ends_without_a_trace(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    before = world.chain.snapshot()
    world.chain.mine()
    world.settle(order)
    world.chain.restore(before, lose_pending=True)
    fills_reverse(chain_key=world.profile.chain_key, above_block=world.chain.number)
    world.age(order, minutes=5)
    world.settle(order)  # takes the nonce with a cancellation
    world.chain.mine()
    assert world.settle(order) is OrderStatus.CANCELLED
    assert Position.objects.get().status == "closed"
    assert budget_view().open_positions == 0
    world.assert_books_are_true()


def test_sale_when_reorganised_away_then_position_is_open_and_reserved_again(world: World):
    position = world.buy()
    order = world.ask_exit(position)
    world.execute(order)
    before = world.chain.snapshot()
    world.chain.mine()
    world.settle(order)
    world.chain.restore(before)
    assert fills_verify(chain_key=world.profile.chain_key, ports=world.ports) == (order.pk,)
    position.refresh_from_db()
    assert position.status == "open"
    assert (position.quantity_raw, position.reserved_raw) == (order.amount_in_raw, order.amount_in_raw)
    assert world.exits() == ()
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    position.refresh_from_db()
    assert (position.status, position.reserved_raw) == ("closed", 0)
    world.assert_books_are_true()


def test_revert_when_reorganised_away_then_gas_is_unbooked_and_asked_again(world: World):
    pair = world.pair()
    order = world.decide(pair)
    assert order is not None
    world.execute(order)
    world.pool(pair).base //= 2
    before = world.chain.snapshot()
    world.chain.mine()
    assert world.settle(order) is OrderStatus.REVERTED
    world.chain.restore(before)
    fills_reverse(chain_key=world.profile.chain_key, above_block=world.chain.number)
    world.assert_books_are_true()
    assert TxAttempt.objects.get().status == "sent"
    world.pool(pair).base *= 2
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


def test_verify_when_blocks_stand_then_nothing_is_reversed(world: World):
    world.buy()
    world.chain.mine(3)
    assert fills_verify(chain_key=world.profile.chain_key, ports=world.ports) == ()


def test_fills_at_depth_then_are_final(world: World):
    world.buy()
    fill = FillRecord.objects.get()
    given = {"chain_key": world.profile.chain_key, "depth": 5}
    assert fills_finalise(head_number=fill.block_number + 4, **given) == 0  # type: ignore[arg-type]
    assert fills_finalise(head_number=fill.block_number + 5, **given) == 1  # type: ignore[arg-type]


def test_reorganisation_deeper_than_final_then_the_incident_says_so_and_the_book_follows(world: World):
    pair = world.pair()
    before = world.chain.snapshot()
    world.buy(pair)
    assert fills_finalise(chain_key=world.profile.chain_key, head_number=10**6, depth=3) == 1
    world.chain.restore(before)
    assert fills_verify(chain_key=world.profile.chain_key, ports=world.ports)
    incident = Incident.objects.get(code="REORG_BEYOND_FINALITY")
    assert incident.severity == "critical"
    world.assert_books_are_true()
