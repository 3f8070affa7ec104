"""Draw icons, score bars, sparklines and share bars as inline SVG on the server.

Geometry stands in SVG attributes and colour in CSS classes, so a strict style policy holds and the pictures
work without JavaScript. Coordinates are integer hundredths; no float takes part.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apps.dashboard.figures import Number, percent_text, price_text, significant_text, usd_text

register = template.Library()

SPARKLINE_POINTS_MAX: Final = 240
BPS_FULL: Final = 10_000

#: How a sparkline speaks its values.
_SPOKEN: Final[dict[str, Callable[[Number], str]]] = {
    "": significant_text,
    "usd_micros": lambda value: usd_text(int(value)),
    "bps": percent_text,
    "price": price_text,
}

#: Name -> SVG body in a 16 x 16 box, drawn with `currentColor` strokes.
ICONS: Final[dict[str, str]] = {
    "check": '<path d="M3 8.5l3.2 3.2L13 4.8"/>',
    "cross": '<path d="M4 4l8 8M12 4l-8 8"/>',
    "question": '<path d="M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.7.4-1.1.8-1.1 1.6M8 12.4v.2"/>',
    "alert": '<path d="M8 2.2L14.3 13.4H1.7zM8 6.4v3.4M8 11.6v.2"/>',
    "info": '<path d="M8 7.2v4.3M8 4.6v.2"/><circle cx="8" cy="8" r="6.2"/>',
    "clock": '<circle cx="8" cy="8" r="6"/><path d="M8 4.8V8l2.3 1.5"/>',
    "pause": '<path d="M5.5 3.5v9M10.5 3.5v9"/>',
    "play": '<path d="M5 3.2l7.5 4.8L5 12.8z"/>',
    "stop": '<path d="M4 4h8v8H4z"/>',
    "kill": '<path d="M5.4 1.8h5.2l3.6 3.6v5.2l-3.6 3.6H5.4l-3.6-3.6V5.4zM8 4.8v4M8 11v.2"/>',
    "arrow-in": '<path d="M12.5 3.5l-8 8M4.5 5.5v6h6"/>',
    "arrow-out": '<path d="M3.5 12.5l8-8M5.5 4.5h6v6"/>',
    "send": '<path d="M2 8h11M9 4l4 4-4 4"/>',
    "minus": '<path d="M3.5 8h9"/>',
    "copy": '<path d="M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3"/>',
    "link": '<path d="M6.5 3.5h-3v9h9v-3M9.5 2.5h4v4M13.5 2.5L7.5 8.5"/>',
    "search": '<circle cx="7" cy="7" r="4.5"/><path d="M10.4 10.4l3.4 3.4"/>',
    "overview": '<path d="M2 13.5h12M3.5 11V8M6.5 11V5M9.5 11V7M12.5 11V3"/>',
    "target": '<circle cx="8" cy="8" r="5"/><path d="M8 1v4M8 11v4M1 8h4M11 8h4"/>',
    "wallet": '<path d="M2 4.5h11v9H2zM2 4.5l8.5-2.5v2.5M10 8.2h4v2.6h-4z"/>',
    "layers": '<path d="M8 2l6 3-6 3-6-3zM2 8l6 3 6-3M2 11l6 3 6-3"/>',
    "list": '<path d="M5.5 4h8M5.5 8h8M5.5 12h8M2.5 4v.1M2.5 8v.1M2.5 12v.1"/>',
    "bell": '<path d="M4 11V7a4 4 0 0 1 8 0v4l1.2 1.5H2.8zM6.8 14.2h2.4"/>',
    "sliders": '<path d="M2 4.5h6M12 4.5h2M2 11.5h2M8 11.5h6"/><circle cx="10" cy="4.5" r="1.8"/>'
    '<circle cx="6" cy="11.5" r="1.8"/>',
    "shield": '<path d="M8 1.8l5.2 2v4c0 3.2-2.2 5.3-5.2 6.4-3-1.1-5.2-3.2-5.2-6.4v-4z"/>',
    "user": '<circle cx="8" cy="5.2" r="2.8"/><path d="M2.8 14c.5-3 2.6-4.4 5.2-4.4s4.7 1.4 5.2 4.4"/>',
    "exit": '<path d="M9.5 2.5h-6v11h6M7 8h7M11.2 5.2L14 8l-2.8 2.8"/>',
    "theme": '<circle cx="8" cy="8" r="6"/><path class="icon-solid" d="M8 2a6 6 0 0 1 0 12z"/>',
    "flask": '<path d="M6.2 1.8h3.6M7 1.8v4.4L2.9 13c-.3.6 0 1.2.7 1.2h8.8c.7 0 1-.6.7-1.2L9 6.2V1.8M4.9 10h6.2"/>',
    "bolt": '<path d="M9 1.5L3 9.2h4.2L6.6 14.5 13 6.6H8.6z"/>',
    "left": '<path d="M10 3L5 8l5 5"/>',
    "right": '<path d="M6 3l5 5-5 5"/>',
    "filter": '<path d="M2 3h12L9.5 8.5V13l-3-1.5v-3z"/>',
}


@register.simple_tag
def icon(name: str, label: str = "") -> SafeString:
    """Return a 16-unit icon; with `label` it is announced, without it is decoration beside a word."""
    body = mark_safe(ICONS[name])  # noqa: S308 - a constant of this file
    if label:
        return format_html(
            '<svg class="icon" viewBox="0 0 16 16" role="img" aria-label="{}">{}</svg>', label, body
        )
    return format_html('<svg class="icon" viewBox="0 0 16 16" aria-hidden="true">{}</svg>', body)


@register.simple_tag
def score_bar(
    score_bps: int | str | None,
    low_bps: int | None = None,
    high_bps: int | None = None,
    *,
    threshold_bps: int | None = None,
    label: str = "Score",
    reason: str = "",
) -> SafeString:
    """Return a score out of 100 with its interval as a band and, if given, the threshold as a notch.

    All figures are basis points of the scale, 0..10000, and are clamped to it. The number rounds down.
    """
    if score_bps is None or isinstance(score_bps, str):  # a missing template variable is an empty string
        why = reason or "no score was made"
        return format_html(
            '<span class="score is-unknown" role="img" aria-label="{}: unknown, {}" title="{}">'
            '<svg class="score-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
            '<rect class="score-track" y="3" width="100" height="4"/></svg>'
            '<span class="score-value">?</span><span class="score-range">unknown</span></span>',
            label,
            why,
            why,
        )
    score = _clamped(score_bps)
    low = score if low_bps is None else min(_clamped(low_bps), score)
    high = score if high_bps is None else max(_clamped(high_bps), score)
    words = f"{label}: {score // 100} of 100"
    span = ""
    if low_bps is not None and high_bps is not None:
        words += f", likely {low // 100} to {high // 100}"
        span = f"{low // 100}–{high // 100}"
    notch = SafeString("")
    if threshold_bps is not None:
        words += f", needed {_clamped(threshold_bps) // 100}"
        notch = format_html(
            '<rect class="score-notch" x="{}" width="0.8" height="10"/>', _hundredths(threshold_bps)
        )
    return format_html(
        '<span class="score {}" role="img" aria-label="{}" title="{}">'
        '<svg class="score-bar" viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="score-track" y="3" width="100" height="4"/>'
        '<rect class="score-span" x="{}" y="1" width="{}" height="8"/>'
        '<rect class="score-fill" y="3" width="{}" height="4"/>'
        '{}</svg><span class="score-value">{}</span><span class="score-range">{}</span></span>',
        _score_tone(score, threshold_bps),
        words,
        words,
        _hundredths(low),
        _hundredths(high - low),
        _hundredths(score),
        notch,
        score // 100,
        span,
    )


def _score_tone(score: int, threshold_bps: int | None) -> str:
    if threshold_bps is not None:
        return "is-good" if score >= threshold_bps else "is-warn"
    return "is-good" if score >= 7_000 else "is-warn" if score >= 4_000 else "is-bad"


def _clamped(bps: int) -> int:
    return max(0, min(BPS_FULL, int(bps)))


def _hundredths(bps: int) -> str:
    """Return basis points as a 0..100 coordinate with two digits."""
    whole, rest = divmod(_clamped(bps), 100)
    return f"{whole}.{rest:02d}"


@register.simple_tag
def bar(part: Number | None, whole: Number | None, *, tone: str = "info", label: str = "") -> SafeString:
    """Return a bar that is filled to part / whole; a part above the whole fills it and is marked as over."""
    if part is None or not whole or whole <= 0:
        return format_html(
            '<svg class="bar is-unknown" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" '
            'aria-label="{}unknown"><rect class="bar-track" width="1000" height="10"/></svg>',
            f"{label}: " if label else "",
        )
    filled = max(0, min(1000, int(part * 1000 // whole)))
    if part > 0:
        filled = max(filled, 4)
    over = " is-over" if part > whole else ""
    percent = int(part * 100 // whole)
    return format_html(
        '<svg class="bar is-{}{}" viewBox="0 0 1000 10" preserveAspectRatio="none" role="img" aria-label="{}{}%">'
        '<rect class="bar-track" width="1000" height="10"/><rect class="bar-fill" width="{}" height="10"/></svg>',
        tone,
        over,
        f"{label}: " if label else "",
        percent,
        filled,
    )


@register.simple_tag
def span_bar(
    offset_ms: int | None, took_ms: int | None, total_ms: int | None, *, tone: str = "info"
) -> SafeString:
    """Return one bar of a waterfall: it begins at offset and lasts took, out of total milliseconds."""
    if offset_ms is None or took_ms is None or not total_ms:
        return mark_safe(
            '<svg class="bar span-bar is-unknown" viewBox="0 0 1000 10" aria-hidden="true"></svg>'
        )
    start = max(0, min(996, offset_ms * 1000 // total_ms))
    length = max(4, min(1000 - start, took_ms * 1000 // total_ms))
    return format_html(
        '<svg class="bar span-bar is-{}" viewBox="0 0 1000 10" preserveAspectRatio="none" aria-hidden="true">'
        '<rect class="bar-track" y="4" width="1000" height="2"/>'
        '<rect class="bar-fill" x="{}" width="{}" height="10"/></svg>',
        tone,
        start,
        length,
    )


@register.simple_tag
def sparkline(
    values: Sequence[Number | None] | None,
    *,
    label: str = "Course",
    unit: str = "",
    baseline: Number | None = None,
    width: int = 120,
    height: int = 28,
) -> SafeString:
    """Return a line through the values, oldest first; None leaves a gap, fewer than two values say so.

    `unit` ("usd_micros", "bps", "price" or "") is how the spoken label writes values; `baseline` draws a dashed level (zero, the entry price).
    Only the newest SPARKLINE_POINTS_MAX values are drawn.
    """
    points = list(values or [])[-SPARKLINE_POINTS_MAX:]
    known = [value for value in points if value is not None]
    if len(known) < 2:
        return format_html(
            '<span class="spark-empty" role="img" aria-label="{}: not enough data yet">no data yet</span>',
            label,
        )
    levels = [*known, baseline] if baseline is not None else known
    low, high = min(levels), max(levels)
    start = known[0] if baseline is None else baseline
    tone = "is-good" if known[-1] > start else "is-bad" if known[-1] < start else "is-idle"

    def y_of(value: Number) -> str:
        span = high - low
        part = 5_000 if span == 0 else int((value - low) * 10_000 // span)
        return _coordinate(200 + (height * 100 - 400) * (10_000 - part) // 10_000)

    def x_of(index: int) -> str:
        return _coordinate(width * 100 * index // (len(points) - 1))

    runs: list[list[tuple[str, str]]] = [[]]
    for index, value in enumerate(points):
        if value is None:
            runs.append([])
        else:
            runs[-1].append((x_of(index), y_of(value)))
    runs = [run for run in runs if run]
    line = " ".join("M" + "L".join(f"{x} {y}" for x, y in run) for run in runs)
    floor = y_of(baseline) if baseline is not None else _coordinate(height * 100)
    area = " ".join(
        f"M{run[0][0]} {floor}L" + "L".join(f"{x} {y}" for x, y in run) + f"L{run[-1][0]} {floor}Z"
        for run in runs
    )
    show = _SPOKEN[unit]
    spoken = f"{label}: from {show(known[0])} to {show(known[-1])}, between {show(min(known))} and {show(max(known))}"
    level = SafeString("")
    if baseline is not None:
        level = format_html('<path class="spark-base" d="M0 {}H{}"/>', y_of(baseline), width)
    return format_html(
        '<svg class="spark {}" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<path class="spark-area" d="{}"/>{}<path class="spark-line" d="{}"/></svg>',
        tone,
        width,
        height,
        spoken,
        area,
        level,
        line,
    )


def _coordinate(hundredths: int) -> str:
    whole, rest = divmod(hundredths, 100)
    return f"{whole}.{rest:02d}" if rest else f"{whole}"


@register.simple_tag
def icons_all() -> SafeString:
    """Return every icon with its name, for a style guide."""
    return format_html_join(" ", "<span>{} {}</span>", ((icon(name), name) for name in ICONS))
