"""What limits depend on, as an analysis holds it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from apps.domain.analysis import Analysis
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE

#: The market's regime, and the swing of one hour: the token's own before any other.
REGIME_CODES, VOLATILITY_CODES = ("market_regime", "regime"), ("volatility_bps", "volatility")
#: Every estimate that limits depend on.
CODES = frozenset(
    {*REGIME_CODES, *VOLATILITY_CODES, "sentiment_bps", "whale_distribution_bps", "coordination_bps"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What limits depend on; None or an unknown estimate: not known.

    ``regime`` is -1 falling, 0 neither, 1 rising; ``volatility`` the deviation of one hour's price in bps;
    ``sentiment`` -10000..10000 bps; ``whale_distribution`` 0..10000 bps of whales' holdings sold lately;
    ``coordination`` 0..10000 bps likelihood. ``shrink_bps`` is what tripped breakers leave of sizes and limits.
    ``confidence_bps`` is how much the score rests on and ``is_probe`` whether only a small try was recommended.
    """

    regime: Estimate | None = None
    volatility: Estimate | None = None
    sentiment: Estimate | None = None
    whale_distribution: Estimate | None = None
    coordination: Estimate | None = None
    shrink_bps: int = BPS_ONE
    shrunk_by: tuple[str, ...] = ()
    confidence_bps: int | None = None
    is_probe: bool = False


def conditions_of(
    analysis: Analysis,
    *,
    shrink_bps: int = BPS_ONE,
    shrunk_by: tuple[str, ...] = (),
    confidence_bps: int | None = None,
    is_probe: bool = False,
) -> Conditions:
    """Return the conditions that an analysis holds."""
    return Conditions(
        regime=_first_known(analysis, REGIME_CODES),
        volatility=_first_known(analysis, VOLATILITY_CODES),
        sentiment=analysis.estimate("sentiment_bps"),
        whale_distribution=analysis.estimate("whale_distribution_bps"),
        coordination=analysis.estimate("coordination_bps"),
        shrink_bps=shrink_bps,
        shrunk_by=shrunk_by,
        confidence_bps=confidence_bps,
        is_probe=is_probe,
    )


def _first_known(analysis: Analysis, codes: tuple[str, ...]) -> Estimate | None:
    """Return the first of these estimates that is known, else the first that was asked for."""
    found = [item for code in codes if (item := analysis.estimate(code)) is not None]
    return next((item for item in found if item.is_known), found[0] if found else None)


def is_bear(regime: Estimate | None) -> bool:
    """Tell whether the market is known to fall."""
    value = value_of(regime)
    return value is not None and value < 0


def is_bull(regime: Estimate | None) -> bool:
    """Tell whether the market is known to rise."""
    value = value_of(regime)
    return value is not None and value > 0


def value_of(estimate: Estimate | None) -> Decimal | None:
    """Return an estimate's value, None when it is unknown or was never asked for."""
    return None if estimate is None else estimate.value


def weighed_up(points: int, estimate: Estimate | None) -> int:
    """Return the part of ``points`` that the estimate's confidence bears, rounded up: against us."""
    assert estimate is not None
    return -int(-points * estimate.confidence // 1)
