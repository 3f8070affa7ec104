"""Write numbers the way every page shows them: pure text from int and Decimal.

Rounding is to the nearest (half to even) and for the eye only: whoever shows a figure puts the exact one beside it
(in a title), and nothing computes with what is shown.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal
from typing import Final

Number = int | Decimal

MINUS: Final = "\N{MINUS SIGN}"
AMOUNT_DIGITS: Final = 6
PRICE_DIGITS: Final = 5

#: A uint256 has 78 digits and a token up to 77 decimals; Python's default context would cut at 28.
_WIDE: Final = Context(prec=200, rounding=ROUND_HALF_EVEN)
_RATIO: Final = Context(prec=50, rounding=ROUND_FLOOR)
_SUBSCRIPT: Final = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_SUPERSCRIPT: Final = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
_MAGNITUDES: Final = {2: "M", 3: "B", 4: "T"}
_HUNDREDTH: Final = Decimal("0.01")
_TENTH: Final = Decimal("0.1")


def significant_text(value: Number, digits: int = AMOUNT_DIGITS) -> str:
    """Return value with so many significant digits: ``1,234.56``, ``1.23457M``, ``0.0₅1234`` (five zeros)."""
    rounded = Context(prec=digits, rounding=ROUND_HALF_EVEN).create_decimal(value)
    if rounded == 0:
        return "0"
    exponent = rounded.adjusted()
    magnitude = abs(rounded)
    if exponent >= 15:
        body = f"{_plain(magnitude.scaleb(-exponent))}×10{str(exponent).translate(_SUPERSCRIPT)}"
    elif exponent >= 6:
        body = _plain(magnitude.scaleb(-(exponent // 3) * 3)) + _MAGNITUDES[exponent // 3]
    elif exponent >= -4:
        body = _plain(magnitude)
    else:
        figures = "".join(map(str, magnitude.as_tuple().digits)).rstrip("0")
        body = f"0.0{str(-exponent - 1).translate(_SUBSCRIPT)}{figures}"
    return MINUS + body if rounded < 0 else body


def exact_text(value: Number) -> str:
    """Return every digit, with thousands."""
    return f"{Decimal(value):,f}"


def _plain(value: Decimal) -> str:
    text = f"{value:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _sign(value: Number, *, always: bool) -> str:
    return MINUS if value < 0 else "+" if always and value > 0 else ""


def units_of(raw: int, decimals: int) -> Decimal:
    """Return raw smallest units as whole tokens, exactly."""
    return _WIDE.scaleb(Decimal(raw), -decimals)


def usd_text(micros: int, *, signed: bool = False) -> str:
    """Return dollars with cents; below one cent every digit there is, from a billion on 4 significant digits."""
    magnitude = abs(micros)
    if 0 < magnitude < 10_000:
        body = f"{_WIDE.scaleb(Decimal(magnitude), -6):f}".rstrip("0")
    elif magnitude >= 10**15:
        body = significant_text(_WIDE.scaleb(Decimal(magnitude), -6), 4)
    else:
        body = f"{_WIDE.quantize(_WIDE.scaleb(Decimal(magnitude), -6), _HUNDREDTH):,f}"
    return f"{_sign(micros, always=signed)}${body}"


def usd_compact_text(micros: int) -> str:
    """Return dollars in 4 significant digits with K, M, B or T, for narrow columns."""
    magnitude = abs(micros)
    thousands = Context(prec=4, rounding=ROUND_HALF_EVEN).create_decimal(_WIDE.scaleb(Decimal(magnitude), -9))
    if thousands < 1:
        return usd_text(micros)
    body = f"{_plain(thousands)}K" if thousands < 1_000 else significant_text(thousands.scaleb(3), 4)
    return f"{_sign(micros, always=False)}${body}"


def price_text(value: Decimal | int) -> str:
    """Return a price with 5 significant digits and counted zeros."""
    return significant_text(value, PRICE_DIGITS)


def percent_text(bps: Number, *, signed: bool = False) -> str:
    """Return basis points as per cent with two digits."""
    rounded = _WIDE.quantize(_WIDE.scaleb(Decimal(bps).copy_abs(), -2), _HUNDREDTH)
    body = f"{rounded:,f}" if rounded < 1_000_000 else significant_text(rounded, 4)
    return f"{_sign(bps if rounded else 0, always=signed)}{body}%"


def share_text(part: Number, whole: Number, digits: int = 1) -> str:
    """Return part of whole in per cent, rounded down, so that 100% means all; a little more than none is marked so."""
    ratio = _RATIO.divide(Decimal(part), Decimal(whole)) * 100
    rounded = ratio.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_FLOOR)
    if rounded == 0 and ratio > 0:
        return f"<{Decimal(1).scaleb(-digits)}%"
    return f"{rounded:,f}%".replace("-", MINUS)


def count_text(value: int) -> str:
    """Return a count with thousands, from ten million on in 4 significant digits."""
    if abs(value) >= 10_000_000:
        return significant_text(value, 4)
    return f"{value:,}".replace("-", MINUS)


def latency_text(value: Number) -> str:
    """Return milliseconds as ``0.8 ms``, ``42 ms``, ``1.23 s``, ``12.3 s`` or a duration."""
    if value < 0:
        return MINUS + latency_text(Decimal(value).copy_abs() if isinstance(value, Decimal) else -value)
    if isinstance(value, Decimal) and value < 10:
        return f"{_plain(_WIDE.quantize(value, _TENTH))} ms"
    whole = int(_WIDE.quantize(Decimal(value), Decimal(1)))
    if whole < 1_000:
        return f"{whole} ms"
    if whole < 9_995:
        return f"{_WIDE.quantize(_WIDE.scaleb(Decimal(whole), -3), _HUNDREDTH):f} s"
    if whole < 59_950:
        return f"{_WIDE.quantize(_WIDE.scaleb(Decimal(whole), -3), _TENTH):f} s"
    return duration_text(_WIDE.quantize(_WIDE.scaleb(Decimal(whole), -3), Decimal(1)))


def duration_text(seconds: Number) -> str:
    """Return seconds as ``12 s``, ``3 min 05 s``, ``2 h 05 min`` or ``3 d 04 h``, rounded down. app.js does the same."""
    whole = int(seconds)
    if whole < 0:
        return MINUS + duration_text(-whole)
    if whole < 60:
        return f"{whole} s"
    if whole < 3_600:
        return f"{whole // 60} min {whole % 60:02d} s"
    if whole < 86_400:
        return f"{whole // 3_600} h {whole % 3_600 // 60:02d} min"
    return f"{count_text(whole // 86_400)} d {whole % 86_400 // 3_600:02d} h"
