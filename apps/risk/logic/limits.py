"""Limits as the market allows them now: what a person set is the most; nothing here ever loosens it.

Each input narrows by its own factor, weighed by its confidence. An input that is unknown is neutral and strict: it
narrows nothing, and it grants no relief that a known good one would. So every part works with any other missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from math import isqrt

from apps.domain.config import Exits, Limits, TradingConfig
from apps.domain.decision import Reason
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE

#: Sizes in a falling market. A rising one enlarges nothing.
BEAR_SIZE_BPS = 5_000
#: By so much the least score for an entry rises in a falling market.
BEAR_SCORE_RISE_BPS = 500
#: Up to this deviation of an hour's price sizes are whole; beyond it they shrink in proportion (volatility target).
VOLATILITY_TARGET_BPS, VOLATILITY_SIZE_MIN_BPS = 2_000, 2_500
#: Distance of the stop in deviations: wider while the market is known to rise, as honest swings are wider then.
STOP_DEVIATIONS, STOP_DEVIATIONS_BULL = 2, 3
#: A stop closer than this sells on noise.
STOP_MIN_BPS = 500
#: The deviation grows with the root of the time held; without a time stop an hour is taken.
STOP_HORIZON_S = 3_600
#: Bad sentiment below this, whales' sales above this and coordination above this share of its limit narrow sizes.
SENTIMENT_BAD_BPS, SENTIMENT_SIZE_BPS = -3_000, 7_500
WHALES_SELL_BPS, WHALES_SIZE_MIN_BPS = 2_000, 3_000
COORDINATION_SHARE_BPS, COORDINATION_SIZE_BPS = 5_000, 5_000
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Conditions:
    """What limits depend on; None or an unknown estimate: not known.

    ``regime`` is -1 falling, 0 neither, 1 rising; ``volatility`` the deviation of one hour's price in bps;
    ``sentiment`` -10000..10000 bps; ``whale_distribution`` 0..10000 bps of whales' holdings sold lately;
    ``coordination`` 0..10000 bps likelihood. ``shrink_bps`` is what tripped breakers leave of sizes and limits.
    """

    regime: Estimate | None = None
    volatility: Estimate | None = None
    sentiment: Estimate | None = None
    whale_distribution: Estimate | None = None
    coordination: Estimate | None = None
    shrink_bps: int = BPS_ONE
    shrunk_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsInForce:
    """The configuration as it counts now, and every change with its reason, strictest first as they were made."""

    config: TradingConfig
    changes: tuple[Reason, ...]


def limits_in_force(config: TradingConfig, conditions: Conditions) -> LimitsInForce:
    """Return the configuration under these conditions. No limit, size or stop is ever looser than configured."""
    assert 0 < conditions.shrink_bps <= BPS_ONE, conditions.shrink_bps
    changes: list[Reason] = []
    account_bps = _account_factor(conditions, changes)
    size_bps = _size_factor(config, conditions, changes) * account_bps // BPS_ONE
    score_rise = _weighed(BEAR_SCORE_RISE_BPS, conditions.regime) if _is_bear(conditions.regime) else 0
    if not changes and conditions.volatility is None:
        return LimitsInForce(config=config, changes=())
    return LimitsInForce(
        config=config.model_copy(
            update={
                "limits": _narrowed(config.limits, account_bps=account_bps, size_bps=size_bps),
                "entry": config.entry.model_copy(
                    update={"score_min_bps": min(config.entry.score_min_bps + score_rise, BPS_ONE)}
                ),
                "exits": _stopped(config.exits, conditions, changes),
            }
        ),
        changes=tuple(changes),
    )


# -- factors ------------------------------------------------------------------------------
def _account_factor(conditions: Conditions, changes: list[Reason]) -> int:
    """Return what is left of the limits on everything together: regime and breakers."""
    factor = conditions.shrink_bps
    if factor < BPS_ONE:
        changes.append(
            _change("SHRUNK_BY_BREAKER", factor, f"tripped breakers: {', '.join(conditions.shrunk_by)}")
        )
    if _is_bear(conditions.regime):
        bear = BPS_ONE - _weighed(BPS_ONE - BEAR_SIZE_BPS, conditions.regime)
        changes.append(_change("SHRUNK_IN_FALLING_MARKET", bear, "the market falls"))
        factor = factor * bear // BPS_ONE
    return max(factor, 1)


def _size_factor(config: TradingConfig, conditions: Conditions, changes: list[Reason]) -> int:
    """Return what is left of one position's size by what is known of this token."""
    factor = BPS_ONE
    for code, part, why in (
        ("SHRUNK_BY_VOLATILITY", _by_volatility(conditions.volatility), "the price swings widely"),
        ("SHRUNK_BY_SENTIMENT", _by_sentiment(conditions.sentiment), "people speak badly of it"),
        ("SHRUNK_BY_WHALES", _by_whales(conditions.whale_distribution), "large holders are selling"),
        (
            "SHRUNK_BY_COORDINATION",
            _by_coordination(conditions.coordination, config.rules.coordination_max_bps),
            "buyers may act in concert",
        ),
    ):
        if part < BPS_ONE:
            changes.append(_change(code, part, why))
            factor = factor * part // BPS_ONE
    return max(factor, 1)


