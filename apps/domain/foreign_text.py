"""Make text that strangers wrote (token names, symbols, messages) safe to show on one line, and say what was wrong.

Escaping is the template's part; this removes what deceives the eye: hidden characters, direction changes, stacks of
marks, look-alike letters, and length.
"""

from __future__ import annotations

import unicodedata
from typing import Final

#: Of a hostile name of 10 kB no more than this is looked at.
TEXT_READ_MAX: Final = 256
COMBINING_MARKS_MAX: Final = 2
SENTENCE_LENGTH_MAX: Final = 2_000

#: Letters and symbols that are drawn as nothing, though Unicode does not class them as controls.
_BLANK_LETTERS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufffc") | frozenset(
    map(chr, range(0xFE00, 0xFE10))
)
_HIDDEN_CATEGORIES: Final = frozenset({"Cf", "Cs", "Co", "Cn"})
#: These become a space: line breaks, tabs and other controls.
_BREAKING_CATEGORIES: Final = frozenset({"Cc", "Zl", "Zp"})
#: Alphabets whose letters pass for one another.
_LOOK_ALIKES: Final = (
    "LATIN",
    "CYRILLIC",
    "GREEK",
    "CHEROKEE",
    "ARMENIAN",
    "COPTIC",
    "LISU",
    "FULLWIDTH",
    "MATHEMATICAL",
)

#: Cyrillic and Greek letters that are drawn like Latin ones.
_DRAWN_AS_LATIN: Final = frozenset("АВЕЅМНОРСТХІЈКУаеорсхуіјѕԁԛԝΑΒΕΖΗΙΚΜΝΟΡΤΥΧο")

#: What can be wrong with a name; each completes the sentence "this name ...".
HIDDEN_WARNING: Final = "had hidden or direction-changing characters"
STACKED_WARNING: Final = "had stacked marks"
MIXED_WARNING: Final = "mixes alphabets that look alike"
IMITATION_WARNING: Final = "is written in letters that only look Latin"
EMPTY_WARNING: Final = "is empty or unreadable"


def clean_text(
    value: object, length_max: int, *, read_max: int = TEXT_READ_MAX
) -> tuple[str, tuple[str, ...]]:
    """Return foreign text safe to show on one line, cut to length_max, and what was wrong with it."""
    warnings = []
    source = unicodedata.normalize("NFC", str(value)[:read_max])
    kept: list[str] = []
    hidden = stacked = False
    marks = 0
    for letter in source:
        category = unicodedata.category(letter)
        if category in _BREAKING_CATEGORIES:
            hidden = True
            kept.append(" ")
            continue
        if category in _HIDDEN_CATEGORIES or letter in _BLANK_LETTERS:
            hidden = True
            continue
        marks = marks + 1 if category.startswith("M") else 0
        if marks > COMBINING_MARKS_MAX or (marks and not kept):
            stacked = True
            continue
        kept.append(letter)
    text = unicodedata.normalize("NFC", " ".join("".join(kept).split()))
    if hidden:
        warnings.append(HIDDEN_WARNING)
    if stacked:
        warnings.append(STACKED_WARNING)
    letters = [letter for letter in text if unicodedata.category(letter).startswith("L")]
    if len({script for letter in letters if (script := _script(letter))}) > 1:
        warnings.append(MIXED_WARNING)
    elif letters and _DRAWN_AS_LATIN.issuperset(letters):
        warnings.append(IMITATION_WARNING)
    if len(text) > length_max:
        text = text[: length_max - 1].rstrip() + "…"
    return text, tuple(warnings)


def clean_sentence(value: object, length_max: int = SENTENCE_LENGTH_MAX) -> str:
    """Return a sentence that may hold a stranger's words (a name, a revert reason), safe to show on one line."""
    return clean_text(value, length_max, read_max=2 * length_max)[0]


def _script(letter: str) -> str:
    first = unicodedata.name(letter, "").split(" ", 1)[0]
    return first if first in _LOOK_ALIKES else ""
