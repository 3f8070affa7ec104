"""What runtime code shows without being run: functions, opcodes that matter, the addresses and words built into it.

Pure. Reads the code as a machine would: what stands behind a jump, a stop or a return is data until the next JUMPDEST.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

import evmole
from eth_utils.crypto import keccak

CODE_CACHE_MAX = 256
#: Functions, built-in addresses and built-in words that are looked at.
FUNCTIONS_MAX = 300
CONSTANTS_MAX = 32
COMPARED_MAX = 8
VARIABLES_MAX = 128
#: EIP-1167: a contract that can only pass calls on to the address in its middle.
MINIMAL_PROXY = re.compile(rb"\x36\x3d\x3d\x37\x3d\x3d\x3d\x36\x3d\x73(.{20})\x5a\xf4", re.S)
#: EIP-7702: an account of a person that borrows code.
_DELEGATED_ACCOUNT = b"\xef\x01\x00"
_PUSH1, _PUSH20, _PUSH32 = 0x60, 0x73, 0x7F
_JUMPDEST, _DELEGATECALL, _CALLCODE, _SELFDESTRUCT = 0x5B, 0xF4, 0xF2, 0xFF
#: STOP, JUMP, RETURN, REVERT, INVALID, SELFDESTRUCT: nothing falls through them.
_ENDS = frozenset({0x00, 0x56, 0xF3, 0xFD, 0xFE, 0xFF})
_JUMPI, _EQUALITIES = 0x57, frozenset({0x14, 0x18, 0x03})  # EQ, XOR, SUB: two numbers are or are not the same
_STACK = range(0x80, 0xA0)  # DUP and SWAP
#: Within so many opcodes a comparison must end in a branch.
_BRANCH_WITHIN = 4
_COMPARED_BYTES_MAX = 8
_SHL = 0x1B
_SELECTOR_BYTES, _WORD_BYTES = 4, 32
_SELECTOR_SHIFT, _MSTORE, _CALLDATALOAD = 224, 0x52, 0x35
#: A number of up to seven bytes, and PUSH1 and SHL: how optimisers write a selector at a word's high end.
_MOVED = re.compile(rb"(?:\x60.|\x61..|\x62...|\x63.{4}|\x64.{5})\x60[\xe0-\xff]\x1b", re.S)
_COMPARED_WITHIN = 16
_WRITES = frozenset({"nonpayable", "payable"})
#: Smaller ones are sizes and places of arguments, or percents, which are tried anyhow.
_SMALL = 255
_NUMBER_BYTES_MAX = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function that code answers to. ``arguments`` are ABI types without names, "" for none."""

    selector: str  # "0x…"
    arguments: str
    is_write: bool
    is_payable: bool
    target: str = ""  # whose it is, lower case; "" the token's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """A place in storage, with the functions that read and write it, by selector ("0x…"), as far as the code shows it."""

    slot: str  # "0x…", 32 bytes
    offset: int  # bytes from the word's low end
    kind: str  # a type as Solidity writes it, guessed from how it is used
    readers: frozenset[str]
    writers: frozenset[str]

    @property
    def is_mapping(self) -> bool:
        """Tell whether values lie elsewhere, at hashes of this slot."""
        return self.kind.startswith("mapping") or self.kind.endswith("]") or self.kind in ("string", "bytes")


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeView:
    """What code shows. Addresses are lower case."""

    functions: tuple[Function, ...]
    opcodes: frozenset[int]
    addresses: tuple[str, ...]  # built in as constants or immutables
    words: tuple[str, ...]  # built-in 32-byte constants, "0x…": role names among them
    compared: tuple[int, ...]  # odd numbers that something is compared with before a branch
    numbers: tuple[int, ...]  # that may be durations, moments or amounts; values fixed at deployment too
    odd_selectors: tuple[
        str, ...
    ]  # four-byte constants that name no function shown and none called: hidden ones?
    minimal_target: str  # of an EIP-1167 proxy, else ""
    skeleton_hash: str

    @property
    def has_delegatecall(self) -> bool:
        """Tell whether the code can run other code as its own."""
        return _DELEGATECALL in self.opcodes or _CALLCODE in self.opcodes

    @property
    def has_selfdestruct(self) -> bool:
        """Tell whether the code can delete itself."""
        return _SELFDESTRUCT in self.opcodes

    @property
    def selectors(self) -> frozenset[str]:
        """Return the selectors of all functions."""
        return frozenset(function.selector for function in self.functions)


