"""Would a transaction go through in the block that is being made? Asked before it is signed: a failure costs gas."""

from __future__ import annotations

import re
from typing import Any

from apps.chains.evm import parse
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.token_text import revert_reason
from apps.domain.errors import BadDataError
from apps.domain.order import UnsignedTx

#: What nodes say of a call that the contract itself refused (geth and those after it answer with code 3).
_REVERT_CODE = 3
_REVERT_WORDS = re.compile(r"revert|invalid opcode|out of gas", re.IGNORECASE)


def request(tx: UnsignedTx, *, sender: str, balance_raw: int | None) -> Request:
    """Return the call upon everything that waits at the node; one without a pending block takes its newest."""
    call = {
        "from": sender,
        "to": tx.to,
        "value": hex(tx.value_raw),
        "data": "0x" + tx.data.hex(),
        "gas": hex(tx.gas_limit),
    }
    params: list[Any] = [call, "pending"]
    if balance_raw is not None:
        params.append({sender: {"balance": hex(balance_raw)}})
    return "eth_call", params


def failure(answer: Any) -> str:
    """Return why the contract refused, "" when it did not or when the node did not understand the question."""
    if not isinstance(answer, RpcFault):
        return ""
    if answer.code != _REVERT_CODE and _REVERT_WORDS.search(answer.message) is None:
        return ""
    try:
        return revert_reason(parse.hex_data(answer.data or "0x", "revert data"))
    except BadDataError:
        return "no reason given"
