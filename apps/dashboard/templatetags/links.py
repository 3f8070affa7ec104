"""Addresses with filters, links to what an event is about, and the words of settings and recoveries."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Final
from urllib.parse import urlencode

from django import template
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.dashboard.asks import Ask
from apps.dashboard.figures import duration_text, exact_text, percent_text
from apps.dashboard.selectors.chains import ChainLabel
from apps.dashboard.selectors.overview import FeedLine
from apps.dashboard.templatetags.pictures import icon
from apps.dashboard.templatetags.units import SYMBOL_LENGTH_MAX, address, unknown
from apps.domain.config import TradingConfig
from apps.domain.events import EventKind
from apps.domain.foreign_text import clean_sentence, clean_text
from apps.trading.models import Position

register = template.Library()

#: Subject of an event -> the page about it. A subject of another kind leads to its road.
_PAGES: Final = {
    "pair": "dashboard:pair",
    "order": "dashboard:order",
    "incident": "dashboard:incident",
    "alert": "dashboard:alert",
}
#: Kinds that are about no pair: their trace is a request's.
_ROADLESS: Final = frozenset(
    kind.value
    for kind in (
        EventKind.ENGINE_STATUS,
        EventKind.CONFIG_CHANGED,
        EventKind.COMPONENT_CHANGED,
        EventKind.KEY_USED,
        EventKind.LOGIN,
        EventKind.ACCESS_CHANGED,
    )
)
_RECOVERIES: Final = {
    "retry": "tries again by itself",
    "failover": "goes on with the next endpoint",
    "skip": "leaves the pair aside and goes on",
    "quarantine": "keeps the sample for a person and goes on",
    "reconcile": "asks the chain how it ended",
    "pause": "takes no entries; exits go on",
    "halt": "signs nothing until a person resumes",
}
SUMMARY_LENGTH_MAX: Final = 300


@register.simple_tag
def querystring_of(ask: Ask, **changes: Any) -> str:
    """Return the page's own query with changes; None or "" removes a filter. Unlike Django's it needs no request."""
    filters = dict(ask.filters) | {
        name: "" if value is None else str(value) for name, value in changes.items()
    }
    query = urlencode({name: value for name, value in filters.items() if value})
    return f"?{query}"


@register.filter
def filter_of(ask: Ask, name: str) -> str:
    """Return a filter's value in the page's address."""
    return ask.get(name)


@register.filter
def plain(value: object) -> str:
    """Return text that may hold a stranger's words (a name, a revert reason) without hidden characters, bounded."""
    return clean_sentence(value)


@register.filter
def split(text: str) -> list[str]:
    """Return the words of a text."""
    return text.split()


@register.filter
def plain_symbol(value: object) -> str:
    """Return an untrusted symbol as clean text, for a page's title."""
    return clean_text(value, SYMBOL_LENGTH_MAX)[0] or "unnamed"


@register.simple_tag
def event_link(line: FeedLine) -> SafeString:
    """Return an event's summary, linked to the page about it or to its road."""
    text = clean_sentence(line.summary, SUMMARY_LENGTH_MAX)
    by = (
        ""
        if line.actor in ("engine", "relay")
        else format_html(' <span class="faint">by {}</span>', plain(line.actor))
    )
    if line.subject in _PAGES and line.subject_id:
        href = reverse(_PAGES[line.subject], args=[line.subject_id])
    elif line.trace_id and line.kind not in _ROADLESS:
        href = reverse("dashboard:trace", args=[line.trace_id])
    else:
        return format_html("{}{}", text, by)
    return format_html('<a class="quiet" href="{}">{}</a>{}', href, text, by)


@register.simple_tag
def transaction_link(chain: ChainLabel, tx_hash: str) -> SafeString:
    """Return a transaction's hash, linked to the chain's explorer."""
    if not tx_hash:
        return unknown("it is not known")
    return address(tx_hash, url=chain.transaction_url(tx_hash), label="transaction hash")


@register.simple_tag
def address_link(chain: ChainLabel, value: str) -> SafeString:
    """Return an address, linked to the chain's explorer."""
    return address(value, url=chain.address_url(value))


@register.simple_tag
def dexscreener_link(chain: ChainLabel, pool_address: str) -> SafeString:
    """Return a link to DEXScreener's page of a pool; none for a sandbox chain, which DEXScreener does not know."""
    if chain.is_sandbox or not chain.dexscreener_slug:
        return SafeString("")
    return format_html(
        '<a class="button" href="https://dexscreener.com/{}/{}" rel="noopener noreferrer" target="_blank">{}DEXScreener</a>',
        chain.dexscreener_slug,
        pool_address,
        icon("link"),
    )


@register.filter
def held_seconds(position: Position) -> int:
    """Return for how long a position was held, or has been so far."""
    return int(((position.closed_at or timezone.now()) - position.opened_at).total_seconds())


@register.filter
def recovery_words(value: str) -> str:
    """Return what the system does about a surprise."""
    return _RECOVERIES.get(value, value)


@register.filter
def score(value: int) -> str:
    """Return a score out of 100, rounded down."""
    return f"{value // 100} of 100"


@register.filter
def setting_words(path: str) -> str:
    """Return a setting's path in words: ``limits.position_max_usd`` is "Limits: position max"."""
    section, _, name = path.replace("__", ".", 1).partition(".")
    for suffix in ("_usd", "_bps", "_s"):
        name = name.removesuffix(suffix)
    return f"{section.capitalize()}: {name.replace('_', ' ')}"


@register.filter
def setting_value(value: object, path: str) -> str:
    """Return a setting's value with its unit; None is what an empty field means."""
    if value is None:
        return "never"
    if isinstance(value, bool):
        return "yes" if value else "no"
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return str(value)
    return _with_unit(number, _unit_of(path))


#: Last part of an adjusted figure's name -> its unit.
_SUFFIXES: Final = {"usd": "USD", "bps": "bps", "s": "s"}


@register.filter
def adjusted_words(subject: str) -> str:
    """Return the name of a figure that was changed, without its unit: ``position_max_usd`` is "position max"."""
    name, _, unit = subject.rpartition("_")
    return (name if unit in (*_SUFFIXES, "raw") and name else subject).replace("_", " ")


@register.filter
def adjusted_value(value: object, subject: str) -> str:
    """Return a changed figure with the unit that its name ends in."""
    try:
        number = Decimal(str(value))
    except InvalidOperation:
        return clean_sentence(value)
    return _with_unit(number, _SUFFIXES.get(subject.rpartition("_")[2], ""))


def _with_unit(number: Decimal, unit: str) -> str:
    if unit == "bps":
        return percent_text(number)
    if unit == "s":
        return duration_text(number)
    return f"${exact_text(number)}" if unit == "USD" else f"{exact_text(number)} {unit}".strip()


def _unit_of(path: str) -> str:
    section, _, name = path.partition(".")
    model = TradingConfig.model_fields.get(section)
    field = None if model is None else getattr(model.annotation, "model_fields", {}).get(name)
    extra = None if field is None else field.json_schema_extra
    return str(extra.get("unit", "")) if isinstance(extra, dict) else ""
