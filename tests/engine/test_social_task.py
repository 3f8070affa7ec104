"""The task that polls the social sources: which are built, and what becomes of their faults."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest
from django.conf import settings as django_settings

from apps.engine.social import LEASE, social, social_sources
from apps.intelligence.models import SocialMention, SocialMessage, SocialSourceState
from apps.sandbox.feeds import FeedServer
from apps.sandbox.life import ChainLife
from apps.state.models import Incident
from apps.state.services.engine import installation_prepare
from apps.state.services.heartbeats import lease_take
from tests import factories
from tests.sandbox.test_social import SEED, launched, spoken_of

OUTSIDE: dict[str, Any] = {
    "x_url": "https://api.example/2",
    "telegram_url": "https://telegram.example",
    "discord_url": "https://discord.example",
}


@pytest.fixture(autouse=True)
def _built_anew() -> Iterator[None]:
    social_sources.cache_clear()
    yield
    social_sources.cache_clear()


def names(budget: int = 100) -> list[str]:
    social_sources.cache_clear()
    return [source.name for source in social_sources(budget)]


def test_sources_when_no_token_is_given_then_none_but_in_the_sandbox(settings: Any) -> None:
    assert names() == ["x", "telegram", "discord"]
    settings.ENV = replace(django_settings.ENV, mode="paper", **OUTSIDE)
    assert names() == []


def test_sources_when_the_sandbox_is_pointed_outside_then_no_made_up_token_is_sent(settings: Any) -> None:
    settings.ENV = replace(django_settings.ENV, **OUTSIDE)
    assert names() == []


def test_sources_when_tokens_are_given_then_those_alone(settings: Any) -> None:
    paper = replace(django_settings.ENV, mode="paper", **OUTSIDE)
    settings.ENV = replace(paper, telegram_bot_token="t", discord_bot_token="d", x_bearer_token="x")
    assert names() == ["x", "telegram"]  # Discord needs channels too
    assert names(budget=0) == ["telegram"]
    settings.ENV = replace(settings.ENV, discord_channels=("5",))
    assert names() == ["x", "telegram", "discord"]


@pytest.mark.django_db
def test_poll_when_nothing_answers_then_every_source_is_down_with_an_incident() -> None:
    installation_prepare(mode="sandbox")
    social()
    assert set(SocialSourceState.objects.values_list("source", "state")) == {
        ("x", "up"),  # there is no pair to ask about yet
        ("telegram", "down"),
        ("tg_channels", "not_configured"),
        ("discord", "down"),
    }
    assert Incident.objects.filter(dedup_key__startswith="social/telegram/").exists()


@pytest.mark.django_db
def test_poll_when_the_sandbox_talks_then_its_messages_find_their_pairs_and_incidents_close(
    settings: Any,
) -> None:
    installation_prepare(mode="sandbox")
    social()
    life = cast(ChainLife, SimpleNamespace(listed=tuple(launched(number) for number in range(60))))
    factories.ChainFactory.create()
    loud = spoken_of(life)[0]
    pair = factories.PairFactory.create(base__address=loud.token, created_block_at=loud.created_at)
    server = FeedServer(port=0, lives=lambda: (life,), seed=SEED)
    server.start()
    try:
        base = f"http://127.0.0.1:{server.port}"
        settings.ENV = replace(
            django_settings.ENV,
            x_url=f"{base}/x",
            telegram_url=f"{base}/telegram",
            discord_url=f"{base}/discord",
        )
        social_sources.cache_clear()
        SocialSourceState.objects.update(next_try_at=None)
        social()
    finally:
        server.close()
    configured = SocialSourceState.objects.exclude(source="tg_channels")
    assert set(configured.values_list("state", flat=True)) == {"up"}
    assert not Incident.objects.filter(dedup_key__startswith="social/", resolved_at=None).exists()
    assert SocialMessage.objects.filter(is_simulated=False).count() == 0
    assert SocialMessage.objects.filter(source="x", text="").exists()
    assert SocialMention.objects.filter(pair=pair, match="address").exists()


@pytest.mark.django_db
def test_poll_when_another_worker_polls_then_leaves_it_alone() -> None:
    installation_prepare(mode="sandbox")
    assert lease_take(name=LEASE, holder="somebody else", ttl_s=60)
    social()
    assert not SocialSourceState.objects.exists()
