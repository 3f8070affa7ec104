"""Positions, orders, opportunities and traces."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import Http404, HttpRequest
from ninja import Path, Query, Router

from apps.api import shapes
from apps.api.authentication import caller_of
from apps.api.operations import acts, reads, request_key
from apps.api.paging import ID_MAX, LIMIT_DEFAULT, Cursor, Limit, page_of
from apps.api.schemas import trading as s
from apps.api.schemas.base import Done, Page
from apps.discovery.models import Pair
from apps.domain.errors import ConfigurationError, TransitionRefusedError
from apps.domain.order import OrderStatus
from apps.state import permissions as p
from apps.state.models import Event
from apps.state.services.engine import engine_view
from apps.trading.models import AdvancedOrder, DecisionRecord, Opportunity, OpportunityStatus, Order, Position
from apps.trading.reading.opportunities import opportunities_filtered
from apps.trading.reading.orders import order_detail, orders_loaded
from apps.trading.reading.positions import position_of
from apps.trading.services import by_hand
from apps.trading.services.positions import exit_request

router = Router(tags=["trading"])
Id = Annotated[int, Path(ge=1, le=ID_MAX)]
ChainKey = Annotated[str, Query(max_length=60)]
#: Of one trace, as on its page.
EVENTS_MAX, DECISIONS_MAX, ORDERS_MAX = 200, 50, 20
_ALL_BPS = 10_000


# -- positions ----------------------------------------------------------------------------
@reads(router, "/positions", permission=p.LOOK_POSITIONS, answers=Page[s.PositionOut])
def positions_list(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    status: Annotated[
        Literal["open", "closed", "stuck", "any"], Query(description="open: not closed.")
    ] = "open",
    chain_key: ChainKey = "",
) -> Page[s.PositionOut]:
    """List positions, newest first."""
    rows = Position.objects.select_related("pair__base", "pair__quote")
    if status == "open":
        rows = rows.exclude(status="closed")
    elif status != "any":
        rows = rows.filter(status=status)
    if chain_key:
        rows = rows.filter(chain_key=chain_key)
    return page_of(rows, limit=limit, cursor=cursor, make=shapes.positions_out)


@reads(router, "/positions/{position_id}", permission=p.LOOK_POSITIONS, answers=s.PositionOut)
def position_detail(request: HttpRequest, position_id: Id) -> s.PositionOut:
    """Return one position."""
    row = position_of(position_id)
    if row is None:
        raise Http404
    return shapes.position_out(row)


@acts(router, "/positions/{position_id}/close", permission=p.TRADE, answers=s.CloseOut)
def position_close(request: HttpRequest, position_id: Id, body: s.CloseBody) -> s.CloseOut:
    """Sell a position now, all of it or a share. All of it is a forced exit, whatever its price."""
    position = Position.objects.select_related("pair__base", "pair__quote").filter(pk=position_id).first()
    if position is None:
        raise Http404
    waits, order_id = not engine_view().may_exit, None
    if body.share_bps == _ALL_BPS:
        if not exit_request(position_id=position_id, by=caller_of(request).get_username()):
            raise TransitionRefusedError(
                f"Position {position_id} is closed already.", remedy="There is nothing to do."
            )
        message = f"The sale of position {position_id} was asked for."
    else:
        order_id = by_hand.sell_by_hand(
            actor=caller_of(request),
            request_key=request_key(request),
            position=position,
            kind="part",
            share_bps=body.share_bps,
        ).pk
        message = f"Order {order_id} to sell a part of position {position_id} was placed."
    return s.CloseOut(
        message=message, position_id=position_id, advanced_order_id=order_id, waits_for_engine=waits
    )


# -- advanced orders: before the orders, whose address would take theirs -------------------
@reads(router, "/orders/advanced", permission=p.LOOK_ORDERS, answers=Page[s.AdvancedOrderOut])
def advanced_orders_list(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    status: Annotated[Literal["open", "done", "cancelled", "failed", "any"], Query()] = "any",
    position_id: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
) -> Page[s.AdvancedOrderOut]:
    """List advanced orders: what waits for a price or a time, and what became of it."""
    rows = _advanced_loaded()
    if status != "any":
        rows = rows.filter(status=status)
    if position_id is not None:
        rows = rows.filter(position_id=position_id)
    return page_of(rows, limit=limit, cursor=cursor, make=shapes.advanced_out)


def _advanced_loaded() -> QuerySet[AdvancedOrder]:
    return AdvancedOrder.objects.select_related("pair__base", "pair__quote")


@reads(router, "/orders/advanced/{order_id}", permission=p.LOOK_ORDERS, answers=s.AdvancedOrderOut)
def advanced_order_detail(request: HttpRequest, order_id: Id) -> s.AdvancedOrderOut:
    """Return one advanced order."""
    return _advanced_out(order_id)


def _advanced_out(order_id: int) -> s.AdvancedOrderOut:
    row = _advanced_loaded().filter(pk=order_id).first()
    if row is None:
        raise Http404
    return shapes.advanced_out([row])[0]


@acts(router, "/orders/advanced", permission=p.TRADE, answers=s.AdvancedOrderOut)
def advanced_order_place(request: HttpRequest, body: s.PlaceBody) -> s.AdvancedOrderOut:
    """Place a purchase of a known pair, or a sale of a share of a position. The same limits count as on the pages."""
    row = _buy(request, body) if isinstance(body, s.BuyBody) else _sell(request, body)
    return _advanced_out(row.pk)


def _buy(request: HttpRequest, body: s.BuyBody) -> AdvancedOrder:
    pair = Pair.objects.select_related("base", "quote").filter(pk=body.pair_id).first()
    if pair is None:
        raise Http404
    if body.slices > 1 and not body.interval_s:
        raise ConfigurationError("Several slices need the seconds between them.", remedy="Give interval_s.")
    return by_hand.buy_by_hand(
        actor=caller_of(request),
        request_key=request_key(request),
        pair=pair,
        wallet_key=body.wallet_key,
        amount_raw=int(body.amount_coin_raw),
        price_max=None if body.price_max_coins is None else _price(body.price_max_coins, pair),
        slices=body.slices,
        interval_s=body.interval_s,
        accepts_refusals=body.accepts_refusals,
    )


def _price(text: str, pair: Pair) -> int:
    base, native = pair.base.decimals, pair.quote.decimals
    if base is None or native is None:
        raise ConfigurationError("The token's decimals are not known.", remedy="It cannot be traded.")
    return by_hand.price_scaled(Decimal(text), base_decimals=base, native_decimals=native)


def _sell(request: HttpRequest, body: s.SellBody) -> AdvancedOrder:
    position = (
        Position.objects.select_related("pair__base", "pair__quote").filter(pk=body.position_id).first()
    )
    if position is None:
        raise Http404
    return by_hand.sell_by_hand(
        actor=caller_of(request),
        request_key=request_key(request),
        position=position,
        kind=body.kind,
        share_bps=body.share_bps,
        gain_bps=body.gain_bps,
        loss_bps=body.loss_bps,
        trail_bps=body.trail_bps,
        slices=body.slices,
        interval_s=body.interval_s,
        delay_s=body.delay_s if body.kind == "time" else 0,
    )


@acts(router, "/orders/advanced/{order_id}/cancel", permission=p.TRADE, answers=Done)
def advanced_order_cancel(request: HttpRequest, order_id: Id) -> Done:
    """Cancel an advanced order. A trade that is on its way already is not called back, but none follows."""
    return _acted(request, order_id, by_hand.order_cancel, "cancelled")


@acts(router, "/orders/advanced/{order_id}/resume", permission=p.TRADE, answers=Done)
def advanced_order_resume(request: HttpRequest, order_id: Id) -> Done:
    """Let an advanced order of an older epoch act again."""
    return _acted(request, order_id, by_hand.order_resume, "resumed")


def _acted(request: HttpRequest, order_id: int, act: Any, word: str) -> Done:
    if not AdvancedOrder.objects.filter(pk=order_id).exists():
        raise Http404
    if not act(actor=caller_of(request), advanced_id=order_id):
        raise TransitionRefusedError(
            f"Advanced order {order_id} cannot be {word}: it has ended, or acts already.",
            remedy="There is nothing to do.",
        )
    return Done(message=f"Advanced order {order_id} was {word}.")


# -- orders -------------------------------------------------------------------------------
@reads(router, "/orders", permission=p.LOOK_ORDERS, answers=Page[s.OrderOut])
def orders_list(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    status: Annotated[OrderStatus | None, Query()] = None,
    side: Annotated[Literal["buy", "sell"] | None, Query()] = None,
    chain_key: ChainKey = "",
    position_id: Annotated[int | None, Query(ge=1, le=ID_MAX)] = None,
) -> Page[s.OrderOut]:
    """List the swaps we asked for, newest first."""
    rows = orders_loaded(Order.objects.all())
    wanted = {
        "status": None if status is None else status.value,
        "side": side,
        "chain_key": chain_key or None,
        "position_id": position_id,
    }
    rows = rows.filter(**{name: value for name, value in wanted.items() if value is not None})
    return page_of(rows, limit=limit, cursor=cursor, make=shapes.orders_out)


@reads(router, "/orders/{order_id}", permission=p.LOOK_ORDERS, answers=s.OrderDetailOut)
def order_detail_of(request: HttpRequest, order_id: Id) -> s.OrderDetailOut:
    """Return one order with its transactions and its history."""
    found = order_detail(order_id)
    if found is None:
        raise Http404
    return s.OrderDetailOut(
        order=shapes.order_out(found["row"]),
        attempts=[shapes.attempt_out(item) for item in found["attempts"]],
        history=[shapes.event_line(item) for item in found["history"]],
    )


# -- opportunities and traces -------------------------------------------------------------
@reads(router, "/opportunities", permission=p.LOOK, answers=Page[s.OpportunityOut])
def opportunities_list(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    status: Annotated[
        Literal["waiting", "evaluating", "refused", "entered", "expired", "quarantined"] | None, Query()
    ] = None,
    chain_key: ChainKey = "",
    source: Annotated[Literal["chain", "dexscreener", "geckoterminal", "manual"] | None, Query()] = None,
    code: Annotated[str, Query(max_length=60, description="Refused for this.")] = "",
    wanted: Annotated[str, Query(max_length=100, description="A name, symbol, address or trace id.")] = "",
) -> Page[s.OpportunityOut]:
    """List opportunities, newest first."""
    rows = opportunities_filtered(chain_key=chain_key, source=source or "", code=code, wanted=wanted.strip())
    if status is not None:
        rows = rows.filter(status=OpportunityStatus(status))
    rows = rows.select_related("pair__base", "pair__quote")
    return page_of(rows, limit=limit, cursor=cursor, make=shapes.opportunities_out)


@reads(router, "/trace/{trace_id}", permission=p.LOOK, answers=s.TraceOut)
def trace_detail(
    request: HttpRequest, trace_id: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
) -> s.TraceOut:
    """Return everything that happened under one trace id: from the chain's event to profit or loss."""
    chance = Opportunity.objects.select_related("pair__base", "pair__quote").filter(trace_id=trace_id).first()
    if chance is None:
        raise Http404
    caller = caller_of(request)
    decisions = DecisionRecord.objects.filter(trace_id=trace_id).defer("inputs").order_by("-number")
    orders = orders_loaded(Order.objects.filter(trace_id=trace_id)).order_by("-id")
    positions = Position.objects.filter(trace_id=trace_id).select_related("pair__base", "pair__quote")
    events = Event.objects.filter(trace_id=trace_id).order_by("-id")
    return s.TraceOut(
        trace_id=trace_id,
        opportunity=shapes.opportunities_out([chance])[0],
        decisions=[shapes.decision_out(row) for row in reversed(decisions[:DECISIONS_MAX])],
        orders=shapes.orders_out(reversed(orders[:ORDERS_MAX])) if caller.has_perm(p.LOOK_ORDERS) else [],
        position=next(iter(shapes.positions_out(positions[:1])), None)
        if caller.has_perm(p.LOOK_POSITIONS)
        else None,
        events=[shapes.event_line(row) for row in reversed(events[:EVENTS_MAX])],
    )
