"""What code shows without being run, on real contracts and on code made for one property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.bytecode import MINIMAL_PROXY, is_address_like, is_contract, view_of, without_metadata
from tests.chain_fixtures import artifact

GUARDIAN = "a5" * 20
#: PUSH20 guardian, CALLER, EQ, STOP.
NAMES_GUARDIAN = bytes.fromhex("73" + GUARDIAN + "3314" + "00")


def code_of(name: str) -> bytes:
    return bytes.fromhex(artifact(name)["deployedBytecode"][2:])


def test_token_then_functions_come_with_arguments_and_writing_ones_are_told() -> None:
    functions = {item.selector: item for item in view_of(code_of("TaxedToken")).functions}
    assert functions["0x9ef833d4"].arguments == "uint16,uint16"
    assert functions["0x9ef833d4"].is_write
    assert not functions["0x70a08231"].is_write  # balanceOf
    assert not view_of(code_of("TaxedToken")).has_delegatecall


def test_address_is_built_in_then_it_is_found() -> None:
    assert view_of(NAMES_GUARDIAN).addresses == ("0x" + GUARDIAN,)


def test_data_stands_behind_the_code_then_it_is_not_read_as_code() -> None:
    assert view_of(bytes.fromhex("00" + "f4ff")).opcodes == frozenset({0x00})
    assert view_of(bytes.fromhex("5b" + "f4")).has_delegatecall
    assert view_of(bytes.fromhex("33ff")).has_selfdestruct


def test_immutables_differ_then_the_skeleton_is_the_same() -> None:
    plain = code_of("HiddenMintToken")
    first = plain.replace(b"\x7f" + bytes(32), b"\x7f" + bytes(12) + b"\x11" * 20)
    second = plain.replace(b"\x7f" + bytes(32), b"\x7f" + bytes(12) + b"\x22" * 20)
    assert first != second
    assert view_of(first).skeleton_hash == view_of(second).skeleton_hash
    assert view_of(first).addresses == ("0x" + "11" * 20,)
    assert view_of(first).skeleton_hash != view_of(code_of("MintableToken")).skeleton_hash


def test_number_decides_a_branch_then_it_is_a_compared_one() -> None:
    # PUSH2 1337, DUP2, EQ, PUSH1 target, JUMPI
    assert view_of(bytes.fromhex("61053981146009" + "57" + "00" + "5b00")).compared == (1337,)


@pytest.mark.parametrize("name", ["StandardToken", "TaxedToken", "PausableToken", "BlacklistToken"])
def test_ordinary_token_then_nothing_in_it_looks_hidden(name: str) -> None:
    view = view_of(code_of(name))
    assert (view.compared, view.odd_selectors) == ((), ())


def test_minimal_proxy_then_its_target_is_read() -> None:
    code = bytes.fromhex("363d3d373d3d3d363d73" + "be" * 20 + "5af43d82803e903d91602b57fd5bf3")
    assert MINIMAL_PROXY.search(code)
    assert view_of(code).minimal_target == "0x" + "be" * 20


def test_account_with_borrowed_code_then_it_is_no_contract() -> None:
    assert not is_contract(b"")
    assert not is_contract(bytes.fromhex("ef0100" + "11" * 20))
    assert is_contract(NAMES_GUARDIAN)


@pytest.mark.parametrize(("value", "expected"), [(0, False), (10**27, False), (int(GUARDIAN, 16), True)])
def test_number_when_asked_whether_it_is_an_address_then_supplies_are_not(value: int, expected: bool) -> None:
    assert is_address_like(value) is expected


@given(st.binary(max_size=400))
def test_any_bytes_when_viewed_then_an_answer_and_never_an_exception(code: bytes) -> None:
    view = view_of(code)
    assert view.skeleton_hash.startswith("0x")
    assert len(without_metadata(code)) <= len(code)
