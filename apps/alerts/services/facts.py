"""Reads what alerts are judged by. Each part stands for itself: one that cannot be read is left unknown, the others go on."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from django.db import DatabaseError
from django.db.models import Count, F, Max, Q, Sum
from django.db.models.functions import TruncHour
from django.utils import timezone

from apps.alerts.logic.rules import (
    EngineFact,
    EquityFact,
    ExecutionFact,
    Facts,
    GasFact,
    Happening,
    IncidentFact,
    SilenceFact,
    VolumeFact,
    WebFact,
)
from apps.alerts.models import AlertCursor
from apps.alerts.transports.http import TellingHttp
from apps.alerts.transports.port import DeliveryFailedError
from apps.chains.selectors import readable_chains
from apps.discovery.models import BlockHash, FeedSighting
from apps.domain.config import Alerts
from apps.domain.engine import EngineStatus
from apps.domain.errors import SniperError
from apps.domain.events import EventKind
from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.money import value_usd_micros
from apps.domain.order import OrderStatus
from apps.intelligence.models import SocialSourceState
from apps.state.models import Event, Heartbeat, Incident
from apps.state.services.engine import engine_view
from apps.trading.logic.ledger import wallet_account
from apps.trading.models import AccountBalance, EquityPoint, FillRecord, JournalEntry, Order
from apps.trading.services.equity import native_price
from apps.wallets.selectors import wallet_views

logger = logging.getLogger(__name__)
_T = TypeVar("_T")

COMPONENT = "alerts"
#: A chain may be silent for so many of its block times.
_BLOCKS_SILENT = 10
#: What has not spoken for a day is not expected to: it was taken away.
_EXPECTED = timedelta(days=1)
_ROWS_MAX = 200
_HAPPENINGS_MAX = 500
_VOLUME_WINDOW = timedelta(days=7)
_HOUR = timedelta(hours=1)
#: A newest point of the equity line that is older tells nothing of now.
_EQUITY_AGE_MAX = timedelta(minutes=2)
_ENDED = (OrderStatus.FILLED.value, OrderStatus.REVERTED.value, OrderStatus.DROPPED.value)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RULES = {
    EventKind.MARKET_REGIME_CHANGE.value: "regime",
    EventKind.WHALE_ACTIVITY_ALERT.value: "whale",
    EventKind.COORDINATION_DETECTED.value: "coordination",
}


def facts_quick(*, after: int, until: int, is_settled: bool) -> Facts:
    """Return what changes at once: engine, incidents, silences, happenings. Before ``is_settled`` nothing is missed yet."""
    now = timezone.now()
    return Facts(
        engine=_or_unknown(_engine),
        incidents=_or_unknown(_incidents),
        sockets=_or_unknown(lambda: _sockets(now)) if is_settled else None,
        happenings=_or_unknown(lambda: _happenings(after, until)),
    )


def facts_slow(*, config: Alerts, is_settled: bool) -> Facts:
    """Return what changes slowly and costs more to read."""
    now = timezone.now()
    return Facts(
        execution=_or_unknown(lambda: _execution(now)),
        equity=_or_unknown(lambda: _equity(now, config.drawdown_window_s)),
        gas=_or_unknown(_gas),
        volume=_or_unknown(lambda: _volume(now)),
        feeds=_or_unknown(lambda: _feeds(now)) if is_settled else None,
    )


def with_web(facts: Facts, *, url: str) -> Facts:
    """Return the facts with how long our web server takes to answer."""
    return replace(facts, web=web_answer(url))


def web_answer(url: str) -> WebFact:
    """Ask our web server whether it lives; any answer is one."""
    http, started = TellingHttp(name="The web server", url=url), time.monotonic()
    try:
        http.ask("GET", "/healthz")
    except DeliveryFailedError:
        return WebFact(answered_ms=None)
    return WebFact(answered_ms=int((time.monotonic() - started) * 1_000))


def _or_unknown(read: Callable[[], _T]) -> _T | None:
    try:
        return read()
    except (DatabaseError, SniperError) as error:
        logger.warning("a fact was not read", extra={"error": type(error).__name__})
        return None


# -- happenings ---------------------------------------------------------------------------
def log_end() -> int:
    """Return the position of the newest numbered line of the event log."""
    return Event.objects.aggregate(last=Max("position"))["last"] or 0


def cursor() -> int:
    """Return up to where the log was read; at the first look its present end: history is no news."""
    row, _ = AlertCursor.objects.get_or_create(pk=1, defaults={"position": log_end()})
    return row.position


def cursor_advance(position: int) -> None:
    """Keep up to where the log was read."""
    AlertCursor.objects.filter(pk=1, position__lt=position).update(position=position)


def read_until(found: tuple[Happening, ...] | None, *, after: int, until: int) -> int:
    """Return up to where the log is done with: with more lines than are read at once, the rest comes next."""
    if found is None:
        return after
    return until if len(found) < _HAPPENINGS_MAX else found[-1].position


def _happenings(after: int, until: int) -> tuple[Happening, ...]:
    rows = Event.objects.filter(kind__in=list(_RULES), position__gt=after, position__lte=until)
    return tuple(
        Happening(
            rule=_RULES[row.kind],  # type: ignore[arg-type]
            position=row.position or 0,
            summary=row.summary,
            subject=row.subject,
            trace_id=row.trace_id,
            at_ms=(row.at - _EPOCH) // timedelta(milliseconds=1),
        )
        for row in rows.order_by("position")[:_HAPPENINGS_MAX]
    )


# -- quick --------------------------------------------------------------------------------
def _engine() -> EngineFact:
    view = engine_view()
    return EngineFact(
        is_stopped=view.status is EngineStatus.EMERGENCY_STOPPED,
        is_closing=view.status is EngineStatus.CLOSING,
        reason=view.reason,
        by=view.changed_by,
        epoch=view.epoch,
    )


def _incidents() -> tuple[IncidentFact, ...]:
    rows = Incident.objects.filter(resolved_at=None, severity="critical").order_by("-last_at")[:_ROWS_MAX]
    return tuple(
        IncidentFact(
            number=row.pk,
            key=row.dedup_key,
            code=row.code,
            title=row.title,
            detail=row.detail,
            remedy=row.remedy,
            trace_id=row.trace_id,
        )
        for row in rows
    )


def _sockets(now: datetime) -> tuple[SilenceFact, ...]:
    newest = dict(BlockHash.objects.order_by().values_list("chain_key").annotate(at=Max("at")))
    chains = [
        SilenceFact(
            name=chain.key,
            words=f"No new block of {chain.name} was seen",
            silent_s=_seconds(now - newest[chain.key]),
            allowed_s=chain.block_time_ms * _BLOCKS_SILENT // 1_000,
        )
        for chain in readable_chains()
        if chain.key in newest
    ]
    beats = Heartbeat.objects.filter(beat_at__gt=now - _EXPECTED).exclude(component=COMPONENT)
    components = [
        SilenceFact(
            name=beat.component,
            words=f"{beat.component} gave no sign of life",
            silent_s=_seconds(now - beat.beat_at),
            allowed_s=beat.stale_after_s,
        )
        for beat in beats.order_by("component")[:_ROWS_MAX]
    ]
    return (*chains, *components)


# -- slow ---------------------------------------------------------------------------------
def _feeds(now: datetime) -> tuple[SilenceFact, ...]:
    seen = FeedSighting.objects.filter(last_seen_at__gt=now - _EXPECTED).order_by().values_list("source")
    feeds = [
        SilenceFact(name=source, words=f"{source} brought nothing", silent_s=_seconds(now - at))
        for source, at in seen.annotate(at=Max("last_seen_at"))
    ]
    lost = SocialSourceState.objects.filter(state__in=("down", "blocked"))
    social = [
        SilenceFact(
            name=row.source, words=f"{row.source} could not be read", silent_s=_seconds(now - row.since)
        )
        for row in lost
    ]
    return (*feeds, *social)


def _execution(now: datetime) -> ExecutionFact:
    rows = Order.objects.filter(status__in=_ENDED, status_at__gte=now - _HOUR)
    found = rows.aggregate(ended=Count("pk"), filled=Count("pk", filter=Q(status=OrderStatus.FILLED.value)))
    return ExecutionFact(ended=found["ended"], filled=found["filled"])


def _equity(now: datetime, window_s: int) -> EquityFact | None:
    """Return the height since money was last put in or taken out, and the newest worth; None while that is unknown."""
    moved = JournalEntry.objects.filter(kind__in=("deposit", "withdrawal")).aggregate(last=Max("at"))["last"]
    since = now - timedelta(seconds=window_s)
    points = EquityPoint.objects.filter(at__gte=max(since, moved or since), unpriced_positions=0)
    newest = points.order_by("-at").first()
    if newest is None or now - newest.at > _EQUITY_AGE_MAX:
        return None
    worth = F("cash_usd_micros") + F("positions_usd_micros")
    return EquityFact(
        high_usd_micros=points.aggregate(high=Max(worth))["high"],
        now_usd_micros=newest.cash_usd_micros + newest.positions_usd_micros,
    )


def _gas() -> tuple[GasFact, ...]:
    """Return the coins of each wallet that enters or still holds something, on each chain where it has a book."""
    wallets = {
        wallet_account(view.key): view for view in wallet_views() if view.enabled and not view.is_locked
    }
    found = []
    for chain in readable_chains():
        price = native_price(chain.key)
        rows = AccountBalance.objects.filter(chain_key=chain.key, account__in=list(wallets))
        holds = set(
            rows.exclude(token_address=NATIVE_ADDRESS)
            .exclude(balance_raw=0)
            .values_list("account", flat=True)
        )
        for row in rows.filter(token_address=NATIVE_ADDRESS).order_by("account")[:_ROWS_MAX]:
            view = wallets[row.account]
            if not (view.may_enter or row.account in holds):
                continue
            raw = 0 if row.is_negative else row.balance_raw
            worth = (
                None
                if price is None
                else value_usd_micros(raw, decimals=chain.native_decimals, price_usd_micros=price)
            )
            found.append(
                GasFact(
                    chain_key=chain.key,
                    chain=chain.name,
                    wallet_key=view.key,
                    symbol=chain.native_symbol,
                    worth_usd_micros=worth,
                )
            )
    return tuple(found)


def _volume(now: datetime) -> VolumeFact:
    fills = FillRecord.objects.filter(reversed_at=None, order__value_usd_micros__isnull=False)
    fills = fills.order_by().filter(booked_at__gte=now - _VOLUME_WINDOW)
    hour = fills.filter(booked_at__gte=now - _HOUR).aggregate(sum=Sum("order__value_usd_micros"))["sum"]
    earlier = fills.filter(booked_at__lt=now - _HOUR).annotate(hour=TruncHour("booked_at"))
    sums = earlier.values("hour").annotate(sum=Sum("order__value_usd_micros")).values_list("sum", flat=True)
    return VolumeFact(hour_usd_micros=int(hour or 0), earlier_usd_micros=tuple(int(item) for item in sums))


def _seconds(passed: timedelta) -> int:
    return max(int(passed.total_seconds()), 0)
