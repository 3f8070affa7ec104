"""What an owner can still do."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from eth_utils.crypto import keccak

from apps.intelligence.logic import contract
from apps.intelligence.logic.control_selectors import CONTROL_SELECTORS
from tests.intelligence.subjects import OWNER, subject


def selector(signature: str) -> str:
    return "0x" + keccak(text=signature)[:4].hex()


PLAIN = tuple(map(selector, ("owner()", "transfer(address,uint256)", "approve(address,uint256)")))
MINT, SET_FEES, PAUSE = (
    selector(s) for s in ("mint(address,uint256)", "setFees(uint256,uint256)", "pause()")
)


def figures(**facts: Any) -> dict[str, Any]:
    return {item.code: item for item in contract.estimates(subject(**facts))}


def test_table_then_every_selector_is_that_of_its_signature_and_stands_once() -> None:
    rows = [row for functions in CONTROL_SELECTORS.values() for row in functions.items()]
    assert [(found, text) for found, text in rows if found != selector(text)] == []
    assert len({found for found, _ in rows}) == len(rows)


def test_table_then_functions_every_honest_token_has_are_not_in_it() -> None:
    harmless = (
        "transfer(address,uint256)", "transferFrom(address,address,uint256)", "approve(address,uint256)", "owner()",
        "renounceOwnership()", "transferOwnership(address)", "burn(uint256)", "burnFrom(address,uint256)",
        "permit(address,address,uint256,uint256,uint8,bytes32,bytes32)", "increaseAllowance(address,uint256)",
    )  # fmt: skip
    assert contract.control_families(tuple(map(selector, harmless))) == ()


def test_active_owner_commands_functions_then_each_family_is_named() -> None:
    found = figures(owner=OWNER, selectors=(*PLAIN, MINT, SET_FEES))
    assert found["owner_controls"].value == 1
    assert {code for code in found if code.startswith("owner_control_")} == {
        "owner_control_tax",
        "owner_control_mint",
    }


def test_owner_gave_up_then_functions_do_not_count() -> None:
    found = figures(owner="", selectors=(*PLAIN, MINT))
    assert (found["owner_active"].value, found["owner_controls"].value) == (0, 0)


def test_functions_without_an_owner_to_give_them_up_then_they_count() -> None:
    found = figures(owner="", selectors=(selector("transfer(address,uint256)"), PAUSE))
    assert found["owner_controls"].value == 1
    assert found["owner_controls"].confidence < 1


def test_active_owner_without_functions_then_none_but_not_for_sure() -> None:
    found = figures(owner=OWNER, selectors=PLAIN)
    assert (found["owner_active"].value, found["owner_controls"].value) == (1, 0)
    assert found["owner_controls"].confidence == contract.NOT_FOUND_CONFIDENCE


def test_selectors_in_capitals_then_they_are_found() -> None:
    assert figures(owner=OWNER, selectors=tuple(s.upper().replace("X", "x") for s in (*PLAIN, MINT)))[
        "owner_controls"
    ].value


def test_code_unread_then_unknown_with_reason() -> None:
    found = figures(selectors=None, missing={"selectors": "the token is a proxy whose code can be exchanged"})
    assert found["owner_controls"].reason_unknown == "the token is a proxy whose code can be exchanged"


def test_code_has_no_transfer_then_it_hands_calls_on_and_is_unknown() -> None:
    assert figures(selectors=())["owner_controls"].value is None


def test_owner_unread_then_both_are_unknown_when_functions_are_there() -> None:
    found = figures(owner=None, selectors=(*PLAIN, MINT), missing={"owner": "the node refuses"})
    assert found["owner_active"].reason_unknown == "the node refuses"
    assert found["owner_controls"].reason_unknown == "the node refuses"


@pytest.mark.parametrize("name", ["MintableToken", "PausableToken", "BlacklistToken", "TaxedToken"])
def test_known_kinds_of_contract_then_their_functions_are_in_the_table(name: str) -> None:
    source = (Path(__file__).parents[2] / f"apps/sandbox/contracts/src/{name}.sol").read_text()
    functions = re.findall(r"function (\w+)\(([^)]*)\) external onlyOwner", source)
    signatures = [
        f"{function}({','.join(argument.split()[0] for argument in arguments.split(',') if argument.strip())})"
        for function, arguments in functions
    ]
    assert contract.control_families(tuple(map(selector, signatures)))
