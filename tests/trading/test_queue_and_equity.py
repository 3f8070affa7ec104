"""The equity line, the queue of opportunities and the admin."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.chains.models import Chain
from apps.state.models import Incident
from apps.trading.models import (
    DecisionRecord,
    EquityPoint,
    FillRecord,
    JournalEntry,
    Opportunity,
    Order,
    Position,
)
from apps.trading.services.equity import equity_record, native_price
from apps.trading.services.opportunities import (
    opportunities_due,
    opportunities_expire,
    opportunities_recover,
    opportunities_shed,
    opportunity_claim,
    opportunity_quarantine,
    opportunity_release,
)
from tests import factories
from tests.trading.conftest import World


def test_equity_without_a_price_then_no_point_is_made(world: World):
    assert not equity_record()
    assert not EquityPoint.objects.exists()


def test_equity_with_a_price_then_cash_and_marks_are_summed_once_a_while(world: World):
    position = world.buy()
    world.exits()
    factories.PoolSnapshotFactory(pair=position.pair, at=timezone.now(), quote_price_usd_micros=3_000_000_000)
    assert equity_record()
    assert not equity_record()
    point = EquityPoint.objects.get()
    assert point.unpriced_positions == 0
    total = point.cash_usd_micros + point.positions_usd_micros
    assert 299_990 * 10**6 < total < 300_000 * 10**6


def test_price_when_the_newest_snapshot_is_of_a_dollar_pool_then_still_the_coin_s(world: World):
    pair = factories.PairFactory(chain_key=world.profile.chain_key)
    factories.PoolSnapshotFactory(pair=pair, at=timezone.now(), quote_price_usd_micros=3_000_000_000)
    dollar = factories.StableTokenFactory(chain=Chain.objects.get(key=world.profile.chain_key))
    paid_in_dollars = factories.PairFactory(chain_key=world.profile.chain_key, quote__address=dollar.address)
    factories.PoolSnapshotFactory(pair=paid_in_dollars, at=timezone.now(), quote_price_usd_micros=1_000_000)
    assert native_price(world.profile.chain_key) == 3_000_000_000


@pytest.mark.django_db
def test_queue_when_too_long_then_the_least_promising_are_let_go_counted_and_told():
    past = timezone.now() - timedelta(seconds=5)
    rows = [
        factories.OpportunityFactory(status="waiting", evaluate_after=past, priority=priority, source=source)
        for priority, source in (
            (5, "chain"),
            (-3, "chain"),
            (9, "dexscreener"),
            (0, "chain"),
            (-9, "manual"),
        )
    ]
    later = factories.OpportunityFactory(
        status="waiting", evaluate_after=timezone.now() + timedelta(minutes=1), priority=-99
    )
    assert opportunities_shed(most=4) == 0
    assert opportunities_shed(most=2) == 2
    let_go = Opportunity.objects.filter(skip_code="QUEUE_FULL")
    assert {row.pk for row in let_go} == {rows[1].pk, rows[3].pk}
    assert {row.status for row in let_go} == {"refused"}
    later.refresh_from_db()
    assert later.status == "waiting"
    incident = Incident.objects.get(code="QUEUE_FULL")
    assert "2 of 4" in incident.detail
    assert opportunities_shed(most=10) == 0
    incident.refresh_from_db()
    assert incident.resolved_at is not None


@pytest.mark.django_db
def test_queue_rows_then_are_claimed_once_released_recovered_and_given_up():
    row = factories.OpportunityFactory()
    assert opportunities_due() == (row.pk,)
    assert opportunity_claim(opportunity_id=row.pk)
    assert not opportunity_claim(opportunity_id=row.pk)
    assert opportunities_recover() == 0
    Opportunity.objects.update(claimed_at=timezone.now() - timedelta(minutes=1))
    assert opportunities_recover() == 1
    assert opportunity_claim(opportunity_id=row.pk)
    assert opportunity_release(opportunity_id=row.pk, retry_after=timezone.now() + timedelta(minutes=1))
    assert opportunities_due() == ()
    Opportunity.objects.update(give_up_at=timezone.now() - timedelta(hours=1))
    assert opportunities_expire() == 1
    other = factories.OpportunityFactory()
    assert not opportunity_quarantine(opportunity_id=other.pk, reason="not claimed")
    assert opportunity_claim(opportunity_id=other.pk)
    assert opportunity_quarantine(opportunity_id=other.pk, reason="bad data")
    other.refresh_from_db()
    assert (other.status, other.skip_explanation) == ("quarantined", "bad data")


@pytest.mark.django_db
def test_queue_rush_then_nothing_ends_unseen_before_its_long_grace():
    looked_at = factories.OpportunityFactory(evaluations=1)
    unseen = factories.OpportunityFactory(evaluations=0)
    Opportunity.objects.update(give_up_at=timezone.now() - timedelta(minutes=5))
    assert opportunities_expire() == 1
    looked_at.refresh_from_db()
    assert (looked_at.status, opportunities_due()) == ("expired", (unseen.pk,))
    Opportunity.objects.filter(pk=unseen.pk).update(give_up_at=timezone.now() - timedelta(minutes=11))
    assert opportunities_expire() == 1


def test_admin_then_every_list_and_row_opens_and_nothing_can_be_written(world: World, admin_client):
    world.buy()
    for model in (Opportunity, DecisionRecord, Order, Position, FillRecord, JournalEntry):
        address = f"/admin/trading/{model.__name__.lower()}/"
        row = model.objects.earliest("pk")
        assert admin_client.get(address).status_code == 200, address
        assert admin_client.get(f"{address}{row.pk}/change/").status_code == 200, address
        assert admin_client.get(f"{address}add/").status_code == 403, address
