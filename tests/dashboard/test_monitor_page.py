"""The page on how fast trades go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.trading.models import FillRecord
from tests.dashboard import market
from tests.dashboard.test_pages import text_of
from tests.factories import FillRecordFactory, PoolSnapshotFactory

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
