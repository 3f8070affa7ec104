"""Orders through other pools than their pair's, and pairs of the Solidly family, on real exchanges by the same services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from apps.chains.evm.dex import solidly
from apps.chains.evm.reader import EvmReader
from apps.chains.models import Chain
from apps.chains.registry import DEX_KINDS
from apps.chains.selectors import chain_profile, dex_profiles
from apps.discovery.models import Pair
from apps.domain.order import OrderStatus
from apps.state.models import Event
from apps.trading.models import DecisionRecord, Order, Position
from apps.trading.services.decisions import decision_repeat
from apps.trading.services.execution import order_execute
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.positions import exit_request
from tests import factories
from tests.chain_fixtures import Launch, calldata, deploy, read
from tests.chains.evm.concentrated_pools import send
from tests.chains.evm.contracts import artifact
from tests.chains.evm.deployment import client_of
from tests.chains.evm.solidly_market import SolidlyDex, add_liquidity
from tests.trading.test_on_chain import Trader, market, trader

__all__ = ["market", "trader"]  # fixtures

pytestmark = pytest.mark.chain

COIN = 10**18
TOKENS, DEADLINE = 10**26, 2**40


def with_solidly(trader: Trader) -> tuple[Trader, SolidlyDex]:
    """Add Aerodrome to what the trader knows."""
    exchange, profile = SolidlyDex.deploy(trader.market), trader.ports.profile
    factories.DexDeploymentFactory(
        chain=Chain.objects.get(key=profile.chain_key),
        key="aerodrome",
        kind="solidly",
        factory_address=exchange.factory,
        router_address=exchange.router,
    )
    return seeing_all(trader), exchange


def seeing_all(trader: Trader) -> Trader:
    profile = chain_profile(trader.ports.profile.chain_key)
    dexes = dex_profiles(profile.chain_key)
    reader = EvmReader(client_of(trader.market), profile, lockers=(), dexes=dexes)
    builders = {dex.dex_key: DEX_KINDS[dex.kind].builder(profile=profile, dex=dex) for dex in dexes}
    ports = replace(trader.ports, profile=profile, reader=reader, builders=builders)
    return replace(trader, reader=reader, ports=ports)


def pair_of(trader: Trader, pool: str, *, base: Any, quote: Any, dex_key: str, **more: Any) -> Pair:
    row: Pair = factories.PairFactory(
        chain_key=trader.ports.profile.chain_key,
        dex_key=dex_key,
        pool_address=pool,
        base=base,
        quote=quote,
        base_is_token0=int(base.address, 16) < int(quote.address, 16),
        creator=trader.market.chain.accounts[0].address,
        **more,
    )
    return row


def sold(trader: Trader, position: Position) -> Order:
    exit_request(position_id=position.pk, by="test")
    [sale] = exits_evaluate(
        chain_key=trader.ports.profile.chain_key, ports=trader.ports, head=trader.reader.head()
    )
    assert trader.carry_out(sale) is OrderStatus.FILLED
    return Order.objects.get(pk=sale)


def beside(trader: Trader, exchange: SolidlyDex, launch: Launch, pair: Pair, *, coins: int) -> Pair:
    """Give a launch a second pool with as many tokens as its first."""
    pool = add_liquidity(
        trader.market, exchange, launch.token, token_amount=TOKENS, native_amount=coins * COIN
    )
    return pair_of(trader, pool, base=pair.base, quote=pair.quote, dex_key="aerodrome")


def empty(trader: Trader, launch: Launch) -> None:
    """Take nearly all of the liquidity out of a launch's own pool, as its maker may."""
    rpc, account = trader.market.rpc, trader.market.chain.accounts[0]
    shares = trader.market.balance(launch.pair, account.address) * 9_999 // 10_000
    send(rpc, account, launch.pair, calldata("transfer(address,uint256)", launch.pair, shares))
    send(rpc, account, launch.pair, calldata("burn(address)", account.address))


