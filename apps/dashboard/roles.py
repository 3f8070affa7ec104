"""Who may do what: the permissions the pages ask for. The groups viewer and operator hold them (state's migrations)."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, Protocol

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

LOOK: Final = "trading.view_opportunity"
LOOK_POSITIONS: Final = "trading.view_position"
LOOK_ORDERS: Final = "trading.view_order"
LOOK_INCIDENTS: Final = "state.view_incident"
LOOK_CONFIGURATION: Final = "state.view_configrevision"
CHANGE_CONFIGURATION: Final = "state.add_configrevision"
RESOLVE_INCIDENTS: Final = "state.change_incident"
OPERATE: Final = "state.operate_engine"
KILL: Final = "state.pull_killswitch"
RESUME: Final = "state.resume_engine"
TRADE: Final = "trading.trade_manually"
RESET_BREAKERS: Final = "risk.reset_breaker"


class Visitor(Protocol):
    """Whoever asks: Django's user, signed in or not."""

    def has_perm(self, perm: str) -> bool:
        """Tell whether this visitor has the permission."""


View = Callable[..., HttpResponse]


def needs(permission: str) -> Callable[[View], View]:
    """Answer 403 to whoever is signed in without this permission. The login middleware has sent strangers away."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not request.user.has_perm(permission):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate


def may_operate(visitor: Visitor) -> bool:
    """Tell whether the visitor may start, pause, stop, kill and resume."""
    return all(visitor.has_perm(permission) for permission in (OPERATE, KILL, RESUME))
