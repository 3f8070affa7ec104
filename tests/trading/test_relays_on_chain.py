"""Private relays and replacements on a real chain: a relay that gives to the chain, keeps, loses or falls silent."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from apps.chains.evm.relay import RelayConfig, relay_sender
from apps.domain.order import OrderStatus
from apps.state.models import Event
from apps.state.services.config import config_change
from apps.trading.models import Order, Position, TxAttempt
from apps.trading.services.execution import order_execute
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.positions import exit_request
from apps.trading.services.replacement import REPLACE_EVERY_S
from apps.trading.services.settlement import order_settle
from tests.fakes.relay import LocalRelay
from tests.trading.test_on_chain import Trader, market, trader

__all__ = ["market", "trader"]

pytestmark = pytest.mark.chain

GWEI = 10**9
BLOCKS = 3


@pytest.fixture
def relay(trader: Trader) -> Iterator[LocalRelay]:
    with LocalRelay(forward=trader.market.rpc, chain_id=trader.market.chain.chain_id) as running:
        config = RelayConfig(key="local", kind="flashbots_relay", url=running.url, timeout_ms=200)
        profile = trader.ports.profile
        trader.ports = replace(trader.ports, relays=(relay_sender(config, profile=profile),))
        yield running


def age(order: Order, *, seconds: int) -> None:
    for attempt in order.attempts.all():
        attempt.signed_at -= timedelta(seconds=seconds)
        if attempt.broadcast_at is not None:
            attempt.broadcast_at -= timedelta(seconds=seconds)
        attempt.save()


def settled(trader: Trader, order: Order) -> OrderStatus:
    """Ask until the chain has answered; a block is mined with the transaction that it holds."""
    deadline = time.monotonic() + 5
    status = OrderStatus.UNKNOWN
    while time.monotonic() < deadline:
        status = order_settle(order_id=order.pk, ports=trader.ports)
        if status not in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN):
            break
        time.sleep(0.05)
    return status


def assert_one_fill(trader: Trader, order: Order) -> None:
    order.refresh_from_db()
    assert order.status == OrderStatus.FILLED.value
    assert order.fills.count() == 1
    assert order.attempts.filter(purpose="swap", status="mined").count() == 1
    held = trader.market.balance(order.pair.base.address, trader.owner)
    assert Position.objects.get(trace_id=order.trace_id).quantity_raw == held
    assert trader.compare().is_equal
    assert books_imbalance() == {}


# -- relays -------------------------------------------------------------------------------
def test_round_trip_through_a_relay_then_books_are_true_and_only_the_relay_had_it(
    trader: Trader, relay: LocalRelay
):
    pair = trader.pair(trader.market.launch("StandardToken"))
    order = trader.decide(pair)
    order_execute(order_id=order.pk, ports=trader.ports, worker="test")
    assert settled(trader, order) is OrderStatus.FILLED
    assert_one_fill(trader, order)
    position = Position.objects.get()
    exit_request(position_id=position.pk, by="test")
    [sale] = exits_evaluate(chain_key=pair.chain_key, ports=trader.ports, head=trader.reader.head())
    order_execute(order_id=sale, ports=trader.ports, worker="test")
    assert settled(trader, Order.objects.get(pk=sale)) is OrderStatus.FILLED
    assert {tuple(item.sent_by) for item in TxAttempt.objects.all()} == {("local",)}
    assert len(relay.taken) == 3
    assert trader.compare().is_equal
    assert books_imbalance() == {}


def test_relay_that_includes_late_then_the_order_waits_and_is_filled(trader: Trader, relay: LocalRelay):
    order = trader.decide(trader.pair(trader.market.launch("StandardToken")))
    relay.manner = "hold"
    assert order_execute(order_id=order.pk, ports=trader.ports, worker="test") is OrderStatus.SUBMITTED
    trader.market.rpc("evm_mine")
    assert order_settle(order_id=order.pk, ports=trader.ports) is OrderStatus.SUBMITTED
    relay.release()
    assert settled(trader, order) is OrderStatus.FILLED
    assert_one_fill(trader, order)


@pytest.mark.parametrize("manner", ["drop", "hold", "rubbish", "refuse", "hang"])
def test_relay_that_does_not_include_then_the_order_is_given_up_and_never_public(
    trader: Trader, relay: LocalRelay, manner: Any
):
    order = trader.decide(trader.pair(trader.market.launch("StandardToken")))
    relay.manner = manner
    order_execute(order_id=order.pk, ports=trader.ports, worker="test")
    swap = order.attempts.get()
    for _ in range(BLOCKS):
        trader.market.rpc("evm_mine")
    order_settle(order_id=order.pk, ports=trader.ports)
    assert settled(trader, order) is OrderStatus.CANCELLED
    assert trader.market.rpc("eth_getTransactionByHash", swap.tx_hash) is None
    assert "public" not in TxAttempt.objects.get(pk=swap.pk).sent_by
    assert relay.forgotten == [swap.tx_hash]
    assert relay.held == [raw for raw in relay.held if raw != "0x" + bytes(swap.payload).hex()]
    assert not order.fills.exists()
    assert trader.compare().is_equal


@pytest.mark.parametrize("manner", ["hang_and_include", "refuse", "rubbish"])
def test_relay_that_fails_when_it_may_leak_then_is_filled_once_and_recorded(
    trader: Trader, relay: LocalRelay, manner: Any
):
    config_change(payload={"execution": {"relay_leak_public": True}}, by="test", reason="test")
    order = trader.decide(trader.pair(trader.market.launch("StandardToken")))
    relay.manner = manner
    order_execute(order_id=order.pk, ports=trader.ports, worker="test")
    assert settled(trader, order) is OrderStatus.FILLED
    assert order.attempts.get().sent_by == ["local", "public"]
    assert Event.objects.filter(kind="risk_alert", payload__code="RELAY_LEAKED").count() == 1
    assert_one_fill(trader, order)


# -- replacements -------------------------------------------------------------------------
@pytest.fixture
def order(trader: Trader) -> Iterator[Order]:
    """An entry that is decided upon a chain that mines when told to, with a base fee that a spike can rise above."""
    config_change(payload={"execution": {"fee_share_max_bps": 10_000}}, by="test", reason="gas is dear here")
    pair, rpc = trader.pair(trader.market.launch("StandardToken")), trader.market.rpc
    rpc("evm_setAutomine", False)
    try:
        rpc("anvil_setNextBlockBaseFeePerGas", hex(5 * GWEI))
        rpc("evm_mine")
        yield trader.decide(pair)
    finally:
        rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        rpc("evm_mine")
        rpc("evm_setAutomine", True)


def stuck(trader: Trader, order: Order) -> TxAttempt:
    """Send an entry and let gas rise above its offer before it is mined; return what waits."""
    assert order_execute(order_id=order.pk, ports=trader.ports, worker="test") is OrderStatus.SUBMITTED
    attempt: TxAttempt = order.attempts.get()
    # An empty block lowers the next base fee by an eighth: that must still be above the offer, and below the cap.
    trader.market.rpc("anvil_setNextBlockBaseFeePerGas", hex(attempt.max_fee_wei * 13 // 10))
    trader.market.rpc("evm_mine")
    assert trader.reader.receipt(attempt.tx_hash) is None
    age(order, seconds=REPLACE_EVERY_S + 1)
    return attempt


def replaced(trader: Trader, order: Order, original: TxAttempt) -> TxAttempt:
    """Let settlement look at the order; return the attempt that it made."""
    order_settle(order_id=order.pk, ports=trader.ports)
    second = order.attempts.order_by("pk").last()
    assert second is not None
    assert second.pk != original.pk
    assert (second.purpose, second.nonce) == ("swap", original.nonce)
    assert second.max_fee_wei * 8 >= original.max_fee_wei * 9
    assert second.max_cost_raw <= order.fee_cap_raw
    assert second.status == "sent"
    return second


@pytest.mark.parametrize("original_first", [False, True])
def test_replacement_on_a_real_chain_whichever_is_mined_then_counts_once(
    trader: Trader, order: Order, original_first: bool
):
    rpc = trader.market.rpc
    original = stuck(trader, order)
    second = replaced(trader, order, original)
    if original_first:
        rpc("anvil_dropTransaction", second.tx_hash)  # the maker of the next block never saw it
        rpc("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        rpc("eth_sendRawTransaction", "0x" + bytes(original.payload).hex())
    rpc("evm_mine")
    assert settled(trader, order) is OrderStatus.FILLED
    original.refresh_from_db()
    second.refresh_from_db()
    wanted = ("mined", "replaced") if original_first else ("replaced", "mined")
    assert (original.status, second.status) == wanted
    assert_one_fill(trader, order)
