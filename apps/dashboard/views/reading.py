"""Pages that only show."""

from __future__ import annotations

from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from apps.dashboard.asks import ask_of
from apps.dashboard.pages import page
from apps.dashboard.panels import PANELS, VIEWS, grants_of, panel_html
from apps.dashboard.roles import AUDIT, LOOK, LOOK_INCIDENTS, LOOK_ORDERS, LOOK_POSITIONS, needs
from apps.dashboard.selectors.audit import event_has_trace
from apps.dashboard.selectors.chains import chain_labels
from apps.dashboard.selectors.opportunities import SORTS, SOURCES, refusal_codes
from apps.dashboard.selectors.orders import order_detail
from apps.dashboard.selectors.overview import FEEDS, PERIODS, equity_points, period_of
from apps.dashboard.selectors.pairs import pair_closes, pair_head
from apps.dashboard.selectors.shell import system_is_ready
from apps.dashboard.selectors.traces import trace_detail


@require_safe
@needs(LOOK)
def overview(request: HttpRequest) -> HttpResponse:
    """Show how the system stands, what happens, and why it does not trade."""
    ask = ask_of(request.GET.dict(), view="overview")
    return page(
        request,
        "dashboard/overview.html",
        view="overview",
        feeds=[(name, word) for name, (word, _) in FEEDS.items()],
        periods=list(PERIODS),
        period=period_of(ask)[0],
        equity_values=equity_points(ask)["values"],
    )


@require_safe
@needs(LOOK)
def opportunities(request: HttpRequest) -> HttpResponse:
    """Show the queue."""
    return page(
        request,
        "dashboard/opportunities.html",
        view="opportunities",
        chains_all=list(chain_labels().values()),
        codes=refusal_codes(),
        sorts=[(name, word) for name, (word, _) in SORTS.items()],
        sources=SOURCES,
    )


@require_safe
@needs(LOOK)
def pair(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Show everything about one pair."""
    head = pair_head(pair_id)
    if head["detail"] is None:
        raise Http404
    return page(
        request,
        "dashboard/pair.html",
        view="pair",
        key=str(pair_id),
        section="opportunities",
        pair=head["pair"],
        chart_values=pair_closes(head["pair"]),
    )


@require_safe
@needs(LOOK)
def trace(request: HttpRequest, trace_id: str) -> HttpResponse:
    """Show one pair's whole road."""
    detail = trace_detail(trace_id)
    if detail is None:
        if request.user.has_perm(AUDIT) and event_has_trace(trace_id):  # a request's, which is about no pair
            return HttpResponseRedirect(f"{reverse('dashboard:audit')}?trace={trace_id}")
        raise Http404
    return page(
        request,
        "dashboard/trace.html",
        view="trace",
        key=trace_id,
        section="opportunities",
        pair=detail["pair"],
    )


@require_safe
@needs(LOOK_POSITIONS)
def positions(request: HttpRequest) -> HttpResponse:
    """Show what is held, or what was."""
    return page(request, "dashboard/positions.html", view="positions")


@require_safe
@needs(LOOK_ORDERS)
def orders(request: HttpRequest) -> HttpResponse:
    """Show the orders."""
    return page(request, "dashboard/orders.html", view="orders", chains_all=list(chain_labels().values()))


@require_safe
@needs(LOOK_ORDERS)
def order(request: HttpRequest, order_id: int) -> HttpResponse:
    """Show one order with its transactions and its history."""
    if order_detail(order_id) is None:
        raise Http404
    return page(
        request, "dashboard/order.html", view="order", key=str(order_id), section="orders", order_id=order_id
    )


@require_safe
@needs(LOOK)
def risk(request: HttpRequest) -> HttpResponse:
    """Show what holds trading back, and what refusing has saved and cost."""
    ask = ask_of(request.GET.dict(), view="risk")
    return page(request, "dashboard/risk.html", view="risk", periods=list(PERIODS), period=period_of(ask)[0])


@require_safe
@needs(LOOK_INCIDENTS)
def incidents(request: HttpRequest) -> HttpResponse:
    """Show what went wrong and what to do about it, and which components are alive."""
    return page(request, "dashboard/incidents.html", view="incidents")


@require_safe
@never_cache
@needs(LOOK)
def panel(request: HttpRequest, name: str) -> HttpResponse:
    """Return one panel's markup, for a page that asks instead of listening."""
    found, ask, grants = PANELS.get(name), ask_of(request.GET.dict()), grants_of(request.user)
    if found is None or ask.view not in found.views:
        raise Http404
    if not {found.permission, VIEWS[ask.view]} <= grants:
        return HttpResponse(status=403)
    return HttpResponse(panel_html(found, ask, grants))


@require_safe
@never_cache
@login_not_required
def healthz(_: HttpRequest) -> JsonResponse:
    """Say that this process answers. What else may ail the system, `manage.py doctor` says."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
@login_not_required
def readyz(_: HttpRequest) -> JsonResponse:
    """Say whether trading can be relied upon: 200 when all that it needs is at work, else 503. Names nothing inside."""
    is_ready = system_is_ready()
    return JsonResponse({"status": "ready" if is_ready else "not ready"}, status=200 if is_ready else 503)
