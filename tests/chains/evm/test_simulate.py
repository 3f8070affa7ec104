"""Both simulations against what a chain really does, for fair tokens and for traps made to fool one of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import simulate
from apps.chains.evm.client import RpcFault
from apps.domain.market import RoundTrip
from tests.chain_fixtures import Launch, Market, calldata, deploy, running_market, transact_ok
from tests.chains.evm.deployment import listing_of, reader_of

WEI_IN = 10**17
PLAN = simulate.Plan(
    buyer="0x" + "11" * 20,
    pool="0x" + "22" * 20,
    router="0x" + "33" * 20,
    wrapped="0x" + "44" * 20,
    token="0x" + "55" * 20,
    amount_in_raw=WEI_IN,
    fee_bps=30,
    base_fee_wei=0,
    tip_wei=0,
    block="0x1",
)
ODD_ANSWERS = (
    st.none() | st.text(max_size=50) | st.lists(st.dictionaries(st.just("calls"), st.lists(st.none())))
)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


def round_trips(market: Market, launch: Launch, *, amount_raw: int = WEI_IN) -> tuple[RoundTrip, RoundTrip]:
    facts = reader_of(market).pair_facts(
        listing_of(market, launch),
        buyer=market.buyer().address,
        probe_amount_raw=amount_raw,
        previous_swaps_from=0,
    )
    injected, plain = facts.round_trips
    assert (injected.method, plain.method) == ("eth_call", "eth_simulateV1")
    assert (injected.sell_delay_blocks, plain.sell_delay_blocks) == (0, 1)
    return injected, plain


@pytest.mark.chain
def test_fair_token_when_simulated_then_both_agree_with_a_real_round_trip(market: Market) -> None:
    launch = market.launch("StandardToken")
    injected, plain = round_trips(market, launch)
    assert injected.stage == plain.stage == "bought_and_sold"
    assert (injected.buy_tax_bps, injected.sell_tax_bps) == (plain.buy_tax_bps, plain.sell_tax_bps) == (0, 0)
    account = market.buyer()
    assert market.buy(account, launch.token, value=WEI_IN)
    assert injected.received_raw == plain.received_raw == market.balance(launch.token, account.address)
    before = int(market.rpc("eth_getBalance", account.address, "latest"), 16)
    transact_ok(market.rpc, account, to=launch.token, data=market.approve_data())
    held = market.balance(launch.token, account.address)
    receipt = transact_ok(
        market.rpc, account, to=market.dex.router, data=market.sell_data(launch.token, account.address, held)
    )
    assert injected.returned_raw == plain.returned_raw
    assert plain.returned_raw is not None
    gained = int(market.rpc("eth_getBalance", account.address, "latest"), 16) - before
    assert abs(plain.returned_raw - gained) < 10**16  # the difference is gas
    assert plain.sell_gas is not None
    assert abs(plain.sell_gas - int(receipt["gasUsed"], 16)) < 60_000


@pytest.mark.chain
@pytest.mark.parametrize(("buy_bps", "sell_bps"), [(300, 300), (1_000, 500), (0, 2_500), (9_900, 9_900)])
def test_taxed_token_when_simulated_then_taxes_are_exact(market: Market, buy_bps: int, sell_bps: int) -> None:
    launch = market.launch("TaxedToken", (buy_bps, sell_bps, 10_000, market.chain.accounts[3].address))
    for trip in round_trips(market, launch):
        assert trip.stage == "bought_and_sold"
        assert trip.buy_tax_bps in (buy_bps, buy_bps + 1)  # rounded up, against us
        assert trip.sell_tax_bps in (sell_bps, sell_bps + 1)


@pytest.mark.chain
@pytest.mark.parametrize(
    ("contract", "extra", "stages"),
    [
        ("SellBlockedToken", (), ("sell_failed", "sell_failed")),
        ("SellDelayToken", (1,), ("sell_failed", "bought_and_sold")),
        ("SellDelayToken", (1_000_000,), ("sell_failed", "sell_failed")),
        ("CodeOnlySellToken", (), ("bought_and_sold", "sell_failed")),
        ("FreeGasSellToken", (False,), ("sell_failed", "sell_failed")),
        ("FreeGasSellToken", (True,), ("sell_failed", "sell_failed")),
        ("SellCapToken", (10**18, 10_000), ("sell_failed", "sell_failed")),
    ],
)
def test_trap_when_simulated_then_each_road_says_what_it_met(
    market: Market, contract: str, extra: tuple[Any, ...], stages: tuple[str, str]
) -> None:
    trips = round_trips(market, market.launch(contract, *extra))
    assert tuple(trip.stage for trip in trips) == stages
    for trip in trips:
        if trip.stage == "sell_failed":
            assert trip.received_raw
            assert (trip.returned_raw, trip.sell_tax_bps, trip.sell_gas) == (None, None, None)
            assert trip.detail


@pytest.mark.chain
@pytest.mark.parametrize("misdeed", range(21))
def test_hostile_token_when_it_misbehaves_then_a_stage_and_never_an_exception(
    market: Market, misdeed: int
) -> None:
    token = deploy(market.rpc, market.chain.accounts[0], "HostileToken", "Hostile", "HOST", 18, 10**27)
    launch = market.pool(token)
    data = calldata("setMisdeed(uint8,address)", misdeed, launch.pair)
    transact_ok(market.rpc, launch.deployer, to=token, data=data)
    trips = round_trips(market, launch)
    really_sells = _really_sells(market, launch)
    if all(trip.stage == "bought_and_sold" for trip in trips):
        assert really_sells
    assert all(len(trip.detail) < 300 for trip in trips)


def _really_sells(market: Market, launch: Launch) -> bool:
    account = market.buyer()
    if not market.buy(account, launch.token, value=WEI_IN):
        return False
    amount = 10**18
    return market.sell(account, launch.token, amount=amount)


@pytest.mark.chain
def test_buyer_when_it_already_holds_tokens_then_only_new_ones_count(market: Market) -> None:
    launch, account = market.launch("StandardToken"), market.buyer()
    market.buy(account, launch.token, value=WEI_IN)
    facts = reader_of(market).pair_facts(
        listing_of(market, launch), buyer=account.address, probe_amount_raw=WEI_IN, previous_swaps_from=0
    )
    assert [trip.stage for trip in facts.round_trips] == ["bought_and_sold"] * 2
    assert {trip.buy_tax_bps for trip in facts.round_trips} == {0}
    assert facts.round_trips[0].received_raw == facts.round_trips[1].received_raw


def test_node_when_it_refuses_then_unavailable_with_reason() -> None:
    fault = RpcFault(code=-32_601, message="method not found")
    injected = simulate.injected_result(PLAN, fault)
    bought = simulate.plain_buy_result(fault)
    plain = simulate.plain_failure(PLAN, bought)
    assert (injected.stage, plain.stage) == ("unavailable", "unavailable")
    assert "method not found" in injected.detail
    assert "method not found" in plain.detail


@given(ODD_ANSWERS)
def test_answer_when_it_makes_no_sense_then_unavailable(answer: Any) -> None:
    assert simulate.injected_result(PLAN, answer).stage == "unavailable"
    assert simulate.plain_buy_result(answer).stage == "unavailable"
    bought = simulate.PlainBuy(stage="bought_and_sold", received_raw=5)
    assert simulate.plain_result(PLAN, answer, bought=bought, reserves=(1, 1)).stage == "unavailable"
