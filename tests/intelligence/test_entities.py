"""Who belongs together: two independent reasons merge, one makes a suspicion, nothing is invented."""

from __future__ import annotations

import time
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.entities import Entities, FundingLink, MergeReason, TokenMove, Trade
from apps.intelligence.logic.entities import Reading, entities_of, hypergeometric_tail, merged
from tests.intelligence.crowds import link, move, trade


def reason(code: str, *addresses: str) -> MergeReason:
    return MergeReason(code=code, addresses=addresses, evidence=(), weight_bps=5_000)


def members(entities: Entities) -> list[tuple[str, ...]]:
    return [entity.members for entity in entities.merged]


def suspicions(entities: Entities) -> list[tuple[str, tuple[str, ...]]]:
    return [(item.code, item.addresses) for item in entities.suspected]


def test_merge_when_two_families_agree_then_joined_and_explained() -> None:
    found = merged([reason("unpaid_transfer", "a", "b", "c"), reason("same_funder", "b", "c", "d")])
    assert members(found) == [("b", "c")]
    assert found.key_of("c") == "b"
    assert found.key_of("a") == "a"
    assert {item.code for item in found.merged[0].reasons} == {"unpaid_transfer", "same_funder"}
    assert all(set(item.addresses) <= {"b", "c"} for item in found.merged[0].reasons)


def test_merge_when_both_reasons_are_of_one_family_then_only_suspected() -> None:
    found = merged([reason("unpaid_transfer", "a", "b"), reason("consolidation", "a", "b")])
    assert not found.merged
    assert len(found.suspected) == 2


def test_gift_and_common_coins_when_both_name_two_then_merged() -> None:
    reading = Reading(
        trades=(),
        moves=(move("maker", "a", block=1), move("maker", "b", block=1), move("maker", "fan", block=1)),
        funding=(link("rich", "a"), link("rich", "b", at_s=60), link("other", "fan")),
    )
    assert members(entities_of(reading)) == [("a", "b")]


@pytest.mark.parametrize(
    ("funding", "why"),
    [
        ((link("x", "a", is_hub=True), link("x", "b", is_hub=True)), "a hub pays everybody"),
        ((link("x", "a"), link("x", "b", at_s=3_601)), "more than an hour apart"),
        ((link("x", "a"), link("x", "b", amount=2 * 10**18)), "different amounts"),
    ],
)
def test_common_coins_when_they_show_nothing_then_nobody_is_joined(
    funding: tuple[FundingLink, ...], why: str
) -> None:
    reading = Reading(
        trades=(), moves=(move("maker", "a", block=1), move("maker", "b", block=1)), funding=funding
    )
    assert not entities_of(reading).merged, why


def test_one_payment_to_many_when_it_pays_few_then_counts_even_from_a_hub() -> None:
    moves = (move("maker", "a", block=1), move("maker", "b", block=1))
    few = (link("x", "a", tx="0x1", is_hub=True, paid=3), link("x", "b", tx="0x1", is_hub=True, paid=3))
    assert members(entities_of(Reading(trades=(), moves=moves, funding=few))) == [("a", "b")]
    many = (link("x", "a", tx="0x1", is_hub=True, paid=90), link("x", "b", tx="0x1", is_hub=True, paid=90))
    assert not entities_of(Reading(trades=(), moves=moves, funding=many)).merged


def test_excluded_address_when_it_links_people_then_it_links_nobody() -> None:
    reading = Reading(
        trades=(),
        moves=(move("exchange", "a", block=1), move("exchange", "b", block=1)),
        funding=(link("rich", "a"), link("rich", "b")),
        excluded=frozenset({"exchange"}),
    )
    found = entities_of(reading)
    assert not found.merged
    assert suspicions(found) == [("same_funder", ("a", "b"))]


def test_gift_circle_when_it_sells_in_one_block_then_merged() -> None:
    crowd = [trade(f"r{number}", "buy", block=10 + number) for number in range(30)]
    dump = [trade(name, "sell", block=60) for name in ("maker", "a", "b")]
    reading = Reading(
        trades=(*crowd, *dump), moves=(move("maker", "a", block=1), move("maker", "b", block=1))
    )
    assert members(entities_of(reading)) == [("a", "b", "maker")]


