"""Orders on a chain with private relays: who gets them, what happens when relays fail, and what is recorded of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.domain.config import Execution, TradingConfig
from apps.domain.engine import EngineStatus
from apps.domain.errors import BroadcastUncertainError, TradingError
from apps.domain.order import OrderStatus
from apps.risk.services.budgets import budget_view
from apps.state.models import ConfigRevision, Event, Incident
from apps.trading.logic.ways import PUBLIC, are_relays_spent, may_strangers_see, ways_of
from apps.trading.models import DecisionRecord, Order
from apps.trading.services.settlement import REBROADCAST_EVERY_S
from tests.trading.conftest import World
from tests.trading.fakes import FakeRelay, Killed

#: As configured in these tests.
BLOCKS = 3


def with_relays(world: World, *keys: str, **execution: Any) -> list[FakeRelay]:
    """Give the world's chain relays, best first, and choose what happens when they fail."""
    relays = [FakeRelay(key=key, chain=world.chain) for key in keys]
    world.chain.relays = relays
    world.ports = replace(world.ports, relays=tuple(relays))
    payload = dict(ConfigRevision.objects.get(is_active=True).payload)
    settings = {**payload["execution"], "relay_blocks_max": BLOCKS, **execution}
    config = TradingConfig.model_validate({**payload, "execution": settings})
    ConfigRevision.objects.filter(is_active=True).update(payload=config.model_dump(mode="json"))
    return relays


def entry(world: World) -> Order:
    order = world.decide(world.pair())
    assert order is not None
    return order


def wait(world: World, order: Order, *, blocks: int) -> OrderStatus:
    """Let blocks pass as the listener does: the order is asked about at each."""
    status = OrderStatus(Order.objects.get(pk=order.pk).status)
    for _ in range(blocks):
        world.chain.mine()
        world.age(order, seconds=REBROADCAST_EVERY_S + 1)
        status = world.settle(order)
    return status


def leaks() -> list[Event]:
    return list(Event.objects.filter(kind="risk_alert", payload__code="RELAY_LEAKED"))


# -- the usual way ------------------------------------------------------------------------
def test_entry_and_exit_when_a_relay_is_there_then_the_public_pool_sees_neither(world: World):
    [relay] = with_relays(world, "flash")
    position = world.buy()
    sale = world.ask_exit(position)
    world.execute(sale)
    world.chain.mine()
    assert world.settle(sale) is OrderStatus.FILLED
    assert world.chain.sends == []
    assert len(relay.sends) == 3  # an entry, an approval, an exit
    assert {tuple(item.sent_by) for item in sale.attempts.all()} == {("flash",)}
    assert leaks() == []
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_transaction_without_relays_then_is_recorded_as_public_and_no_secret_was_given_up(world: World):
    position = world.buy()
    attempt = Order.objects.get(trace_id=position.trace_id).attempts.get()
    assert attempt.sent_by == [PUBLIC]
    assert leaks() == []


# -- a relay that fails: by default nobody else gets it -----------------------------------
def test_entry_when_its_relay_refuses_then_nobody_else_gets_it_and_it_is_given_up(world: World):
    first, second = with_relays(world, "flash", "other")
    first.fault = TradingError("closed today")
    order = entry(world)
    assert world.execute(order) is OrderStatus.UNKNOWN
    wait(world, order, blocks=BLOCKS + 2)
    order.refresh_from_db()
    assert order.status == OrderStatus.CANCELLED.value
    assert "closed today" in order.reason
    swap, cancel = order.attempts.order_by("pk")
    assert (swap.purpose, cancel.purpose) == ("swap", "cancel")
    assert swap.tx_hash not in (*world.chain.sends, *second.sends)
    assert leaks() == []
    assert budget_view().open_positions == 0
    world.assert_books_are_true()


def test_entry_when_taken_and_left_out_then_is_withdrawn_and_cancelled_after_its_blocks(world: World):
    [relay] = with_relays(world, "flash")
    relay.includes = False
    order = entry(world)
    assert world.execute(order) is OrderStatus.SUBMITTED
    assert wait(world, order, blocks=BLOCKS - 1) is OrderStatus.SUBMITTED
    assert order.attempts.count() == 1
    assert wait(world, order, blocks=3) is OrderStatus.CANCELLED
    swap = order.attempts.get(purpose="swap")
    assert relay.withdrawn == [swap.tx_hash]
    assert swap.tx_hash not in world.chain.sends
    world.assert_books_are_true()


