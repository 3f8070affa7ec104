"""What is known of pairs and markets, and how analysing goes."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from apps.api.schemas.base import Answer, DecimalText, Usd
from apps.api.schemas.trading import CardOut, PairOut


class EstimateOut(Answer):
    """One measured quantity with its bounds: unknown is neither zero nor yes."""

    code: str
    value: DecimalText | None
    low: DecimalText | None
    high: DecimalText | None
    unit: str
    confidence: DecimalText = Field(description="0 to 1.")
    n: int = Field(description="How many observations it rests on.")
    source: str
    as_of: datetime
    reason_unknown: str


class FindingOut(Answer):
    """One rule's answer."""

    rule: str
    code: str
    outcome: str = Field(description="pass, fail or unknown; unknown is never a pass.")
    gate: str
    explanation: str
    detail: str


class VerdictOut(Answer):
    """All rules' answers on the newest analysis."""

    outcome: str
    score_bps: int | None
    confidence_bps: int
    card: CardOut | None
    findings: list[FindingOut]
    config_revision: int
    created_at: datetime


class AnalysisOut(Answer):
    """The newest analysis of a pair."""

    pair: PairOut
    trace_id: str
    analysed_at: datetime
    block_number: int
    summary: str
    estimates: list[EstimateOut]
    missing: list[str]
    verdict: VerdictOut | None


class RecentPairOut(Answer):
    """A pair that was found lately, with its newest score."""

    pair: PairOut
    trace_id: str = Field(description='Of its newest opportunity; "" while there is none.')
    action: str
    score_bps: int | None
    analysed_at: datetime | None


class MarketOut(Answer):
    """A market's regime as it may be relied on now."""

    market: str
    regime: str
    is_stale: bool
    is_simulated: bool
    confidence_bps: int
    volatility_state: str
    hour_deviation_bps: DecimalText | None
    breakout_bps: int | None
    breakout_level_usd: Usd | None
    days: int = Field(description="For how many days the newest regime has stood.")
    why: str
    source: str
    as_of: datetime


class MarketsOut(Answer):
    """Every market that was lately judged; the large ones first."""

    markets: list[MarketOut]


class PartOut(Answer):
    """How long one part of an analysis takes."""

    name: str
    count: int
    median_us: int
    p95_us: int


class UnknownOut(Answer):
    """How often one estimate was unknown."""

    code: str
    count: int
    unknown_bps: int
    reason: str


class CacheOut(Answer):
    """How often something had not to be worked out anew."""

    name: str
    hits: int
    misses: int


class ProcessingOut(Answer):
    """How analysing went lately."""

    since: datetime
    analyses: int
    per_minute: DecimalText
    looked_into: int
    latencies: list[PartOut]
    unknowns: list[UnknownOut]
    caches: list[CacheOut]
