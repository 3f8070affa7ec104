"""What a page asks of its visitor. The permissions themselves are apps.state.permissions, for pages and API alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.state.permissions import (
    CHANGE_CONFIGURATION,
    KILL,
    LOOK,
    LOOK_CONFIGURATION,
    LOOK_INCIDENTS,
    LOOK_ORDERS,
    LOOK_POSITIONS,
    OPERATE,
    RESET_BREAKERS,
    RESOLVE_INCIDENTS,
    RESUME,
    TRADE,
    Visitor,
    may,
    may_operate,
)

__all__ = [
    "CHANGE_CONFIGURATION",
    "KILL",
    "LOOK",
    "LOOK_CONFIGURATION",
    "LOOK_INCIDENTS",
    "LOOK_ORDERS",
    "LOOK_POSITIONS",
    "OPERATE",
    "RESET_BREAKERS",
    "RESOLVE_INCIDENTS",
    "RESUME",
    "TRADE",
    "Visitor",
    "may",
    "may_operate",
    "needs",
]

View = Callable[..., HttpResponse]


def needs(permission: str) -> Callable[[View], View]:
    """Answer 403 to whoever is signed in without this permission. The login middleware has sent strangers away."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not may(request.user, permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
