"""The page on how fast trades go."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.dashboard.pages import page
from apps.dashboard.roles import LOOK_ORDERS, needs


@require_safe
@needs(LOOK_ORDERS)
def monitor(request: HttpRequest) -> HttpResponse:
    """Show how long each step of our purchases takes."""
    return page(request, "dashboard/monitor.html", view="monitor")
