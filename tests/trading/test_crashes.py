"""The process dies around each commit; the sweep then brings everything to its right end, and nothing is sent twice."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from apps.domain.engine import EngineStatus
from apps.domain.errors import (
    BroadcastUncertainError,
    EpochClosedError,
    InsufficientFundsError,
    KeystoreError,
    NetworkError,
)
from apps.domain.order import OrderStatus
from apps.risk.services.budgets import budget_view
from apps.state.models import Incident
from apps.trading.models import Order, Position, TxAttempt
from apps.trading.services import attempts, execution, settlement
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.reconciliation import wallet_reconcile
from apps.wallets.services.nonces import nonces_next, nonces_take
from tests.trading.conftest import World
from tests.trading.fakes import Killed

#: Ports that are passed on the way, by what is stored when the process dies there.
BEFORE_CLAIM = ["fees", "balances", "transaction_count"]
AFTER_CLAIM = ["build", "sign"]
AROUND_SEND = ["broadcast", "after_broadcast"]


def die_at(world: World, port: str, *, passes: int = 0) -> None:
    world.chain.faults[port] = [None] * passes + [Killed()]


def finish(world: World, order: Order) -> OrderStatus:
    """Sweep, mine, sweep: what a restarted system does by itself."""
    for _ in range(4):
        world.age(order, seconds=settlement.REBROADCAST_EVERY_S + 1)
        world.sweep()
        world.chain.mine()
    order.refresh_from_db()
    return OrderStatus(order.status)


def assert_right_end(world: World, order: Order) -> None:
    assert finish(world, order) is OrderStatus.FILLED
    assert world.chain.nonce == TxAttempt.objects.filter(status__in=("mined", "reverted")).count()
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == world.chain.nonce
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


@pytest.mark.parametrize("port", BEFORE_CLAIM + AFTER_CLAIM + AROUND_SEND)
def test_entry_when_process_dies_at_a_port_then_is_bought_once(world: World, port: str):
    order = world.decide(world.pair())
    assert order is not None
    die_at(world, port)
    with pytest.raises(Killed):
        world.execute(order)
    assert_right_end(world, order)
    assert Position.objects.get().status == "open"


@pytest.mark.parametrize(
    ("port", "passes"),
    [
        ("allowance", 0),
        ("fees", 0),
        ("build", 1),
        ("sign", 0),
        ("sign", 1),
        ("broadcast", 0),
        ("after_broadcast", 0),
    ],
)
def test_exit_when_process_dies_at_a_port_then_is_sold_once(world: World, port: str, passes: int):
    position = world.buy()
    order = world.ask_exit(position)
    die_at(world, port, passes=passes)
    with pytest.raises(Killed):
        world.execute(order)
    assert_right_end(world, order)
    position.refresh_from_db()
    assert (position.status, position.reserved_raw) == ("closed", 0)


def test_entry_when_process_dies_while_settling_then_is_booked_once(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    world.chain.mine()
    die_at(world, "receipt")
    with pytest.raises(Killed):
        world.settle(order)
    assert_right_end(world, order)


@pytest.mark.parametrize("function", ["fill_apply", "order_advance"])
def test_entry_when_booking_fails_half_way_then_nothing_of_it_stands(
    world: World, monkeypatch: pytest.MonkeyPatch, function: str
):
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    world.chain.mine()

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(settlement, function, die)
        with pytest.raises(Killed):
            world.settle(order)
    assert not Position.objects.exists()
    assert TxAttempt.objects.get().status == "sent"
    assert_right_end(world, order)


def test_entry_when_process_dies_between_store_and_send_then_stored_bytes_are_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    order = world.decide(world.pair())
    assert order is not None

    def die(*_: object, **__: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(execution, "_send", die)
        with pytest.raises(Killed):
            world.execute(order)
    stored = TxAttempt.objects.get()
    assert (stored.status, world.chain.sends) == ("signed", [])
    assert_right_end(world, order)
    assert set(world.chain.sends) == {stored.tx_hash}


def test_entry_when_process_dies_before_the_send_is_noted_then_is_settled(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    order = world.decide(world.pair())
    assert order is not None

    def send_and_die(sent: Order, rows: list[TxAttempt], _: object) -> None:
        world.chain.broadcast_many([attempts.signed_of(item, sent) for item in rows], side="buy")
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(execution, "_send", send_and_die)
        with pytest.raises(Killed):
            world.execute(order)
    assert Order.objects.get().status == "signed"
    assert_right_end(world, order)


# -- failures before the signature --------------------------------------------------------
@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NetworkError("no answer"), OrderStatus.CREATED),
        (KeystoreError("wrong password", remedy="Give the right one."), OrderStatus.DENIED),
        (InsufficientFundsError("no funds"), OrderStatus.DENIED),
    ],
)
def test_entry_when_signing_fails_then_nonce_comes_back(world: World, error: Exception, status: OrderStatus):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.faults["sign"] = [error]
    with pytest.raises(type(error)):
        world.execute(order)
    order.refresh_from_db()
    assert (order.status, order.nonce_first) == (status.value, None)
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == 0
    assert budget_view().open_positions == (1 if status is OrderStatus.CREATED else 0)
    assert world.chain.sends == []


def test_entry_when_kill_comes_before_the_signature_then_is_cancelled_quietly(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.faults["sign"] = [EpochClosedError("killed")]
    assert world.execute(order) is OrderStatus.CANCELLED
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == 0


def test_order_when_kill_comes_between_signature_and_send_then_nothing_of_it_is_left(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.faults["broadcast"] = [EpochClosedError("killed")]
    assert world.execute(order) is OrderStatus.CANCELLED
    assert not TxAttempt.objects.filter(order=order).exists()
    assert nonces_next(wallet_key="trader", chain_key=world.profile.chain_key) == 0
    assert world.chain.sends == []
    assert budget_view().open_positions == 0
    world.assert_books_are_true()


def test_sale_when_stopped_between_signature_and_send_then_is_made_after_the_resumption(world: World):
    position = world.buy()
    first = world.ask_exit(position)
    world.chain.faults["broadcast"] = [EpochClosedError("stopped")]
    assert world.execute(first) is OrderStatus.CANCELLED
    assert wallet_reconcile(chain_key=first.chain_key, wallet_key="trader", ports=world.ports).is_equal
    Position.objects.update(next_exit_at=None)  # a moment later
    [order_id] = world.exits()  # still wanted
    again = Order.objects.get(pk=order_id)
    assert world.execute(again) is OrderStatus.SUBMITTED
    world.chain.mine()
    assert world.settle(again) is OrderStatus.FILLED
    world.assert_books_are_true()


def test_order_when_stopped_before_its_send_and_later_nonces_are_out_then_the_chain_decides(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    first, second = world.decide(world.pair()), world.decide(world.pair())
    assert first is not None
    assert second is not None
    send = execution._send

    def late(order: Order, attempts: Sequence[TxAttempt], ports: ExecutionPorts) -> None:
        if order.pk == first.pk:
            world.execute(second)
            world.chain.faults["broadcast"] = [EpochClosedError("stopped")]
        send(order, attempts, ports)

    monkeypatch.setattr(execution, "_send", late)
    assert world.execute(first) is OrderStatus.UNKNOWN
    swap, [sent] = TxAttempt.objects.get(order=first), world.chain.sends
    world.engine(EngineStatus.RUNNING, epoch=3)
    world.age(first, minutes=5)
    world.sweep()
    cancel = TxAttempt.objects.get(order=first, purpose="cancel")
    assert (cancel.nonce, cancel.epoch) == (swap.nonce, 3)
    assert swap.tx_hash not in world.chain.sends
    world.chain.mine()
    assert world.settle(first) is OrderStatus.CANCELLED
    assert world.settle(second) is OrderStatus.FILLED
    assert sent in world.chain.mined
    swap.refresh_from_db()
    assert swap.status == "replaced"
    world.assert_books_are_true()


def test_entry_when_claim_dies_and_later_nonces_are_out_then_the_gap_is_closed(world: World):
    first, second = world.decide(world.pair()), world.decide(world.pair())
    assert first is not None
    assert second is not None
    die_at(world, "sign")
    with pytest.raises(Killed):
        world.execute(first)
    world.execute(second)
    world.chain.mine()
    assert world.settle(second) is OrderStatus.SUBMITTED  # it waits behind the gap
    for _ in range(3):
        world.sweep()
        world.chain.mine()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("cancelled", "filled")
    assert [item.purpose for item in first.attempts.all()] == ["cancel"]
    assert budget_view().open_positions == 1
    world.assert_books_are_true()


def test_slow_worker_whose_claim_was_taken_back_then_sends_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    order = world.decide(world.pair())
    assert order is not None
    signed = execution._sign

    def slow(*given: object) -> object:
        pairs = signed(*given)  # type: ignore[arg-type]
        with monkeypatch.context() as patch:
            patch.setattr(execution, "_sign", signed)
            world.sweep()  # the sweep took the claim back, another worker carried the order out
        return pairs

    monkeypatch.setattr(execution, "_sign", slow)
    world.execute(order)
    assert len(world.chain.sends) == 1
    assert TxAttempt.objects.count() == 1
    assert_right_end(world, order)


# -- failures after the signature: only "unknown" ----------------------------------------
@pytest.mark.parametrize("reached", [True, False])
def test_send_when_its_outcome_is_uncertain_then_the_chain_decides(world: World, reached: bool):
    order = world.decide(world.pair())
    assert order is not None
    port = "after_broadcast" if reached else "broadcast"
    world.chain.faults[port] = [BroadcastUncertainError("socket closed")]
    assert world.execute(order) is OrderStatus.UNKNOWN
    assert budget_view().open_positions == 1  # it may be bought
    assert_right_end(world, order)


def test_send_when_the_kill_switch_was_quicker_then_nothing_of_that_epoch_is_ever_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    order = world.decide(world.pair())
    assert order is not None
    stored = execution._store

    def kill_after(*given: object) -> object:
        rows = stored(*given)  # type: ignore[arg-type]
        world.engine(EngineStatus.EMERGENCY_STOPPED, epoch=2)
        return rows

    monkeypatch.setattr(execution, "_store", kill_after)
    assert world.execute(order) is OrderStatus.CANCELLED
    world.sweep()
    world.engine(EngineStatus.RUNNING, epoch=3)
    world.sweep()
    assert world.chain.sends == []
    assert budget_view().open_positions == 0
    world.assert_books_are_true()


def test_transaction_when_swallowed_then_is_sent_again_and_at_last_its_nonce_is_taken(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.swallow = True
    assert world.execute(order) is OrderStatus.SUBMITTED
    world.settle(order)
    assert len(world.chain.sends) == 1  # too early
    world.age(order, seconds=settlement.REBROADCAST_EVERY_S + 1)
    world.settle(order)
    assert len(world.chain.sends) == 2
    assert len(set(world.chain.sends)) == 1
    world.chain.swallow = False
    world.age(order, minutes=5)
    assert world.settle(order) is OrderStatus.SUBMITTED
    world.chain.mine()
    assert world.settle(order) is OrderStatus.CANCELLED
    assert budget_view().open_positions == 0
    world.assert_books_are_true()


def test_swap_when_mined_despite_its_cancellation_then_counts(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    world.age(order, minutes=5)
    world.chain.faults["broadcast"] = [BroadcastUncertainError("socket closed")]
    world.settle(order)
    assert TxAttempt.objects.filter(purpose="cancel").count() == 1
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    assert TxAttempt.objects.get(purpose="cancel").status == "replaced"
    world.assert_books_are_true()


def test_transaction_just_stored_then_is_left_to_its_worker(world: World, monkeypatch: pytest.MonkeyPatch):
    order = world.decide(world.pair())
    assert order is not None
    monkeypatch.setattr(execution, "_send", lambda *_: None)
    world.execute(order)
    assert world.settle(order) is OrderStatus.SIGNED
    world.age(order, seconds=settlement.SEND_STALE_S + 1)
    assert world.settle(order) is OrderStatus.SUBMITTED
    assert len(world.chain.sends) == 1


def test_cancellation_of_an_older_epoch_then_is_followed_by_one_that_may_be_sent(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.swallow = True
    world.execute(order)
    world.age(order, minutes=5)
    world.chain.faults["broadcast"] = [EpochClosedError("killed")]
    world.settle(order)
    world.engine(EngineStatus.RUNNING, epoch=2)
    world.chain.swallow = False
    world.age(order, minutes=5)
    world.settle(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.CANCELLED
    assert TxAttempt.objects.get(status="mined").epoch == 2
    world.assert_books_are_true()


def test_nonce_when_used_by_somebody_else_then_is_dropped_only_at_depth(world: World):
    order = world.decide(world.pair())
    assert order is not None
    world.chain.swallow = True
    world.execute(order)
    world.chain.spend_nonce_elsewhere()
    assert world.settle(order) is OrderStatus.SUBMITTED
    world.chain.mine(4)
    assert world.settle(order) is OrderStatus.SUBMITTED
    world.chain.mine()
    assert world.settle(order) is OrderStatus.DROPPED
    assert Incident.objects.get(code="NONCE_CONFLICT").severity == "critical"
    assert budget_view().open_positions == 0


def test_execute_when_chain_counts_more_nonces_than_we_gave_out_then_nothing_is_signed(world: World):
    world.buy()
    order = world.decide(world.pair())
    assert order is not None
    world.chain.spend_nonce_elsewhere()
    from apps.domain.errors import NonceConflictError

    with pytest.raises(NonceConflictError):
        world.execute(order)
    order.refresh_from_db()
    assert (order.status, len(world.chain.sends)) == ("created", 1)


def test_nonces_when_taken_outside_a_claim_then_are_not_given() -> None:
    with pytest.raises((AssertionError, RuntimeError)):
        nonces_take(wallet_key="trader", chain_key="eip155:1", count=1, chain_nonce=0)
