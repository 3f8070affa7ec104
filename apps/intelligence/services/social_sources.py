"""Reads the social sources within their budgets and keeps what they brought; a source that fails comes back by itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from django.db import transaction

from apps.chains.evm.abi import checksum
from apps.chains.selectors import chain_profiles
from apps.discovery.models import Pair, Token
from apps.domain.config import Social
from apps.domain.errors import (
    RateLimitedError,
    SniperError,
    SourceBlockedError,
    SourceExhaustedError,
)
from apps.domain.ids import PairKey, pair_key_of
from apps.intelligence.logic.bots import account_to_json, age_s
from apps.intelligence.logic.mentions import (
    addresses_in,
    askable_cashtag,
    author_key,
    cashtags_in,
    signature_to_text,
    unique_symbols,
)
from apps.intelligence.logic.sentiment import Opinion
from apps.intelligence.logic.social import signature_of
from apps.intelligence.models import SocialMention, SocialMessage, SocialSourceState
from apps.intelligence.scorers import message_opinions, scorer_prepare, shipped_bots
from apps.intelligence.sources.social.port import TEXT_KEPT_MAX, Post, Reading, SocialSource, Topic

logger = logging.getLogger(__name__)

State = Literal["up", "down", "blocked", "out_of_budget", "not_configured"]
TOPICS_MAX = 30
POSTS_PER_POLL_MAX = 1_000
PAIRS_PER_TOKEN_MAX = 5
YOUNG_TOKENS_MAX = 2_000
#: Messages that name an address before its pair is known are looked at again for so long.
UNMATCHED_FOR = timedelta(hours=1)
UNMATCHED_MAX = 500
REST_FIRST_S, REST_MAX_S = 15.0, 1_800.0
REST_BLOCKED_S = 900.0
_BPS = 10_000
_REASON_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """What one poll of all sources did. ``faults``: by source, what went wrong; ``recovered``: up again."""

    stored: int
    faults: Mapping[str, SniperError]
    recovered: tuple[str, ...]


def sources_poll(
    *,
    sources: Sequence[SocialSource],
    not_configured: Mapping[str, str],
    config: Social,
    now: datetime,
) -> PollReport:
    """Read every source that is due and keep what is new. ``not_configured``: source -> what would switch it on."""
    for name, remedy in not_configured.items():
        _state_set(_state_of(name, now), state="not_configured", reason=remedy, now=now)
    stored, faults, recovered = 0, {}, []
    young = _young_tokens(config, now)
    for source in sources:
        row = _state_of(source.name, now)
        if row.next_try_at is not None and row.next_try_at > now:
            continue
        was = row.state
        left = _budget_left(row, source, now)
        try:
            if left is not None and left <= 0:
                raise SourceExhaustedError(
                    "Today's budget is spent.", remedy="It is read again tomorrow (UTC)."
                )
            scorer_prepare()
            reading = source.read(cursor=row.cursor, topics=_topics(young), budget_left=left, now_ms=_ms(now))
        except SniperError as error:
            _failed(row, source, error, now)
            faults[source.name] = error
            continue
        stored += _keep(row, source, reading, young, now)
        if was not in ("up", "not_configured"):
            recovered.append(source.name)
    if stored or sources:
        _match_late(young, now)
    return PollReport(stored=stored, faults=faults, recovered=tuple(recovered))


def messages_prune(*, before: datetime) -> int:
    """Delete messages received before this moment, with their mentions. Return how many."""
    return (
        SocialMessage.objects.filter(received_at__lt=before).delete()[1].get("intelligence.SocialMessage", 0)
    )


# -- what we want to hear about ------------------------------------------------------------
@dataclass(frozen=True, slots=True, kw_only=True)
class _Young:
    """Tokens of young pairs, newest first, and the symbols that only one of them has."""

    tokens: Sequence[tuple[int, str, str]]  # row, address, symbol
    unique: Mapping[str, int]  # upper-case symbol -> token row


def _young_tokens(config: Social, now: datetime) -> _Young:
    rows = (
        Pair.objects.filter(
            created_block_at__gte=now - timedelta(seconds=config.young_pair_s), removed_at=None
        )
        .order_by("-pk")
        .values_list("base_id", "base__address", "base__symbol")[:YOUNG_TOKENS_MAX]
    )
    tokens = list(dict.fromkeys(rows))
    return _Young(tokens=tokens, unique=unique_symbols((row, symbol) for row, _, symbol in tokens))


def _topics(young: _Young) -> tuple[Topic, ...]:
    return tuple(
        Topic(address=address, cashtag=askable_cashtag(symbol, young.unique))
        for _, address, symbol in young.tokens[:TOPICS_MAX]
    )


# -- how a source stands -------------------------------------------------------------------
def _state_of(name: str, now: datetime) -> SocialSourceState:
    return SocialSourceState.objects.get_or_create(
        source=name, defaults={"state": "down", "reason": "It was not read yet.", "since": now}
    )[0]


def _state_set(row: SocialSourceState, *, state: State, reason: str, now: datetime) -> None:
    """Keep the state; ``since`` moves only when it changes."""
    reason = reason[:_REASON_MAX]
    if (row.state, row.reason) == (state, reason) and state == "not_configured":
        return
    row.since = row.since if row.state == state else now
    row.state, row.reason, row.checked_at = state, reason, now
    row.save()


def _failed(row: SocialSourceState, source: SocialSource, error: SniperError, now: datetime) -> None:
    """Note why a source was not read and when it is tried again: later each time, tomorrow when the budget is spent."""
    row.failures += 1
    rest_s = min(REST_FIRST_S * 2 ** min(row.failures - 1, 10), REST_MAX_S)
    state: State = "down"
    if isinstance(error, SourceExhaustedError):
        state = "out_of_budget"
        row.next_try_at = _tomorrow(now)
    else:
        if isinstance(error, SourceBlockedError):
            state, rest_s = "blocked", max(rest_s, REST_BLOCKED_S)
        elif isinstance(error, RateLimitedError):
            rest_s = max(rest_s, source.poll_every_s)
        row.next_try_at = now + timedelta(seconds=rest_s)
    _state_set(row, state=state, reason=f"{error} {error.remedy}".strip(), now=now)


def _budget_left(row: SocialSourceState, source: SocialSource, now: datetime) -> int | None:
    if source.daily_budget is None:
        return None
    today = now.astimezone(UTC).date()
    if row.budget_day != today:
        row.budget_day, row.budget_used = today, 0
    return source.daily_budget - row.budget_used


def _tomorrow(now: datetime) -> datetime:
    return (now.astimezone(UTC) + timedelta(days=1)).replace(hour=0, minute=1, second=0, microsecond=0)


# -- what it brought ------------------------------------------------------------------------
def _keep(
    row: SocialSourceState, source: SocialSource, reading: Reading, young: _Young, now: datetime
) -> int:
    """Keep messages and cursor together: a cursor never runs ahead of what was kept."""
    posts = {
        f"{source.name}/{post.channel}/{post.id}"[:160]: post for post in reading.posts[-POSTS_PER_POLL_MAX:]
    }
    opinions, note = _scored(posts)  # slow: before the database waits
    with transaction.atomic():
        stored = _store(source, reading, posts, opinions, young, now)
        row.cursor = dict(reading.cursor)
        row.failures = 0
        row.budget_used += reading.spent
        row.messages_total += stored
        row.next_try_at = now + timedelta(seconds=max(source.poll_every_s, reading.rest_s))
        state: State = "up"
        if reading.is_exhausted:
            state, row.next_try_at = "out_of_budget", _tomorrow(now)
        _state_set(row, state=state, reason=f"{reading.note} {note}".strip(), now=now)
    return stored


def _scored(posts: Mapping[str, Post]) -> tuple[Mapping[str, Opinion | None], str]:
    """Return the opinions in messages, and what kept them from being told: what was read and paid for is kept anyway."""
    try:
        scored = message_opinions([_clean(post.text) for post in posts.values()])
    except SniperError as error:
        logger.warning("messages were not scored", extra={"code": error.code, "error": str(error)})
        return dict.fromkeys(posts), f"Its messages were not scored: {error} {error.remedy}"
    return dict(zip(posts, scored, strict=True)), ""


def _store(
    source: SocialSource,
    reading: Reading,
    posts: Mapping[str, Post],
    opinions: Mapping[str, Opinion | None],
    young: _Young,
    now: datetime,
) -> int:
    """Store what is new and what it speaks of. Return how many messages."""
    known = set(SocialMessage.objects.filter(dedup_key__in=posts).values_list("dedup_key", flat=True))
    fresh = {key: post for key, post in posts.items() if key not in known}
    if not fresh:
        return 0
    rows = [
        _row(source, key, post, opinions[key], is_simulated=reading.is_simulated, now=now)
        for key, post in fresh.items()
    ]
    SocialMessage.objects.bulk_create(rows, ignore_conflicts=True)
    _match(list(SocialMessage.objects.filter(dedup_key__in=fresh)), young)
    return len(fresh)


def _row(
    source: SocialSource,
    key: str,
    post: Post,
    opinion: Opinion | None,
    *,
    is_simulated: bool,
    now: datetime,
) -> SocialMessage:
    text = _clean(post.text)
    sent_at_ms = min(post.sent_at_ms, _ms(now))
    bot = shipped_bots().account_chance(post.account, at_ms=sent_at_ms)
    return SocialMessage(
        source=source.name,
        channel=post.channel[:80],
        dedup_key=key,
        author=author_key(source.name, post.author_id),
        account=account_to_json(post.account),
        text=text if source.keeps_text else "",
        addresses=addresses_in(text),
        cashtags=cashtags_in(text),
        signature=signature_to_text(signature_of(text)),
        score_bps=None if opinion is None else opinion.score_bps,
        bot_bps=None if bot is None else round(bot * _BPS),
        account_age_s=age_s(post.account, at_ms=sent_at_ms),
        is_simulated=is_simulated,
        sent_at=datetime.fromtimestamp(sent_at_ms / 1_000, tz=UTC),
        received_at=now,
    )


def _clean(text: str) -> str:
    """Return a text of bounded length without what a database or a page cannot hold."""
    return "".join(
        character for character in text[:TEXT_KEPT_MAX] if character.isprintable() or character in "\n\t"
    )


# -- what it speaks of ----------------------------------------------------------------------
def _match(messages: Sequence[SocialMessage], young: _Young) -> int:
    """Note of which pairs these messages speak: by address of token or pool, else by a cashtag that is unique."""
    by_address = _pairs_by_address({address for item in messages for address in item.addresses})
    wanted = {young.unique[tag] for item in messages for tag in item.cashtags if tag in young.unique}
    by_token = _pairs_of_tokens(wanted)
    mentions: dict[tuple[int, int], SocialMention] = {}
    for item in messages:
        found: list[tuple[int, str]] = [
            (pair, "address") for address in item.addresses for pair in by_address.get(address, ())
        ]
        if not item.addresses:
            found = [
                (pair, "cashtag")
                for tag in item.cashtags
                if tag in young.unique
                for pair in by_token.get(young.unique[tag], ())
            ]
        for pair, match in found:
            mentions[item.pk, pair] = SocialMention(
                message_id=item.pk, pair_id=pair, match=match, sent_at=item.sent_at
            )
    SocialMention.objects.bulk_create(mentions.values(), ignore_conflicts=True)
    return len(mentions)


def _match_late(young: _Young, now: datetime) -> None:
    """Look again at messages that named an address when nobody knew the pair: talk often comes first."""
    if not young.tokens:
        return
    waiting = (
        SocialMessage.objects.filter(received_at__gte=now - UNMATCHED_FOR, mentions=None)
        .exclude(addresses=[])
        .order_by("-pk")[:UNMATCHED_MAX]
    )
    _match(list(waiting), young)


def _pairs_by_address(addresses: set[str]) -> dict[str, list[int]]:
    """Return the pairs whose token or pool stands at each address, on any chain, newest first."""
    if not addresses:
        return {}
    chains = [profile.chain_key for profile in chain_profiles()]
    written = {address: checksum(address) if address.startswith("0x") else address for address in addresses}
    plain = {text: address for address, text in written.items()}
    tokens = dict(Token.objects.filter(chain_key__in=chains, address__in=plain).values_list("pk", "address"))
    found: dict[str, list[int]] = {}
    for token, pairs in _pairs_of_tokens(set(tokens)).items():
        found.setdefault(plain[tokens[token]], []).extend(pairs)
    pools = {pair_key_of(chain, address): address for chain in chains for address in addresses}
    for pair, key in Pair.objects.filter(pair_key__in=pools, removed_at=None).values_list("pk", "pair_key"):
        found.setdefault(pools[PairKey(key)], []).append(pair)
    return found


def _pairs_of_tokens(tokens: set[int]) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    rows = Pair.objects.filter(base_id__in=tokens, removed_at=None).order_by("-pk")
    for pair, token in rows.values_list("pk", "base_id"):
        pairs = found.setdefault(token, [])
        if len(pairs) < PAIRS_PER_TOKEN_MAX:
            pairs.append(pair)
    return found


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000)
