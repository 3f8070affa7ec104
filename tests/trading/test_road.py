"""From decision to closed position, on a chain in memory."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.domain.engine import EngineStatus
from apps.domain.order import OrderStatus
from apps.domain.verdict import Outcome
from apps.risk.services.budgets import budget_view
from apps.state.models import Event, Incident
from apps.trading.models import DecisionRecord, Lot, Opportunity, Order, Position
from apps.trading.services.decisions import decision_repeat
from apps.trading.services.execution import order_execute
from apps.trading.services.orders import ENTRIES_REVERTED_MAX, REST_AFTER_REVERT_S
from apps.trading.services.positions import EXIT_ATTEMPTS_MAX
from apps.trading.services.reconciliation import wallet_reconcile
from tests.trading import cases
from tests.trading.conftest import World


def test_buy_when_mined_then_position_lot_and_books_agree(world: World):
    position = world.buy(world.pair(buy_tax_bps=100, sell_tax_bps=200))
    order = Order.objects.get(side="buy")
    assert position.status == "open"
    assert position.quantity_raw == order.expected_out_raw
    assert position.cost_raw == order.amount_in_raw
    assert position.sell_tax_bps == 200
    assert position.fees_raw == 110_000 * (10**7 + 10**6)
    lot = Lot.objects.get(position=position)
    assert (lot.quantity_raw, lot.remaining_raw, lot.cost_raw) == (position.quantity_raw,) * 2 + (
        position.cost_raw,
    )
    assert budget_view().open_positions == 1
    world.assert_books_are_true()


def test_round_trip_then_profit_is_booked_and_the_budget_free(world: World):
    pair = world.pair()
    position = world.buy(pair)
    world.pool(pair).quote *= 2
    [order_id] = world.exits()
    order = Order.objects.get(pk=order_id)
    assert order.exit_tag == "take_profit"
    assert world.execute(order) is OrderStatus.SUBMITTED
    assert [item.purpose for item in order.attempts.order_by("nonce")] == ["approve", "swap"]
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    position.refresh_from_db()
    assert (position.status, position.quantity_raw, position.reserved_raw) == ("closed", 0, 0)
    assert position.realised_cost_raw == position.cost_raw
    assert position.realised_usd_micros is not None
    assert position.realised_usd_micros > 0
    view = budget_view()
    assert (view.open_positions, view.exposure_usd_micros) == (0, 0)
    assert view.realised_today_usd_micros == position.realised_usd_micros
    world.assert_books_are_true()
    report = wallet_reconcile(chain_key=world.profile.chain_key, wallet_key="trader", ports=world.ports)
    assert report.is_equal


def test_every_decision_of_a_round_trip_when_repeated_from_its_row_then_is_the_same(world: World):
    world.ask_exit(world.buy())
    world.decide(world.pair(), outcome=Outcome.UNKNOWN)
    records = list(DecisionRecord.objects.all())
    assert {item.action for item in records} == {"enter", "exit", "skip"}
    for record in records:
        again = decision_repeat(record)
        assert again.action == record.action
        assert (again.amount_in and again.amount_in.raw) == record.amount_in_raw
        assert (again.amount_out_min and again.amount_out_min.raw) == record.amount_out_min_raw
        assert again.value_usd_micros == record.value_usd_micros
        assert [reason.code for reason in again.reasons] == [reason["code"] for reason in record.reasons]
        assert (again.exit_tag or "") == record.exit_tag


def test_settle_when_repeated_then_books_once(world: World):
    world.buy()
    order = Order.objects.get()
    events = Event.objects.count()
    for _ in range(3):
        assert world.settle(order) is OrderStatus.FILLED
    assert Event.objects.count() == events
    world.assert_books_are_true()


def test_execute_when_called_twice_then_the_second_does_nothing(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    world.execute(order, worker="worker-2")
    assert len(world.chain.sends) == 1


def test_decide_when_the_budget_refuses_then_waits_with_the_limits_reason(world: World):
    from apps.risk.models import Budget

    world.decide(world.pair())
    # Between hint and reservation the last place went to somebody else: the row says so, the hint does not yet.
    Budget.objects.update(day=timezone.now().date() + timedelta(days=1), realised_today_usd_micros=-(10**12))
    pair = world.pair()
    assert world.decide(pair) is None
    opportunity = Opportunity.objects.get(pair=pair)
    assert (opportunity.status, opportunity.skip_code) == ("waiting", "LIMIT_DAILY_LOSS")


def test_decide_when_refused_for_good_then_the_opportunity_ends(world: World):
    pair = world.pair()
    assert world.decide(pair, outcome=Outcome.FAIL) is None
    opportunity = Opportunity.objects.get(pair=pair)
    assert (opportunity.status, opportunity.skip_stage, opportunity.skip_code) == (
        "refused",
        "risk",
        "SOME_RULE",
    )
    assert world.chain.sends == []


def test_execute_when_order_is_too_old_then_expires_and_frees_its_budget(world: World):
    order = world.decide(world.pair())
    assert order is not None
    Order.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert world.execute(order) is OrderStatus.EXPIRED
    assert budget_view().open_positions == 0
    assert Opportunity.objects.get().status == "waiting"
    assert world.chain.sends == []


@pytest.mark.parametrize(
    ("status", "epoch"),
    [(EngineStatus.RUNNING, 2), (EngineStatus.PAUSED, 1), (EngineStatus.EMERGENCY_STOPPED, 1)],
)
def test_execute_when_engine_moved_on_then_cancels_the_entry(world: World, status: EngineStatus, epoch: int):
    order = world.decide(world.pair())
    assert order is not None
    world.engine(status, epoch=epoch)
    assert world.execute(order) is OrderStatus.CANCELLED
    assert budget_view().exposure_usd_micros == 0
    assert world.chain.sends == []


def test_execute_when_wallet_is_empty_then_denies_and_tells_how_to_mend(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.native[world.chain.owner] = 1
    assert world.execute(order) is OrderStatus.DENIED
    assert "Send ETH to" in Incident.objects.get(code="INSUFFICIENT_FUNDS").remedy


def test_execute_when_gas_is_above_the_cap_then_waits(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.base_fee *= 100
    assert world.execute(order) is OrderStatus.CREATED
    assert world.chain.sends == []


def test_buy_when_price_moved_past_slippage_then_reverts_books_gas_and_tries_again_later(world: World):
    pair = world.pair()
    order = world.decide(pair)
    assert order is not None
    world.execute(order)
    world.pool(pair).base //= 2
    world.chain.mine()
    assert world.settle(order) is OrderStatus.REVERTED
    assert budget_view().open_positions == 0
    assert budget_view().realised_today_usd_micros < 0
    assert Opportunity.objects.get().status == "waiting"
    assert not Position.objects.exists()
    world.assert_books_are_true()


def test_buy_when_it_reverts_again_then_rests_longer_and_the_third_time_gives_up(world: World):
    pair = world.pair()
    rests: list[int] = []
    for _ in range(ENTRIES_REVERTED_MAX):
        order = world.decide(pair)
        assert order is not None
        world.execute(order)
        world.pool(pair).base //= 2
        world.chain.mine()
        assert world.settle(order) is OrderStatus.REVERTED
        opportunity = Opportunity.objects.get(pair=pair)
        rests.append(round((opportunity.evaluate_after - opportunity.updated_at).total_seconds()))
    assert Opportunity.objects.get(pair=pair).status == "refused"
    assert rests[:2] == [REST_AFTER_REVERT_S, 2 * REST_AFTER_REVERT_S]
    world.assert_books_are_true()


def test_sell_when_it_reverts_then_rests_and_at_last_asks_a_person(world: World):
    pair = world.pair()
    position = world.buy(pair)
    world.pool(pair).is_honeypot = True
    Position.objects.update(ordered_tag="force_exit")
    for attempt in range(1, EXIT_ATTEMPTS_MAX + 1):
        [order_id] = world.exits()
        assert world.exits() == ()
        world.execute(order_id)
        world.chain.mine()
        assert world.settle(order_id) is OrderStatus.REVERTED
        position.refresh_from_db()
        assert (position.exit_attempts, position.reserved_raw) == (attempt, 0)
        assert world.exits() == ()  # it rests
        Position.objects.update(next_exit_at=None)
    assert position.status == "stuck"
    incident = Incident.objects.get(code="POSITION_STUCK")
    assert (incident.severity, bool(incident.remedy)) == ("critical", True)
    assert budget_view().open_positions == 0
    assert budget_view().realised_today_usd_micros <= -position.cost_usd_micros
    world.assert_books_are_true()


def test_position_when_pool_is_drained_then_no_gas_is_burned_and_it_ends_stuck(world: World):
    pair = world.pair()
    position = world.buy(pair)
    sends = len(world.chain.sends)
    world.pool(pair).quote = 10
    for _ in range(EXIT_ATTEMPTS_MAX):
        assert world.exits() == ()
        Position.objects.update(next_exit_at=None)
    position.refresh_from_db()
    assert (position.status, position.mark_value_raw) == ("stuck", 0)
    assert len(world.chain.sends) == sends


def test_exits_when_engine_closes_then_everything_is_sold(world: World):
    position = world.buy()
    world.engine(EngineStatus.CLOSING, epoch=2)
    [order_id] = world.exits()
    assert world.execute(order_id) is OrderStatus.SUBMITTED
    world.chain.mine()
    world.settle(order_id)
    position.refresh_from_db()
    assert (position.status, position.exit_tag) == ("closed", "kill_close")


def test_exits_when_engine_is_stopped_then_marks_and_sells_nothing(world: World):
    position = world.buy()
    Position.objects.update(ordered_tag="force_exit")
    world.engine(EngineStatus.STOPPED, epoch=1)
    assert world.exits() == ()
    position.refresh_from_db()
    assert position.mark_value_raw is not None


def test_exits_when_two_watchers_decide_at_once_then_nothing_is_sold_twice(world: World):
    position = world.buy()
    order = world.ask_exit(position)
    Position.objects.update(reserved_raw=0)  # as the second watcher saw it
    from apps.domain.decision import Reason
    from apps.trading.services.orders import order_create

    position.refresh_from_db()
    record = order.decision
    again = order_create(
        decision=decision_repeat(record),
        record=record,
        wallet_key="trader",
        chain_key=world.profile.chain_key,
        epoch=1,
        config=cases.config(),
        position=position,
    )
    assert isinstance(again, Order)
    assert again.pk == order.pk
    Position.objects.update(reserved_raw=position.quantity_raw)
    record.number += 100
    refused = order_create(
        decision=decision_repeat(record),
        record=record,
        wallet_key="trader",
        chain_key=world.profile.chain_key,
        epoch=1,
        config=cases.config(),
        position=position,
    )
    assert isinstance(refused, Reason)


def test_mark_when_value_rises_and_falls_then_the_highest_stays(world: World):
    pair = world.pair()
    position = world.buy(pair)
    world.exits()
    position.refresh_from_db()
    first = position.mark_value_raw
    world.pool(pair).quote = world.pool(pair).quote * 13 // 10
    world.exits()
    position.refresh_from_db()
    high = position.high_water_raw
    assert first is not None
    assert high > first
    world.pool(pair).quote = world.pool(pair).quote * 9 // 10
    world.exits()
    position.refresh_from_db()
    assert position.high_water_raw == high
    assert position.mark_value_raw is not None
    assert position.mark_value_raw < high


def test_fill_of_a_token_that_logs_nothing_then_comes_from_balances(world: World):
    position = world.buy(world.pair(is_silent=True))
    assert position.quantity_raw == Order.objects.get().expected_out_raw
    world.assert_books_are_true()
    order = world.ask_exit(position)
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


def test_order_execute_when_unknown_dex_then_nothing_is_claimed(world: World):
    order = world.decide(world.pair())
    assert order is not None
    from dataclasses import replace

    from apps.domain.errors import ConfigurationError

    with pytest.raises(ConfigurationError):
        order_execute(order_id=order.pk, ports=replace(world.ports, builders={}), worker="w")
    order.refresh_from_db()
    assert order.status == "created"


def test_entry_when_it_would_fail_then_it_costs_nothing_and_the_pair_rests_ever_longer(world: World):
    pair = world.pair()
    rests = []
    for _ in range(5):
        order = world.decide(pair)
        assert order is not None
        world.pool(pair).quote *= 2
        assert world.execute(order) is OrderStatus.CANCELLED
        assert not order.attempts.exists()
        row = Opportunity.objects.get()
        rests.append(round((row.evaluate_after - row.updated_at).total_seconds()))
        assert (row.status, row.skip_code) == ("waiting", "ORDER_CANCELLED")
        assert budget_view().exposure_usd_micros == 0
    assert rests == [1, 2, 4, 8, 8]
    assert world.chain.sends == []
    world.assert_books_are_true()


def test_sale_when_it_would_fail_then_it_is_sent_all_the_same(world: World):
    position = world.buy()
    order = world.ask_exit(position)
    world.chain.faults["failure_ahead"] = [AssertionError("a sale asks for no leave")]
    assert world.execute(order) is OrderStatus.SUBMITTED
