"""What many messages show together."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.intelligence.logic.social import (
    AUTHORS_MIN,
    BURST_BIN_S,
    FULL_AGE_S,
    Message,
    author_weights,
    burst_z,
    co_posters,
    crowd,
    near_duplicates,
    signature_of,
    similarity,
)
from apps.intelligence.logic.social_estimates import CODES, crowd_estimates

NOW_MS = 1_790_000_000_000
OLD_S = 2 * FULL_AGE_S


def said(
    author: str,
    *,
    score: float | None = 0.5,
    ago_s: float = 60.0,
    text: str = "",
    bot: float | None = 0.0,
    age_s: int | None = OLD_S,
    by_address: bool = True,
) -> Message:
    return Message(
        author=author,
        at_ms=NOW_MS - int(ago_s * 1_000),
        score=score,
        bot=bot,
        account_age_s=age_s,
        signature=signature_of(text),
        by_address=by_address,
    )


def people(count: int, *, score: float = 0.5) -> list[Message]:
    """Return messages of people who write apart from each other."""
    return [said(f"a{number}", score=score, ago_s=100 * number + 7) for number in range(count)]


def test_seven_people_then_sentiment_is_unknown() -> None:
    assert crowd(people(AUTHORS_MIN - 1), now_ms=NOW_MS).sentiment is None
    assert crowd(people(AUTHORS_MIN), now_ms=NOW_MS).sentiment is not None


def test_one_author_speaks_for_many_then_still_one_author() -> None:
    messages = [said("loud", ago_s=30 * number) for number in range(100)]
    seen = crowd(messages, now_ms=NOW_MS)
    assert seen.authors_effective == pytest.approx(1.0)
    assert seen.sentiment is None


def test_people_agree_then_interval_narrows_with_their_number() -> None:
    few, many = (crowd(people(count), now_ms=NOW_MS).sentiment for count in (10, 30))
    assert few is not None
    assert many is not None
    assert few[0] == pytest.approx(0.5)
    assert many[2] - many[1] < few[2] - few[1] < 1.2
    assert few[1] < few[0] < few[2]


def test_bots_praise_then_they_weigh_nothing() -> None:
    messages = people(12, score=-0.5) + [said(f"bot{number}", score=1.0, bot=1.0) for number in range(50)]
    seen = crowd(messages, now_ms=NOW_MS)
    assert seen.sentiment is not None
    assert seen.sentiment[0] == pytest.approx(-0.5)
    assert seen.bot_share == pytest.approx(50 / 62)


def test_weights_when_young_bot_like_or_by_ticker_then_less() -> None:
    full = said("a")
    weights = author_weights(
        [
            full,
            replace(full, author="b", account_age_s=FULL_AGE_S // 2),
            replace(full, author="c", bot=0.25),
            replace(full, author="d", by_address=False),
            replace(full, author="e", bot=None),
        ],
        list(range(5)),
    )
    assert weights == pytest.approx([1.0, 0.5, 0.75, 0.5, 0.5])


def test_template_with_exchanged_words_then_one_cluster_counted_once() -> None:
    line = "guys {} is the next huge gem dont miss this chance before it flies straight to the moon today"
    texts = [line.format(tag) for tag in ("$CAT", "$CAT 0x" + "ab" * 20, "$CAT!!", "$CAT 👀")]
    other = "how many holders does the new frog token have at the moment, anyone counted"
    messages = [said(f"a{number}", text=text) for number, text in enumerate([*texts, other])]
    clusters = near_duplicates(messages)
    assert len(set(clusters[:4])) == 1
    assert clusters[4] != clusters[0]
    assert sum(weight > 0 for weight in author_weights(messages, clusters)) == 2


def test_signature_when_names_links_and_numbers_differ_then_the_same() -> None:
    first = signature_of("buy $CAT now, liquidity locked https://a.example 0x" + "1" * 40)
    second = signature_of("buy $DOG now, liquidity locked https://b.example/else 0x" + "2" * 40)
    assert similarity(first, second) == 1.0
    assert signature_of("gm") == ()
    assert similarity((), ()) == 0.0


def test_authors_who_keep_meeting_then_coordinated() -> None:
    together = [
        said(
            author, ago_s=600 * turn + second, text=f"{author} says something else at turn {turn} of the day"
        )
        for turn in range(1, 5)
        for second, author in ((2, "x"), (9, "y"))
    ]
    alone = people(4)
    assert co_posters([*together, *alone]) == {"x", "y"}
    seen = crowd([*together, *alone], now_ms=NOW_MS)
    assert seen.coordination is not None
    assert seen.coordination >= 8 / 12


def test_burst_when_suddenly_loud_then_many_deviations() -> None:
    quiet = [NOW_MS - BURST_BIN_S * 1_000 * number - 1_000 for number in range(1, 100)]
    usual, expected = burst_z(quiet, now_ms=NOW_MS)
    loud, _ = burst_z([*quiet, *[NOW_MS - 500] * 20], now_ms=NOW_MS)
    assert usual is not None
    assert loud is not None
    assert expected == pytest.approx(1.0, abs=0.05)
    assert usual < 1 < 10 < loud


def test_burst_when_pair_is_young_then_held_against_its_peers_or_unknown() -> None:
    assert burst_z([NOW_MS - 500] * 5, now_ms=NOW_MS) == (None, None)
    value, expected = burst_z([NOW_MS - 500] * 5, now_ms=NOW_MS, peers_rate=4.0)
    assert value == pytest.approx(0.5)
    assert expected == 4.0


def test_estimates_when_coordinated_then_sentiment_unknown_with_its_reason() -> None:
    line = "guys $CAT is the next huge gem dont miss this chance before it flies straight to the moon"
    messages = people(12) + [said(f"b{number}", text=line) for number in range(12)]
    by_code = {item.code: item for item in crowd_estimates(crowd(messages, now_ms=NOW_MS), now_ms=NOW_MS)}
    assert not by_code["sentiment_bps"].is_known
    assert "50%" in by_code["sentiment_bps"].reason_unknown
    assert by_code["social_coordination_bps"].value == 5_000


def test_estimates_when_people_agree_then_known_within_bounds() -> None:
    by_code = {item.code: item for item in crowd_estimates(crowd(people(40), now_ms=NOW_MS), now_ms=NOW_MS)}
    sentiment = by_code["sentiment_bps"]
    assert sentiment.value == 5_000
    assert sentiment.low is not None
    assert sentiment.high is not None
    assert sentiment.low < 5_000 < sentiment.high
    assert 0 < sentiment.confidence < 1
    hushed = {
        item.code: item
        for item in crowd_estimates(crowd(people(40), now_ms=NOW_MS), now_ms=NOW_MS, silent=("x",))
    }
    assert hushed["sentiment_bps"].confidence < sentiment.confidence


MESSAGES = st.builds(
    Message,
    author=st.sampled_from("abcdefghijklmnopq"),
    at_ms=st.integers(NOW_MS - 90_000_000, NOW_MS + 5_000),
    score=st.none() | st.floats(-1, 1),
    bot=st.none() | st.floats(0, 1),
    account_age_s=st.none() | st.integers(0, 10 * FULL_AGE_S),
    signature=st.sampled_from(
        [(), signature_of("one text that is long enough"), signature_of("another one, long enough too")]
    ),
    by_address=st.booleans(),
)


@settings(max_examples=80, deadline=None)
@given(messages=st.lists(MESSAGES, max_size=60), peers=st.none() | st.floats(0, 50))
def test_any_messages_then_nothing_raises_and_nothing_is_invented(
    messages: list[Message], peers: float | None
) -> None:
    seen = crowd(messages, now_ms=NOW_MS, peers_rate=peers)
    estimates = crowd_estimates(seen, now_ms=NOW_MS)
    assert [(item.code, item.unit) for item in estimates] == list(CODES)
    assert seen.authors_effective <= seen.authors + 1e-6
    for item in estimates:
        if item.value is None:
            assert item.confidence == 0
            continue
        assert item.low is not None
        assert item.high is not None
        assert item.low <= item.value <= item.high
        assert math.isfinite(item.value)
    opinions = [item.score for item in messages if item.score is not None]
    if seen.sentiment is not None:
        value, low, high = seen.sentiment
        assert min(opinions) - 1e-9 <= value <= max(opinions) + 1e-9
        assert -1 <= low <= high <= 1
