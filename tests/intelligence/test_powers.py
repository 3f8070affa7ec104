"""What acts mean: balances and sales decide, not names; unknown stays unknown; delays do not surprise."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.estimate import Estimate
from apps.domain.probes import Commander, Role, TokenProbes, UpgradePower
from apps.intelligence.logic import contract, powers
from apps.intelligence.logic.analyse import analyse
from apps.intelligence.logic.probes_record import (
    evidence_from_json,
    evidence_to_json,
    probes_from_json,
    probes_to_json,
)
from apps.intelligence.logic.record import estimates_to_json
from tests.intelligence.probed import BY_OWNER, FAILED, HELD, PROBES, act, with_trades
from tests.intelligence.subjects import SUPPLY, address, subject

CAN = ("can_pause", "can_blacklist", "can_mint", "can_move_balances")


def estimated(probes: TokenProbes | None) -> dict[str, Estimate]:
    return {item.code: item for item in powers.estimates(subject(probes=probes))}


def after(*acts: Any, **changes: Any) -> TokenProbes:
    return replace(PROBES, acts=tuple(acts), **changes)


def test_first_look_then_none_of_them() -> None:
    assert estimated(None) == {}


def test_nothing_was_found_then_no_and_sure_only_when_no_function_was_shut() -> None:
    found = estimated(PROBES)
    assert {found[code].value for code in (*CAN, "can_upgrade", "hidden_owner")} == {0}
    assert found["can_pause"].confidence == 1
    doubtful = estimated(after(refused=("0x8456cb59",)))
    assert doubtful["can_pause"].confidence == powers.NOT_FOUND_CONFIDENCE


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        (FAILED, "can_pause"),
        (FAILED | {"names": "pool"}, "can_pause"),
        (FAILED | {"names": "buyer"}, "can_blacklist"),
        ({"after": {"supply_raw": 2 * SUPPLY, "receiver_raw": SUPPLY}}, "can_mint"),
        ({"after": {"caller_raw": SUPPLY}}, "can_mint"),
        ({"after": {"buyer_raw": 0, "receiver_raw": 9 * 10**18}}, "can_move_balances"),
        (FAILED | {"names": "buyer", "after": {"buyer_raw": 0}}, "can_move_balances"),
        ({"after": {"pool_raw": SUPPLY // 4, "receiver_raw": SUPPLY // 4}}, "can_move_balances"),
    ],
)
def test_act_then_exactly_its_power_is_found_and_shown(changes: dict[str, Any], code: str) -> None:
    probes = after(act(**changes))
    found = estimated(probes)
    assert {name for name in CAN if found[name].value} == {code}
    [shown] = [item for item in powers.evidence(probes) if item.code == code]
    assert shown.calls == probes.acts[0].calls
    assert "The owner" in shown.summary
    assert powers.shows_control(probes) is True


def test_rebase_scales_all_then_it_is_neither_mint_nor_theft() -> None:
    half = {
        "supply_raw": SUPPLY // 2,
        "buyer_raw": (HELD.buyer_raw or 0) // 2,
        "pool_raw": SUPPLY // 4,
    }
    double = {"supply_raw": 2 * SUPPLY, "buyer_raw": 2 * (HELD.buyer_raw or 0), "pool_raw": SUPPLY}
    for change in (half, double):
        assert not any(estimated(after(act(after=change)))[code].value for code in CAN)


@given(st.integers(1, 3 * SUPPLY), st.integers(1, 1_000))
def test_rebase_of_any_factor_then_shares_decide(supply: int, held: int) -> None:
    before = replace(HELD, supply_raw=10**6 * SUPPLY, buyer_raw=held * 10**24, pool_raw=10**24 * 999)
    scaled = {
        "supply_raw": 10**6 * supply,
        "buyer_raw": held * 10**24 * supply // SUPPLY,
        "pool_raw": 10**24 * 999 * supply // SUPPLY,
    }
    made = act(before=before, after={})
    made = replace(made, after=replace(before, **scaled))
    assert not powers.mints(PROBES, made)
    assert not powers.moves_balances(PROBES, made)


def test_taxes_can_be_raised_then_the_highest_counts_from_todays_upwards() -> None:
    probes = after(act(sell_tax_bps=2_500, buy_tax_bps=300), act(sell_tax_bps=9_900))
    found = estimated(probes)
    assert found["max_reachable_sell_tax_bps"].value == 9_900
    assert found["max_reachable_sell_tax_bps"].low == 0
    assert found["max_reachable_buy_tax_bps"].value == 300
    [shown] = [item for item in powers.evidence(probes) if item.code == "max_reachable_sell_tax_bps"]
    assert "99" in shown.summary
    assert powers.shows_control(probes) is False  # taxes have an estimate of their own


def test_tax_grows_by_itself_then_it_is_reached_by_waiting() -> None:
    found = estimated(with_trades(after_7200_blocks={"sell_tax_bps": 4_000}))
    assert found["max_reachable_sell_tax_bps"].value == 4_000


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("owner", 0),
        ("admin", 0),
        ("anyone", 0),
        ("creator", 1),
        ("stored", 1),
        ("constant", 1),
        ("former_owner", 1),
    ],
)
def test_somebody_can_pause_then_hidden_unless_everybody_sees_him(role: Role, expected: int) -> None:
    who = Commander(address=address(77), role=role)
    assert estimated(after(act(commander=who, **FAILED)))["hidden_owner"].value == expected


def test_harmless_act_of_a_stored_address_then_no_hidden_owner() -> None:
    who = Commander(address=address(77), role="stored")
    assert estimated(after(act(commander=who)))["hidden_owner"].value == 0


def test_commander_must_wait_a_day_then_his_acts_do_not_count() -> None:
    late = replace(BY_OWNER, is_contract=True, delay_s=powers.DELAY_HARMLESS_S)
    soon = replace(late, delay_s=powers.DELAY_HARMLESS_S - 1)
    assert estimated(after(act(commander=late, **FAILED)))["can_pause"].value == 0
    assert estimated(after(act(commander=soon, **FAILED)))["can_pause"].value == 1
    power = UpgradePower(reachable=True, commander=late, detail="the slot was written")
    assert estimated(after(upgrade=power))["can_upgrade"].value == 0
    power = replace(power, commander=BY_OWNER)
    assert estimated(after(upgrade=power))["can_upgrade"].value == 1


def test_sale_fails_before_any_act_then_pausing_is_unknown_but_minting_is_not() -> None:
    probes = after(act(**FAILED), trial=act(**FAILED))
    found = estimated(probes)
    assert found["can_pause"].reason_unknown.startswith("the simulated sale fails already")
    assert found["max_reachable_sell_tax_bps"].value is None
    assert found["can_mint"].value == 0


def test_nothing_could_be_tried_then_all_unknown_with_the_reason() -> None:
    probes = after(
        trial=None,
        missing={"acts": "nothing here can simulate"},
        upgrade=UpgradePower(reachable=None, commander=None, detail="nothing here can simulate"),
    )
    for estimate in estimated(probes).values():
        assert estimate.value is None
        assert estimate.reason_unknown == "nothing here can simulate"


def controls(probes: TokenProbes | None) -> Estimate:
    # pause() and transfer(address,uint256), with an owner
    about = subject(probes=probes, owner=address(77), selectors=("0x8456cb59", "0xa9059cbb"))
    return next(item for item in contract.estimates(about) if item.code == "owner_controls")


def test_functions_of_control_are_there_then_what_they_did_outweighs_their_names() -> None:
    assert controls(None).value == 1
    assert controls(PROBES).value == 0
    assert controls(after(act(**FAILED))).value == 1
    assert controls(after(untried=("0x8456cb59",))).value == 1
    assert controls(after(trial=None, missing={"acts": "no"})).value == 1


def test_what_is_stored_then_the_same_estimates_come_out_again_offline() -> None:
    probes = after(act(sell_tax_bps=9_900), act(**FAILED), missing={"storage": "refused"})
    again = probes_from_json(probes_to_json(probes))
    assert again == probes
    first, second = analyse(subject(probes=probes)), analyse(subject(probes=again))
    assert estimates_to_json(first.estimates) == estimates_to_json(second.estimates)
    assert evidence_from_json(evidence_to_json(first.evidence)) == second.evidence
    assert first.evidence


def test_own_evm_then_less_sure() -> None:
    assert estimated(replace(PROBES, runner="pyrevm"))["can_pause"].confidence == Decimal("0.9")
