"""Answers of honest and of lying nodes, decoded without a chain."""

from __future__ import annotations

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import abi, parse
from apps.chains.evm.token_text import (
    NAME_CHARS_MAX,
    SYMBOL_CHARS_MAX,
    revert_reason,
    token_decimals,
    token_text,
)
from apps.domain.errors import BadDataError
from apps.domain.ids import ChainKey, TraceId, pair_key_of
from apps.domain.market import BlockRef, Listing, Receipt, TokenTransfer
from apps.domain.money import Token

CHAIN = ChainKey("eip155:31337001")
HASH = "0x" + "ab" * 32
WALLET = "0x" + "11" * 20
BASE = "0x" + "22" * 20
WRAPPED = "0x" + "33" * 20
POOL = "0x" + "44" * 20
ROUTER = "0x" + "55" * 20
FEE_WALLET = "0x" + "66" * 20

JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=80)
    | st.just("0x" + "0" * 64)
    | st.just("0x1"),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=20), inner, max_size=5),
    max_leaves=20,
)


def raw_log(
    topics: list[str], data: bytes, *, address: str = POOL, index: int = 0, **changes: Any
) -> dict[str, Any]:
    return {
        "address": address,
        "topics": topics,
        "data": "0x" + data.hex(),
        "blockHash": HASH,
        "blockNumber": "0x10",
        "blockTimestamp": "0x64",
        "transactionHash": HASH,
        "logIndex": hex(index),
        "removed": False,
    } | changes


def transfer_log(token: str, sender: str, recipient: str, amount: int, index: int) -> dict[str, Any]:
    topics = [abi.TOPIC_TRANSFER, abi.address_topic(sender), abi.address_topic(recipient)]
    return raw_log(topics, abi.word_of(amount), address=token, index=index)


def raw_receipt(logs: list[dict[str, Any]], **changes: Any) -> dict[str, Any]:
    return {
        "transactionHash": HASH,
        "status": "0x1",
        "blockNumber": "0x10",
        "blockHash": HASH,
        "gasUsed": hex(100_000),
        "effectiveGasPrice": hex(7),
        "logs": logs,
    } | changes


def listing(*, base_is_token0: bool) -> Listing:
    return Listing(
        trace_id=TraceId("0" * 32),
        pair_key=pair_key_of(CHAIN, POOL),
        dex_key="uniswap_v2",
        pool_address=POOL,
        base=Token(CHAIN, BASE, "BASE", 18),
        quote=Token(CHAIN, WRAPPED, "WETH", 18),
        base_is_token0=base_is_token0,
        fee_bps=30,
        created_block=BlockRef(1, HASH, 0),
        creator="",
    )


# -- values ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 5, "5", "0x", "0xzz", "-0x1", "0x" + "f" * 65, [], {}, True])
def test_number_when_malformed_then_bad_data(value: object) -> None:
    with pytest.raises(BadDataError):
        parse.hex_number(value, "number")


def test_number_when_absurdly_large_then_bad_data() -> None:
    assert parse.hex_number("0xff", "number", maximum=255) == 255
    with pytest.raises(BadDataError, match="absurdly large"):
        parse.hex_number("0x100", "number", maximum=255)


def test_error_when_answer_is_huge_then_sample_is_bounded() -> None:
    with pytest.raises(BadDataError) as caught:
        parse.hex_number("x" * 1_000_000, "number")
    assert len(str(caught.value.context["sample"])) <= parse.SAMPLE_CHARS_MAX
    assert caught.value.remedy


@given(JSON_VALUES)
def test_any_json_when_read_as_log_receipt_or_block_then_value_or_bad_data(value: object) -> None:
    readers = (
        parse.log_of,
        parse.block_ref,
        lambda item: parse.receipt(item, block_at_ms=0, wrapped_address=WRAPPED),
        parse.receipt_block_at_ms,
    )
    for read in readers:
        try:
            read(value)
        except BadDataError:
            continue


# -- logs -----------------------------------------------------------------------------------------


