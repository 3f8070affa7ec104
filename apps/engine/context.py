"""What is known about a pair and its market beside the chain's own answers: read from rows, never from outside."""

from __future__ import annotations

from apps.domain.estimate import Estimate
from apps.domain.market import DeployerHistory, Listing, PairFacts
from apps.engine import housekeeping
from apps.engine.opinions import opinions_of
from apps.intelligence.services.regimes import regime_estimates
from apps.intelligence.services.whales import whale_estimates
from apps.risk.services.loss import loss_estimates
from apps.trading.services.outcomes import own_outcome_estimates


def held(listing: Listing, facts: PairFacts, pair_id: int) -> tuple[Estimate, ...]:
    """Return what may draw in the exits of a pair that is held: its large holders and its market."""
    now_ms = housekeeping.now_ms()
    return (
        *whale_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
        *regime_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
    )


def gathered(
    *, listing: Listing, facts: PairFacts, history: DeployerHistory | None, pair_id: int
) -> tuple[Estimate, ...]:
    """Return every estimate that is kept with a pair's analysis beside those of its facts."""
    now_ms = housekeeping.now_ms()
    return (
        *loss_estimates(listing=listing, facts=facts, history=history),
        *whale_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
        *regime_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
        *opinions_of(listing=listing, facts=facts),
        *own_outcome_estimates(now_ms=now_ms),
    )
