"""What is known about a pair and its market beside the chain's own answers: read from rows, never from outside."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from apps.domain.estimate import Estimate
from apps.domain.market import DeployerHistory, Listing, PairFacts
from apps.engine import housekeeping
from apps.engine.opinions import opinions_of
from apps.intelligence.logic import whales
from apps.intelligence.logic.coordination import Concert
from apps.intelligence.services.coordination import concert_read
from apps.intelligence.services.entities import people_read
from apps.intelligence.services.regimes import regime_estimates
from apps.intelligence.services.social import social_estimates
from apps.intelligence.services.stopwatch import Stopwatch
from apps.intelligence.services.whales import crowd_of, whale_estimates
from apps.risk.services.loss import loss_estimates
from apps.state.kept import kept_for
from apps.trading.services.outcomes import own_outcome_estimates


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was found: the estimates that are kept with the analysis, and who acts together, with the evidence."""

    estimates: tuple[Estimate, ...]
    concert: Concert
    stopwatch: Stopwatch  # how long each part took


@kept_for(2.0)
def _own_outcomes() -> tuple[Estimate, ...]:
    return own_outcome_estimates(now_ms=housekeeping.now_ms())


def held(listing: Listing, facts: PairFacts, pair_id: int) -> tuple[Estimate, ...]:
    """Return what may draw in the exits of a pair that is held: its large holders and its market."""
    now_ms = housekeeping.now_ms()
    return (
        *whale_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
        *regime_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
    )


def gathered(
    *, listing: Listing, facts: PairFacts, history: DeployerHistory | None, pair_id: int
) -> Gathered:
    """Return everything that is kept with a pair's analysis beside what its facts say."""
    now_ms, watch = housekeeping.now_ms(), Stopwatch()
    people = watch.time("people", lambda: people_read(listing=listing, facts=facts, pair_id=pair_id))
    social = watch.time(
        "social",
        lambda: social_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
    )
    together = next((item for item in social if item.code == "social_coordination_bps"), None)
    concert = watch.time(
        "concert",
        lambda: concert_read(listing=listing, facts=facts, pair_id=pair_id, social=together, people=people),
    )
    parts: dict[str, Callable[[], tuple[Estimate, ...]]] = {
        "loss": lambda: loss_estimates(listing=listing, facts=facts, history=history),
        "whales": lambda: whales.estimates(crowd_of(listing=listing, facts=facts, people=people)),
        "regimes": lambda: regime_estimates(listing=listing, facts=facts, pair_id=pair_id, now_ms=now_ms),
        "opinions": lambda: opinions_of(listing=listing, facts=facts),
        "outcomes": _own_outcomes,
    }
    found = tuple(item for name, part in parts.items() for item in watch.time(name, part))
    return Gathered(estimates=(*found, *concert.estimates, *social), concert=concert, stopwatch=watch)
