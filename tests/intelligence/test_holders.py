"""Shares of holders, and the price after the maker sold."""

from __future__ import annotations

from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.intelligence.logic import holders
from apps.intelligence.logic.pool_sale import dump_drop_bps
from tests.intelligence.subjects import LOCKER, POOL, SUPPLY, address, reserves, subject

AMOUNTS = st.integers(min_value=0, max_value=2**256 - 1)
RESERVES = st.integers(min_value=1, max_value=2**112 - 1)


def figures(**facts: Any) -> dict[str, Any]:
    return {item.code: item for item in holders.estimates(subject(**facts))}


def test_healthy_pair_then_shares_are_exact() -> None:
    found = figures()
    assert found["creator_holding_bps"].value == 100
    assert found["holders_top10_bps"].value == 1_000
    assert found["holder_count"].value == 20


def test_pool_and_locker_hold_then_they_do_not_count() -> None:
    found = figures(
        holders=(
            (POOL, SUPPLY // 2),
            (LOCKER.upper().replace("X", "x"), SUPPLY // 4),
            (address(9), SUPPLY // 10),
        )
    )
    assert found["holders_top10_bps"].value == 1_000
    assert found["holder_count"].value == 1


def test_one_raw_unit_is_held_then_the_share_rounds_up() -> None:
    assert figures(base_creator_raw=1)["creator_holding_bps"].value == 1


def test_maker_holds_more_than_there_is_then_unknown() -> None:
    assert figures(base_creator_raw=SUPPLY + 1)["creator_holding_bps"].value is None


def test_pool_holds_more_than_there_is_then_the_supply_is_unknown() -> None:
    assert figures(reserves=reserves(base=SUPPLY + 1))["token_supply"].value is None


def test_holders_unread_then_unknown_with_reason() -> None:
    found = figures(holders=None, missing={"holders": "more than 5000 events"})
    assert found["holders_top10_bps"].reason_unknown == "more than 5000 events"
    assert found["holder_count"].reason_unknown == "more than 5000 events"


@pytest.mark.parametrize(
    ("base", "sold", "fee", "drop"),
    [
        (1_000, 0, 30, 0),
        (1_000, 1_000, 0, 7_500),  # as much as the pool holds, without a fee: a quarter of the price is left
        (1_000, 1_000, 30, 7_497),  # 1 / (2 · 1.997) is left
        (10**24, 10**22, 30, 197),
    ],
)
def test_maker_sells_all_then_the_price_falls_by_the_closed_form(
    base: int, sold: int, fee: int, drop: int
) -> None:
    assert dump_drop_bps(base_raw=base, fee_bps=fee, sold_raw=sold) == drop


def test_pool_is_empty_then_the_fall_is_unknown() -> None:
    assert figures(reserves=reserves(base=0))["creator_dump_drop_bps"].value is None


@given(base=RESERVES, sold=AMOUNTS, fee=st.integers(0, 9_999))
def test_any_sale_then_the_fall_is_the_exact_one_rounded_up(base: int, sold: int, fee: int) -> None:
    drop = dump_drop_bps(base_raw=base, fee_bps=fee, sold_raw=sold)
    assert 0 <= drop <= 10_000
    # Price after over price before, by replaying the swap in exact fractions: (y - out)/(x + q) against y/x.
    paid = Fraction(sold * (10_000 - fee), 10_000)
    left = Fraction(base, base + sold) * Fraction(base) / (base + paid)
    exact = (1 - left) * 10_000
    assert drop == ceil(exact)


@given(base=RESERVES, sold=AMOUNTS, more=AMOUNTS)
def test_more_is_sold_then_the_price_never_falls_less(base: int, sold: int, more: int) -> None:
    less = dump_drop_bps(base_raw=base, fee_bps=30, sold_raw=sold)
    assert dump_drop_bps(base_raw=base, fee_bps=30, sold_raw=sold + more) >= less


@given(supply=AMOUNTS, creator=AMOUNTS, balances=st.lists(AMOUNTS, max_size=15))
def test_any_balances_then_shares_lie_within_bounds(supply: int, creator: int, balances: list[int]) -> None:
    held = tuple((address(5_000 + n), raw) for n, raw in enumerate(balances))
    found = figures(base_total_supply_raw=supply, base_creator_raw=creator, holders=held)
    for code in ("creator_holding_bps", "holders_top10_bps"):
        value = found[code].value
        assert value is None or 0 <= value <= 10_000
