"""Labelled rows from a folder of public data: files are found by the first part of their name."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.sentiment import BEARISH, BULLISH, NEUTRAL
from apps.intelligence.measuring.libraries import needed_library

ROWS_MAX = 500_000
_FIELD_MAX = 1_000_000
_SUFFIXES = (".csv", ".csv.gz", ".parquet")
#: The columns that may hold the text and the label, in order of preference.
_TEXTS, _LABELS = ("text", "original", "processed"), ("label", "senti_label", "sentiment")
_WORDS = {
    BULLISH: ("bullish", "positive", "pos", "bull", "2"),
    BEARISH: ("bearish", "negative", "neg", "bear", "0"),
    NEUTRAL: ("neutral", "neu", "1"),
}
_CLASS_OF = {word: name for name, words in _WORDS.items() for word in words}


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """One message and what people said that it says."""

    text: str
    label: str  # bearish, bullish or neutral
    weight: float = 1.0


def labelled_texts(source: Path) -> list[LabelledText]:
    """Return the labelled messages of a folder or a file. Raises ConfigurationError when there are none."""
    rows = table_rows(source)
    text_column = next((name for name in _TEXTS if rows and name in rows[0]), None)
    label_column = next((name for name in _LABELS if rows and name in rows[0]), None)
    if text_column is None or label_column is None:
        raise ConfigurationError(
            f"{source} has no columns of text and label.",
            remedy=f"Name them {' or '.join(_TEXTS)} and {' or '.join(_LABELS)}.",
        )
    found = [
        LabelledText(text=row[text_column], label=_CLASS_OF[row[label_column].strip().lower()])
        for row in rows
        if row[label_column].strip().lower() in _CLASS_OF and row[text_column].strip()
    ]
    if len({item.label for item in found}) < 2:
        raise ConfigurationError(
            f"{source} does not hold both praise and blame.",
            remedy="Labels are bullish or positive, bearish or negative, neutral.",
        )
    return found


def table_rows(source: Path, *, named: str = "data") -> Sequence[Mapping[str, str]]:
    """Return the rows of ``data.*`` in a folder, or of the file itself, all values as text."""
    paths = [source] if source.is_file() else sorted(source.glob(f"{named}.*"))
    paths = [path for path in paths if path.name.endswith(_SUFFIXES)]
    if not paths:
        raise ConfigurationError(
            f"{source} has no file {named}.* that can be read.",
            remedy=f"Name a folder with {named}.csv, {named}.csv.gz or {named}.parquet.",
        )
    rows: list[Mapping[str, str]] = []
    for path in paths:
        rows += _parquet(path) if path.name.endswith(".parquet") else _csv(path)
    return rows[:ROWS_MAX]


def _csv(path: Path) -> list[Mapping[str, str]]:
    csv.field_size_limit(_FIELD_MAX)
    try:
        with (
            gzip.open(path, "rt", encoding="utf-8", newline="")
            if path.suffix == ".gz"
            else path.open(encoding="utf-8", newline="")
        ) as file:
            return [
                {key: value or "" for key, value in row.items() if key is not None}
                for row in csv.DictReader(file)
            ]
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigurationError(
            f"{path} cannot be read: {error}.", remedy="Give UTF-8 text with commas and one line of names."
        ) from error


def _parquet(path: Path) -> list[Mapping[str, str]]:
    rows = needed_library("pyarrow.parquet").read_table(path).to_pylist()
    return [{key: "" if value is None else str(value) for key, value in row.items()} for row in rows]
