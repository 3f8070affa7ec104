"""Bought and sold in a real pool of ranged liquidity, by the same services; book and chain to the last unit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.chains.evm.reader import EvmReader
from apps.chains.models import Chain
from apps.chains.registry import DEX_KINDS
from apps.chains.selectors import dex_profiles
from apps.discovery.models import Pair
from apps.domain.order import OrderStatus
from apps.trading.models import DecisionRecord, Position
from apps.trading.services.decisions import decision_repeat
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.positions import exit_request
from tests import factories
from tests.chains.evm.deployment import client_of
from tests.chains.evm.test_uniswap_v3 import scene_of
from tests.chains.evm.v3_market import V3Dex
from tests.trading.test_on_chain import Trader, market, trader

__all__ = ["market", "trader"]  # fixtures

pytestmark = pytest.mark.chain


@pytest.mark.parametrize("fee_pips", [3_000, 10_000])
def test_round_trip_when_liquidity_is_ranged_then_book_equals_chain_to_the_wei(
    trader: Trader, fee_pips: int
) -> None:
    market, profile = trader.market, trader.ports.profile
    exchange = V3Dex.deploy(market)
    scene = scene_of(market, exchange, fee_pips=fee_pips)
    seen = scene.listing
    chain = Chain.objects.get(key=profile.chain_key)
    factories.DexDeploymentFactory(
        chain=chain,
        key="uniswap_v3",
        kind="uniswap_v3",
        factory_address=exchange.factory,
        router_address=exchange.router,
    )
    dexes = dex_profiles(profile.chain_key)
    reader = EvmReader(client_of(market), profile, lockers=(), dexes=dexes)
    builders = {dex.dex_key: DEX_KINDS[dex.kind].builder(profile=profile, dex=dex) for dex in dexes}
    ours = replace(trader, reader=reader, ports=replace(trader.ports, reader=reader, builders=builders))
    pair: Pair = factories.PairFactory(
        chain_key=profile.chain_key,
        dex_key="uniswap_v3",
        pool_address=seen.pool_address,
        base__address=scene.token,
        base__symbol="MOVE",
        quote__address=seen.quote.address,
        base_is_token0=seen.base_is_token0,
        fee_bps=seen.fee_bps,
        created_block_number=seen.created_block.number,
        created_block_hash=seen.created_block.hash,
        creator=market.chain.accounts[0].address,
    )
    order = ours.decide(pair)
    record = DecisionRecord.objects.get(pk=order.decision_id)
    again = decision_repeat(record)
    assert again.amount_out_min is not None
    assert again.amount_out_min.raw == order.amount_out_min_raw
    assert ours.carry_out(order.pk) is OrderStatus.FILLED
    position = Position.objects.get()
    assert position.quantity_raw == market.balance(scene.token, ours.owner)
    assert again.expected_out is not None
    assert position.quantity_raw == again.expected_out.raw  # nobody traded between
    assert ours.compare().is_equal
    exit_request(position_id=position.pk, by="test")
    [sale] = exits_evaluate(chain_key=pair.chain_key, ports=ours.ports, head=reader.head())
    assert ours.carry_out(sale) is OrderStatus.FILLED
    assert market.balance(scene.token, ours.owner) == 0
    report = ours.compare()
    assert report.is_equal, report
    assert books_imbalance() == {}
