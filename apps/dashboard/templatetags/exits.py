"""Draw where a position stands between the level that would sell it at a loss and its target."""

from __future__ import annotations

from typing import Final

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.dashboard.figures import percent_text

register = template.Library()

#: Where there is no stop or target the picture ends here, basis points of the cost.
_LOW_DEFAULT: Final = -10_000
_HIGH_DEFAULT: Final = 10_000


@register.simple_tag
def exit_range(
    stop_bps: int | None, now_bps: int | None, target_bps: int | None, *, trailing: bool = False
) -> SafeString:
    """Return a line from stop to target with entry and present value on it, in words too."""
    low = _LOW_DEFAULT if stop_bps is None else stop_bps
    high = max(_HIGH_DEFAULT if target_bps is None else target_bps, low + 1)
    stop = (
        "no stop"
        if stop_bps is None
        else f"{percent_text(stop_bps, signed=True)}{' trail' if trailing else ''}"
    )
    target = "no target" if target_bps is None else percent_text(target_bps, signed=True)
    now = "unknown" if now_bps is None else percent_text(now_bps, signed=True)
    tone = "unknown" if now_bps is None else "good" if now_bps >= 0 else "bad"
    return format_html(
        '<span class="exit-range is-{}" role="img" aria-label="Stop {}, now {}, target {}">'
        '<span class="num down">{}</span><svg class="exit-line" viewBox="0 0 1000 10" preserveAspectRatio="none" '
        'aria-hidden="true"><rect class="bar-track" y="4" width="1000" height="2"/>{}{}</svg>'
        '<span class="num up">{}</span></span>',
        tone,
        stop,
        now,
        target,
        stop,
        _tick("exit-entry", _place(0, low, high), 6),
        SafeString("") if now_bps is None else _tick("exit-now", _place(now_bps, low, high), 16),
        target,
    )


def _place(bps: int, low: int, high: int) -> int:
    return max(0, min(1_000, (bps - low) * 1_000 // (high - low)))


def _tick(css: str, at: int, width: int) -> SafeString:
    start = max(0, min(1_000 - width, at - width // 2))
    return format_html('<rect class="{}" x="{}" width="{}" height="10"/>', css, start, width)
