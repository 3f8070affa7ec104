"""Keeps what outside services say of tokens, and says it again as estimates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from apps.domain.errors import SniperError
from apps.domain.estimate import Estimate
from apps.domain.ids import ChainKey
from apps.domain.market import Listing, PairFacts
from apps.domain.opinion import Opinion, OpinionSource
from apps.intelligence.logic import opinions
from apps.intelligence.models import OutsideOpinion

#: What a service says of a new token changes within minutes: owners open trading, services finish their look.
KEPT_FOR = timedelta(minutes=5)
#: A token that a service does not know yet is asked about again soon; new ones are unknown for minutes.
KEPT_WITHOUT_VERDICT_FOR = timedelta(seconds=30)
#: Nobody asks a service again while somebody else's question may still be under way.
ASKED_AGAIN_AFTER = timedelta(seconds=15)
FORGOTTEN_AFTER = timedelta(days=30)
_REASON_CHARS_MAX = 300
_PRUNED_AT_ONCE_MAX = 5_000


def opinions_due(
    *, sources: Mapping[str, OpinionSource], chain_key: str, token: str, now: datetime
) -> tuple[str, ...]:
    """Return the names of the services that know the chain and whose answer on the token is missing or too old."""
    covering = [name for name, source in sources.items() if source.covers(chain_key)]
    if not covering:
        return ()
    rests = Q(expires_at__gt=now) | Q(asked_at__gt=now - ASKED_AGAIN_AFTER)
    resting = set(_rows(chain_key, token).filter(rests, source__in=covering).values_list("source", flat=True))
    return tuple(name for name in covering if name not in resting)


def opinion_claim(*, source: str, chain_key: str, token: str, now: datetime) -> bool:
    """Tell whether the caller is the one to ask this service about this token now."""
    _, is_new = OutsideOpinion.objects.get_or_create(
        chain_key=chain_key,
        token_address=_comparable(chain_key, token),
        source=source,
        defaults={"asked_at": now, "expires_at": now},
    )
    if is_new:
        return True
    due = _rows(chain_key, token).filter(source=source, asked_at__lte=now - ASKED_AGAIN_AFTER)
    return bool(due.update(asked_at=now))


def opinion_store(*, source: str, opinion: Opinion, now: datetime) -> None:
    """Keep an answer until it is too old. An answer without a verdict leaves earlier warnings as they are."""
    kept_for = KEPT_WITHOUT_VERDICT_FOR if opinion.failure else KEPT_FOR
    changes = {
        "asked_at": now,
        "expires_at": now + kept_for,
        "failure": opinion.failure[:_REASON_CHARS_MAX],
    }
    if opinion.has_verdict:
        changes |= {"fetched_at": now, "fields": opinions.opinion_to_json(opinion)}
    OutsideOpinion.objects.update_or_create(
        chain_key=opinion.chain_key,
        token_address=_comparable(opinion.chain_key, opinion.token),
        source=source,
        defaults=changes,
    )


def opinion_failed(*, source: str, chain_key: str, token: str, error: SniperError, now: datetime) -> None:
    """Keep why a service gave no answer; what it said before stays."""
    bare = Opinion(
        source=source, chain_key=ChainKey(chain_key), token=token, failure=str(error) or error.code
    )
    opinion_store(source=source, opinion=bare, now=now)


def opinions_estimates(
    *,
    sources: Mapping[str, OpinionSource],
    listing: Listing,
    facts: PairFacts,
    now_ms: int,
) -> tuple[Estimate, ...]:
    """Return what the configured services say of the listing's token; nothing when none of them knows the chain."""
    chain_key = listing.base.chain_key
    covering = {name: source for name, source in sources.items() if source.covers(chain_key)}
    if not covering:
        return ()
    rows = {row.source: row for row in _rows(chain_key, listing.base.address).filter(source__in=covering)}
    answers = [_answer(source.name, rows.get(name), now_ms) for name, source in covering.items()]
    return opinions.estimates(answers, facts=facts, now_ms=now_ms)


def opinions_prune() -> int:
    """Delete what nobody asked for in a month, some thousand at once; return how many."""
    old = OutsideOpinion.objects.filter(expires_at__lt=timezone.now() - FORGOTTEN_AFTER)
    with transaction.atomic():
        keys = list(old.order_by("expires_at").values_list("pk", flat=True)[:_PRUNED_AT_ONCE_MAX])
        count, _ = OutsideOpinion.objects.filter(pk__in=keys).delete()
    return count


def _answer(name: str, row: OutsideOpinion | None, now_ms: int) -> opinions.Answer:
    if row is None or not row.fields:
        why = "it was not asked yet" if row is None else row.failure or "it has not answered yet"
        return opinions.Answer(source=name, opinion=None, fetched_at_ms=now_ms, is_fresh=False, why=why)
    opinion = opinions.opinion_from_json(
        row.fields, source=name, chain_key=row.chain_key, token=row.token_address, failure=row.failure
    )
    assert row.fetched_at is not None, row.pk
    return opinions.Answer(
        source=name,
        opinion=opinion,
        fetched_at_ms=_ms(row.fetched_at),
        is_fresh=now_ms < _ms(row.expires_at),
    )


def _rows(chain_key: str, token: str) -> QuerySet[OutsideOpinion]:
    return OutsideOpinion.objects.filter(chain_key=chain_key, token_address=_comparable(chain_key, token))


def _comparable(chain_key: str, token: str) -> str:
    return token.lower() if chain_key.startswith("eip155:") else token


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
