"""Exits under what is known while holding: drawn in, never wider, the same as armed where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.decision import TradeDecision
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.position import ExitPlan
from apps.trading.logic.core import step_exit
from apps.trading.logic.exit import ExitCase
from apps.trading.logic.plan import plan_in_force
from apps.trading.logic.record import decision_from_inputs, exit_inputs
from tests.trading import cases

CONFIG = cases.config(influence={"whales_in_exits": True})
ALL_OFF = cases.config(
    influence={"exits_by_volatility": False, "regime_in_exits": False, "whales_in_exits": False}
)


def given_as(code: str, value: int, confidence: str = "1") -> Estimate:
    return known(code, value, unit="bps", source="test", as_of_ms=0, confidence=Decimal(confidence))


BEAR, SELLING = given_as("regime", -1), given_as("whale_distribution_bps", 4_000)


def case(*estimates: Estimate, **changes: Any) -> ExitCase:
    given: dict[str, Any] = {
        "position": cases.position(),
        "reserves": cases.reserves(),
        "fees": cases.FEES,
        "quote_price_usd_micros": cases.PRICE,
        "head": cases.BLOCK,
        "config": CONFIG,
        "config_revision": 3,
        "now_ms": cases.NOW_MS,
        "estimates": estimates,
    }
    return ExitCase(**{**given, **changes})


def step(exit_case: ExitCase) -> TradeDecision:
    names = ExitCase.__slots__
    return step_exit(**{name: getattr(exit_case, name) for name in names})


def test_market_falls_then_the_gain_is_taken_sooner_once_and_not_again_at_each_look() -> None:
    found = plan_in_force(cases.PLAN, estimates=(BEAR,), config=CONFIG)
    assert (found.plan.take_profit_bps, found.plan.stop_loss_bps) == (2_500, 2_000)
    [note] = found.adjustments
    assert (note.subject, note.before, note.after) == ("take_profit_bps", "5000", "2500")
    again = plan_in_force(found.plan, estimates=(BEAR,), config=CONFIG)
    assert (again.plan, again.adjustments) == (found.plan, ())


def test_large_holders_sell_then_stops_draw_closer_and_at_much_we_sell() -> None:
    found = plan_in_force(cases.PLAN, estimates=(SELLING,), config=CONFIG)
    assert (found.plan.stop_loss_bps, found.plan.trailing_stop_bps) == (1_200, 900)
    assert {item.code for item in found.adjustments} == {"STOPS_BY_WHALES"}
    decision = step(case(given_as("whale_distribution_bps", 8_000)))
    assert (decision.action, decision.exit_tag, decision.reasons[0].code) == ("exit", "guard", "WHALES_SOLD")
    assert decision.slippage_max_bps == CONFIG.execution.exit_slippage_max_bps
    unsure = step(case(given_as("whale_distribution_bps", 8_000, "0.5")))
    assert unsure.action == "skip"


def test_stop_drawn_in_then_a_smaller_fall_sells_and_the_note_says_why() -> None:
    # Worth 15 % less than it cost: inside the armed stop of 20 %, beyond the drawn one of 12 %.
    fallen = cases.reserves(quote=86 * cases.ETHER)
    assert step(case(reserves=fallen)).action == "skip"
    decision = step(case(SELLING, reserves=fallen))
    assert decision.exit_tag == "stop_loss"
    assert [item.subject for item in decision.adjustments] == ["stop_loss_bps", "trailing_stop_bps"]


@pytest.mark.parametrize("code", ["regime", "volatility_bps", "whale_distribution_bps"])
def test_figure_is_unknown_then_the_plan_is_the_armed_one(code: str) -> None:
    missing = unknown(code, "nobody knows", unit="bps", source="test", as_of_ms=0)
    found = plan_in_force(cases.PLAN, estimates=(missing,), config=CONFIG)
    assert (found.plan, found.adjustments, found.whales_sell) == (cases.PLAN, (), "")


ESTIMATES = st.lists(
    st.builds(
        given_as,
        st.sampled_from(
            ["regime", "market_regime", "volatility", "volatility_bps", "whale_distribution_bps"]
        ),
        st.integers(-1, 20_000),
        st.sampled_from(["0", "0.4", "1"]),
    ),
    max_size=5,
)
PLANS = st.builds(
    replace,
    st.just(cases.PLAN),
    take_profit_bps=st.one_of(st.none(), st.integers(10, 50_000)),
    stop_loss_bps=st.one_of(st.none(), st.integers(10, 10_000)),
    trailing_stop_bps=st.one_of(st.none(), st.integers(10, 10_000)),
    time_stop_ms=st.one_of(st.none(), st.integers(5_000, 10**9)),
)


@given(estimates=ESTIMATES, plan=PLANS)
def test_whatever_is_known_then_no_exit_is_wider_and_an_exit_that_is_off_stays_off(
    estimates: list[Estimate], plan: ExitPlan
) -> None:
    found = plan_in_force(plan, estimates=tuple(estimates), config=CONFIG)
    for name in ("take_profit_bps", "stop_loss_bps", "trailing_stop_bps"):
        before, after = getattr(plan, name), getattr(found.plan, name)
        assert (before is None) is (after is None)
        assert before is None or 0 < after <= before
    assert (found.plan == plan) is (not found.adjustments)
    assert found.plan.liquidity_drop_bps == plan.liquidity_drop_bps


@given(estimates=ESTIMATES, quote=st.integers(1, 300))
def test_switches_are_off_then_the_decision_is_the_same_as_without_estimates(
    estimates: list[Estimate], quote: int
) -> None:
    pool = cases.reserves(quote=quote * cases.ETHER)
    steered = case(*estimates, config=ALL_OFF, reserves=pool)
    assert step(steered) == step(replace(steered, estimates=()))


@given(estimates=ESTIMATES, quote=st.integers(1, 300))
def test_exit_with_estimates_is_stored_then_it_is_repeated(estimates: list[Estimate], quote: int) -> None:
    exit_case = case(*estimates, reserves=cases.reserves(quote=quote * cases.ETHER))
    assert decision_from_inputs(exit_inputs(exit_case)) == step(exit_case)
