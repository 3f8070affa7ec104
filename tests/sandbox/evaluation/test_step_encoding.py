"""Arguments of files as calldata: what solc's own encoding of the same call gives."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode
from eth_utils.crypto import keccak

from apps.domain.errors import BadDataError
from apps.sandbox.evaluation.case import Step, case_of
from apps.sandbox.evaluation.encoding import Places, creation_data, step_data, target_of
from tests.sandbox.evaluation.files import suite_file, token

PLACES = Places(
    pair="0x" + "a1" * 20,
    router="0x" + "b2" * 20,
    wrapped="0x" + "c3" * 20,
    owner="0x" + "d4" * 20,
    other="0x" + "e5" * 20,
)


def _step(function: str, *arguments: Any) -> Step:
    return Step(sender="owner", function=function, arguments=arguments, blocks_after=0, value_wei=0)


def _function(name: str, *types: str) -> dict[str, Any]:
    return {"type": "function", "name": name, "inputs": [{"name": "", "type": kind} for kind in types]}


def _case(*functions: dict[str, Any]):
    return case_of(token(abi=list(functions)))


def test_placeholders_when_encoded_then_they_are_the_places():
    case = _case(_function("f", "address[5]"))
    data = step_data(case, _step("f", ["$PAIR", "$ROUTER", "$WETH", "$OWNER", "$OTHER"]), PLACES)
    (found,) = decode(["address[5]"], data[4:])
    assert found == (PLACES.pair, PLACES.router, PLACES.wrapped, PLACES.owner, PLACES.other)


@pytest.mark.parametrize(
    ("kind", "given", "meant"),
    [
        ("uint256", "1000000000000000000000", 10**21),
        ("uint256", "0xff", 255),
        ("int8", -5, -5),
        ("bool", True, True),
        ("bool", "false", False),
        ("bytes", "0x60fe", b"\x60\xfe"),
        ("bytes4", "0x23b872dd", bytes.fromhex("23b872dd")),
        ("string", "$5 off", "$5 off"),
        ("uint256[]", ["1", 2], (1, 2)),
    ],
)
def test_plain_values_when_encoded_then_they_mean_what_was_written(kind: str, given: Any, meant: Any):
    data = step_data(_case(_function("f", kind)), _step("f", given), PLACES)
    assert decode([kind], data[4:]) == (meant,)


def test_overloads_when_called_by_name_then_the_number_of_arguments_decides():
    case = _case(_function("mint", "uint256"), _function("mint", "address", "uint256"))
    assert step_data(case, _step("mint", "$OWNER", 1), PLACES)[:4] == keccak(text="mint(address,uint256)")[:4]
    assert step_data(case, _step("mint", 1), PLACES)[:4] == keccak(text="mint(uint256)")[:4]


def test_whole_signature_when_called_then_the_interface_is_not_asked():
    data = step_data(
        _case(), _step("hidden((uint256,bool)[],address)", [[[1, True]], "$PAIR"][0], "$PAIR"), PLACES
    )
    assert data[:4] == keccak(text="hidden((uint256,bool)[],address)")[:4]


def test_tuples_when_encoded_then_their_parts_are():
    case = case_of(suite_file("FacetsCut"))
    data = step_data(case, case.after_buy[0], PLACES)
    assert data[:4] == keccak(text="diamondCut((address,uint8,bytes4[])[],address,bytes)")[:4]
    cuts, _, _ = decode(["(address,uint8,bytes4[])[]", "address", "bytes"], data[4:])
    assert cuts[0][1:] == (2, (bytes.fromhex("23b872dd"),))


def test_constructor_when_encoded_then_its_arguments_follow_the_code():
    case = case_of(suite_file("RouterBlocked"))
    data = creation_data(case, PLACES)
    assert data.startswith(case.bytecode)
    assert decode(["address", "address"], data[len(case.bytecode) :]) == (PLACES.pair, PLACES.router)


@pytest.mark.parametrize(
    ("step", "words"),
    [
        (_step("absent"), "no function absent"),
        (_step("f"), "takes 1 arguments, not 0"),
        (_step("f", "$MOON"), r"\$MOON is none of"),
        (_step("f", "0x12"), "is no address"),
        (_step("f", 7), "is no address"),
        (_step("g", 2**256), "do not fit"),
        (_step("g", -1), "do not fit"),
        (_step("g", "many"), "do not fit"),
        (_step("g", 0.5), "do not fit"),
        (_step("h", 5), "needs a list"),
        (_step("h", [[1]]), "do not fit"),
        (_step("k(uint256", 1), "no list of types"),
        (_step("k(moon)", 1), "do not fit|no list of types"),
    ],
)
def test_arguments_that_do_not_fit_when_encoded_then_the_fault_is_named(step: Step, words: str):
    case = _case(_function("f", "address"), _function("g", "uint256"), _function("h", "uint256[]"))
    with pytest.raises(BadDataError, match=words):
        step_data(case, step, PLACES)


def test_step_with_a_target_when_asked_then_it_is_what_the_token_made_or_the_token():
    places = replace(PLACES, made=("0x" + "ab" * 20,))
    plain = _step("f")
    assert target_of(plain, places, token="0xToken") == "0xToken"
    assert target_of(replace(plain, to="$MADE1"), places, token="0xToken").lower() == "0x" + "ab" * 20
    with pytest.raises(BadDataError, match=r"to: .*MADE2"):
        target_of(replace(plain, to="$MADE2"), places, token="0xToken")
