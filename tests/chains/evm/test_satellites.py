"""Contracts beside a token: found by its count of what it made, and tried only where they are of a sensible size."""

from __future__ import annotations

import json

from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.owner_satellites import CHILDREN_MAX, SATELLITES_MAX, children_of, satellites_of
from apps.sandbox.deploy import created_address
from tests.programs import ROOT

COMPILED = ROOT / "apps/sandbox/contracts/suite/compiled"
TOKEN = "0x" + "ab" * 20


def code_of(name: str) -> str:
    return str(json.loads((COMPILED / f"{name}.json").read_text())["deployedBytecode"])


@given(st.binary(min_size=20, max_size=20))
def test_token_made_contracts_then_their_addresses_are_those_of_the_chain(maker: bytes):
    token = "0x" + maker.hex()
    found = children_of(token, hex(1 + CHILDREN_MAX))
    assert [item.lower() for item in found] == [
        created_address(token, number).lower() for number in range(1, 1 + CHILDREN_MAX)
    ]


def test_token_made_nothing_or_the_node_does_not_tell_then_there_are_none():
    assert children_of(TOKEN, "0x1") == ()
    assert children_of(TOKEN, None) == ()
    assert len(children_of(TOKEN, "0xffff")) == CHILDREN_MAX


def test_addresses_when_sorted_out_then_only_contracts_with_functions_that_write_are_left():
    ledger, person, stranger, empty = ("0x" + f"{number:040x}" for number in (1, 2, 3, 4))
    answers = {
        f"code:{ledger}": code_of("Ledger"),
        f"code:{person}": "0x",
        f"code:{stranger}": code_of("Ledger"),
        f"code:{empty}": code_of("Presence"),
    }
    found = satellites_of((empty, person, stranger, ledger), answers, strangers=frozenset({stranger}))
    assert list(found) == [ledger]
    settle = "0x" + bytes(keccak(text="settle(address,uint256)"))[:4].hex()
    assert settle in {item.selector for item in found[ledger]}
    assert {item.target for item in found[ledger]} == {ledger}


def test_many_contracts_when_sorted_out_then_the_first_few_are_tried():
    addresses = [f"0x{number:040x}" for number in range(1, 20)]
    answers = {f"code:{address}": code_of("Ledger") for address in addresses}
    found = satellites_of(addresses, answers, strangers=frozenset())
    assert list(found) == addresses[:SATELLITES_MAX]