def test_pair_created_when_well_formed_then_event() -> None:
    topics = [abi.TOPIC_PAIR_CREATED, abi.address_topic(BASE), abi.address_topic(WRAPPED)]
    log = parse.log_of(raw_log(topics, encode(["address", "uint256"], [POOL, 1]), address=ROUTER, index=3))
    event = parse.pair_created(log, chain_key=CHAIN, dex_key="uniswap_v2", times_ms={})
    assert (event.pool_address.lower(), event.token0.lower(), event.token1.lower()) == (POOL, BASE, WRAPPED)
    assert event.block == BlockRef(16, HASH, 100_000)
    assert event.log_index == 3


def test_log_when_node_gives_no_time_then_time_is_looked_up_or_bad_data() -> None:
    entry = raw_log([abi.TOPIC_SYNC], abi.word_of(1) + abi.word_of(2))
    del entry["blockTimestamp"]
    log = parse.log_of(entry)
    assert log.block({16: 5_000}).at_ms == 5_000
    with pytest.raises(BadDataError):
        log.block({})


@pytest.mark.parametrize(
    "changes",
    [
        {"removed": True},
        {"address": "0x12"},
        {"topics": ["0x12"]},
        {"topics": [HASH] * 5},
        {"data": "0x1"},
        {"blockNumber": None},
        {"blockNumber": "0x" + "f" * 20},
        {"blockTimestamp": "yesterday"},
    ],
)
def test_log_when_malformed_then_bad_data(changes: dict[str, Any]) -> None:
    with pytest.raises(BadDataError):
        parse.log_of(raw_log([abi.TOPIC_SYNC], b"") | changes)


def test_sync_when_reserve_exceeds_its_type_then_bad_data() -> None:
    log = parse.log_of(raw_log([abi.TOPIC_SYNC], abi.word_of(2**112) + abi.word_of(1)))
    with pytest.raises(BadDataError):
        parse.sync(log)


@pytest.mark.parametrize("words", [0, 1, 3])
def test_sync_when_data_have_another_length_then_bad_data(words: int) -> None:
    with pytest.raises(BadDataError):
        parse.sync(parse.log_of(raw_log([abi.TOPIC_SYNC], abi.word_of(1) * words)))


def test_transfer_when_topic_is_no_address_then_bad_data() -> None:
    log = parse.log_of(raw_log([abi.TOPIC_TRANSFER, HASH, HASH], abi.word_of(1)))
    with pytest.raises(BadDataError):
        parse.transfer(log)


@pytest.mark.parametrize("base_is_token0", [True, False])
def test_swap_when_seen_from_base_then_side_and_amounts(*, base_is_token0: bool) -> None:
    base_out = [0, 7, 100, 0]  # quote in, base out, with base as token0
    words = base_out if base_is_token0 else [7, 0, 0, 100]
    topics = [abi.TOPIC_SWAP, abi.address_topic(ROUTER), abi.address_topic(WALLET)]
    log = parse.log_of(raw_log(topics, b"".join(map(abi.word_of, words))))
    swap = parse.pool_swap(log, listing(base_is_token0=base_is_token0), seller=None, times_ms={})
    assert (swap.side, swap.base_raw, swap.quote_raw, swap.trader.lower()) == ("buy", 100, 7, WALLET)


def test_sell_when_router_took_the_coins_then_trader_is_the_sender_of_the_tokens() -> None:
    topics = [abi.TOPIC_SWAP, abi.address_topic(ROUTER), abi.address_topic(ROUTER)]
    log = parse.log_of(raw_log(topics, b"".join(map(abi.word_of, [100, 0, 0, 7]))))
    swap = parse.pool_swap(log, listing(base_is_token0=True), seller=WALLET, times_ms={})
    assert (swap.side, swap.trader.lower()) == ("sell", WALLET)


# -- receipts -------------------------------------------------------------------------------------


def wrapped_log(
    topic: str, holder: str, amount: int, index: int, *, address: str = WRAPPED
) -> dict[str, Any]:
    return raw_log([topic, abi.address_topic(holder)], abi.word_of(amount), address=address, index=index)


