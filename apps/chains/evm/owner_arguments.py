"""With which arguments a token's functions are tried: extreme ones, against us, the pool and a stranger. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import product
from typing import Literal

from apps.chains.evm import abi
from apps.chains.evm.bytecode import Function
from apps.domain.money import UINT256_MAX

Names = Literal["nobody", "buyer", "pool", "receiver", "agent"]

#: Levels tried from the highest down, because some setters can only lower: percent, per mille and basis points, and caps
#: that contracts often write.
LEVELS = (
    *(UINT256_MAX, 10_000, 9_900, 5_000, 3_000, 2_500, 2_000, 1_500, 1_000, 990, 500, 300, 250, 200, 150),
    *(100, 99, 50, 30, 25, 20, 15, 12, 10, 8, 5, 3, 2, 1, 0),
)
#: One level alone where a contract caps the sum of several.
LEVELS_ALONE = (UINT256_MAX, 10_000, 9_900, 2_500, 1_000, 990, 500, 100, 99, 50, 30, 25, 20, 10, 5)
ALONE_POSITIONS_MAX = 4
#: -9,900, -990 and -99 as numbers with a sign are written: whoever checks the upper end may forget the lower.
BELOW = tuple(UINT256_MAX + 1 - level for level in (9_900, 990, 99))
#: Built-in words that are tried as names of roles.
ROLES_MAX = 4
FEW_LEVELS = frozenset({UINT256_MAX, 9_900, 990, 99, 25, 10, 5, 1, 0})
FEW_MAX = 16
#: Coins sent along with a function that takes some.
COINS_SENT_RAW = 10**18
PAID_TRIES_MAX = 3
TRIES_PER_FUNCTION_MAX = 112
ARGUMENTS_MAX = 12

_INTEGER = re.compile(r"(u?)int(\d*)")
_FIXED_BYTES = re.compile(r"bytes(\d+)")
#: Never tried: they are everybody's, or they give away what the other tries need.
STANDARD = frozenset(
    "0x" + abi.selector(signature).hex()
    for signature in (
        "transfer(address,uint256)",
        "approve(address,uint256)",
        "increaseAllowance(address,uint256)",
        "decreaseAllowance(address,uint256)",
        "renounceOwnership()",
        "transferOwnership(address)",
        "acceptOwnership()",
        "renounceRole(bytes32,address)",
        "revokeRole(bytes32,address)",
    )
)
UPGRADE_TO = Function(
    selector="0x" + abi.selector("upgradeTo(address)").hex(),
    arguments="address",
    is_write=True,
    is_payable=False,
)
UPGRADE_TO_AND_CALL = Function(
    selector="0x" + abi.selector("upgradeToAndCall(address,bytes)").hex(),
    arguments="address,bytes",
    is_write=True,
    is_payable=True,
)
_TYPES_KEPT = 512
#: A value of one argument: a number, bytes, or the items of a list; None is an empty text or an empty list.
Value = int | bytes | list[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Whom arguments name, and the amounts that matter. Addresses are lower case; ``agent`` "" names none."""

    buyer: str
    pool: str
    receiver: str
    agent: str
    held_raw: int  # what our simulated buyer holds
    pooled_raw: int
    supply_raw: int
    words: tuple[str, ...]  # built-in constants: names of roles among them
    compared: tuple[int, ...] = ()  # numbers that the code compares something with


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """One call of one function. ``level`` is the number that all its numeric arguments share, None without one."""

    function: Function
    data: str
    names: Names
    level: int | None = None
    value_raw: int = 0  # coins that go with it
    is_alone: bool = False  # one number is ``level``, all others zero
    is_everyday: bool = False  # what everybody may call: played with all others of its kind at once
    is_telling: bool = (
        False  # the level means something to this token: its supply, our balance, a number in its code
    )


