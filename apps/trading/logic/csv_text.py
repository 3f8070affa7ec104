"""Text for spreadsheets: exact figures, and names of strangers that are never taken for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from apps.domain.money import raw_to_units

#: A cell that begins so is computed by spreadsheets (OWASP: CSV injection).
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
TEXT_LENGTH_MAX = 200


def safe_text(text: str) -> str:
    """Return foreign text as one line that no spreadsheet computes: a formula's first sign gets a quote before it."""
    line = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())[:TEXT_LENGTH_MAX]
    return f"'{line}" if line.startswith(_FORMULA_STARTS) else line


def exact(raw: int, decimals: int) -> str:
    """Return units as plain digits with every decimal place they have, none lost and none invented."""
    text = format(raw_to_units(raw, decimals), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def usd(micros: int | None) -> str:
    """Return dollars with their six places, "" when the worth is unknown."""
    return "" if micros is None else exact(micros, 6)


def utc_text(at_ms: int) -> str:
    """Return "2026-01-31 23:59:59", UTC, rounded down to the second."""
    return datetime.fromtimestamp(at_ms // 1000, tz=UTC).strftime("%Y-%m-%d %H:%M:%S")


def csv_of(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a CSV with a header line; lines end as RFC 4180 says."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(rows)
    return out.getvalue()
