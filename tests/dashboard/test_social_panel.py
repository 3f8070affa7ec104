"""The panel on where people talk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.intelligence.models import SocialMention, SocialMessage, SocialSourceState
from tests.dashboard import market
from tests.dashboard.test_pages import text_of

pytestmark = pytest.mark.django_db


def source(name: str, state: str, reason: str = "", **fields: Any) -> None:
    now = timezone.now()
    SocialSourceState.objects.create(
        source=name, state=state, reason=reason, since=now, checked_at=now, **fields
    )


def shown(viewer: Any) -> str:
    return text_of(viewer.get(reverse("dashboard:intelligence")))


def test_sources_when_never_read_then_says_what_is_needed(viewer: Any) -> None:
    market.installation()
    assert "No source was read yet" in shown(viewer)


def test_sources_when_in_any_state_then_shown_as_such_with_the_reason(viewer: Any) -> None:
    market.installation()
    source("x", "out_of_budget", "Today's budget is spent.", next_try_at=timezone.now() + timedelta(hours=3))
    source("telegram", "blocked", "Telegram does not accept our token <b>")
    source("discord", "not_configured", "Not configured: set a token.")
    text = shown(viewer)
    for words in ("Budget spent", "tried again", "Blocked", "does not accept our token", "Not configured"):
        assert words in text


def test_messages_when_simulated_then_said_so_and_counted(viewer: Any) -> None:
    market.installation()
    source("telegram", "up", messages_total=1)
    now = timezone.now()
    message = SocialMessage.objects.create(
        source="telegram",
        channel="1",
        dedup_key="telegram/1/1",
        author="a",
        is_simulated=True,
        sent_at=now,
        received_at=now,
    )
    SocialMention.objects.create(message=message, pair=market.pair(), match="address", sent_at=now)
    text = shown(viewer)
    assert "1 messages about 1 pairs" in text
    assert "simulated" in text
