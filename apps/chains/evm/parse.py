"""JSON-RPC answers into domain types. Pure, and written for answers that lie.

Whatever does not fit raises BadDataError with a bounded sample of what came instead.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ParamSpec, TypeVar

from apps.chains.evm import abi
from apps.domain.errors import BadDataError
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.market import BlockRef, ChainEvent, Listing, PoolReserves, PoolSwap, Receipt, TokenTransfer
from apps.domain.money import UINT256_MAX
from apps.domain.order import Side

ZERO_ADDRESS = "0x" + "00" * 20
DEAD_ADDRESS = "0x" + "00" * 18 + "dead"
#: Nobody can spend from these.
BURN_ADDRESSES = (ZERO_ADDRESS, DEAD_ADDRESS)
SAMPLE_CHARS_MAX = 200
UINT64_MAX = 2**64 - 1
UINT112_MAX = 2**112 - 1
#: Transfers of one transaction that are read; more is no swap of ours.
RECEIPT_LOGS_MAX = 2_000
DATA_BYTES_MAX = 1 << 20
_HEX_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,64}")
_HEX_HASH = re.compile(r"0x[0-9a-fA-F]{64}")
_HEX_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_MS = 1_000
_REMEDY = (
    "Nothing to do for one odd answer; when it repeats, check the endpoint or the contract that sent it."
)
_T = TypeVar("_T")
_P = ParamSpec("_P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One event log. Addresses, topics and hashes are in lower case."""

    address: str
    topics: tuple[str, ...]
    data: bytes
    block_number: int
    block_hash: str
    block_at_ms: int | None  # None where the node does not give the block's time with a log
    tx_hash: str
    log_index: int

    def block(self, times_ms: Mapping[int, int]) -> BlockRef:
        """Return the log's block; ``times_ms`` gives times by block number where the log has none."""
        at_ms = self.block_at_ms if self.block_at_ms is not None else times_ms.get(self.block_number)
        if at_ms is None:
            raise bad_data("the time of a log's block is unknown", self.block_number)
        return BlockRef(self.block_number, self.block_hash, at_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SwapLog:
    """A pool's Swap event, raw units by token0 and token1; addresses in lower case."""

    amount0_in: int
    amount1_in: int
    amount0_out: int
    amount1_out: int
    recipient: str


# -- values ---------------------------------------------------------------------------------------


def bad_data(what: str, sample: object) -> BadDataError:
    """Return the error for an answer that cannot be understood, with a bounded sample of it."""
    return BadDataError(what, remedy=_REMEDY, sample=repr(sample)[:SAMPLE_CHARS_MAX])


def hex_number(value: object, what: str, *, maximum: int = UINT256_MAX) -> int:
    """Return a JSON-RPC quantity ("0x1f") within ``maximum``."""
    if not isinstance(value, str) or not _HEX_NUMBER.fullmatch(value):
        raise bad_data(f"{what} is no number", value)
    number = int(value, 16)
    if number > maximum:
        raise bad_data(f"{what} is absurdly large", value)
    return number


def hex_data(value: object, what: str, *, bytes_max: int = DATA_BYTES_MAX) -> bytes:
    """Return JSON-RPC data ("0x…") as bytes."""
    if not isinstance(value, str) or not value.startswith("0x") or len(value) > 2 + 2 * bytes_max:
        raise bad_data(f"{what} is no data", value)
    try:
        return bytes.fromhex(value[2:])
    except ValueError:
        raise bad_data(f"{what} is no data", value) from None


def hex_hash(value: object, what: str) -> str:
    """Return a 32-byte hash in lower case."""
    if not isinstance(value, str) or not _HEX_HASH.fullmatch(value):
        raise bad_data(f"{what} is no hash", value)
    return value.lower()


def hex_address(value: object, what: str) -> str:
    """Return an address in lower case."""
    if not isinstance(value, str) or not _HEX_ADDRESS.fullmatch(value):
        raise bad_data(f"{what} is no address", value)
    return value.lower()


def mapping(value: object, what: str) -> Mapping[str, Any]:
    """Return a JSON object."""
    if not isinstance(value, dict):
        raise bad_data(f"{what} is no object", value)
    return value


def items(value: object, what: str, *, maximum: int) -> Sequence[Any]:
    """Return a JSON list of at most ``maximum`` entries."""
    if not isinstance(value, list):
        raise bad_data(f"{what} is no list", value)
    if len(value) > maximum:
        raise bad_data(f"{what} has {len(value)} entries, more than the {maximum} that are read", value[:1])
    return value


def word(data: bytes, index: int, what: str, *, maximum: int = UINT256_MAX) -> int:
    """Return the n-th word of return or event data as an unsigned number."""
    chunk = data[index * abi.WORD_BYTES : (index + 1) * abi.WORD_BYTES]
    if len(chunk) < abi.WORD_BYTES:
        raise bad_data(f"{what} is too short", data.hex()[:SAMPLE_CHARS_MAX])
    number = int.from_bytes(chunk, "big")
    if number > maximum:
        raise bad_data(f"{what} is absurdly large", hex(number))
    return number


def word_address(data: bytes, index: int, what: str) -> str:
    """Return the n-th word of return or event data as an address in lower case."""
    return f"0x{word(data, index, what, maximum=2**160 - 1):040x}"


def attempt(read: Callable[_P, _T], *arguments: _P.args, **keywords: _P.kwargs) -> _T | None:
    """Return what ``read`` returns, None where it raises BadDataError: one bad entry must not hide others."""
    try:
        return read(*arguments, **keywords)
    except BadDataError:
        return None


# -- blocks and logs ------------------------------------------------------------------------------


def block_ref(header: object) -> BlockRef:
    """Return the block of a header from eth_getBlockBy… or newHeads."""
    fields = mapping(header, "block header")
    return BlockRef(
        hex_number(fields.get("number"), "block number", maximum=UINT64_MAX),
        hex_hash(fields.get("hash"), "block hash"),
        _at_ms(fields.get("timestamp")),
    )


def log_of(entry: object) -> Log:
    """Return one event log."""
    fields = mapping(entry, "log")
    if fields.get("removed") is True:
        raise bad_data("log was removed by a reorganisation", entry)
    topics = items(fields.get("topics"), "log topics", maximum=4)
    time = fields.get("blockTimestamp")
    return Log(
        address=hex_address(fields.get("address"), "log address"),
        topics=tuple(hex_hash(topic, "log topic") for topic in topics),
        data=hex_data(fields.get("data"), "log data"),
        block_number=hex_number(fields.get("blockNumber"), "log block number", maximum=UINT64_MAX),
        block_hash=hex_hash(fields.get("blockHash"), "log block hash"),
        block_at_ms=None if time is None else _at_ms(time),
        tx_hash=hex_hash(fields.get("transactionHash"), "log transaction"),
        log_index=hex_number(fields.get("logIndex"), "log index", maximum=UINT64_MAX),
    )


def pair_created(log: Log, *, chain_key: ChainKey, dex_key: str, times_ms: Mapping[int, int]) -> ChainEvent:
    """Return the event of a factory's PairCreated log."""
    expect(log, abi.TOPIC_PAIR_CREATED, topics=3, words=2)
    return ChainEvent(
        chain_key=chain_key,
        dex_key=dex_key,
        kind="pair_created",
        pool_address=abi.checksum(word_address(log.data, 0, "pool address")),
        token0=abi.checksum(_topic_address(log, 1)),
        token1=abi.checksum(_topic_address(log, 2)),
        block=log.block(times_ms),
        tx_hash=log.tx_hash,
        log_index=log.log_index,
    )


def sync(log: Log) -> tuple[int, int]:
    """Return the reserves of token0 and token1 after a pool's Sync."""
    expect(log, abi.TOPIC_SYNC, topics=1, words=2)
    return word(log.data, 0, "reserve0", maximum=UINT112_MAX), word(
        log.data, 1, "reserve1", maximum=UINT112_MAX
    )


def swap(log: Log) -> SwapLog:
    """Return a pool's Swap."""
    expect(log, abi.TOPIC_SWAP, topics=3, words=4)
    return swap_figures(log)


def swap_figures(log: Log) -> SwapLog:
    """Return the figures of a Swap of Uniswap V2's shape, whatever its topic."""
    return SwapLog(
        amount0_in=word(log.data, 0, "amount0In"),
        amount1_in=word(log.data, 1, "amount1In"),
        amount0_out=word(log.data, 2, "amount0Out"),
        amount1_out=word(log.data, 3, "amount1Out"),
        recipient=_topic_address(log, 2),
    )


def transfer(log: Log) -> TokenTransfer:
    """Return an ERC-20 Transfer; addresses in lower case."""
    expect(log, abi.TOPIC_TRANSFER, topics=3, words=1)
    return TokenTransfer(
        token_address=log.address,
        sender=_topic_address(log, 1),
        recipient=_topic_address(log, 2),
        amount_raw=word(log.data, 0, "transfer amount"),
        log_index=log.log_index,
    )


def wrapped_move(log: Log) -> TokenTransfer:
    """Return a wrapped coin's Deposit or Withdrawal as a transfer from or to the zero address."""
    deposits = bool(log.topics) and log.topics[0] == abi.TOPIC_DEPOSIT
    expect(log, abi.TOPIC_DEPOSIT if deposits else abi.TOPIC_WITHDRAWAL, topics=2, words=1)
    holder = _topic_address(log, 1)
    return TokenTransfer(
        token_address=log.address,
        sender=ZERO_ADDRESS if deposits else holder,
        recipient=holder if deposits else ZERO_ADDRESS,
        amount_raw=word(log.data, 0, "wrapped amount"),
        log_index=log.log_index,
    )


def pool_reserves(log: Log, listing: Listing, times_ms: Mapping[int, int]) -> PoolReserves:
    """Return a Sync as reserves seen from the listing's base token."""
    reserve0, reserve1 = sync(log)
    base, quote = (reserve0, reserve1) if listing.base_is_token0 else (reserve1, reserve0)
    return PoolReserves(pair_key=listing.pair_key, base_raw=base, quote_raw=quote, block=log.block(times_ms))


def pool_swap(log: Log, listing: Listing, *, seller: str | None, times_ms: Mapping[int, int]) -> PoolSwap:
    """Return a Swap seen from the listing's base token.

    The pool pays a seller's coins to the router, so the trader of a sell is ``seller``, who sent the base token in,
    when known.
    """
    return swap_seen(swap(log), log, listing, seller=seller, times_ms=times_ms)


def swap_seen(
    entry: SwapLog, log: Log, listing: Listing, *, seller: str | None, times_ms: Mapping[int, int]
) -> PoolSwap:
    """Return a Swap's figures seen from the listing's base token."""
    if listing.base_is_token0:
        base_in, base_out, quote_in, quote_out = (
            entry.amount0_in,
            entry.amount0_out,
            entry.amount1_in,
            entry.amount1_out,
        )
    else:
        base_in, base_out, quote_in, quote_out = (
            entry.amount1_in,
            entry.amount1_out,
            entry.amount0_in,
            entry.amount0_out,
        )
    buys = base_out > base_in
    trader = entry.recipient if buys or seller is None else seller
    return PoolSwap(
        pair_key=listing.pair_key,
        side="buy" if buys else "sell",
        base_raw=abs(base_out - base_in),
        quote_raw=abs(quote_out - quote_in),
        trader=abi.checksum(trader),
        tx_hash=log.tx_hash,
        log_index=log.log_index,
        block=log.block(times_ms),
    )


# -- receipts -------------------------------------------------------------------------------------


def receipt_block_number(answer: object) -> int:
    """Return the height at which a transaction was mined."""
    return hex_number(mapping(answer, "receipt").get("blockNumber"), "receipt block", maximum=UINT64_MAX)


def receipt_block_at_ms(answer: object) -> int | None:
    """Return the block's time when the receipt's logs carry it, else None."""
    logs = mapping(answer, "receipt").get("logs")
    first = logs[0] if isinstance(logs, list) and logs else None
    time = first.get("blockTimestamp") if isinstance(first, dict) else None
    return None if time is None else _at_ms(time)


def receipt(answer: object, *, block_at_ms: int, wrapped_address: str) -> Receipt:
    """Return a mined transaction with everything it moved; addresses in EIP-55.

    Deposits and withdrawals count only when the wrapped coin itself logged them. Logs that merely look like a
    transfer (a fourth topic, no amount) are other standards' events and are left out.
    """
    fields = mapping(answer, "receipt")
    status = hex_number(fields.get("status"), "receipt status", maximum=1)
    gas_used = hex_number(fields.get("gasUsed"), "gas used", maximum=UINT64_MAX)
    price = hex_number(fields.get("effectiveGasPrice"), "gas price")
    l1_fee = fields.get("l1Fee")  # rollups of the OP stack charge for their data on top
    logs = [log_of(entry) for entry in items(fields.get("logs"), "receipt logs", maximum=RECEIPT_LOGS_MAX)]
    return Receipt(
        tx_hash=hex_hash(fields.get("transactionHash"), "receipt transaction"),
        succeeded=status == 1,
        block=BlockRef(
            receipt_block_number(fields), hex_hash(fields.get("blockHash"), "receipt block hash"), block_at_ms
        ),
        gas_used=gas_used,
        fee_paid_raw=gas_used * price + (0 if l1_fee is None else hex_number(l1_fee, "L1 fee")),
        transfers=_transfers(logs, wrapped_address.lower()),
    )


def fill_amounts(
    receipt: Receipt, *, wallet: str, base_address: str, wrapped_address: str, pool_address: str, side: Side
) -> tuple[int, int]:
    """Return what left the wallet and what reached it, raw: native coin in and base out for a buy, else reversed.

    The router wraps all coins of a buy first and unwraps those of a sell last, so tokens that trade on their own
    account in between (to sell their taxes) do not disturb. Raises BadDataError when the receipt shows no such swap.
    """
    wallet, base, wrapped, pool = (
        item.lower() for item in (wallet, base_address, wrapped_address, pool_address)
    )
    base_net = _net(receipt, token=base, holder=wallet)
    if side == "buy":
        paid = _first_deposit(receipt, wrapped)
        amount_in = (
            paid if paid is not None else _paid_in(receipt, token=wrapped, sender=wallet, recipient=pool)
        )
        amount_out = base_net
    else:
        amount_in = -base_net
        direct = _net(receipt, token=wrapped, holder=wallet)
        amount_out = direct if direct > 0 else _last_withdrawal(receipt, wrapped)
    if amount_in <= 0 or amount_out <= 0:
        raise bad_data(f"receipt shows no {side} of the wallet", receipt.tx_hash)
    return amount_in, amount_out


def _transfers(logs: Sequence[Log], wrapped: str) -> tuple[TokenTransfer, ...]:
    moves: list[TokenTransfer] = []
    for log in sorted(logs, key=lambda entry: entry.log_index):
        first = log.topics[0] if log.topics else ""
        if first == abi.TOPIC_TRANSFER and len(log.topics) == 3 and len(log.data) == abi.WORD_BYTES:
            move = transfer(log)
        elif log.address == wrapped and first in (abi.TOPIC_DEPOSIT, abi.TOPIC_WITHDRAWAL):
            move = wrapped_move(log)
        else:
            continue
        moves.append(
            TokenTransfer(
                token_address=abi.checksum(move.token_address),
                sender=abi.checksum(move.sender),
                recipient=abi.checksum(move.recipient),
                amount_raw=move.amount_raw,
                log_index=move.log_index,
            )
        )
    return tuple(moves)


def _net(receipt: Receipt, *, token: str, holder: str) -> int:
    moves = [move for move in receipt.transfers if move.token_address.lower() == token]
    arrived = sum(move.amount_raw for move in moves if move.recipient.lower() == holder)
    return arrived - sum(move.amount_raw for move in moves if move.sender.lower() == holder)


def _paid_in(receipt: Receipt, *, token: str, sender: str, recipient: str) -> int:
    return sum(
        move.amount_raw
        for move in receipt.transfers
        if (move.token_address.lower(), move.sender.lower(), move.recipient.lower())
        == (token, sender, recipient)
    )


def _first_deposit(receipt: Receipt, wrapped: str) -> int | None:
    moves = (move for move in receipt.transfers if move.token_address.lower() == wrapped)
    return next((move.amount_raw for move in moves if move.sender == ZERO_ADDRESS), None)


def _last_withdrawal(receipt: Receipt, wrapped: str) -> int:
    moves = (move for move in reversed(receipt.transfers) if move.token_address.lower() == wrapped)
    return next((move.amount_raw for move in moves if move.recipient == ZERO_ADDRESS), 0)


# -- parts ----------------------------------------------------------------------------------------


def is_native(token_address: str) -> bool:
    """Tell whether an address stands for the chain's own coin."""
    return token_address == NATIVE_ADDRESS


def _at_ms(value: object) -> int:
    return hex_number(value, "block time", maximum=UINT64_MAX // _MS) * _MS


def expect(log: Log, topic: str, *, topics: int, words: int) -> None:
    """Raise BadDataError unless a log has the shape of its event."""
    if len(log.topics) != topics or log.topics[0] != topic or len(log.data) != words * abi.WORD_BYTES:
        raise bad_data("log has another shape than its event", (log.address, log.topics, log.data.hex()[:80]))


def _topic_address(log: Log, index: int) -> str:
    value = log.topics[index]
    if value[2:26] != "0" * 24:
        raise bad_data("log topic is no address", value)
    return "0x" + value[26:]
