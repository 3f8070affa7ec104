"""What commanders can do: tried on real contracts, and proven by doing it in transactions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import owner, owner_arguments
from apps.chains.evm.bytecode import Function
from apps.chains.evm.owner_arguments import Cast, encode, split_types, tries_of
from apps.domain.money import UINT256_MAX
from apps.domain.probes import OwnerAct, TokenProbes
from tests.chain_fixtures import Launch, Market, running_market, transact_ok
from tests.chains.evm.deployment import listing_of, reader_of

WEI_IN = 10**17
CAST = Cast(
    buyer="0x" + "11" * 20,
    pool="0x" + "22" * 20,
    receiver="0x" + "33" * 20,
    agent="",
    held_raw=10**20,
    pooled_raw=10**25,
    supply_raw=10**27,
    words=("0x" + "ab" * 32,),
)
TYPES = st.sampled_from(
    ["uint8", "uint16", "uint256", "int256", "bool", "address", "address[]", "bytes32", "bytes", "string"]
)
#: approve and transfer, which every token lets everybody call.
EVERYDAY = {"0x095ea7b3", "0xa9059cbb"}


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


def probed(market: Market, launch: Launch) -> TokenProbes:
    reader, listing, buyer = reader_of(market), listing_of(market, launch), market.buyer().address
    facts = reader.pair_facts(listing, buyer=buyer, probe_amount_raw=WEI_IN, previous_swaps_from=0)
    return reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=WEI_IN)


def acts_of(probes: TokenProbes, selector: str) -> list[OwnerAct]:
    return [act for act in probes.acts if act.selector == selector]


def do(market: Market, launch: Launch, act: OwnerAct) -> None:
    """Make an act's calls in real transactions, by the launch's deployer."""
    for call in act.calls:
        assert call.sender == launch.deployer.address.lower()
        transact_ok(market.rpc, launch.deployer, to=call.to, data=call.data)


@pytest.mark.chain
@pytest.mark.parametrize(("contract", "extra"), [("PausableToken", ()), ("TradingSwitchToken", (True,))])
def test_owner_stops_trading_then_the_very_call_stops_it_on_chain(
    market: Market, contract: str, extra: tuple[Any, ...]
) -> None:
    launch = market.launch(contract, *extra)
    probes = probed(market, launch)
    assert probes.trial is not None
    assert probes.trial.sold
    stopping = next(act for act in probes.acts if not act.sold)
    buyer = market.buyer()
    assert market.buy(buyer, launch.token, value=WEI_IN)
    do(market, launch, stopping)
    assert not market.sell(buyer, launch.token)


@pytest.mark.chain
def test_owner_raises_taxes_up_to_a_cap_then_the_cap_is_found(market: Market) -> None:
    launch = market.launch("TaxedToken", (300, 500, 2_350, market.chain.accounts[3].address))
    probes = probed(market, launch)
    reached = [act.sell_tax_bps or 0 for act in acts_of(probes, "0x9ef833d4")]
    # Between two levels of the ladder the cap is found to a sixteenth of their distance.
    assert 2_310 <= max(reached) <= 2_350
    assert probes.refused == ()


@pytest.mark.chain
def test_taxes_were_given_up_then_nobody_reaches_a_setter(market: Market) -> None:
    launch = market.launch("TaxedToken", (300, 500, 2_500, market.chain.accounts[3].address))
    market.call_as_deployer(launch, "renounceOwnership()")
    probes = probed(market, launch)
    assert {act.selector for act in probes.acts} <= EVERYDAY
    assert "0x9ef833d4" in probes.refused
    assert {who.role for who in probes.commanders} == {"creator", "stored"}


@pytest.mark.chain
def test_hidden_minter_after_renouncing_then_its_mint_needs_no_owner(market: Market) -> None:
    launch = market.launch("HiddenMintToken")
    market.call_as_deployer(launch, "renounceOwnership()")
    probes = probed(market, launch)
    minted = [act for act in acts_of(probes, "0x59974e38") if act.commander.role == "creator"]
    gains = [(act.after.caller_raw or 0) - (act.before.caller_raw or 0) for act in minted]
    # The supply as amount must be among those played: the largest number wraps round.
    assert max(gains) >= 10**27
    assert all(act.after.supply_raw == act.before.supply_raw for act in minted)


@pytest.mark.chain
def test_owner_moves_balances_then_ours_and_the_pools_are_seen_to_fall(market: Market) -> None:
    probes = probed(market, market.launch("OwnerMoveToken"))
    acts = acts_of(probes, "0x5f3e849f")
    assert any((act.after.buyer_raw or 0) < (act.before.buyer_raw or 0) for act in acts)
    assert any((act.after.pool_raw or 0) < (act.before.pool_raw or 0) for act in acts)


@pytest.mark.chain
def test_owner_lists_holders_then_only_the_named_cannot_sell(market: Market) -> None:
    probes = probed(market, market.launch("BlacklistToken", False))
    sold = {act.names: act.sold for act in acts_of(probes, "0xd34628cc")}
    assert sold == {"buyer": False, "pool": True, "receiver": True}


@pytest.mark.chain
def test_fair_token_then_nothing_is_let_through(market: Market) -> None:
    probes = probed(market, market.launch("StandardToken"))
    assert {act.selector for act in probes.acts} <= EVERYDAY
    assert (probes.upgrade.reachable, probes.code is not None) == (False, True)
    assert probes.code is not None
    assert probes.code.called_in_transfer == ()


@pytest.mark.chain
@pytest.mark.parametrize("misdeed", range(21))
def test_hostile_token_then_an_answer_and_never_an_exception(market: Market, misdeed: int) -> None:
    from tests.chain_fixtures import calldata, deploy

    token = deploy(market.rpc, market.chain.accounts[0], "HostileToken", "Hostile", "HOST", 18, 10**27)
    launch = market.pool(token)
    data = calldata("setMisdeed(uint8,address)", misdeed, launch.pair)
    transact_ok(market.rpc, launch.deployer, to=token, data=data)
    probes = probed(market, launch)
    assert probes.trial is not None or probes.missing["acts"]
    assert all(len(trade.trip.detail) < 400 for trade in probes.trades)


# -- arguments ------------------------------------------------------------------------------------


@given(st.lists(TYPES, max_size=6))
def test_arguments_of_any_types_then_calldata_is_whole_words_and_bounded(types: list[str]) -> None:
    function = Function(selector="0x12345678", arguments=",".join(types), is_write=True, is_payable=False)
    tries = tries_of(function, CAST)
    assert len(tries) <= owner_arguments.TRIES_PER_FUNCTION_MAX
    assert len({item.data for item in tries}) == len(tries)
    for item in tries:
        assert item.data.startswith(function.selector)
        assert (len(item.data) - 10) % 64 == 0
        assert (len(item.data) - 10) // 64 >= len(types)


@given(
    st.lists(
        st.tuples(st.sampled_from(["uint256", "uint256[]", "bytes"]), st.integers(0, UINT256_MAX)), max_size=5
    )
)
def test_encoding_then_as_the_standard_encoder_does_it(items: list[tuple[str, int]]) -> None:
    from eth_abi.abi import encode as standard

    types = [name for name, _ in items]
    values = {
        "uint256": lambda n: n,
        "uint256[]": lambda n: [n],
        "bytes": lambda n: n.to_bytes(32, "big")[-(n % 33) :],
    }
    made = [values[name](number) for name, number in items]
    assert encode(types, made) == standard(types, made)


def test_number_does_not_fit_its_type_then_it_is_not_tried() -> None:
    function = Function(selector="0x12345678", arguments="uint8", is_write=True, is_payable=False)
    tried = {int(item.data[10:], 16) for item in tries_of(function, CAST)}
    assert max(tried) == 255
    assert 99 in tried


def test_tuples_are_asked_for_then_no_try() -> None:
    function = Function(selector="0x12345678", arguments="(uint256,address)", is_write=True, is_payable=False)
    assert tries_of(function, CAST) == ()
    assert split_types("(address,uint8,bytes4[])[],address,bytes") == [
        "(address,uint8,bytes4[])[]",
        "address",
        "bytes",
    ]


def test_storage_holds_addresses_alone_and_packed_then_each_is_found_and_texts_are_not() -> None:
    alone, packed = int("a1" * 20, 16), int("b2" * 20, 16)
    words = {
        "0x" + f"{0:064x}": alone,
        "0x" + f"{1:064x}": packed << 8 | 1,
        "0x" + f"{2:064x}": int.from_bytes(b"Sample token name of 25 ".ljust(31, b"x") + bytes([48]), "big"),
        "0x" + f"{3:064x}": 10**27,
        "0x" + f"{4:064x}": 1 << 160 | int("c3" * 20, 16),
    }
    found = owner.Storage(words=words).addresses()
    assert {"0x" + "a1" * 20, "0x" + "b2" * 20, "0x" + "c3" * 20} <= set(found)
    assert len(found) <= 5
