"""Calldata and event topics by hand: fixed layouts, nothing that has to be looked up at run time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from apps.domain.money import UINT256_MAX

WORD_BYTES = 32
#: Checksums cost a hash each; the same few thousand addresses come again and again.
_CHECKSUM_CACHE_MAX = 50_000


def selector(signature: str) -> bytes:
    """Return the four bytes that name a function, e.g. of "transfer(address,uint256)"."""
    return bytes(keccak(text=signature)[:4])


def topic(signature: str) -> str:
    """Return the first topic of an event, "0x…" in lower case."""
    return "0x" + bytes(keccak(text=signature)).hex()


TOPIC_PAIR_CREATED = topic("PairCreated(address,address,address,uint256)")
TOPIC_SYNC = topic("Sync(uint112,uint112)")
TOPIC_SWAP = topic("Swap(address,uint256,uint256,uint256,uint256,address)")
TOPIC_TRANSFER = topic("Transfer(address,address,uint256)")
TOPIC_DEPOSIT = topic("Deposit(address,uint256)")
TOPIC_WITHDRAWAL = topic("Withdrawal(address,uint256)")

NAME = selector("name()")
SYMBOL = selector("symbol()")
DECIMALS = selector("decimals()")
TOTAL_SUPPLY = selector("totalSupply()")
BALANCE_OF = selector("balanceOf(address)")
ALLOWANCE = selector("allowance(address,address)")
APPROVE = selector("approve(address,uint256)")
TRANSFER = selector("transfer(address,uint256)")
TRANSFER_FROM = selector("transferFrom(address,address,uint256)")
OWNER = selector("owner()")
GET_OWNER = selector("getOwner()")
TOKEN0 = selector("token0()")
TOKEN1 = selector("token1()")
GET_RESERVES = selector("getReserves()")
GET_PAIR = selector("getPair(address,address)")
FACTORY = selector("factory()")
GET_AMOUNT_OUT = selector("getAmountOut(uint256,uint256,uint256)")
LOCKED_AT = selector("lockedAt(address,uint64)")
BUY_WITH_NATIVE = selector(
    "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)"
)
SELL_FOR_NATIVE = selector(
    "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)"
)


def word_of(value: int) -> bytes:
    """Return an unsigned number as one word."""
    assert 0 <= value <= UINT256_MAX, value
    return value.to_bytes(WORD_BYTES, "big")


def address_word(address: str) -> bytes:
    """Return an address as one word."""
    raw = bytes.fromhex(address.removeprefix("0x"))
    assert len(raw) == 20, address
    return raw.rjust(WORD_BYTES, b"\0")


def address_topic(address: str) -> str:
    """Return an address as an indexed event argument."""
    return "0x" + address_word(address).hex()


def call(function: bytes, *arguments: int | str) -> str:
    """Return hex calldata of a function whose arguments are all one word: numbers or addresses."""
    words = [address_word(item) if isinstance(item, str) else word_of(item) for item in arguments]
    return "0x" + (function + b"".join(words)).hex()


def buy_data(*, amount_out_min_raw: int, route: Sequence[str], recipient: str, deadline_s: int) -> bytes:
    """Return calldata of the router's buy with native coin; safe for tokens that take a fee in transfers."""
    head = (
        word_of(amount_out_min_raw) + word_of(4 * WORD_BYTES) + address_word(recipient) + word_of(deadline_s)
    )
    return BUY_WITH_NATIVE + head + _addresses(route)


def sell_data(
    *, amount_in_raw: int, amount_out_min_raw: int, route: Sequence[str], recipient: str, deadline_s: int
) -> bytes:
    """Return calldata of the router's sell for native coin; safe for tokens that take a fee in transfers."""
    head = word_of(amount_in_raw) + word_of(amount_out_min_raw) + word_of(5 * WORD_BYTES)
    return SELL_FOR_NATIVE + head + address_word(recipient) + word_of(deadline_s) + _addresses(route)


def approve_data(*, spender: str, amount_raw: int) -> bytes:
    """Return calldata of an ERC-20 approval."""
    return APPROVE + address_word(spender) + word_of(amount_raw)


@lru_cache(maxsize=_CHECKSUM_CACHE_MAX)
def checksum(address: str) -> str:
    """Return an address in EIP-55 spelling."""
    return str(to_checksum_address(address))


def _addresses(items: Sequence[str]) -> bytes:
    return word_of(len(items)) + b"".join(address_word(item) for item in items)
