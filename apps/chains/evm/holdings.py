"""Looks at held tokens in every block: one batch of calls, and one search of the newest blocks for what stirred.

Implements ``domain.holding.HoldingReader``. A transfer into the pool is tried from the holder's own address as it stands:
no injected code, no lent coins, so a block on this very address shows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.client import EvmClient, Request, RpcFault
from apps.chains.evm.token_text import revert_reason
from apps.domain.errors import BadDataError
from apps.domain.holding import HoldingAnswer, HoldingQuestion

#: Gas of one tried transfer; honest taxed tokens that also sell their taxes stay below 700,000.
TRANSFER_GAS = 2_000_000
VIEW_GAS = 250_000
#: Blocks whose transactions are gone through at most; older ones are covered by the regular simulation.
BLOCKS_MAX = 3
TRANSACTIONS_MAX = 20_000
LOGS_MAX = 10_000
#: What holders do all day.
_ORDINARY_CALLS = frozenset(
    "0x" + item.hex()
    for item in (
        abi.TRANSFER,
        abi.TRANSFER_FROM,
        abi.APPROVE,
        abi.selector("increaseAllowance(address,uint256)"),
        abi.selector("decreaseAllowance(address,uint256)"),
        abi.selector("permit(address,address,uint256,uint256,uint8,bytes32,bytes32)"),
    )
)
_TOPIC_APPROVAL = abi.topic("Approval(address,address,uint256)")
_TOPIC_OWNERSHIP = abi.topic("OwnershipTransferred(address,address)")
_ORDINARY_TOPICS = frozenset({abi.TOPIC_TRANSFER, _TOPIC_APPROVAL})
_CODE_REVERTED = 3
#: How nodes say that the call itself failed, as against that they could not make it.
_FAILED_WORDS = ("revert", "out of gas", "invalid opcode", "outofgas", "invalidjump")
_ZERO_WORD = "0x" + "00" * 32


class EvmHoldingReader:
    """Looks through ``client`` at the newest block. Thread-safe."""

    def __init__(self, client: EvmClient) -> None:
        self._client = client

    def look(self, questions: Sequence[HoldingQuestion]) -> Mapping[str, HoldingAnswer]:
        """Return owner and movability by token as given. Raises NetworkError."""
        requests: list[Request] = []
        for item in questions:
            move = {
                "from": item.holder,
                "to": item.token,
                "data": abi.call(abi.TRANSFER, item.pool, item.amount_raw),
                "gas": hex(TRANSFER_GAS),
            }
            requests += [
                ("eth_call", [move, "latest"]),
                *(
                    ("eth_call", [{"to": item.token, "data": abi.call(part), "gas": hex(VIEW_GAS)}, "latest"])
                    for part in (abi.OWNER, abi.GET_OWNER)
                ),
            ]
        answers = self._client.batch(requests) if requests else []
        found: dict[str, HoldingAnswer] = {}
        for index, item in enumerate(questions):
            moved, owner, get_owner = answers[3 * index : 3 * index + 3]
            is_movable, why = _movable(moved)
            found[item.token] = HoldingAnswer(owner=_owner(owner, get_owner), is_movable=is_movable, why=why)
        return found

    def stirred(self, tokens: Sequence[str], *, first_block: int, last_block: int) -> Mapping[str, str]:
        """Return what happened to these tokens beside transfers, by the token as given. Raises NetworkError.

        Seen are logs of the token and transactions sent straight to it, which need not log anything.
        """
        first = max(first_block, last_block - BLOCKS_MAX + 1)
        if not tokens or first > last_block:
            return {}
        given = {token.lower(): token for token in tokens}
        criteria = {"address": list(tokens), "fromBlock": hex(first), "toBlock": hex(last_block)}
        answers = self._client.batch(
            [
                ("eth_getLogs", [criteria]),
                *(("eth_getBlockByNumber", [hex(number), True]) for number in range(first, last_block + 1)),
            ]
        )
        found: dict[str, str] = {}
        for block in answers[1:]:
            for token, what in _calls(block, given):
                found.setdefault(given[token], what)
        for token, what in _events(answers[0], given):
            found.setdefault(given[token], what)
        return found


def _movable(answer: Any) -> tuple[bool | None, str]:
    """Return whether a transfer went through: no revert, and not an answer of false. Tokens may answer nothing."""
    if isinstance(answer, RpcFault):
        if answer.code != _CODE_REVERTED and not any(
            word in answer.message.lower() for word in _FAILED_WORDS
        ):
            return None, answer.message
        data = parse.attempt(parse.hex_data, answer.data, "revert data")
        return False, revert_reason(data or b"")
    if answer == _ZERO_WORD:
        return False, "the token answers false"
    return (True, "") if isinstance(answer, str) else (None, "the answer is no data")


def _owner(*answers: Any) -> str | None:
    """Return the first owner that is stated; "" when it is nobody; None when the token states none."""
    for answer in answers:
        if isinstance(answer, RpcFault):
            continue
        address = parse.attempt(_address, answer)
        if address is not None:
            return "" if address in parse.BURN_ADDRESSES else address
    return None


def _address(answer: Any) -> str:
    return parse.word_address(parse.hex_data(answer, "owner"), 0, "owner")


def _calls(block: Any, given: Mapping[str, str]) -> list[tuple[str, str]]:
    if not isinstance(block, dict) or not isinstance(block.get("transactions"), list):
        return []
    found: list[tuple[str, str]] = []
    for entry in block["transactions"][:TRANSACTIONS_MAX]:
        if not isinstance(entry, dict):
            continue
        to, data = entry.get("to"), entry.get("input")
        token = to.lower() if isinstance(to, str) else ""
        if token in given and isinstance(data, str) and data[:10].lower() not in _ORDINARY_CALLS:
            found.append((token, f"somebody called its function {data[:10]}"))
    return found


def _events(answer: Any, given: Mapping[str, str]) -> list[tuple[str, str]]:
    if not isinstance(answer, list):
        return []
    found: list[tuple[str, str]] = []
    for entry in answer[:LOGS_MAX]:
        try:
            log = parse.log_of(entry)
        except BadDataError:
            continue
        kind = log.topics[0] if log.topics else ""
        if log.address in given and kind not in _ORDINARY_TOPICS:
            what = "its ownership moved" if kind == _TOPIC_OWNERSHIP else f"it logged the event {kind[:10]}"
            found.append((log.address, what))
    return found