def tries_of(function: Function, cast: Cast) -> tuple[Try, ...]:
    """Return the calls of a function that are worth trying, strongest first; none when its arguments cannot be made."""
    if function.selector in STANDARD:
        return ()
    types = split_types(function.arguments)
    if len(types) > ARGUMENTS_MAX or any(_kind(name) == "other" for name in types):
        return ()
    kinds = [_kind(name) for name in types]
    if function.selector == _TRANSFER_FROM:
        return _moves(function, cast)
    made: list[Try] = []
    telling = {*cast.compared, *BELOW, cast.supply_raw, cast.held_raw}
    for (names, addresses), flags, word in product(
        _address_choices(kinds.count("address"), cast),
        _flag_choices(kinds.count("flag")),
        _word_choices(kinds.count("word"), cast),
    ):
        choices = _level_choices(kinds.count("level"), cast, is_about_somebody=names != "nobody")
        if names == "nobody" and "level" in kinds:
            choices += [(level, [level] * kinds.count("level")) for level in BELOW]
        for level, levels in choices:
            values = _values(types, kinds, addresses=addresses, flags=flags, levels=levels, word=word)
            if values is None:
                continue
            made.append(
                Try(
                    function=function,
                    data=function.selector + encode(types, values).hex(),
                    names=names,
                    level=level,
                    is_alone=len(set(levels)) > 1,
                    is_telling=level in telling,
                )
            )
    made = [*_disguised(function, types, kinds, cast), *made]
    if function.is_payable:
        paid = [item for item in made if item.names in ("nobody", "buyer")][:PAID_TRIES_MAX]
        made = [*(replace(item, value_raw=COINS_SENT_RAW) for item in paid), *made]
    unique: dict[tuple[str, int], Try] = {}
    for item in made:
        unique.setdefault((item.data, item.value_raw), item)
    return tuple(unique.values())[:TRIES_PER_FUNCTION_MAX]


def _disguised(function: Function, types: Sequence[str], kinds: Sequence[str], cast: Cast) -> list[Try]:
    """Return calls in which numbers are addresses: code seldom shows which of both a word is."""
    places = [
        number
        for number, (name, kind) in enumerate(zip(types, kinds, strict=True))
        if kind == "level" and _maximum(name) >= 2**160 - 1
    ]
    if not places or "address" in kinds:
        return []
    found: list[Try] = []
    named: tuple[tuple[Names, str], ...] = (("buyer", cast.buyer), ("pool", cast.pool))
    for (names, address), rest in product(named, (1, 0) if len(kinds) > 1 else (1,)):
        levels = [rest] * kinds.count("level")
        levels[[number for number, kind in enumerate(kinds) if kind == "level"].index(places[0])] = int(
            address, 16
        )
        flags = [1] * kinds.count("flag")
        values = _values(types, kinds, addresses=[], flags=flags, levels=levels, word=0)
        if values is not None:
            data = function.selector + encode(types, values).hex()
            found.append(Try(function=function, data=data, names=names))
    return found


def role_numbers(cast: Cast) -> tuple[int, ...]:
    """Return the built-in words that may name roles, as numbers: code seldom shows whether a word or a number is meant."""
    return tuple(int(word, 16) for word in cast.words[:ROLES_MAX])


def few_of(tries: Sequence[Try]) -> tuple[Try, ...]:
    """Return the tries that tell most: on every scale one level that nearly all is of, and one that contracts allow."""
    return tuple(item for item in tries if item.level is None or item.is_telling or item.level in FEW_LEVELS)[
        :FEW_MAX
    ]


def split_types(arguments: str) -> list[str]:
    """Return the types of an argument list, tuples in one piece."""
    types, depth, start = [], 0, 0
    for at, letter in enumerate(arguments):
        depth += (letter == "(") - (letter == ")")
        if letter == "," and depth == 0:
            types.append(arguments[start:at])
            start = at + 1
    return [*types, arguments[start:]] if arguments else []


def encode(types: Sequence[str], values: Sequence[Value]) -> bytes:
    """Return ABI words of numbers, one-dimensional lists of them, and empty texts."""
    head, tail = [], b""
    for name, value in zip(types, values, strict=True):
        if isinstance(value, bytes):
            head.append(abi.word_of(len(types) * abi.WORD_BYTES + len(tail)))
            padding = -len(value) % abi.WORD_BYTES
            tail += abi.word_of(len(value)) + value + bytes(padding)
        elif not isinstance(value, int):
            head.append(abi.word_of(len(types) * abi.WORD_BYTES + len(tail)))
            items = value or []
            tail += abi.word_of(len(items)) + b"".join(_word(item) for item in items)
        else:
            assert not name.endswith("]"), name
            head.append(_word(value))
    return b"".join(head) + tail


_TRANSFER_FROM = "0x" + abi.TRANSFER_FROM.hex()


