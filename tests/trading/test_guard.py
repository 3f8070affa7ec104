"""The guard's questions: what counts as worse, what does not, and the sale that follows."""

from __future__ import annotations

from dataclasses import replace
from math import isqrt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.dex.constant_product import amount_out
from apps.domain.config import Gates, Guard
from apps.domain.estimate import Estimate, known, unknown
from apps.domain.holding import HoldingAnswer
from apps.domain.verdict import Gate, Outcome
from apps.trading.logic.exit import ExitCase
from apps.trading.logic.guard import (
    GUARD_RULES,
    Baseline,
    Look,
    Trigger,
    guard_decision_from_inputs,
    guard_exit,
    guard_inputs,
    is_simulation_due,
    judged_again,
    look,
)
from apps.trading.logic.record import decision_from_inputs
from tests.trading import cases

GUARD = Guard()
POOL = cases.reserves()
ROOT = isqrt(POOL.base_raw * POOL.quote_raw)
WELL = HoldingAnswer(owner="", is_movable=True)
KNOWN = Baseline(owner="0xaa", is_movable=True, buy_tax_bps=100, sell_tax_bps=200, code_hash="0x1")


def seen(**changes: Any) -> Look:
    given: dict[str, Any] = {
        "baseline": KNOWN,
        "liquidity_root": ROOT,
        "reserves": POOL,
        "answer": HoldingAnswer(owner="0xaa", is_movable=True),
        "sold_by_holder": {},
        "stirred": "",
        "guard": GUARD,
    }
    return look(**{**given, **changes})


def pulled(bps: int) -> Any:
    left = 10_000 - bps
    return cases.reserves(base=POOL.base_raw * left // 10_000, quote=POOL.quote_raw * left // 10_000)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, None),
        ({"reserves": pulled(1_000)}, None),
        ({"reserves": pulled(1_001)}, "GUARD_LIQUIDITY_PULLED"),
        ({"reserves": pulled(10_000)}, "GUARD_LIQUIDITY_PULLED"),
        ({"reserves": None}, None),
        ({"liquidity_root": None, "reserves": pulled(9_999)}, None),
        ({"answer": HoldingAnswer(owner="0xbb", is_movable=True)}, "GUARD_OWNER_CHANGED"),
        ({"answer": HoldingAnswer(owner="", is_movable=True)}, None),
        ({"answer": HoldingAnswer(owner=None, is_movable=True)}, None),
        ({"baseline": replace(KNOWN, owner=""), "answer": HoldingAnswer(owner="0xaa", is_movable=True)},
         "GUARD_OWNER_CHANGED"),
        ({"baseline": replace(KNOWN, owner=None), "answer": HoldingAnswer(owner="0xbb", is_movable=True)}, None),
        ({"answer": HoldingAnswer(owner="0xaa", is_movable=False, why="frozen")}, "GUARD_HOLDING_FROZEN"),
        ({"answer": HoldingAnswer(owner="0xaa", is_movable=None)}, None),
        ({"baseline": replace(KNOWN, is_movable=False), "answer": HoldingAnswer(owner="0xaa", is_movable=False)},
         None),
        ({"baseline": replace(KNOWN, is_movable=None), "answer": HoldingAnswer(owner="0xaa", is_movable=False)},
         None),
        ({"answer": None}, None),
        ({"sold_by_holder": {"0x1": 25 * cases.ETHER}}, None),  # 25 of 125 that were there: exactly a fifth
        ({"sold_by_holder": {"0x1": 26 * cases.ETHER}}, "GUARD_HOLDER_DUMPED"),
        ({"sold_by_holder": {f"0x{n}": 10 * cases.ETHER for n in range(9)}}, None),  # many small ones
    ],
)  # fmt: skip
def test_block_shows_then_it_triggers_or_not(changes: dict[str, Any], code: str | None) -> None:
    trigger = seen(**changes).trigger
    assert (None if trigger is None else trigger.code) == code


@pytest.mark.parametrize(
    ("changes", "stir"),
    [
        ({}, ""),
        ({"stirred": "somebody called its function 0x12345678"}, "somebody called its function 0x12345678"),
        ({"reserves": pulled(300)}, "liquidity was taken out"),
        ({"reserves": pulled(200)}, ""),
        ({"sold_by_holder": {"0x1": 6 * cases.ETHER}}, "a holder sold much"),
    ],
)
def test_something_stirs_then_the_sale_is_to_be_simulated(changes: dict[str, Any], stir: str) -> None:
    assert seen(**changes).stir == stir


