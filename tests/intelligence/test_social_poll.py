"""Sources are polled within their budgets, come back by themselves, and what they brought finds its pair."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core.cache import cache

from apps.domain.config import Social
from apps.domain.errors import BadDataError, NetworkError, SourceBlockedError, SourceExhaustedError
from apps.intelligence.models import SocialMention, SocialMessage, SocialSourceState
from apps.intelligence.services.social import social_estimates
from apps.intelligence.services.social_sources import PollReport, messages_prune, sources_poll
from apps.state.kept import forget_all
from tests import factories
from tests.intelligence.social_posts import FakeSocialSource, post

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
NOW_MS = int(NOW.timestamp() * 1_000)
CONFIG = Social()


@pytest.fixture(autouse=True)
def _no_peers_kept() -> None:
    cache.clear()


def poll(
    *sources: FakeSocialSource, now: datetime = NOW, missing: dict[str, str] | None = None
) -> PollReport:
    return sources_poll(sources=sources, not_configured=missing or {}, config=CONFIG, now=now)


def state(name: str = "telegram") -> SocialSourceState:
    return SocialSourceState.objects.get(source=name)


def young_pair(symbol: str = "FROG", **base: Any) -> Any:
    factories.ChainFactory.create()
    return factories.PairFactory.create(
        base__symbol=symbol, created_block_at=NOW - timedelta(minutes=10), **base
    )


def test_address_in_any_case_then_the_pair_is_meant() -> None:
    pair = young_pair()
    texts = (pair.base.address, pair.base.address.lower(), pair.pool_address)
    source = FakeSocialSource(
        posts=[post(number, f"look at {text}", sent_at_ms=NOW_MS) for number, text in enumerate(texts)]
    )
    assert poll(source).stored == 3
    assert list(SocialMention.objects.values_list("pair", "match")) == [(pair.pk, "address")] * 3


def test_cashtag_of_one_young_token_then_meant_but_never_beside_an_address() -> None:
    pair = young_pair("FROG")
    other = factories.address_for("some other token")
    source = FakeSocialSource(
        posts=[
            post(1, "$frog looks fine to me", sent_at_ms=NOW_MS),
            post(2, f"$FROG is not {other}", sent_at_ms=NOW_MS),
        ]
    )
    poll(source)
    assert list(SocialMention.objects.values_list("pair", "match")) == [(pair.pk, "cashtag")]


def test_cashtag_of_two_young_tokens_then_nobody_is_meant() -> None:
    young_pair("FROG")
    factories.PairFactory.create(base__symbol="Frog", created_block_at=NOW)
    poll(FakeSocialSource(posts=[post(1, "$FROG to the moon", sent_at_ms=NOW_MS)]))
    assert SocialMessage.objects.count() == 1
    assert not SocialMention.objects.exists()


def test_talk_before_the_pair_is_known_then_found_later() -> None:
    young_pair("DOG")
    token = factories.address_for("coming soon")
    poll(FakeSocialSource(posts=[post(1, f"soon: {token}", sent_at_ms=NOW_MS)]))
    assert not SocialMention.objects.exists()
    late = factories.PairFactory.create(base__address=token, created_block_at=NOW)
    poll(FakeSocialSource(), now=NOW + timedelta(seconds=10))
    assert SocialMention.objects.get().pair_id == late.pk


def test_same_message_twice_then_kept_once() -> None:
    for seconds in (0, 10):
        poll(
            FakeSocialSource(posts=[post(1, "hello there", sent_at_ms=NOW_MS)]),
            now=NOW + timedelta(seconds=seconds),
        )
    assert SocialMessage.objects.count() == 1
    assert state().messages_total == 1


def test_message_then_scored_and_its_author_a_digest() -> None:
    poll(
        FakeSocialSource(
            posts=[
                post(1, "this is a scam, stay away\x00\u202e", sent_at_ms=NOW_MS + 60_000, author="Alice"),
                post(2, "love it, very bullish", sent_at_ms=NOW_MS, is_declared_bot=True),
            ]
        )
    )
    bad, good = SocialMessage.objects.order_by("dedup_key")
    assert bad.score_bps is not None
    assert good.score_bps is not None
    assert bad.score_bps < 0 < good.score_bps
    assert "Alice" not in bad.author
    assert "\x00" not in bad.text
    assert "\u202e" not in bad.text
    assert bad.sent_at == NOW  # nobody writes in the future
    assert (bad.bot_bps, good.bot_bps) == (None, 10_000)


def test_source_whose_terms_forbid_then_no_text_is_kept() -> None:
    pair = young_pair()
    poll(
        FakeSocialSource(
            name="x",
            keeps_text=False,
            posts=[post(1, f"quite bullish on this one {pair.base.address}", sent_at_ms=NOW_MS)],
        )
    )
    message = SocialMessage.objects.get()
    assert message.text == ""
    assert message.signature
    assert message.addresses == [pair.base.address.lower()]


def test_source_fails_then_down_rests_longer_each_time_and_returns() -> None:
    source = FakeSocialSource(fails=NetworkError("no answer", remedy="Wait."))
    rests = []
    now = NOW
    for _ in range(3):
        assert "telegram" in poll(source, now=now).faults
        row = state()
        assert row.next_try_at is not None
        rests.append((row.next_try_at - now).total_seconds())
        assert not poll(source, now=now + timedelta(seconds=1)).faults  # rests
        now = row.next_try_at
    assert rests == [15, 30, 60]
    assert state().state == "down"
    assert "no answer" in state().reason
    source.fails = None
    assert poll(source, now=now).recovered == ("telegram",)
    assert (state().state, state().reason, state().failures) == ("up", "", 0)


@pytest.mark.parametrize(
    ("error", "word"),
    [
        (SourceBlockedError("token refused"), "blocked"),
        (SourceExhaustedError("credit spent"), "out_of_budget"),
        (BadDataError("odd shape"), "down"),
    ],
)
def test_source_refuses_then_shown_as_such_and_others_go_on(error: Any, word: str) -> None:
    other = FakeSocialSource(name="discord", posts=[post(1, "hello", sent_at_ms=NOW_MS)])
    report = poll(FakeSocialSource(fails=error), other)
    assert report.stored == 1
    assert state().state == word
    assert state("discord").state == "up"


def test_budget_spent_then_not_asked_until_the_next_day() -> None:
    source = FakeSocialSource(name="x", daily_budget=10, spends=10)
    poll(source)
    assert source.asked[-1][2] == 10
    poll(source, now=NOW + timedelta(minutes=10))
    assert len(source.asked) == 1
    assert state("x").state == "out_of_budget"
    row = state("x")
    assert row.next_try_at is not None
    assert row.next_try_at.date() == (NOW + timedelta(days=1)).date()
    poll(source, now=row.next_try_at)
    assert source.asked[-1][2] == 10
    assert state("x").state == "up"


def test_source_without_token_then_shown_as_not_configured() -> None:
    poll(missing={"x": "Not configured: set a token."})
    assert (state("x").state, state("x").reason) == ("not_configured", "Not configured: set a token.")


def test_topics_then_young_tokens_with_their_unique_tickers() -> None:
    pair = young_pair("FROG")
    factories.PairFactory.create(base__symbol="AGED", created_block_at=NOW - timedelta(days=3))
    source = FakeSocialSource()
    poll(source)
    [topic] = source.asked[0][1]
    assert (topic.address, topic.cashtag) == (pair.base.address, "FROG")


def test_old_messages_then_pruned_with_their_mentions() -> None:
    pair = young_pair()
    poll(FakeSocialSource(posts=[post(1, pair.base.address, sent_at_ms=NOW_MS)]))
    assert messages_prune(before=NOW) == 0
    assert messages_prune(before=NOW + timedelta(seconds=1)) == 1
    assert not SocialMention.objects.exists()


# -- estimates ------------------------------------------------------------------------------
def estimates(pair_id: int, *, now: datetime = NOW) -> dict[str, Any]:
    made = social_estimates(
        listing=None,  # type: ignore[arg-type]  # no part of what is asked
        facts=None,  # type: ignore[arg-type]
        pair_id=pair_id,
        now_ms=int(now.timestamp() * 1_000),
    )
    return {item.code: item for item in made}


def test_no_source_then_everything_unknown_with_the_reason() -> None:
    pair = young_pair()
    assert {item.reason_unknown for item in estimates(pair.pk).values()} == {"no social source is configured"}
    poll(FakeSocialSource(fails=NetworkError("no answer")))
    forget_all()
    assert "telegram" in estimates(pair.pk)["sentiment_bps"].reason_unknown


def test_many_people_speak_well_then_sentiment_is_known(django_assert_max_num_queries: Any) -> None:
    pair = young_pair()
    made_ms = NOW_MS - 400 * 86_400_000
    praise = ("love it", "very bullish", "great launch", "strong chart", "solid team", "best buy of the week")
    things = [
        "holders",
        "volume",
        "roadmap",
        "website",
        "liquidity",
        "contract",
        "artwork",
        "founders",
        "candles",
        "listing",
        "gas",
    ]
    posts = [
        post(
            number,
            f"{praise[number % 6]}, {things[number % 11]} and {things[(number * 3 + 1) % 11]} {pair.base.address}",
            sent_at_ms=NOW_MS - 90_000 * number,
            created_at_ms=made_ms,
        )
        for number in range(24)
    ]
    poll(FakeSocialSource(posts=posts))
    with django_assert_max_num_queries(3):
        found = estimates(pair.pk)
    assert found["sentiment_bps"].is_known
    assert found["sentiment_bps"].value > 2_000
    assert found["social_authors_effective"].value > 8
    with django_assert_max_num_queries(2):
        estimates(pair.pk)


def test_nobody_speaks_of_it_while_sources_are_up_then_unknown_sentiment_and_no_authors() -> None:
    pair = young_pair()
    poll(FakeSocialSource())
    found = estimates(pair.pk)
    assert not found["sentiment_bps"].is_known
    assert found["social_authors_effective"].value == 0
