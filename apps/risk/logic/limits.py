"""Limits as the market allows them now: what a person set is the most; nothing here ever loosens it.

Each input narrows by its own factor, weighed by its confidence. An input that is unknown is neutral and strict: it
narrows nothing, and it grants no relief that a known good one would. So every part works with any other missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal

from apps.domain.config import Entry, Influence, Limits, TradingConfig
from apps.domain.decision import Adjustment, Reason
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.risk.logic.conditions import Conditions, is_bear, value_of, weighed_up
from apps.risk.logic.exit_limits import exits_in_force

#: Sizes in a falling market. A rising one enlarges nothing.
BEAR_SIZE_BPS = 5_000
#: By so much the least score for an entry rises in a falling market.
BEAR_SCORE_RISE_BPS = 500
#: Up to this deviation of an hour's price sizes are whole; beyond it they shrink in proportion (volatility target).
VOLATILITY_TARGET_BPS, VOLATILITY_SIZE_MIN_BPS = 2_000, 2_500
#: Bad sentiment below this, whales' sales above this and coordination above this share of its limit narrow sizes.
SENTIMENT_BAD_BPS, SENTIMENT_SIZE_BPS = -3_000, 7_500
WHALES_SELL_BPS, WHALES_SIZE_MIN_BPS = 2_000, 3_000
COORDINATION_SHARE_BPS, COORDINATION_SIZE_BPS = 5_000, 5_000
_CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsInForce:
    """The configuration as it counts now, and every change with its reason, in the order they were made.

    ``size_bps`` is what is left of one position's size: of its highest cost, which the configuration holds already, and
    of every other bound that grows with wallet or pool. ``adjustments`` are the same changes as figures.
    """

    config: TradingConfig
    changes: tuple[Reason, ...]
    adjustments: tuple[Adjustment, ...] = ()
    size_bps: int = BPS_ONE


@dataclass(frozen=True, slots=True, kw_only=True)
class _Factor:
    """What one influence leaves of sizes, in bps."""

    code: str
    left_bps: int
    why: str
    switch: str


def limits_in_force(config: TradingConfig, conditions: Conditions) -> LimitsInForce:
    """Return the configuration under these conditions. No limit, size or stop is ever looser than configured."""
    assert 0 < conditions.shrink_bps <= BPS_ONE, conditions.shrink_bps
    account = _account_factors(conditions, config.influence)
    sizes = _size_factors(config, conditions)
    account_bps = _product(account)
    size_bps = _product((*sizes, *account))
    limits = _narrowed(config.limits, account_bps=account_bps, size_bps=size_bps)
    entry, entry_notes = _entry_in_force(config, conditions)
    exits, exit_notes = exits_in_force(
        config.exits,
        config.influence,
        volatility=conditions.volatility,
        regime=conditions.regime,
        held_max_s=config.exits.time_stop_s,
    )
    factors = (*account, *sizes)
    stops_changed = tuple(dict.fromkeys((item.code, item.explanation) for item in exit_notes))
    if not factors and not entry_notes and not exit_notes:
        return LimitsInForce(config=config, changes=())
    return LimitsInForce(
        config=config.model_copy(update={"limits": limits, "entry": entry, "exits": exits}),
        changes=(
            *(_change(item) for item in factors),
            *(
                Reason(code=code, explanation=why, detail=_changed_text(exit_notes, code))
                for code, why in stops_changed
            ),
        ),
        adjustments=(*_size_notes(config.limits, factors), *entry_notes, *exit_notes),
        size_bps=size_bps,
    )


# -- factors ------------------------------------------------------------------------------
def _account_factors(conditions: Conditions, switches: Influence) -> tuple[_Factor, ...]:
    """Return what narrows the limits on everything together: breakers and regime."""
    found: list[_Factor] = []
    if conditions.shrink_bps < BPS_ONE:
        found.append(
            _Factor(
                code="SHRUNK_BY_BREAKER",
                left_bps=conditions.shrink_bps,
                why=f"tripped breakers shrink them ({', '.join(conditions.shrunk_by)})",
                switch="breakers.shrink_bps",
            )
        )
    if switches.regime_in_limits and is_bear(conditions.regime):
        found.append(
            _Factor(
                code="SHRUNK_IN_FALLING_MARKET",
                left_bps=BPS_ONE - weighed_up(BPS_ONE - BEAR_SIZE_BPS, conditions.regime),
                why="the market falls",
                switch="influence.regime_in_limits",
            )
        )
    return tuple(found)


def _size_factors(config: TradingConfig, conditions: Conditions) -> tuple[_Factor, ...]:
    """Return what narrows one position's size by what is known of this token."""
    switches = config.influence
    asked = (
        ("SHRUNK_BY_CONFIDENCE", "size_by_confidence", _by_confidence(conditions), "much of it is not known"),
        (
            "SHRUNK_TO_PROBE",
            "probe_when_uncertain",
            switches.probe_share_bps if conditions.is_probe else BPS_ONE,
            "its score may prove too low, so this is a small try",
        ),
        (
            "SHRUNK_BY_VOLATILITY",
            "size_by_volatility",
            _by_volatility(conditions.volatility),
            "the price swings widely",
        ),
        (
            "SHRUNK_BY_SENTIMENT",
            "size_by_sentiment",
            _by_sentiment(conditions.sentiment),
            "people speak badly of it",
        ),
        (
            "SHRUNK_BY_WHALES",
            "size_by_whales",
            _by_whales(conditions.whale_distribution),
            "large holders are selling",
        ),
        (
            "SHRUNK_BY_COORDINATION",
            "size_by_manipulation",
            _by_coordination(conditions.coordination, config.rules.coordination_max_bps),
            "buyers may act in concert",
        ),
    )
    return tuple(
        _Factor(code=code, left_bps=left, why=why, switch=f"influence.{switch}")
        for code, switch, left, why in asked
        if left < BPS_ONE and getattr(switches, switch)
    )


