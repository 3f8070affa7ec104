"""Exits: when a position is sold, at what least price, and when it is held."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.decision import TradeDecision
from apps.domain.position import ExitPlan
from apps.trading.logic import gas
from apps.trading.logic.core import step_exit
from apps.trading.logic.exit import ExitCase, sale_value
from apps.trading.logic.record import decision_from_inputs, exit_inputs
from tests.trading import cases


def arguments(**changes: Any) -> dict[str, Any]:
    given: dict[str, Any] = {
        "position": cases.position(),
        "reserves": cases.reserves(),
        "fees": cases.FEES,
        "quote_price_usd_micros": cases.PRICE,
        "head": cases.BLOCK,
        "config": cases.config(),
        "config_revision": 3,
        "now_ms": cases.NOW_MS,
    }
    return {**given, **changes}


def decide(**changes: Any) -> TradeDecision:
    return step_exit(**arguments(**changes))


def at_gain(bps: int) -> dict[str, Any]:
    """Return the position with the cost that makes its sale a gain of ``bps``."""
    value = sale_value(cases.position(), cases.reserves(), cases.FEES).net_raw
    return {"cost_raw": value * 10_000 // (10_000 + bps)}


def test_exit_when_nothing_is_due_then_holds():
    decision = decide()
    assert (decision.action, decision.reasons[0].code) == ("skip", "EXIT_NOT_DUE")
    assert "gain_bps=" in decision.reasons[0].detail


@pytest.mark.parametrize(
    ("changes", "tag"),
    [
        (at_gain(5_001), "take_profit"),
        (at_gain(-2_001), "stop_loss"),
        ({"opened_at_ms": cases.NOW_MS - 3_600_000}, "time_stop"),
        ({"entry_quote_reserve_raw": 200 * cases.ETHER}, "liquidity_drop"),
        ({"ordered_tag": "force_exit"}, "force_exit"),
        ({"ordered_tag": "kill_close"}, "kill_close"),
    ],
)
def test_exit_when_a_bound_is_reached_then_sells_everything_under_its_tag(changes: dict[str, Any], tag: str):
    decision = decide(position=cases.position(**changes))
    assert (decision.action, decision.exit_tag) == ("exit", tag)
    assert decision.amount_in is not None
    assert decision.amount_in.raw == 1_000 * cases.ETHER
    assert decision.reasons[0].explanation
    assert decision.reasons[0].detail


def test_exit_when_trailing_is_armed_and_falls_then_sells_else_holds():
    value = sale_value(cases.position(), cases.reserves(), cases.FEES).net_raw
    cost = value * 10_000 // 10_500
    high = value * 10_000 // 8_400  # 16 % above now, 25 % above cost
    assert decide(position=cases.position(cost_raw=cost, high_water_raw=high)).exit_tag == "trailing_stop"
    near = value * 10_000 // 8_700
    assert decide(position=cases.position(cost_raw=cost, high_water_raw=near)).action == "skip"
    unarmed = cases.position(cost_raw=high * 10_000 // 10_900, high_water_raw=high)
    assert decide(position=unarmed).exit_tag != "trailing_stop"


def test_exit_when_switches_are_off_then_holds_through_everything():
    off = ExitPlan(
        take_profit_bps=None,
        stop_loss_bps=None,
        trailing_stop_bps=None,
        trailing_activation_bps=0,
        time_stop_ms=None,
        liquidity_drop_bps=None,
    )
    for changes in (
        at_gain(90_000),
        at_gain(-9_000),
        {"opened_at_ms": 0},
        {"entry_quote_reserve_raw": 10**30},
    ):
        assert decide(position=cases.position(plan=off, **changes)).action == "skip"


def test_exit_with_sell_tax_then_value_and_minimum_are_after_it():
    plain = sale_value(cases.position(), cases.reserves(), None)
    taxed = sale_value(cases.position(sell_tax_bps=1_000), cases.reserves(), cases.FEES)
    assert taxed.gross_raw == plain.gross_raw * 9_000 // 10_000
    assert taxed.net_raw == taxed.gross_raw - gas.exit_cost_raw(sell_gas=140_000, fees=cases.FEES)
    decision = decide(position=cases.position(sell_tax_bps=1_000, ordered_tag="force_exit"))
    assert decision.expected_out is not None
    assert decision.amount_out_min is not None
    assert decision.expected_out.raw == taxed.gross_raw
    assert decision.amount_out_min.raw == taxed.gross_raw * 8_500 // 10_000


@pytest.mark.parametrize(("failed", "slippage"), [(0, 750), (1, 1_125), (2, 1_500), (5, 1_500)])
def test_exit_after_failures_then_tolerance_grows_up_to_what_is_allowed(failed: int, slippage: int):
    decision = decide(position=cases.position(failed_exits=failed, **at_gain(6_000)))
    assert decision.slippage_max_bps == slippage


def test_exit_from_a_loss_then_takes_the_whole_allowance_at_once():
    assert decide(position=cases.position(**at_gain(-3_000))).slippage_max_bps == 1_500


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"position": cases.position(quantity_raw=0)}, "EXIT_UNDER_WAY"),
        ({"position": cases.position(next_exit_at_ms=cases.NOW_MS + 1)}, "EXIT_RESTING"),
        ({"reserves": None}, "EXIT_PRICE_UNKNOWN"),
        ({"position": cases.position(ordered_tag="force_exit"), "fees": None}, "EXIT_FEES_UNKNOWN"),
        ({"reserves": cases.reserves(quote=10**9)}, "EXIT_NOT_WORTH_GAS"),
        (
            {"reserves": cases.reserves(quote=0), "position": cases.position(ordered_tag="kill_close")},
            "EXIT_NOT_WORTH_GAS",
        ),
    ],
)
def test_exit_when_it_cannot_be_sold_sensibly_then_holds_and_says_why(changes: dict[str, Any], code: str):
    decision = decide(**changes)
    assert (decision.action, decision.reasons[0].code) == ("skip", code)


def test_exit_when_a_person_asked_then_sells_even_below_its_gas():
    decision = decide(reserves=cases.reserves(quote=10**9), position=cases.position(ordered_tag="force_exit"))
    assert decision.action == "exit"


@given(
    base=st.integers(min_value=1, max_value=10**40),
    quote=st.integers(min_value=0, max_value=10**24),
    quantity=st.integers(min_value=0, max_value=10**40),
    cost=st.integers(min_value=0, max_value=10**24),
    tax=st.integers(min_value=0, max_value=12_000),
    failed=st.integers(min_value=0, max_value=20),
)
def test_exit_whatever_the_market_then_sells_no_more_than_free_and_minimum_is_not_above_the_quote(
    base: int, quote: int, quantity: int, cost: int, tax: int, failed: int
):
    position = cases.position(quantity_raw=quantity, cost_raw=cost, sell_tax_bps=tax, failed_exits=failed)
    decision = decide(position=position, reserves=cases.reserves(base=base, quote=quote))
    if decision.action == "skip":
        return
    assert decision.amount_in is not None
    assert decision.amount_out_min is not None
    assert decision.expected_out is not None
    assert decision.amount_in.raw == quantity
    assert 0 < decision.amount_out_min.raw <= decision.expected_out.raw <= quote
    assert decision.slippage_max_bps <= cases.config().execution.exit_slippage_max_bps


@pytest.mark.parametrize(
    "changes", [{}, {"reserves": None, "fees": None}, {"position": cases.position(**at_gain(9_000))}]
)
def test_exit_inputs_when_repeated_from_json_then_the_decision_is_equal(changes: dict[str, Any]):
    given = arguments(**changes)
    stored = json.loads(json.dumps(exit_inputs(ExitCase(**given))))
    assert decision_from_inputs(stored) == step_exit(**given)
