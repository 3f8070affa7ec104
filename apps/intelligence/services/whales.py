"""What large holders and first buyers of a pair do, as estimates; and alerts when a figure crosses its threshold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from apps.domain.config import Whales
from apps.domain.estimate import Estimate
from apps.domain.events import EventKind
from apps.domain.market import Listing, PairFacts
from apps.intelligence.logic import whales
from apps.intelligence.logic.crowd import Crowd
from apps.intelligence.models import WhaleAlert
from apps.intelligence.services.entities import PairPeople, people_read
from apps.state.services.events import event_record

#: A figure must fall this far below its threshold before a new crossing can count: no alert for every wobble.
_REARMED_BELOW = Decimal("0.8")
_ADDRESSES_SHOWN = 5


def whale_estimates(
    *,
    listing: Listing,
    facts: PairFacts,
    pair_id: int | None,
    now_ms: int,
    people: PairPeople | None = None,
) -> tuple[Estimate, ...]:
    """Return what is told of a pair's large holders and first buyers; what cannot be known is unknown, with why.

    Rests on the facts and on what is stored. ``now_ms`` is not used: figures are as of the facts' block. ``people`` spares
    reading them again.
    """
    del now_ms
    people = people or people_read(listing=listing, facts=facts, pair_id=pair_id)
    return whales.estimates(crowd_of(listing=listing, facts=facts, people=people))


def crowd_of(*, listing: Listing, facts: PairFacts, people: PairPeople) -> Crowd:
    """Return a pair's people with its pool, as the figures need them."""
    return Crowd(
        as_of_ms=facts.block.at_ms,
        created_ms=listing.created_block.at_ms,
        fee_bps=listing.fee_bps,
        entities=people.entities,
        trades=people.trades,
        moves=people.moves,
        holders=people.holders,
        supply_raw=facts.base_total_supply_raw,
        reserve_base_raw=None if facts.reserves is None else facts.reserves.base_raw,
        reserve_quote_raw=None if facts.reserves is None else facts.reserves.quote_raw,
        creator=people.creator,
        own_addresses=people.own_addresses,
        is_whole=people.is_whole,
        is_funding_known=people.is_funding_known,
        qualities=people.qualities,
        reasons={part: _words(why) for part, why in (facts.missing or {}).items()},
    )


def _words(reason: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in reason).strip()[:200]


# -- alerts -------------------------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class _Watched:
    code: str
    threshold_bps: int
    says: str  # with {percent}
    is_signed: bool = False  # beyond in either direction, and only when the interval excludes zero


def _watched(config: Whales) -> tuple[_Watched, ...]:
    return (
        _Watched(
            code="whale_distribution_bps",
            threshold_bps=config.distribution_alert_bps,
            says="large holders have sold {percent} % of what they held within the hour",
        ),
        _Watched(
            code="whale_accumulation_1h_bps",
            threshold_bps=config.accumulation_alert_bps,
            says="of what large holders traded within the hour, purchases exceed sales by {percent} %",
            is_signed=True,
        ),
        _Watched(
            code="hidden_concentration_bps",
            threshold_bps=config.hidden_concentration_alert_bps,
            says="the ten largest holders have {percent} % more of the supply than single addresses show",
        ),
        _Watched(
            code="bundle_share_bps",
            threshold_bps=config.bundle_share_alert_bps,
            says="wallets that bought together in the first block took {percent} % of the supply",
        ),
        _Watched(
            code="sniper_share_bps",
            threshold_bps=config.sniper_share_alert_bps,
            says="{percent} % of the supply were bought within the first seconds",
        ),
        _Watched(
            code="sybil_share_bps",
            threshold_bps=config.sybil_share_alert_bps,
            says="{percent} % of the buying addresses belong to somebody with several",
        ),
    )