def _moves(function: Function, cast: Cast) -> tuple[Try, ...]:
    """Return moves of other people's tokens without their leave: our simulated buyer's and half of the pool's."""
    receiver = int(cast.receiver, 16)
    types = ["address", "address", "uint256"]
    whose: tuple[tuple[Names, str, int], ...] = (
        ("buyer", cast.buyer, cast.held_raw),
        ("pool", cast.pool, cast.pooled_raw // 2),
    )
    return tuple(
        Try(
            function=function,
            data=function.selector + encode(types, [int(holder, 16), receiver, amount]).hex(),
            names=names,
        )
        for names, holder, amount in whose
    )


@lru_cache(maxsize=_TYPES_KEPT)
def _kind(name: str) -> Literal["level", "flag", "address", "word", "empty", "other"]:
    inner = name.removesuffix("[]")
    if inner in ("bytes", "string"):
        return "empty" if inner == name else "other"
    if inner == "address":
        return "address"
    if inner == "bool":
        return "flag"
    if _INTEGER.fullmatch(inner):
        return "level"
    if _FIXED_BYTES.fullmatch(inner):
        return "word"
    return "other"


def _address_choices(count: int, cast: Cast) -> list[tuple[Names, list[int]]]:
    """Return whom the address arguments name; of two, the first is whom it hurts and the second who gains."""
    if count == 0:
        return [("nobody", [])]
    buyer, pool, receiver = (int(address, 16) for address in (cast.buyer, cast.pool, cast.receiver))
    rest = [receiver] * (count - 1)
    choices: list[tuple[Names, list[int]]] = [("buyer", [buyer, *rest]), ("pool", [pool, *rest])]
    choices.append(("receiver", [receiver, *rest]))
    if cast.agent:
        choices.append(("agent", [int(cast.agent, 16)] * count))
    return choices


def _flag_choices(count: int) -> list[list[int]]:
    if count == 0:
        return [[]]
    choices = [[1] * count, [0] * count]
    if count == 2:
        choices += [[1, 0], [0, 1]]
    return choices


def _word_choices(count: int, cast: Cast) -> list[int]:
    if count == 0:
        return [0]
    return [0, *role_numbers(cast)]


def _level_choices(count: int, cast: Cast, *, is_about_somebody: bool) -> list[tuple[int | None, list[int]]]:
    if count == 0:
        return [(None, [])]
    if is_about_somebody:
        amounts = (
            UINT256_MAX,
            cast.supply_raw,
            cast.held_raw,
            9_900,
            99,
            1,
            0,
            *cast.compared,
            *role_numbers(cast),
        )
        return [(amount, [amount] * count) for amount in amounts]
    choices: list[tuple[int | None, list[int]]] = [(level, [level] * count) for level in LEVELS]
    choices.insert(1, (cast.supply_raw, [cast.supply_raw] * count))
    choices += [(level, [level] * count) for level in cast.compared]
    if count > 1:
        for position in range(min(count, ALONE_POSITIONS_MAX)):
            for level in LEVELS_ALONE:
                alone = [0] * count
                alone[position] = level
                choices.append((level, alone))
    return choices


def _values(
    types: Sequence[str],
    kinds: Sequence[str],
    *,
    addresses: Sequence[int],
    flags: Sequence[int],
    levels: Sequence[int],
    word: int,
) -> list[Value] | None:
    """Return the arguments in order, None when a number does not fit its type."""
    given = {"address": iter(addresses), "flag": iter(flags), "level": iter(levels)}
    values: list[Value] = []
    for name, kind in zip(types, kinds, strict=True):
        if kind == "empty":
            values.append(None)
            continue
        value = _fixed_word(name, word) if kind == "word" else next(given[kind])
        if kind == "level":
            if value > _maximum(name) and value != UINT256_MAX and value not in BELOW:
                return None
            is_below = value in BELOW and name.startswith("int")
            value = value if is_below else min(value, _maximum(name))
        values.append([value] if name.endswith("[]") else value)
    return values


@lru_cache(maxsize=_TYPES_KEPT)
def _maximum(name: str) -> int:
    """Return the largest number of an integer type."""
    match = _INTEGER.fullmatch(name.removesuffix("[]"))
    assert match is not None, name
    bits = int(match.group(2) or 256)
    return int(2 ** (bits if match.group(1) else bits - 1)) - 1


def _fixed_word(name: str, word: int) -> int:
    """Return the leading bytes of a word, as a fixed-size byte type holds them."""
    match = _FIXED_BYTES.fullmatch(name.removesuffix("[]"))
    assert match is not None, name
    empty_bits = 256 - 8 * int(match.group(1))
    return word >> empty_bits << empty_bits


def _word(value: int) -> bytes:
    return abi.word_of(value)
