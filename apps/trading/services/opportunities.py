"""Opportunities: a queue of pairs that wait for an evaluation."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from apps.domain.config import TradingConfig
from apps.domain.decision import SkipStage, TradeDecision
from apps.domain.errors import Category, Recovery
from apps.domain.events import EventKind
from apps.domain.market import Listing
from apps.state.services.events import event_record
from apps.state.services.incidents import incident_open, incident_resolve
from apps.trading.logic.ranking import OLDEST_SHARE, UNSEEN
from apps.trading.models import Opportunity, OpportunityStatus
from apps.trading.services.clock import moment_of

#: An evaluation takes well under a second; one that is older has lost its worker.
EVALUATION_STALE_S = 30
#: A waiting opportunity that nobody looked at again by then is too old to be an entry.
GIVE_UP_GRACE_S = 60
#: One that was never looked at waits longer: in a rush each gets its look, and the decision says why it is too late.
UNSEEN_GRACE_S = 600
_BATCH_MAX = 500
_EXPLANATION_LENGTH = 300
_FULL_KEY = "queue/opportunities"


def opportunity_open(*, pair_id: int, listing: Listing, source: str, config: TradingConfig) -> Opportunity:
    """Return the pair's first opportunity, opened now if there was none."""
    now = timezone.now()
    opportunity, created = Opportunity.objects.get_or_create(
        pair_id=pair_id,
        number=1,
        defaults={
            "trace_id": listing.trace_id,
            "source": source,
            "evaluate_after": now,
            "priority": UNSEEN,
            "give_up_at": now + timedelta(seconds=config.entry.watch_duration_s),
            "created_at": now,
            "updated_at": now,
        },
    )
    if created:
        event_record(
            kind=EventKind.OPPORTUNITY_FOUND,
            summary=f"New pair {listing.base.symbol or listing.base.address} seen by {source}",
            trace_id=listing.trace_id,
            subject=f"pair:{pair_id}",
            payload={
                "pair": listing.pair_key,
                "base": listing.base.address,
                "symbol": listing.base.symbol,
                "block": listing.created_block.number,
            },
        )
    return opportunity


def opportunity_claim(*, opportunity_id: int) -> bool:
    """Take a waiting opportunity for evaluation; False when another worker has it or it waits no more."""
    now = timezone.now()
    taken = Opportunity.objects.filter(pk=opportunity_id, status=OpportunityStatus.WAITING).update(
        status=OpportunityStatus.EVALUATING,
        claimed_at=now,
        updated_at=now,
        evaluations=F("evaluations") + 1,
    )
    return taken == 1


def opportunity_release(*, opportunity_id: int, retry_after: datetime) -> bool:
    """Give a claimed opportunity back to the queue, to be looked at again at ``retry_after``."""
    changed = Opportunity.objects.filter(pk=opportunity_id, status=OpportunityStatus.EVALUATING).update(
        status=OpportunityStatus.WAITING,
        evaluate_after=retry_after,
        claimed_at=None,
        updated_at=timezone.now(),
    )
    return changed == 1


def opportunity_quarantine(*, opportunity_id: int, reason: str) -> bool:
    """Set a claimed opportunity aside for a person."""
    changed = Opportunity.objects.filter(pk=opportunity_id, status=OpportunityStatus.EVALUATING).update(
        status=OpportunityStatus.QUARANTINED,
        skip_code="QUARANTINED",
        skip_explanation=reason[:_EXPLANATION_LENGTH],
        updated_at=timezone.now(),
    )
    return changed == 1


def opportunity_settle(*, opportunity_id: int, decision: TradeDecision, priority: int = UNSEEN) -> bool:
    """Write what a decision means for a claimed opportunity; False when it was taken away meanwhile.

    ``priority`` is that of its next look, if there is one.
    """
    now = timezone.now()
    first = decision.reasons[0]
    if decision.action == "enter":
        changes = {
            "status": OpportunityStatus.ENTERED,
            "skip_stage": "",
            "skip_code": "",
            "skip_explanation": "",
        }
    else:
        assert decision.skip_stage is not None
        waits = decision.retry_after_ms is not None
        changes = {
            "status": OpportunityStatus.WAITING if waits else OpportunityStatus.REFUSED,
            "skip_stage": decision.skip_stage.value,
            "skip_code": first.code,
            "skip_explanation": first.explanation[:_EXPLANATION_LENGTH],
        }
    after = now if decision.retry_after_ms is None else moment_of(decision.retry_after_ms)
    changed = Opportunity.objects.filter(pk=opportunity_id, status=OpportunityStatus.EVALUATING).update(
        score_bps=decision.score_bps,
        priority=priority,
        evaluate_after=after,
        claimed_at=None,
        updated_at=now,
        **changes,
    )
    return changed == 1


