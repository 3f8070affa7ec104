"""The page on how fast trades go."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.api import web_beat
from apps.engine.metrics import windows
from apps.trading.models import FillRecord
from tests.dashboard import market
from tests.dashboard.test_pages import text_of
from tests.factories import EventFactory, FillRecordFactory, PoolSnapshotFactory

pytestmark = pytest.mark.django_db


def shown(viewer) -> str:
    return text_of(viewer.get(reverse("dashboard:monitor")))


def test_page_when_nothing_was_bought_then_it_says_what_it_waits_for(viewer):
    market.installation()
    assert "Nothing was bought yet" in shown(viewer)


def test_page_when_bought_then_each_step_with_its_quantiles_and_blocks_behind(viewer):
    market.installation()
    fill: FillRecord = FillRecordFactory()
    now = timezone.now()
    pair, attempt, decision = fill.order.pair, fill.attempt, fill.order.decision
    PoolSnapshotFactory(pair=pair, block_number=fill.block_number - 2)
    decision.created_at = now
    decision.save()
    attempt.signed_at, attempt.broadcast_at = now, now + timedelta(milliseconds=17)
    attempt.save()
    text = shown(viewer)
    assert "Decided → sent 17 ms 17 ms 17 ms 17 ms 1" in text
    assert "up to 25 ms 1" in text
    assert "Blocks after the first liquidity Trades 2 1" in text
    assert "on simulated chains" in text


def test_page_when_the_beginning_is_unknown_then_says_so(viewer):
    market.installation()
    FillRecordFactory()
    text = shown(viewer)
    assert "no pair was followed from its beginning" in text
    assert "Of 1 trades the first liquidity is not known" in text


def test_page_when_the_system_is_young_then_unknown_figures_say_why(viewer):
    market.installation()
    text = shown(viewer)
    assert "no order ended within a day" in text
    assert "too few windows yet" in text
    assert "the web server has not told yet" in text


def test_page_when_a_window_is_unlike_the_others_then_marked(viewer):
    market.installation()
    now = timezone.now()
    end = now - (now - datetime.min.replace(tzinfo=now.tzinfo)) % windows.WINDOW
    for number in range(windows.WINDOWS):
        for _ in range(12 if number == 0 else 1):
            EventFactory(kind="incident_opened", at=end - number * windows.WINDOW - timedelta(seconds=90))
    text = shown(viewer)
    assert re.search(r"Incidents opened ?12 1 unusually high", text)
    assert text.count("unusually") == 1


def test_page_when_the_web_server_beats_then_its_figures_are_those_of_the_metrics(viewer):
    market.installation()
    viewer.get(reverse("dashboard:overview"))
    web_beat.beat_once(None)
    text = shown(viewer)
    assert re.search(r"Sockets up ?100\.00% ?of the last day, 0 open", text), text[:1500]
    assert re.search(r"\d+ failed", text), text[:1500]  # of this process, other tests' among them
