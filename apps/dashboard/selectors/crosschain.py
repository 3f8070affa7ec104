"""What is best of all chains just now, and where money moves to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.logic.words import figure_words
from apps.dashboard.selectors.chains import ChainLabel, chain_label, chain_labels
from apps.intelligence.logic.crosschain import ChainFlow, Ranked
from apps.intelligence.services.crosschain import RANKED_WITHIN, capital_flows, pairs_ranked
from apps.risk.models import VerdictRecord

RANKS_SHOWN: Final = 15
FLOW_HOURS: Final = 3
FLOWS_SHOWN: Final = 20
VERDICTS_MAX: Final = 5_000
_WORDS: Final = {"score": "score", "chain_flow": "money into its chain"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RankRow:
    """One pair with its place over all chains."""

    ranked: Ranked
    chain: ChainLabel
    unknown: tuple[str, ...]  # what was taken at its adverse value, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class FlowRow:
    """One chain's hour."""

    flow: ChainFlow
    chain: ChainLabel
    began_at: datetime


def crosschain_figures(_: Ask) -> dict[str, Any]:
    """Return the pairs analysed within the hour, best first, and what moved into and out of each chain's pools."""
    now, labels = timezone.now(), chain_labels()
    verdicts = VerdictRecord.objects.filter(created_at__gte=now - RANKED_WITHIN).order_by("-id")
    scores: dict[int, int] = {}
    for pair_id, score in verdicts.values_list("pair_id", "score_bps")[:VERDICTS_MAX]:
        if score is not None:
            scores.setdefault(pair_id, score)
    ranks = [
        RankRow(
            ranked=item,
            chain=chain_label(labels, item.candidate.chain_key),
            unknown=tuple(_WORDS.get(code) or figure_words(code) for code in item.unknown),
        )
        for item in pairs_ranked(scores=scores, now=now)
    ]
    flows = [
        FlowRow(
            flow=flow,
            chain=chain_label(labels, flow.chain_key),
            began_at=datetime.fromtimestamp(flow.hour_ms / 1_000, tz=UTC),
        )
        for flow in capital_flows(now=now, hours=FLOW_HOURS)
    ]
    return {
        "ranks": ranks[:RANKS_SHOWN],
        "total": len(ranks),
        "flows": flows[:FLOWS_SHOWN],
        "is_simulated": any(
            chain.is_sandbox for chain in (*(row.chain for row in ranks), *(row.chain for row in flows))
        ),
    }
