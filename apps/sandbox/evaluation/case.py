"""One token of a test set: what to deploy, what happens before we look, and what its owner does once we hold it.

A file is foreign: everything in it is checked here, and a fault is named in words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from apps.domain.errors import BadDataError

Label = Literal["safe", "unsafe"]
Sender = Literal["owner", "other"]

#: Creation code may have 49,152 bytes (EIP-3860); with its interface a file stays far below this.
FILE_BYTES_MAX = 2 * 1024 * 1024
CODE_BYTES_MAX = 49_152
CASES_MAX = 2_000
STEPS_MAX = 50
#: A week of blocks of 12 seconds.
BLOCKS_AFTER_MAX = 50_400
NAME_CHARS_MAX = 80
#: An interface with tuples in tuples needs a dozen.
NESTING_MAX = 64
_BRACKETS_AND_TEXTS = re.compile(r'"(?:[^"\\]|\\.)*+"|([\[\]{}])', re.S)
_WEI_MAX = 10_000 * 10**18
_LABELS: tuple[Label, ...] = ("safe", "unsafe")
_SENDERS: tuple[Sender, ...] = ("owner", "other")


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One call of the token, and how many empty blocks follow it. Arguments are as the file gives them."""

    sender: Sender
    function: str  # a name of the interface, or a whole signature
    arguments: tuple[Any, ...]
    blocks_after: int
    value_wei: int
    to: str | None = None  # a placeholder or an address; None is the token


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenCase:
    """A token with its truth."""

    name: str
    label: Label
    abi: tuple[Mapping[str, Any], ...]
    bytecode: bytes
    constructor_arguments: tuple[Any, ...]
    value_wei: int
    setup: tuple[Step, ...]
    after_buy: tuple[Step, ...]


def case_paths(folder: Path) -> tuple[Path, ...]:
    """Return the token files of a folder and its sub-folders in order of their path. Raises BadDataError."""
    if not folder.is_dir():
        raise BadDataError(f"{folder} is no folder.", remedy="Give a folder with one JSON file a token.")
    paths = tuple(sorted(path for path in folder.rglob("*.json") if path.is_file()))
    if not paths:
        raise BadDataError(
            f"{folder} holds no JSON file.", remedy="Give a folder with one JSON file a token."
        )
    if len(paths) > CASES_MAX:
        raise BadDataError(
            f"{folder} holds {len(paths)} files; at most {CASES_MAX} are evaluated in one run.",
            remedy="Give a part of it.",
        )
    return paths


def case_read(path: Path) -> TokenCase:
    """Return the token that a file describes. Raises BadDataError that says what is wrong with it."""
    try:
        size = path.stat().st_size
        if size > FILE_BYTES_MAX:
            raise _fault(f"the file has {size:,} bytes, at most {FILE_BYTES_MAX:,} are read")
        content = _json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _fault(f"the file cannot be read: {error.strerror}") from error
    except ValueError as error:  # JSON and UTF-8 faults are ValueErrors
        raise _fault(f"the file is no JSON: {error}") from error
    return case_of(content)


def case_of(content: Any) -> TokenCase:
    """Return the token that parsed JSON describes. Raises BadDataError."""
    if not isinstance(content, dict):
        raise _fault("the file holds no JSON object")
    absent = [key for key in ("name", "label", "abi", "bytecode") if key not in content]
    if absent:
        raise _fault(f"missing: {', '.join(absent)}")
    return TokenCase(
        name=_name(content["name"]),
        label=_label(content["label"]),
        abi=_abi(content["abi"]),
        bytecode=_bytecode(content["bytecode"]),
        constructor_arguments=tuple(_list(content.get("constructor_args"), "constructor_args")),
        value_wei=_number(content.get("value_wei", 0), "value_wei", maximum=_WEI_MAX),
        setup=_steps(content.get("setup"), "setup"),
        after_buy=_steps(content.get("after_buy"), "after_buy"),
    )


