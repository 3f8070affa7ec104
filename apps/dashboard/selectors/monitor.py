"""How the system stands, what is unusual, and how fast trades go, step by step."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.engine.logic.anomalies import SCORE_MAX
from apps.engine.metrics.figures import newest_head_age_s, system_figures
from apps.engine.metrics.windows import WINDOW, Series, window_series
from apps.trading.logic.trade_clock import BUCKETS_MS, Spread
from apps.trading.services.trade_clock import TRADES_MAX, ClockedTrade, spreads_of, trades_clocked

TRADES_SHOWN: Final = 20
#: From so many blocks on they are counted together.
BLOCKS_APART_MAX: Final = 10
_WORDS: Final = {
    "seen_to_analysed": "Seen → analysed",
    "analysed_to_decided": "Analysed → decided",
    "decided_to_signed": "Decided → signed",
    "signed_to_sent": "Signed → sent",
    "decided_to_sent": "Decided → sent",
    "sent_to_landed": "Sent → landed",
    "landed_to_booked": "Landed → booked",
    "seen_to_booked": "Seen → booked, in all",
}

#: Series -> how it is called, and what one of its windows says.
_SERIES: Final = {
    "found": "Opportunities found",
    "analysed": "Analyses",
    "booked": "Swaps booked",
    "failed": "Orders that came to nothing",
    "incidents": "Incidents opened",
    "reaction_ms": "First sight → first decision, median",
}
_STAGES: Final = {
    "found": "Found",
    "analysed": "Analysed",
    "judged": "Judged",
    "decided": "Decided",
    "entered": "Entered",
    "sent": "Sent",
    "booked": "Booked",
}
_QUEUES: Final = {
    "evaluate": "for an evaluation",
    "execute": "for a signature",
    "settle": "for a receipt",
    "relay": "for a number in the log",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class StretchRow:
    """One stretch of the road over many trades."""

    name: str
    words: str
    spread: Spread | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketRow:
    """How many trades took up to so long. ``end_ms`` None: longer than all others."""

    end_ms: int | None
    begin_ms: int
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class BlocksRow:
    """How many trades landed so many blocks after the first liquidity."""

    blocks: int
    is_or_more: bool
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRow:
    """One figure by windows. ``word``: "unusually high", "unusually low", "usual", or "" when too little is known."""

    words: str
    series: Series
    word: str
    usual: int | None


def system_state(_: Ask) -> dict[str, Any]:
    """Return the figures that the metrics tell, for people."""
    found = system_figures(now=timezone.now())
    ages = newest_head_age_s(found.heads, found.at)
    fresh = [head for head in found.heads if ages.get(head.key, 1e9) * 1_000 <= head.stale_after_ms]
    return {
        "found": found,
        "ended": found.execution.filled + sum(found.execution.failed.values()),
        "success_bps": found.execution.success_bps,
        "silent": [item.name for item in found.components if not item.is_up],
        "queues": [(_QUEUES[item.name], item) for item in found.queues],
        "stages": [(_STAGES[item.name], item) for item in found.flow.stages],
        "endpoints_up": sum(item.is_up for item in found.rpcs),
        "chains_fresh": len(fresh),
        "incidents_open": sum(sum(item.open.values()) for item in found.errors),
        "slowest": None if found.web is None else found.web.latency_ms_p95,
    }


def unusual(_: Ask) -> dict[str, Any]:
    """Return every series with what the rule says of its newest window."""
    return {
        "rows": [_series_row(series) for series in window_series(now=timezone.now())],
        "window_s": int(WINDOW.total_seconds()),
        "score_max": SCORE_MAX,
    }


def _series_row(series: Series) -> SeriesRow:
    mark = series.mark
    word = ""
    if mark is not None:
        word = "usual" if not mark.is_anomaly else "unusually high" if mark.score > 0 else "unusually low"
    return SeriesRow(
        words=_SERIES[series.name],
        series=series,
        word=word,
        usual=None if mark is None else round(mark.usual),
    )


def clock_figures(_: Ask) -> dict[str, Any]:
    """Return how long each step of our newest entries took, and how many blocks they were behind."""
    trades = trades_clocked(now=timezone.now())
    spreads = spreads_of(trades)
    sent = spreads["decided_to_sent"]
    return {
        "trades": len(trades),
        "trades_max": TRADES_MAX,
        "rows": [
            StretchRow(name=name, words=_WORDS[name], spread=spreads[name])
            for name in _WORDS
            if name in spreads
        ],
        "buckets": () if sent is None else _buckets(sent),
        **_blocks(trades),
    }


def clock_trades(_: Ask) -> dict[str, Any]:
    """Return the newest entries with their own clocks."""
    return {"rows": trades_clocked(now=timezone.now(), limit=TRADES_SHOWN)}


def _buckets(spread: Spread) -> tuple[BucketRow, ...]:
    """Return the classes of the histogram up to the last one that holds a trade."""
    ends = (*BUCKETS_MS, None)
    begins = (0, *BUCKETS_MS)
    last = max(number for number, count in enumerate(spread.buckets) if count)
    return tuple(
        BucketRow(begin_ms=begins[number], end_ms=ends[number], count=spread.buckets[number])
        for number in range(last + 1)
    )


def _blocks(trades: tuple[ClockedTrade, ...]) -> dict[str, Any]:
    behind = [item.moments.blocks_behind for item in trades]
    known = [min(blocks, BLOCKS_APART_MAX) for blocks in behind if blocks is not None]
    counted = Counter(known)
    return {
        "blocks": [
            BlocksRow(blocks=blocks, is_or_more=blocks == BLOCKS_APART_MAX, count=count)
            for blocks, count in sorted(counted.items())
        ],
        "blocks_known": len(known),
        "blocks_unknown": len(behind) - len(known),
    }
