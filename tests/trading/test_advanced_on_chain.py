"""Advanced orders on a real chain: each kind from its price to its fill, book and chain equal to the wei."""

from __future__ import annotations

import pytest

from apps.chains.evm.dex.constant_product import amount_out
from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of
from apps.domain.order import OrderStatus
from apps.trading.logic import orders_advanced as logic
from apps.trading.logic.orders_advanced import PRICE_SCALE, Plan
from apps.trading.models import AdvancedOrder, Opportunity, Order, Position
from apps.trading.services.advanced_evaluation import AdvancedLook, advanced_evaluate
from apps.trading.services.advanced_orders import advanced_place
from apps.trading.services.ledger import books_imbalance
from tests.trading.test_on_chain import ETHER, TERMS, Trader, market, trader

__all__ = ["market", "trader"]  # fixtures

pytestmark = pytest.mark.chain


def look(trader: Trader, pair: Pair) -> AdvancedLook:
    return advanced_evaluate(chain_key=pair.chain_key, ports=trader.ports, head=trader.reader.head())


def place(trader: Trader, pair: Pair, plan: Plan, position: Position | None = None) -> AdvancedOrder:
    return advanced_place(
        request_key="k",
        kind="test",
        plan=plan,
        pair=pair,
        wallet_key="trader",
        by="test",
        position=position,
    )


def held(trader: Trader, contract: str = "TaxedToken") -> tuple[Pair, Position]:
    pair = trader.pair(trader.market.launch(contract, *((TERMS,) if contract == "TaxedToken" else ())))
    assert trader.carry_out(trader.decide(pair).pk) is OrderStatus.FILLED
    return pair, Position.objects.select_related("pair__base", "pair__quote").get()


def price(trader: Trader, pair: Pair, amount: int, tax_bps: int = 500) -> int:
    [pool] = trader.reader.reserves([listing_of(pair)]).values()
    out = amount_out(
        amount_in_raw=amount, reserve_in_raw=pool.base_raw, reserve_out_raw=pool.quote_raw, fee_bps=30
    )
    return out * (10_000 - tax_bps) // 10_000 * PRICE_SCALE // amount


def assert_true(trader: Trader) -> None:
    report = trader.compare()
    assert report.is_equal, report
    assert books_imbalance() == {}


def test_limit_buy_on_chain_then_fills_at_its_price_or_better(trader: Trader):
    pair = trader.pair(trader.market.launch("StandardToken"))
    [pool] = trader.reader.reserves([listing_of(pair)]).values()
    limit = pool.quote_raw * PRICE_SCALE // pool.base_raw * 12 // 10
    buyer = trader.market.buyer()
    assert trader.market.buy(buyer, pair.base.address, value=3 * ETHER)
    row = place(trader, pair, logic.limit(side="buy", total_raw=ETHER // 50, price=limit))
    assert look(trader, pair) == AdvancedLook()  # others have driven the price above it
    assert trader.market.sell(buyer, pair.base.address)
    [chance] = look(trader, pair).opportunity_ids
    order = trader.decide(pair, Opportunity.objects.get(pk=chance))
    assert trader.carry_out(order.pk) is OrderStatus.FILLED
    fill = order.fills.get()
    assert fill.amount_in_raw == ETHER // 50
    assert fill.amount_in_raw * PRICE_SCALE <= limit * fill.amount_out_raw
    assert Position.objects.get().trace_id == order.trace_id
    assert look(trader, pair) == AdvancedLook()
    assert row.opportunities.count() == 1
    assert_true(trader)


def test_ladder_on_chain_then_sells_in_steps(trader: Trader):
    pair, position = held(trader)
    total = position.quantity_raw
    now = price(trader, pair, total // 2)
    place(
        trader,
        pair,
        logic.ladder(total_raw=total, steps=[(now * 11 // 10, 5_000), (now * 3, 5_000)]),
        position,
    )
    assert look(trader, pair) == AdvancedLook()
    buyer = trader.market.buyer()
    assert trader.market.buy(buyer, pair.base.address, value=2 * ETHER)
    [first] = look(trader, pair).order_ids
    assert trader.carry_out(first) is OrderStatus.FILLED
    position.refresh_from_db()
    assert (position.status, position.quantity_raw) == ("open", total - total // 2)
    assert trader.market.balance(pair.base.address, trader.owner) == total - total // 2
    assert look(trader, pair) == AdvancedLook()
    assert trader.market.buy(buyer, pair.base.address, value=10 * ETHER)
    [second] = look(trader, pair).order_ids
    assert trader.carry_out(second) is OrderStatus.FILLED
    position.refresh_from_db()
    assert position.status == "closed"
    assert_true(trader)


def test_trailing_stop_on_chain_then_sells_after_the_fall(trader: Trader):
    pair, position = held(trader, "StandardToken")
    place(trader, pair, logic.trailing(total_raw=position.quantity_raw, trail_bps=1_500), position)
    buyer = trader.market.buyer()
    assert trader.market.buy(buyer, pair.base.address, value=3 * ETHER)
    assert look(trader, pair) == AdvancedLook()
    assert trader.market.sell(buyer, pair.base.address)
    [order_id] = look(trader, pair).order_ids
    assert Order.objects.get(pk=order_id).exit_tag == "trailing_stop"
    assert trader.carry_out(order_id) is OrderStatus.FILLED
    assert trader.market.balance(pair.base.address, trader.owner) == 0
    assert_true(trader)


def test_bracket_on_chain_then_fills_one_side_alone(trader: Trader):
    pair, position = held(trader)
    total = position.quantity_raw
    now = price(trader, pair, total)
    place(
        trader,
        pair,
        logic.bracket(total_raw=total, target_price=now * 2, stop_price=now * 8 // 10),
        position,
    )
    buyer = trader.market.buyer()
    assert trader.market.buy(buyer, pair.base.address, value=10 * ETHER)
    [target] = look(trader, pair).order_ids
    assert trader.market.sell(buyer, pair.base.address)  # through the target again before ours is mined
    order = Order.objects.get(pk=target)
    status = trader.carry_out(target)
    assert status is OrderStatus.REVERTED  # at its price or not at all
    Position.objects.update(next_exit_at=None)
    assert look(trader, pair) == AdvancedLook()
    launch_buyer = trader.market.buyer()
    assert trader.market.buy(launch_buyer, pair.base.address, value=12 * ETHER)
    Order.objects.filter(pk=target).update(status_at=order.created_at.replace(year=2020))  # its rest is over
    [again] = look(trader, pair).order_ids
    assert look(trader, pair) == AdvancedLook()
    assert trader.carry_out(again) is OrderStatus.FILLED
    fill = Order.objects.get(pk=again).fills.get()
    assert fill.amount_out_raw * PRICE_SCALE >= now * 2 * fill.amount_in_raw
    assert look(trader, pair) == AdvancedLook()
    assert Position.objects.get().status == "closed"
    assert_true(trader)
