"""The parts of pages that change by themselves: one template each, for the page, its refresh and the socket alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.dashboard import roles
from apps.dashboard.asks import Ask
from apps.dashboard.selectors import (
    alerts,
    configuration,
    crosschain,
    incident_groups,
    incidents,
    intelligence,
    monitor,
    opportunities,
    orders,
    overview,
    pairs,
    positions,
    risk,
    shell,
    social,
    traces,
)
from apps.domain.events import EventKind as Kind

Read = Callable[[Ask], dict[str, Any]]

#: What a visitor may do on panels; only these flags, never the visitor, go into a rendering.
FLAGS: Final = {
    "may_trade": roles.TRADE,
    "may_resolve": roles.RESOLVE_INCIDENTS,
    "may_change": roles.CHANGE_CONFIGURATION,
    "may_reset": roles.RESET_BREAKERS,
    "may_acknowledge": roles.ACKNOWLEDGE_ALERTS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A part of a page. Its template's first element has an id of its own and carries ``{{ live }}``.

    ``kinds`` are the events that may change it. ``ticks``: it changes without events too (ages, marks).
    ``is_scattered``: it consists of several elements that all say themselves where they belong. ``rests_s``: a ticking
    panel that is dear to read rests so long between two ticks.
    """

    name: str
    template: str
    read: Read
    views: frozenset[str]
    kinds: frozenset[str]
    permission: str = roles.LOOK
    ticks: bool = False
    is_scattered: bool = False
    is_calm: bool = False  # a picture of much: once a second is enough
    rests_s: float = 0.0


_TRADING: Final = (Kind.TRADE_EXECUTED, Kind.ORDER_CHANGED, Kind.POSITION_CHANGED)
_JUDGING: Final = (Kind.OPPORTUNITY_FOUND, Kind.NEW_PAIR_ANALYSIS, Kind.DECISION_MADE, Kind.PAIR_CHANGED)
_INCIDENTS: Final = (Kind.INCIDENT_OPENED, Kind.INCIDENT_CLOSED)
_ALL: Final = tuple(Kind)
#: Statistics over many analyses move slowly.
_COUNTED_S: Final = 10.0
#: Refused tokens are looked at once a minute.
_FOLLOWED_S: Final = 30.0
#: View -> the permission its page asks for.
VIEWS: Final[dict[str, str]] = {
    "overview": roles.LOOK,
    "opportunities": roles.LOOK,
    "pair": roles.LOOK,
    "trace": roles.LOOK,
    "positions": roles.LOOK_POSITIONS,
    "orders": roles.LOOK_ORDERS,
    "order": roles.LOOK_ORDERS,
    "risk": roles.LOOK,
    "intelligence": roles.LOOK,
    "monitor": roles.LOOK_ORDERS,
    "incidents": roles.LOOK_INCIDENTS,
    "alerts": roles.LOOK_ALERTS,
    "configuration": roles.LOOK_CONFIGURATION,
    "page": roles.LOOK,  # any other page: only the frame is live
}


def _panel(
    name: str,
    read: Read,
    kinds: Iterable[Kind],
    *views: str,
    permission: str = roles.LOOK,
    rests_s: float = 0.0,
    **options: bool,
) -> Panel:
    return Panel(
        name=name,
        template=f"dashboard/_{name.replace('-', '_')}.html",
        read=read,
        views=frozenset(views),
        kinds=frozenset(kind.value for kind in kinds),
        permission=permission,
        rests_s=rests_s,
        **options,
    )


def _by_id(read: Callable[[int], dict[str, Any]]) -> Read:
    return lambda ask: read(ask.number)


def _detail(read: Callable[[Any], dict[str, Any] | None], *, by_number: bool) -> Read:
    return lambda ask: read(ask.number if by_number else ask.key) or {"is_gone": True}


