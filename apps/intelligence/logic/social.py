"""What people together say of a pair, and whether they act together: pure, from messages that are already scored.

Near-duplicates count once, an author's repetitions count less each, young accounts and likely bots weigh little. Below
eight effective authors nothing is said about sentiment. Source of the formulas: the sentiment of weighted authors with
its interval by the effective number, MinHash (Broder 1997), co-posting (Pacheco and others, ICWSM 2021).
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from itertools import combinations

#: Sentiment rests on the messages of so long.
WINDOW_S = 3_600
#: Below so many effective authors sentiment is unknown.
AUTHORS_MIN = 8
#: Bot share and coordination are shares of messages and need fewer.
MESSAGES_MIN = 8
MESSAGES_MAX = 2_000  # newest first; more are not looked at
SAME_JACCARD = 0.7
FULL_AGE_S = 30 * 86_400  # an older account weighs no more
#: What an account weighs whose age or nature the source does not tell: half.
UNTOLD = 0.5
BOT_CHANCE = 0.5
CASHTAG_WEIGHT = 0.5  # it may speak of another token of that name
CO_POSTING_S, CO_POSTING_TIMES = 60, 3
_CO_POSTERS_MAX = 60  # in one minute: in a larger crowd coincidence is certain
BURST_BIN_S, BURST_BINS = 300, 288  # five minutes, over a day
BURST_HALF_LIFE_BINS = 36.0
_BURST_HISTORY_MIN = 6
_RATE_MIN = 0.05  # messages a bin expected at least, so that one message is no burst of infinite size

SIGNATURE_SIZE = 32
_SHINGLE = 4  # characters
_SHINGLES_MAX = 600
_BANDS = 8  # of four values: pairs of Jaccard 0.7 meet in one of them in 89 of 100 cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message about a pair. ``score`` is praise less blame, -1..1, None when it says nothing; ``bot`` None: not told."""

    author: str
    at_ms: int
    score: float | None
    bot: float | None
    account_age_s: int | None
    signature: tuple[int, ...]  # empty: too short to compare
    by_address: bool  # it names the contract, not only the ticker


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """What a window of messages shows. None: too few to say.

    ``sentiment`` -1..1 with 95 % bounds; ``bot_share`` and ``coordination`` 0..1; ``burst_z`` deviations of the last five
    minutes from what was usual.
    """

    messages: int
    authors: int
    authors_effective: float
    sentiment: tuple[float, float, float] | None  # value, low, high
    bot_share: float | None
    bots_told: int  # messages whose account is told
    coordination: float | None
    burst_z: float | None
    burst_expected: float | None


def crowd(messages: Sequence[Message], *, now_ms: int, peers_rate: float | None = None) -> Crowd:
    """Return what these messages show at ``now_ms``; later ones are not looked at.

    ``peers_rate``: messages in five minutes that young pairs get on average, where this one has no history of its own.
    """
    told = sorted(
        (item for item in messages if item.at_ms <= now_ms), key=lambda item: (-item.at_ms, item.author)
    )[:MESSAGES_MAX]
    window = [item for item in told if item.at_ms > now_ms - WINDOW_S * 1_000]
    clusters = near_duplicates(window)
    weights = author_weights(window, clusters)
    effective = _effective(window, weights)
    bots = [item.bot for item in window if item.bot is not None]
    burst, expected = burst_z([item.at_ms for item in told], now_ms=now_ms, peers_rate=peers_rate)
    return Crowd(
        messages=len(window),
        authors=len({item.author for item in window}),
        authors_effective=effective,
        sentiment=_sentiment(window, weights) if effective >= AUTHORS_MIN else None,
        bot_share=sum(bot >= BOT_CHANCE for bot in bots) / len(bots) if len(bots) >= MESSAGES_MIN else None,
        bots_told=len(bots),
        coordination=coordination(window, clusters) if len(window) >= MESSAGES_MIN else None,
        burst_z=burst,
        burst_expected=expected,
    )


