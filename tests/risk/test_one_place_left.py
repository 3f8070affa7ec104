"""A hundred decisions for the one place that is left: exactly one order, whatever they say of the market."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from apps.domain.config import default_config
from apps.risk.models import Reservation
from apps.risk.services.budgets import budget_view
from apps.state.models import ConfigRevision
from apps.trading.models import DecisionRecord, Opportunity, Order
from tests.trading.conftest import World, world

__all__ = ["world"]  # a fixture of the trading tests
DECISIONS = 100


@pytest.mark.timeout(240)
def test_hundred_decisions_at_once_for_one_place_then_one_order(world: World, transactional_db: None) -> None:
    payload = default_config("sandbox").model_dump(mode="json")
    payload["limits"]["open_positions_max"] = 2
    ConfigRevision.objects.update(payload=payload)
    assert world.decide(world.pair()) is not None  # one place of two is taken
    pairs = [world.pair() for _ in range(DECISIONS)]
    barrier = threading.Barrier(DECISIONS)

    def one(pair: Any) -> Order | Exception | None:
        try:
            barrier.wait(timeout=60)
            return world.decide(pair)
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(DECISIONS) as pool:
        answers = list(pool.map(one, pairs))
    assert not [item for item in answers if isinstance(item, Exception)]
    assert len([item for item in answers if item is not None]) == 1
    assert Order.objects.count() == 2
    assert Reservation.objects.filter(status="held").count() == budget_view().open_positions == 2
    assert Opportunity.objects.filter(status="entered").count() == 2
    refused = DecisionRecord.objects.filter(action="skip", reasons__0__code="LIMIT_OPEN_POSITIONS")
    assert refused.count() == DECISIONS - 1
