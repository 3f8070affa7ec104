"""Exits as the market allows them now: drawn in to its usual swing and its regime, never wider than a person set them."""

from __future__ import annotations

from math import isqrt

from apps.domain.config import Exits, Influence
from apps.domain.decision import Adjustment
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE
from apps.risk.logic.conditions import is_bear, is_bull, value_of, weighed_up

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
    if switches.regime_in_exits and is_bear(regime) and exits.take_profit_bps is not None:
        left = BPS_ONE - weighed_up(BPS_ONE - BEAR_TARGET_BPS, regime)
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
    deviations = TARGET_DEVIATIONS_BULL if is_bull(regime) else TARGET_DEVIATIONS
    swing = _swing_bps(volatility, deviations, held_max_s)
    return None if swing is None else max(swing, TARGET_MIN_BPS)


def stop_by_volatility_bps(
    volatility: Estimate | None, *, regime: Estimate | None = None, held_max_s: int | None = None
) -> int | None:
    """Return the stop's distance, some deviations of the price over the holding time; None when it is unknown."""
    deviations = STOP_DEVIATIONS_BULL if is_bull(regime) else STOP_DEVIATIONS
    swing = _swing_bps(volatility, deviations, held_max_s)
    return None if swing is None else min(max(swing, STOP_MIN_BPS), BPS_ONE)


def _swing_bps(volatility: Estimate | None, deviations: int, held_max_s: int | None) -> int | None:
    value = value_of(volatility)
    if value is None:
        return None
    horizon_s = STOP_HORIZON_S if held_max_s is None else held_max_s
    # Root of the time in hours, in ten-thousandths: integers, so that every machine gives the same stop.
    root = isqrt(horizon_s * BPS_ONE * BPS_ONE // STOP_HORIZON_S)
    return int(value * deviations) * root // BPS_ONE
