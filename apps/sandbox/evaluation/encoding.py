"""Turns a file's arguments, placeholders among them, into calldata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from eth_abi.abi import encode
from eth_abi.exceptions import ABITypeError, EncodingError, ParseError
from eth_abi.grammar import ABIType, TupleType, parse
from eth_utils.address import to_checksum_address

from apps.domain.errors import BadDataError
from apps.sandbox.accounts import selector
from apps.sandbox.evaluation.case import Step, TokenCase

_VALUE_CHARS_MAX = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """What the placeholders of a token's file stand for."""

    pair: str
    router: str
    wrapped: str
    owner: str
    other: str
    made: tuple[str, ...] = ()  # what the token itself made when it was deployed, in order

    @property
    def by_placeholder(self) -> Mapping[str, str]:
        """Return the addresses by the names that files use."""
        return {
            "$PAIR": self.pair,
            "$ROUTER": self.router,
            "$WETH": self.wrapped,
            "$OWNER": self.owner,
            "$OTHER": self.other,
            **{f"$MADE{number}": address for number, address in enumerate(self.made, start=1)},
        }


def creation_data(case: TokenCase, places: Places) -> bytes:
    """Return the token's creation code with its arguments. Raises BadDataError."""
    entry: Mapping[str, Any] = next((item for item in case.abi if item.get("type") == "constructor"), {})
    types = _types(entry, "constructor")
    return case.bytecode + _encoded(types, case.constructor_arguments, places, of="the constructor")


def step_data(case: TokenCase, step: Step, places: Places) -> bytes:
    """Return a step's calldata. A whole signature is taken as it is, a name is looked up. Raises BadDataError."""
    if "(" in step.function:
        signature = step.function.replace(" ", "")
        name, types = signature.split("(", 1)[0], _components(signature[signature.index("(") :])
    else:
        name, types = step.function, _overload(case.abi, step)
    data = _encoded(types, step.arguments, places, of=name)
    return selector(f"{name}({','.join(types)})") + data


def target_of(step: Step, places: Places, *, token: str) -> str:
    """Return the address that a step calls. Raises BadDataError."""
    if step.to is None:
        return token
    try:
        return to_checksum_address(_plain("address", step.to, places))
    except (ValueError, TypeError) as error:
        raise BadDataError(f"to: {str(error)[:200]}") from error


def _overload(abi: Sequence[Mapping[str, Any]], step: Step) -> list[str]:
    """Return the argument types of the function of this name that takes so many arguments."""
    named = [
        _types(item, step.function)
        for item in abi
        if item.get("type", "function") == "function" and item.get("name") == step.function
    ]
    if not named:
        raise BadDataError(f"the abi has no function {step.function[:_VALUE_CHARS_MAX]}")
    fitting = [types for types in named if len(types) == len(step.arguments)]
    if not fitting:
        counts = " or ".join(sorted({str(len(types)) for types in named}))
        raise BadDataError(f"{step.function} takes {counts} arguments, not {len(step.arguments)}")
    return fitting[0]


def _types(entry: Mapping[str, Any], of: str) -> list[str]:
    try:
        return [_type(item) for item in entry.get("inputs", ())]
    except (LookupError, TypeError, AttributeError):
        raise BadDataError(f"the abi's inputs of {of} cannot be understood") from None


def _type(item: Mapping[str, Any]) -> str:
    """Return an argument's type with tuples spelt out, as the encoder wants it."""
    kind = str(item["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(map(_type, item['components']))}){kind.removeprefix('tuple')}"


def _components(types: str) -> list[str]:
    if types == "()":
        return []
    try:
        parsed = parse(types)
    except (ParseError, ABITypeError, ValueError):
        raise BadDataError(f"{types[:_VALUE_CHARS_MAX]} is no list of types") from None
    if not isinstance(parsed, TupleType):
        raise BadDataError(f"{types[:_VALUE_CHARS_MAX]} is no list of types")
    return [component.to_type_str() for component in parsed.components]


def _encoded(types: Sequence[str], arguments: Sequence[Any], places: Places, *, of: str) -> bytes:
    if len(types) != len(arguments):
        raise BadDataError(f"{of} takes {len(types)} arguments, not {len(arguments)}")
    try:
        parsed = [parse(item) for item in types]
        values = [_value(kind, item, places) for kind, item in zip(parsed, arguments, strict=True)]
        return encode(list(types), values)
    except (EncodingError, ParseError, ABITypeError, ValueError, TypeError, OverflowError) as error:
        raise BadDataError(f"the arguments of {of} do not fit its types: {str(error)[:200]}") from error


def _value(kind: ABIType, item: Any, places: Places) -> Any:
    """Return a JSON value as the encoder wants it. Raises ValueError or TypeError."""
    if kind.is_array:
        if not isinstance(item, list):
            raise TypeError(f"{kind.to_type_str()} needs a list")
        return [_value(kind.item_type, part, places) for part in item]
    if isinstance(kind, TupleType):
        parts = list(item.values()) if isinstance(item, dict) else item
        if not isinstance(parts, list) or len(parts) != len(kind.components):
            raise TypeError(f"{kind.to_type_str()} needs a list of {len(kind.components)}")
        return tuple(_value(part, value, places) for part, value in zip(kind.components, parts, strict=True))
    return _plain(kind.to_type_str(), item, places)


def _plain(kind: str, item: Any, places: Places) -> Any:
    if kind == "string":
        return item  # placeholders are addresses
    if isinstance(item, str) and item.startswith("$"):
        try:
            item = places.by_placeholder[item]
        except KeyError:
            known = ", ".join(places.by_placeholder)
            raise ValueError(f"{item[:_VALUE_CHARS_MAX]} is none of {known}") from None
    if kind == "address":
        return _address(item)
    if kind.startswith(("uint", "int")):
        return int(item, 0) if isinstance(item, str) else _whole(item)
    if kind == "bool":
        return item.lower() == "true" if isinstance(item, str) else bool(item)
    if kind.startswith("bytes"):
        return bytes.fromhex(str(item).removeprefix("0x"))
    return item


def _address(item: Any) -> str:
    if not isinstance(item, str) or len(bytes.fromhex(item.removeprefix("0x"))) != 20:
        raise ValueError(f"{str(item)[:_VALUE_CHARS_MAX]} is no address")
    return "0x" + item.removeprefix("0x").lower()


def _whole(item: Any) -> int:
    if isinstance(item, Decimal) and item == item.to_integral_value():  # 1e18 in JSON
        return int(item)
    if not isinstance(item, int):
        raise TypeError(f"{str(item)[:_VALUE_CHARS_MAX]} is no whole number")
    return int(item)
