"""Endpoints are asked what they can do at start and hourly, and one that fails holds up no other."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.utils import timezone

from apps.chains.models import Chain, Endpoint
from apps.engine import endpoints
from tests import factories
from tests.fakes.rpc import FakeRpc

CHAIN_ID = 31_337_078


@pytest.fixture
def node(db: None) -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running


def test_endpoints_when_due_then_asked_once_and_again_after_an_hour(node: FakeRpc) -> None:
    chain: Chain = factories.ChainFactory(chain_id=CHAIN_ID, genesis_hash=node.genesis_hash)
    dead: Endpoint = factories.EndpointFactory(chain=chain, url_http="http://127.0.0.1:9", url_ws="")
    row: Endpoint = factories.EndpointFactory(chain=chain, url_http=node.url, url_ws="")
    off: Endpoint = factories.EndpointFactory(chain=chain, url_ws="", enabled=False)
    endpoints.endpoints()
    for item in (dead, row, off):
        item.refresh_from_db()
    assert row.capabilities["logs"] is True
    assert row.capabilities["simulate_v1"] is False
    assert row.checked_at is not None
    assert dead.fault
    assert off.checked_at is None
    asked = len(node.requests)
    endpoints.endpoints()
    assert len(node.requests) == asked
    Endpoint.objects.update(checked_at=timezone.now() - endpoints.EVERY - timedelta(seconds=1))
    endpoints.endpoints()
    assert len(node.requests) > asked
