"""Lists in parts: newest first, each part bounded, the cursor the last row's own place."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from typing import Annotated, Any, TypeVar

from django.db.models import QuerySet
from ninja import Query

from apps.api.problems import RequestError
from apps.api.schemas.base import Page

LIMIT_DEFAULT, LIMIT_MAX = 50, 200
ID_MAX = 2**63 - 1
T = TypeVar("T")
Limit = Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Most rows of one part.")]
Cursor = Annotated[str, Query(max_length=64, description="next_cursor of the part before.")]


def page_of(
    rows: QuerySet[Any], *, limit: int, cursor: str, make: Callable[[list[Any]], Iterable[T]]
) -> Page[T]:
    """Return a part of the rows by falling id. Raises RequestError for a cursor that is none of ours."""
    if cursor:
        rows = rows.filter(pk__lt=_place(cursor))
    found = list(rows.order_by("-pk")[: limit + 1])
    shown = found[:limit]
    more = len(found) > limit
    return Page(items=list(make(shown)), next_cursor=_cursor(shown[-1].pk) if more else None)


def _cursor(place: int) -> str:
    return base64.urlsafe_b64encode(f"before:{place}".encode()).decode()


def _place(cursor: str) -> int:
    try:
        word, _, place = base64.urlsafe_b64decode(cursor.encode("ascii")).decode("ascii").partition(":")
        if word == "before" and place.isdigit() and 0 < int(place) <= ID_MAX:
            return int(place)
    except (ValueError, binascii.Error):
        pass
    raise RequestError(
        "This cursor is none of ours.",
        status=422,
        code="INVALID_CURSOR",
        remedy="Give next_cursor as it was answered, or none.",
    )
