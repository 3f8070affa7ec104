"""What a page asks of its visitor. The permissions themselves are apps.state.permissions, for pages and API alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse

from apps.state.permissions import (
    ACKNOWLEDGE_ALERTS,
    AUDIT,
    CHANGE_CONFIGURATION,
    KILL,
    LOOK,
    LOOK_ALERTS,
    LOOK_CONFIGURATION,
    LOOK_INCIDENTS,
    LOOK_ORDERS,
    LOOK_POSITIONS,
    OPERATE,
    PAIR_BOT,
    RESET_BREAKERS,
    RESOLVE_INCIDENTS,
    RESUME,
    TEST_ALERTS,
    TRADE,
    Visitor,
    may,
    may_operate,
    require,
)

__all__ = [
    "ACKNOWLEDGE_ALERTS",
    "AUDIT",
    "CHANGE_CONFIGURATION",
    "KILL",
    "LOOK",
    "LOOK_ALERTS",
    "LOOK_CONFIGURATION",
    "LOOK_INCIDENTS",
    "LOOK_ORDERS",
    "LOOK_POSITIONS",
    "OPERATE",
    "PAIR_BOT",
    "RESET_BREAKERS",
    "RESOLVE_INCIDENTS",
    "RESUME",
    "TEST_ALERTS",
    "TRADE",
    "Visitor",
    "may",
    "may_operate",
    "needs",
    "require",
]

View = Callable[..., HttpResponse]


def needs(permission: str) -> Callable[[View], View]:
    """Answer 403 to whoever is signed in without this permission, and ask for a second factor where that is missing.

    The login middleware has sent strangers away. Pages show what a person's rights offer; doing it asks here.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require(request.user, permission)
            return view(request, *args, **kwargs)

        return guarded

    return decorate
