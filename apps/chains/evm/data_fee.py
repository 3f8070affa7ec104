"""What a rollup charges for bringing a transaction's data to the chain below it, beside the gas of its own.

The rollups are asked, each in its own way, about one sample; what a transaction really paid stands in its receipt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_utils.crypto import keccak

from apps.chains.evm import abi, parse
from apps.chains.evm.jsonrpc import Request, RpcFault
from apps.domain.errors import BadDataError
from apps.domain.market import DataFeeRule

#: Both are the same on every chain of their kind. Sources: specs of the OP stack, "Predeploys"; Arbitrum's documentation,
#: "NodeInterface reference".
OP_STACK_ORACLE = "0x420000000000000000000000000000000000000F"
ARBITRUM_NODE_INTERFACE = "0x00000000000000000000000000000000000000C8"
GET_L1_FEE = abi.selector("getL1Fee(bytes)")
ESTIMATE_L1_GAS = abi.selector("gasEstimateL1Component(address,bool,bytes)")
#: Rollups charge for the compressed size, and these bytes cannot be compressed. Our swaps are 270 to 630 bytes with
#: their headers, and 160 to 230 when compressed by zlib.
SAMPLE_BYTES = 320
#: One whole coin, and more gas than any limit of ours. A chain that asks for more is misread.
DATA_FEE_MAX_RAW = 10**18
DATA_GAS_MAX = 4_000_000
_SAMPLE = b"".join(keccak(text=f"sample {number}") for number in range(SAMPLE_BYTES // abi.WORD_BYTES))
#: The address that the sample goes to; which it is makes no difference to its size.
_SAMPLE_TO = "0x" + "11" * 20


@dataclass(frozen=True, slots=True, kw_only=True)
class DataFee:
    """What one swap's data costs: wei on top of its gas, or gas out of its limit."""

    fee_raw: int = 0
    gas: int = 0
    is_known: bool = True


def requests(rule: DataFeeRule) -> list[Request]:
    """Return what to ask for one swap's data fee: nothing where the chain takes none. ``data_fee_of`` takes the answers."""
    if rule == "op_stack":
        return [_view(OP_STACK_ORACLE, GET_L1_FEE + abi.word_of(abi.WORD_BYTES) + _bytes(_SAMPLE))]
    if rule == "arbitrum":
        arguments = abi.word_of(int(_SAMPLE_TO, 16)) + abi.word_of(0) + abi.word_of(3 * abi.WORD_BYTES)
        return [_view(ARBITRUM_NODE_INTERFACE, ESTIMATE_L1_GAS + arguments + _bytes(_SAMPLE))]
    return []


def data_fee_of(rule: DataFeeRule, answers: list[Any]) -> DataFee:
    """Return the fee that these answers make; not known when the chain refused or talks nonsense, for a sale must go on."""
    if rule == "none":
        return DataFee()
    [answer] = answers
    if isinstance(answer, RpcFault):
        return DataFee(is_known=False)
    maximum = DATA_FEE_MAX_RAW if rule == "op_stack" else DATA_GAS_MAX
    try:
        figure = parse.word(parse.hex_data(answer, "data fee"), 0, "data fee", maximum=maximum)
    except BadDataError:
        return DataFee(is_known=False)
    return DataFee(fee_raw=figure) if rule == "op_stack" else DataFee(gas=figure)


def _bytes(data: bytes) -> bytes:
    """Return a dynamic argument of whole words."""
    assert len(data) % abi.WORD_BYTES == 0, len(data)
    return abi.word_of(len(data)) + data


def _view(to: str, data: bytes) -> Request:
    return "eth_call", ({"to": to, "data": "0x" + data.hex()}, "latest")
