"""The engine: its state, activities, queue, figures and configuration; start, stop, kill, resume."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from ninja import Query, Router

from apps.api.authentication import Caller, caller_of
from apps.api.operations import acts, reads
from apps.api.paging import LIMIT_DEFAULT, Cursor, Limit, page_of
from apps.api.schemas import autotrade as s
from apps.api.schemas.base import Page, at_ms, plain, usd, usd_of
from apps.api.schemas.trading import OpportunityOut
from apps.api.scopes import scope_of, scopes_permit
from apps.api.shapes import opportunities_out
from apps.discovery.heads import ChainHead, chain_heads
from apps.domain.config import TradingConfig
from apps.domain.engine import EngineStatus, EngineView
from apps.domain.errors import ConfigurationError, PlatformError, SniperError
from apps.domain.events import EventKind
from apps.domain.order import FINAL_STATUSES
from apps.state import permissions as p
from apps.state.kept import kept_for
from apps.state.logic.config_faults import config_diff
from apps.state.models import Event, Incident
from apps.state.services.config import active_config, config_change
from apps.state.services.engine import (
    engine_pause,
    engine_resume,
    engine_start,
    engine_stop,
    engine_view,
    killswitch_pull,
)
from apps.state.services.heartbeats import stale_components
from apps.trading.models import Opportunity, Order, Position
from apps.trading.reading.figures import counters_since
from apps.trading.reading.opportunities import OPEN
from apps.trading.services.trade_clock import spreads_of, trades_clocked

router = Router(tags=["autotrade"])
HOURS_MAX = 24 * 31
KEPT_S = 2
_BY_DEFAULT = "by the API"
_KILL = s.KillBody()  # what is meant without a body


# -- state --------------------------------------------------------------------------------
@reads(router, "/status", permission=p.LOOK, answers=s.EngineStatusOut)
def autotrade_status(request: HttpRequest) -> s.EngineStatusOut:
    """Tell how the engine stands, what ails it, and which chains are followed."""
    return _status(engine_view())


def _status(view: EngineView) -> s.EngineStatusOut:
    silent = [f"{item.component} silent for {item.silent_s} s" for item in stale_components()]
    now_ms = int(timezone.now().timestamp() * 1000)
    try:
        revision: int | None = active_config().revision
    except SniperError:
        revision = None
    return s.EngineStatusOut(
        mode=view.mode,
        is_simulated=view.mode != "live",
        status=view.status.value,
        epoch=view.epoch,
        may_enter=view.may_enter,
        may_exit=view.may_exit,
        reason=view.reason,
        changed_by=view.changed_by,
        changed_at=at_ms(view.changed_at_ms),
        degraded=[*view.degraded, *silent],
        chains=[_chain(head, now_ms) for head in chain_heads()],
        positions_open=Position.objects.exclude(status="closed").count(),
        incidents_open=Incident.objects.filter(resolved_at=None).count(),
        config_revision=revision,
    )


def _chain(head: ChainHead, now_ms: int) -> s.ChainStatus:
    return s.ChainStatus(
        chain_key=head.key,
        name=head.name,
        head_at=None if head.head_at_ms is None else at_ms(head.head_at_ms),
        is_stale=head.head_at_ms is None or now_ms - head.head_at_ms > head.stale_after_ms,
        reason=head.reason,
    )


@reads(router, "/activities", permission=p.LOOK, answers=Page[s.ActivityOut])
def autotrade_activities(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    kind: Annotated[EventKind | None, Query(description="Only this kind.")] = None,
    subject: Annotated[str, Query(max_length=120, description='E.g. "order:7".')] = "",
    trace_id: Annotated[str, Query(max_length=32)] = "",
    since: Annotated[datetime | None, Query(description="From this moment on.")] = None,
    until: Annotated[datetime | None, Query(description="Before this moment.")] = None,
) -> Page[s.ActivityOut]:
    """List what happened, newest first: the event log. Whoever is signed in and may read the audit trail sees log-ins and
    keys too; no token does."""
    rows: QuerySet[Event] = Event.objects.all()
    if not caller_of(request).has_perm(p.AUDIT):  # which no scope holds
        rows = rows.exclude(kind__in=_AUDIT_ALONE)
    if kind is not None:
        rows = rows.filter(kind=kind.value)
    for name, value in (("subject", subject), ("trace_id", trace_id)):
        if value:
            rows = rows.filter(**{name: value})
    if since is not None:
        rows = rows.filter(at__gte=_aware(since))
    if until is not None:
        rows = rows.filter(at__lt=_aware(until))
    return page_of(rows, limit=limit, cursor=cursor, make=lambda found: map(_activity, found))


#: People's names and addresses, and the use of keys: for who may read the audit trail.
_AUDIT_ALONE = [
    kind.value
    for kind in (EventKind.LOGIN, EventKind.ACCESS_CHANGED, EventKind.KEY_USED, EventKind.KEY_SIGNED)
]


def _aware(moment: datetime) -> datetime:
    return timezone.make_aware(moment) if timezone.is_naive(moment) else moment


def _activity(row: Event) -> s.ActivityOut:
    return s.ActivityOut(
        id=row.pk,
        position=row.position,
        kind=row.kind,
        at=row.at,
        actor=row.actor,
        subject=row.subject,
        summary=row.summary,
        trace_id=row.trace_id,
        payload=plain(row.payload),
        hash=row.hash,
    )


@reads(router, "/queue", permission=p.LOOK, answers=Page[OpportunityOut])
def autotrade_queue(
    request: HttpRequest,
    limit: Limit = LIMIT_DEFAULT,
    cursor: Cursor = "",
    chain_key: Annotated[str, Query(max_length=60)] = "",
) -> Page[OpportunityOut]:
    """List the opportunities that wait for their evaluation or are being evaluated."""
    rows = Opportunity.objects.filter(status__in=OPEN).select_related("pair__base", "pair__quote")
    if chain_key:
        rows = rows.filter(pair__chain_key=chain_key)
    return page_of(rows, limit=limit, cursor=cursor, make=opportunities_out)


@reads(router, "/metrics", permission=p.LOOK, answers=s.MetricsOut)
def autotrade_metrics(
    request: HttpRequest,
    hours: Annotated[int, Query(ge=1, le=HOURS_MAX, description="Over the last so many hours.")] = 24,
) -> s.MetricsOut:
    """Tell how trading stands: worth, results, exposure, queue, and how fast our trades went."""
    since = timezone.now() - timedelta(hours=hours)
    found = counters_since(since)
    return s.MetricsOut(
        since=since,
        equity_usd=usd(found.equity_usd_micros),
        cash_usd=usd(found.cash_usd_micros),
        equity_change_bps=found.equity_change_bps,
        drawdown_bps=found.drawdown_bps,
        unpriced_positions=found.unpriced_positions,
        realised_today_usd=usd_of(found.realised_today_usd_micros),
        unrealised_usd=usd(found.unrealised_usd_micros),
        daily_loss_max_usd=usd(found.loss_max_usd_micros),
        exposure_usd=usd_of(found.exposure_usd_micros),
        exposure_max_usd=usd(found.exposure_max_usd_micros),
        positions_open=found.positions_open,
        positions_max=found.positions_max,
        positions_closed=found.closed,
        positions_won=found.won,
        pairs_seen=found.seen,
        pairs_bought=found.bought,
        queue_waiting=Opportunity.objects.filter(status__in=OPEN).count(),
        orders_on_their_way=Order.objects.exclude(
            status__in=[status.value for status in FINAL_STATUSES]
        ).count(),
        reaction_ms_median=found.reaction_ms,
        stages=_stages(),
    )


@kept_for(KEPT_S)
def _stages() -> list[s.StageOut]:
    """Return how fast our newest trades went: hundreds of them are looked into, so it is up to two seconds old."""
    return [
        s.StageOut(name=name, trades=item.count, p50_ms=item.p50, p95_ms=item.p95, p99_ms=item.p99)
        for name, item in spreads_of(trades_clocked(now=timezone.now())).items()
        if item is not None
    ]


# -- start, stop, kill, resume ------------------------------------------------------------
@acts(router, "/start", permission=p.OPERATE, answers=s.EngineStatusOut)
def autotrade_start(
    request: HttpRequest,
    body: s.StartBody,
    mode: Annotated[
        Literal["standard", "sell_only"],
        Query(description="standard: entries and exits; sell_only: exits go on, nothing is bought."),
    ] = "standard",
) -> s.EngineStatusOut:
    """Start the engine. After the kill switch only resume does."""
    start = engine_start if mode == "standard" else engine_pause
    return _status(start(by=caller_of(request).get_username(), reason=body.reason or _BY_DEFAULT))


@acts(router, "/stop", permission=p.OPERATE, answers=s.EngineStatusOut)
def autotrade_stop(request: HttpRequest, body: s.StartBody) -> s.EngineStatusOut:
    """Stop the engine: it neither enters nor exits, and goes on looking."""
    return _status(engine_stop(by=caller_of(request).get_username(), reason=body.reason or _BY_DEFAULT))


@acts(router, "/killswitch/pull", permission=p.KILL, answers=s.KillOut, is_urgent=True)
def killswitch_pull_now(request: HttpRequest, body: s.KillBody = _KILL) -> s.KillOut:
    """Pull the kill switch: nothing is signed or sent any more. No rate limit holds it back, it needs neither body nor
    idempotency key, pulls each time it is asked, and waits for no lock of the database. "close" needs what trading needs
    (a token: the scope trade); without it everything stops and the positions are left, which the answer says."""
    caller = caller_of(request)
    refusal = _close_refusal(caller) if body.positions == "close" else ""
    closes = body.positions == "close" and not refusal
    report = killswitch_pull(
        by=caller.get_username(), reason=body.reason or f"pulled {_BY_DEFAULT}", close_positions=closes
    )
    if not report.is_effective:
        raise PlatformError(
            "The kill switch is pulled, but a transaction may still be on its way out.",
            remedy="Watch the orders; run `manage.py killswitch pull` on the machine to try again.",
        )
    return s.KillOut(
        epoch=report.epoch,
        duration_ms=report.duration_ms,
        latch_written=report.latch_written,
        database_written=report.database_written,
        drained=report.drained,
        positions="close" if closes else "leave",
        positions_reason=refusal,
    )


def _close_refusal(caller: Caller) -> str:
    if caller.token is not None and not scopes_permit(caller.token.scopes, p.TRADE):
        return f"selling needs the scope {scope_of(p.TRADE)}, which this token does not have"
    return p.close_refusal(caller.user)


@acts(router, "/killswitch/resume", permission=p.RESUME, answers=s.EngineStatusOut)
def killswitch_resume(request: HttpRequest, body: s.ResumeBody) -> s.EngineStatusOut:
    """Lift the kill switch, for a reason: what was found and mended."""
    by = caller_of(request).get_username()
    return _status(engine_resume(by=by, reason=body.reason, to=EngineStatus(body.to)))


# -- configuration ------------------------------------------------------------------------
@reads(router, "/config", permission=p.LOOK_CONFIGURATION, answers=s.ConfigOut)
def autotrade_config(request: HttpRequest) -> s.ConfigOut:
    """Return the active trading configuration."""
    active = active_config()
    return s.ConfigOut(revision=active.revision, config=plain(active.config.model_dump(mode="json")))


@reads(router, "/config/schema", permission=p.LOOK_CONFIGURATION, answers=dict[str, Any])
def autotrade_config_schema(request: HttpRequest) -> dict[str, Any]:
    """Return the configuration's JSON schema: every field with bounds, unit and help."""
    return TradingConfig.model_json_schema()


@acts(router, "/config", permission=p.CHANGE_CONFIGURATION, answers=s.ConfigChangedOut)
def autotrade_config_change(request: HttpRequest, body: s.ConfigBody) -> s.ConfigChangedOut:
    """Change the trading configuration for a reason; the same checks and the same history as on the page."""
    before = active_config()
    if before.revision != body.revision:
        raise ConfigurationError(
            f"Revision {before.revision} was saved by somebody else; you have seen revision {body.revision}.",
            remedy="Read it and make your change anew; nothing was saved.",
        )
    by = caller_of(request).get_username()
    revision = config_change(payload=dict(body.changes), by=by, reason=body.reason)
    diff = config_diff(before.config.model_dump(mode="json"), active_config().config.model_dump(mode="json"))
    return s.ConfigChangedOut(
        revision=revision,
        changes=[
            s.ChangeOut(path=path, before=plain(old), after=plain(new)) for path, (old, new) in diff.items()
        ],
    )
