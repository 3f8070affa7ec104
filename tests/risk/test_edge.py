"""Our own outcomes: the edge with its bounds, and the sizes that it bears."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.money import BPS_ONE
from apps.risk.logic.edge import (
    ENDED_LEAST,
    Outcomes,
    edge,
    kelly_bps,
    outcome_estimates,
    outcomes_of,
    pool_best_raw,
    wilson_bps,
)
from tests.trading import cases


def outcomes(results: list[int]) -> Outcomes | None:
    return outcomes_of(replace(cases.analysis(), estimates=outcome_estimates(results, as_of_ms=0)))


def sure(*, gain_rate: int, gain: int, loss: int, total: int = 0) -> Outcomes:
    return Outcomes(
        gain_rate_low_bps=gain_rate,
        gain_rate_bps=gain_rate,
        gain_rate_high_bps=gain_rate,
        loss_rate_low_bps=total,
        loss_rate_bps=total,
        loss_rate_high_bps=total,
        gain_bps=gain,
        loss_bps=loss,
        n=100,
    )


def test_too_few_have_ended_then_everything_is_unknown_with_the_reason() -> None:
    found = outcome_estimates([100] * (ENDED_LEAST - 1), as_of_ms=0)
    assert {item.is_known for item in found} == {False}
    assert "30 are needed" in found[0].reason_unknown
    assert edge(outcomes([100])).value_bps is None


def test_wilson_bounds_then_are_those_of_the_textbook() -> None:
    # 10 of 30: 19.2 % to 51.2 %.
    low, high = wilson_bps(10, 30)
    assert (1_920 <= low <= 1_925, 5_115 <= high <= 5_125) == (True, True)
    assert wilson_bps(0, 30)[0] == 0
    assert wilson_bps(30, 30)[1] == BPS_ONE


@pytest.mark.parametrize(
    ("case", "share"),
    [
        (sure(gain_rate=6_000, gain=10_000, loss=10_000), 2_000),  # p - q at even odds
        (sure(gain_rate=5_000, gain=20_000, loss=10_000), 2_500),  # p - q / b
        (sure(gain_rate=5_000, gain=10_000, loss=10_000), 0),
        (sure(gain_rate=9_000, gain=1_000, loss=500, total=1_000), 0),  # total losses eat it
    ],
)
def test_kelly_then_is_the_known_share(case: Outcomes, share: int) -> None:
    assert abs(kelly_bps(case) - share) <= 1


def test_pool_best_then_is_the_known_size() -> None:
    # Expected gain of 20 % and no fee: (sqrt(1.2) - 1) / 2 of the reserve, 4.77 %.
    best = pool_best_raw(
        sure(gain_rate=BPS_ONE, gain=2_000, loss=0),
        quote_reserve_raw=10**22,
        fee_bps=0,
        buy_tax_bps=0,
        sell_tax_bps=0,
    )
    assert 470 <= best * BPS_ONE // 10**22 <= 478
    taxed = pool_best_raw(
        sure(gain_rate=BPS_ONE, gain=2_000, loss=0),
        quote_reserve_raw=10**22,
        fee_bps=30,
        buy_tax_bps=1_000,
        sell_tax_bps=1_000,
    )
    assert taxed == 0


RESULTS = st.lists(st.integers(-BPS_ONE, 100_000), min_size=ENDED_LEAST, max_size=120)


@given(RESULTS)
def test_any_outcomes_then_bounds_hold_and_the_cautious_share_is_the_smaller(results: list[int]) -> None:
    found = outcomes(results)
    assert found is not None
    interval = edge(found)
    assert interval.low_bps is not None
    assert interval.value_bps is not None
    assert interval.high_bps is not None
    assert -BPS_ONE <= interval.low_bps <= interval.value_bps <= interval.high_bps
    assert 0 <= kelly_bps(found) <= kelly_bps(found, at_best=True) < BPS_ONE
    if kelly_bps(found) > 0:
        assert interval.low_bps > 0
    size = pool_best_raw(found, quote_reserve_raw=10**20, fee_bps=30, buy_tax_bps=0, sell_tax_bps=0)
    assert 0 <= size <= 10**20


@given(RESULTS)
def test_one_more_total_loss_then_the_cautious_share_does_not_grow(results: list[int]) -> None:
    before, after = outcomes(results), outcomes([*results, -BPS_ONE])
    assert before is not None
    assert after is not None
    assert kelly_bps(after) <= kelly_bps(before) + 1
