"""Show amounts, prices, times, names and states the same way on every page.

Pure formatting of int and Decimal: a float is refused, because it has already lost what we would show.
Rounding is to the nearest (half to even) and for the eye only: the exact figure stands in the title, and nothing
computes with what is shown. None, a missing template variable and NaN all read "unknown", never zero.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.dashboard.figures import (
    MINUS,
    Number,
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
from apps.dashboard.templatetags.pictures import icon
from apps.domain.estimate import Estimate
from apps.domain.foreign_text import EMPTY_WARNING, TEXT_READ_MAX, clean_text
from apps.domain.money import Amount

register = template.Library()

Moment = datetime | int

SYMBOL_LENGTH_MAX: Final = 14
NAME_LENGTH_MAX: Final = 32
#: Clocks of chains run a little ahead: within these few seconds the future is the present. app.js does the same.
AHEAD_S: Final = 5


class Unknown(SafeString):
    """Markup that says "unknown"; `because` can still give it a reason."""


# -- unknown ------------------------------------------------------------------------------


@register.simple_tag
def unknown(reason: str = "") -> Unknown:
    """Return the word "unknown" with its reason for the pointer and for screen readers."""
    if not reason:
        return Unknown('<span class="unknown">unknown</span>')
    return Unknown(
        format_html(
            '<span class="unknown" title="{}">unknown<span class="visually-hidden">: {}</span></span>',
            reason,
            reason,
        )
    )


@register.filter
def because(value: object, reason: object) -> object:
    """Give an unknown its reason: ``{{ tax|bps|because:estimate.reason_unknown }}``; a known value stays."""
    return unknown(str(reason)) if isinstance(value, Unknown) and reason else value


def _known(value: object) -> Number | None:
    """Return value as a finite number, None when it is unknown; refuse what is no exact number."""
    if value is None or value == "":
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(f"expected int or Decimal, not {type(value).__name__}")
    if isinstance(value, Decimal) and not value.is_finite():
        return None
    return value


def _number(text: str, *, title: str = "", unit: str = "", css: str = "") -> SafeString:
    return format_html(
        '<span class="num{}"{}>{}{}</span>',
        f" {css}" if css else "",
        format_html(' title="{}"', title) if title and title != text else "",
        text,
        format_html('<span class="unit">{}</span>', unit) if unit else "",
    )


# -- numbers as markup ------------------------------------------------------------------------


@register.filter
def raw_amount(value: object, decimals: object = None) -> SafeString:
    """Show smallest units as whole tokens: ``{{ order.amount_in_raw|raw_amount:token.decimals }}``."""
    return amount(value, decimals)


@register.simple_tag
def amount(value: object, decimals: object = None, symbol: str = "", *, reason: str = "") -> SafeString:
    """Show a token amount with its symbol: ``{% amount fill.amount_in %}`` or ``{% amount raw 18 "WETH" %}``."""
    if isinstance(value, Amount):
        decimals, symbol = value.token.decimals, symbol or value.token.symbol
        value = value.raw
    raw, places = _known(value), _known(decimals)
    if raw is None or places is None:
        return unknown(reason or ("decimals are unknown" if raw is not None else ""))
    exact = units_of(int(raw), int(places))
    name = clean_text(symbol, SYMBOL_LENGTH_MAX)[0]
    return _number(significant_text(exact), title=f"{exact:,f} {name}".strip(), unit=name)


@register.filter
def usd_micros(value: object) -> SafeString:
    """Show millionths of a dollar as ``$1,234.56``."""
    micros = _known(value)
    if micros is None:
        return unknown()
    return _number(usd_text(int(micros)), title=_usd_exact(int(micros)))


@register.filter
def usd_micros_signed(value: object) -> SafeString:
    """Show a gain or loss as ``+$12.30`` or ``−$4.10``, with the class that colours it."""
    micros = _known(value)
    if micros is None:
        return unknown()
    return _number(usd_text(int(micros), signed=True), title=_usd_exact(int(micros)), css=_direction(micros))


@register.filter
def usd_micros_compact(value: object) -> SafeString:
    """Show large dollars in a narrow column as ``$12.35K`` or ``$1.2M``."""
    micros = _known(value)
    if micros is None:
        return unknown()
    return _number(usd_compact_text(int(micros)), title=_usd_exact(int(micros)))


def _usd_exact(micros: int) -> str:
    return f"{units_of(micros, 6):,f} USD"


def _direction(value: Number) -> str:
    return "up" if value > 0 else "down" if value < 0 else "flat"


@register.filter
def price(value: object, unit: str = "") -> SafeString:
    """Show a price: ``{{ p|price:"WETH" }}`` gives ``0.0₅1234 WETH``; the unit "USD" gives ``$0.0₅1234``."""
    known = _known(value)
    if known is None:
        return unknown()
    text, exact = price_text(known), exact_text(known)
    if unit == "USD":
        text = text.replace(MINUS, f"{MINUS}$", 1) if known < 0 else f"${text}"
        return _number(text, title=f"{exact} USD")
    name = clean_text(unit, SYMBOL_LENGTH_MAX)[0]
    return _number(text, title=f"{exact} {name}".strip(), unit=name)


@register.filter
def bps(value: object) -> SafeString:
    """Show basis points as per cent: 125 is ``1.25%``."""
    known = _known(value)
    return unknown() if known is None else _number(percent_text(known))


@register.filter
def bps_signed(value: object) -> SafeString:
    """Show a change in basis points as ``+1.25%`` or ``−1.25%``, with the class that colours it."""
    known = _known(value)
    return unknown() if known is None else _number(percent_text(known, signed=True), css=_direction(known))


@register.simple_tag
def share(part: object, whole: object, *, digits: int = 1, reason: str = "") -> SafeString:
    """Show part of whole in per cent, rounded down; a whole of zero is unknown."""
    left, right = _known(part), _known(whole)
    if left is None or right is None or right == 0:
        return unknown(reason or ("there is nothing to compare with" if right == 0 else ""))
    return _number(share_text(left, right, digits))


@register.filter
def count(value: object) -> SafeString:
    """Show a count with thousands."""
    known = _known(value)
    return unknown() if known is None else _number(count_text(int(known)), title=f"{int(known):,}")


@register.filter
def ms(value: object) -> SafeString:
    """Show a latency in milliseconds or seconds."""
    known = _known(value)
    return unknown() if known is None else _number(latency_text(known), title=f"{exact_text(known)} ms")


@register.filter
def duration(value: object) -> SafeString:
    """Show a number of seconds as a duration."""
    known = _known(value)
    return unknown() if known is None else _number(duration_text(known), title=f"{int(known):,} s")


@register.simple_tag
def estimate(value: Estimate | None, decimals: int = 0) -> SafeString:
    """Show a measured quantity by its own unit, with its interval; unknown gives its reason."""
    if not isinstance(value, Estimate):
        return unknown("this was not measured")
    if value.value is None:
        return unknown(value.reason_unknown)
    title = (
        f"from {value.source}, {value.n} observation{'' if value.n == 1 else 's'}, "
        f"confidence {percent_text(value.confidence * 10_000)}"
    )
    text = _estimate_text(value.value, value.unit, decimals)
    low, high = value.low, value.high
    span = ""
    if low is not None and high is not None and low != high:
        span = f"{_estimate_text(low, value.unit, decimals)} – {_estimate_text(high, value.unit, decimals)}"
    return format_html(
        '<span class="num" title="{}">{}{}</span>',
        title,
        text,
        format_html(' <span class="interval">{}</span>', span) if span else "",
    )


def _estimate_text(value: Decimal, unit: str, decimals: int) -> str:
    if unit == "bps":
        return percent_text(value)
    if unit == "usd_micros":
        return usd_text(int(value))
    if unit == "raw":
        return significant_text(units_of(int(value), decimals))
    if unit == "s":
        return duration_text(value)
    if unit == "bool":
        return "yes" if value else "no"
    return significant_text(value)


@register.filter
def subtract(value: object, other: object) -> int | None:
    """Return value minus other, None when either is unknown."""
    left, right = _known(value), _known(other)
    return None if left is None or right is None else int(left - right)


# -- times ----------------------------------------------------------------------------------


def _moment(value: object) -> datetime | None:
    """Return an aware UTC datetime from one or from epoch milliseconds."""
    if value is None or value == "":
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise TypeError("expected an aware datetime")
        return value.astimezone(UTC)
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"expected a datetime or epoch milliseconds, not {type(value).__name__}")
    seconds, rest = divmod(value, 1_000)
    return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 1_000)


def now_epoch_ms(now: Moment | None = None) -> int:
    """Return the present in epoch milliseconds, or the given moment."""
    return _epoch_ms(_moment(now) or timezone.now())


@register.simple_tag
def now_ms() -> int:
    """Return the server's clock for a page, so that a wrong browser clock does not make ages lie."""
    return now_epoch_ms()


