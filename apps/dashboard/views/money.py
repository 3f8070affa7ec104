"""The page on money: results, wallets, approvals, and files for tax."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from apps.dashboard.pages import attempt, plain_page
from apps.dashboard.roles import LOOK_POSITIONS, TRADE, needs
from apps.dashboard.selectors.money import by_of
from apps.dashboard.selectors.money import money as money_shown
from apps.engine.nudges import nudge
from apps.trading.logic.disposals import METHODS, Method
from apps.trading.logic.exports import FORMATS, Format
from apps.trading.logic.pnl_report import BYS
from apps.trading.selectors import lots_export, trades_export
from apps.trading.services.revocations import revocation_request


@require_safe
@needs(LOOK_POSITIONS)
def money(request: HttpRequest) -> HttpResponse:
    """Show what trading brought, by day, chain, token or exit."""
    by = by_of(request.GET.get("by", ""))
    return plain_page(
        request,
        "dashboard/money.html",
        section="money",
        by=by,
        bys=BYS,
        methods=METHODS,
        formats=FORMATS,
        may_trade=request.user.has_perm(TRADE),
        **money_shown(by),
    )


@require_POST
@needs(TRADE)
def approval_revoke(request: HttpRequest, approval_id: int) -> HttpResponse:
    """Ask for an approval to be taken back; the signing process does it."""

    def act() -> str:
        with transaction.atomic():
            row = revocation_request(approval_id=approval_id, by=request.user.get_username())
            nudge("engine.revoke", row.pk)
        return f"The approval of {row.token_address} is being taken back; this page shows how it goes."

    return attempt(request, act, back=reverse("dashboard:money"))


@require_safe
@never_cache
@needs(LOOK_POSITIONS)
def money_export(request: HttpRequest, what: str) -> HttpResponse:
    """Return all movements, or the lots, as a CSV file."""
    chosen = request.GET.get("as", "")
    if what == "lots":
        method: Method = next((item for item in METHODS if item == chosen), "fifo")
        text, name = lots_export(method=method), f"lots-{method}"
    else:
        form: Format = next((item for item in FORMATS if item == chosen), "plain")
        text, name = trades_export(form=form), f"trades-{form}"
    response = HttpResponse(text, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}-{timezone.now():%Y%m%d-%H%M%S}.csv"'
    return response
