"""What a rollup charges for data: in the worth of an entry, in limits and caps, and paid like any other gas."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.market import FeeQuote
from apps.domain.order import OrderStatus
from apps.trading.logic import gas
from apps.trading.logic.replacement import Waiting, fees_offered
from apps.trading.models import Order, TxAttempt
from tests.trading import cases, fakes
from tests.trading.conftest import World
from tests.trading.test_entry import decide

DATA_FEE = 10**13
DATA_GAS = 200_000
amounts = st.integers(min_value=0, max_value=10**15)


@given(fee=amounts, data_gas=st.integers(min_value=0, max_value=10**6), price=amounts)
def test_cost_whatever_the_data_costs_then_each_of_three_transactions_pays_it(
    fee: int, data_gas: int, price: int
) -> None:
    plain = FeeQuote(base_fee_wei=price, tip_wei=0, max_fee_wei=2 * price, block_number=1)
    rolled = replace(plain, data_fee_raw=fee, data_gas=data_gas)
    more = 3 * (fee + data_gas * rolled.max_fee_wei)
    cost = gas.round_trip_cost_raw
    assert cost(buy_gas=1, sell_gas=1, fees=rolled) == cost(buy_gas=1, sell_gas=1, fees=plain) + more


@given(
    cap=amounts,
    fee=amounts,
    units=st.integers(min_value=1, max_value=gas.GAS_LIMIT_MAX),
    count=st.integers(min_value=1, max_value=4),
)
def test_price_cap_whatever_the_data_costs_then_gas_and_data_stay_below_the_cap(
    cap: int, fee: int, units: int, count: int
) -> None:
    fees = replace(cases.FEES, data_fee_raw=fee)
    price = gas.gas_price_cap_wei(cap, gas=units, fees=fees, transactions=count)
    assert price == 0 or units * price + count * fee <= cap


def test_replacement_when_data_takes_the_rest_of_the_cap_then_none_is_offered() -> None:
    waiting = (Waiting(gas_limit=100_000, max_fee_wei=10**8, tip_wei=10**6),)
    cap = 10**14
    assert fees_offered(waiting, cases.FEES, fee_cap_raw=cap) is not None
    assert fees_offered(waiting, replace(cases.FEES, data_fee_raw=cap), fee_cap_raw=cap) is None


def test_entry_when_data_would_eat_the_position_then_is_not_worth_it() -> None:
    decision = decide(facts=cases.facts(fees=replace(cases.FEES, data_fee_raw=10**16)))
    assert [reason.code for reason in decision.reasons] == ["LIMIT_FEE_SHARE"]


def test_entry_when_the_rollup_does_not_say_its_price_then_size_is_unknown() -> None:
    decision = decide(facts=cases.facts(fees=replace(cases.FEES, is_data_fee_known=False)))
    assert decision.reasons[0].code == "SIZE_FACTS_UNKNOWN"
    assert "data_fee" in decision.reasons[0].detail


@pytest.mark.django_db
def test_round_trip_when_data_costs_coins_then_books_hold_every_one(world: World) -> None:
    world.chain.data_fee = DATA_FEE
    pair = world.pair()
    position = world.buy(pair)
    assert position.fees_raw == fakes.SWAP_GAS_USED * (10**7 + 10**6) + DATA_FEE
    world.pool(pair).quote *= 2
    [order_id] = world.exits()
    order = Order.objects.get(pk=order_id)
    world.execute(order)
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


@pytest.mark.django_db
def test_round_trip_when_data_takes_gas_then_every_limit_has_room_for_it(world: World) -> None:
    world.chain.data_gas = DATA_GAS  # more than an approval may take without
    pair = world.pair()
    world.buy(pair)
    world.pool(pair).quote *= 2
    [order_id] = world.exits()
    order = Order.objects.get(pk=order_id)
    assert world.execute(order) is OrderStatus.SUBMITTED
    limits = [world.chain.signed[item.tx_hash].gas_limit for item in order.attempts.order_by("nonce")]
    assert limits[0] == fakes.APPROVE_GAS_LIMIT + DATA_GAS * 3 // 2
    world.chain.mine()
    assert world.settle(order) is OrderStatus.FILLED
    world.assert_books_are_true()


@pytest.mark.django_db
def test_order_when_coins_do_not_reach_for_its_data_then_is_denied(world: World) -> None:
    order = world.decide(world.pair())
    assert order is not None
    world.chain.data_fee = order.fee_cap_raw // 4
    spare = order.gas_limit * 2 * world.chain.base_fee
    world.chain.native[world.chain.owner] = order.amount_in_raw + spare
    assert world.execute(order) is OrderStatus.DENIED


@pytest.mark.django_db
def test_order_when_data_grew_dearer_than_its_cap_then_waits(world: World) -> None:
    order = world.decide(world.pair())
    assert order is not None
    world.chain.data_fee = order.fee_cap_raw
    assert world.execute(order) is OrderStatus.CREATED
    assert world.chain.sends == []
    world.chain.data_fee = 0
    assert world.execute(order) is OrderStatus.SUBMITTED


@pytest.mark.django_db
def test_cancellation_when_data_takes_gas_then_has_room_for_it(world: World) -> None:
    world.chain.data_gas = DATA_GAS
    order = world.decide(world.pair())
    assert order is not None
    world.chain.swallow = True
    world.execute(order)
    world.chain.swallow = False
    world.age(order, minutes=5)
    world.sweep()
    cancel = TxAttempt.objects.get(order=order, purpose="cancel")
    assert world.chain.signed[cancel.tx_hash].gas_limit == fakes.CANCEL_GAS + DATA_GAS * 3 // 2
    world.chain.mine()
    assert world.settle(order) is OrderStatus.CANCELLED
    world.assert_books_are_true()
