"""Further chances for known tokens: opened by feeds and by our own records, rested, counted, one at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.ids import PairKey, trace_id_of
from apps.state.services.config import active_config, config_change
from apps.trading.logic.momentum import Momentum, PoolPoint, momentum
from apps.trading.models import Opportunity
from apps.trading.services.reentries import reentries_open
from tests import factories

RISING = [PoolPoint(base_raw=1_000_000 // quote, quote_raw=quote) for quote in (10, 11, 12, 13)]


def test_momentum_when_price_rises_on_more_coins_then_told() -> None:
    assert momentum(RISING, rise_min_bps=2_000) == Momentum(rise_bps=6_900, inflow_bps=3_000)


@pytest.mark.parametrize(
    "points",
    [
        RISING[:3],  # too few
        RISING[::-1],  # falls
        [*RISING, PoolPoint(base_raw=90_000, quote_raw=12)],  # has turned
        [PoolPoint(base_raw=100 - 20 * n, quote_raw=100 - n) for n in range(4)],  # coins leave
        [PoolPoint(base_raw=0, quote_raw=0), *RISING],
        [PoolPoint(base_raw=100, quote_raw=100)] * 5,
    ],
)
def test_momentum_when_there_is_none_then_none(points: list[PoolPoint]) -> None:
    assert momentum(points, rise_min_bps=2_000) is None


@given(
    st.lists(
        st.builds(PoolPoint, base_raw=st.integers(0, 2**112), quote_raw=st.integers(0, 2**112)), max_size=9
    )
)
def test_momentum_of_any_reserves_then_no_less_than_asked_and_with_inflow(points: list[PoolPoint]) -> None:
    found = momentum(points, rise_min_bps=500)
    if found is not None:
        assert found.rise_bps >= 500
        assert found.inflow_bps > 0


@pytest.fixture
def now(db: None) -> datetime:
    factories.ConfigRevisionFactory(number=1, is_active=True)
    config_change(payload={"reentries": {"enabled": True}}, by="test", reason="test")
    return timezone.now()


def known_pair(now: datetime, *, rested_s: int = 7_200, **chance: Any) -> Any:
    """Make a pair whose first chance ended so long ago."""
    first: Any = factories.OpportunityFactory(**({"status": "refused"} | chance))
    Opportunity.objects.filter(pk=first.pk).update(updated_at=now - timedelta(seconds=rested_s))
    return first.pair


def shown(pair: Any, **fields: Any) -> None:
    factories.FeedSightingFactory(**({"pair": pair, "kind": "trending", "source": "geckoterminal"} | fields))


def test_chance_when_a_known_pair_trends_then_second_with_a_trace_of_its_own(now: datetime) -> None:
    pair = known_pair(now)
    shown(pair)
    [row_id] = reentries_open(now=now)
    row = Opportunity.objects.get(pk=row_id)
    assert (row.number, row.status, row.source, row.pair_id) == (2, "waiting", "geckoterminal", pair.pk)
    assert row.trace_id == trace_id_of(PairKey(pair.pair_key), 2)
    assert reentries_open(now=now) == ()  # it has one at a time


@pytest.mark.parametrize(
    "sighting",
    [{"kind": "new"}, {"outcome": "contradicted"}, {"outcome": "unconfirmed"}, {"last_seen_at": "long ago"}],
)
def test_chance_when_a_feed_says_nothing_of_weight_then_none(now: datetime, sighting: dict[str, Any]) -> None:
    if "last_seen_at" in sighting:
        sighting = {"last_seen_at": now - timedelta(minutes=10)}
    shown(known_pair(now), **sighting)
    assert reentries_open(now=now) == ()


@pytest.mark.parametrize("status", ["waiting", "evaluating", "quarantined", "entered"])
def test_chance_when_the_first_has_not_ended_then_none(now: datetime, status: str) -> None:
    shown(known_pair(now, status=status))
    assert reentries_open(now=now) == ()


def test_chance_when_it_has_not_rested_then_none(now: datetime) -> None:
    shown(known_pair(now, rested_s=active_config().config.reentries.cooldown_s - 5))
    assert reentries_open(now=now) == ()


@pytest.mark.parametrize(("status", "count"), [("open", 0), ("stuck", 0), ("closed", 1)])
def test_chance_when_the_token_is_held_then_none(now: datetime, status: str, count: int) -> None:
    pair = known_pair(now, status="entered")
    factories.PositionFactory(opportunity=pair.opportunities.get(), status=status)
    shown(pair)
    assert len(reentries_open(now=now)) == count


def test_chance_when_the_pair_is_withdrawn_or_set_aside_then_none(now: datetime) -> None:
    for fields in ({"removed_at": now}, {"quarantine_code": "UNREADABLE"}):
        pair = known_pair(now)
        for name, value in fields.items():
            setattr(pair, name, value)
        pair.save()
        shown(pair)
    assert reentries_open(now=now) == ()


def test_chances_when_the_day_has_had_enough_then_none(now: datetime) -> None:
    pair = known_pair(now)
    shown(pair)
    settings = active_config().config.reentries
    for round_number in range(settings.per_day_max + 1):
        opened = reentries_open(now=now)
        assert len(opened) == (round_number < settings.per_day_max)
        Opportunity.objects.filter(pair=pair).update(
            status="refused", updated_at=now - timedelta(seconds=settings.cooldown_s)
        )


@pytest.mark.parametrize(("age_s", "count"), [(0, 1), (120, 0)])
def test_chance_when_our_own_records_rise_then_opened_while_fresh(
    now: datetime, age_s: int, count: int
) -> None:
    pair = known_pair(now)
    for number, point in enumerate(RISING):
        factories.PoolSnapshotFactory(
            pair=pair,
            block_number=100 + number,
            at=now - timedelta(seconds=age_s + 3 - number),
            base_raw=point.base_raw,
            quote_raw=point.quote_raw,
        )
    opened = reentries_open(now=now)
    assert len(opened) == count
    assert [Opportunity.objects.get(pk=pk).source for pk in opened] == ["momentum"] * count
