"""The pages on alerts: what people were told, tests of the ways, and the Telegram bot's person."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.alerts import wiring
from apps.alerts.models import Delivery
from apps.alerts.services.alerts import alert_acknowledge
from apps.alerts.services.deliveries import delivery_retry, delivery_send, delivery_test
from apps.alerts.services.pairing import CODE_VALID, pairing_begin, pairing_end
from apps.dashboard.pages import page, plain_page
from apps.dashboard.roles import ACKNOWLEDGE_ALERTS, LOOK_ALERTS, PAIR_BOT, TEST_ALERTS, needs
from apps.dashboard.selectors.alerts import alert_of, bot_state, deliveries_of


@require_safe
@needs(LOOK_ALERTS)
def alerts(request: HttpRequest) -> HttpResponse:
    """Show what people were told, and by which ways."""
    return page(
        request,
        "dashboard/alerts.html",
        view="alerts",
        configured=wiring.configured(),
        may_test=request.user.has_perm(TEST_ALERTS),
        may_pair=request.user.has_perm(PAIR_BOT),
        **bot_state(),
    )


@require_safe
@needs(LOOK_ALERTS)
def alert(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Show one alert and what was said about it."""
    found = alert_of(alert_id)
    if found is None:
        raise Http404
    return plain_page(
        request,
        "dashboard/alert.html",
        section="alerts",
        alert=found,
        deliveries=deliveries_of(found),
        may_acknowledge=request.user.has_perm(ACKNOWLEDGE_ALERTS),
        may_test=request.user.has_perm(TEST_ALERTS),
    )


@require_POST
@needs(ACKNOWLEDGE_ALERTS)
def alert_acknowledged(request: HttpRequest, alert_id: int) -> HttpResponse:
    """Note that somebody looks after it."""
    if alert_acknowledge(alert_id=alert_id, by=request.user.get_username()):
        messages.success(request, "Acknowledged: it is not told any more.")
    else:
        messages.info(request, "It is over, or somebody has acknowledged it already.")
    return HttpResponseRedirect(reverse("dashboard:alerts"))


@require_POST
@needs(TEST_ALERTS)
def alert_test(request: HttpRequest, way: str) -> HttpResponse:
    """Send a test message at once and say how it went."""
    if way not in wiring.configured():
        messages.error(request, f"{way} is not configured: docs/alerts.md says what to set.")
        return HttpResponseRedirect(reverse("dashboard:alerts"))
    row = delivery_test(way=way, by=request.user.get_username())
    delivery_send(row.pk, wiring.transport(way))
    _tell(request, row)
    return HttpResponseRedirect(reverse("dashboard:alerts"))


@require_POST
@needs(TEST_ALERTS)
def delivery_again(request: HttpRequest, delivery_id: int) -> HttpResponse:
    """Let a failed message be sent again."""
    if delivery_retry(delivery_id=delivery_id):
        messages.success(request, "It is sent again within seconds.")
    else:
        messages.info(request, "It has not failed, or was sent meanwhile.")
    return HttpResponseRedirect(reverse("dashboard:alerts"))


@require_POST
@never_cache
@needs(PAIR_BOT)
def bot_pair(request: HttpRequest) -> HttpResponse:
    """Make a code of pairing and show it this once."""
    code = pairing_begin(user=request.user)
    minutes = int(CODE_VALID.total_seconds()) // 60
    return plain_page(request, "dashboard/bot_pair.html", section="alerts", code=code, minutes=minutes)


@require_POST
@needs(PAIR_BOT)
def bot_unpair(request: HttpRequest) -> HttpResponse:
    """Let the bot obey nobody."""
    if pairing_end(by=request.user.get_username()):
        messages.success(request, "The bot obeys nobody now.")
    else:
        messages.info(request, "It was not paired.")
    return HttpResponseRedirect(reverse("dashboard:alerts"))


def _tell(request: HttpRequest, row: Delivery) -> None:
    row.refresh_from_db()
    match row.status:
        case Delivery.Status.SENT:
            messages.success(request, f"The test message by {row.transport} was delivered.")
        case Delivery.Status.FAILED:
            messages.error(request, row.error)
        case _:  # the process that tells was quicker, and is at it
            messages.info(request, f"The test message by {row.transport} is on its way.")
