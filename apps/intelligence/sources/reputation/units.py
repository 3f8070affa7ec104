"""Foreign figures in our units. Whatever is not a sound figure is None: unknown, never good."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from apps.domain.money import BPS_ONE

_FIGURE_CHARS_MAX = 40
_WORDS_CHARS_MAX = 120
_PERCENT_BPS = 100


def fraction_bps(value: Any) -> int | None:
    """Return a fraction ("0.05" is 5 %) in basis points, rounded up; more than all is all."""
    return _bps(value, BPS_ONE)


def percent_bps(value: Any) -> int | None:
    """Return a percentage (5 is 5 %) in basis points, rounded up; more than all is all."""
    return _bps(value, _PERCENT_BPS)


def flag(value: Any) -> bool | None:
    """Return a flag that is written "1" or "0", as text or number; anything else is unknown."""
    if isinstance(value, bool):
        return value
    return {"1": True, "0": False}.get(str(value)) if isinstance(value, (str, int)) else None


def plain_words(value: Any) -> str:
    """Return foreign text fit to be stored and shown, "" when it is no text."""
    if not isinstance(value, str):
        return ""
    return "".join(letter if letter.isprintable() else " " for letter in value[:_WORDS_CHARS_MAX]).strip()


def mapping(value: Any) -> dict[str, Any]:
    """Return a JSON object, an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def entries(value: Any, *, maximum: int) -> Iterable[Any]:
    """Return the first ``maximum`` entries of a JSON list, none for anything else."""
    return value[:maximum] if isinstance(value, list) else []


def _bps(value: Any, scale: int) -> int | None:
    if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
        return None
    if isinstance(value, str) and not 0 < len(value) <= _FIGURE_CHARS_MAX:
        return None
    try:
        number = Decimal(value)
    except InvalidOperation:
        return None
    if not number.is_finite() or number < 0:
        return None
    if number >= BPS_ONE:  # before multiplying: a figure beyond all sense must not become a long one
        return BPS_ONE
    return min(int((number * scale).to_integral_value(rounding=ROUND_CEILING)), BPS_ONE)