@lru_cache(maxsize=CODE_CACHE_MAX)
def view_of(code: bytes) -> CodeView:
    """Return what this runtime code shows."""
    info = evmole.contract_info(code, selectors=True, arguments=True, state_mutability=True)
    functions = tuple(
        Function(
            selector="0x" + item.selector,
            arguments=item.arguments or "",
            is_write=item.state_mutability in _WRITES,
            is_payable=item.state_mutability == "payable",
        )
        for item in (info.functions or [])[:FUNCTIONS_MAX]
    )
    body = without_metadata(code)
    opcodes, addresses, words, skeleton = _walk(body)
    selectors = frozenset(int(item.selector, 16) for item in functions)
    minimal = MINIMAL_PROXY.search(code[:64])
    return CodeView(
        functions=functions,
        opcodes=opcodes,
        addresses=addresses,
        words=words,
        compared=_compared(body, selectors),
        numbers=_numbers(body, selectors),
        odd_selectors=_odd_selectors(body, selectors),
        minimal_target="" if minimal is None else "0x" + minimal.group(1).hex(),
        skeleton_hash="0x" + bytes(keccak(skeleton)).hex(),
    )


@lru_cache(maxsize=CODE_CACHE_MAX)
def variables_of(code: bytes) -> tuple[Variable, ...]:
    """Return where this runtime code keeps what. Takes some tens of milliseconds."""
    records = evmole.contract_info(code, storage=True).storage or []
    return tuple(
        Variable(
            slot="0x" + record.slot,
            offset=record.offset,
            kind=record.type,
            readers=frozenset("0x" + selector for selector in record.reads),
            writers=frozenset("0x" + selector for selector in record.writes),
        )
        for record in records[:VARIABLES_MAX]
    )


def without_metadata(code: bytes) -> bytes:
    """Return runtime code without the compiler's trailing note, which differs between equal contracts."""
    if len(code) < 2:
        return code
    size = int.from_bytes(code[-2:], "big") + 2
    # The note is a CBOR map: its first byte says so.
    if size >= len(code) or code[-size] >> 5 != 5:
        return code
    return code[:-size]


def is_contract(code: bytes) -> bool:
    """Tell whether an account with this code acts by its code alone, and not by somebody's key."""
    return bool(code) and not code.startswith(_DELEGATED_ACCOUNT)


def is_address_like(value: int) -> bool:
    """Tell whether a number can be an address: 20 bytes that do not begin or end with four zero bytes."""
    return 2**128 <= value < 2**160 and value % 2**32 != 0


def _walk(code: bytes) -> tuple[frozenset[int], tuple[str, ...], tuple[str, ...], bytes]:
    """Return opcodes, built-in addresses and words, and the code with every 32-byte constant emptied.

    Immutable values always fill 32 bytes, so emptying those makes two contracts of one source equal.
    """
    opcodes: set[int] = set()
    addresses: dict[str, None] = {}
    words: dict[str, None] = {}
    skeleton = bytearray(code)
    at, is_reachable, size = 0, True, len(code)
    while at < size:
        opcode = code[at]
        if opcode == _JUMPDEST:
            is_reachable = True
        elif is_reachable:
            opcodes.add(opcode)
        at += 1
        if _PUSH1 <= opcode <= _PUSH32:
            end = at + opcode - _PUSH1 + 1
            if is_reachable and opcode >= _PUSH20:
                value = int.from_bytes(code[at:end], "big")
                if opcode in (_PUSH20, _PUSH32) and is_address_like(value):
                    addresses[f"0x{value:040x}"] = None
                elif opcode == _PUSH32 and value >= 2**192:
                    words[f"0x{value:064x}"] = None
                if opcode == _PUSH32:
                    skeleton[at : min(end, size)] = bytes(min(end, size) - at)
            at = end
        elif opcode in _ENDS:
            is_reachable = False
    return (
        frozenset(opcodes),
        tuple(addresses)[:CONSTANTS_MAX],
        tuple(words)[:CONSTANTS_MAX],
        bytes(skeleton),
    )