def test_airdrop_when_its_receivers_sell_now_and_then_then_nobody_is_joined() -> None:
    moves = tuple(move("maker", f"a{number}", block=1) for number in range(30))
    sales = tuple(trade(f"a{number}", "sell", block=10 + number // 3) for number in range(30))
    assert not entities_of(Reading(trades=sales, moves=moves)).merged


def test_bundle_when_amounts_are_alike_and_it_leaves_together_then_merged() -> None:
    bundle = [trade(f"p{number}", "buy", block=1, quote=1_000 + number) for number in range(6)]
    crowd = [trade(f"r{number}", "buy", block=2 + number, quote=10 * number + 1) for number in range(40)]
    leaves = [trade(f"p{number}", "sell", block=90) for number in range(6)]
    found = entities_of(Reading(trades=(*bundle, *crowd, *leaves), launch_block=1))
    assert members(found) == [tuple(f"p{number}" for number in range(6))]
    unseen = entities_of(Reading(trades=(*bundle, *crowd, *leaves)))  # where the first trades were not read
    assert not unseen.merged
    assert [code for code, _ in suspicions(unseen)] == ["same_act"]


def test_acting_together_when_it_happened_in_other_pools_too_then_merged() -> None:
    names = ("p0", "p1", "p2", "p3", "p4")
    crowd = [trade(f"r{number}", "buy", block=20 + number) for number in range(40)]
    acts = [trade(name, "buy", block=10) for name in names]
    leaves = [trade(name, "sell", block=90) for name in names]
    reading = Reading(
        trades=(*acts, *crowd, *leaves),
        together={("p0", "p1"): 3, ("p1", "p2"): 2, ("p3", "p4"): 0, ("p0", "zz"): 9},
    )
    assert members(entities_of(reading)) == [("p0", "p1", "p2")]


def test_crowd_when_everybody_trades_at_random_then_next_to_nobody_is_joined() -> None:
    joined = 0
    for seed in range(40):
        chance = Random(seed)
        trades: list[Trade] = []
        holders: list[str] = []
        for block in range(1, 80):
            for at in range(chance.randint(0, 5)):
                if holders and chance.random() < 0.45:
                    trades.append(
                        trade(holders.pop(chance.randrange(len(holders))), "sell", block=block, at=at)
                    )
                else:
                    who = f"r{chance.randrange(60)}"
                    amount = int(10**18 * chance.lognormvariate(0, 1.4))
                    trades.append(trade(who, "buy", block=block, at=at, quote=amount))
                    holders.append(who)
        joined += len(entities_of(Reading(trades=trades, launch_block=1)).merged)
    assert joined == 0


def test_tail_when_drawn_by_hand_then_exact() -> None:
    assert hypergeometric_tail(population=10, marked=4, drawn=3, hits=3) == pytest.approx(4 / 120)
    assert hypergeometric_tail(population=10, marked=4, drawn=3, hits=0) == pytest.approx(1)


# -- whatever is read ---------------------------------------------------------------------
_names = st.sampled_from([f"n{number}" for number in range(9)])
_trades = st.lists(
    st.builds(
        trade,
        _names,
        st.sampled_from(["buy", "sell"]),
        block=st.integers(1, 12),
        at=st.integers(0, 5),
        quote=st.integers(0, 50),
        base=st.integers(0, 50),
    ),
    max_size=60,
)
_moves = st.lists(st.builds(move, _names, _names, block=st.integers(1, 12)), max_size=12)
_links = st.lists(
    st.builds(
        link, _names, _names, at_s=st.integers(0, 9_000), amount=st.integers(0, 9), is_hub=st.booleans()
    ),
    max_size=12,
)


@given(
    trades=_trades,
    moves=_moves,
    links=_links,
    excluded=st.sets(_names, max_size=3),
    launch=st.none() | st.integers(0, 12),
)
def test_anything_when_read_then_each_address_has_one_entity_and_two_families_show_it(
    trades: list[Trade],
    moves: list[TokenMove],
    links: list[FundingLink],
    excluded: set[str],
    launch: int | None,
) -> None:
    found = entities_of(
        Reading(trades=trades, moves=moves, funding=links, excluded=frozenset(excluded), launch_block=launch)
    )
    seen = {item.address for item in trades}
    for gift in moves:
        seen |= {gift.source, gift.target}
    for coins in links:
        seen |= {coins.source, coins.target}
    named = [address for entity in found.merged for address in entity.members]
    assert len(named) == len(set(named))
    assert set(named) <= seen - excluded
    for entity in found.merged:
        assert len(entity.members) > 1
        assert len({item.code for item in entity.reasons}) > 1
        assert all(found.key_of(address) == entity.key for address in entity.members)
    for item in found.suspected:
        assert set(item.addresses) <= seen - excluded


def test_five_thousand_trades_when_read_then_quick() -> None:
    chance = Random(1)
    trades = [
        trade(
            f"r{chance.randrange(1_500)}",
            "buy" if chance.random() < 0.6 else "sell",
            block=number // 4,
            at=number % 4,
            quote=chance.randrange(1, 10**18),
        )
        for number in range(5_000)
    ]
    moves = [
        move(f"r{chance.randrange(300)}", f"r{chance.randrange(1_500)}", block=number)
        for number in range(1_000)
    ]
    links = [link(f"f{chance.randrange(20)}", f"r{number}", at_s=number) for number in range(100)]
    reading = Reading(trades=trades, moves=moves, funding=links, launch_block=0)
    durations = []  # of our own work: other programs on the machine do not count
    for _ in range(5):
        started = time.process_time()
        entities_of(reading)
        durations.append(time.process_time() - started)
    assert min(durations) < 0.05