def test_swap_when_its_relay_includes_it_despite_the_cancellation_then_counts_once(world: World):
    [relay] = with_relays(world, "flash")
    relay.includes = False
    order = entry(world)
    world.execute(order)
    held = dict(relay.held)
    for _ in range(BLOCKS):
        world.chain.mine()
    world.settle(order)  # cancels
    relay.held, relay.includes = held, True  # too late for the maker of this block
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert order.attempts.get(purpose="cancel").status == "replaced"
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


# -- by choice: other relays --------------------------------------------------------------
def test_entry_when_a_relay_fails_and_others_may_have_it_then_the_next_takes_it(world: World):
    first, second = with_relays(world, "flash", "other", relay_try_others=True)
    first.fault = BroadcastUncertainError("no answer")
    order = entry(world)
    assert world.execute(order) is OrderStatus.SUBMITTED
    assert order.attempts.get().sent_by == ["flash", "other"]
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert (world.chain.sends, len(second.sends)) == ([], 1)
    world.assert_books_are_true()


def test_entry_when_left_out_and_others_may_have_it_then_each_has_its_turn(world: World):
    first, second = with_relays(world, "flash", "other", relay_try_others=True)
    first.includes = False
    order = entry(world)
    world.execute(order)
    assert second.sends == []
    assert wait(world, order, blocks=BLOCKS) is OrderStatus.SUBMITTED
    assert len(second.sends) == 1
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert world.chain.sends == []
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


# -- by choice: the public pool -----------------------------------------------------------
def test_entry_when_relays_fail_and_it_may_leak_then_it_is_public_and_recorded(world: World):
    [relay] = with_relays(world, "flash", relay_leak_public=True)
    relay.fault = TradingError("closed today")
    order = entry(world)
    assert world.execute(order) is OrderStatus.SUBMITTED
    attempt = order.attempts.get()
    assert attempt.sent_by == ["flash", PUBLIC]
    [event] = leaks()
    assert event.payload["transactions"] == [attempt.tx_hash]
    assert "closed today" in event.summary
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


