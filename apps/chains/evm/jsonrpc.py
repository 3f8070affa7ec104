"""The wire format of JSON-RPC, both ways. Pure; nothing that a node sends is trusted here."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

FAULT_TEXT_MAX = 500
FAULT_DATA_MAX = 131_072
CODE_METHOD_NOT_FOUND = -32_601

_RATE_WORDS = re.compile(
    r"rate.?limit|too many requests|request limit|exceeded.{0,40}(?:requests|capacity|units|quota)|throughput",
    re.IGNORECASE,
)
_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,16}")

_CALL_PARAMS = 2  # the call and its block
_LONG_QUANTITY = re.compile(r"0x[0-9a-fA-F]{1,64}")

Request = tuple[str, Sequence[Any]]


def _is_text(result: Any) -> bool:
    return isinstance(result, str) and result.startswith("0x")


def _is_quantity(result: Any) -> bool:
    return isinstance(result, str) and _LONG_QUANTITY.fullmatch(result) is not None


def _is_object_or_null(result: Any) -> bool:
    return result is None or isinstance(result, dict)


#: What the node itself must answer, whatever a contract does: where it does not, no contract is to blame.
_SHAPES: Mapping[str, Callable[[Any], bool]] = {
    "eth_call": _is_text,
    "eth_getCode": _is_text,
    "eth_getStorageAt": _is_text,
    "eth_blockNumber": _is_quantity,
    "eth_getBalance": _is_quantity,
    "eth_getTransactionCount": _is_quantity,
    "eth_getBlockByNumber": _is_object_or_null,
    "eth_getTransactionByHash": _is_object_or_null,
    "eth_getTransactionReceipt": _is_object_or_null,
    "eth_getLogs": lambda result: isinstance(result, list),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RpcFault:
    """An error that the node itself answered. ``data`` is revert data as hex text, None when it sent none."""

    code: int
    message: str  # printable, bounded; untrusted
    data: str | None = None

    @property
    def is_rate_limit(self) -> bool:
        """Tell whether it means that we ask too often."""
        return self.code == 429 or _RATE_WORDS.search(self.message) is not None


def encode_requests(requests: Sequence[Request], *, first_id: int) -> bytes:
    """Return one JSON-RPC request, or a batch of several, with consecutive ids."""
    items = [
        {"jsonrpc": "2.0", "id": first_id + position, "method": method, "params": list(params)}
        for position, (method, params) in enumerate(requests)
    ]
    return orjson.dumps(items[0] if len(items) == 1 else items)


def decode_answers(body: bytes, *, first_id: int, count: int) -> list[Any | RpcFault]:
    """Return the answers in the order of their ids. Raises ValueError unless each request has exactly one answer."""
    try:
        decoded = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ValueError("it is not JSON") from error
    if isinstance(decoded, dict):
        if decoded.get("error") is not None and (count > 1 or decoded.get("id") is None):
            # The post as a whole was refused, or could not even be read.
            return [fault_of(decoded["error"])] * count
        decoded = [decoded]
    if not isinstance(decoded, list) or len(decoded) != count:
        raise ValueError(f"it does not hold {count} answers")
    by_id = dict(map(_answer_of, decoded))
    wanted = range(first_id, first_id + count)
    if by_id.keys() != set(wanted):
        raise ValueError("its ids are not those of the requests")
    return [by_id[answer_id] for answer_id in wanted]


def misshapen(requests: Sequence[Request], answers: Sequence[Any | RpcFault]) -> str:
    """Return the first method whose result cannot be one, or "". A newest block must exist.

    Calls with overrides are left to who asks: a node that does not know them may say anything.
    """
    for (method, params), answer in zip(requests, answers, strict=True):
        has_overrides = method == "eth_call" and len(params) > _CALL_PARAMS
        if isinstance(answer, RpcFault) or method not in _SHAPES or has_overrides:
            continue
        is_missing = answer is None and "latest" in params
        if is_missing or not _SHAPES[method](answer):
            return method
    return ""


def fault_of(error: Any) -> RpcFault:
    """Return a node's error object, cleaned. Raises ValueError when it is none."""
    if isinstance(error, str):
        error = {"message": error}
    if not isinstance(error, dict):
        raise ValueError("its error is no object")
    code, message, data = error.get("code"), error.get("message"), error.get("data")
    text = message if isinstance(message, str) else "no message"
    if isinstance(data, dict):  # some nodes wrap it
        data = data.get("data")
    return RpcFault(
        code=code if type(code) is int else 0,
        message="".join(letter if letter.isprintable() else " " for letter in text[:FAULT_TEXT_MAX]),
        data=data if isinstance(data, str) and len(data) <= FAULT_DATA_MAX else None,
    )


def small_quantity(value: Any) -> int | None:
    """Return a hex quantity of at most eight bytes, None when it is anything else."""
    if isinstance(value, str) and _QUANTITY.fullmatch(value):
        return int(value, 16)
    return None


def _answer_of(item: Any) -> tuple[int, Any | RpcFault]:
    if not isinstance(item, dict) or type(item.get("id")) is not int:
        raise ValueError("an answer has no usable id")
    if item.get("error") is not None:
        return item["id"], fault_of(item["error"])
    if "result" not in item:
        raise ValueError("an answer is neither result nor error")
    return item["id"], item["result"]