def test_round_trip_in_a_solidly_pool_then_book_equals_chain_to_the_wei(trader: Trader) -> None:
    ours, exchange = with_solidly(trader)
    token = deploy(ours.market.rpc, ours.market.chain.accounts[0], artifact("MoveFeeToken"), 10**30)
    pool = add_liquidity(ours.market, exchange, token, token_amount=TOKENS, native_amount=30 * COIN)
    pair = pair_of(
        ours,
        pool,
        base=factories.TokenFactory(
            chain_key=ours.ports.profile.chain_key, address=token, symbol="MOVE", decimals=18
        ),
        quote=factories.TokenFactory(
            chain_key=ours.ports.profile.chain_key,
            address=ours.market.dex.wrapped,
            symbol="WETH",
            decimals=18,
        ),
        dex_key="aerodrome",
    )
    order = ours.decide(pair)
    again = decision_repeat(DecisionRecord.objects.get(pk=order.decision_id))
    assert again.expected_out is not None
    assert ours.carry_out(order.pk) is OrderStatus.FILLED
    position = Position.objects.get()
    assert position.quantity_raw == ours.market.balance(token, ours.owner) == again.expected_out.raw
    assert sold(ours, position).way == {}
    assert ours.market.balance(token, ours.owner) == 0
    assert ours.compare().is_equal
    assert books_imbalance() == {}


def test_purchase_when_another_pool_gives_more_then_goes_there_and_the_sale_comes_back(
    trader: Trader,
) -> None:
    ours, exchange = with_solidly(trader)
    launch = ours.market.launch("StandardToken", pooled_tokens=TOKENS, pooled_native=30 * COIN)
    pair = ours.pair(launch)
    other = beside(ours, exchange, launch, pair, coins=25)
    order = ours.decide(pair)
    assert order.expected_out_raw is not None
    assert ours.carry_out(order.pk) is OrderStatus.FILLED
    order.refresh_from_db()
    assert (order.way["dex_key"], order.way["pair_key"]) == ("aerodrome", other.pair_key)
    position = Position.objects.get()
    assert position.quantity_raw == int(order.way["out_raw"]) == ours.market.balance(launch.token, ours.owner)
    assert position.quantity_raw > order.expected_out_raw * 11 // 10
    kept = int(order.way["least_raw"]) * order.expected_out_raw
    assert abs(kept - order.amount_out_min_raw * position.quantity_raw) <= order.expected_out_raw
    assert Event.objects.filter(summary__contains="goes through aerodrome").count() == 1
    assert sold(ours, position).way == {}
    assert ours.compare().is_equal
    assert books_imbalance() == {}


def test_purchase_when_who_comes_by_the_other_pool_cannot_leave_then_goes_through_its_pair(
    trader: Trader,
) -> None:
    ours, exchange = with_solidly(trader)
    launch = ours.market.launch("BlacklistToken", True, pooled_tokens=TOKENS, pooled_native=30 * COIN)
    pair = ours.pair(launch)
    other = beside(ours, exchange, launch, pair, coins=25)
    for pool, is_watched in ((launch.pair, False), (other.pool_address, True)):
        ours.market.call_as_deployer(launch, "setAutomatedMarketMakerPair(address,bool)", pool, is_watched)
    order = ours.decide(pair)
    assert ours.carry_out(order.pk) is OrderStatus.FILLED
    order.refresh_from_db()
    assert order.way == {}
    sold(ours, Position.objects.get())
    assert ours.market.balance(launch.token, ours.owner) == 0
    assert ours.compare().is_equal


def test_purchase_when_somebody_empties_the_better_pool_before_us_then_goes_through_its_pair(
    trader: Trader,
) -> None:
    ours, exchange = with_solidly(trader)
    launch = ours.market.launch("StandardToken", pooled_tokens=TOKENS, pooled_native=30 * COIN)
    pair = ours.pair(launch)
    beside(ours, exchange, launch, pair, coins=25)
    order, rpc, rival = ours.decide(pair), ours.market.rpc, ours.market.buyer().address
    data = solidly.buy_data(
        factory=exchange.factory,
        route=(ours.market.dex.wrapped, launch.token),
        amount_in_raw=9 * COIN,
        amount_out_min_raw=0,
        recipient=rival,
        deadline_s=DEADLINE,
    )
    rpc("evm_setAutomine", False)
    try:
        rpc("anvil_impersonateAccount", rival)
        buy = {"from": rival, "to": exchange.router, "value": hex(9 * COIN), "data": "0x" + data.hex()}
        rpc("eth_sendTransaction", {**buy, "gas": hex(400_000)})
        order_execute(order_id=order.pk, ports=ours.ports, worker="test")
        rpc("evm_mine")
    finally:
        rpc("evm_setAutomine", True)
    assert ours.settle(order.pk) is OrderStatus.FILLED
    order.refresh_from_db()
    assert order.way == {}
    assert Event.objects.filter(summary__contains="goes through aerodrome").exists()
    assert Event.objects.filter(summary__contains="would fail").exists()
    assert Position.objects.get().quantity_raw == order.expected_out_raw