def opportunity_reopen(
    *, opportunity_id: int, code: str, explanation: str, may_retry: bool, rest_s: int = 0
) -> None:
    """Let an entered opportunity wait again, or end it, after its order came to nothing; ``rest_s`` passes first."""
    now = timezone.now()
    again_at = now + timedelta(seconds=rest_s)
    row = Opportunity.objects.only("give_up_at").get(pk=opportunity_id)
    waits = may_retry and again_at < row.give_up_at
    Opportunity.objects.filter(pk=opportunity_id, status=OpportunityStatus.ENTERED).update(
        status=OpportunityStatus.WAITING if waits else OpportunityStatus.REFUSED,
        evaluate_after=again_at,
        skip_code=code,
        skip_explanation=explanation[:_EXPLANATION_LENGTH],
        updated_at=now,
    )


def opportunities_recover() -> int:
    """Give opportunities whose worker died back to the queue."""
    now = timezone.now()
    return Opportunity.objects.filter(
        status=OpportunityStatus.EVALUATING, claimed_at__lt=now - timedelta(seconds=EVALUATION_STALE_S)
    ).update(status=OpportunityStatus.WAITING, claimed_at=None, evaluate_after=now, updated_at=now)


def opportunities_expire() -> int:
    """End opportunities that nobody could look at in time."""
    now = timezone.now()
    too_late = Q(give_up_at__lt=now - timedelta(seconds=GIVE_UP_GRACE_S), evaluations__gt=0)
    unseen = Q(give_up_at__lt=now - timedelta(seconds=UNSEEN_GRACE_S))
    return Opportunity.objects.filter(too_late | unseen, status=OpportunityStatus.WAITING).update(
        status=OpportunityStatus.EXPIRED, updated_at=now
    )


def opportunities_shed(*, most: int) -> int:
    """Let go of the least promising of more than ``most`` that are due, the longest waiting first; return how many.

    What a person asked for stays. In a rush a queue that only grows would make every look too late.
    """
    now = timezone.now()
    due = Opportunity.objects.filter(
        status=OpportunityStatus.WAITING, evaluate_after__lte=now, advanced=None
    ).exclude(source="manual")
    excess = due.count() - most
    if excess <= 0:
        if excess <= -most // 2:
            incident_resolve(dedup_key=_FULL_KEY, reason="the queue is short again")
        return 0
    least = due.order_by("priority", "evaluate_after", "pk").values_list("pk", flat=True)[:excess]
    with transaction.atomic():
        shed = Opportunity.objects.filter(pk__in=list(least), status=OpportunityStatus.WAITING).update(
            status=OpportunityStatus.REFUSED,
            skip_stage=SkipStage.ENGINE.value,
            skip_code="QUEUE_FULL",
            skip_explanation="More pairs waited than could be looked at, and this was among the least promising.",
            updated_at=now,
        )
        incident_open(
            code="QUEUE_FULL",
            category=Category.SYSTEM,
            recovery=Recovery.SKIP,
            severity="warning",
            title="More new pairs than can be looked at",
            detail=f"{shed} of {most + excess} that waited were let go just now, the least promising first.",
            remedy="Nothing is needed if it was a rush. If it stays: follow fewer chains or exchanges, or use a faster"
            " machine; the limit is entry.queue_max.",
            dedup_key=_FULL_KEY,
        )
    return shed


def opportunities_due(*, limit: int = _BATCH_MAX, by_priority: bool = False) -> tuple[int, ...]:
    """Return the opportunities whose evaluation is due, the longest waiting first.

    ``by_priority``: the best first, and of more than ``limit`` some of the longest waiting all the same.
    """
    rows = Opportunity.objects.filter(status=OpportunityStatus.WAITING, evaluate_after__lte=timezone.now())
    most = min(limit, _BATCH_MAX)
    by_age = rows.order_by("evaluate_after", "pk").values_list("pk", flat=True)
    if not by_priority:
        return tuple(by_age[:most])
    oldest = tuple(by_age[: most // OLDEST_SHARE])
    best = rows.exclude(pk__in=oldest).order_by("-priority", "evaluate_after", "pk")
    chosen = (*oldest, *best.values_list("pk", flat=True)[: most - len(oldest)])
    ranked = rows.filter(pk__in=chosen).order_by("-priority", "evaluate_after", "pk")
    return tuple(ranked.values_list("pk", flat=True))