def test_first_look_then_what_was_unknown_is_learned_and_what_was_known_stays() -> None:
    assert seen(baseline=Baseline(), answer=WELL).baseline == Baseline(owner="", is_movable=True)
    moved = HoldingAnswer(owner="0xbb", is_movable=False)
    assert seen(answer=moved).baseline == KNOWN
    assert seen(answer=HoldingAnswer(owner=None, is_movable=None)).baseline == KNOWN


def test_owner_gives_up_and_somebody_comes_back_then_it_triggers() -> None:
    given_up = seen(answer=WELL)
    assert given_up.trigger is None
    again = seen(baseline=given_up.baseline)
    assert again.trigger is not None
    assert (again.trigger.code, again.trigger.detail) == ("GUARD_OWNER_CHANGED", "owner=0xaa before=nobody")


@given(
    base=st.integers(10**20, 10**27),
    quote=st.integers(10**18, 10**22),
    share=st.integers(1, 5_000),
    buys=st.booleans(),
)
def test_any_swap_then_it_is_never_taken_for_a_withdrawal(
    base: int, quote: int, share: int, buys: bool
) -> None:
    give, take = (quote, base) if buys else (base, quote)
    amount = give * share // 1_000 + 1
    out = amount_out(amount_in_raw=amount, reserve_in_raw=give, reserve_out_raw=take, fee_bps=30)
    after = (base - out, quote + amount) if buys else (base + amount, quote - out)
    found = seen(liquidity_root=isqrt(base * quote), reserves=cases.reserves(base=after[0], quote=after[1]))
    assert found.trigger is None
    assert found.liquidity_root == isqrt(after[0] * after[1]) >= isqrt(base * quote)


@pytest.mark.parametrize(
    ("checked", "stir", "due"), [(None, "", True), (91, "", False), (90, "", True), (99, "it logged", True)]
)
def test_simulation_is_due_after_so_many_blocks_and_at_once_when_something_stirs(
    checked: int | None, stir: str, due: bool
) -> None:
    assert is_simulation_due(checked_block=checked, head=100, stir=stir, guard=GUARD) is due


# -- judged again -------------------------------------------------------------------------
def again(*findings: tuple[str, str, Outcome], gate: Gate = Gate.VETO, **changes: Any) -> str | None:
    given: dict[str, Any] = {
        "baseline": KNOWN,
        "verdict": cases.verdict(
            findings=tuple(
                replace(cases.finding(outcome, code, rule), gate=gate) for rule, code, outcome in findings
            )
        ),
        "buy_tax_bps": 100,
        "sell_tax_bps": 200,
        "code_hash": "0x1",
        "is_movable": True,
        "guard": GUARD,
    }
    trigger = judged_again(**{**given, **changes})
    return None if trigger is None else trigger.code


def test_verdict_is_as_it_was_then_nothing_is_sold() -> None:
    assert again() is None
    assert (
        again(("sellable", "SELLABLE", Outcome.PASS), ("sellable", "SELLABLE_UNKNOWN", Outcome.UNKNOWN))
        is None
    )


def chance(value: int, low: int) -> Estimate:
    return known(
        "loss_probability", value, unit="bps", source="model", as_of_ms=0, low=low, high=max(value, 9_900)
    )


def test_loss_is_likely_for_sure_then_it_is_sold_and_only_then() -> None:
    assert again(loss=chance(9_800, 9_600), loss_max_bps=9_500) == "GUARD_LOSS_LIKELY"
    assert (
        again(loss=chance(9_800, 9_500), loss_max_bps=9_500) is None
    )  # what is not known could still be good
    assert again(loss=chance(9_800, 9_600), loss_max_bps=None) is None  # the gate is no veto
    unsure = unknown("loss_probability", "too little is known", unit="bps", source="model", as_of_ms=0)
    assert again(loss=unsure, loss_max_bps=9_500) is None
    accepted = replace(KNOWN, failed_rules=("loss_probability",))
    assert again(loss=chance(9_800, 9_600), loss_max_bps=9_500, baseline=accepted) is None