def _epoch_ms(at: datetime) -> int:
    return int(at.replace(microsecond=0).timestamp()) * 1_000 + at.microsecond // 1_000


def _time_tag(value: object, *, css: str, now: Moment | None) -> SafeString:
    at = _moment(value)
    if at is None:
        return unknown()
    present = _moment(now) or timezone.now()
    elapsed_s = (_epoch_ms(present) - _epoch_ms(at)) // 1_000
    if -AHEAD_S <= elapsed_s < 0:
        elapsed_s = 0
    text = duration_text(elapsed_s) if elapsed_s >= 0 else f"in {duration_text(-elapsed_s)}"
    if css == "ago" and elapsed_s >= 0:
        text += " ago"
    return format_html(
        '<time class="age" datetime="{}" data-age="{}"{} title="{}">{}</time>',
        at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        _epoch_ms(at),
        mark_safe(" data-ago") if css == "ago" else "",
        f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1_000:03d} UTC",
        text,
    )


@register.filter
def age(value: object, now: Moment | None = None) -> SafeString:
    """Show how old a moment (datetime or epoch ms) is: ``12 s``. It ticks, and its title is the absolute time."""
    return _time_tag(value, css="age", now=now)


@register.filter
def ago(value: object, now: Moment | None = None) -> SafeString:
    """Show how long ago a moment was: ``12 s ago``."""
    return _time_tag(value, css="ago", now=now)


