"""Whose liquidity a concentrated pool holds at its price."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from apps.intelligence.logic.position_owners import LiquidityPosition, OwnedLiquidity, liquidity_owned

BURNED, LOCKER, MAKER, STRANGER = "0xdead", "0x10c", "0xaa", "0xbb"
BEYOND_S = 1_000


def position(owner: str, liquidity: int, *, low: int = -10, high: int = 10, until: int | None = None) -> Any:
    return LiquidityPosition(
        owner=owner, liquidity=liquidity, tick_lower=low, tick_upper=high, locked_until_s=until
    )


def owned(*positions: LiquidityPosition, tick: int = 0) -> OwnedLiquidity | None:
    return liquidity_owned(
        positions,
        tick=tick,
        burned=frozenset({BURNED}),
        lockers=frozenset({LOCKER}),
        insiders=frozenset({MAKER}),
        locked_beyond_s=BEYOND_S,
    )


def test_owners_differ_then_each_has_its_share() -> None:
    found = owned(
        position(BURNED, 50), position(LOCKER, 30, until=1_001), position(MAKER, 15), position(STRANGER, 5)
    )
    assert found == OwnedLiquidity(
        removable_bps=2_000,
        burned_bps=5_000,
        locked_bps=3_000,
        creator_bps=1_500,
        positions=4,
        out_of_range=0,
    )


def test_lock_ends_too_soon_or_its_end_is_unknown_then_it_is_removable() -> None:
    for until in (None, 1_000):
        found = owned(position(LOCKER, 1, until=until))
        assert found is not None
        assert (found.removable_bps, found.locked_bps) == (10_000, 0)


def test_position_lies_beside_the_price_then_it_holds_nothing_now() -> None:
    found = owned(position(BURNED, 10**30, low=10, high=20), position(MAKER, 1))
    assert found is not None
    assert (found.removable_bps, found.burned_bps, found.out_of_range) == (10_000, 0, 1)
    assert owned(position(MAKER, 1), tick=10) is None  # the upper end is not part of a range
    assert owned(position(MAKER, 1), tick=-10) is not None
    assert owned() is None


@given(
    st.lists(
        st.builds(
            position,
            st.sampled_from([BURNED, LOCKER, MAKER, STRANGER]),
            st.integers(0, 2**128 - 1),
            low=st.integers(-5, 0),
            high=st.integers(1, 5),
            until=st.none() | st.integers(0, 2_000),
        ),
        max_size=20,
    )
)
def test_any_positions_then_shares_agree_and_never_flatter(positions: list[LiquidityPosition]) -> None:
    found = owned(*positions)
    if sum(item.liquidity for item in positions) == 0:
        assert found is None
        return
    assert found is not None
    assert 10_000 <= found.removable_bps + found.burned_bps + found.locked_bps + 2 <= 10_003
    assert found.creator_bps <= found.removable_bps