_PANELS: Final = (
    _panel(
        "frame",
        lambda _: shell.frame(),
        (Kind.ENGINE_STATUS, Kind.COMPONENT_CHANGED, Kind.ALERT_CHANGED, *_TRADING, *_INCIDENTS),
        *VIEWS,
        ticks=True,
        is_scattered=True,
    ),
    _panel(
        "tiles",
        lambda ask: {"figures": overview.counters(ask), "period": overview.period_of(ask)[0]},
        (*_TRADING, *_JUDGING, Kind.CONFIG_CHANGED),
        "overview",
        ticks=True,
        is_calm=True,
    ),
    _panel("equity", overview.equity_points, _TRADING, "overview", ticks=True, is_calm=True),
    _panel(
        "funnel",
        lambda ask: {"funnel": overview.funnel_steps(ask)},
        (*_TRADING, *_JUDGING),
        "overview",
        is_calm=True,
    ),
    _panel("feed", lambda ask: {"lines": overview.feed(ask)}, _ALL, "overview"),
    _panel(
        "holdings",
        lambda _: positions.position_rows(Ask(view="positions")),
        _TRADING,
        "overview",
        permission=roles.LOOK_POSITIONS,
        ticks=True,
    ),
    _panel("opportunity-tabs", opportunities.opportunity_tabs, (*_JUDGING, *_TRADING), "opportunities"),
    _panel("opportunity-rows", opportunities.opportunity_rows, (*_JUDGING, *_TRADING), "opportunities"),
    _panel("pair-head", _by_id(pairs.pair_head), (*_JUDGING, *_TRADING), "pair", ticks=True),
    _panel("pair-facts", _by_id(pairs.pair_facts), _JUDGING, "pair"),
    _panel("pair-verdict", _by_id(pairs.pair_verdict), _JUDGING, "pair"),
    _panel("pair-trades", _by_id(pairs.pair_trades), _TRADING, "pair", ticks=True),
    _panel("pair-decisions", _by_id(pairs.pair_decisions), (*_JUDGING, *_TRADING), "pair"),
    _panel("pair-orders", _by_id(pairs.pair_orders), _TRADING, "pair", ticks=True),
    _panel("pair-chart", _by_id(pairs.pair_chart), _TRADING, "pair", ticks=True, is_calm=True),
    _panel("trace-road", _detail(traces.trace_detail, by_number=False), _ALL, "trace"),
    _panel("position-tabs", positions.position_tabs, _TRADING, "positions", permission=roles.LOOK_POSITIONS),
    _panel(
        "position-rows",
        positions.position_rows,
        _TRADING,
        "positions",
        permission=roles.LOOK_POSITIONS,
        ticks=True,
    ),
    _panel("order-tabs", orders.order_tabs, _TRADING, "orders", permission=roles.LOOK_ORDERS),
    _panel("order-rows", orders.order_rows, _TRADING, "orders", permission=roles.LOOK_ORDERS),
    _panel(
        "order-detail",
        _detail(orders.order_detail, by_number=True),
        _TRADING,
        "order",
        permission=roles.LOOK_ORDERS,
    ),
    _panel("breakers", risk.breaker_rows, (Kind.RISK_ALERT, Kind.CONFIG_CHANGED), "risk", ticks=True),
    _panel(
        "limits", risk.limit_rows, (*_TRADING, Kind.RISK_ALERT, Kind.CONFIG_CHANGED), "risk", is_calm=True
    ),
    _panel("refusal-board", risk.board_rows, (Kind.CONFIG_CHANGED,), "risk", ticks=True, rests_s=_FOLLOWED_S),
    _panel("refused-rows", risk.refused_rows, (), "risk", ticks=True, rests_s=_FOLLOWED_S),
    _panel(
        "intelligence-regimes",
        intelligence.regime_rows,
        (Kind.MARKET_REGIME_CHANGE,),
        "intelligence",
        ticks=True,
        rests_s=_FOLLOWED_S,
    ),
    _panel(
        "intelligence-crosschain",
        crosschain.crosschain_figures,
        (),
        "intelligence",
        ticks=True,
        rests_s=_FOLLOWED_S,
    ),
    _panel(
        "intelligence-processing",
        intelligence.processing_figures,
        (),
        "intelligence",
        ticks=True,
        rests_s=_COUNTED_S,
    ),
    _panel(
        "intelligence-models",
        intelligence.model_figures,
        _INCIDENTS,
        "intelligence",
        ticks=True,
        rests_s=_FOLLOWED_S,
    ),
    _panel("intelligence-social", social.source_rows, (), "intelligence", ticks=True, rests_s=_COUNTED_S),
    _panel(
        "intelligence-unknowns",
        intelligence.unknown_figures,
        (),
        "intelligence",
        ticks=True,
        rests_s=_FOLLOWED_S,
    ),
    _panel(
        "monitor-state",
        monitor.system_state,
        (),
        "monitor",
        permission=roles.LOOK_ORDERS,
        ticks=True,
        rests_s=_COUNTED_S,
    ),
    _panel(
        "monitor-unusual",
        monitor.unusual,
        (),
        "monitor",
        permission=roles.LOOK_ORDERS,
        ticks=True,
        rests_s=_FOLLOWED_S,
    ),
    _panel(
        "monitor-clock",
        monitor.clock_figures,
        (),
        "monitor",
        permission=roles.LOOK_ORDERS,
        ticks=True,
        rests_s=_COUNTED_S,
    ),
    _panel(
        "monitor-trades",
        monitor.clock_trades,
        (Kind.TRADE_EXECUTED,),
        "monitor",
        permission=roles.LOOK_ORDERS,
    ),
    _panel(
        "incident-tabs", incidents.incident_tabs, _INCIDENTS, "incidents", permission=roles.LOOK_INCIDENTS
    ),
    _panel(
        "incident-rows", incidents.incident_rows, _INCIDENTS, "incidents", permission=roles.LOOK_INCIDENTS
    ),
    _panel(
        "incident-groups",
        incident_groups.incident_groups,
        _INCIDENTS,
        "incidents",
        permission=roles.LOOK_INCIDENTS,
        ticks=True,
        rests_s=_COUNTED_S,
    ),
    _panel("alert-tabs", alerts.alert_tabs, (Kind.ALERT_CHANGED,), "alerts", permission=roles.LOOK_ALERTS),
    _panel("alert-rows", alerts.alert_rows, (Kind.ALERT_CHANGED,), "alerts", permission=roles.LOOK_ALERTS),
    _panel(
        "ways", alerts.way_rows, (Kind.ALERT_CHANGED,), "alerts", permission=roles.LOOK_ALERTS, ticks=True
    ),
    _panel(
        "components",
        incidents.components,
        (Kind.COMPONENT_CHANGED,),
        "incidents",
        permission=roles.LOOK_INCIDENTS,
        ticks=True,
    ),
    _panel(
        "revisions",
        configuration.revision_rows,
        (Kind.CONFIG_CHANGED,),
        "configuration",
        permission=roles.LOOK_CONFIGURATION,
    ),
)
PANELS: Final[dict[str, Panel]] = {panel.name: panel for panel in _PANELS}


