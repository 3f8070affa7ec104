"""Failed purchases: a token that fails too often is left alone for an hour, and the gas they burn is counted."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.domain.config import Effect
from apps.engine import breakers as gathering
from apps.risk.services.breakers import breakers_in_force
from apps.state.services.config import active_config, config_change
from apps.trading.models import Opportunity, Order, TxAttempt
from apps.trading.services.failures import FAILURES_WINDOW, gas_burnt, token_refusal
from tests.trading.conftest import World


def failed_purchase(world: World, pair):
    order = world.decide(pair)
    assert order is not None
    world.execute(order)
    world.pool(pair).base //= 2
    world.chain.mine()
    world.settle(order)
    order.refresh_from_db()
    assert order.status == "reverted"
    return order


def set_breakers(**values) -> None:
    payload = active_config().config.model_dump(mode="json")
    payload["breakers"] |= values
    config_change(payload=payload, by="test", reason="test")


def test_purchases_of_a_token_fail_too_often_then_refused_at_the_reservation_for_an_hour(world: World):
    set_breakers(token_failures_max=1)
    pair, other = world.pair(), world.pair()
    first = failed_purchase(world, pair)
    assert world.decide(pair) is None
    assert Opportunity.objects.get(pair=pair).skip_code == "LIMIT_TOKEN_FAILURES"
    assert world.decide(other) is not None  # other tokens go on
    Order.objects.filter(pk=first.pk).update(status_at=timezone.now() - FAILURES_WINDOW)
    assert token_refusal(pair=pair, failures_max=1, now=timezone.now()) is None


def test_gas_of_failures_when_within_the_hour_then_counted_at_its_worth(world: World):
    order = failed_purchase(world, world.pair())
    now = timezone.now()
    [(_, worth)] = gas_burnt(now=now)
    attempt = TxAttempt.objects.get(order=order)
    assert worth == attempt.fee_paid_raw * order.value_usd_micros // order.amount_in_raw > 0
    assert gas_burnt(now=now + FAILURES_WINDOW + timedelta(seconds=1)) == ()
    Order.objects.filter(pk=order.pk).update(value_usd_micros=None)
    assert gas_burnt(now=now) == ()  # what it was worth is not known


@pytest.mark.parametrize(("limit_usd", "trips"), [("0.01", True), ("1000", False)])
def test_gas_of_failures_when_above_the_hourly_budget_then_entries_pause(
    world: World, limit_usd: str, trips: bool
):
    set_breakers(failed_gas_max_usd=limit_usd)
    order = failed_purchase(world, world.pair())
    TxAttempt.objects.filter(order=order).update(fee_paid_raw=10**15)
    gathering.breakers_watch(())
    found = {item.name: item.effect for item in breakers_in_force()}
    assert found == ({"failed_gas": Effect.PAUSE} if trips else {})
