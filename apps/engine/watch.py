"""Which pairs are looked after: followed block by block, or forgotten half way."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from apps.discovery.models import Pair
from apps.trading.models import OpportunityStatus

#: A new pool is followed for so long whatever was decided about it, so that a refusal can be judged by what came after.
_FOLLOWED_AFTER_REGISTRATION = timedelta(minutes=15)
_POOLS_MAX = 400
#: Pair and opportunity are committed one after the other; a process may die in between, or be just there.
_FORGOTTEN_AFTER = timedelta(seconds=2)
_FORGOTTEN_AMONG_NEWEST = 500


def pairs_to_follow(chain_key: str) -> list[Pair]:
    """Return the pairs whose swaps are read: those with an open position first, then waiting, then the newest."""
    rows = Pair.objects.filter(
        chain_key=chain_key, removed_at=None, base__decimals__isnull=False
    ).select_related("base", "quote")
    held = list(rows.filter(positions__status__in=("open", "stuck")).distinct()[:_POOLS_MAX])
    recent = rows.filter(
        Q(registered_at__gt=timezone.now() - _FOLLOWED_AFTER_REGISTRATION)
        | Q(opportunities__status=OpportunityStatus.WAITING)
    ).exclude(pk__in=[pair.pk for pair in held])
    return held + list(recent.distinct().order_by("-id")[: _POOLS_MAX - len(held)])


def pairs_forgotten() -> list[Pair]:
    """Return the pairs among the newest that nobody opened an opportunity for: their process died after registering."""
    newest = Pair.objects.order_by("-id").values_list("pk", flat=True)[:_FORGOTTEN_AMONG_NEWEST]
    rows = Pair.objects.filter(
        pk__in=list(newest),
        opportunities=None,
        quarantine_code="",
        removed_at=None,
        registered_at__lt=timezone.now() - _FORGOTTEN_AFTER,
    )
    return list(rows.select_related("base", "quote").order_by("id"))
