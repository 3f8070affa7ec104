"""What people say of a pair, from the messages that are kept. Nothing is fetched here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from django.core.cache import cache
from django.db.models import Count

from apps.domain.estimate import Estimate
from apps.domain.market import Listing, PairFacts
from apps.intelligence.logic.mentions import signature_from_text
from apps.intelligence.logic.social import (
    BURST_BIN_S,
    BURST_BINS,
    MESSAGES_MAX,
    WINDOW_S,
    Message,
    crowd,
)
from apps.intelligence.logic.social_estimates import crowd_estimates, estimates_unknown
from apps.intelligence.models import SocialMention, SocialSourceState
from apps.state.kept import kept_for

_BPS = 10_000
_YOUNG_S = 86_400
_PEERS_KEY, _PEERS_KEPT_S = "social/peers-rate", 60
_FIELDS = (
    "match",
    "message__author",
    "message__sent_at",
    "message__score_bps",
    "message__bot_bps",
    "message__account_age_s",
    "message__signature",
)


def social_estimates(
    *,
    listing: Listing,  # the seam all parts of the intelligence share
    facts: PairFacts,
    pair_id: int,
    now_ms: int,
) -> tuple[Estimate, ...]:
    """Return sentiment, effective authors, bot share, coordination and burst of a pair; two short queries, a third once a minute."""
    now = datetime.fromtimestamp(now_ms / 1_000, tz=UTC)
    messages = _messages(pair_id, now)
    states = _source_states()
    listening = [name for name, state in states.items() if state == "up"]
    silent = [name for name, state in states.items() if state not in ("up", "not_configured")]
    if not listening and not messages:
        return estimates_unknown(_nobody_listens(silent), now_ms=now_ms)
    seen = crowd(messages, now_ms=now_ms, peers_rate=peers_rate(now=now))
    return crowd_estimates(seen, now_ms=now_ms, silent=silent)


@kept_for(2.0)
def _source_states() -> dict[str, str]:
    return dict(SocialSourceState.objects.values_list("source", "state"))


def peers_rate(*, now: datetime) -> float | None:
    """Return how many messages in five minutes a young pair that is spoken of gets, a minute old at most; None: none is."""
    kept = cache.get(_PEERS_KEY)
    if kept is None:
        rows = SocialMention.objects.filter(
            sent_at__gt=now - timedelta(seconds=WINDOW_S),
            sent_at__lte=now,
            pair__created_block_at__gte=now - timedelta(seconds=_YOUNG_S),
        ).aggregate(messages=Count("pk"), pairs=Count("pair", distinct=True))
        bins = WINDOW_S / BURST_BIN_S
        kept = rows["messages"] / (rows["pairs"] * bins) if rows["pairs"] else 0.0
        cache.set(_PEERS_KEY, kept, _PEERS_KEPT_S)
    return float(kept) or None


def _messages(pair_id: int, now: datetime) -> list[Message]:
    rows = SocialMention.objects.filter(
        pair_id=pair_id, sent_at__gt=now - timedelta(seconds=BURST_BIN_S * BURST_BINS), sent_at__lte=now
    ).order_by("-sent_at")
    return [
        Message(
            author=author,
            at_ms=int(sent_at.timestamp() * 1_000),
            score=None if score is None else score / _BPS,
            bot=None if bot is None else bot / _BPS,
            account_age_s=age,
            signature=signature_from_text(signature),
            by_address=match == "address",
        )
        for match, author, sent_at, score, bot, age, signature in rows.values_list(*_FIELDS)[:MESSAGES_MAX]
    ]


def _nobody_listens(silent: list[str]) -> str:
    if silent:
        return f"no social source can be read now ({', '.join(sorted(silent))})"
    return "no social source is configured"
