"""A pair in ranged liquidity as the road sees it: facts, activity, and who can take the coins out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from apps.chains.evm.reader import EvmReader
from apps.domain.market import PairFacts
from tests.chain_fixtures import Market, calldata, running_market, transact
from tests.chains.evm.concentrated_pools import send
from tests.chains.evm.deployment import client_of, profile_of
from tests.chains.evm.test_uniswap_v3 import COIN, DEADLINE_S, Scene, builder_of, scene_of, sent
from tests.chains.evm.v3_market import V3Dex, v3_profile

pytestmark = pytest.mark.chain

SET_FEE = calldata("setFee(uint256)", 0)[:10]
DEAD = "0x000000000000000000000000000000000000dEaD"


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as running:
        yield running


@pytest.fixture(scope="module")
def dex(market: Market) -> V3Dex:
    return V3Dex.deploy(market)


def reader_of(market: Market, dex: V3Dex) -> EvmReader:
    return EvmReader(client_of(market), profile_of(market), lockers=(), dexes=(v3_profile(market, dex),))


def facts_of(scene: Scene, *, creator: str = "") -> PairFacts:

    listing = replace(scene.listing, creator=creator or scene.market.chain.accounts[0].address)
    return reader_of(scene.market, scene.dex).pair_facts(
        listing, buyer=scene.market.buyer().address, probe_amount_raw=COIN // 10, previous_swaps_from=0
    )


def test_facts_when_token_is_honest_then_both_round_trips_without_tax(market: Market, dex: V3Dex) -> None:
    facts = facts_of(scene_of(market, dex, fee_pips=3_000))
    assert {trip.sell_delay_blocks: trip.stage for trip in facts.round_trips} == {
        0: "bought_and_sold",
        1: "bought_and_sold",
    }
    for trip in facts.round_trips:
        assert (trip.buy_tax_bps, trip.sell_tax_bps) == (0, 0), trip
    assert facts.reserves is not None
    assert facts.reserves.concentrated is not None
    assert facts.reserves.quote_raw > 0
    assert "reserves" not in (facts.missing or {})


def test_facts_when_token_takes_a_fee_then_cannot_be_sold(market: Market, dex: V3Dex) -> None:
    scene = scene_of(market, dex, fee_pips=10_000)
    transact(market.rpc, market.chain.accounts[0], to=scene.token, data=calldata("setFee(uint256)", 300))
    for trip in facts_of(scene).round_trips:
        assert trip.stage == "sell_failed", trip


def test_shares_when_position_is_burned_then_counted_by_its_coins(market: Market, dex: V3Dex) -> None:
    scene = scene_of(market, dex, fee_pips=3_000)
    before = facts_of(scene)
    assert before.lp_total_supply_raw is not None
    assert 25 * COIN < before.lp_total_supply_raw <= 30 * COIN
    assert before.lp_burned_raw == 0
    assert before.lp_creator_raw is not None
    assert before.lp_creator_raw >= before.lp_total_supply_raw * 99 // 100
    maker = market.chain.accounts[0]
    newest = int(
        market.rpc("eth_call", {"to": dex.positions, "data": calldata("totalSupply()")}, "latest"), 16
    )
    wide = newest - 3  # the first of the scene's four positions: over all prices, twenty coins
    send(
        market.rpc,
        maker,
        dex.positions,
        calldata("transferFrom(address,address,uint256)", maker.address, DEAD, wide),
    )
    after = facts_of(scene)
    assert after.lp_burned_raw is not None
    assert abs(after.lp_burned_raw - 20 * COIN) < COIN // 100
    assert after.lp_total_supply_raw == before.lp_total_supply_raw


def test_activity_when_traded_and_drained_then_both_are_seen(market: Market, dex: V3Dex) -> None:
    scene = scene_of(market, dex, fee_pips=500)
    reader, listing, buyer = reader_of(market, dex), scene.listing, market.buyer()
    start = reader.head().number + 1
    tx = builder_of(scene).swap(
        scene.intent("buy", COIN, 1), nonce=0, recipient=buyer.address, deadline_s=DEADLINE_S
    )
    assert sent(scene, buyer, tx)["status"] == "0x1"
    reserves, swaps = reader.pool_activity([listing], start, reader.head().number)
    assert [(swap.side, swap.quote_raw, swap.trader) for swap in swaps] == [("buy", COIN, buyer.address)]
    assert [item.concentrated == scene.state() for item in reserves] == [True]
    maker = market.chain.accounts[0]
    newest = int(
        market.rpc("eth_call", {"to": dex.positions, "data": calldata("totalSupply()")}, "latest"), 16
    )
    wide = newest - 3
    position = market.rpc(
        "eth_call", {"to": dex.positions, "data": calldata("positions(uint256)", wide)}, "latest"
    )
    liquidity = int(position[2 + 7 * 64 : 2 + 8 * 64], 16)
    start = reader.head().number + 1
    data = calldata(
        "decreaseLiquidity((uint256,uint128,uint256,uint256,uint256))", (wide, liquidity, 0, 0, 2**63)
    )
    send(market.rpc, maker, dex.positions, data)
    most = 2**128 - 1
    send(
        market.rpc,
        maker,
        dex.positions,
        calldata("collect((uint256,address,uint128,uint128))", (wide, maker.address, most, most)),
    )
    drained, _ = reader.pool_activity([listing], start, reader.head().number)
    assert len(drained) == 1
    assert drained[0].quote_raw < reserves[0].quote_raw
    assert reader.reserves([listing])[listing.pair_key].concentrated == scene.state()


def test_probes_when_token_is_honest_then_every_trade_passes_untaxed(market: Market, dex: V3Dex) -> None:
    scene = scene_of(market, dex, fee_pips=3_000)
    reader, listing = (
        reader_of(market, dex),
        replace(scene.listing, creator=market.chain.accounts[0].address),
    )
    buyer = market.buyer().address
    facts = reader.pair_facts(listing, buyer=buyer, probe_amount_raw=COIN // 10, previous_swaps_from=0)
    probes = reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=COIN // 10)
    assert probes.trades
    for probe in probes.trades:
        assert probe.trip.stage == "bought_and_sold", probe
        assert probe.trip.sell_tax_bps == 0, probe
        assert probe.trip.buy_tax_bps in (0, None), probe  # some look at the sale alone


def test_probes_when_maker_can_set_a_fee_then_his_act_is_tried_and_stops_sales(
    market: Market, dex: V3Dex
) -> None:
    scene = scene_of(market, dex, fee_pips=10_000)
    reader, listing = (
        reader_of(market, dex),
        replace(scene.listing, creator=market.chain.accounts[0].address),
    )
    buyer = market.buyer().address
    facts = reader.pair_facts(listing, buyer=buyer, probe_amount_raw=COIN // 10, previous_swaps_from=0)
    probes = reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=COIN // 10)
    stopped = [act for act in probes.acts if act.selector == SET_FEE and act.sold is False]
    assert stopped, probes.acts


def test_pools_when_looked_for_by_token_then_the_deepest_is_found_with_its_creation(
    market: Market, dex: V3Dex
) -> None:
    scene, reader = scene_of(market, dex, fee_pips=10_000), reader_of(market, dex)
    assert reader.deepest_pool(scene.token) == ("uniswap_v3", scene.pool)
    tokens = reader.pool_tokens([scene.pool])
    assert reader.pool_creations(list(tokens.values()))[scene.pool].fee_bps == 100