def amounts(receipt: Receipt, side: Any) -> tuple[int, int]:
    return parse.fill_amounts(
        receipt, wallet=WALLET, base_address=BASE, wrapped_address=WRAPPED, pool_address=POOL, side=side
    )


def test_receipt_when_rollup_charges_for_data_then_fee_includes_it() -> None:
    receipt = parse.receipt(raw_receipt([], l1Fee=hex(50)), block_at_ms=9, wrapped_address=WRAPPED)
    assert receipt.fee_paid_raw == 700_050
    assert receipt.block == BlockRef(16, HASH, 9)


def test_buy_when_token_takes_a_tax_then_only_what_arrived_counts() -> None:
    logs = [
        wrapped_log(abi.TOPIC_DEPOSIT, ROUTER, 1_000, 0),
        transfer_log(WRAPPED, ROUTER, POOL, 1_000, 1),
        transfer_log(BASE, POOL, FEE_WALLET, 50, 2),
        transfer_log(BASE, POOL, WALLET, 450, 3),
    ]
    receipt = parse.receipt(raw_receipt(logs), block_at_ms=0, wrapped_address=WRAPPED)
    assert amounts(receipt, "buy") == (1_000, 450)


def test_sell_when_token_trades_its_own_taxes_then_only_our_coins_count() -> None:
    logs = [
        transfer_log(BASE, WALLET, BASE, 20, 0),
        transfer_log(BASE, BASE, POOL, 500, 1),
        wrapped_log(abi.TOPIC_WITHDRAWAL, ROUTER, 9_999, 2),
        transfer_log(BASE, WALLET, POOL, 380, 3),
        transfer_log(WRAPPED, POOL, ROUTER, 700, 4),
        wrapped_log(abi.TOPIC_WITHDRAWAL, ROUTER, 700, 5),
    ]
    receipt = parse.receipt(raw_receipt(logs), block_at_ms=0, wrapped_address=WRAPPED)
    assert amounts(receipt, "sell") == (400, 700)


def test_receipt_when_another_contract_logs_a_deposit_then_it_is_ignored() -> None:
    logs = [wrapped_log(abi.TOPIC_DEPOSIT, ROUTER, 5, 0, address=BASE)]
    receipt = parse.receipt(raw_receipt(logs), block_at_ms=0, wrapped_address=WRAPPED)
    assert receipt.transfers == ()
    with pytest.raises(BadDataError):
        amounts(receipt, "buy")


def test_receipt_when_logs_come_out_of_order_then_transfers_are_in_order() -> None:
    logs = [transfer_log(BASE, POOL, WALLET, 2, 7), transfer_log(BASE, POOL, WALLET, 1, 4)]
    receipt = parse.receipt(raw_receipt(logs), block_at_ms=0, wrapped_address=WRAPPED)
    assert [move.log_index for move in receipt.transfers] == [4, 7]


def test_receipt_when_it_holds_another_standards_transfers_then_they_are_left_out() -> None:
    odd = raw_log([abi.TOPIC_TRANSFER, HASH, HASH, HASH], b"", address=BASE)
    receipt = parse.receipt(raw_receipt([odd]), block_at_ms=0, wrapped_address=WRAPPED)
    assert receipt.transfers == ()


@given(st.lists(st.tuples(st.sampled_from([WALLET, POOL, FEE_WALLET]), st.integers(0, 10**30)), max_size=8))
def test_buy_when_tokens_go_many_ways_then_fill_is_the_wallets_net(moves: list[tuple[str, int]]) -> None:
    transfers = [
        TokenTransfer(
            token_address=WRAPPED, sender=parse.ZERO_ADDRESS, recipient=ROUTER, amount_raw=5, log_index=0
        )
    ]
    for index, (recipient, amount) in enumerate(moves, start=1):
        transfers.append(
            TokenTransfer(
                token_address=BASE, sender=ROUTER, recipient=recipient, amount_raw=amount, log_index=index
            )
        )
    receipt = Receipt(
        tx_hash=HASH,
        succeeded=True,
        block=BlockRef(1, HASH, 0),
        gas_used=1,
        fee_paid_raw=1,
        transfers=tuple(transfers),
    )
    net = sum(amount for recipient, amount in moves if recipient == WALLET)
    if net:
        assert amounts(receipt, "buy") == (5, net)
    else:
        with pytest.raises(BadDataError):
            amounts(receipt, "buy")