def panels_of(view: str) -> tuple[Panel, ...]:
    """Return the panels that a view shows."""
    return tuple(panel for panel in _PANELS if view in panel.views)


def grants_of(visitor: roles.Visitor) -> frozenset[str]:
    """Return everything that a visitor may see and do here."""
    asked = {*VIEWS.values(), *FLAGS.values(), *(panel.permission for panel in _PANELS)}
    return frozenset(permission for permission in asked if visitor.has_perm(permission))


def panel_html(panel: Panel, ask: Ask, grants: frozenset[str]) -> SafeString:
    """Return a panel's markup. It holds no form, so that it is the same for everybody with the same grants."""
    context = panel.read(ask) | {
        "asked": ask,
        "live": _live_attributes(panel, ask),
        "mode": settings.ENV.mode,
        **{flag: permission in grants for flag, permission in FLAGS.items()},
    }
    return mark_safe(render_to_string(panel.template, context).strip())  # noqa: S308 - a template's output


def panels_html(ask: Ask, grants: frozenset[str]) -> dict[str, SafeString]:
    """Return the markup of all panels of a page by their names, "-" as "_"; those without permission are left out."""
    return {
        panel.name.replace("-", "_"): panel_html(panel, ask, grants)
        for panel in panels_of(ask.view)
        if panel.permission in grants and not panel.is_scattered
    }


def _live_attributes(panel: Panel, ask: Ask) -> SafeString:
    """Return the attributes by which a panel reloads itself when the page is told to refresh."""
    address = f"{reverse('dashboard:panel', args=[panel.name])}?{ask.query}"
    return format_html('hx-get="{}" hx-trigger="refresh from:body" hx-swap="outerHTML"', address)
