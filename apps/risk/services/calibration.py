"""What the probability of loss said of tokens whose end is known by now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from apps.domain.money import BPS_ONE
from apps.intelligence.logic.drift import Resolved
from apps.risk.model.probability import CODE
from apps.risk.models import RefusedToken
from apps.risk.services.loss import UNUSED_CODE

#: Of the newest known ends so many are looked at.
RESOLVED_MAX = 600


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolvedAt:
    """One prediction whose outcome is known, and since when."""

    at: datetime
    resolved: Resolved


def refusals_resolved(*, now: datetime, limit: int = RESOLVED_MAX) -> tuple[ResolvedAt, ...]:
    """Return what was predicted of refused tokens whose time of being followed is over, the newest first.

    One that died early counts when its time is over too: else the dead would be known before the living. The model predicts that a pool is drained. Tokens that turned out to be unsellable are left out: that is another
    question, which simulations answer.
    """
    rows = (
        RefusedToken.objects.filter(status="ended", follow_until__lte=now)
        .exclude(died_by="unsellable")
        .exclude(verdict=None)
        .order_by("-follow_until")
        .values_list("died_at", "follow_until", "verdict__analysis__estimates")[:limit]
    )
    found = []
    for died_at, followed_until, estimates in rows:
        stated = stated_probability(estimates)
        if stated is not None:
            found.append(
                ResolvedAt(at=followed_until, resolved=Resolved(stated, happened=died_at is not None))
            )
    return tuple(found)


def stated_probability(estimates: Iterable[Mapping[str, Any]] | None) -> float | None:
    """Return the probability of loss among stored estimates, believed or not; None when there was none."""
    values = {item["code"]: item["value"] for item in estimates or ()}
    value = values.get(CODE)
    if value is None:
        value = values.get(UNUSED_CODE)
    return None if value is None else float(Decimal(value) / BPS_ONE)