# -- token texts ----------------------------------------------------------------------------------


def text_answer(text: str) -> bytes:
    return encode(["string"], [text])


@pytest.mark.parametrize(
    ("answer", "text", "faults"),
    [
        (text_answer("Sample Token"), "Sample Token", ()),
        (text_answer(""), "", ("name_empty",)),
        (None, "", ("name_reverts",)),
        (b"", "", ("name_absent",)),
        (b"MKR".ljust(32, b"\0"), "MKR", ("name_bytes32",)),
        (b"\0" * 32, "", ("name_bytes32",)),
        (b"short", "short", ("name_malformed",)),
        (text_answer("a\u202eb"), "ab", ("name_bidi",)),
        (text_answer("a\u200fb"), "ab", ("name_bidi",)),
        (text_answer("a\x00\x1bb\nc"), "abc", ("name_control",)),
        (text_answer("a\u200bb"), "ab", ("name_control",)),
        (text_answer("  two   words\u2003here "), "two words here", ()),
        (text_answer("e" + "\u0301" * 20), "\u00e9\u0301\u0301", ("name_marks",)),
        (encode(["bytes"], [b"ok\xff\xfe"]), "ok", ("name_not_utf8",)),
        (abi.word_of(2**200) + abi.word_of(5), "", ("name_malformed",)),
        (abi.word_of(32) + abi.word_of(2**255) + b"abc", "abc", ("name_malformed",)),
    ],
)
def test_name_when_odd_then_cleaned_with_fault(
    answer: bytes | None, text: str, faults: tuple[str, ...]
) -> None:
    assert token_text(answer, part="name", chars_max=NAME_CHARS_MAX) == (text, faults)


@pytest.mark.parametrize("size", [65, 1_024, 1_025, 10_240, 1_000_000])
def test_name_when_long_then_cut(size: int) -> None:
    text, faults = token_text(text_answer("é" * size), part="name", chars_max=NAME_CHARS_MAX)
    assert text == "é" * NAME_CHARS_MAX
    assert faults == ("name_cut",)


@given(st.binary(max_size=300) | st.text(max_size=200).map(text_answer))
def test_any_bytes_when_read_as_symbol_then_bounded_printable_text(answer: bytes) -> None:
    text, _ = token_text(answer, part="symbol", chars_max=SYMBOL_CHARS_MAX)
    assert len(text) <= SYMBOL_CHARS_MAX
    assert text.isprintable()
    assert text == text.strip()


@pytest.mark.parametrize(
    ("answer", "decimals", "faults"),
    [
        (abi.word_of(18), 18, ()),
        (abi.word_of(0), 0, ()),
        (abi.word_of(77), 77, ()),
        (abi.word_of(78), None, ("decimals_absurd",)),
        (abi.word_of(2**256 - 1), None, ("decimals_absurd",)),
        (b"\x12", None, ("decimals_absent",)),
        (None, None, ("decimals_reverts",)),
    ],
)
def test_decimals_when_absurd_then_none_with_fault(
    answer: bytes | None, decimals: int | None, faults: tuple[str, ...]
) -> None:
    assert token_decimals(answer) == (decimals, faults)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no reason given"),
        (bytes.fromhex("08c379a0") + text_answer("Cooldown"), "Cooldown"),
        (bytes.fromhex("08c379a0") + text_answer("a\u202eb" * 500), ("ab" * 500)[:120]),
        (bytes.fromhex("08c379a0"), "no reason given"),
        (bytes.fromhex("4e487b71") + abi.word_of(0x11), "panic: arithmetic overflow"),
        (bytes.fromhex("deadbeef00"), "custom error 0xdeadbeef"),
    ],
)
def test_revert_when_decoded_then_clean_bounded_words(data: bytes, words: str) -> None:
    assert revert_reason(data) == words
