"""Opportunities with what speaks for and against each."""

from __future__ import annotations

from collections.abc import Sequence

from django.db.models import Max, Q, QuerySet

from apps.domain.errors import SniperError
from apps.domain.verdict import ScoreCard
from apps.risk.logic.record import card_from_json
from apps.risk.models import VerdictRecord
from apps.state.services.config import active_config
from apps.trading.models import Opportunity, OpportunityStatus

OPEN = (OpportunityStatus.WAITING, OpportunityStatus.EVALUATING)
ENDED = (OpportunityStatus.REFUSED, OpportunityStatus.EXPIRED, OpportunityStatus.QUARANTINED)
SOURCES = ("chain", "dexscreener", "geckoterminal", "manual")


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
    if item.status in ENDED:
        return "refused"
    return "watching" if item.skip_code else "new"


def opportunities_filtered(
    *, chain_key: str = "", source: str = "", code: str = "", wanted: str = ""
) -> QuerySet[Opportunity]:
    """Return the opportunities that these filters let pass; "" filters nothing. ``wanted``: a name, address or trace."""
    rows = Opportunity.objects.all()
    if chain_key:
        rows = rows.filter(pair__chain_key=chain_key)
    if source:
        rows = rows.filter(source=source)
    if code:
        rows = rows.filter(skip_code=code)
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
