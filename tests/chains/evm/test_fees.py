"""Fees for the next block: the formula of EIP-1559, the node's word, the chain's minimum."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.fees import (
    GAS_PRICE_MAX_WEI,
    FeeFacts,
    fee_facts,
    next_base_fee_wei,
    quote_fees,
    read_fees,
)
from apps.domain.errors import BadDataError
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.market import BaseFeeRule, ChainProfile
from apps.domain.money import Token
from apps.trading.logic.gas import fees_bid
from tests.chain_fixtures import LocalChain, Rpc, anvil
from tests.fakes.rpc import FakeRpc

__all__ = ["anvil"]

KEY = ChainKey("eip155:31337")
prices = st.integers(0, GAS_PRICE_MAX_WEI)
gas_limits = st.integers(2, 10**9)


def a_profile(*, base_fee_min_wei: int = 0, tip_min_wei: int = 0) -> ChainProfile:
    return ChainProfile(
        chain_key=KEY,
        name="Test",
        family="evm",
        chain_id=31_337,
        native=Token(KEY, NATIVE_ADDRESS, "ETH", 18),
        wrapped_native=Token(KEY, "0x" + "11" * 20, "WETH", 18),
        stables=(),
        block_time_ms=2_000,
        confirmation_depth=10,
        base_fee_min_wei=base_fee_min_wei,
        tip_min_wei=tip_min_wei,
        is_sandbox=False,
        genesis_hash="",
    )


def a_header(**changes: Any) -> dict[str, Any]:
    return {
        "number": "0x64",
        "baseFeePerGas": "0x3b9aca00",
        "gasUsed": "0xe4e1c0",
        "gasLimit": "0x1c9c380",
    } | changes


def a_history(**changes: Any) -> dict[str, Any]:
    return {
        "oldestBlock": "0x60",
        "baseFeePerGas": ["0x1", "0x2", "0x3", "0x4", "0x5", "0x3b9aca05"],
        "gasUsedRatio": [0.5, 0, 0.9, 0.1, 0.5],
        "reward": [["0x5"], ["0x0"], ["0x9"], ["0x7"], ["0x1"]],
    } | changes


@pytest.mark.parametrize(
    ("base_fee", "used", "limit", "expected"),
    [
        (1_000_000_000, 15_000_000, 30_000_000, 1_000_000_000),  # on target
        (1_000_000_000, 30_000_000, 30_000_000, 1_125_000_000),  # full: one eighth up
        (1_000_000_000, 0, 30_000_000, 875_000_000),  # empty: one eighth down
        (
            1_000_000_000,
            10_000_000,
            20_000_000,
            1_000_000_000,
        ),  # the examples of go-ethereum's TestCalcBaseFee
        (1_000_000_000, 9_000_000, 20_000_000, 987_500_000),
        (1_000_000_000, 11_000_000, 20_000_000, 1_012_500_000),
        (7, 30_000_000, 30_000_000, 8),  # rises by 1 wei at least
        (7, 0, 30_000_000, 7),
        (0, 0, 30_000_000, 0),
        (5, 1, 0, 5),
    ],
)
def test_next_base_fee_when_block_was_so_full_then_follows_eip_1559(
    base_fee: int, used: int, limit: int, expected: int
) -> None:
    assert next_base_fee_wei(base_fee_wei=base_fee, gas_used=used, gas_limit=limit) == expected


@given(base_fee=prices, limit=gas_limits, data=st.data())
def test_next_base_fee_when_any_block_then_moves_by_an_eighth_at_most(
    base_fee: int, limit: int, data: st.DataObject
) -> None:
    used = data.draw(st.integers(0, limit // 2 * 2))
    following = next_base_fee_wei(base_fee_wei=base_fee, gas_used=used, gas_limit=limit)
    assert base_fee - base_fee // 8 <= following <= base_fee + max(base_fee // 8, 1)
    target = limit // 2
    assert (following > base_fee) == (used > target)


@given(
    base_fee=prices,
    limit=gas_limits,
    tips=st.lists(prices, max_size=5),
    minimum=prices,
    told=st.none() | prices,
)
def test_quote_when_any_facts_then_holds_through_six_full_blocks(
    base_fee: int, limit: int, tips: list[int], minimum: int, told: int | None
) -> None:
    facts = FeeFacts(
        block_number=1,
        base_fee_wei=base_fee,
        gas_used=limit,
        gas_limit=limit,
        next_base_fee_wei=told,
        tips_wei=tuple(tips),
    )
    quote = quote_fees(facts, base_fee_min_wei=minimum, tip_min_wei=minimum)
    assert quote.base_fee_wei >= max(minimum, told or 0)
    assert quote.tip_wei >= minimum
    highest = quote.base_fee_wei
    for _ in range(5):
        highest = highest * 9 // 8
    assert quote.max_fee_wei >= highest + quote.tip_wei


def test_quote_when_chain_has_a_minimum_then_never_bids_below() -> None:
    facts = FeeFacts(block_number=1, base_fee_wei=0, gas_used=0, gas_limit=10**8)
    quote = quote_fees(facts, base_fee_min_wei=0, tip_min_wei=50_000_000)  # BSC: the tip is the whole price
    assert (quote.base_fee_wei, quote.tip_wei, quote.max_fee_wei) == (0, 50_000_000, 50_000_000)


@pytest.mark.parametrize(
    ("rule", "newest", "told", "expected"),
    [
        ("eip1559", 1_000, 1_001, 1_125),  # a full block: the formula's word is the higher one
        ("eip1559", 1_000, None, 1_125),
        ("told", 1_000, 1_004, 1_004),  # a chain that moves by less than Ethereum
        ("told", 1_000, 900, 900),
        ("told", 1_000, None, 1_125),
        ("zero", 0, 0, 0),  # the formula alone would add a wei after a full block
        ("zero", 0, None, 0),
        ("zero", 0, 7, 7),  # the row is wrong by now: what is charged counts
        ("zero", 1_000, None, 1_125),
    ],
)
def test_quote_when_chain_has_a_rule_of_its_own_then_follows_it(
    rule: BaseFeeRule, newest: int, told: int | None, expected: int
) -> None:
    facts = FeeFacts(
        block_number=1, base_fee_wei=newest, gas_used=30, gas_limit=30, next_base_fee_wei=told, tips_wei=(5,)
    )
    quote = quote_fees(facts, base_fee_min_wei=0, tip_min_wei=1, base_fee_rule=rule)
    assert (quote.base_fee_wei, quote.max_fee_wei) == (expected, 2 * expected + 5)


def test_quote_when_chain_ignores_tips_then_none_is_offered_nor_bid() -> None:
    facts = FeeFacts(
        block_number=1, base_fee_wei=10**7, gas_used=1, gas_limit=2, tips_wei=(5, 9), tips_front_wei=(90,)
    )
    quote = quote_fees(facts, base_fee_min_wei=10**7, tip_min_wei=3, ignores_tips=True)
    assert (quote.tip_wei, quote.tip_front_wei, quote.max_fee_wei) == (0, 0, 2 * 10**7)
    assert fees_bid(quote, gas_limit=100_000, raise_max_raw=10**18) == quote


def test_facts_when_history_fits_then_takes_next_fee_and_tips_of_filled_blocks() -> None:
    facts = fee_facts(a_header(), a_history())
    assert facts.next_base_fee_wei == 1_000_000_005
    assert facts.tips_wei == (5, 9, 7, 1)
    assert quote_fees(facts, base_fee_min_wei=0, tip_min_wei=0).tip_wei == 7


def test_facts_when_history_ends_at_another_block_then_only_our_formula_counts() -> None:
    facts = fee_facts(a_header(number="0x65"), a_history())
    assert facts.next_base_fee_wei is None
    assert quote_fees(facts, base_fee_min_wei=0, tip_min_wei=0).base_fee_wei == 1_000_000_000


def test_facts_when_there_is_no_history_then_minimum_tip() -> None:
    quote = quote_fees(fee_facts(a_header(), None), base_fee_min_wei=0, tip_min_wei=3)
    assert (quote.tip_wei, quote.max_fee_wei, quote.block_number) == (3, 2_000_000_003, 100)


@pytest.mark.parametrize(
    ("header", "history"),
    [
        (None, None),
        (a_header(baseFeePerGas=None), None),
        (a_header(baseFeePerGas="0x" + "f" * 5_000), None),
        (a_header(baseFeePerGas=hex(GAS_PRICE_MAX_WEI + 1)), None),
        (a_header(gasUsed=15), None),
        (a_header(number="-0x1"), None),
        (a_header(), []),
        (a_header(), a_history(baseFeePerGas="0x1")),
        (a_header(), a_history(baseFeePerGas=["0x1"] * 1_000)),
        (a_header(), a_history(reward=[["0x" + "f" * 64]] * 5)),
        (a_header(), a_history(reward=[[]] * 5)),
        (a_header(), a_history(oldestBlock=None)),
    ],
)
def test_facts_when_node_sends_nonsense_then_bad_data(header: object, history: object) -> None:
    with pytest.raises(BadDataError):
        fee_facts(header, history)


@given(
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("0x1"),
        lambda inner: st.lists(inner, max_size=7),
        max_leaves=8,
    ),
    name=st.sampled_from(sorted(a_history())),
)
def test_facts_when_any_value_in_history_then_facts_or_bad_data(value: object, name: str) -> None:
    json.dumps(value)
    try:
        fee_facts(a_header(), a_history(**{name: value}))
    except BadDataError:
        return


def test_read_when_node_has_no_history_then_quotes_all_the_same() -> None:
    with FakeRpc(chain_id=31_337) as node:
        client = EvmClient([node.endpoint()], chain_id=31_337)
        quote = read_fees(client, a_profile(tip_min_wei=2))
        assert (quote.base_fee_wei, quote.tip_wei) == (10**9, 2)
        assert node.posts[-1] == ["eth_getBlockByNumber", "eth_feeHistory"]


@pytest.mark.chain
def test_read_when_chain_is_real_then_base_fee_is_that_of_the_next_block(anvil: LocalChain) -> None:
    client = EvmClient([EndpointConfig(url_http=anvil.url)], chain_id=anvil.chain_id)
    rpc = Rpc(anvil.url)
    for _ in range(3):
        quote = read_fees(client, a_profile())
        rpc("evm_mine")
        block = rpc("eth_getBlockByNumber", "latest", False)
        assert int(block["number"], 16) == quote.block_number + 1
        assert int(block["baseFeePerGas"], 16) == quote.base_fee_wei
    rpc.close()
    client.close()


def test_front_when_blocks_are_contested_then_is_the_highest_of_the_recent():
    rewards = [["0x5", "0x50"], ["0x0", "0x90"], ["0x9", "0x3"], ["0x7", "0x8"], ["0x1", "0x1"]]
    history = a_history(reward=rewards, gasUsedRatio=[0.5, 0, 0.5, 0.5, 0.5])
    facts = fee_facts(a_header(), history)
    assert facts.tips_wei == (5, 9, 7, 1)
    assert facts.tips_front_wei == (0x50, 9, 8, 1)
    assert quote_fees(facts, base_fee_min_wei=0, tip_min_wei=0).tip_front_wei == 0x50


def test_front_when_the_node_has_no_history_then_is_not_known():
    assert quote_fees(fee_facts(a_header(), None), base_fee_min_wei=0, tip_min_wei=7).tip_front_wei == 0
