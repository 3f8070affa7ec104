"""Which chains are followed: those that can be read, and those where something of ours is left."""

from __future__ import annotations

import pytest

from apps.chains.models import Endpoint
from apps.domain.order import OrderStatus
from apps.engine.housekeeping import followed_chain_keys
from tests import factories

pytestmark = pytest.mark.django_db


def test_chain_without_endpoint_then_not_followed_until_it_has_one() -> None:
    chain = factories.ChainFactory(chain_id=7_000_001)
    assert followed_chain_keys() == ()
    factories.EndpointFactory(chain=chain)
    factories.EndpointFactory(chain=chain)
    assert followed_chain_keys() == (str(chain.key),)
    Endpoint.objects.update(enabled=False)
    assert followed_chain_keys() == ()


def test_chain_with_a_position_and_no_endpoint_then_followed_to_be_missed_loudly() -> None:
    position = factories.PositionFactory(status="open")
    Endpoint.objects.all().delete()
    factories.ChainFactory(key=position.chain_key)
    assert followed_chain_keys() == (str(position.chain_key),)
    position.status = "closed"
    position.save()
    assert followed_chain_keys() == ()


def test_chain_with_an_order_under_way_and_no_endpoint_then_followed() -> None:
    order = factories.OrderFactory(status=OrderStatus.UNKNOWN.value)
    Endpoint.objects.all().delete()
    factories.ChainFactory(key=order.chain_key)
    assert followed_chain_keys() == (str(order.chain_key),)


def test_chain_switched_off_then_not_followed() -> None:
    factories.EndpointFactory(chain=factories.ChainFactory(enabled=False))
    assert followed_chain_keys() == ()
