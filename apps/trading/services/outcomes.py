"""How our own entries ended lately, as estimates: what the edge of the next one rests on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.risk.logic.edge import ENDED_MAX, outcome_estimates
from apps.state.services.config import active_config
from apps.trading.models import Position

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def own_outcome_estimates(*, now_ms: int) -> tuple[Estimate, ...]:
    """Return the figures of the positions that ended within the configured window; two queries and the configuration.

    A stuck position is lost whole, from its last try on. One without a known price is left out.
    """
    now = _EPOCH + timedelta(milliseconds=now_ms)
    since = now - timedelta(seconds=active_config().config.influence.edge_window_s)
    closed = Position.objects.filter(
        status="closed", closed_at__gte=since, closed_at__lte=now, cost_usd_micros__gt=0
    )
    rows = (
        closed.exclude(realised_usd_micros=None)
        .order_by("-closed_at")
        .values_list("realised_usd_micros", "cost_usd_micros")[:ENDED_MAX]
    )
    results = [max(realised * BPS_ONE // cost, -BPS_ONE) for realised, cost in rows if realised is not None]
    stuck = Position.objects.filter(status="stuck", opened_at__gte=since, opened_at__lte=now).count()
    return outcome_estimates([*results, *[-BPS_ONE] * min(stuck, ENDED_MAX)], as_of_ms=now_ms)
