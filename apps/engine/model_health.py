"""Compares what the model said with what happened, beside the road; a model without skill is given up for rules."""

from __future__ import annotations

from datetime import datetime, timedelta

from celery import shared_task
from django.utils import timezone

from apps.domain.errors import Category, Recovery
from apps.domain.money import BPS_ONE
from apps.engine.road import guarded
from apps.intelligence.logic.drift import Health, Resolved, health_of
from apps.intelligence.services.model_health import model_health, model_health_store
from apps.risk.model.probability import CODE
from apps.risk.services.calibration import RESOLVED_MAX, ResolvedAt, refusals_resolved, stated_probability
from apps.state.services.incidents import incident_open, incident_resolve
from apps.trading.models import DecisionRecord

#: A position that brought back less than this share of its cost was lost, as the model means it.
LOST_BELOW_BPS = 2_000
#: Positions younger than this do not count yet, however they ended: else quick ends would be known before slow ones.
HELD_SINCE = timedelta(days=1)
_DISTRUST, _DRIFT = f"model/{CODE}", f"model-drift/{CODE}"


@shared_task(name="engine.model_health")
def check() -> None:
    """Judge the probability of loss by what became of the tokens; repeatable at will."""
    with guarded("model_health"):
        loss_model_check(now=timezone.now())


def loss_model_check(*, now: datetime) -> Health:
    """Judge the model, keep the result, and tell when it is given up, believed again, or its errors rise."""
    before = model_health(name=CODE)
    health = health_of(resolved(now=now), was_trusted=before is None or before.is_trusted)
    model_health_store(name=CODE, health=health, now=now)
    if health.is_trusted:
        incident_resolve(dedup_key=_DISTRUST)
    else:
        incident_open(
            code="MODEL_WITHOUT_SKILL",
            category=Category.DATA,
            recovery=Recovery.SKIP,
            severity="warning",
            title="The probability of loss is not believed any more",
            detail=f"It was given up: {health.reason}.",
            remedy="Rules decide without it. It is watched on, and believed again once it proves true; you may fit it"
            " anew with 'manage.py train risk'.",
            dedup_key=_DISTRUST,
        )
    if health.has_drifted:
        incident_open(
            code="MODEL_DRIFT",
            category=Category.DATA,
            recovery=Recovery.SKIP,
            severity="info",
            title="The probability of loss errs more than it did",
            detail=f"Its errors rose against their own past, over {health.resolved} tokens with a known end.",
            remedy="It stays in use while it has skill. Look at the Intelligence page.",
            dedup_key=_DRIFT,
        )
    else:
        incident_resolve(dedup_key=_DRIFT)
    return health


def resolved(*, now: datetime) -> tuple[Resolved, ...]:
    """Return predictions with a known outcome, of refused tokens and of our own positions, oldest first."""
    rows = [*refusals_resolved(now=now), *_positions(now)]
    rows.sort(key=lambda row: row.at)
    return tuple(row.resolved for row in rows[-RESOLVED_MAX:])


def _positions(now: datetime) -> list[ResolvedAt]:
    rows = (
        DecisionRecord.objects.filter(
            action="enter",
            opportunity__position__status__in=("closed", "stuck"),
            opportunity__position__opened_at__lte=now - HELD_SINCE,
        )
        .exclude(analysis=None)
        .order_by("-opportunity__position__opened_at")
        .values_list(
            "opportunity__position__opened_at",
            "opportunity__position__cost_raw",
            "opportunity__position__proceeds_raw",
            "analysis__estimates",
        )[:RESOLVED_MAX]
    )
    found = []
    for opened_at, cost_raw, proceeds_raw, estimates in rows:
        stated = stated_probability(estimates)
        if stated is not None and cost_raw:
            lost = proceeds_raw * BPS_ONE < cost_raw * LOST_BELOW_BPS
            found.append(ResolvedAt(at=opened_at + HELD_SINCE, resolved=Resolved(stated, happened=lost)))
    return found
