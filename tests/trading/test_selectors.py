"""What pages show of trading."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.domain.verdict import Outcome
from apps.trading import selectors
from apps.trading.models import (
    DecisionRecord,
    EquityPoint,
    FillRecord,
    JournalEntry,
    Opportunity,
    Order,
    Position,
)
from apps.trading.services.equity import equity_record
from apps.trading.services.opportunities import (
    opportunities_due,
    opportunities_expire,
    opportunities_recover,
    opportunity_claim,
    opportunity_quarantine,
    opportunity_release,
)
from tests import factories
from tests.trading.conftest import World


def test_funnel_of_a_mixed_market_then_counts_each_step_and_reason(world: World):
    world.buy()
    world.decide(world.pair())
    world.decide(world.pair(), outcome=Outcome.FAIL)
    world.decide(world.pair(), score=1)
    world.pair()
    funnel = selectors.funnel()
    assert (funnel.registered, funnel.evaluated) == (5, 4)
    assert (funnel.passed_filter, funnel.passed_risk, funnel.scored, funnel.limited) == (4, 3, 2, 2)
    assert (funnel.ordered, funnel.filled) == (2, 1)
    assert {(item.stage, item.code, item.count) for item in funnel.reasons} == {
        ("risk", "SOME_RULE", 1),
        ("score", "SCORE_BELOW_MINIMUM", 1),
    }
    assert selectors.funnel(since=timezone.now() + timedelta(minutes=1)).registered == 0


def test_queue_then_best_score_comes_first_and_unknown_last(db: None):
    scores = [factories.OpportunityFactory(score_bps=score).score_bps for score in (None, 4_000, 9_000)]
    factories.OpportunityFactory(status="refused", score_bps=9_999)
    assert [item.score_bps for item in selectors.opportunity_queue()] == sorted(
        scores, key=lambda value: -(value or 0)
    )


def test_positions_then_results_follow_the_mark(world: World):
    position = world.buy()
    [view] = selectors.positions_with_pnl()
    assert view.pnl.unrealised is None
    world.exits()
    [view] = selectors.positions_with_pnl()
    position.refresh_from_db()
    assert view.pnl.unrealised is not None
    assert position.mark_value_raw is not None
    assert view.pnl.unrealised.raw == position.mark_value_raw - position.cost_raw


def test_trace_of_a_trade_then_shows_every_stage_in_order(world: World):
    position = world.buy()
    order = world.ask_exit(position)
    world.execute(order)
    world.chain.mine()
    world.settle(order)
    steps = selectors.trace(trace_id=order.trace_id)
    stages = [item.stage for item in steps]
    assert {"block mined", "registered", "decided", "ordered", "claimed", "signed", "sent", "booked"} <= set(
        stages
    )
    assert stages[-1] == "closed"
    assert all(item.after_ms is not None and item.after_ms >= 0 for item in steps[1:])
    counters = selectors.counters()
    assert (counters.closed_positions, counters.orders_filled, counters.orders_under_way) == (1, 2, 0)
    assert [item.side for item in selectors.orders_with_attempts()] == ["sell", "buy"]


def test_equity_without_a_price_then_no_point_is_made(world: World):
    assert not equity_record()
    assert not EquityPoint.objects.exists()


def test_equity_with_a_price_then_cash_and_marks_are_summed_once_a_while(world: World):
    position = world.buy()
    world.exits()
    factories.PoolSnapshotFactory(pair=position.pair, at=timezone.now(), quote_price_usd_micros=3_000_000_000)
    assert equity_record()
    assert not equity_record()
    [point] = selectors.equity_line()
    assert point.unpriced_positions == 0
    total = point.cash_usd_micros + point.positions_usd_micros
    assert 299_990 * 10**6 < total < 300_000 * 10**6


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


def test_admin_then_every_list_and_row_opens_and_nothing_can_be_written(world: World, admin_client):
    world.buy()
    for model in (Opportunity, DecisionRecord, Order, Position, FillRecord, JournalEntry):
        address = f"/admin/trading/{model.__name__.lower()}/"
        row = model.objects.earliest("pk")
        assert admin_client.get(address).status_code == 200, address
        assert admin_client.get(f"{address}{row.pk}/change/").status_code == 200, address
        assert admin_client.get(f"{address}add/").status_code == 403, address
