"""Who was given tokens without paying the pool for them, by the token's own events."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import abi, parse
from apps.chains.evm.supplied import supplied_holders, unpaid_moves


def address(number: int) -> str:
    return f"0x{number:040x}"


ZERO, POOL, CREATOR, ROUTER, FRIEND, HEIR, BUYER = parse.ZERO_ADDRESS, *(address(n) for n in range(1, 7))


def move(sender: str, recipient: str, tx_hash: str, *, at: int = 0) -> parse.Log:
    return parse.Log(
        address=address(99),
        topics=(abi.TOPIC_TRANSFER, abi.address_topic(sender), abi.address_topic(recipient)),
        data=b"\x00" * 31 + b"\x01",
        block_number=at,
        block_hash="0x",
        block_at_ms=None,
        tx_hash=tx_hash,
        log_index=0,
    )


def found(*moves: parse.Log, trades: frozenset[str] = frozenset(), **held: int) -> dict[str, str]:
    names = {"friend": FRIEND, "heir": HEIR, "buyer": BUYER, "router": ROUTER}
    answer = supplied_holders(
        transfers=moves,
        trades=trades,
        insiders=frozenset({CREATOR}),
        pool=POOL,
        apart=frozenset({ROUTER}),
        holders=[(names[name], raw) for name, raw in held.items()],
    )
    return {item.address: item.tx_hash for item in answer}


def test_creator_gives_and_the_gift_is_given_on_then_both_are_named_with_their_first_gift() -> None:
    moves = (move(CREATOR, FRIEND, "0xa"), move(FRIEND, HEIR, "0xb"), move(CREATOR, HEIR, "0xc"))
    assert found(*moves, friend=5, heir=3) == {FRIEND: "0xa", HEIR: "0xb"}


def test_tokens_are_minted_to_somebody_then_he_was_supplied() -> None:
    assert found(move(ZERO, FRIEND, "0xa"), friend=5) == {FRIEND: "0xa"}


def test_somebody_buys_from_the_pool_then_he_was_not() -> None:
    assert found(move(POOL, BUYER, "0xa"), buyer=5) == {}


def test_somebody_buys_through_a_contract_that_the_creator_sold_through_then_he_was_not() -> None:
    broker = address(50)
    moves = (
        move(CREATOR, broker, "0xsale"),
        move(broker, POOL, "0xsale"),
        move(POOL, broker, "0xbuy"),
        move(broker, BUYER, "0xbuy"),
    )
    assert found(*moves, buyer=5) == {}
    assert found(*moves, trades=frozenset({"0xsale", "0xbuy"}), buyer=5) == {}


def test_tokens_pass_through_the_router_then_nobody_is_supplied_by_it() -> None:
    assert found(move(CREATOR, ROUTER, "0xa"), move(ROUTER, BUYER, "0xb"), router=1, buyer=5) == {}


def test_gift_came_after_the_giver_was_only_a_buyer_then_it_is_none() -> None:
    moves = (move(POOL, BUYER, "0xa"), move(BUYER, HEIR, "0xb"))
    assert found(*moves, buyer=1, heir=5) == {}


def test_gift_is_gone_then_it_is_not_named() -> None:
    assert found(move(CREATOR, FRIEND, "0xa"), friend=0) == {}


PEOPLE = [ZERO, POOL, CREATOR, ROUTER, FRIEND, HEIR, BUYER]


@given(
    moves=st.lists(
        st.tuples(st.sampled_from(PEOPLE), st.sampled_from(PEOPLE), st.sampled_from("abcdef")), max_size=40
    )
)
def test_any_events_then_only_holders_are_named_and_never_pool_router_or_creator(
    moves: list[tuple[str, str, str]],
) -> None:
    answer = found(*(move(*item) for item in moves), friend=2, heir=1, buyer=3, router=4)
    assert set(answer) <= {FRIEND, HEIR, BUYER}


def test_moves_when_some_are_paid_burnt_or_pass_through_contracts_then_only_gifts_stay_in_order() -> None:
    moves = (
        move(CREATOR, FRIEND, "0xa", at=1),
        move(POOL, BUYER, "0xb", at=2),  # bought
        move(BUYER, HEIR, "0xb", at=2),  # passed on in the same purchase
        move(CREATOR, ROUTER, "0xc", at=3),
        move(FRIEND, ZERO, "0xd", at=4),
        move(ZERO, FRIEND, "0xe", at=5),
        move(FRIEND, HEIR, "0xf", at=6),
        move(HEIR, FRIEND, "0x10", at=7),  # in a transaction with a swap
    )
    found = unpaid_moves(moves, trades=frozenset({"0x10"}), pool=POOL, apart=frozenset({ROUTER}))
    assert [(item.tx_hash, item.source, item.target, item.base_raw) for item in found] == [
        ("0xa", CREATOR, FRIEND, 1),
        ("0xf", FRIEND, HEIR, 1),
    ]
