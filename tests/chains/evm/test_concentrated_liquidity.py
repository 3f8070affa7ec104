"""Laws of swaps in concentrated liquidity."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.dex.concentrated_liquidity import (
    SQRT_PRICE_MAX,
    SQRT_PRICE_MIN,
    TICK_MAX,
    amount_out,
    sqrt_price_at,
    swap_quote,
    tick_at,
)
from apps.chains.evm.dex.constant_product import amount_out as amount_out_constant_product
from apps.domain.concentrated import ConcentratedLiquidity

TICKS = st.integers(-TICK_MAX, TICK_MAX - 1)
EVERYWHERE = 887_220


def pool_at(
    tick: int, *, liquidity: int = 10**21, fee_pips: int = 3_000, offset: int = 0
) -> ConcentratedLiquidity:
    """Return a pool with one position over all prices."""
    return ConcentratedLiquidity(
        sqrt_price_x96=sqrt_price_at(tick) + offset,
        tick=tick,
        liquidity=liquidity,
        fee_pips=fee_pips,
        tick_spacing=60,
        ticks=((-EVERYWHERE, liquidity), (EVERYWHERE, -liquidity)),
        known_from=-(2**23),
        known_to=2**23,
    )


def test_price_when_outermost_ticks_then_as_specified() -> None:
    assert SQRT_PRICE_MIN == 4_295_128_739
    assert SQRT_PRICE_MAX == 1_461_446_703_485_210_103_287_273_052_203_988_822_378_723_970_342
    assert sqrt_price_at(0) == 2**96


@given(TICKS)
def test_tick_when_price_of_a_tick_then_is_that_tick(tick: int) -> None:
    assert tick_at(sqrt_price_at(tick)) == tick
    assert sqrt_price_at(tick) < sqrt_price_at(tick + 1)
    if tick > -TICK_MAX:
        assert tick_at(sqrt_price_at(tick) - 1) == tick - 1


@given(
    tick=st.integers(-200_000, 200_000),
    amount=st.integers(1, 10**24),
    zero_for_one=st.booleans(),
    liquidity=st.integers(10**6, 10**24),
)
def test_amount_when_quick_way_then_equals_full_way(
    tick: int, amount: int, *, zero_for_one: bool, liquidity: int
) -> None:
    pool = pool_at(tick, liquidity=liquidity)
    quote = swap_quote(pool, zero_for_one=zero_for_one, amount_in_raw=amount)
    assert quote.is_known
    assert amount_out(pool, zero_for_one=zero_for_one, amount_in_raw=amount) == quote.amount_out_raw
    assert quote.amount_in_raw <= amount


@given(tick=st.integers(-200_000, 200_000), amount=st.integers(1, 10**20), more=st.integers(0, 10**20))
def test_amount_when_more_goes_in_then_no_less_comes_out(tick: int, amount: int, more: int) -> None:
    pool = pool_at(tick)
    assert amount_out(pool, zero_for_one=True, amount_in_raw=amount) <= amount_out(
        pool, zero_for_one=True, amount_in_raw=amount + more
    )


@given(tick=st.integers(-100_000, 100_000), amount=st.integers(10**6, 10**19), zero_for_one=st.booleans())
def test_amount_when_one_range_holds_all_prices_then_near_constant_product(
    tick: int, amount: int, *, zero_for_one: bool
) -> None:
    pool = pool_at(tick, liquidity=10**24)
    virtual0, virtual1 = (
        (pool.liquidity << 96) // pool.sqrt_price_x96,
        pool.liquidity * pool.sqrt_price_x96 >> 96,
    )
    constant = amount_out_constant_product(
        amount_in_raw=amount,
        reserve_in_raw=virtual0 if zero_for_one else virtual1,
        reserve_out_raw=virtual1 if zero_for_one else virtual0,
        fee_bps=30,
    )
    quoted = amount_out(pool, zero_for_one=zero_for_one, amount_in_raw=amount)
    # Rounding takes what some units of the input are worth.
    assert constant - quoted <= 10 * (constant // amount + 1) + constant // 10**9
    assert quoted <= constant + 1


def test_quote_when_price_leaves_what_was_read_then_says_so() -> None:
    pool = pool_at(0)
    narrow = ConcentratedLiquidity(
        sqrt_price_x96=pool.sqrt_price_x96,
        tick=0,
        liquidity=pool.liquidity,
        fee_pips=3_000,
        tick_spacing=60,
        ticks=(),
        known_from=-60 * 256,
        known_to=60 * 256,
    )
    for zero_for_one in (True, False):
        quote = swap_quote(narrow, zero_for_one=zero_for_one, amount_in_raw=10**24)
        whole = swap_quote(pool, zero_for_one=zero_for_one, amount_in_raw=10**24)
        assert not quote.is_known
        assert whole.is_known
        assert 0 < quote.amount_in_raw < 10**24
        assert quote.amount_out_raw < whole.amount_out_raw


def test_quote_when_no_liquidity_then_gives_nothing() -> None:
    empty = ConcentratedLiquidity(
        sqrt_price_x96=2**96,
        tick=0,
        liquidity=0,
        fee_pips=500,
        tick_spacing=10,
        ticks=(),
        known_from=-(2**23),
        known_to=2**23,
    )
    for zero_for_one in (True, False):
        quote = swap_quote(empty, zero_for_one=zero_for_one, amount_in_raw=10**18)
        assert (quote.amount_in_raw, quote.amount_out_raw, quote.is_known) == (0, 0, True)
