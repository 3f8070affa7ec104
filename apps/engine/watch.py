"""Which pools are followed block by block."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Q
from django.utils import timezone

from apps.discovery.models import Pair
from apps.trading.models import OpportunityStatus

#: A new pool is followed for so long whatever was decided about it, so that a refusal can be judged by what came after.
_FOLLOWED_AFTER_REGISTRATION = timedelta(minutes=15)
_POOLS_MAX = 400


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