@register.filter
def clock(value: object, precision: str = "s") -> SafeString:
    """Show the time of day in UTC; precision "ms" adds milliseconds, "day" puts the date before it."""
    at = _moment(value)
    if at is None:
        return unknown()
    text = f"{at:%H:%M:%S}"
    if precision == "ms":
        text += f".{at.microsecond // 1_000:03d}"
    if precision == "day":
        text = f"{at:%Y-%m-%d} {at:%H:%M}"
    return format_html(
        '<time class="num" datetime="{}" data-clock="{}" title="{} UTC">{}</time>',
        at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        _epoch_ms(at),
        f"{at:%Y-%m-%d %H:%M:%S}",
        text,
    )


# -- names and addresses ----------------------------------------------------------------------


def _name_tag(value: object, *, length_max: int, css: str) -> SafeString:
    if value is None:
        return unknown("the token gave no name")
    text, warnings = clean_text(value, length_max)
    full = clean_text(value, TEXT_READ_MAX)[0]
    if not text:
        text, warnings = "unnamed", (*warnings, EMPTY_WARNING)
    warning = SafeString("")
    if warnings:
        words = "Careful: this name " + "; ".join(warnings)
        warning = format_html(
            '<span class="name-warning" title="{}">{}<span class="visually-hidden">{}</span></span>',
            words,
            icon("alert"),
            words,
        )
    return format_html('<span class="{}"><bdi title="{}">{}</bdi>{}</span>', css, full or text, text, warning)


@register.filter
def token_symbol(value: object) -> SafeString:
    """Show an untrusted token symbol: hidden characters removed, cut, isolated, warned about."""
    return _name_tag(value, length_max=SYMBOL_LENGTH_MAX, css="symbol")


