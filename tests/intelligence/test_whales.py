"""Large holders and first buyers, by entity: what is told, when it is unknown, that nothing is invented."""

from __future__ import annotations

import time
from decimal import Decimal
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.entities import Entities, Entity, MergeReason, TokenMove, Trade
from apps.domain.estimate import Estimate
from apps.intelligence.logic.bundles import opening_of
from apps.intelligence.logic.crowd import Crowd, wilson
from apps.intelligence.logic.entities import Reading, entities_of
from apps.intelligence.logic.wallet_quality import closed_tokens, wallet_quality_bps
from apps.intelligence.logic.whales import estimates
from tests.intelligence.crowds import move, trade

HOUR_S = 3_600


def crowd(**changes: Any) -> Crowd:
    fields: dict[str, Any] = {
        "as_of_ms": 10 * HOUR_S * 1_000,
        "created_ms": 0,
        "fee_bps": 30,
        "entities": Entities(),
        "trades": (),
        "holders": (),
        "supply_raw": 10_000,
        "reserve_base_raw": 5_000,
        "reserve_quote_raw": 10**20,
    }
    return Crowd(**(fields | changes))


def found(**changes: Any) -> dict[str, Estimate]:
    return {item.code: item for item in estimates(crowd(**changes))}


def together(*members: str) -> Entities:
    return Entities(merged=(Entity(key=min(members), members=tuple(sorted(members)), reasons=()),))


def test_concentration_when_wallets_are_one_person_then_the_hidden_part_is_told() -> None:
    holders = tuple((f"w{number:02}", 100) for number in range(20))
    apart = found(holders=holders)["hidden_concentration_bps"]
    assert apart.value == 0
    joined = found(holders=holders, entities=together(*(name for name, _ in holders)))
    assert joined["hidden_concentration_bps"].value == 1_000  # 20 % of the supply instead of 10 %
    assert joined["entities_hhi_bps"].value == 10_000
    single = found(holders=holders)["entity_dump_top1_bps"].value
    whole = joined["entity_dump_top1_bps"].value
    assert single is not None
    assert whole is not None
    assert whole > 5 * single


def test_concentration_when_a_suspicion_would_join_them_then_only_the_bound_rises() -> None:
    holders = tuple((f"w{number:02}", 100) for number in range(20))
    hint = MergeReason(
        code="same_act", addresses=tuple(name for name, _ in holders), evidence=(), weight_bps=5_000
    )
    hidden = found(holders=holders, entities=Entities(suspected=(hint,)))["hidden_concentration_bps"]
    assert [hidden.value, hidden.low, hidden.high] == [Decimal(0), Decimal(0), Decimal(1_000)]


def test_concentration_when_holders_contradict_the_supply_then_unknown() -> None:
    hidden = found(holders=(("a", 20_000),))["hidden_concentration_bps"]
    assert hidden.value is None
    assert "contradict" in hidden.reason_unknown


def _whale_trades(side: Any, *, count: int, people: int) -> tuple[Trade, ...]:
    start = 9 * HOUR_S + 10
    return tuple(
        trade(f"w{number % people}", side, block=start + number, quote=3 * 10**18, base=10)
        for number in range(count)
    )


def test_accumulation_when_whales_only_buy_then_high_with_an_interval() -> None:
    told = found(trades=_whale_trades("buy", count=24, people=6))
    hour = told["whale_accumulation_1h_bps"]
    assert hour.value == 10_000
    assert hour.low is not None
    assert hour.low < 5_000  # six people are few
    assert hour.n == 24
    assert told["whale_accumulation_5m_bps"].value is None
    assert told["whale_accumulation_24h_bps"].reason_unknown == "the pair is younger than 24h"


@pytest.mark.parametrize(("count", "people"), [(19, 6), (40, 4)])
def test_accumulation_when_too_few_trades_or_people_then_unknown(count: int, people: int) -> None:
    hour = found(trades=_whale_trades("buy", count=count, people=people))["whale_accumulation_1h_bps"]
    assert hour.value is None
    assert f"{count} trades of {people}" in hour.reason_unknown


def test_accumulation_when_six_wallets_are_one_person_then_unknown() -> None:
    entities = together(*(f"w{number}" for number in range(6)))
    told = found(trades=_whale_trades("buy", count=24, people=6), entities=entities)
    assert told["whale_accumulation_1h_bps"].value is None


def test_accumulation_when_trades_are_small_then_they_are_no_whales() -> None:
    trades = tuple(
        trade(f"w{number % 6}", "buy", block=9 * HOUR_S + 10 + number, quote=10**18, base=10)
        for number in range(24)
    )
    assert found(trades=trades)["whale_accumulation_1h_bps"].value is None


