"""The probability of loss of a live pair, by the shipped parameters, as long as they prove true."""

from __future__ import annotations

from dataclasses import replace

from apps.chains.selectors import locker_addresses
from apps.domain.estimate import Estimate, unknown
from apps.domain.market import DeployerHistory, Listing, PairFacts
from apps.intelligence.services.model_health import model_distrust
from apps.risk.model.artefact import shipped_model
from apps.risk.model.features import features
from apps.risk.model.live import pool_history, token_figures
from apps.risk.model.probability import CODE, probability
from apps.state.kept import kept_for

#: What a model that was given up would say: kept so that it can prove itself again, read by no rule.
UNUSED_CODE = f"{CODE}_unused"


def loss_estimate(*, listing: Listing, facts: PairFacts, history: DeployerHistory | None) -> Estimate:
    """Return ``loss_probability`` as of the facts' block; unknown while the model is given up: rules decide then.

    Raises ConfigurationError when the parameters are gone.
    """
    return loss_estimates(listing=listing, facts=facts, history=history)[0]


def loss_estimates(
    *, listing: Listing, facts: PairFacts, history: DeployerHistory | None
) -> tuple[Estimate, ...]:
    """Return ``loss_probability``, and while the model is given up what it would have said, to be kept beside.

    Raises ConfigurationError when the parameters are gone.
    """
    found = _estimate(listing=listing, facts=facts, history=history)
    reason = _distrust()
    if not reason:
        return (found,)
    unused = unknown(
        CODE,
        f"the model is not believed now: {reason}",
        unit=found.unit,
        source=found.source,
        as_of_ms=found.as_of_ms,
    )
    return (unused, replace(found, code=UNUSED_CODE))


@kept_for(2.0)
def _distrust() -> str:
    return model_distrust(name=CODE)


@kept_for(2.0)
def _lockers(chain_key: str) -> frozenset[str]:
    return frozenset(address.lower() for address in locker_addresses(chain_key))


def _estimate(*, listing: Listing, facts: PairFacts, history: DeployerHistory | None) -> Estimate:
    path, holdings = shipped_model("path"), shipped_model("holdings")
    lockers = _lockers(listing.base.chain_key)
    launch = pool_history(listing=listing, facts=facts, history=history, lockers=lockers)
    return probability(
        ((path, features(launch)), (holdings, token_figures(facts=facts, history=history))),
        base_rate=path.base_rate,
        as_of_ms=facts.block.at_ms,
    )
