"""The configuration's history, and what one revision changed against another."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.paginator import Page, Paginator

from apps.dashboard.asks import Ask
from apps.state.logic.config_faults import config_diff
from apps.state.models import ConfigRevision

ROWS_PER_PAGE = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RevisionRow:
    """A revision and what it changed: (path, before, after)."""

    item: ConfigRevision
    changes: tuple[tuple[str, Any, Any], ...]


def revision_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of revisions, newest first, each with what it changed."""
    page: Page[ConfigRevision] = Paginator(
        ConfigRevision.objects.order_by("-number"), ROWS_PER_PAGE
    ).get_page(ask.page)
    shown = list(page.object_list)
    before = {}
    if shown:
        numbers = [item.number - 1 for item in shown]
        before = dict(ConfigRevision.objects.filter(number__in=numbers).values_list("number", "payload"))
    rows = [
        RevisionRow(
            item=item, changes=changes_between(before.get(item.number - 1, item.payload), item.payload)
        )
        for item in shown
    ]
    return {"page_obj": page, "rows": rows}


def revision_of(number: int) -> ConfigRevision | None:
    """Return one revision, None when there is none."""
    return ConfigRevision.objects.filter(number=number).first()


def changes_between(before: dict[str, Any], after: dict[str, Any]) -> tuple[tuple[str, Any, Any], ...]:
    """Return what differs, as (path, before, after)."""
    return tuple(
        (path, old, new) for path, (old, new) in config_diff(before, after).items() if not _same(old, new)
    )


def _same(old: Any, new: Any) -> bool:
    """Tell whether two values are one number written differently: 250 and 250.00."""
    try:
        return Decimal(str(old)) == Decimal(str(new))
    except InvalidOperation:
        return False
