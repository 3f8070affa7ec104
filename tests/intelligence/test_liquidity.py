"""Worth of the pool and what of it can be taken out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.intelligence.logic import liquidity
from tests.intelligence.subjects import ETHER, LISTING, address, reserves, subject

AMOUNTS = st.integers(min_value=0, max_value=2**256 - 1)


def figures(**facts: Any) -> dict[str, Any]:
    return {item.code: item for item in liquidity.estimates(subject(**facts))}


def test_quote_side_is_valued_then_liquidity_is_exact() -> None:
    found = figures()["liquidity_usd"]
    assert (found.value, found.low, found.high, found.confidence) == (
        25_000 * 10**6,
        found.value,
        found.value,
        1,
    )


def test_empty_pool_without_price_then_liquidity_is_zero_not_unknown() -> None:
    assert figures(reserves=reserves(quote=0), quote_price_usd_micros=None)["liquidity_usd"].value == 0


def test_price_missing_then_liquidity_is_unknown_with_its_reason() -> None:
    found = figures(quote_price_usd_micros=None, missing={"quote_price_usd_micros": "no stable pool"})
    assert found["liquidity_usd"].reason_unknown == "no stable pool"
    assert found["quote_price_usd"].reason_unknown == "no stable pool"


def test_burned_and_locked_then_the_rest_is_removable() -> None:
    found = figures()
    assert found["lp_burned_bps"].value == 6_000
    assert found["lp_removable_bps"].value == 500


def test_one_unit_left_then_removable_rounds_up_and_burned_down() -> None:
    found = figures(lp_total_supply_raw=10**30, lp_burned_raw=10**30 - 1, lp_locked_raw=0)
    assert found["lp_removable_bps"].value == 1
    assert found["lp_burned_bps"].value == 9_999


def test_no_liquidity_tokens_then_removable_is_unknown() -> None:
    found = figures(lp_total_supply_raw=0, lp_burned_raw=0, lp_locked_raw=0)["lp_removable_bps"]
    assert found.value is None
    assert "nobody has added liquidity" in found.reason_unknown


def test_more_burned_than_there_is_then_unknown() -> None:
    assert figures(lp_burned_raw=900 * ETHER, lp_locked_raw=200 * ETHER)["lp_removable_bps"].value is None


@pytest.mark.parametrize("part", ["lp_total_supply_raw", "lp_burned_raw", "lp_locked_raw"])
def test_a_part_is_unknown_then_removable_is_unknown(part: str) -> None:
    assert figures(**{part: None})["lp_removable_bps"].value is None


def test_quote_in_other_letter_case_then_it_is_still_the_native_coin() -> None:
    upper = replace(LISTING, quote=replace(LISTING.quote, address="0x" + LISTING.quote.address[2:].upper()))
    stable = replace(LISTING, quote=replace(LISTING.quote, address=address(77)))
    for listing, native in ((upper, 1), (stable, 0)):
        [found] = [i for i in liquidity.estimates(subject(listing=listing)) if i.code == "quote_is_native"]
        assert found.value == native


@given(total=AMOUNTS, burned=AMOUNTS, locked=AMOUNTS)
def test_any_amounts_then_shares_lie_within_bounds_and_add_up(total: int, burned: int, locked: int) -> None:
    found = figures(lp_total_supply_raw=total, lp_burned_raw=burned, lp_locked_raw=locked)
    for code in ("lp_burned_bps", "lp_removable_bps"):
        value = found[code].value
        assert value is None or 0 <= value <= 10_000
    removable, burnt = found["lp_removable_bps"].value, found["lp_burned_bps"].value
    if removable is not None and burnt is not None:
        assert removable + burnt <= 10_000


@given(total=st.integers(1, 2**128), burned=st.integers(0, 2**128), more=st.integers(0, 2**128))
def test_more_is_burned_then_removable_never_rises(total: int, burned: int, more: int) -> None:
    before = figures(lp_total_supply_raw=total, lp_burned_raw=burned, lp_locked_raw=0)[
        "lp_removable_bps"
    ].value
    after = figures(lp_total_supply_raw=total, lp_burned_raw=burned + more, lp_locked_raw=0)[
        "lp_removable_bps"
    ].value
    assert before is None or after is None or after <= before