@register.filter
def token_name(value: object) -> SafeString:
    """Show an untrusted token name, longer than a symbol."""
    return _name_tag(value, length_max=NAME_LENGTH_MAX, css="token-name")


def short_address_text(value: str) -> str:
    """Return ``0x1234…abcd``; what is short already stays whole."""
    text = clean_text(value, TEXT_READ_MAX)[0]
    head = 6 if text.startswith("0x") else 4
    return text if len(text) <= head + 6 else f"{text[:head]}…{text[-4:]}"


@register.filter
def short_address(value: object) -> SafeString:
    """Show an address or hash as ``0x1234…abcd`` with the whole one in its title."""
    if value is None or value == "":
        return unknown()
    return format_html('<span class="address" title="{}">{}</span>', value, short_address_text(str(value)))


@register.simple_tag
def address(value: object, *, url: str = "", label: str = "address") -> SafeString:
    """Show a short address or hash with a copy button, linked when `url` is an http(s) or local address."""
    if value is None or value == "":
        return unknown()
    shown: SafeString = short_address(value)
    if url.startswith(("https://", "http://127.0.0.1", "http://localhost")) or (
        url[:1] == "/" and url[:2] != "//"
    ):
        away = (
            SafeString("") if url.startswith("/") else mark_safe(' rel="noopener noreferrer" target="_blank"')
        )
        shown = format_html('<a href="{}"{}>{}</a>', url, away, shown)
    return format_html(
        '<span class="address-copy">{}<button type="button" class="copy" data-copy="{}" aria-label="Copy {} {}">{}'
        "</button></span>",
        shown,
        value,
        label,
        short_address_text(str(value)),
        icon("copy"),
    )


# -- badges -----------------------------------------------------------------------------------