def whale_alerts(
    *,
    listing: Listing,
    pair_id: int,
    estimates: Sequence[Estimate],
    people: PairPeople | None = None,
    config: Whales,
) -> int:
    """Record an event for each figure that has crossed its threshold since the last look; return how many.

    ``people`` names the addresses behind a figure. An unknown figure crosses nothing and re-arms nothing.
    """
    if not config.alerts:
        return 0
    by_code: Mapping[str, Estimate] = {item.code: item for item in estimates}
    given = 0
    with transaction.atomic():
        states = {row.code: row for row in WhaleAlert.objects.filter(pair_id=pair_id)}
        for item in _watched(config):
            estimate = by_code.get(item.code)
            if estimate is None or estimate.value is None:
                continue
            given += _crossed(item, estimate, states.get(item.code), listing, pair_id, people)
    return given


def _crossed(
    item: _Watched,
    estimate: Estimate,
    state: WhaleAlert | None,
    listing: Listing,
    pair_id: int,
    people: PairPeople | None,
) -> int:
    """Move one figure's state on; return 1 when that was a crossing, and an event was recorded."""
    value = estimate.value
    assert value is not None
    size = abs(value) if item.is_signed else value
    is_sure = not item.is_signed or _excludes_zero(estimate)
    is_beyond = size >= item.threshold_bps and is_sure
    was_beyond = state is not None and state.is_beyond
    if was_beyond and size >= item.threshold_bps * _REARMED_BELOW and is_sure:
        return 0
    if is_beyond == was_beyond:
        return 0
    changes = {"is_beyond": is_beyond, "value_bps": int(value), "changed_at": timezone.now()}
    if state is None:
        _, is_new = WhaleAlert.objects.get_or_create(
            pair_id=pair_id, code=item.code, defaults={**changes, "crossings": 1}
        )
        has_moved = is_new
    else:
        crossings = state.crossings + int(is_beyond)
        rows = WhaleAlert.objects.filter(pk=state.pk, is_beyond=was_beyond)
        has_moved = bool(rows.update(**changes, crossings=crossings))
    if not is_beyond or not has_moved:
        return 0
    event_record(
        kind=EventKind.WHALE_ACTIVITY_ALERT,
        trace_id=listing.trace_id,
        subject=f"pair:{pair_id}",
        summary=sentence(listing, item.says, estimate),
        payload=_payload(item, estimate, people),
    )
    return 1


def _excludes_zero(estimate: Estimate) -> bool:
    return estimate.low is not None and estimate.high is not None and (estimate.low > 0 or estimate.high < 0)


def sentence(listing: Listing, says: str, estimate: Estimate) -> str:
    """Return an alert in words, made from its figure alone."""
    assert estimate.value is not None
    text = says
    if estimate.value < 0:
        text = text.replace("purchases exceed sales", "sales exceed purchases")
    percent = f"{abs(estimate.value) / 100:.1f}"
    told = text.format(percent=percent)
    sure = f"{estimate.confidence * 100:.0f}"
    return f"{listing.base.symbol}/{listing.quote.symbol}: {told} (n={estimate.n}, confidence {sure} %)."


def _payload(item: _Watched, estimate: Estimate, people: PairPeople | None) -> dict[str, object]:
    found: dict[str, object] = {
        "code": item.code,
        "value_bps": str(estimate.value),
        "low_bps": str(estimate.low),
        "high_bps": str(estimate.high),
        "confidence": str(estimate.confidence),
        "n": estimate.n,
        "threshold_bps": item.threshold_bps,
    }
    if people is not None:
        found["entities"] = [
            {
                "members": list(entity.members[:_ADDRESSES_SHOWN]),
                "size": len(entity.members),
                "reasons": sorted({reason.code for reason in entity.reasons}),
                "evidence": [tx for reason in entity.reasons for tx in reason.evidence][:_ADDRESSES_SHOWN],
            }
            for entity in people.entities.merged[:_ADDRESSES_SHOWN]
        ]
    return found
