"""The probability of loss of a live pair, by the shipped parameters."""

from __future__ import annotations

from apps.chains.selectors import locker_addresses
from apps.domain.estimate import Estimate
from apps.domain.market import DeployerHistory, Listing, PairFacts
from apps.risk.model.artefact import shipped_model
from apps.risk.model.features import features
from apps.risk.model.live import pool_history, token_figures
from apps.risk.model.probability import probability


def loss_estimate(*, listing: Listing, facts: PairFacts, history: DeployerHistory | None) -> Estimate:
    """Return ``loss_probability`` as of the facts' block. Raises ConfigurationError when the parameters are gone."""
    path, holdings = shipped_model("path"), shipped_model("holdings")
    lockers = frozenset(address.lower() for address in locker_addresses(listing.base.chain_key))
    launch = pool_history(listing=listing, facts=facts, history=history, lockers=lockers)
    return probability(
        ((path, features(launch)), (holdings, token_figures(facts=facts, history=history))),
        base_rate=path.base_rate,
        as_of_ms=facts.block.at_ms,
    )
