"""Second chances: tokens we know already that the market has begun to want. Each is looked at afresh, like a new one.

What a feed shows or a chart says opens a chance, nothing more: analysis, rules, score and limits decide as for any pair.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import Count, Max, Q

from apps.discovery.models import FeedSighting, Pair, PoolSnapshot
from apps.domain.config import Reentries
from apps.domain.events import EventKind
from apps.domain.ids import PairKey, trace_id_of
from apps.state.services.config import active_config
from apps.state.services.events import event_record
from apps.trading.logic.momentum import PoolPoint, momentum
from apps.trading.logic.ranking import UNSEEN
from apps.trading.models import Opportunity, OpportunityStatus, Position

#: A feed is read every few seconds and its trending list every minute or so: what it shows no more is over.
SIGHTING_FRESH = timedelta(seconds=180)
#: The window of our own charts, and how fresh its end must be.
MOMENTUM_WINDOW, MOMENTUM_FRESH = timedelta(minutes=10), timedelta(minutes=1)
CANDIDATES_MAX = 200
_POINTS_MAX = 5_000
OPENED_MAX = 10
#: "order": a person's own advanced order; those chances are none of ours.
MOMENTUM_SOURCE = "momentum"
_CHAIN_WORDS = {"trending": "is trending", "boosted": "is boosted"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Call:
    """Why a pair should be looked at again."""

    pair_id: int
    source: str
    why: str


def reentries_open(*, now: datetime) -> tuple[int, ...]:
    """Open a further chance for known pairs that gain attention; return the new opportunities' ids.

    A pair has one chance at a time, rests in between, and has so many a day. One whose token we hold has none.
    """
    settings = active_config().config.reentries
    if not settings.enabled:
        return ()
    calls = {
        call.pair_id: call for call in (*_rising(settings, now), *_shown(now))
    }  # a feed's word counts first
    if not calls:
        return ()
    opened: list[int] = []
    for pair in _rested(list(calls), settings, now)[:OPENED_MAX]:
        row_id = _open(pair, calls[pair.pk], now)
        if row_id is not None:
            opened.append(row_id)
    return tuple(opened)


def _shown(now: datetime) -> list[_Call]:
    """Return what feeds show as trending or boosted and the chain has confirmed."""
    rows = FeedSighting.objects.filter(
        kind__in=list(_CHAIN_WORDS),
        outcome__in=("known", "registered"),
        last_seen_at__gte=now - SIGHTING_FRESH,
    ).exclude(pair=None)
    values = rows.order_by("-last_seen_at").values_list("pair_id", "source", "kind")[:CANDIDATES_MAX]
    return [
        _Call(pair_id=pair_id, source=source, why=f"{_CHAIN_WORDS[kind]} at {source}")
        for pair_id, source, kind in values
    ]


def _rising(settings: Reentries, now: datetime) -> list[_Call]:
    """Return the pairs whose own recorded reserves rise."""
    rows = PoolSnapshot.objects.filter(at__gte=now - MOMENTUM_WINDOW).order_by("pair_id", "block_number")
    points: dict[int, list[PoolPoint]] = {}
    newest: dict[int, datetime] = {}
    for pair_id, at, base, quote in rows.values_list("pair_id", "at", "base_raw", "quote_raw")[:_POINTS_MAX]:
        points.setdefault(pair_id, []).append(PoolPoint(base_raw=base, quote_raw=quote))
        newest[pair_id] = at
    calls = []
    for pair_id, seen in points.items():
        found = momentum(seen, rise_min_bps=settings.rise_min_bps)
        if found is not None and newest[pair_id] >= now - MOMENTUM_FRESH:
            why = f"rose by {found.rise_bps} bps in {MOMENTUM_WINDOW // timedelta(minutes=1)} minutes"
            calls.append(_Call(pair_id=pair_id, source=MOMENTUM_SOURCE, why=why))
    return calls[:CANDIDATES_MAX]


def _rested(pair_ids: list[int], settings: Reentries, now: datetime) -> list[Pair]:
    """Return of these pairs those that had a chance before, have none now and have rested."""
    day = now - timedelta(days=1)
    pairs = Pair.objects.filter(pk__in=pair_ids, removed_at=None, quarantine_code="").select_related("base")
    counted = pairs.annotate(
        last=Max("opportunities__updated_at"),
        open_chances=Count(
            "opportunities",
            filter=Q(opportunities__status__in=(OpportunityStatus.WAITING, OpportunityStatus.EVALUATING)),
        ),
        set_aside=Count("opportunities", filter=Q(opportunities__status=OpportunityStatus.QUARANTINED)),
        today=Count(
            "opportunities", filter=Q(opportunities__number__gt=1, opportunities__created_at__gte=day)
        ),
    )
    rested = counted.filter(
        last__lte=now - timedelta(seconds=settings.cooldown_s),
        open_chances=0,
        set_aside=0,
        today__lt=settings.per_day_max,
    )
    return [pair for pair in rested if not _is_held(pair) and not _has_entry_under_way(pair)]


def _is_held(pair: Pair) -> bool:
    return Position.objects.filter(pair__base_id=pair.base_id).exclude(status="closed").exists()


def _has_entry_under_way(pair: Pair) -> bool:
    """Tell whether a chance was taken of which no position is there yet."""
    rows = Opportunity.objects.filter(pair_id=pair.pk, status=OpportunityStatus.ENTERED, position=None)
    return rows.exists()


def _open(pair: Pair, call: _Call, now: datetime) -> int | None:
    """Open the pair's next chance; None when another one was opened at the same moment."""
    watch = active_config().config.entry.watch_duration_s
    last = Opportunity.objects.filter(pair_id=pair.pk).aggregate(last=Max("number"))["last"]
    number = (last or 0) + 1
    try:
        with transaction.atomic():
            row = Opportunity.objects.create(
                trace_id=trace_id_of(PairKey(pair.pair_key), number),
                pair_id=pair.pk,
                number=number,
                source=call.source,
                evaluate_after=now,
                priority=UNSEEN,
                give_up_at=now + timedelta(seconds=watch),
                created_at=now,
                updated_at=now,
            )
            event_record(
                kind=EventKind.OPPORTUNITY_FOUND,
                summary=f"Known pair {pair.base.symbol or pair.base.address} {call.why}: it is looked at afresh",
                trace_id=row.trace_id,
                subject=f"pair:{pair.pk}",
                payload={"pair": pair.pair_key, "number": number, "source": call.source, "why": call.why},
            )
            return row.pk
    except IntegrityError:
        return None
