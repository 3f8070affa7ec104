"""The configuration as it counts for one entry now: what was set, narrowed by breakers and by what is known."""

from __future__ import annotations

from apps.domain.analysis import Analysis
from apps.domain.verdict import Action, RiskVerdict
from apps.risk.logic.conditions import conditions_of
from apps.risk.logic.limits import LimitsInForce, limits_in_force
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
