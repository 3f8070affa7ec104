"""Pages and forms that change something: the engine, a position, an incident."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.dashboard.operations import breaker_arm, engine_do, kill, position_sell
from apps.dashboard.pages import attempt, plain_page, reason_of, way_back
from apps.dashboard.roles import (
    KILL,
    LOOK,
    LOOK_INCIDENTS,
    RESET_BREAKERS,
    RESOLVE_INCIDENTS,
    TRADE,
    needs,
)
from apps.dashboard.selectors.incidents import incident_of
from apps.dashboard.selectors.positions import position_of
from apps.dashboard.selectors.risk import breaker_tripped
from apps.dashboard.templatetags.links import plain
from apps.state.services.incidents import incident_resolve


@require_safe
@needs(LOOK)
def killswitch_page(request: HttpRequest) -> HttpResponse:
    """Ask whether to pull the kill switch, where there is no script to open its dialog."""
    return plain_page(request, "dashboard/killswitch.html", next=reverse("dashboard:overview"))


@require_POST
@needs(KILL)
def killswitch_pull(request: HttpRequest) -> HttpResponse:
    """Pull the kill switch; whoever may not sell stops everything all the same."""
    closes = request.POST.get("kind") == "close"
    reason = reason_of(request)
    return attempt(
        request, lambda: kill(request.user, reason=reason, close_positions=closes), back=way_back(request)
    )


@require_http_methods(["GET", "HEAD", "POST"])
def killswitch(request: HttpRequest) -> HttpResponse:
    """Show the kill switch's page, or pull it."""
    return killswitch_pull(request) if request.method == "POST" else killswitch_page(request)


@require_POST
@needs(LOOK)
def engine_action(request: HttpRequest) -> HttpResponse:
    """Start, pause, stop, or resume after the kill switch."""
    back, reason = way_back(request), reason_of(request)
    action = request.POST.get("action", "")
    return attempt(request, lambda: engine_do(request.user, action=action, reason=reason), back=back)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(TRADE)
def position_close(request: HttpRequest, position_id: int) -> HttpResponse:
    """Show what a sale would bring now, and ask for it."""
    back = reverse("dashboard:positions")
    if request.method == "POST":
        by = request.user.get_username()
        return attempt(request, lambda: position_sell(position_id=position_id, by=by), back=back)
    row = position_of(position_id)
    if row is None:
        raise Http404
    return plain_page(request, "dashboard/position_close.html", section="positions", row=row, item=row.item)


@require_http_methods(["GET", "HEAD", "POST"])
@needs(RESET_BREAKERS)
def breaker_reset(request: HttpRequest, name: str) -> HttpResponse:
    """Show what tripped a breaker, and arm it again for a reason."""
    back, chain_key = reverse("dashboard:risk"), request.GET.get("chain", "")
    if request.method == "POST":
        by, reason = request.user.get_username(), reason_of(request)
        return attempt(
            request,
            lambda: breaker_arm(name=name, chain_key=chain_key, by=by, reason=reason),
            back=back,
        )
    row = breaker_tripped(name, chain_key)
    if row is None:
        messages.info(request, "This breaker is not tripped any more.")
        return HttpResponseRedirect(back)
    return plain_page(request, "dashboard/breaker_reset.html", section="risk", row=row)


@require_safe
@needs(LOOK_INCIDENTS)
def incident(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Show one incident."""
    found = incident_of(incident_id)
    if found is None:
        raise Http404
    may_resolve = request.user.has_perm(RESOLVE_INCIDENTS)
    return plain_page(
        request, "dashboard/incident.html", section="incidents", incident=found, may_resolve=may_resolve
    )


@require_POST
@needs(RESOLVE_INCIDENTS)
def incident_close(request: HttpRequest, incident_id: int) -> HttpResponse:
    """Resolve an incident."""
    found = incident_of(incident_id)
    if found is None:
        raise Http404
    by, reason = request.user.get_username(), reason_of(request)
    if incident_resolve(dedup_key=found.dedup_key, by=by, reason=reason):
        messages.success(request, f"Resolved: {plain(found.title)}")
    else:
        messages.info(request, "Somebody has resolved it already.")
    return HttpResponseRedirect(reverse("dashboard:incidents"))
