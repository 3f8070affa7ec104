"""Trades under other conditions against what a chain really does, by the node and by an EVM of our own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import simulate_local
from apps.chains.evm.client import EvmClient, RpcFault
from apps.chains.evm.reader import EvmReader
from apps.chains.evm.simulate_script import Scene, Script, Stage, Step, script_request, script_told
from apps.domain.market import RoundTrip
from apps.domain.probes import TokenProbes, TradeName
from tests.chain_fixtures import Launch, Market, running_market
from tests.chains.evm.deployment import client_of, dex_of, listing_of, profile_of, reader_of

LATER: set[TradeName] = {"after_7200_blocks", "after_a_week"}
WEI_IN = 10**17
STAGE = Stage(number=100, at_s=1_700_000_000, block_time_ms=250, base_fee_wei=10**9, tip_wei=1)
STEP = Step(sender="0x" + "11" * 20, to="0x" + "22" * 20, data="0x", gas=100_000)
SCRIPT = Script(scenes=(Scene(ahead=1, steps=(STEP,)),), funds={STEP.sender: 1})


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


class Unable(EvmClient):
    """A client whose endpoints lack eth_simulateV1."""

    def supports(self, capability: str) -> bool:
        return capability != "simulate_v1" and super().supports(capability)


class Refusing(EvmClient):
    """A client whose node fills no gaps between simulated blocks, as geth does beyond 256."""

    def batch(self, requests: Any, **options: Any) -> list[Any]:
        answers = super().batch(requests, **options)
        return [
            RpcFault(code=-38026, message="too many blocks") if _spans(request) > 256 else answer
            for request, answer in zip(requests, answers, strict=True)
        ]


def _spans(request: Any) -> int:
    method, params = request
    if method != "eth_simulateV1":
        return 0
    blocks = [
        int(item["blockOverrides"]["number"], 16)
        for item in params[0]["blockStateCalls"]
        if "blockOverrides" in item
    ]
    return max(blocks, default=0) - min(blocks, default=0)


def reader_with(market: Market, kind: type[EvmClient]) -> EvmReader:
    plain = client_of(market)
    client = kind([endpoint.config for endpoint in plain._endpoints], chain_id=market.chain.chain_id)
    return EvmReader(client, profile_of(market), dexes=(dex_of(market),))


def probed(market: Market, launch: Launch, *, reader: EvmReader | None = None) -> TokenProbes:
    reader = reader or reader_of(market)
    listing, buyer = listing_of(market, launch), market.buyer().address
    facts = reader.pair_facts(listing, buyer=buyer, probe_amount_raw=WEI_IN, previous_swaps_from=0)
    return reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=WEI_IN)


def trips(probes: TokenProbes) -> dict[TradeName, RoundTrip]:
    return {probe.name: probe.trip for probe in probes.trades}


def failing(probes: TokenProbes) -> set[TradeName]:
    return {name for name, trip in trips(probes).items() if trip.stage == "sell_failed"}


@pytest.mark.chain
def test_fair_token_then_every_trade_works_at_no_tax(market: Market) -> None:
    probes = probed(market, market.launch("StandardToken"))
    assert {trip.stage for trip in trips(probes).values()} == {"bought_and_sold"}
    assert {trip.sell_tax_bps for trip in trips(probes).values()} == {0}
    assert trips(probes)["after_7200_blocks"].sell_delay_blocks == 7_200
    assert trips(probes)["tenfold_size"].amount_in_raw == 10 * WEI_IN
    assert all(probe.calls for probe in probes.trades)


@pytest.mark.chain
@pytest.mark.parametrize(
    ("contract", "extra", "expected"),
    [
        ("SleeperToken", (50,), {*LATER, "after_100_blocks", "after_a_minute", "in_parts", "told_times"}),
        ("SleeperToken", (3_000,), {*LATER, "told_times"}),
        ("SellDelayToken", (1,), {"same_block"}),
    ],
)
def test_trap_of_time_then_the_sales_fail_that_come_too_late_or_too_early(
    market: Market, contract: str, extra: tuple[Any, ...], expected: set[TradeName]
) -> None:
    assert failing(probed(market, market.launch(contract, *extra))) == expected


@pytest.mark.chain
def test_buyer_is_listed_by_buying_then_no_wallet_gets_out(market: Market) -> None:
    probes = probed(market, market.launch("BlacklistToken", True))
    assert "fresh_wallet" in failing(probes)
    assert trips(probes)["fresh_wallet"].detail.startswith("transfer to a fresh wallet")


@pytest.mark.chain
def test_node_fills_no_gaps_then_the_later_block_is_asked_by_eth_call(market: Market) -> None:
    probes = probed(market, market.launch("SleeperToken", 3_000), reader=reader_with(market, Refusing))
    later = trips(probes)["after_7200_blocks"]
    assert (later.stage, later.method, later.sell_delay_blocks) == ("sell_failed", "eth_call", 7_200)
    assert trips(probes)["after_100_blocks"].stage == "bought_and_sold"


@pytest.mark.chain
@pytest.mark.parametrize(
    ("contract", "extra"),
    [
        ("StandardToken", ()),
        ("SleeperToken", (50,)),
        ("SellCapToken", (10**18, 10_000)),
        ("PausableToken", ()),
    ],
)
def test_own_evm_then_it_sees_what_the_node_sees(
    market: Market, contract: str, extra: tuple[Any, ...]
) -> None:
    pytest.importorskip("pyrevm")
    launch = market.launch(contract, *extra)
    by_node, by_us = probed(market, launch), probed(market, launch, reader=reader_with(market, Unable))
    assert (by_node.runner, by_us.runner) == ("eth_simulateV1", "pyrevm")
    for name, trip in trips(by_node).items():
        ours = trips(by_us)[name]
        assert (ours.stage, ours.received_raw, ours.returned_raw) == (
            trip.stage,
            trip.received_raw,
            trip.returned_raw,
        )
    assert [act.sold for act in by_us.acts] == [act.sold for act in by_node.acts]


@pytest.mark.chain
@pytest.mark.parametrize(
    ("contract", "extra", "stage"),
    [("StandardToken", (), "bought_and_sold"), ("CodeOnlySellToken", (), "sell_failed")],
)
def test_first_look_where_no_node_simulates_then_our_own_evm_plays_the_plain_trip(
    market: Market, contract: str, extra: tuple[Any, ...], stage: str
) -> None:
    pytest.importorskip("pyrevm")
    reader, launch = reader_with(market, Unable), market.launch(contract, *extra)
    facts = reader.pair_facts(
        listing_of(market, launch),
        buyer=market.buyer().address,
        probe_amount_raw=WEI_IN,
        previous_swaps_from=0,
    )
    injected, plain = facts.round_trips
    assert (injected.method, injected.stage) == ("eth_call", "bought_and_sold")
    assert (plain.method, plain.sell_delay_blocks, plain.stage) == ("pyrevm", 1, stage)


@pytest.mark.chain
def test_trading_is_not_open_then_the_reason_and_no_act(market: Market) -> None:
    probes = probed(market, market.launch("TradingSwitchToken", False))
    assert {trip.stage for trip in trips(probes).values()} == {"buy_failed"}
    assert probes.acts == ()
    assert probes.missing["acts"].startswith("buying fails already")


def test_node_refuses_a_script_then_the_reason() -> None:
    assert "no such method" in str(script_told(RpcFault(code=-32_601, message="no such method"), SCRIPT))


def test_block_time_is_below_a_second_then_each_scene_is_later_than_the_one_before() -> None:
    scenes = [Scene(ahead=ahead, steps=()) for ahead in (1, 2, 3, 241)]
    times = STAGE.times_s(scenes)
    assert times == sorted(set(times))
    assert times[-1] - STAGE.at_s == 61  # by the chain's pace, once that is enough


def test_contract_sends_then_no_validation_but_a_base_fee() -> None:
    _, [body, block] = script_request(replace(SCRIPT, is_valid=False), STAGE)
    assert block == "0x64"
    assert body["validation"] is False
    assert body["blockStateCalls"][0]["blockOverrides"]["baseFeePerGas"] == hex(10**9)


@given(
    st.none()
    | st.text(max_size=40)
    | st.lists(
        st.dictionaries(st.sampled_from(["calls", "number"]), st.none() | st.lists(st.none(), max_size=2))
    )
    | st.lists(
        st.fixed_dictionaries(
            {"calls": st.lists(st.dictionaries(st.text(max_size=5), st.text(max_size=5)), max_size=2)}
        )
    )
)
def test_answer_makes_no_sense_then_a_reason_and_never_an_exception(answer: Any) -> None:
    assert isinstance(script_told(answer, SCRIPT), str)


def test_own_evm_cannot_reach_the_node_then_a_reason() -> None:
    pytest.importorskip("pyrevm")
    told = simulate_local.scripts_told("http://127.0.0.1:9", {"a": SCRIPT}, STAGE, chain_id=1)
    assert isinstance(told["a"], str)
