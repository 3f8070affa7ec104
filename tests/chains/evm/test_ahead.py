"""What a node says of a transaction that was not sent yet."""

from __future__ import annotations

from typing import Any

import pytest

from apps.chains.evm import ahead
from apps.chains.evm.client import RpcFault
from apps.domain.ids import ChainKey, WalletKey
from apps.domain.order import UnsignedTx

REASON = (
    "0x08c379a0"
    "0000000000000000000000000000000000000000000000000000000000000020"
    "0000000000000000000000000000000000000000000000000000000000000006"
    "6c6174652121"
    "0000000000000000000000000000000000000000000000000000"
)
TX = UnsignedTx(
    chain_key=ChainKey("eip155:1"),
    wallet_key=WalletKey("w"),
    purpose="swap",
    nonce=0,
    to="0x" + "11" * 20,
    value_raw=5,
    data=b"\x01\x02",
    gas_limit=100_000,
    max_fee_wei=0,
    tip_wei=0,
)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ("0x", ""),
        (RpcFault(code=3, message="execution reverted", data=REASON), "late!!"),
        (RpcFault(code=3, message="execution reverted", data="0x"), "no reason given"),
        (RpcFault(code=3, message="execution reverted", data="0xzz"), "no reason given"),
        (RpcFault(code=3, message="execution reverted", data=None), "no reason given"),
        (RpcFault(code=-32000, message="VM execution error: revert"), "no reason given"),
        (RpcFault(code=-32602, message="unknown block tag pending"), ""),
        (RpcFault(code=-32000, message="insufficient funds for transfer"), ""),
        (None, ""),
    ],
)
def test_answer_then_only_a_refusal_of_the_contract_counts(answer: Any, said: str):
    assert ahead.failure(answer) == said


def test_question_when_coins_are_on_paper_then_they_count_as_held():
    method, params = ahead.request(TX, sender="0x" + "22" * 20, balance_raw=7)
    assert method == "eth_call"
    assert params[0]["value"] == "0x5"
    assert params[1:] == ["pending", {"0x" + "22" * 20: {"balance": "0x7"}}]
    assert len(ahead.request(TX, sender="0x" + "22" * 20, balance_raw=None)[1]) == 2