# -- weights ------------------------------------------------------------------------------
def author_weights(messages: Sequence[Message], clusters: Sequence[int]) -> list[float]:
    """Return each message's weight: (1 - bot) · min(1, age/30 days) / √n of its author; of a cluster the heaviest counts."""
    counts = Counter(item.author for item in messages)
    weights = [_weight(item, counts[item.author]) for item in messages]
    heaviest: dict[int, int] = {}
    for place, cluster in enumerate(clusters):
        best = heaviest.get(cluster)
        if best is None or weights[place] > weights[best]:
            heaviest[cluster] = place
    return [
        weight if heaviest[cluster] == place else 0.0
        for place, (weight, cluster) in enumerate(zip(weights, clusters, strict=True))
    ]


def _weight(message: Message, count: int) -> float:
    human = UNTOLD if message.bot is None else 1 - message.bot
    age = UNTOLD if message.account_age_s is None else min(message.account_age_s / FULL_AGE_S, 1.0)
    match = 1.0 if message.by_address else CASHTAG_WEIGHT
    return human * age * match / math.sqrt(count)


def _effective(messages: Sequence[Message], weights: Sequence[float]) -> float:
    """Return the effective number of authors with an opinion: (Σw)²/Σw² over each author's whole weight."""
    by_author: defaultdict[str, float] = defaultdict(float)
    for message, weight in zip(messages, weights, strict=True):
        if message.score is not None:
            by_author[message.author] += weight
    squares = sum(weight * weight for weight in by_author.values())
    total = sum(by_author.values())
    return total * total / squares if squares > 0 else 0.0


def _sentiment(messages: Sequence[Message], weights: Sequence[float]) -> tuple[float, float, float]:
    """Return the weighted mean of the authors' opinions with its 95 % interval."""
    sums: defaultdict[str, float] = defaultdict(float)
    by_author: defaultdict[str, float] = defaultdict(float)
    for message, weight in zip(messages, weights, strict=True):
        if message.score is not None:
            by_author[message.author] += weight
            sums[message.author] += weight * message.score
    total = sum(by_author.values())
    mean = sum(sums.values()) / total
    spread = sum(
        weight * (sums[author] / weight - mean) ** 2 for author, weight in by_author.items() if weight > 0
    )
    effective = total * total / sum(weight * weight for weight in by_author.values())
    # Few authors that agree prove less than their agreement shows: two more, one for either side, widen the interval.
    variance = (spread / total * effective + 2 * (1 + mean * mean)) / (effective + 2)
    half = 1.96 * math.sqrt(variance / (effective + 2))
    return mean, max(mean - half, -1.0), min(mean + half, 1.0)


# -- near-duplicates ----------------------------------------------------------------------
def signature_of(text: str) -> tuple[int, ...]:
    """Return the MinHash of a text's pieces of four letters; empty where it has too few to be compared.

    Names, links, addresses and numbers are left out: templates differ in those alone.
    """
    bare = "".join(
        "" if part[:1] in "@$#" or part.startswith(("http", "0x")) or part.isdigit() else part
        for part in text.lower().split()
    )
    letters = "".join(character for character in bare if character.isalnum())
    if len(letters) < 3 * _SHINGLE:
        return ()
    pieces = sorted({letters[at : at + _SHINGLE] for at in range(len(letters) - _SHINGLE + 1)})
    hashes = [
        int.from_bytes(blake2b(piece.encode(), digest_size=8).digest(), "big")
        for piece in pieces[:_SHINGLES_MAX]
    ]
    return tuple(min((value * a + b) % _PRIME for value in hashes) % 2**32 for a, b in _MIXERS)


def similarity(first: Sequence[int], second: Sequence[int]) -> float:
    """Return the estimated Jaccard similarity of two signatures, 0 where one is empty."""
    if not first or len(first) != len(second):
        return 0.0
    return sum(one == other for one, other in zip(first, second, strict=True)) / len(first)