#: State -> (tone, icon, word, explanation). Colour is never alone: each has its own word and sign.
_STATES: Final[dict[str, tuple[str, str, str, str]]] = {
    # orders
    "created": ("idle", "clock", "Created", "Waiting for a worker; nothing is signed"),
    "denied": ("warn", "shield", "Denied", "Refused by our own limits before signing"),
    "claimed": ("info", "clock", "Claimed", "A worker has it; nothing is signed yet"),
    "signed": ("info", "send", "Signed", "Signed bytes are stored; it may have been sent"),
    "submitted": ("info", "send", "Submitted", "Sent; waiting for its block"),
    "filled": ("good", "check", "Filled", "Mined; its fill is booked"),
    "reverted": ("bad", "cross", "Reverted", "Mined, but the swap failed; only gas was spent"),
    "dropped": ("warn", "cross", "Dropped", "Another transaction took its nonce; it can no longer be mined"),
    "cancelled": ("idle", "minus", "Cancelled", "Called back before it was mined"),
    "expired": ("idle", "clock", "Expired", "Its time ran out before it was signed"),
    # verdicts and decisions
    "pass": ("good", "check", "Pass", "The rule is satisfied"),
    "fail": ("bad", "cross", "Fail", "The rule is broken"),
    "unknown": ("unknown", "question", "Unknown", "Could not be established; never treated as a pass"),
    "enter": ("good", "arrow-in", "Buy", "Decided to buy"),
    "exit": ("info", "arrow-out", "Sell", "Decided to sell"),
    "skip": ("idle", "minus", "Skip", "Decided not to trade"),
    "watching": ("info", "clock", "Watching", "Not decided yet; looked at again soon"),
    "new": ("info", "bolt", "New", "Just found; not judged yet"),
    "bought": ("good", "check", "Bought", "A position was opened"),
    "refused": ("warn", "shield", "Refused", "Refused, with reasons"),
    # sides
    "buy": ("good", "arrow-in", "Buy", "Coin out, token in"),
    "sell": ("bad", "arrow-out", "Sell", "Token out, coin in"),
    # positions
    "opening": ("info", "clock", "Opening", "Its buy is on the way"),
    "open": ("info", "bolt", "Open", ""),
    "closing": ("info", "arrow-out", "Closing", "Its sell is on the way"),
    "closed": ("idle", "check", "Closed", ""),
    "stuck": ("bad", "alert", "Stuck", "It cannot be sold at present"),
    # incidents
    "info": ("info", "info", "Info", ""),
    "warning": ("warn", "alert", "Warning", ""),
    "error": ("bad", "cross", "Error", ""),
    "critical": ("bad", "kill", "Critical", ""),
    "acknowledged": ("warn", "check", "Acknowledged", "Somebody is looking at it"),
    "resolved": ("good", "check", "Resolved", ""),
    # error categories
    "network": ("warn", "link", "Network", "A chain, feed or broker did not answer"),
    "trading": ("warn", "target", "Trading", "The market or the chain refused"),
    "system": ("bad", "sliders", "System", "Our own machine or code fails"),
    "data": ("warn", "layers", "Data", "Something we were told cannot be used"),
    # components and chains
    "ok": ("good", "check", "OK", ""),
    "stale": ("warn", "clock", "Stale", "Its last sign of life is too old"),
    "down": ("bad", "cross", "Down", ""),
    # events
    "engine_status": ("idle", "play", "Engine", ""),
    "trade_executed": ("good", "check", "Trade", ""),
    "opportunity_found": ("info", "target", "Opportunity", ""),
    "risk_alert": ("warn", "shield", "Risk alert", ""),
    "new_pair_analysis": ("info", "search", "Analysis", ""),
    "market_regime_change": ("info", "overview", "Market regime", ""),
    "whale_activity_alert": ("warn", "user", "Whale", ""),
    "coordination_detected": ("warn", "layers", "Coordination", ""),
    "decision_made": ("idle", "target", "Decision", ""),
    "order_changed": ("info", "list", "Order", ""),
    "position_changed": ("info", "layers", "Position", ""),
    "pair_changed": ("info", "target", "Pair", ""),
    "config_changed": ("idle", "sliders", "Configuration", ""),
    "incident_opened": ("bad", "bell", "Incident", ""),
    "incident_closed": ("good", "bell", "Incident closed", ""),
    "key_used": ("idle", "shield", "Key used", ""),
    "key_signed": ("idle", "send", "Signed", ""),
    "login": ("idle", "user", "Sign-in", ""),
    "access_changed": ("idle", "sliders", "Access", ""),
    "component_changed": ("idle", "bolt", "Component", ""),
    "alert_changed": ("info", "bell", "Alert", ""),
    "bot_command": ("idle", "send", "Bot", ""),
    # what an analysis recommends
    "block": ("bad", "shield", "Block", "A rule refuses it"),
    "avoid": ("bad", "cross", "Avoid", "Nothing that may still become known could make it good enough"),
    "watch": ("info", "clock", "Watch", "Not good enough or not known well enough yet"),
    "probe": ("warn", "search", "Small try", "Good enough, but it may prove not to be"),
    # where an opportunity ended
    "filter": ("idle", "filter", "Filter", "The pair itself is not for us"),
    "risk": ("warn", "shield", "Risk", "A rule failed or could not be answered"),
    "score": ("idle", "overview", "Score", "Passed every rule, but too weak"),
    "limit": ("warn", "sliders", "Limit", "Good, but a limit of ours stands in the way"),
    "engine": ("idle", "pause", "Engine", "The engine takes no entries now"),
    # the engine
    "running": ("good", "play", "Running", "Entries and exits"),
    "paused": ("warn", "pause", "Paused", "No new entries; exits go on"),
    "stopped": ("idle", "stop", "Stopped", "Looks and records; no entries, no exits"),
    "degraded": ("warn", "alert", "Degraded", ""),
    "emergency_stopped": ("bad", "kill", "Emergency stopped", "Nothing is signed or sent"),
    # modes
    "sandbox": ("sandbox", "flask", "SANDBOX", "Simulated market on local chains"),
    "paper": ("info", "layers", "PAPER", "Live market, filled on paper; nothing is signed"),
    "live": ("live", "bolt", "LIVE", "Live market, real funds"),
    # markets and models
    "bull": ("good", "arrow-out", "Rising", "The market rises, and the second opinion agrees"),
    "bear": ("bad", "arrow-in", "Falling", "The market falls, and the second opinion agrees"),
    "crab": ("idle", "minus", "Sideways", "The market goes nowhere"),
    "volatile": ("warn", "alert", "Volatile", "The market swings without a direction"),
    "calm": ("idle", "minus", "Calm", "It moves less than over its last half year"),
    "normal": ("idle", "check", "Usual moves", "It moves as over its last half year"),
    "high": ("warn", "alert", "Large moves", "It moves much more than over its last half year"),
    "trusted": ("good", "check", "Believed", "Its predictions are used"),
    "distrusted": ("warn", "cross", "Given up", "Its predictions proved worse than none; rules decide"),
    "drifted": ("warn", "alert", "Errors rise", "It errs more than it did"),
    # outside sources
    "up": ("good", "check", "Read", "It answers and is read"),
    "blocked": ("bad", "cross", "Blocked", "It refuses us; the reason says what mends it"),
    "out_of_budget": ("warn", "pause", "Budget spent", "It is read again tomorrow (UTC)"),
    "not_configured": ("idle", "minus", "Not configured", "Off until it is given a token"),
    # circuit breakers
    "armed": ("good", "shield", "Armed", "Watches; nothing has tripped it"),
    "pause": ("bad", "pause", "Entries paused", "Tripped: no entries until it has rested; exits go on"),
    "shrink": (
        "warn",
        "minus",
        "Limits cut down",
        "Tripped: sizes and limits are smaller until it has rested",
    ),
    "off": ("idle", "minus", "Off", "Switched off in the configuration"),
    # what refusing a token has saved or cost
    "pays": ("good", "check", "Pays", "It saved more than it can have missed"),
    "costs": (
        "warn",
        "alert",
        "May cost",
        "It may have missed more than it saved; what it missed is an upper bound",
    ),
    "even": ("idle", "minus", "Even", "It saved as much as it can have missed"),
    "drained": ("bad", "cross", "Died: drained", "Its pool lost nearly all its coins"),
    "unsellable": ("bad", "cross", "Died: unsellable", "It cannot be sold any more"),
    "rose": (
        "good",
        "arrow-out",
        "Rose",
        "Its sale would have brought far more than it cost, before it died",
    ),
    "lived": ("idle", "check", "Lived", "Neither died nor rose while it was followed"),
    "accepted": ("info", "check", "Accepted later", "A later verdict accepted it"),
    "following": ("info", "clock", "Followed", "Still followed"),
    "unpriced": ("unknown", "question", "Not priced", "Its pool showed no reserves when it was refused"),
    # gates
    "veto": ("warn", "shield", "Veto", "A failure refuses the pair, and so does an unknown answer"),
    "warn": ("idle", "alert", "Warns", "Its answer stands in the verdict and refuses nothing"),
    # exit tags
    "take_profit": ("good", "target", "Take profit", "The gain was reached"),
    "stop_loss": ("bad", "stop", "Stop loss", "The loss limit was reached"),
    "trailing_stop": ("warn", "stop", "Trailing stop", "Fell too far from its highest value"),
    "time_stop": ("idle", "clock", "Time stop", "Held as long as allowed"),
    "liquidity_drop": ("bad", "alert", "Liquidity drop", "The pool was emptied too far"),
    "guard": ("bad", "shield", "Guard", "Sold because what we held became dangerous"),
    "force_exit": ("warn", "user", "Forced exit", "Sold by a person"),
    "kill_close": ("bad", "kill", "Kill and close", "Sold after the kill switch"),
    "tokens_left": ("bad", "alert", "Tokens gone", "The tokens left the wallet without a sale"),
}


