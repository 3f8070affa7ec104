"""Whether now is the moment to buy what is good enough: reasons to wait a little, each bounded and switchable.

A figure counts with its confidence. What is unknown holds nothing back and hastens nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.analysis import Analysis
from apps.domain.config import TradingConfig
from apps.domain.decision import Adjustment, Reason, SkipStage
from apps.domain.estimate import Estimate
from apps.risk.logic.conditions import conditions_of

#: However long a person wants to wait, this share of the watch is left for the entry.
_WAIT_SHARE = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldBack:
    """Why an entry is not made now. ``stage`` is where the funnel counts it."""

    stage: SkipStage
    reason: Reason
    adjustment: Adjustment


def weighed(estimate: Estimate | None) -> int | None:
    """Return an estimate's value times its confidence, rounded towards zero; None when it is unknown."""
    if estimate is None or estimate.value is None:
        return None
    return int(estimate.value * estimate.confidence)


def held_back(*, analysis: Analysis, config: TradingConfig, watched_ms: int) -> HoldBack | None:
    """Return why an entry must wait, None when nothing speaks for waiting. ``watched_ms``: since it was found."""
    conditions = conditions_of(analysis)
    switches = config.influence
    if switches.sentiment_threshold:
        found = _by_sentiment(conditions.sentiment, switches.sentiment_min_bps)
        if found is not None:
            return found
    if switches.whales_in_timing:
        found = _by_whales(conditions.whale_distribution, switches.whales_wait_bps)
        if found is not None:
            return found
    if switches.regime_in_timing:
        return _by_regime(conditions.regime, config, watched_ms)
    return None


def _by_sentiment(sentiment: Estimate | None, minimum: int) -> HoldBack | None:
    value = weighed(sentiment)
    if value is None or value >= minimum:
        return None
    words = "People speak too badly of this token."
    return _held(
        SkipStage.SCORE,
        code="SENTIMENT_BELOW_MINIMUM",
        words=words,
        detail=f"sentiment_bps={value} minimum_bps={minimum}",
        after=f"when sentiment is {minimum} bps or more",
        switch="influence.sentiment_threshold",
    )


def _by_whales(distribution: Estimate | None, maximum: int) -> HoldBack | None:
    value = weighed(distribution)
    if value is None or value <= maximum:
        return None
    return _held(
        SkipStage.LIMIT,
        code="WHALES_ARE_SELLING",
        words="Large holders are selling; the entry waits until they have done.",
        detail=f"whale_distribution_bps={value} maximum_bps={maximum}",
        after=f"when they sell {maximum} bps or less",
        switch="influence.whales_in_timing",
    )


def _by_regime(regime: Estimate | None, config: TradingConfig, watched_ms: int) -> HoldBack | None:
    value = weighed(regime)
    if regime is None or regime.value is None or value is None or regime.value >= 0:
        return None
    most_ms = config.entry.watch_duration_s * 1_000 // _WAIT_SHARE
    wait_ms = min(int(config.influence.regime_wait_s * 1_000 * regime.confidence), most_ms)
    if watched_ms >= wait_ms:
        return None
    return _held(
        SkipStage.LIMIT,
        code="WAIT_IN_FALLING_MARKET",
        words="The market falls, so the pair is watched for longer before it is bought.",
        detail=f"watched_s={watched_ms // 1_000} wait_s={wait_ms // 1_000}",
        after=f"after {wait_ms // 1_000} s",
        switch="influence.regime_in_timing",
    )


def _held(stage: SkipStage, *, code: str, words: str, detail: str, after: str, switch: str) -> HoldBack:
    return HoldBack(
        stage=stage,
        reason=Reason(code=code, explanation=words, detail=detail),
        adjustment=Adjustment(
            code=code, subject="entry_time", before="now", after=after, explanation=words, switch=switch
        ),
    )
