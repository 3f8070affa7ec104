"""The market's tape, read by the task from the sandbox's own server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.conf import settings

from apps.engine import regimes
from apps.intelligence.models import Candle, MarketRegimeRecord
from apps.sandbox.chainspec import FEED_PORT_OFFSET
from apps.sandbox.feeds import FeedServer
from apps.state.models import Event, Incident
from tests import factories as f

pytestmark = pytest.mark.django_db


@pytest.fixture
def sources() -> Iterator[None]:
    regimes.candle_sources.cache_clear()
    yield
    regimes.candle_sources.cache_clear()


@pytest.fixture
def server(sources: None) -> Iterator[FeedServer]:
    server = FeedServer(port=settings.ENV.sandbox_port_base + FEED_PORT_OFFSET, lives=lambda: (), seed=3)
    server.start()
    yield server
    server.close()


def bnb_chain() -> None:
    chain = f.ChainFactory(native_symbol="BNB", wrapped_native_symbol="WBNB")
    f.EndpointFactory(chain=chain)


def test_task_when_the_sandbox_serves_its_tape_then_every_market_is_judged_and_told(server: FeedServer):
    bnb_chain()
    regimes.regime()
    records = {record.market: record for record in MarketRegimeRecord.objects.all()}
    assert set(records) == {"BTC", "ETH", "SOL", "BNB"}
    assert all(record.is_simulated and record.bars >= 900 for record in records.values())
    assert all(record.hour_deviation_bps is not None for record in records.values())
    known = [record for record in records.values() if record.regime != "unknown"]
    told = Event.objects.filter(kind="market_regime_change")
    assert told.count() == len(known) >= 1
    assert all(event.summary.startswith("Simulated: ") and event.trace_id for event in told)
    assert not Incident.objects.exists()


def test_task_when_run_again_then_nothing_is_asked_and_nothing_changes(server: FeedServer):
    regimes.regime()
    before = (Candle.objects.count(), MarketRegimeRecord.objects.count())
    server.close()  # whoever asks now, fails
    regimes.regime()
    assert (Candle.objects.count(), MarketRegimeRecord.objects.count()) == before
    assert not Incident.objects.exists()


def test_task_when_the_source_is_down_then_an_incident_and_when_it_is_back_none(sources: None):
    regimes.regime()
    incident = Incident.objects.get(code="NETWORK")
    assert not MarketRegimeRecord.objects.exists()
    server = FeedServer(port=settings.ENV.sandbox_port_base + FEED_PORT_OFFSET, lives=lambda: (), seed=3)
    server.start()
    try:
        regimes.regime()
    finally:
        server.close()
    incident.refresh_from_db()
    assert incident.resolved_at is not None
    assert MarketRegimeRecord.objects.count() == 3