def _state_key(value: object) -> str:
    return str(value.value if isinstance(value, Enum) else value).strip().lower()


@register.simple_tag(name="status_badge")
def status_badge_tag(value: object, word: str = "", title: str = "") -> SafeString:
    """Show a state (string or Enum) as a badge; `word` and `title` replace the usual ones."""
    if value is None or value == "":
        value = "unknown"
    key = _state_key(value)
    fallback = clean_text(key.replace("_", " "), NAME_LENGTH_MAX)[0].capitalize()
    tone, sign, usual, explanation = _STATES.get(key, ("idle", "info", fallback, ""))
    title = title or explanation
    return format_html(
        '<span class="badge is-{}"{}>{}{}</span>',
        tone,
        format_html(' title="{}"', title) if title else "",
        icon(sign),
        word or usual,
    )


@register.filter
def status_badge(value: object) -> SafeString:
    """Show the state of an order, position, incident, component or the engine, or an exit tag, as a badge."""
    return status_badge_tag(value)


@register.filter
def outcome_badge(value: object) -> SafeString:
    """Show pass, fail or unknown, or enter, exit or skip, as a badge."""
    return status_badge_tag(value)


@register.filter
def side_badge(value: object) -> SafeString:
    """Show buy or sell as a badge."""
    return status_badge_tag(value)


