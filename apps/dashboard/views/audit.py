"""The page that searches the audit trail, and its export."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.dashboard.pages import plain_page
from apps.dashboard.roles import AUDIT, needs
from apps.dashboard.selectors.audit import EXPORTED_MAX, audit_page, search_of
from apps.state.services.audit import audit_export


@require_safe
@needs(AUDIT)
def audit(request: HttpRequest) -> HttpResponse:
    """Show the lines that fit, newest first."""
    context = audit_page(request.GET.dict())
    return plain_page(request, "dashboard/audit.html", section="audit", **context)


@require_safe
@never_cache
@needs(AUDIT)
def audit_file(request: HttpRequest) -> HttpResponse:
    """Return the lines that fit as a file that anybody can check."""
    search = search_of(request.GET.dict())
    response = HttpResponse(audit_export(search, lines_max=EXPORTED_MAX), content_type="application/jsonl")
    response["Content-Disposition"] = f'attachment; filename="audit-{timezone.now():%Y%m%d-%H%M%S}.jsonl"'
    return response