def test_entry_when_left_out_and_it_may_leak_then_goes_public_after_its_blocks_only(world: World):
    [relay] = with_relays(world, "flash", relay_leak_public=True)
    relay.includes = False
    order = entry(world)
    world.execute(order)
    wait(world, order, blocks=BLOCKS - 1)
    assert (world.chain.sends, leaks()) == ([], [])
    wait(world, order, blocks=1)
    assert len(leaks()) == 1
    assert wait(world, order, blocks=1) is OrderStatus.FILLED
    assert len(leaks()) == 1
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_entry_when_the_relay_took_it_and_its_answer_was_lost_then_leaks_and_is_filled_once(world: World):
    [relay] = with_relays(world, "flash", relay_leak_public=True)
    relay.fault, relay.takes_and_fails = BroadcastUncertainError("timed out"), True
    order = entry(world)
    world.execute(order)
    assert len(world.chain.pool_of_pending) == len(relay.held) == 1
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert world.chain.nonce == 1
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_secret_when_the_process_dies_while_giving_it_up_then_the_record_says_so(world: World):
    [relay] = with_relays(world, "flash", relay_leak_public=True)
    relay.fault = TradingError("closed today")
    order = entry(world)
    world.chain.faults["after_broadcast"] = [Killed()]
    with pytest.raises(Killed):
        world.execute(order)
    assert order.attempts.get().sent_by == ["flash", PUBLIC]
    assert len(leaks()) == 1
    world.age(order, seconds=REBROADCAST_EVERY_S + 1)
    world.settle(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert len(leaks()) == 1
    world.assert_nothing_sent_twice()


# -- sales --------------------------------------------------------------------------------
def test_sale_when_its_relay_is_away_then_a_critical_incident_tells_the_way_out(world: World):
    [relay] = with_relays(world, "flash")
    position = world.buy()
    relay.fault = BroadcastUncertainError("no answer")
    sale = world.ask_exit(position)
    world.execute(sale)
    assert wait(world, sale, blocks=BLOCKS + 2) is OrderStatus.CANCELLED
    incident = Incident.objects.get(code="RELAY_LEFT_OUT")
    assert incident.severity == "critical"
    assert "relay_leak_exits" in incident.remedy
    position.refresh_from_db()
    assert (position.status, position.reserved_raw) == ("open", 0)
    relay.fault = None
    again = world.ask_exit(position)
    world.execute(again)
    world.chain.mine()
    assert world.settle(again) is OrderStatus.FILLED
    incident.refresh_from_db()
    assert incident.resolved_at is not None
    world.assert_books_are_true()


def test_sale_when_only_sales_may_leak_then_it_goes_public_and_an_entry_does_not(world: World):
    [relay] = with_relays(world, "flash", relay_leak_exits=True)
    position = world.buy()
    relay.fault = BroadcastUncertainError("no answer")
    sale, order = world.ask_exit(position), entry(world)
    assert world.execute(sale) is OrderStatus.SUBMITTED
    assert world.execute(order) is OrderStatus.UNKNOWN
    assert len(world.chain.sends) == 2  # approval and sale
    assert len(leaks()) == 1
    world.chain.mine()
    assert world.settle(sale) is OrderStatus.FILLED
    world.assert_books_are_true()


# -- crashes ------------------------------------------------------------------------------
@pytest.mark.parametrize("others", [True, False])
def test_entry_when_the_process_dies_at_the_relay_then_is_bought_once(world: World, others: bool):
    with_relays(world, "flash", "other", relay_try_others=others)
    order = entry(world)
    world.chain.faults["relay:flash"] = [Killed()]
    with pytest.raises(Killed):
        world.execute(order)
    assert order.attempts.get().sent_by == ["flash"]  # it may have it
    world.age(order, seconds=REBROADCAST_EVERY_S + 1)
    world.sweep()
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert world.chain.sends == []
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


# -- the fence ----------------------------------------------------------------------------
@pytest.mark.parametrize("leak", [True, False])
def test_relay_when_the_kill_switch_is_pulled_then_nothing_reaches_it_or_anybody(world: World, leak: bool):
    [relay] = with_relays(world, "flash", relay_leak_public=leak)
    relay.includes = False
    order = entry(world)
    world.execute(order)
    world.engine(EngineStatus.EMERGENCY_STOPPED, epoch=2)
    wait(world, order, blocks=BLOCKS + 3)
    assert len(relay.sends) == 1
    assert world.chain.sends == []


# -- what strangers cannot see needs no bound ---------------------------------------------
@pytest.mark.parametrize(
    ("keys", "execution", "seen"),
    [((), {}, True), (("flash",), {}, False), (("flash",), {"relay_leak_public": True}, True)],
)
def test_decision_when_entries_stay_private_then_takes_it_that_strangers_do_not_see_them(
    world: World, keys: tuple[str, ...], execution: dict[str, Any], seen: bool
):
    with_relays(world, *keys, **execution)
    entry(world)
    assert DecisionRecord.objects.get().inputs["given"]["case"]["facts"]["has_public_mempool"] is seen


def test_chain_without_a_public_pool_then_nobody_sees_whatever_the_relays():
    leaking = Execution(relay_leak_public=True)
    assert not may_strangers_see(has_public_mempool=False, has_relays=False, settings=Execution())
    assert not may_strangers_see(has_public_mempool=False, has_relays=True, settings=leaking)


# -- the choice itself --------------------------------------------------------------------
@pytest.mark.parametrize("others", [True, False])
@pytest.mark.parametrize("waited", [0, 1, BLOCKS, 2 * BLOCKS, 50])
def test_ways_when_leaking_is_not_chosen_then_never_public(others: bool, waited: int):
    settings = Execution(relay_blocks_max=BLOCKS, relay_try_others=others)
    ways = ways_of(("a", "b"), settings, side="buy", blocks_waited=waited)
    assert PUBLIC not in ways
    assert ways
    spent = are_relays_spent(("a", "b"), settings, side="buy", blocks_waited=waited)
    assert spent is (waited >= BLOCKS * (2 if others else 1))
