"""How numbers are written: what is shown stays true, short, ordered and never scientific."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.dashboard.figures import (
    MINUS,
    count_text,
    duration_text,
    exact_text,
    latency_text,
    percent_text,
    price_text,
    share_text,
    significant_text,
    units_of,
    usd_compact_text,
    usd_text,
)

UINT256_MAX = 2**256 - 1
SUBSCRIPT = "₀₁₂₃₄₅₆₇₈₉"
SUPERSCRIPT = "⁰¹²³⁴⁵⁶⁷⁸⁹"
MAGNITUDES = {"K": 3, "M": 6, "B": 9, "T": 12}

raws = st.integers(min_value=0, max_value=UINT256_MAX)
places = st.integers(min_value=0, max_value=77)
micros = st.integers(min_value=-(10**18), max_value=10**18)


def read_back(text: str) -> Decimal:
    """Return the number that a reader takes from the text."""
    sign = -1 if text.startswith(MINUS) else 1
    text = text.removeprefix(MINUS).removeprefix("+").removeprefix("$").removesuffix("%").replace(",", "")
    exponent = 0
    if "×10" in text:
        text, power = text.split("×10")
        exponent = int("".join(str(SUPERSCRIPT.index(digit)) for digit in power))
    elif text[-1] in MAGNITUDES:
        exponent = MAGNITUDES[text[-1]]
        text = text[:-1]
    if counted := re.fullmatch(rf"0\.0([{SUBSCRIPT}]+)(\d+)", text):
        zeros = int("".join(str(SUBSCRIPT.index(digit)) for digit in counted[1]))
        text = "0." + "0" * zeros + counted[2]
    return sign * Decimal(text).scaleb(exponent)


# -- significant digits -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (Decimal("0.00000000"), "0"),
        (1, "1"),
        (Decimal("1234.56"), "1,234.56"),
        (Decimal("1234.5678"), "1,234.57"),
        (999_999, "999,999"),
        (1_000_000, "1M"),
        (1_234_567, "1.23457M"),
        (Decimal("999999.5"), "1M"),
        (10**9, "1B"),
        (10**15, "1×10¹⁵"),
        (UINT256_MAX, "1.15792×10⁷⁷"),
        (Decimal("0.5"), "0.5"),
        (Decimal("0.0001234"), "0.0001234"),
        (Decimal("0.00001234"), "0.0₄1234"),
        (Decimal("0.000001234"), "0.0₅1234"),
        (Decimal("1E-18"), "0.0₁₇1"),
        (Decimal("-0.25"), "−0.25"),
        (Decimal("-0.000001234"), "−0.0₅1234"),
    ],
)
def test_significant_text_by_example(value, text):
    assert significant_text(value) == text


@given(raws, places)
def test_significant_text_reads_back_within_half_a_unit_of_the_sixth_digit(raw, decimals):
    exact = units_of(raw, decimals)
    shown = read_back(significant_text(exact))
    assert abs(shown - exact) <= abs(exact) * Decimal("5.0000001E-6")


@given(raws, places)
def test_significant_text_is_short_and_never_scientific(raw, decimals):
    text = significant_text(units_of(raw, decimals))
    assert len(text) <= 13
    assert "e" not in text.lower()
    assert not re.search(r"\d{4}", text.split(".")[0])


@given(raws, raws, places)
def test_significant_text_keeps_order(first, second, decimals):
    low, high = sorted((first, second))
    assert read_back(significant_text(units_of(low, decimals))) <= read_back(
        significant_text(units_of(high, decimals))
    )


@given(raws, places)
def test_units_of_loses_no_digit(raw, decimals):
    assert int(exact_text(units_of(raw, decimals)).replace(",", "").replace(".", "")) == raw


@given(raws.filter(bool), places)
def test_significant_text_of_the_opposite_only_changes_the_sign(raw, decimals):
    value = units_of(raw, decimals)
    assert significant_text(value.copy_negate()) == MINUS + significant_text(value)


# -- dollars ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "$0.00"),
        (1, "$0.000001"),
        (123, "$0.000123"),
        (5_000, "$0.005"),
        (9_999, "$0.009999"),
        (10_000, "$0.01"),
        (1_234_560_000, "$1,234.56"),
        (1_234_565_000, "$1,234.56"),
        (1_234_575_000, "$1,234.58"),
        (-4_100_000, "−$4.10"),
        (10**15, "$1B"),
        (1_234_567 * 10**9, "$1.235B"),
    ],
)
def test_usd_text_by_example(value, text):
    assert usd_text(value) == text


def test_usd_text_signed_shows_the_sign_of_gain_and_loss_but_none_for_zero():
    assert [usd_text(value, signed=True) for value in (12_300_000, -12_300_000, 0)] == [
        "+$12.30",
        "−$12.30",
        "$0.00",
    ]


@given(micros)
def test_usd_text_is_never_off_by_more_than_half_a_cent_below_a_billion(value):
    shown = read_back(usd_text(value).replace("$", ""))
    off = abs(shown - Decimal(value).scaleb(-6))
    assert off <= (
        Decimal("0.005") if abs(value) < 10**15 else abs(Decimal(value).scaleb(-6)) * Decimal("0.0005")
    )


@given(micros.filter(bool))
def test_usd_text_never_shows_something_as_nothing(value):
    assert read_back(usd_text(value).replace("$", "")) != 0
    assert usd_text(value).startswith(MINUS) == (value < 0)


@given(micros)
def test_usd_compact_text_is_narrow_and_true_to_four_digits(value):
    text = usd_compact_text(value)
    assert len(text) <= 10
    exact = Decimal(value).scaleb(-6)
    assert abs(read_back(text.replace("$", "")) - exact) <= max(
        abs(exact) * Decimal("0.00051"), Decimal("0.005")
    )


# -- ratios, counts -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0.00%"),
        (1, "0.01%"),
        (125, "1.25%"),
        (10_000, "100.00%"),
        (-50, "−0.50%"),
        (12_345_600, "123,456.00%"),
    ],
)
def test_percent_text_by_example(value, text):
    assert percent_text(value) == text


@given(st.integers(min_value=-(10**8), max_value=10**8))
def test_percent_text_reads_back_exactly_for_whole_basis_points(value):
    if abs(value) < 10**8:
        assert read_back(percent_text(value, signed=True)) * 100 == value


def test_percent_text_of_less_than_half_a_hundredth_has_no_sign():
    assert percent_text(Decimal("-0.1"), signed=True) == "0.00%"


@given(st.integers(min_value=0, max_value=10**9), st.integers(min_value=1, max_value=10**9))
def test_share_text_says_all_only_for_all_and_none_only_for_none(part, whole):
    text = share_text(part, whole)
    assert (text == "0.0%") == (part == 0)
    if part < whole:
        assert text != "100.0%"


@given(st.integers(min_value=-(10**20), max_value=10**20))
def test_count_text_is_exact_below_ten_million(value):
    if abs(value) < 10**7:
        assert read_back(count_text(value)) == value
    assert len(count_text(value)) <= 11


def test_price_text_keeps_five_digits():
    assert price_text(Decimal("0.0000012345678")) == "0.0₅12346"


# -- times ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 ms"),
        (Decimal("0.84"), "0.8 ms"),
        (42, "42 ms"),
        (999, "999 ms"),
        (1_000, "1.00 s"),
        (9_994, "9.99 s"),
        (9_995, "10.0 s"),
        (59_949, "59.9 s"),
        (59_950, "1 min 00 s"),
        (3_600_000, "1 h 00 min"),
        (-42, "−42 ms"),
    ],
)
def test_latency_text_by_example(value, text):
    assert latency_text(value) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 00 s"),
        (185, "3 min 05 s"),
        (7_500, "2 h 05 min"),
        (273_600, "3 d 04 h"),
        (-5, "−5 s"),
    ],
)
def test_duration_text_by_example(value, text):
    assert duration_text(value) == text


@given(st.integers(min_value=0, max_value=10**9))
def test_duration_text_never_claims_more_time_than_passed(seconds):
    lengths = {"s": 1, "min": 60, "h": 3_600, "d": 86_400}
    words = duration_text(seconds).replace(",", "").split()
    told = sum(int(number) * lengths[unit] for number, unit in zip(words[::2], words[1::2], strict=True))
    assert told <= seconds < told + lengths[words[-1]]