@register.filter
def sign(value: object) -> SafeString:
    """Show a state or event kind as its icon alone, with its word for pointers and screen readers."""
    word = state_word(value)
    return format_html(
        '<span class="sign is-{}" title="{}">{}</span>',
        state_tone(value),
        word,
        icon(state_icon(value), word),
    )


@register.filter
def state_word(value: object) -> str:
    """Return a state's plain word without markup, for titles and labels."""
    key = _state_key(value)
    return (
        _STATES[key][2]
        if key in _STATES
        else clean_text(key.replace("_", " "), NAME_LENGTH_MAX)[0].capitalize()
    )


@register.filter
def state_tone(value: object) -> str:
    """Return a state's tone ("good", "warn", ...) for a class name."""
    key = _state_key(value)
    return _STATES[key][0] if key in _STATES else "idle"


@register.filter
def state_icon(value: object) -> str:
    """Return the name of a state's icon."""
    key = _state_key(value)
    return _STATES[key][1] if key in _STATES else "info"


#: Words in a chain's key or name -> the class of its mark; an unknown chain has a plain mark.
_CHAINS: Final = ("base", "bsc", "ethereum", "polygon", "arbitrum", "solana")


@register.filter
def chain_badge(value: object) -> SafeString:
    """Show a chain (a name, or an object with `name` and perhaps `profile`) with its mark: a colour and a shape."""
    if value is None or value == "":
        return unknown()
    name = clean_text(getattr(value, "name", value), NAME_LENGTH_MAX)[0]
    key = f"{getattr(value, 'profile', '')} {name}".lower()
    mark = next((known for known in _CHAINS if known in key), "other")
    return format_html(
        '<span class="chain"><span class="chain-mark chain-{}" aria-hidden="true"></span>{}</span>',
        mark,
        name,
    )


@register.simple_tag
def chain_head(chain: Any, now: Moment | None = None) -> SafeString:
    """Return a list item with the age of a chain's newest block; app.js lets it tick and turn stale."""
    name = clean_text(chain.name, NAME_LENGTH_MAX)[0]
    if chain.head_at_ms is None:
        why = chain.reason or "no block was seen yet"
        return format_html(
            '<li class="is-unknown" title="{}: {}"><span class="dot" role="img" aria-label="{}: {}"></span>'
            '<span class="chain">{}</span><span class="num">unknown</span></li>',
            name,
            why,
            name,
            why,
            name,
        )
    age_ms = max(0, now_epoch_ms(now) - chain.head_at_ms)
    stale = age_ms > chain.stale_after_ms
    words = f"newest block {'is stale' if stale else 'is fresh'}" + (
        f", {chain.reason}" if chain.reason else ""
    )
    return format_html(
        '<li class="is-{}" title="{}: {}" data-head="{}" data-stale="{}"><span class="dot" role="img" aria-label="{}: {}">'
        '</span><span class="chain">{}</span><span class="num">{}</span></li>',
        "warn" if stale else "good",
        name,
        words,
        chain.head_at_ms,
        chain.stale_after_ms,
        name,
        words,
        name,
        duration_text(age_ms // 1_000),
    )