@pytest.mark.parametrize("rule", sorted(GUARD_RULES))
def test_dangerous_rule_fails_now_then_it_is_sold(rule: str) -> None:
    assert again((rule, "WORSE", Outcome.FAIL)) == "GUARD_WORSE"
    assert again((rule, "WORSE", Outcome.FAIL), gate=Gate.WARN) is None
    assert again((rule, "WORSE", Outcome.FAIL), baseline=replace(KNOWN, failed_rules=(rule,))) is None


@pytest.mark.parametrize("rule", ["pair_age", "liquidity", "buy_tax", "holders_top10", "deployer_history"])
def test_rule_speaks_of_entries_only_then_it_sells_nothing(rule: str) -> None:
    assert again((rule, "WORSE", Outcome.FAIL)) is None


def test_every_guarded_rule_has_a_gate() -> None:
    assert set(Gates.model_fields) >= GUARD_RULES


def test_buying_fails_for_us_alone_then_only_a_holding_that_cannot_move_is_sold() -> None:
    closed = ("sellable", "TRADING_NOT_OPEN", Outcome.FAIL)
    assert again(closed, is_movable=True) is None
    assert again(closed, is_movable=None) == "GUARD_TRADING_NOT_OPEN"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"sell_tax_bps": 500}, None),
        ({"sell_tax_bps": 501}, "GUARD_TAX_RAISED"),
        ({"buy_tax_bps": 401}, "GUARD_TAX_RAISED"),
        ({"sell_tax_bps": None, "buy_tax_bps": None}, None),
        ({"sell_tax_bps": 9_900, "baseline": replace(KNOWN, sell_tax_bps=None)}, None),
        ({"code_hash": "0x2"}, "GUARD_CODE_CHANGED"),
        ({"code_hash": None}, None),
        ({"code_hash": "0x2", "baseline": replace(KNOWN, code_hash=None)}, None),
    ],
)
def test_taxes_and_code_then_a_rise_or_a_change_sells(changes: dict[str, Any], code: str | None) -> None:
    assert again(**changes) == code


# -- the sale -----------------------------------------------------------------------------
TRIGGER = Trigger(code="GUARD_OWNER_CHANGED", explanation="Another owner.", detail="owner=0xbb before=0xaa")


def case(**position: Any) -> ExitCase:
    return ExitCase(
        position=cases.position(**position),
        reserves=POOL,
        fees=cases.FEES,
        quote_price_usd_micros=cases.PRICE,
        head=cases.BLOCK,
        config=cases.config(),
        config_revision=3,
        now_ms=cases.NOW_MS,
    )


def test_trigger_then_everything_is_sold_with_the_whole_allowance() -> None:
    decision = guard_exit(case(), TRIGGER)
    assert (decision.action, decision.exit_tag) == ("exit", "guard")
    assert decision.amount_in is not None
    assert decision.amount_in.raw == 1_000 * cases.ETHER
    assert decision.slippage_max_bps == 1_500
    assert [item.code for item in decision.reasons] == ["GUARD_OWNER_CHANGED"]


def test_it_is_being_sold_already_or_rests_then_no_second_sale() -> None:
    assert guard_exit(case(quantity_raw=0), TRIGGER).action == "skip"
    assert guard_exit(case(next_exit_at_ms=cases.NOW_MS + 1), TRIGGER).action == "skip"


def test_decision_is_stored_then_it_can_be_made_again() -> None:
    stored = guard_inputs(case(), TRIGGER)
    decision = guard_exit(case(), TRIGGER)
    assert guard_decision_from_inputs(stored) == decision
    # Who knows nothing of guards repeats the same sale under the tag that orders it.
    plain = decision_from_inputs(stored)
    assert (plain.amount_in, plain.amount_out_min) == (decision.amount_in, decision.amount_out_min)


def test_baseline_is_stored_then_it_comes_back() -> None:
    for item in (KNOWN, Baseline(), replace(KNOWN, failed_rules=("owner_control",))):
        assert Baseline.from_json(item.as_json()) == item
    assert Baseline.from_json({"owner": "0xaa", "of_a_later_release": 1}) == Baseline(owner="0xaa")
