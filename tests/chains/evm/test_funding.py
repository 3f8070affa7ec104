"""Who gave an account its first coins: found with few questions, or unknown with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import abi
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.funding import HUB_NONCE_MIN, first_funding

ACCOUNT, PAYER = "0x" + "ab" * 20, "0x" + "cd" * 20
HASH = "0x" + "11" * 32
PRUNED = RpcFault(code=-32000, message="missing trie node")


class History:
    """A node with one account's past: funded at ``funded``, state kept from block ``kept_from`` on."""

    def __init__(
        self, *, funded: int, kept_from: int = 0, paid: bool = True, sent: int = 3, spends_at: int = 0
    ) -> None:
        self.funded, self.kept_from, self.paid, self.sent = funded, kept_from, paid, sent
        self.spends_at = spends_at or funded + 1
        self.rounds = 0
        self.asked = 0

    def ask(self, requests: Mapping[str, Request]) -> Mapping[str, Any]:
        self.rounds += 1
        self.asked += len(requests)
        return {name: self._answer(*request) for name, request in requests.items()}

    def _answer(self, method: str, params: Any) -> Any:
        if method == "eth_getBlockByNumber":
            assert params == [hex(self.funded), True]
            paying = {"from": PAYER, "to": ACCOUNT, "value": "0x1", "hash": HASH}
            other = {"from": PAYER, "to": PAYER, "value": "0x1", "hash": HASH}
            nothing = {"from": PAYER, "to": ACCOUNT, "value": "0x0", "hash": HASH}
            return {"transactions": [other, nothing, *([paying] if self.paid else [])]}
        who, height = params[0], int(params[1], 16)
        if height < self.kept_from:
            return PRUNED
        if who == PAYER or who == abi.checksum(PAYER):
            return hex(self.sent)
        if method == "eth_getTransactionCount":
            return hex(1 if height >= self.spends_at else 0)
        # It has spent everything by then: only its count shows that it was funded.
        return hex(10**18 if self.funded <= height < self.spends_at else 0)


@given(funded=st.integers(1, 40_000_000), later=st.integers(0, 40_000_000))
def test_any_past_then_the_payer_is_found_within_few_rounds(funded: int, later: int) -> None:
    node = History(funded=funded)
    found = first_funding(ACCOUNT, before_block=funded + later, ask=node.ask)
    assert (found.state, found.funder, found.block_number) == ("found", abi.checksum(PAYER), funded)
    assert found.tx_hash == HASH
    assert node.rounds <= 11
    assert node.asked <= 250


def test_payer_pays_very_many_then_it_is_a_hub() -> None:
    node = History(funded=77, sent=HUB_NONCE_MIN)
    found = first_funding(ACCOUNT, before_block=100, ask=node.ask)
    assert (found.state, found.funder) == ("hub", abi.checksum(PAYER))
    assert "exchanges" in found.reason


def test_node_keeps_no_old_state_then_unknown_with_that_reason() -> None:
    for kept_from in (90, 100, 101):
        found = first_funding(ACCOUNT, before_block=100, ask=History(funded=50, kept_from=kept_from).ask)
        assert (found.state, found.funder) == ("unknown", "")
        assert "keeps no state" in found.reason


def test_first_coins_lie_within_what_the_node_keeps_then_found() -> None:
    found = first_funding(ACCOUNT, before_block=10_000, ask=History(funded=9_990, kept_from=9_900).ask)
    assert (found.state, found.block_number) == ("found", 9_990)


def test_coins_came_out_of_a_contract_then_unknown() -> None:
    found = first_funding(ACCOUNT, before_block=100, ask=History(funded=50, paid=False).ask)
    assert (found.state, "contract" in found.reason) == ("unknown", True)


def test_account_has_coins_since_the_first_block_then_unknown() -> None:
    found = first_funding(ACCOUNT, before_block=100, ask=History(funded=0).ask)
    assert (found.state, "first block" in found.reason) == ("unknown", True)


def test_account_had_nothing_then_unknown() -> None:
    found = first_funding(ACCOUNT, before_block=100, ask=History(funded=200).ask)
    assert (found.state, "no coins" in found.reason) == ("unknown", True)


@given(answer=st.sampled_from([None, {}, "0x", [], {"transactions": "x"}, {"transactions": [None, {}]}]))
def test_node_answers_nonsense_then_unknown_and_never_an_exception(answer: Any) -> None:
    node = History(funded=50)

    def ask(requests: Mapping[str, Request]) -> Mapping[str, Any]:
        answers = dict(node.ask(requests))
        return {name: answer if name == "block" else value for name, value in answers.items()}

    assert first_funding(ACCOUNT, before_block=100, ask=ask).state == "unknown"
    nonsense = first_funding(ACCOUNT, before_block=100, ask=lambda asked: dict.fromkeys(asked, answer))
    assert nonsense.state == "unknown"
