"""Limits as the market allows them now: what a person set is the most; nothing here ever loosens it.

Each input narrows by its own factor, weighed by its confidence. An input that is unknown is neutral and strict: it
narrows nothing, and it grants no relief that a known good one would. So every part works with any other missing.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_DOWN, Decimal
from math import isqrt

from apps.domain.analysis import Analysis
from apps.domain.config import Entry, Exits, Influence, Limits, TradingConfig
from apps.domain.decision import Adjustment, Reason
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
#: Gains beyond so many deviations over the time held hardly come; further while the market is known to rise.
TARGET_DEVIATIONS, TARGET_DEVIATIONS_BULL = 4, 6
#: A gain smaller than this is eaten by taxes, fees and gas; in a falling market so much of the target is left.
TARGET_MIN_BPS, BEAR_TARGET_BPS = 1_000, 5_000
#: Bad sentiment below this, whales' sales above this and coordination above this share of its limit narrow sizes.
SENTIMENT_BAD_BPS, SENTIMENT_SIZE_BPS = -3_000, 7_500
WHALES_SELL_BPS, WHALES_SIZE_MIN_BPS = 2_000, 3_000
COORDINATION_SHARE_BPS, COORDINATION_SIZE_BPS = 5_000, 5_000
_CENT = Decimal("0.01")
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
    if switches.regime_in_limits and _is_bear(conditions.regime):
        found.append(
            _Factor(
                code="SHRUNK_IN_FALLING_MARKET",
                left_bps=BPS_ONE - _weighed(BPS_ONE - BEAR_SIZE_BPS, conditions.regime),
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
    if not config.influence.regime_in_limits or not _is_bear(conditions.regime):
        return config.entry, ()
    before = config.entry.score_min_bps
    after = min(before + _weighed(BEAR_SCORE_RISE_BPS, conditions.regime), BPS_ONE)
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


# -- exits --------------------------------------------------------------------------------
_STOPS_WORDS = "Stops are closer than configured: a fall beyond this is more than the price's usual swing."
_TARGET_WORDS = "The gain to take is smaller than configured: the price's usual swing hardly brings more."
_BEAR_WORDS = "The gain to take is smaller than configured because the market falls."


def exits_in_force(
    exits: Exits,
    switches: Influence,
    *,
    volatility: Estimate | None,
    regime: Estimate | None,
    held_max_s: int | None,
) -> tuple[Exits, tuple[Adjustment, ...]]:
    """Return the exits drawn in to what the market gives, and each change; never wider than configured.

    An exit that is switched off stays so.
    """
    notes: list[Adjustment] = []
    if switches.exits_by_volatility:
        bull = regime if switches.regime_in_exits else None
        stop = stop_by_volatility_bps(volatility, regime=bull, held_max_s=held_max_s)
        target = target_by_volatility_bps(volatility, regime=bull, held_max_s=held_max_s)
        switch = "influence.exits_by_volatility"
        for name, drawn, code, words in (
            ("stop_loss_bps", stop, "STOPS_BY_VOLATILITY", _STOPS_WORDS),
            ("trailing_stop_bps", stop, "STOPS_BY_VOLATILITY", _STOPS_WORDS),
            ("take_profit_bps", target, "TARGET_BY_VOLATILITY", _TARGET_WORDS),
        ):
            exits = _drawn(exits, name, drawn, notes, code=code, words=words, switch=switch)
    if switches.regime_in_exits and _is_bear(regime) and exits.take_profit_bps is not None:
        left = BPS_ONE - _weighed(BPS_ONE - BEAR_TARGET_BPS, regime)
        sooner = max(exits.take_profit_bps * left // BPS_ONE, TARGET_MIN_BPS)
        exits = _drawn(
            exits,
            "take_profit_bps",
            sooner,
            notes,
            code="TARGET_IN_FALLING_MARKET",
            words=_BEAR_WORDS,
            switch="influence.regime_in_exits",
        )
    return exits, tuple(notes)


def _drawn(
    exits: Exits, name: str, drawn: int | None, notes: list[Adjustment], *, code: str, words: str, switch: str
) -> Exits:
    """Return the exits with one of them drawn in, when that is closer and neither is off."""
    before = getattr(exits, name)
    if drawn is None or before is None or drawn >= before:
        return exits
    notes.append(
        Adjustment(
            code=code, subject=name, before=str(before), after=str(drawn), explanation=words, switch=switch
        )
    )
    return exits.model_copy(update={name: drawn})


def target_by_volatility_bps(
    volatility: Estimate | None, *, regime: Estimate | None = None, held_max_s: int | None = None
) -> int | None:
    """Return the gain that the price's usual swing can bring over the holding time; None when it is unknown."""
    deviations = TARGET_DEVIATIONS_BULL if _is_bull(regime) else TARGET_DEVIATIONS
    swing = _swing_bps(volatility, deviations, held_max_s)
    return None if swing is None else max(swing, TARGET_MIN_BPS)


def stop_by_volatility_bps(
    volatility: Estimate | None, *, regime: Estimate | None = None, held_max_s: int | None = None
) -> int | None:
    """Return the stop's distance, some deviations of the price over the holding time; None when it is unknown."""
    deviations = STOP_DEVIATIONS_BULL if _is_bull(regime) else STOP_DEVIATIONS
    swing = _swing_bps(volatility, deviations, held_max_s)
    return None if swing is None else min(max(swing, STOP_MIN_BPS), BPS_ONE)


def _swing_bps(volatility: Estimate | None, deviations: int, held_max_s: int | None) -> int | None:
    value = _value(volatility)
    if value is None:
        return None
    horizon_s = STOP_HORIZON_S if held_max_s is None else held_max_s
    # Root of the time in hours, in ten-thousandths: integers, so that every machine gives the same stop.
    root = isqrt(horizon_s * BPS_ONE * BPS_ONE // STOP_HORIZON_S)
    return int(value * deviations) * root // BPS_ONE


def _change(factor: _Factor) -> Reason:
    return Reason(
        code=factor.code,
        explanation=f"Sizes are cut down because {factor.why}.",
        detail=f"left_bps={factor.left_bps}",
    )


def _changed_text(notes: tuple[Adjustment, ...], code: str) -> str:
    return " ".join(f"{item.subject}={item.after} set={item.before}" for item in notes if item.code == code)
