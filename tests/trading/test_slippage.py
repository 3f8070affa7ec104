"""How far a fill may fall below its quote, and what an attacker could make of that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.dex.constant_product import amount_out
from apps.trading.logic import slippage

ETHER = 10**18


def test_entry_when_volatility_is_unknown_then_takes_all_that_is_allowed():
    assert slippage.entry_slippage_bps(allowed_max_bps=300, volatility_bps=None, delay_ms=2_000) == 300


def test_entry_when_the_price_is_calm_then_tolerates_little_but_not_nothing():
    calm = slippage.entry_slippage_bps(allowed_max_bps=300, volatility_bps=100, delay_ms=2_000)
    assert calm == slippage.ENTRY_SLIPPAGE_MIN_BPS


def test_entry_when_the_price_swings_then_tolerance_is_1645_deviations_of_the_delay():
    # 40 % an hour over 9 s, a twentieth of the hour's root: 2 % a deviation, 3.3 % in all.
    assert slippage.entry_slippage_bps(allowed_max_bps=1_000, volatility_bps=4_000, delay_ms=9_000) == 330


@given(st.integers(1, 5_000), st.integers(0, 100_000), st.integers(0, 60_000), st.integers(0, 60_000))
def test_entry_whatever_happens_then_within_what_is_allowed_and_longer_delays_never_narrow_it(
    most: int, volatility: int, first: int, second: int
):
    short, long = sorted((first, second))
    near = slippage.entry_slippage_bps(allowed_max_bps=most, volatility_bps=volatility, delay_ms=short)
    far = slippage.entry_slippage_bps(allowed_max_bps=most, volatility_bps=volatility, delay_ms=long)
    assert 0 < near <= far <= most


def attackers_gain(*, bought: int, quote: int, base: int, fee_bps: int, slippage_bps: int) -> int:
    """Return the most that buying before a buyer and selling after him brings, gas apart, by trying all sizes."""
    quoted = amount_out(amount_in_raw=bought, reserve_in_raw=quote, reserve_out_raw=base, fee_bps=fee_bps)
    least = slippage.minimum_out(quoted, slippage_bps)

    def gain(front: int) -> int | None:
        got = amount_out(amount_in_raw=front, reserve_in_raw=quote, reserve_out_raw=base, fee_bps=fee_bps)
        quote_1, base_1 = quote + front, base - got
        given_ = amount_out(
            amount_in_raw=bought, reserve_in_raw=quote_1, reserve_out_raw=base_1, fee_bps=fee_bps
        )
        if given_ < least:
            return None
        back = amount_out(
            amount_in_raw=got,
            reserve_in_raw=base_1 - given_,
            reserve_out_raw=quote_1 + bought,
            fee_bps=fee_bps,
        )
        return back - front

    low, high = 0, quote
    while high - low > quote // 10**9 + 1:  # the largest that the buyer's minimum bears
        middle = (low + high) // 2
        low, high = (low, middle) if gain(middle) is None else (middle, high)
    tried = (gain(low * part // 50) for part in range(1, 51))
    return max((item for item in tried if item is not None), default=0)


@given(
    quote=st.integers(ETHER, 1_000 * ETHER),
    fee_bps=st.sampled_from((25, 30, 100)),
    slippage_bps=st.integers(20, 400),
    cost_bps=st.integers(0, 50),
)
def test_buy_when_within_the_bound_then_no_sandwich_pays(
    quote: int, fee_bps: int, slippage_bps: int, cost_bps: int
):
    cost = quote * cost_bps // 100_000
    most = slippage.sandwich_free_raw(
        quote_reserve_raw=quote, fee_bps=fee_bps, slippage_bps=slippage_bps, attack_cost_raw=cost
    )
    bought = min(most, quote // 20)  # larger ones are barred by price impact
    gain = attackers_gain(bought=bought, quote=quote, base=10**27, fee_bps=fee_bps, slippage_bps=slippage_bps)
    # The closed form is of first order; within 5 % of the brute force for these sizes.
    assert gain <= cost * 105 // 100 + quote // 10**7


def test_buy_when_twice_the_bound_then_a_sandwich_pays():
    quote, cost = 100 * ETHER, ETHER // 250
    most = slippage.sandwich_free_raw(
        quote_reserve_raw=quote, fee_bps=30, slippage_bps=100, attack_cost_raw=cost
    )
    gain = attackers_gain(bought=2 * most, quote=quote, base=10**27, fee_bps=30, slippage_bps=100)
    assert gain > cost
