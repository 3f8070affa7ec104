"""Third parties in the pool, its price since the first swap, and its age."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.domain.market import BlockRef
from apps.intelligence.logic import age, market
from tests.intelligence.subjects import (
    CREATED_AT_MS,
    CREATOR,
    ETHER,
    NOW_MS,
    OURS,
    OWNER,
    POOL,
    address,
    reserves,
    subject,
    swap,
)

AMOUNTS = st.integers(min_value=1, max_value=2**112 - 1)


def figures(**facts: Any) -> dict[str, Any]:
    return {item.code: item for item in market.estimates(subject(**facts))}


def test_third_parties_trade_then_each_counts_once_without_maker_and_ourselves() -> None:
    traders = (CREATOR, OWNER, OURS, POOL, address(50), address(50), address(51))
    swaps = (
        *(swap("buy", trader, index=n) for n, trader in enumerate(traders)),
        swap("sell", address(50)),
        swap("sell", OURS.upper().replace("X", "x")),
    )
    found = figures(swaps=swaps, owner=OWNER)
    assert (found["buyers_count"].value, found["sellers_count"].value) == (2, 1)


def test_nobody_traded_then_counts_are_zero_and_the_change_unknown() -> None:
    found = figures(swaps=())
    assert (found["buyers_count"].value, found["sellers_count"].value) == (0, 0)
    assert found["price_change_bps"].reason_unknown == "nobody has traded yet"


def test_swaps_unread_then_all_unknown() -> None:
    found = figures(swaps=None, missing={"swaps": "more than 2000 events"})
    assert {item.reason_unknown for item in found.values()} == {"more than 2000 events"}


def test_older_swaps_unread_then_counts_are_less_sure_and_the_change_unknown() -> None:
    found = figures(missing={"swaps_before": "only the last blocks"})
    assert found["buyers_count"].confidence == market.PARTLY_READ_CONFIDENCE
    assert found["price_change_bps"].reason_unknown == "only the last blocks"


def test_price_doubled_since_first_swap_then_plus_hundred_percent() -> None:
    swaps = (swap("buy", address(50), base=100 * ETHER, quote=ETHER),)
    found = figures(swaps=swaps, reserves=reserves(base=100 * ETHER, quote=2 * ETHER))["price_change_bps"]
    assert found.value == 10_000
    assert found.low is not None
    assert found.high is not None
    assert found.low < 10_000 < found.high


@given(base=AMOUNTS, quote=AMOUNTS, first_base=AMOUNTS, first_quote=AMOUNTS)
def test_any_prices_then_the_change_is_never_below_minus_all(
    base: int, quote: int, first_base: int, first_quote: int
) -> None:
    swaps = (swap("buy", address(50), base=first_base, quote=first_quote),)
    found = figures(swaps=swaps, reserves=reserves(base=base, quote=quote))["price_change_bps"]
    assert found.value is not None
    assert found.low is not None
    assert found.high is not None
    assert -10_000 <= found.low <= found.value <= found.high


def test_pair_age_then_whole_seconds_since_creation() -> None:
    [found] = age.estimates(subject())
    assert found.value == 60
    assert found.unit == "s"


def test_our_clock_runs_behind_the_chain_then_the_chain_counts() -> None:
    [found] = age.estimates(subject(now_ms=CREATED_AT_MS - 5_000))
    assert found.value == 40


def test_node_is_behind_the_creation_then_age_is_unknown() -> None:
    [found] = age.estimates(subject(block=BlockRef(99, "0xcc", CREATED_AT_MS), now_ms=NOW_MS))
    assert found.value is None
