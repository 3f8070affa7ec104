"""What every page needs."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.http import HttpRequest

from apps.dashboard.roles import KILL, LOOK, may_operate
from apps.dashboard.selectors.shell import frame


def shell(request: HttpRequest) -> dict[str, Any]:
    """Return the frame's figures for whoever may look, and the mode alone for everybody else.

    The admin has a frame of its own. A view that shows live panels puts ``live_url`` into its own context.
    """
    user = getattr(request, "user", None)
    if user is None or not user.has_perm(LOOK) or request.path.startswith("/admin/"):
        return {"mode": settings.ENV.mode}
    return frame() | {"may_operate": may_operate(user), "may_kill": user.has_perm(KILL), "live_url": ""}