def claimed_identity(path: Path) -> tuple[str, Label | None]:
    """Return name and label of a file that may be damaged, as far as it tells them; the name is the file's otherwise."""
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            return path.stem, None
        content = _json(path.read_text(encoding="utf-8"))
        return _name(content["name"]), _label(content["label"])
    except (OSError, ValueError, LookupError, TypeError, BadDataError):
        return path.stem, None


def _json(text: str) -> Any:
    """Return parsed JSON with exact numbers. Raises ValueError, too when it is nested so deep that parsing would crash."""
    depth = 0
    for mark in _BRACKETS_AND_TEXTS.finditer(text):
        bracket = mark.group(1)
        depth += 0 if bracket is None else 1 if bracket in "[{" else -1
        if depth > NESTING_MAX:
            raise ValueError(f"nested deeper than {NESTING_MAX}")
    return json.loads(text, parse_float=Decimal)  # 1e27 is no float


def _fault(words: str) -> BadDataError:
    return BadDataError(
        words, remedy="Mend the token's file; its form is told by 'evaluate honeypots --help'."
    )


def _name(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise _fault("name is no text")
    return "".join(letter if letter.isprintable() else " " for letter in value.strip())[:NAME_CHARS_MAX]


def _label(value: Any) -> Label:
    for label in _LABELS:
        if value == label:
            return label
    raise _fault('label is neither "safe" nor "unsafe"')


def _abi(value: Any) -> tuple[Mapping[str, Any], ...]:
    if isinstance(value, str):
        try:
            value = _json(value)
        except ValueError:
            raise _fault("abi is text that is no JSON") from None
    entries = _list(value, "abi")
    if not all(
        isinstance(entry, dict) and isinstance(entry.get("type", "function"), str) for entry in entries
    ):
        raise _fault("abi is no list of objects")
    return tuple(entries)


def _bytecode(value: Any) -> bytes:
    if isinstance(value, dict):
        value = value.get("object")  # as compilers write it
    if not isinstance(value, str):
        raise _fault("bytecode is no hex text")
    try:
        code = bytes.fromhex(value.strip().removeprefix("0x"))
    except ValueError:
        raise _fault("bytecode is no hex text") from None
    if not code:
        raise _fault("bytecode is empty")
    if len(code) > CODE_BYTES_MAX:
        raise _fault(f"bytecode has {len(code):,} bytes, a chain takes at most {CODE_BYTES_MAX:,} (EIP-3860)")
    return code


def _steps(value: Any, part: str) -> tuple[Step, ...]:
    items = _list(value, part)
    if len(items) > STEPS_MAX:
        raise _fault(f"{part} has {len(items)} steps, at most {STEPS_MAX} are made")
    return tuple(_step(item, f"{part}[{number}]") for number, item in enumerate(items))


def _step(item: Any, part: str) -> Step:
    if not isinstance(item, dict):
        raise _fault(f"{part} is no object")
    function = item.get("fn")
    if not isinstance(function, str) or not function.strip():
        raise _fault(f"{part}.fn names no function")
    sender = next((known for known in _SENDERS if known == item.get("from", "owner")), None)
    if sender is None:
        raise _fault(f'{part}.from is neither "owner" nor "other"')
    return Step(
        sender=sender,
        function=function.strip(),
        arguments=tuple(_list(item.get("args"), f"{part}.args")),
        blocks_after=_number(item.get("blocks_after", 0), f"{part}.blocks_after", maximum=BLOCKS_AFTER_MAX),
        value_wei=_number(item.get("value_wei", 0), f"{part}.value_wei", maximum=_WEI_MAX),
        to=_target(item.get("to"), part),
    )


def _target(value: Any, part: str) -> str | None:
    if value is not None and not isinstance(value, str):
        raise _fault(f"{part}.to is no address")
    return value


def _list(value: Any, part: str) -> Sequence[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _fault(f"{part} is no list")
    return value


def _number(value: Any, part: str, *, maximum: int) -> int:
    number = 0 if value is None else value
    if isinstance(number, str):
        try:
            number = int(number, 0)
        except ValueError:
            number = None
    elif isinstance(number, Decimal) and number == number.to_integral_value():
        number = int(number)
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= maximum:
        raise _fault(f"{part} is no whole number between 0 and {maximum}")
    return number
