"""The queue of opportunities: ranked, filtered, with what speaks for and against each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, Q, QuerySet

from apps.dashboard.asks import Ask
from apps.dashboard.selectors.chains import ChainLabel, chain_label, chain_labels
from apps.domain.errors import SniperError
from apps.domain.money import BPS_ONE
from apps.domain.verdict import ScoreCard
from apps.risk.logic.record import card_from_json
from apps.risk.models import VerdictRecord
from apps.state.services.config import active_config
from apps.trading.models import Opportunity, OpportunityStatus

ROWS_PER_PAGE = 50
CODES_MAX = 40
_OPEN = (OpportunityStatus.WAITING, OpportunityStatus.EVALUATING)
_ENDED = (OpportunityStatus.REFUSED, OpportunityStatus.EXPIRED, OpportunityStatus.QUARANTINED)
#: Tab -> its word and what it holds.
TABS: dict[str, tuple[str, Q]] = {
    "": ("All", Q()),
    "new": ("New", Q(status__in=_OPEN, skip_code="")),
    "watched": ("Watched", Q(status__in=_OPEN) & ~Q(skip_code="")),
    "bought": ("Bought", Q(status=OpportunityStatus.ENTERED)),
    "refused": ("Refused", Q(status__in=_ENDED)),
}
#: Sort -> its word and order. The id closes every order, so that pages do not overlap.
SORTS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("Newest first", ("-id",)),
    "score": ("Best score first", ("-score_bps", "-id")),
    "changed": ("Changed last first", ("-updated_at", "-id")),
    "oldest": ("Oldest first", ("id",)),
}
SOURCES = ("chain", "dexscreener", "geckoterminal", "manual")


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


def score_threshold_bps() -> int | None:
    """Return the least score for an entry in the active configuration."""
    try:
        return active_config().config.entry.score_min_bps
    except SniperError:
        return None


def state_of(item: Opportunity) -> str:
    """Return the word of an opportunity's state."""
    if item.status == OpportunityStatus.ENTERED:
        return "bought"
    if item.status in _ENDED:
        return "refused"
    return "watching" if item.skip_code else "new"


def _filtered(ask: Ask) -> QuerySet[Opportunity]:
    rows = Opportunity.objects.all()
    if ask.get("chain"):
        rows = rows.filter(pair__chain_key=ask.get("chain"))
    if ask.get("source") in SOURCES:
        rows = rows.filter(source=ask.get("source"))
    if ask.get("code"):
        rows = rows.filter(skip_code=ask.get("code"))
    wanted = ask.get("q").strip()
    if wanted:
        rows = rows.filter(
            Q(pair__base__symbol__icontains=wanted)
            | Q(pair__base__name__icontains=wanted)
            | Q(pair__base__address__iexact=wanted)
            | Q(pair__pool_address__iexact=wanted)
            | Q(pair__creator__iexact=wanted)
            | Q(trace_id=wanted)
        )
    return rows


def newest_cards(trace_ids: Sequence[str]) -> dict[str, ScoreCard]:
    """Return the score card of each trace's newest verdict; none for those of before there were cards."""
    rows = VerdictRecord.objects.filter(trace_id__in=trace_ids).order_by().values("trace_id")
    newest = rows.annotate(newest=Max("pk")).values("newest")
    kept = VerdictRecord.objects.filter(pk__in=newest).exclude(card=None).values_list("trace_id", "card")
    return {trace_id: card_from_json(card) for trace_id, card in kept if card}


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
