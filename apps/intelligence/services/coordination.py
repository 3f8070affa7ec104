"""Whether buyers of a pair act in concert, as estimates with evidence; and an event when the likelihood crosses its limit."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from apps.discovery.models import Pair, PoolTrade
from apps.domain.entities import Entities, Trade
from apps.domain.estimate import Estimate
from apps.domain.events import EventKind
from apps.domain.market import Listing, PairFacts
from apps.intelligence.fitting.pumps import shipped_model
from apps.intelligence.logic import early_buyers
from apps.intelligence.logic.coordination import EVIDENCE_MAX, Concert, concert, sentence
from apps.intelligence.logic.crash import crash_estimate
from apps.intelligence.logic.pumps import pump_report
from apps.intelligence.logic.wash import WashReport, wash_report
from apps.intelligence.models import WhaleAlert
from apps.intelligence.services.entities import PairPeople, people_read
from apps.intelligence.services.whales import crowd_of
from apps.state.services.events import event_record

CODE = "coordination_bps"
#: A likelihood must fall this far below its limit before a new crossing counts: no event for every wobble.
REARMED_BELOW = Decimal("0.8")
#: Transactions of suspected rings that are looked for in the token's other pools.
CROSS_POOL_MAX = 500
OTHER_POOLS_MAX = 20


def coordination_estimates(
    *,
    listing: Listing,
    facts: PairFacts,
    pair_id: int | None,
    now_ms: int,
    social: Estimate | None = None,
    people: PairPeople | None = None,
) -> tuple[Estimate, ...]:
    """Return crash_1h_bps, wash_share_low_bps, wash_share_high_bps, organic_volume_share_bps, price_elasticity_bps,
    pump_alarm and coordination_bps.

    Rests on the facts and on what is stored; ``now_ms`` is not used: figures are as of the facts' block.
    """
    del now_ms
    found = concert_read(listing=listing, facts=facts, pair_id=pair_id, social=social, people=people)
    return found.estimates


def concert_read(
    *,
    listing: Listing,
    facts: PairFacts,
    pair_id: int | None,
    social: Estimate | None = None,
    people: PairPeople | None = None,
) -> Concert:
    """Return everything that is told of concert, with the evidence.

    ``social`` is the estimate social_coordination_bps where one is known. ``people`` spares reading them again.
    """
    people = people or people_read(listing=listing, facts=facts, pair_id=pair_id)
    crowd = crowd_of(listing=listing, facts=facts, people=people)
    trades = crowd.trades or ()
    opening = early_buyers.opening(crowd)
    by_code = {item.code: item for item in early_buyers.estimates(crowd, held=None)}
    found = concert(
        crowd,
        wash=_wash(trades, people.entities, pair_id=pair_id),
        pumps=pump_report(trades, people.entities, reserves=facts.reserves),
        bundle=by_code.get("bundle_share_bps"),
        bundle_wallets=() if opening is None else opening.bundle,
        sybil=by_code.get("sybil_share_bps"),
        social=social,
    )
    return replace(found, estimates=(crash_estimate(crowd, shipped_model()), *found.estimates))


def _wash(trades: Sequence[Trade], entities: Entities, *, pair_id: int | None) -> WashReport:
    """Return the report; where it finds a ring, without transactions that traded in the token's other pools, too."""
    report = wash_report(trades, entities)
    if not report.groups or pair_id is None:
        return report
    suspects = list(dict.fromkeys(tx for group in report.groups for tx in group.transactions))
    cross_pool = _elsewhere(pair_id, suspects[:CROSS_POOL_MAX])
    return wash_report(trades, entities, cross_pool=cross_pool) if cross_pool else report


def _elsewhere(pair_id: int, tx_hashes: Sequence[str]) -> frozenset[str]:
    """Return which of these transactions traded in other pools of the pair's token."""
    own = Pair.objects.filter(pk=pair_id).values("base_id")[:1]
    others = Pair.objects.filter(Q(base_id__in=own) | Q(quote_id__in=own)).exclude(pk=pair_id)
    keys = list(others.order_by("-pk").values_list("pk", flat=True)[:OTHER_POOLS_MAX])
    if not keys:
        return frozenset()
    rows = PoolTrade.objects.filter(pair_id__in=keys, tx_hash__in=tx_hashes)
    return frozenset(rows.values_list("tx_hash", flat=True))


# -- the event ----------------------------------------------------------------------------
def concert_alert(*, listing: Listing, pair_id: int, found: Concert, limit_bps: int) -> bool:
    """Record COORDINATION_DETECTED when the likelihood has risen above the limit since the last look; tell whether.

    An unknown likelihood crosses nothing and re-arms nothing. ``limit_bps``: rules.coordination_max_bps.
    """
    likelihood = found.likelihood
    if likelihood.value is None:
        return False
    with transaction.atomic():
        if not _has_crossed(pair_id, int(likelihood.value), limit_bps):
            return False
        event_record(
            kind=EventKind.COORDINATION_DETECTED,
            trace_id=listing.trace_id,
            subject=f"pair:{pair_id}",
            summary=sentence(found, symbol=listing.base.symbol),
            payload=_payload(found, limit_bps),
        )
    return True


def _has_crossed(pair_id: int, value: int, limit_bps: int) -> bool:
    """Move the pair's state on; of two that see one crossing at once, one is told of it."""
    is_beyond = value > limit_bps
    state = WhaleAlert.objects.filter(pair_id=pair_id, code=CODE).first()
    changes = {"is_beyond": is_beyond, "value_bps": value, "changed_at": timezone.now()}
    if state is None:
        if not is_beyond:
            return False
        _, is_new = WhaleAlert.objects.get_or_create(
            pair_id=pair_id, code=CODE, defaults={**changes, "crossings": 1}
        )
        return is_new
    if is_beyond == state.is_beyond or (state.is_beyond and value >= limit_bps * REARMED_BELOW):
        return False
    rows = WhaleAlert.objects.filter(pk=state.pk, is_beyond=state.is_beyond)
    return bool(rows.update(**changes, crossings=state.crossings + int(is_beyond))) and is_beyond


def _payload(found: Concert, limit_bps: int) -> dict[str, object]:
    likelihood = found.likelihood
    return {
        "likelihood_bps": str(likelihood.value),
        "low_bps": str(likelihood.low),
        "high_bps": str(likelihood.high),
        "confidence": str(likelihood.confidence),
        "n": likelihood.n,
        "limit_bps": limit_bps,
        "parts": [
            {
                "code": part.code,
                "likelihood_bps": part.likelihood_bps,
                "reason": part.reason,
                "addresses": list(part.addresses[:EVIDENCE_MAX]),
                "transactions": list(part.transactions[:EVIDENCE_MAX]),
            }
            for part in found.parts
            if part.likelihood_bps > 0
        ],
    }
