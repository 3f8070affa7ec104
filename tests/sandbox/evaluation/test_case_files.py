"""What a token's file may say, and how a damaged one is refused."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.errors import BadDataError
from apps.sandbox.evaluation.case import (
    FILE_BYTES_MAX,
    TokenCase,
    case_of,
    case_paths,
    case_read,
    claimed_identity,
)
from tests.sandbox.evaluation.files import CASES, token, write

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_STEP = {"from": "owner", "fn": "burn", "args": [], "blocks_after": 0}


def test_complete_file_when_read_then_every_part_is_kept():
    step = {"from": "other", "fn": "claim", "args": ["$PAIR", 5], "blocks_after": "12"}
    case = case_of(token(value_wei="0x10", constructor_args=["$OWNER"], setup=[step], after_buy=[_STEP]))
    assert (case.name, case.label, case.value_wei) == ("PlainOwned", "safe", 16)
    assert case.constructor_arguments == ("$OWNER",)
    assert (case.setup[0].sender, case.setup[0].arguments, case.setup[0].blocks_after) == (
        "other",
        ("$PAIR", 5),
        12,
    )
    assert case.after_buy[0].function == "burn"


def test_parts_without_need_when_left_out_then_they_are_empty():
    case = case_of(token(constructor_args=None, value_wei=None, setup=None, after_buy=None))
    assert (case.constructor_arguments, case.value_wei, case.setup, case.after_buy) == ((), 0, (), ())


def test_compilers_own_forms_when_read_then_they_are_understood():
    plain = case_of(token())
    spelt = case_of(
        token(abi=json.dumps(token()["abi"]), bytecode={"object": token()["bytecode"].removeprefix("0x")})
    )
    assert (spelt.abi, spelt.bytecode) == (plain.abi, plain.bytecode)


def test_number_with_an_exponent_when_read_then_no_digit_is_lost(tmp_path):
    text = json.dumps(token(after_buy=[{**_STEP, "args": ["@"]}])).replace('"@"', "1e27")
    case = case_read(write(tmp_path, "large", text))
    assert int(case.after_buy[0].arguments[0]) == 10**27


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"label": None}, "missing: label"),
        ({"abi": None, "bytecode": None}, "missing: abi, bytecode"),
        ({"label": "honest"}, "label is neither"),
        ({"name": "  "}, "name is no text"),
        ({"abi": {"type": "function"}}, "abi is no list"),
        ({"abi": ["transfer"]}, "abi is no list of objects"),
        ({"bytecode": "0xzz"}, "no hex text"),
        ({"bytecode": "0x"}, "bytecode is empty"),
        ({"bytecode": "0x" + "00" * 50_000}, "at most 49,152"),
        ({"value_wei": -1}, "value_wei is no whole number"),
        ({"value_wei": 0.5}, "value_wei is no whole number"),
        ({"value_wei": True}, "value_wei is no whole number"),
        ({"constructor_args": "x"}, "constructor_args is no list"),
        ({"setup": [{**_STEP, "from": "miner"}]}, "setup[0].from is neither"),
        ({"setup": [{**_STEP, "fn": ""}]}, "setup[0].fn names no function"),
        (
            {"after_buy": [_STEP, {**_STEP, "blocks_after": 10**9}]},
            "after_buy[1].blocks_after is no whole number",
        ),
        ({"after_buy": [7]}, "after_buy[0] is no object"),
        ({"after_buy": [_STEP] * 51}, "at most 50 are made"),
    ],
)
def test_damaged_file_when_read_then_the_fault_is_named(changes: dict[str, Any], words: str):
    with pytest.raises(BadDataError) as fault:
        case_of(token(**changes))
    assert words in str(fault.value)


@given(content=_JSON)
def test_any_json_when_read_then_it_is_a_token_or_a_named_fault(content: Any):
    with suppress(BadDataError):
        assert isinstance(case_of(content), TokenCase)


@given(key=st.sampled_from(sorted(token())), value=_JSON)
def test_any_part_when_spoilt_then_it_is_a_token_or_a_named_fault(key: str, value: Any):
    with suppress(BadDataError):
        assert isinstance(case_of({**token(), key: value}), TokenCase)


@pytest.mark.parametrize(
    "text", ["", "{", "[1, 2", '"x"', "nul", "[" * 100_000, '{"name": NaN, "label": 1}', "[1]"]
)
def test_broken_json_when_read_then_it_is_a_named_fault(text: str, tmp_path: Path):
    with pytest.raises(BadDataError):
        case_read(write(tmp_path, "broken", text))
    assert claimed_identity(tmp_path / "broken.json") == ("broken", None)


def test_file_of_ten_megabytes_when_read_then_its_size_is_named_and_it_is_not_parsed(tmp_path):
    path = write(tmp_path, "huge", token(bytecode="0x" + "60" * 10 * 2**20))
    with pytest.raises(BadDataError, match=f"at most {FILE_BYTES_MAX:,}"):
        case_read(path)
    assert claimed_identity(path) == ("huge", None)


def test_file_that_is_no_text_when_read_then_it_is_a_named_fault(tmp_path):
    path = tmp_path / "binary.json"
    path.write_bytes(b"\xff\xfe\x00{}")
    with pytest.raises(BadDataError, match="no JSON"):
        case_read(path)


def test_damaged_file_with_name_and_label_when_asked_then_it_tells_them(tmp_path):
    path = write(tmp_path, "file", token(name="Moon\u202e", label="unsafe", bytecode=None))
    assert claimed_identity(path) == ("Moon ", "unsafe")


def test_folder_when_listed_then_files_come_in_order_with_those_of_sub_folders():
    paths = case_paths(CASES)
    assert list(paths) == sorted(paths)
    assert {path.parent.name for path in paths} == {
        "tuning",
        "test",
        "tune",
        "final",
        "held-out-3",
        "held-out-4",
        "held-out-5",
    }


def test_folder_without_files_when_listed_then_it_is_a_named_fault(tmp_path):
    with pytest.raises(BadDataError, match="no JSON file"):
        case_paths(tmp_path)
    with pytest.raises(BadDataError, match="is no folder"):
        case_paths(tmp_path / "absent")
