"""The clock of entries: what each step took, told from rows, unknown where nobody knows."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.trading.logic.trade_clock import BUCKETS_MS, STRETCHES, TradeMoments, spread, stretches_ms
from apps.trading.services.trade_clock import spreads_of, trades_clocked
from tests import factories

MOMENTS = TradeMoments(
    seen_ms=1_000,
    analysed_ms=1_400,
    decided_ms=1_405,
    signed_ms=1_420,
    sent_ms=1_424,
    landed_ms=3_000,
    booked_ms=3_080,
    landed_block=12,
    first_liquidity_block=10,
)


def test_stretches_when_all_is_known_then_add_up() -> None:
    found = stretches_ms(MOMENTS)
    assert set(found) == set(STRETCHES)
    assert found["decided_to_sent"] == found["decided_to_signed"] + found["signed_to_sent"] == 19
    parts = (
        "seen_to_analysed",
        "analysed_to_decided",
        "decided_to_sent",
        "sent_to_landed",
        "landed_to_booked",
    )
    assert sum(found[name] for name in parts) == found["seen_to_booked"] == 2_080
    assert MOMENTS.blocks_behind == 2


def test_stretches_when_a_moment_is_unknown_then_absent_not_nought() -> None:
    found = stretches_ms(replace(MOMENTS, analysed_ms=None, sent_ms=None))
    assert set(found) == {"decided_to_signed", "landed_to_booked", "seen_to_booked"}
    assert replace(MOMENTS, first_liquidity_block=None).blocks_behind is None


def test_stretches_when_the_block_tells_an_earlier_second_then_nothing_is_negative() -> None:
    assert stretches_ms(replace(MOMENTS, landed_ms=1_000))["sent_to_landed"] == 0


@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=300))
def test_spread_when_of_any_values_then_ordered_and_every_value_is_in_one_class(values: list[int]) -> None:
    found = spread(values)
    assert found is not None
    assert min(values) <= found.p50 <= found.p95 <= found.p99 <= found.most == max(values)
    assert sum(found.buckets) == found.count == len(values)
    assert len(found.buckets) == len(BUCKETS_MS) + 1
    assert sum(value <= found.p99 for value in values) * 100 >= 99 * len(values)


def test_spread_when_there_is_nothing_then_none() -> None:
    assert spread([]) is None


@pytest.mark.django_db
def test_trades_when_booked_then_clocked_newest_first_without_reversed_ones() -> None:
    now = timezone.now()
    first = bought(now, sent_ms=12)
    second = bought(now, sent_ms=30)
    bought(now, sent_ms=40, reversed_at=now)
    found = trades_clocked(now=now)
    assert [item.order_id for item in found] == [second.order_id, first.order_id]
    assert [item.stretches["decided_to_sent"] for item in found] == [30, 12]
    spreads = spreads_of(found)
    assert spreads["decided_to_sent"] is not None
    assert (spreads["decided_to_sent"].p50, spreads["decided_to_sent"].p99) == (12, 30)
    assert len(trades_clocked(now=now, limit=1)) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("source", "registered_days_ago", "behind"),
    [("chain", 0, 3), ("dexscreener", 0, None), ("chain", 8, None)],
)
def test_blocks_behind_when_pair_was_not_followed_from_its_beginning_then_unknown(
    source: str, registered_days_ago: int, behind: int | None
) -> None:
    now = timezone.now()
    fill = bought(now, sent_ms=1)
    pair = fill.order.pair
    pair.source, pair.registered_at = source, now - timedelta(days=registered_days_ago)
    pair.save()
    for number in (fill.block_number - 3, fill.block_number):
        factories.PoolSnapshotFactory(pair=pair, block_number=number)
    assert trades_clocked(now=now)[0].moments.blocks_behind == behind


def bought(now: Any, *, sent_ms: int, **fields: Any) -> Any:
    """Make a booked entry that was sent so long after it was decided."""
    fill: Any = factories.FillRecordFactory(**fields)
    decision = fill.order.decision
    decision.created_at = now
    decision.save()
    fill.attempt.signed_at = now
    fill.attempt.broadcast_at = now + timedelta(milliseconds=sent_ms)
    fill.attempt.save()
    return fill
