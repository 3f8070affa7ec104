"""What rollups charge for data: asked of the rollup in its own way, and known to be unknown when it does not say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import data_fee
from apps.chains.evm.client import EvmClient
from apps.chains.evm.data_fee import ARBITRUM_NODE_INTERFACE, OP_STACK_ORACLE, SAMPLE_BYTES, DataFee
from apps.chains.evm.fees import read_fees
from apps.domain.market import DataFeeRule
from tests.chains.evm.test_fees import a_profile
from tests.fakes.rpc import FakeRpc, Fault


def called(rule: DataFeeRule) -> tuple[str, bytes]:
    [(method, (call, block))] = data_fee.requests(rule)
    assert (method, block) == ("eth_call", "latest")
    return call["to"], bytes.fromhex(call["data"][2:])


def test_request_when_op_stack_then_asks_the_oracle_with_a_sample() -> None:
    to, data = called("op_stack")
    assert (to, data[:4].hex()) == (OP_STACK_ORACLE, "49948e0e")
    [sample] = decode(["bytes"], data[4:])
    assert len(sample) == SAMPLE_BYTES


def test_request_when_arbitrum_then_asks_the_node_with_the_same_sample() -> None:
    to, data = called("arbitrum")
    assert (to, data[:4].hex()) == (ARBITRUM_NODE_INTERFACE, "77d488a2")
    _, is_creation, sample = decode(["address", "bool", "bytes"], data[4:])
    assert not is_creation
    assert [sample] == list(decode(["bytes"], called("op_stack")[1][4:]))


def test_request_when_chain_is_no_rollup_then_nothing_is_asked_or_charged() -> None:
    assert data_fee.requests("none") == []
    assert data_fee.data_fee_of("none", []) == DataFee()


@pytest.mark.parametrize(
    ("rule", "answer", "expected"),
    [
        ("op_stack", "0x" + f"{77_000_000_000:064x}", DataFee(fee_raw=77_000_000_000)),
        ("arbitrum", "0x" + f"{12_345:064x}{10**7:064x}{10**9:064x}", DataFee(gas=12_345)),
        ("op_stack", "0x", DataFee(is_known=False)),  # nobody lives at the oracle's address
        ("op_stack", Fault(-32000, "execution reverted"), DataFee(is_known=False)),
        ("op_stack", "0x" + "ff" * 32, DataFee(is_known=False)),
        ("arbitrum", "0x" + f"{data_fee.DATA_GAS_MAX + 1:064x}", DataFee(is_known=False)),
    ],
)
def test_fees_when_rollup_answers_so_then_carry_its_data_fee(
    rule: DataFeeRule, answer: Any, expected: DataFee
) -> None:
    with FakeRpc(chain_id=31_337) as node:
        node.answers["eth_call"] = answer
        client = EvmClient([node.endpoint()], chain_id=31_337)
        quote = read_fees(client, replace(a_profile(), data_fee_rule=rule))
        client.close()
        assert node.posts[-1] == ["eth_getBlockByNumber", "eth_feeHistory", "eth_call"]
    found = DataFee(fee_raw=quote.data_fee_raw, gas=quote.data_gas, is_known=quote.is_data_fee_known)
    assert found == expected


@given(
    answer=st.none()
    | st.integers()
    | st.text(max_size=80)
    | st.binary(max_size=80).map(lambda raw: "0x" + raw.hex()),
    rule=st.sampled_from(["op_stack", "arbitrum"]),
)
def test_fee_when_any_answer_then_known_within_bounds_or_not_known(answer: Any, rule: DataFeeRule) -> None:
    found = data_fee.data_fee_of(rule, [answer])
    assert 0 <= found.fee_raw <= data_fee.DATA_FEE_MAX_RAW
    assert 0 <= found.gas <= data_fee.DATA_GAS_MAX
    assert found.is_known or (found.fee_raw, found.gas) == (0, 0)
