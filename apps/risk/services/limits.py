"""The configuration as it counts for one entry now: what was set, narrowed by breakers and by what is known."""

from __future__ import annotations

from dataclasses import replace

from apps.domain.analysis import Analysis
from apps.domain.decision import Reason
from apps.domain.verdict import Action, RiskVerdict
from apps.risk.logic.limits import LimitsInForce, conditions_of, limits_in_force
from apps.risk.services.breakers import shrink_in_force
from apps.state.services.config import ActiveConfig


def entry_limits(
    *, active: ActiveConfig, analysis: Analysis, verdict: RiskVerdict | None = None
) -> LimitsInForce:
    """Return the limits that an entry into the analysed pair is decided and sized by, with all that narrowed them.

    ``verdict`` None: how much is known of the pair narrows nothing.
    """
    shrink_bps, names = shrink_in_force(
        chain_key=analysis.listing.base.chain_key, config=active.config.breakers
    )
    card = None if verdict is None else verdict.card
    return limits_in_force(
        active.config,
        conditions_of(
            analysis,
            shrink_bps=shrink_bps,
            shrunk_by=names,
            confidence_bps=None if verdict is None or card is None else verdict.confidence_bps,
            is_probe=card is not None and card.action is Action.PROBE,
        ),
    )


def entry_config(*, active: ActiveConfig, analysis: Analysis) -> ActiveConfig:
    """Return the configuration in force for the analysed pair; its revision stays."""
    return replace(active, config=entry_limits(active=active, analysis=analysis).config)


def entry_limits_reasons(*, active: ActiveConfig, analysis: Analysis) -> tuple[Reason, ...]:
    """Return why the limits for the analysed pair are narrower than configured, empty when they are not."""
    return entry_limits(active=active, analysis=analysis).changes
