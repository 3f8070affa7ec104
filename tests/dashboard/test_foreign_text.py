"""What strangers write cannot deceive the eye."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.foreign_text import (
    COMBINING_MARKS_MAX,
    HIDDEN_WARNING,
    IMITATION_WARNING,
    MIXED_WARNING,
    STACKED_WARNING,
    clean_text,
)

LENGTH_MAX = 14
anything = st.text(alphabet=st.characters(), max_size=300)
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


@given(anything)
def test_cleaned_text_has_no_hidden_characters_and_keeps_to_one_short_line(text):
    cleaned, _ = clean_text(text, LENGTH_MAX)
    assert len(cleaned) <= LENGTH_MAX
    assert not any(unicodedata.category(letter) in HIDDEN for letter in cleaned)
    assert cleaned == cleaned.strip()
    cleaned.encode()


@given(anything)
def test_cleaning_twice_changes_nothing_more(text):
    once, _ = clean_text(text, 256)
    assert clean_text(once, 256)[0] == once


@given(st.text(alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789$-_.", min_size=1, max_size=LENGTH_MAX))
def test_plain_symbols_pass_unchanged_and_without_warning(text):
    assert clean_text(text, LENGTH_MAX) == (text, ())


@given(
    anything,
    st.sampled_from(["\u202e", "\u200b", "\u2066", "\ufeff", "\u00ad", "\u3164", "\ufe0f", "\U000e0041"]),
)
def test_a_hidden_character_is_always_warned_about(text, hidden):
    assert HIDDEN_WARNING in clean_text(hidden + text, LENGTH_MAX)[1]


@given(st.integers(min_value=COMBINING_MARKS_MAX + 1, max_value=60))
def test_stacked_marks_are_cut_and_warned_about(marks):
    cleaned, warnings = clean_text("x" + "\u0336" * marks, LENGTH_MAX)
    assert cleaned == "x" + "\u0336" * COMBINING_MARKS_MAX
    assert STACKED_WARNING in warnings


@pytest.mark.parametrize(
    ("text", "warning"),
    [("UЅDC", MIXED_WARNING), ("ΕTH", MIXED_WARNING), ("ЕТН", IMITATION_WARNING), ("ΒΝΒ", IMITATION_WARNING)],
)
def test_letters_that_only_look_latin_are_warned_about(text, warning):
    assert clean_text(text, LENGTH_MAX)[1] == (warning,)


@pytest.mark.parametrize(
    "text", ["Биткоин", "比特币", "ビットコイン", "비트코인", "بيتكوين", "Ђуро", "ROCKET🚀", "Đồng"]
)
def test_honest_names_of_other_alphabets_have_no_warning(text):
    assert clean_text(text, 32) == (text, ())


def test_a_mark_behind_a_hidden_character_is_composed_with_its_letter():
    assert clean_text("e\u200d\u0301", LENGTH_MAX) == ("é", (HIDDEN_WARNING,))


def test_ten_kilobytes_are_cut_and_line_breaks_become_spaces():
    assert clean_text("A" * 10_000, LENGTH_MAX)[0] == "A" * 13 + "…"
    assert clean_text("one\r\n\ttwo", LENGTH_MAX)[0] == "one two"
