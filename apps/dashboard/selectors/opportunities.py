"""The queue of opportunities: ranked, filtered, with what speaks for and against each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Q, QuerySet

from apps.dashboard.asks import Ask
from apps.dashboard.selectors.chains import ChainLabel, chain_label, chain_labels
from apps.domain.money import BPS_ONE
from apps.domain.verdict import ScoreCard
from apps.trading.models import Opportunity, OpportunityStatus
from apps.trading.reading.opportunities import (
    ENDED,
    OPEN,
    SOURCES,
    newest_cards,
    opportunities_filtered,
    score_threshold_bps,
    state_of,
)

__all__ = [
    "SORTS",
    "SOURCES",
    "TABS",
    "OpportunityRow",
    "newest_cards",
    "opportunity_rows",
    "opportunity_tabs",
    "refusal_codes",
    "score_threshold_bps",
    "state_of",
]

ROWS_PER_PAGE = 50
CODES_MAX = 40
#: Tab -> its word and what it holds.
TABS: dict[str, tuple[str, Q]] = {
    "": ("All", Q()),
    "new": ("New", Q(status__in=OPEN, skip_code="")),
    "watched": ("Watched", Q(status__in=OPEN) & ~Q(skip_code="")),
    "bought": ("Bought", Q(status=OpportunityStatus.ENTERED)),
    "refused": ("Refused", Q(status__in=ENDED)),
}
#: Sort -> its word and order. The id closes every order, so that pages do not overlap.
SORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("Newest first", ("-id",)),
    "score": ("Best score first", ("-score_bps", "-id")),
    "changed": ("Changed last first", ("-updated_at", "-id")),
    "oldest": ("Oldest first", ("id",)),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpportunityRow:
    """An opportunity as its row shows it. ``state`` is "new", "watching", "bought" or "refused"."""

    item: Opportunity  # with its pair and tokens
    chain: ChainLabel
    state: str
    why: str
    card: ScoreCard | None = None  # of its newest verdict

    @property
    def score_low_bps(self) -> int | None:
        """Return what the score could fall to once all is known, None when there is no score."""
        high = None if self.card is None else self.card.risk.high_bps
        return None if high is None else BPS_ONE - high

    @property
    def score_high_bps(self) -> int | None:
        """Return what the score could rise to once all is known, None when there is no score."""
        low = None if self.card is None else self.card.risk.low_bps
        return None if low is None else BPS_ONE - low


def opportunity_rows(ask: Ask) -> dict[str, Any]:
    """Return a page of rows and what the filters offer."""
    labels = chain_labels()
    _, order = SORTS.get(ask.get("sort"), SORTS[""])
    rows = _filtered(ask).filter(TABS.get(ask.get("tab"), TABS[""])[1])
    if ask.get("sort") == "score":
        rows = rows.exclude(score_bps=None)
    pages = Paginator(rows.select_related("pair__base", "pair__quote").order_by(*order), ROWS_PER_PAGE)
    page: Page[Opportunity] = pages.get_page(ask.page)
    cards = newest_cards([item.trace_id for item in page.object_list])
    return {
        "page_obj": page,
        "rows": [_row(item, labels, cards.get(item.trace_id)) for item in page.object_list],
        "threshold_bps": score_threshold_bps(),
    }


def opportunity_tabs(ask: Ask) -> dict[str, Any]:
    """Return how many opportunities stand in each tab, under the present filters."""
    counts = _filtered(ask).aggregate(
        **{
            name or "all": Count("pk", filter=held) if name else Count("pk")
            for name, (_, held) in TABS.items()
        }
    )
    return {"tabs": [(name, word, counts[name or "all"]) for name, (word, _) in TABS.items()]}


def refusal_codes() -> list[str]:
    """Return the codes that opportunities were refused for, most frequent first."""
    rows = Opportunity.objects.exclude(skip_code="").order_by().values("skip_code").annotate(n=Count("pk"))
    return [row["skip_code"] for row in rows.order_by("-n", "skip_code")[:CODES_MAX]]


def _filtered(ask: Ask) -> QuerySet[Opportunity]:
    source = ask.get("source")
    return opportunities_filtered(
        chain_key=ask.get("chain"),
        source=source if source in SOURCES else "",
        code=ask.get("code"),
        wanted=ask.get("q").strip(),
    )


def _row(item: Opportunity, labels: dict[str, ChainLabel], card: ScoreCard | None) -> OpportunityRow:
    why = item.skip_explanation
    if not why and item.status == OpportunityStatus.EXPIRED:
        why = "Nobody could look at it in time."
    return OpportunityRow(
        item=item,
        chain=chain_label(labels, item.pair.chain_key),
        state=state_of(item),
        why=why,
        card=card,
    )
