"""The configuration as it counts for one entry now: what was set, narrowed by breakers and by what is known."""

from __future__ import annotations

from dataclasses import replace

from apps.domain.analysis import Analysis
from apps.domain.decision import Reason
from apps.risk.logic.limits import Conditions, LimitsInForce, limits_in_force
from apps.risk.services.breakers import shrink_in_force
from apps.state.services.config import ActiveConfig


def entry_config(*, active: ActiveConfig, analysis: Analysis) -> ActiveConfig:
    """Return the configuration that an entry into the analysed pair is decided and sized by; its revision stays."""
    return replace(active, config=_in_force(active, analysis).config)


def entry_limits_reasons(*, active: ActiveConfig, analysis: Analysis) -> tuple[Reason, ...]:
    """Return why the limits for the analysed pair are narrower than configured, empty when they are not."""
    return _in_force(active, analysis).changes


def _in_force(active: ActiveConfig, analysis: Analysis) -> LimitsInForce:
    shrink_bps, names = shrink_in_force(
        chain_key=analysis.listing.base.chain_key, config=active.config.breakers
    )
    return limits_in_force(
        active.config,
        Conditions(
            regime=analysis.estimate("market_regime"),
            volatility=analysis.estimate("volatility_bps"),
            sentiment=analysis.estimate("sentiment_bps"),
            whale_distribution=analysis.estimate("whale_distribution_bps"),
            coordination=analysis.estimate("coordination_bps"),
            shrink_bps=shrink_bps,
            shrunk_by=names,
        ),
    )