def test_purchase_when_its_own_pool_was_emptied_since_then_nothing_is_bought_elsewhere(
    trader: Trader,
) -> None:
    ours, exchange = with_solidly(trader)
    launch = ours.market.launch("StandardToken", pooled_tokens=TOKENS, pooled_native=30 * COIN)
    pair = ours.pair(launch)
    order = ours.decide(pair)
    beside(ours, exchange, launch, pair, coins=25)
    empty(ours, launch)
    assert ours.carry_out(order.pk) is not OrderStatus.FILLED
    order.refresh_from_db()
    assert order.way == {}
    assert ours.market.balance(launch.token, ours.owner) == 0
    assert ours.compare().is_equal


def test_sale_when_its_own_pool_was_emptied_then_leaves_through_the_other(trader: Trader) -> None:
    ours, exchange = with_solidly(trader)
    launch = ours.market.launch("StandardToken", pooled_tokens=TOKENS, pooled_native=30 * COIN)
    pair = ours.pair(launch)
    order = ours.decide(pair)
    assert ours.carry_out(order.pk) is OrderStatus.FILLED
    beside(ours, exchange, launch, pair, coins=25)
    empty(ours, launch)
    sale = sold(ours, Position.objects.get())
    assert sale.way["dex_key"] == "aerodrome"
    assert sale.amount_out_min_raw * 2 < int(sale.way["least_raw"]) <= int(sale.way["out_raw"])
    assert ours.market.balance(launch.token, ours.owner) == 0
    assert ours.compare().is_equal
    assert books_imbalance() == {}


def test_purchase_when_dollars_lie_between_then_goes_through_both_pools(trader: Trader) -> None:
    market, key = trader.market, trader.ports.profile.chain_key
    rpc, account, router = market.rpc, market.chain.accounts[0], market.dex.router
    launch = market.launch("StandardToken", pooled_tokens=TOKENS, pooled_native=30 * COIN)
    dollars = market.launch("StandardToken", pooled_tokens=TOKENS, pooled_native=900 * COIN)
    for spent in (launch.token, dollars.token):
        send(rpc, account, spent, calldata("approve(address,uint256)", router, 2**256 - 1))
    data = calldata(
        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
        *(launch.token, dollars.token, TOKENS, TOKENS // 45, 0, 0, account.address, DEADLINE),
    )
    send(rpc, account, router, data)
    pool = read(
        rpc, market.dex.factory, "getPair(address,address)", launch.token, dollars.token, returns="address"
    )
    factories.StableTokenFactory(
        chain=Chain.objects.get(key=key), address=dollars.token, symbol="USD", decimals=18
    )
    ours = seeing_all(trader)
    pair, joining = ours.pair(launch), ours.pair(dollars)
    Pair.objects.filter(pk=joining.pk).update(quarantine_code="BASE_IS_MONEY", quote=pair.quote)
    pair_of(ours, pool, base=pair.base, quote=joining.base, dex_key=pair.dex_key)
    order = ours.decide(pair)
    assert ours.carry_out(order.pk) is OrderStatus.FILLED
    order.refresh_from_db()
    assert [item.lower() for item in order.way["tokens"]] == [
        item.lower() for item in (market.dex.wrapped, dollars.token, launch.token)
    ]
    position = Position.objects.get()
    assert position.quantity_raw == int(order.way["out_raw"]) == market.balance(launch.token, ours.owner)
    assert ours.compare().is_equal
    assert books_imbalance() == {}
