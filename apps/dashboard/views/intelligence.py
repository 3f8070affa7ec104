"""The page on markets, and on how analysing goes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe

from apps.dashboard.pages import page
from apps.dashboard.roles import LOOK, needs


@require_safe
@needs(LOOK)
def intelligence(request: HttpRequest) -> HttpResponse:
    """Show the markets' regimes, how analysing goes, and how true the models were."""
    return page(request, "dashboard/intelligence.html", view="intelligence")
