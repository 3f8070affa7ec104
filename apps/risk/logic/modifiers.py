"""How sentiment and whales move a score. Unknown moves nothing; good news moves little, bad news more.

Sentiment can be bought, so its praise is capped far below its blame. Every part works with the others missing.
"""

from __future__ import annotations

from decimal import Decimal

from apps.domain.analysis import Analysis
from apps.domain.config import Influence
from apps.domain.estimate import Estimate
from apps.domain.money import BPS_ONE

#: Most that sentiment may add to and take from a score.
SENTIMENT_PRAISE_MAX_BPS, SENTIMENT_BLAME_MAX_BPS = 300, 1_000
#: Most that selling whales may take: all of theirs sold.
WHALES_SELL_MAX_BPS = 2_500


def score_moved(score_bps: int, points: int) -> int:
    """Return the score with news taken into account, within its bounds."""
    return min(max(score_bps + points, 0), BPS_ONE)


def news_points(analysis: Analysis, influence: Influence) -> int:
    """Return what sentiment (-10000..10000 bps) and whale distribution (0..10000 bps) add to a score, or take."""
    sentiment = sentiment_points(analysis) if influence.score_by_news else 0
    return sentiment - (whale_points(analysis) if influence.score_by_whales else 0)


def sentiment_points(analysis: Analysis) -> int:
    """Return what sentiment adds (negative: takes), by its value and confidence; 0 when unknown."""
    weighed = _weighed(analysis.estimate("sentiment_bps"), low=-BPS_ONE)
    most = SENTIMENT_PRAISE_MAX_BPS if weighed > 0 else SENTIMENT_BLAME_MAX_BPS
    return int(weighed * most / BPS_ONE)


def whale_points(analysis: Analysis) -> int:
    """Return what selling whales take from a score; 0 when unknown."""
    return int(_weighed(analysis.estimate("whale_distribution_bps"), low=0) * WHALES_SELL_MAX_BPS / BPS_ONE)


def _weighed(estimate: Estimate | None, *, low: int) -> Decimal:
    if estimate is None or estimate.value is None:
        return Decimal(0)
    return min(max(estimate.value, Decimal(low)), Decimal(BPS_ONE)) * estimate.confidence