def test_distribution_when_a_whale_sells_half_then_half_is_told() -> None:
    trades = (
        trade("w", "buy", block=10, base=1_000),
        trade("w", "sell", block=10 * HOUR_S - 60, base=500),
    )
    told = found(trades=trades, holders=(("w", 500),))["whale_distribution_bps"]
    assert told.value == 5_000
    assert told.confidence < 1


def test_distribution_when_tokens_go_to_a_fresh_wallet_then_nothing_was_sold() -> None:
    told = found(
        trades=(trade("w", "buy", block=10, base=1_000),),
        moves=(move("w", "fresh", block=10 * HOUR_S - 60, base=1_000),),
        holders=(("fresh", 1_000),),
    )
    assert told["whale_distribution_bps"].value == 0


def test_distribution_when_holders_or_swaps_are_unread_then_unknown_with_their_reason() -> None:
    told = found(holders=None, reasons={"holders": "too many"})["whale_distribution_bps"]
    assert (told.value, told.reason_unknown) == (None, "too many")
    told = found(trades=None, reasons={"swaps": "busy"})["whale_distribution_bps"]
    assert (told.value, told.reason_unknown) == (None, "busy")
    recent = (trade("w", "buy", block=10 * HOUR_S - 60),)
    assert found(trades=recent, is_whole=False)["whale_distribution_bps"].value is None


def test_retention_when_half_of_the_first_buyers_left_then_half_is_retained() -> None:
    buys = [trade(f"e{number}", "buy", block=10 + number) for number in range(10)]
    sells = [trade(f"e{number}", "sell", block=50 + number) for number in range(5)]
    told = found(trades=(*buys, *sells), holders=tuple((f"e{number}", 100) for number in range(5, 10)))
    retained = told["early_retention_bps"]
    assert retained.value == 5_000
    assert retained.low is not None
    assert retained.high is not None
    assert retained.low < 5_000 < retained.high


def test_retention_when_tokens_moved_within_one_person_then_they_are_still_held() -> None:
    buys = tuple(trade(f"e{number}", "buy", block=10 + number) for number in range(6))
    moved = (move("e0", "vault", block=30, base=100),)
    holders = (("vault", 100), *((f"e{number}", 100) for number in range(1, 6)))
    assert found(trades=buys, moves=moved, holders=holders, entities=together("e0", "vault"))[
        "early_retention_bps"
    ].value == (10_000)


def test_retention_when_first_swaps_were_not_read_then_unknown() -> None:
    buys = tuple(trade(f"e{number}", "buy", block=10 + number) for number in range(6))
    assert found(trades=buys, is_whole=False)["early_retention_bps"].value is None


def test_distribution_flag_when_early_buyers_hand_over_to_small_ones_then_raised() -> None:
    now = 10 * HOUR_S
    buys = [trade(f"e{number}", "buy", block=10 + number, base=400) for number in range(6)]
    sells = [trade(f"e{number}", "sell", block=now - 500 + number, base=400) for number in range(4)]
    small = [
        trade(f"s{number}", "buy", block=now - 400 + number, base=1, quote=10**16) for number in range(8)
    ]
    assert found(trades=(*buys, *sells, *small))["distribution_flag"].value == 1
    assert found(trades=(*buys, *small))["distribution_flag"].value == 0
    assert found(trades=tuple(buys), created_ms=10 * HOUR_S * 1_000)["distribution_flag"].value is None


def test_opening_when_many_buy_in_the_first_block_then_bundle_and_snipers_are_told() -> None:
    first = [trade(f"b{number}", "buy", block=5, at=number, base=100) for number in range(5)]
    late = [trade("later", "buy", block=11, base=999), trade("fast", "buy", block=9, base=50)]
    told = found(trades=(*first, *late))
    assert [told["bundle_share_bps"].value, told["bundle_share_bps"].high] == [Decimal(0), Decimal(500)]
    hint = MergeReason(code="launch_bundle", addresses=("b0", "b1", "b2", "b3"), evidence=(), weight_bps=1)
    joined = found(trades=(*first, *late), entities=Entities(suspected=(hint,)))["bundle_share_bps"]
    assert [joined.value, joined.high] == [Decimal(400), Decimal(500)]
    assert told["sniper_share_bps"].value == 550
    assert told["sniper_count"].value == 6
    assert told["sniper_share_bps"].confidence == Decimal(1)


def test_opening_when_three_buy_first_then_no_bundle() -> None:
    first = [trade(f"b{number}", "buy", block=5, at=number, base=100) for number in range(3)]
    told = found(trades=tuple(first))
    assert [told["bundle_share_bps"].value, told["bundle_share_bps"].high] == [Decimal(0), Decimal(0)]
    assert found()["bundle_share_bps"].reason_unknown == "nobody has bought yet"


def test_opening_when_the_maker_buys_then_he_is_no_sniper() -> None:
    opening = opening_of((trade("maker", "buy", block=1),), Entities(), insiders=frozenset({"maker"}))
    assert opening is None


