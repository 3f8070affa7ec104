"""Who gave many addresses their first coins, by recorded shapes of trace answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.client import RpcFault
from apps.chains.evm.payers import LOOKBACK_BLOCKS_MAX, first_coins


def address(number: int) -> str:
    return f"0x{number:040x}"


def tx_hash(number: int) -> str:
    return f"0x{number:064x}"


A, B, PAYER, MULTI, CALLER = (address(number) for number in range(1, 6))


def trace(
    target: str, *, source: str = PAYER, block: int = 5, tx: int = 1, value: int = 10, at: Any = ()
) -> Any:
    return {
        "action": {"from": source, "to": target, "callType": "call", "value": hex(value), "gas": "0x0"},
        "blockNumber": block,
        "transactionHash": tx_hash(tx),
        "traceAddress": list(at),
        "type": "call",
        "result": {"gasUsed": "0x0", "output": "0x"},
    }


class Node:
    """Answers like a node that keeps traces."""

    def __init__(
        self, *traces: Any, nonces: Mapping[str, int] | None = None, older: frozenset[str] = frozenset()
    ) -> None:
        self.traces, self.nonces, self.older = traces, nonces or {}, older
        self.rounds = 0

    def ask(self, requests: Mapping[str, Any]) -> dict[str, Any]:
        self.rounds += 1
        return {name: self._answer(*request) for name, request in requests.items()}

    def _answer(self, method: str, params: list[Any]) -> Any:
        if method == "trace_filter":
            low, high = int(params[0]["fromBlock"], 16), int(params[0]["toBlock"], 16)
            return [item for item in self.traces if low <= item["blockNumber"] <= high]
        if method == "trace_transaction":
            return [item for item in self.traces if item["transactionHash"] == params[0]]
        if method == "eth_getTransactionByHash":
            return {"from": CALLER}
        if method == "eth_getBlockByNumber":
            number = int(params[0], 16)
            return {"number": params[0], "hash": tx_hash(number), "timestamp": hex(1_000 + number)}
        if method == "eth_getTransactionCount":
            return hex(self.nonces.get(params[0], 0))
        assert method == "eth_getBalance"
        return hex(int(params[0] in self.older))


def test_payment_when_it_is_the_earliest_then_it_is_the_link() -> None:
    node = Node(trace(A, block=7, tx=2, source=B), trace(A, block=5, value=0), trace(A, block=6, tx=1))
    found = first_coins([A, B], before_block=10, ask=node.ask)
    found_links = {link.target: link for link in found.links}
    assert found_links[A].source == PAYER
    assert set(found.unknown) == {B}


def test_payment_when_it_comes_out_of_a_contract_then_who_called_it_is_the_source() -> None:
    inner = [trace(name, source=MULTI, tx=3, at=(place,)) for place, name in enumerate((A, B, address(77)))]
    outer = trace(MULTI, source=CALLER, tx=3, value=30)
    found = first_coins([A, B], before_block=10, ask=Node(outer, *inner).ask)
    assert {(link.source, link.target, link.paid_in_tx) for link in found.links} == {
        (CALLER, A, 3),
        (CALLER, B, 3),
    }
    assert found.links[0].at_ms == 1_005_000


def test_payer_when_he_has_sent_very_much_then_he_is_a_hub() -> None:
    node = Node(trace(A), nonces={PAYER: 500})
    assert [link.is_hub for link in first_coins([A], before_block=10, ask=node.ask).links] == [True]


def test_address_when_it_is_older_than_the_look_back_then_unknown() -> None:
    node = Node(trace(A, block=LOOKBACK_BLOCKS_MAX + 1), older=frozenset({A}))
    found = first_coins([A], before_block=LOOKBACK_BLOCKS_MAX + 5, ask=node.ask)
    assert not found.links
    assert "earlier" in found.unknown[A]


def test_node_when_it_keeps_no_old_state_then_the_first_coins_seen_stand() -> None:
    node = Node(trace(A, block=LOOKBACK_BLOCKS_MAX + 1))

    def ask(requests: Mapping[str, Any]) -> dict[str, Any]:
        fault = RpcFault(code=-32000, message="missing trie node")
        old = {name for name, (method, params) in requests.items() if method == "eth_getBalance"}
        return {name: fault if name in old else answer for name, answer in node.ask(requests).items()}

    assert [
        link.target for link in first_coins([A], before_block=LOOKBACK_BLOCKS_MAX + 5, ask=ask).links
    ] == [A]


def test_node_when_it_keeps_no_traces_then_everybody_is_unknown_after_one_question() -> None:
    calls: list[int] = []

    def ask(requests: Mapping[str, Any]) -> dict[str, Any]:
        calls.append(len(requests))
        return dict.fromkeys(requests, RpcFault(code=-32601, message="no such method"))

    found = first_coins([A, B], before_block=10, ask=ask)
    assert set(found.unknown) == {A, B}
    assert "trace_filter" in found.unknown[A]
    assert calls == [1]


def test_many_addresses_when_asked_then_few_round_trips() -> None:
    node = Node(*(trace(address(number), tx=number, block=number) for number in range(10, 110)))
    found = first_coins([address(number) for number in range(10, 110)], before_block=200, ask=node.ask)
    assert len(found.links) == 100
    assert node.rounds <= 4


@given(
    st.lists(
        st.recursive(
            st.none() | st.integers() | st.text(),
            lambda inner: st.dictionaries(
                st.sampled_from(["action", "type", "blockNumber", "from", "to", "value", "callType"]), inner
            ),
        ),
        max_size=5,
    )
)
def test_answers_when_they_are_nonsense_then_unknown_and_nothing_raises(answers: list[Any]) -> None:
    def ask(requests: Mapping[str, Any]) -> dict[str, Any]:
        return {name: answers if method == "trace_filter" else None for name, (method, _) in requests.items()}

    found = first_coins([A], before_block=10, ask=ask)
    assert not found.links
    assert set(found.unknown) == {A}