def _product(factors: tuple[_Factor, ...]) -> int:
    left = BPS_ONE
    for item in factors:
        left = left * item.left_bps // BPS_ONE
    return max(left, 1)


def _size_notes(limits: Limits, factors: tuple[_Factor, ...]) -> tuple[Adjustment, ...]:
    """Return each factor as a step of the highest cost of one position."""
    notes, left = [], BPS_ONE
    for item in factors:
        before = _share(limits.position_max_usd, left)
        left = max(left * item.left_bps // BPS_ONE, 1)
        notes.append(
            Adjustment(
                code=item.code,
                subject="position_max_usd",
                before=str(before),
                after=str(_position_max(limits, left)),
                explanation=f"Sizes are cut down because {item.why}.",
                switch=item.switch,
            )
        )
    return tuple(notes)


def _entry_in_force(config: TradingConfig, conditions: Conditions) -> tuple[Entry, tuple[Adjustment, ...]]:
    """Return when a pair is bought: the least score rises in a falling market."""
    if not config.influence.regime_in_limits or not is_bear(conditions.regime):
        return config.entry, ()
    before = config.entry.score_min_bps
    after = min(before + weighed_up(BEAR_SCORE_RISE_BPS, conditions.regime), BPS_ONE)
    if after == before:
        return config.entry, ()
    note = Adjustment(
        code="SCORE_RAISED_IN_FALLING_MARKET",
        subject="score_min_bps",
        before=str(before),
        after=str(after),
        explanation="The least score for an entry is higher because the market falls.",
        switch="influence.regime_in_limits",
    )
    return config.entry.model_copy(update={"score_min_bps": after}), (note,)


def _by_confidence(conditions: Conditions) -> int:
    if conditions.confidence_bps is None:
        return BPS_ONE
    return min(max(conditions.confidence_bps, 1), BPS_ONE)


def _by_volatility(volatility: Estimate | None) -> int:
    value = value_of(volatility)
    if value is None or value <= VOLATILITY_TARGET_BPS:
        return BPS_ONE
    part = max(int(VOLATILITY_TARGET_BPS * BPS_ONE / value), VOLATILITY_SIZE_MIN_BPS)
    return BPS_ONE - weighed_up(BPS_ONE - part, volatility)


def _by_sentiment(sentiment: Estimate | None) -> int:
    value = value_of(sentiment)
    if value is None or value > SENTIMENT_BAD_BPS:
        return BPS_ONE
    return BPS_ONE - weighed_up(BPS_ONE - SENTIMENT_SIZE_BPS, sentiment)


def _by_whales(distribution: Estimate | None) -> int:
    value = value_of(distribution)
    if value is None or value <= WHALES_SELL_BPS:
        return BPS_ONE
    part = max(BPS_ONE - int(value), WHALES_SIZE_MIN_BPS)
    return BPS_ONE - weighed_up(BPS_ONE - part, distribution)


def _by_coordination(coordination: Estimate | None, maximum_bps: int) -> int:
    value = value_of(coordination)
    if value is None or value * BPS_ONE <= maximum_bps * COORDINATION_SHARE_BPS:
        return BPS_ONE
    return BPS_ONE - weighed_up(BPS_ONE - COORDINATION_SIZE_BPS, coordination)


# -- limits -------------------------------------------------------------------------------
def _narrowed(limits: Limits, *, account_bps: int, size_bps: int) -> Limits:
    """Return the limits at these shares; the least position stays possible, so that the result is a configuration."""
    if account_bps == BPS_ONE and size_bps == BPS_ONE:
        return limits
    exposure = _share(limits.exposure_max_usd, account_bps)
    position = _position_max(limits, size_bps)
    return limits.model_copy(
        update={
            "exposure_max_usd": max(exposure, position),
            "position_max_usd": position,
            "open_positions_max": max(limits.open_positions_max * account_bps // BPS_ONE, 1),
        }
    )


def _position_max(limits: Limits, size_bps: int) -> Decimal:
    return max(_share(limits.position_max_usd, size_bps), limits.position_min_usd, _CENT)


def _share(usd: Decimal, bps: int) -> Decimal:
    return (usd * bps / BPS_ONE).quantize(_CENT, rounding=ROUND_DOWN)


def _change(factor: _Factor) -> Reason:
    return Reason(
        code=factor.code,
        explanation=f"Sizes are cut down because {factor.why}.",
        detail=f"left_bps={factor.left_bps}",
    )


def _changed_text(notes: tuple[Adjustment, ...], code: str) -> str:
    return " ".join(f"{item.subject}={item.after} set={item.before}" for item in notes if item.code == code)