def _compared(code: bytes, selectors: frozenset[int]) -> tuple[int, ...]:
    """Return the numbers that code compares something with, without selectors, sizes and other numbers of its own making."""
    found: dict[int, None] = {}
    for size, value, then in _pushes(code):
        # Powers of two and their neighbours are masks, sizes and flags.
        is_odd = value > 4 and value & (value - 1) and value & (value + 1)
        if not is_odd or size > _COMPARED_BYTES_MAX or value in selectors:
            continue
        if then and then[0] in _EQUALITIES and _JUMPI in then[:_BRANCH_WITHIN]:
            found[value] = None
    return tuple(found)[:COMPARED_MAX]


def _numbers(code: bytes, selectors: frozenset[int]) -> tuple[int, ...]:
    """Return the numbers that may be durations, moments, counts or amounts; places in the code are none."""
    found: dict[int, None] = {}
    at = 0
    while at < len(code):
        opcode = code[at]
        size = opcode - _PUSH1 + 1 if _PUSH1 <= opcode <= _PUSH32 else 0
        value = int.from_bytes(code[at + 1 : at + 1 + size], "big")
        at += 1 + size
        is_place = value < len(code) and code[value] == _JUMPDEST
        is_number = value > _SMALL and value & (value - 1) and value & (value + 1)
        is_moved = (
            size < _WORD_BYTES
            and code[at : at + 1] in (b"\x60", b"\x52", b"\x1b")
            and size == _SELECTOR_BYTES
        )
        is_large = value >= 2 ** (8 * _NUMBER_BYTES_MAX)
        if not is_number or is_place or is_moved or is_large or value in selectors:
            continue
        is_text = all(0x20 <= byte < 0x7F for byte in value.to_bytes(_NUMBER_BYTES_MAX, "big").lstrip(b"\0"))
        if not is_text:
            found[value] = None
    return tuple(found)[:CONSTANTS_MAX]


def _odd_selectors(code: bytes, selectors: frozenset[int]) -> tuple[str, ...]:
    """Return four-byte constants that are neither functions shown nor moved into place to call or to fail with.

    A function may hide behind two constants that are combined, so their combinations are among them.
    """
    odd = {
        value: None
        for size, value, then in _pushes(code)
        if size == _SELECTOR_BYTES
        and value not in selectors
        and value != 2**32 - 1
        and then[:2] != [_PUSH1, _SHL]
    }
    odd |= dict.fromkeys(value for value in _moved_and_compared(code) if value not in selectors)
    single = list(odd)[:COMPARED_MAX]
    combined = {one ^ other for one in single for other in single if one < other}
    return tuple(f"0x{value:08x}" for value in (*single, *combined) if value not in selectors)[:CONSTANTS_MAX]


def _moved_and_compared(code: bytes) -> list[int]:
    """Return four-byte constants that are moved to a word's high end and held against calldata at once.

    Those that are written to memory are what calls, failures and texts consist of.
    """
    found: list[int] = []
    for match in _MOVED.finditer(code):
        size = match.group()[0] - _PUSH1 + 1
        if len(match.group()) != size + 1 + 3:
            continue
        moved = int.from_bytes(match.group()[1 : 1 + size], "big") << match.group()[-2]
        if moved % 2**_SELECTOR_SHIFT == 0 and 2**_SELECTOR_SHIFT <= moved < 2**256:
            then = code[match.end() : match.end() + _COMPARED_WITHIN]
            if _CALLDATALOAD in then.partition(bytes([_MSTORE]))[0]:
                found.append(moved >> _SELECTOR_SHIFT)
    return found


def _pushes(code: bytes) -> list[tuple[int, int, list[int]]]:
    """Return size and value of each constant on the stack, with the opcodes behind it, stack moves left out."""
    pushes: list[tuple[int, int, int]] = []
    opcodes: list[int] = []
    at = 0
    while at < len(code):
        opcode = code[at]
        size = opcode - _PUSH1 + 1 if _PUSH1 <= opcode <= _PUSH32 else 0
        if opcode not in _STACK:
            opcodes.append(opcode)
        if 0 < size <= _COMPARED_BYTES_MAX:
            pushes.append((len(opcodes), size, int.from_bytes(code[at + 1 : at + 1 + size], "big")))
        at += 1 + size
    return [(size, value, opcodes[position : position + _BRANCH_WITHIN]) for position, size, value in pushes]
