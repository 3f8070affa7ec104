"""Trip, extend and arm circuit breakers. Entries ask for them where the budget is reserved; exits never do."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from apps.domain.config import Breakers, Effect, TradingConfig
from apps.domain.errors import Category, Recovery
from apps.domain.events import EventKind
from apps.domain.money import BPS_ONE, usd_to_micros
from apps.risk.logic.breakers import PRESENT, Breach, BreakerFacts, breaches
from apps.risk.models import Breaker, FeeSample
from apps.state.services.events import cut, event_record
from apps.state.services.incidents import incident_open, incident_resolve

_TEXT_LENGTH = 300
FEE_SAMPLE_EVERY = timedelta(minutes=1)
FEE_SAMPLES_KEPT = timedelta(hours=24)
FEE_SAMPLES_MAX = 1_500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerView:
    """A tripped breaker. ``left_s`` is how long it still rests, if its cause is gone."""

    name: str
    chain_key: str
    effect: Effect
    explanation: str
    detail: str
    tripped_at: datetime
    left_s: int
    trips: int


def breakers_evaluate(*, facts: BreakerFacts, config: TradingConfig, now: datetime) -> tuple[Breach, ...]:
    """Arm what has rested, trip what must trip, and return the breakers that tripped now. Repeatable by many at once."""
    _arm_rested(now, config.breakers)
    found = breaches(
        facts,
        config.breakers,
        daily_loss_max_usd_micros=usd_to_micros(config.limits.daily_loss_max_usd),
        counted_from_ms={
            (row.name, row.chain_key): (row.counted_from - _EPOCH) // _MILLISECOND
            for row in Breaker.objects.all()
        },
    )
    until = now + timedelta(seconds=config.breakers.cooldown_s)
    tripped = tuple(item for item in found if _trip(item, now=now, until=until))
    for item in found:
        if item.name in PRESENT and item not in tripped:  # its cause still stands: the rest begins anew
            _rows(item.name, item.chain_key).filter(until__gt=now).update(until=until)
    return tripped


def breaker_reset(*, name: str, chain_key: str = "", by: str, reason: str = "") -> bool:
    """Arm a tripped breaker before its time; return False when it is not tripped.

    What it counted counts no more. One whose cause still stands (gas, endpoints) trips again at the next look.
    """
    return _arm(_rows(name, chain_key).exclude(until=None).first(), now=timezone.now(), by=by, reason=reason)


def breakers_in_force(*, chain_key: str = "", now: datetime | None = None) -> tuple[BreakerView, ...]:
    """Return the tripped breakers, those of this chain and of all; "": every one."""
    moment = now or timezone.now()
    rows = Breaker.objects.filter(until__gt=moment)
    if chain_key:
        rows = rows.filter(chain_key__in=("", chain_key))
    return tuple(_view(row, moment) for row in rows)


def shrink_in_force(*, chain_key: str, config: Breakers) -> tuple[int, tuple[str, ...]]:
    """Return what is left of sizes and limits on a chain, in bps, and the breakers that shrink them."""
    names = tuple(
        item.name for item in breakers_in_force(chain_key=chain_key) if item.effect is Effect.SHRINK
    )
    return (config.shrink_bps if names else BPS_ONE), names


def fee_samples(*, chain_key: str, base_fee_wei: int, now: datetime) -> tuple[int, ...]:
    """Keep a chain's base fee, one a minute, and return those of the last day."""
    rows = FeeSample.objects.filter(chain_key=chain_key)
    newest = rows.order_by("-at").values_list("at", flat=True).first()
    if newest is None or newest <= now - FEE_SAMPLE_EVERY:
        FeeSample.objects.create(chain_key=chain_key, at=now, base_fee_wei=base_fee_wei)
        rows.filter(at__lt=now - FEE_SAMPLES_KEPT).delete()
    return tuple(rows.order_by("-at").values_list("base_fee_wei", flat=True)[:FEE_SAMPLES_MAX])


# -- rows ---------------------------------------------------------------------------------
def _rows(name: str, chain_key: str) -> QuerySet[Breaker]:
    return Breaker.objects.filter(name=name, chain_key=chain_key)


def _trip(breach: Breach, *, now: datetime, until: datetime) -> bool:
    with transaction.atomic():
        row, _ = Breaker.objects.get_or_create(
            name=breach.name, chain_key=breach.chain_key, defaults={"counted_from": _EPOCH}
        )
        changed = Breaker.objects.filter(Q(until=None) | Q(until__lte=now), pk=row.pk).update(
            effect=breach.effect.word,
            until=until,
            tripped_at=now,
            explanation=cut(breach.explanation, _TEXT_LENGTH),
            detail=cut(breach.detail, _TEXT_LENGTH),
            trips=F("trips") + 1,
        )
        if not changed:
            return False
        effect = "No entries are made" if breach.effect is Effect.PAUSE else "Sizes and limits are cut down"
        incident_open(
            code=f"BREAKER_{breach.name.upper()}",
            category=Category.TRADING,
            recovery=Recovery.PAUSE,
            severity="warning",
            title=breach.explanation,
            detail=f"{effect} until {until:%Y-%m-%d %H:%M:%S} UTC; exits go on. {breach.detail}",
            remedy="It is armed again by itself after its rest. Earlier: 'manage.py breakers reset"
            f" {breach.name}'. Its limit stands in the configuration under Breakers.",
            dedup_key=_incident_key(breach.name, breach.chain_key),
            context={"breaker": breach.name, "chain": breach.chain_key},
        )
        event_record(
            kind=EventKind.RISK_ALERT,
            summary=f"Breaker {breach.name}: {breach.explanation} {effect}.",
            subject=f"breaker:{breach.name}",
            payload={"chain": breach.chain_key, "effect": breach.effect.word, "detail": breach.detail},
        )
    return True


def _arm_rested(now: datetime, config: Breakers) -> None:
    """Arm what has rested, and what was switched off meanwhile."""
    for row in Breaker.objects.exclude(until=None):
        is_off = getattr(config, row.name, Effect.OFF) is Effect.OFF
        if is_off or (row.until is not None and row.until <= now):
            _arm(row, now=now, by="engine")


def _arm(row: Breaker | None, *, now: datetime, by: str, reason: str = "") -> bool:
    if row is None:
        return False
    with transaction.atomic():
        if not Breaker.objects.filter(pk=row.pk, until=row.until).update(until=None, counted_from=now):
            return False  # tripped or armed anew meanwhile
        incident_resolve(dedup_key=_incident_key(row.name, row.chain_key), by=by)
        event_record(
            kind=EventKind.RISK_ALERT,
            summary=f"Breaker {row.name} is armed again" + (f": {reason}" if reason else ""),
            actor=by,
            subject=f"breaker:{row.name}",
            payload={"chain": row.chain_key, "effect": "armed", "reason": reason},
        )
    return True


def _incident_key(name: str, chain_key: str) -> str:
    return f"breaker/{name}/{chain_key}" if chain_key else f"breaker/{name}"


def _view(row: Breaker, now: datetime) -> BreakerView:
    assert row.until is not None
    return BreakerView(
        name=row.name,
        chain_key=row.chain_key,
        effect=Effect[row.effect.upper()],
        explanation=row.explanation,
        detail=row.detail,
        tripped_at=row.tripped_at or now,
        left_s=max(int((row.until - now).total_seconds()), 0),
        trips=row.trips,
    )
