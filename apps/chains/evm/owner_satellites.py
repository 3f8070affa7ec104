"""Contracts that a token works with: those it made, those a transfer asks, those it names. Who commands them may command it.

Their functions are tried like the token's own, and count by what they do to our balance and our sale. Pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from eth_utils.crypto import keccak

from apps.chains.evm import owner, parse
from apps.chains.evm.bytecode import Function, is_contract, view_of

#: Contracts that a token made and that are looked for, by its count of what it made.
CHILDREN_MAX = 4
#: Contracts whose functions are tried.
SATELLITES_MAX = 3
#: Functions of one that are tried; a contract with more is something bigger than a part of this token.
FUNCTIONS_MAX = 24
#: A contract's count of what it made begins here (EIP-161).
_FIRST_NONCE = 1


def children_of(token: str, nonce_answer: Any) -> tuple[str, ...]:
    """Return the addresses of the first contracts that the token made (CREATE), in lower case."""
    count = parse.attempt(parse.hex_number, nonce_answer, "nonce", maximum=parse.UINT64_MAX) or 0
    last = min(count, _FIRST_NONCE + CHILDREN_MAX)
    return tuple(_created(token, number) for number in range(_FIRST_NONCE, last))


def satellites_of(
    addresses: Iterable[str], answers: Mapping[str, Any], *, strangers: frozenset[str]
) -> dict[str, tuple[Function, ...]]:
    """Return the functions to try of those addresses that are such contracts, in the order given."""
    found: dict[str, tuple[Function, ...]] = {}
    for address in dict.fromkeys(addresses):
        code = owner.code_of(answers.get(f"code:{address}"))
        if address in strangers or not code or not is_contract(code):
            continue
        functions = tuple(replace(item, target=address) for item in view_of(code).functions if item.is_write)
        if 0 < len(functions) <= FUNCTIONS_MAX:
            found[address] = functions
        if len(found) == SATELLITES_MAX:
            break
    return found


def _created(maker: str, nonce: int) -> str:
    """Return the address of what an account makes at a nonce: the hash of both. Source: yellow paper, section 7."""
    # RLP of a list of 20 bytes and one small number: 22 bytes, of which 20 are a text.
    raw = b"\xd6\x94" + bytes.fromhex(maker[2:]) + bytes([nonce])
    return "0x" + bytes(keccak(raw))[-20:].hex()
