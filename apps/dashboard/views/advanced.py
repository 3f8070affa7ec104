"""Trades by hand: buy a known pair, sell a part, change stops, and look after advanced orders."""

from __future__ import annotations

import uuid
from decimal import Decimal

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from apps.dashboard.pages import attempt, plain_page, way_back
from apps.dashboard.roles import LOOK_ORDERS, TRADE, needs
from apps.dashboard.selectors.advanced import advanced_rows
from apps.dashboard.selectors.chains import chain_label, chain_labels
from apps.dashboard.selectors.positions import position_of
from apps.dashboard.trade_forms import BuyForm, SellForm, StopsForm, bps_of_percent
from apps.discovery.models import Pair
from apps.domain.errors import ConfigurationError, SniperError
from apps.state.services.engine import engine_view
from apps.trading.models import Position
from apps.trading.services import by_hand


@require_safe
@needs(LOOK_ORDERS)
def advanced(request: HttpRequest) -> HttpResponse:
    """Show the advanced orders."""
    return plain_page(
        request,
        "dashboard/advanced.html",
        section="orders",
        rows=advanced_rows(),
        may_trade=request.user.has_perm(TRADE),
    )


@require_POST
@needs(TRADE)
def advanced_act(request: HttpRequest, advanced_id: int) -> HttpResponse:
    """Cancel or resume an advanced order."""
    resumes = request.POST.get("action") == "resume"

    def act() -> str:
        do = by_hand.order_resume if resumes else by_hand.order_cancel
        if not do(actor=request.user, advanced_id=advanced_id):
            return "There was nothing to do: it has ended or acts already."
        return f"Advanced order {advanced_id} was {'resumed' if resumes else 'cancelled'}."

    return attempt(request, act, back=way_back(request, "dashboard:advanced"))


# -- a pair -------------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@needs(TRADE)
def pair_buy(request: HttpRequest, pair_id: int) -> HttpResponse:
    """Ask for a purchase, show what it would bring, and place it once it is confirmed."""
    pair = Pair.objects.select_related("base", "quote").filter(pk=pair_id).first()
    if pair is None:
        raise Http404
    form = BuyForm(
        request.POST if request.method == "POST" else None,
        initial={"request_key": uuid.uuid4().hex},
        wallet_keys=by_hand.wallets_buying(pair),
    )
    preview, refusal = None, ""
    if request.method == "POST" and form.is_valid():
        try:
            preview = by_hand.buy_preview(pair=pair, amount_raw=_coins_raw(form, pair))
            if request.POST.get("step") == "confirm":
                return _bought(request, form, pair)
        except SniperError as error:
            refusal = " ".join(filter(None, (str(error), error.remedy)))
    return plain_page(
        request,
        "dashboard/pair_buy.html",
        section="opportunities",
        pair=pair,
        chain=chain_label(chain_labels(), pair.chain_key),
        form=form,
        preview=preview,
        refusal=refusal,
        engine_view=engine_view(),
        rows=advanced_rows(pair_id=pair_id),
        may_trade=True,
    )


def _coins_raw(form: forms.Form, pair: Pair) -> int:
    return by_hand.coins_to_raw(form.cleaned_data["coins"], _decimals(pair)[1])


def _decimals(pair: Pair) -> tuple[int, int]:
    base, native = pair.base.decimals, pair.quote.decimals
    if base is None or native is None:
        raise ConfigurationError("The token's decimals are not known.", remedy="It cannot be traded.")
    return base, native


def _bought(request: HttpRequest, form: forms.Form, pair: Pair) -> HttpResponse:
    given, (base, native) = form.cleaned_data, _decimals(pair)
    price: Decimal | None = given["price_max"]
    slices = given["slices"] or 1
    if slices > 1 and not given["interval_s"]:
        raise ConfigurationError(
            "Several slices need the seconds between them.", remedy="Fill them in, or leave the slices empty."
        )
    row = by_hand.buy_by_hand(
        actor=request.user,
        request_key=given["request_key"],
        pair=pair,
        wallet_key=given["wallet_key"],
        amount_raw=_coins_raw(form, pair),
        price_max=None
        if not price
        else by_hand.price_scaled(price, base_decimals=base, native_decimals=native),
        slices=slices,
        interval_s=given["interval_s"] or 0,
        accepts_refusals=given["accepts_refusals"],
    )
    messages.success(
        request,
        f"Order {row.pk} to buy was placed. It is assessed afresh before it is filled; this page shows how it goes.",
    )
    return HttpResponseRedirect(reverse("dashboard:advanced"))


# -- a position ---------------------------------------------------------------------------
@require_http_methods(["GET", "HEAD", "POST"])
@needs(TRADE)
def position_trade(request: HttpRequest, position_id: int) -> HttpResponse:
    """Show a position with its orders, and sell parts of it or change its stops."""
    row = position_of(position_id)
    if row is None:
        raise Http404
    asked = request.POST.get("form", "") if request.method == "POST" else ""
    sell = SellForm(
        request.POST if asked == "sell" else None,
        initial={"request_key": uuid.uuid4().hex, "kind": "part", "share": 100},
        auto_id="sell-%s",
    )
    stops = StopsForm(
        request.POST if asked == "stops" else None,
        initial=StopsForm.initial_of(row.item.exit_plan),
        auto_id="stops-%s",
    )
    back = reverse("dashboard:position_trade", args=[position_id])
    if asked == "sell" and sell.is_valid():
        return attempt(request, lambda: _sold(request, sell, row.item), back=back)
    if asked == "stops" and stops.is_valid():
        return attempt(request, lambda: _stops_changed(request, stops, position_id), back=back)
    return plain_page(
        request,
        "dashboard/position_trade.html",
        section="positions",
        row=row,
        item=row.item,
        sell=sell,
        stops=stops,
        rows=advanced_rows(position_id=position_id),
        may_trade=True,
    )


def _sold(request: HttpRequest, form: forms.Form, position: Position) -> str:
    given = form.cleaned_data
    row = by_hand.sell_by_hand(
        actor=request.user,
        request_key=given["request_key"],
        position=position,
        kind=given["kind"],
        share_bps=bps_of_percent(given["share"]) or 0,
        gain_bps=bps_of_percent(given["gain"]),
        loss_bps=bps_of_percent(given["loss"]),
        trail_bps=bps_of_percent(given["trail"]),
        slices=given["slices"] or 1,
        interval_s=given["interval_s"] or 0,
        delay_s=(given["delay_s"] or 0) if given["kind"] == "time" else 0,
    )
    return f"Order {row.pk} to sell was placed."


def _stops_changed(request: HttpRequest, form: StopsForm, position_id: int) -> str:
    by_hand.stops_change(actor=request.user, position_id=position_id, changes=form.changes())
    return f"The stops of position {position_id} were changed; they count from the next block on."
