"""What people's talk shows, as estimates: what it rests on too little for is unknown, with the reason."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from apps.domain.estimate import Estimate, known, unknown
from apps.intelligence.logic.social import AUTHORS_MIN, MESSAGES_MIN, Crowd

SOURCE = "social"
_BPS = 10_000
#: Beyond these the talk looks made, and its sentiment says something of its makers alone.
COORDINATED_MAX, BOTS_MAX = 0.3, 0.5
#: So many effective authors are needed for bounds of a fifth; fewer bear less confidence.
AUTHORS_FULL = 30
#: How often the scorer is right about one message of this kind, as measured (macro-F1); see docs/social.md.
SCORER_QUALITY = 0.78
#: Public figures tell bots well where they were learnt and less well elsewhere (0.69 F1 over many data sets).
BOTS_QUALITY = 0.69
_CENT = Decimal("0.01")
CODES = (
    ("sentiment_bps", "bps"),
    ("social_authors_effective", "count"),
    ("social_bot_share_bps", "bps"),
    ("social_coordination_bps", "bps"),
    ("social_burst_z", "deviations"),
)


def estimates_unknown(reason: str, *, now_ms: int) -> tuple[Estimate, ...]:
    """Return all estimates as unknown: nobody listens."""
    return tuple(unknown(code, reason, unit=unit, source=SOURCE, as_of_ms=now_ms) for code, unit in CODES)


def crowd_estimates(crowd: Crowd, *, now_ms: int, silent: Sequence[str] = ()) -> tuple[Estimate, ...]:
    """Return what a crowd shows. ``silent``: sources that could not be read, in words."""
    heard = 0.5 if silent else 1.0  # part of what is said was not heard
    return (
        _sentiment(crowd, heard, now_ms),
        known(
            "social_authors_effective",
            Decimal(str(round(crowd.authors_effective, 2))),
            unit="count",
            source=SOURCE,
            as_of_ms=now_ms,
            confidence=Decimal(str(heard)),
            n=crowd.messages,
        ),
        _share(
            "social_bot_share_bps",
            crowd.bot_share,
            f"only {crowd.bots_told} of {crowd.messages} messages come from accounts that a source tells about;"
            f" {MESSAGES_MIN} are needed",
            n=crowd.bots_told,
            confidence=heard * BOTS_QUALITY,
            now_ms=now_ms,
        ),
        _share(
            "social_coordination_bps",
            crowd.coordination,
            f"only {crowd.messages} messages within the hour; {MESSAGES_MIN} are needed",
            n=crowd.messages,
            confidence=heard,
            now_ms=now_ms,
        ),
        _burst(crowd, heard, now_ms),
    )


def _sentiment(crowd: Crowd, heard: float, now_ms: int) -> Estimate:
    reason = ""
    if crowd.sentiment is None:
        reason = f"{crowd.authors_effective:.1f} effective authors speak of it within the hour; {AUTHORS_MIN} are needed"
    elif crowd.coordination is not None and crowd.coordination >= COORDINATED_MAX:
        reason = (
            f"{crowd.coordination:.0%} of the messages are templates or come from authors who post together"
        )
    elif crowd.bot_share is not None and crowd.bot_share >= BOTS_MAX:
        reason = f"{crowd.bot_share:.0%} of the accounts look like bots"
    if reason or crowd.sentiment is None:
        return unknown("sentiment_bps", reason, unit="bps", source=SOURCE, as_of_ms=now_ms)
    value, low, high = (round(number * _BPS) for number in crowd.sentiment)
    made = (crowd.coordination or 0.0) + (crowd.bot_share or 0.0) / 2
    confidence = (
        min(crowd.authors_effective / AUTHORS_FULL, 1.0) * SCORER_QUALITY * heard * (1 - min(made, 1.0))
    )
    return known(
        "sentiment_bps",
        value,
        unit="bps",
        source=SOURCE,
        as_of_ms=now_ms,
        confidence=Decimal(str(round(confidence, 4))),
        n=crowd.messages,
        low=low,
        high=high,
    )


def _share(
    code: str, share: float | None, reason: str, *, n: int, confidence: float, now_ms: int
) -> Estimate:
    if share is None:
        return unknown(code, reason, unit="bps", source=SOURCE, as_of_ms=now_ms)
    low, high = _wilson(share, n)
    return known(
        code,
        round(share * _BPS),
        unit="bps",
        source=SOURCE,
        as_of_ms=now_ms,
        confidence=Decimal(str(round(confidence, 4))),
        n=n,
        low=round(low * _BPS),
        high=round(high * _BPS),
    )


def _burst(crowd: Crowd, heard: float, now_ms: int) -> Estimate:
    if crowd.burst_z is None or crowd.burst_expected is None:
        return unknown(
            "social_burst_z",
            "there is no history of how much is usual for this pair, and none of pairs of its age",
            unit="deviations",
            source=SOURCE,
            as_of_ms=now_ms,
        )
    return known(
        "social_burst_z",
        Decimal(str(crowd.burst_z)).quantize(_CENT),
        unit="deviations",
        source=SOURCE,
        as_of_ms=now_ms,
        confidence=Decimal(str(heard)) / 2,  # counts of messages are no Poisson process
        n=crowd.messages,
    )


def _wilson(share: float, n: int) -> tuple[float, float]:
    """Return the 95 % bounds of a share of ``n``. Source: Wilson 1927."""
    z2 = 1.96 * 1.96
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = 1.96 * (share * (1 - share) / n + z2 / (4 * n * n)) ** 0.5 / (1 + z2 / n)
    return max(min(middle - half, share), 0.0), min(max(middle + half, share), 1.0)