def _by_volatility(volatility: Estimate | None) -> int:
    value = _value(volatility)
    if value is None or value <= VOLATILITY_TARGET_BPS:
        return BPS_ONE
    part = max(int(VOLATILITY_TARGET_BPS * BPS_ONE / value), VOLATILITY_SIZE_MIN_BPS)
    return BPS_ONE - _weighed(BPS_ONE - part, volatility)


def _by_sentiment(sentiment: Estimate | None) -> int:
    value = _value(sentiment)
    if value is None or value > SENTIMENT_BAD_BPS:
        return BPS_ONE
    return BPS_ONE - _weighed(BPS_ONE - SENTIMENT_SIZE_BPS, sentiment)


def _by_whales(distribution: Estimate | None) -> int:
    value = _value(distribution)
    if value is None or value <= WHALES_SELL_BPS:
        return BPS_ONE
    part = max(BPS_ONE - int(value), WHALES_SIZE_MIN_BPS)
    return BPS_ONE - _weighed(BPS_ONE - part, distribution)


def _by_coordination(coordination: Estimate | None, maximum_bps: int) -> int:
    value = _value(coordination)
    if value is None or value * BPS_ONE <= maximum_bps * COORDINATION_SHARE_BPS:
        return BPS_ONE
    return BPS_ONE - _weighed(BPS_ONE - COORDINATION_SIZE_BPS, coordination)


def _is_bear(regime: Estimate | None) -> bool:
    value = _value(regime)
    return value is not None and value < 0


def _is_bull(regime: Estimate | None) -> bool:
    value = _value(regime)
    return value is not None and value > 0


def _value(estimate: Estimate | None) -> Decimal | None:
    return None if estimate is None else estimate.value


def _weighed(points: int, estimate: Estimate | None) -> int:
    """Return the part of ``points`` that the estimate's confidence bears, rounded up: against us."""
    assert estimate is not None
    return -int(-points * estimate.confidence // 1)


# -- limits -------------------------------------------------------------------------------
def _narrowed(limits: Limits, *, account_bps: int, size_bps: int) -> Limits:
    """Return the limits at these shares; the least position stays possible, so that the result is a configuration."""
    exposure = _share(limits.exposure_max_usd, account_bps)
    least = max(limits.position_min_usd, _CENT)
    position = max(_share(limits.position_max_usd, size_bps), least)
    return limits.model_copy(
        update={
            "exposure_max_usd": max(exposure, position),
            "position_max_usd": position,
            "open_positions_max": max(limits.open_positions_max * account_bps // BPS_ONE, 1),
        }
    )


def _share(usd: Decimal, bps: int) -> Decimal:
    return (usd * bps / BPS_ONE).quantize(_CENT, rounding=ROUND_DOWN)


# -- stops --------------------------------------------------------------------------------
def _stopped(exits: Exits, conditions: Conditions, changes: list[Reason]) -> Exits:
    """Return the exits with stops drawn in to what is more than noise; never wider than configured."""
    stop = stop_by_volatility_bps(
        conditions.volatility, regime=conditions.regime, held_max_s=exits.time_stop_s
    )
    if stop is None:
        return exits
    drawn = {
        name: stop
        for name in ("stop_loss_bps", "trailing_stop_bps")
        if (set_bps := getattr(exits, name)) is not None and stop < set_bps
    }
    if drawn:
        changes.append(
            Reason(
                code="STOPS_BY_VOLATILITY",
                explanation="Stops are closer than configured: a fall beyond this is more than the price's usual swing.",
                detail=f"stop_bps={stop}",
            )
        )
    return exits.model_copy(update=drawn)


def stop_by_volatility_bps(
    volatility: Estimate | None, *, regime: Estimate | None = None, held_max_s: int | None = None
) -> int | None:
    """Return the stop's distance, some deviations of the price over the holding time; None when it is unknown."""
    value = _value(volatility)
    if value is None:
        return None
    deviations = STOP_DEVIATIONS_BULL if _is_bull(regime) else STOP_DEVIATIONS
    horizon_s = STOP_HORIZON_S if held_max_s is None else held_max_s
    # Root of the time in hours, in ten-thousandths: integers, so that every machine gives the same stop.
    root = isqrt(horizon_s * BPS_ONE * BPS_ONE // STOP_HORIZON_S)
    return min(max(int(value * deviations) * root // BPS_ONE, STOP_MIN_BPS), BPS_ONE)


def _change(code: str, left_bps: int, why: str) -> Reason:
    return Reason(
        code=code,
        explanation=f"Sizes are cut down because {why}.",
        detail=f"left_bps={left_bps}",
    )