def near_duplicates(messages: Sequence[Message]) -> list[int]:
    """Return each message's cluster: those that share a template have the same number."""
    parent = list(range(len(messages)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    rows = SIGNATURE_SIZE // _BANDS
    seen: dict[tuple[int, tuple[int, ...]], int] = {}
    for place, message in enumerate(messages):
        for band in range(_BANDS if message.signature else 0):
            key = (band, tuple(message.signature[band * rows : (band + 1) * rows]))
            other = seen.setdefault(key, place)
            if (
                other != place
                and root(other) != root(place)
                and similarity(messages[other].signature, message.signature) >= SAME_JACCARD
            ):
                parent[root(place)] = root(other)
    return [root(place) for place in range(len(messages))]


_PRIME = 2**61 - 1
_MIXERS = tuple(
    (
        int.from_bytes(blake2b(f"a{number}".encode(), digest_size=7).digest(), "big") | 1,
        int.from_bytes(blake2b(f"b{number}".encode(), digest_size=7).digest(), "big"),
    )
    for number in range(SIGNATURE_SIZE)
)


# -- acting together ----------------------------------------------------------------------
def coordination(messages: Sequence[Message], clusters: Sequence[int]) -> float:
    """Return the share of messages in a template that several authors use, or of authors who keep posting together."""
    if not messages:
        return 0.0
    authors: defaultdict[int, set[str]] = defaultdict(set)
    for message, cluster in zip(messages, clusters, strict=True):
        authors[cluster].add(message.author)
    together = co_posters(messages)
    flagged = sum(
        len(authors[cluster]) > 1 or message.author in together
        for message, cluster in zip(messages, clusters, strict=True)
    )
    return flagged / len(messages)


def co_posters(messages: Sequence[Message]) -> frozenset[str]:
    """Return the authors that wrote within a minute of one another at least three times, each time with a new message."""
    ordered = sorted(messages, key=lambda item: (item.at_ms, item.author))
    meetings: Counter[tuple[str, str]] = Counter()
    bins: defaultdict[int, set[str]] = defaultdict(set)
    for message in ordered:
        bins[message.at_ms // (CO_POSTING_S * 1_000)].add(message.author)
    for present in bins.values():
        if len(present) <= _CO_POSTERS_MAX:
            meetings.update(combinations(sorted(present), 2))
    own: Counter[str] = Counter(author for present in bins.values() for author in present)
    return frozenset(
        author
        for pair, count in meetings.items()
        # Who always writes meets everybody: the meetings must be most of what the less busy one wrote.
        if count >= CO_POSTING_TIMES and 2 * count > min(own[pair[0]], own[pair[1]])
        for author in pair
    )


# -- bursts -------------------------------------------------------------------------------
def burst_z(
    times_ms: Sequence[int], *, now_ms: int, peers_rate: float | None = None
) -> tuple[float | None, float | None]:
    """Return how unusual the last five minutes are, (N - λ)/√λ, and λ; None twice where nothing says what is usual.

    λ is the exponential mean of the bins before, up to a day; a pair without such a history is held against its peers.
    """
    counts = _bins(times_ms, now_ms)
    now = counts.get(0, 0)
    earlier = [at for at in counts if at > 0]
    oldest = max(earlier, default=0)
    if oldest >= _BURST_HISTORY_MIN:
        keep = 0.5 ** (1 / BURST_HALF_LIFE_BINS)
        weights = [keep**at for at in range(1, oldest + 1)]
        expected = sum(weight * counts.get(at, 0) for at, weight in enumerate(weights, 1)) / sum(weights)
    elif peers_rate is not None:
        expected = peers_rate
    else:
        return None, None
    expected = max(expected, _RATE_MIN)
    return (now - expected) / math.sqrt(expected), expected


def _bins(times_ms: Sequence[int], now_ms: int) -> Mapping[int, int]:
    ages = ((now_ms - at) // (BURST_BIN_S * 1_000) for at in times_ms if at <= now_ms)
    return Counter(age for age in ages if age < BURST_BINS)