def test_sybil_share_when_some_are_merged_and_some_suspected_then_bounds_tell_both() -> None:
    trades = tuple(trade(f"e{number}", "buy", block=10 + number) for number in range(10))
    hint = MergeReason(code="same_act", addresses=("e4", "e5"), evidence=(), weight_bps=5_000)
    entities = Entities(merged=(Entity(key="e0", members=("e0", "e1", "e2"), reasons=()),), suspected=(hint,))
    told = found(trades=trades, entities=entities)["sybil_share_bps"]
    assert [told.value, told.low, told.high] == [Decimal(3_000), Decimal(3_000), Decimal(5_000)]


def test_wilson_when_all_agree_then_few_cases_stay_wide() -> None:
    low, high = wilson(1.0, 5)
    assert 0.5 < low < 0.7
    assert high == pytest.approx(1)


def test_wallet_quality_when_the_record_is_short_then_unknown_else_drawn_to_the_rest() -> None:
    prior = {"prior_wins": Decimal(4), "prior_closed": Decimal(10)}
    assert wallet_quality_bps(wins=19, closed=19, **prior) is None
    assert wallet_quality_bps(wins=20, closed=20, **prior) == 8_000


def test_closed_tokens_when_most_is_sold_then_counted_with_gain_or_loss() -> None:
    trades = [("a", "buy", 100, 10), ("a", "sell", 95, 12), ("b", "buy", 100, 10), ("b", "sell", 50, 90)]
    assert closed_tokens([*trades, ("c", "buy", 10, 5), ("c", "sell", 10, 4)]) == (1, 2)


# -- whatever is read ---------------------------------------------------------------------
_names = st.sampled_from([f"n{number}" for number in range(9)])
_trades = st.lists(
    st.builds(
        trade,
        _names,
        st.sampled_from(["buy", "sell"]),
        block=st.integers(1, 11 * HOUR_S),
        quote=st.integers(0, 10**19),
        base=st.integers(0, 500),
    ),
    max_size=60,
).map(lambda items: tuple(sorted(items, key=lambda item: (item.block, item.log_index))))
_moves = st.lists(st.builds(move, _names, _names, block=st.integers(1, 11 * HOUR_S)), max_size=9).map(
    lambda items: tuple(sorted(items, key=lambda item: item.block))
)


@given(
    trades=st.none() | _trades,
    moves=_moves,
    holders=st.none() | st.dictionaries(_names, st.integers(0, 2_000)).map(lambda item: tuple(item.items())),
    supply=st.none() | st.integers(0, 20_000),
    reserves=st.none() | st.integers(0, 10**20),
    is_whole=st.booleans(),
)
def test_anything_when_parts_are_missing_then_nothing_raises_and_nothing_is_invented(
    trades: tuple[Trade, ...] | None,
    moves: tuple[TokenMove, ...],
    holders: tuple[tuple[str, int], ...] | None,
    supply: int | None,
    reserves: int | None,
    is_whole: bool,
) -> None:
    entities = entities_of(Reading(trades=trades or (), moves=moves, launch_block=1))
    told = found(
        trades=trades,
        moves=moves,
        holders=holders,
        supply_raw=supply,
        reserve_base_raw=reserves,
        reserve_quote_raw=reserves,
        is_whole=is_whole,
        entities=entities,
    )
    for item in told.values():
        if item.value is None:
            assert item.confidence == 0
            assert item.reason_unknown
            continue
        assert item.low is not None
        assert item.high is not None
        assert item.low <= item.value <= item.high
        if item.unit == "bps":
            assert item.low >= -10_000
            assert item.high <= 10_000
    if trades is None:
        assert not any(told[code].is_known for code in told if "accumulation" in code or "sniper" in code)
    if holders is None:
        assert not told["whale_distribution_bps"].is_known
        assert not told["hidden_concentration_bps"].is_known


def test_five_thousand_trades_when_read_then_entities_and_whales_are_quick() -> None:
    chance = Random(2)
    trades = tuple(
        trade(
            f"r{chance.randrange(1_500)}",
            "buy" if chance.random() < 0.6 else "sell",
            block=number // 4 * 7,
            at=number % 4,
            quote=chance.randrange(1, 10**19),
        )
        for number in range(5_000)
    )
    moves = tuple(
        move(f"r{chance.randrange(300)}", f"r{chance.randrange(1_500)}", block=number * 8)
        for number in range(1_000)
    )
    holders = tuple((f"r{number}", chance.randrange(1, 50)) for number in range(1_500))
    durations = []  # of our own work: other programs on the machine do not count
    for _ in range(5):
        started = time.process_time()
        entities = entities_of(Reading(trades=trades, moves=moves, launch_block=0))
        estimates(crowd(trades=trades, moves=moves, holders=holders, supply_raw=10**6, entities=entities))
        durations.append(time.process_time() - started)
    assert min(durations) < 0.05
