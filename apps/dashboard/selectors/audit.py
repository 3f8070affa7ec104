"""The audit trail's page: what is asked for, and the lines that fit."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.utils.dateparse import parse_datetime

from apps.domain.events import EventKind
from apps.state.models import AuditHead, Event
from apps.state.services.audit import AuditSearch, audit_lines, is_cut
from apps.trading.models import Opportunity

ROWS_PER_PAGE: Final = 50
#: More are exported by `manage.py audit export`.
EXPORTED_MAX: Final = 20_000
FIELDS: Final = ("kind", "actor", "subject", "trace", "since", "until", "q")
FIELD_LENGTH_MAX: Final = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditLine:
    """One line with its payload as readable text."""

    item: Event
    payload: str
    has_road: bool  # its trace is a pair's


def search_of(given: Mapping[str, str]) -> AuditSearch:
    """Return what an address asks for; what makes no sense asks for nothing."""
    asked = {name: given.get(name, "").strip()[:FIELD_LENGTH_MAX].replace("\x00", "") for name in FIELDS}
    kinds = {kind.value for kind in EventKind} & {asked["kind"]}
    return AuditSearch(
        kinds=tuple(kinds),
        actor=asked["actor"],
        subject=asked["subject"],
        trace_id=asked["trace"],
        since=_moment(asked["since"]),
        until=_moment(asked["until"]),
        words=asked["q"],
    )


def _moment(text: str) -> datetime | None:
    try:
        moment = parse_datetime(text)
    except ValueError:  # well formed, and no such day
        return None
    if moment is None:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def audit_page(given: Mapping[str, str]) -> dict[str, Any]:
    """Return the newest lines that fit, or those before a given one, and what the form shows."""
    search = search_of(given)
    lines = audit_lines(search).order_by("-pk")
    before = given.get("before", "")
    if before.isascii() and before.isdigit() and len(before) <= 18:
        lines = lines.filter(pk__lt=int(before))
    rows = list(lines[: ROWS_PER_PAGE + 1])
    shown = rows[:ROWS_PER_PAGE]
    traces = {row.trace_id for row in shown} - {""}
    roads = set(Opportunity.objects.filter(trace_id__in=traces).values_list("trace_id", flat=True))
    filters = {name: given.get(name, "")[:FIELD_LENGTH_MAX] for name in FIELDS if given.get(name, "").strip()}
    head = AuditHead.objects.filter(pk=1).first()
    return {
        "lines": [
            AuditLine(item=row, payload=_pretty(row.payload), has_road=row.trace_id in roads) for row in shown
        ],
        "asked": filters,
        "query": urlencode(filters),
        "older": urlencode(filters | {"before": shown[-1].pk}) if len(rows) > ROWS_PER_PAGE else "",
        "is_first": not before,
        "is_cut": is_cut(search),
        "kinds": [kind.value for kind in EventKind],
        "head": head,
        "exported_max": EXPORTED_MAX,
    }


def _pretty(payload: Any) -> str:
    """Return a payload readable; ASCII alone, so that a stranger's signs show as what they are."""
    return json.dumps(payload, indent=1, ensure_ascii=True, sort_keys=True) if payload else ""


def event_has_trace(trace_id: str) -> bool:
    """Tell whether anything in the log has this trace."""
    return Event.objects.filter(trace_id=trace_id).exists()
