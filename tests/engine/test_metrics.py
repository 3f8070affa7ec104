"""The system's figures, read from rows: each says what the rows say, and nothing where they say nothing."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.utils import timezone
from prometheus_client.core import Metric

from apps.engine.metrics import windows
from apps.engine.metrics.families import DatabaseCollector, families
from apps.engine.metrics.figures import execution_figures, reconciliation_now, system_figures
from apps.engine.metrics.flow import flow_figures
from apps.trading.models import FillRecord, Opportunity, Order
from tests import factories as f

pytestmark = pytest.mark.django_db
#: Some days' worth of rows costs no more queries than none.
_QUERIES_MAX = 60


def _samples(found: list[Metric]) -> dict[str, dict[str, float]]:
    """Return each sample's value by its name and its labels' values."""
    told: dict[str, dict[str, float]] = {}
    for family in found:
        for sample in family.samples:
            told.setdefault(sample.name, {})["/".join(sample.labels.values())] = sample.value
    return told


def _now_told() -> dict[str, dict[str, float]]:
    return _samples(list(families(system_figures(now=timezone.now()))))


def _filled(**fields: object) -> Order:
    fill: FillRecord = f.FillRecordFactory()
    order = fill.order
    Order.objects.filter(pk=order.pk).update(status="filled", status_at=timezone.now(), **fields)
    return order


def test_figures_when_nothing_ever_happened_then_unknown_is_absent_and_not_zero():
    told = _now_told()
    for name in (
        "execution_success_ratio",
        "reconciliation_accuracy_ratio",
        "equity_usd",
        "websocket_uptime_ratio",
    ):
        assert f"dexsniper_{name}" not in told
    assert told["dexsniper_queue_depth"]["evaluate"] == 0
    assert set(told["dexsniper_errors_total"]) == {"network", "trading", "system", "data"}


def test_success_when_some_failed_then_only_what_was_signed_for_counts():
    _filled()
    for status in ("reverted", "denied", "cancelled"):
        f.OrderFactory(status=status, status_at=timezone.now())
    f.OrderFactory(status="reverted", status_at=timezone.now() - timedelta(days=2))
    assert execution_figures(now=timezone.now()).success_bps == 5_000
    assert _now_told()["dexsniper_execution_success_ratio"][""] == 0.5


def test_queue_when_rows_wait_then_depth_and_the_oldest():
    then = timezone.now() - timedelta(seconds=40)
    chance = f.OpportunityFactory()
    Opportunity.objects.filter(pk=chance.pk).update(status="waiting", evaluate_after=then)
    told = _now_told()
    assert told["dexsniper_queue_depth"]["evaluate"] == 1
    assert 40 <= told["dexsniper_queue_oldest_seconds"]["evaluate"] < 60


def test_books_when_one_balance_differs_then_accuracy_falls_by_its_share():
    for number in range(4):
        f.AccountBalanceFactory(token_address=f"0x{number:040x}")
    f.IncidentFactory(dedup_key="ledger/eip155:1/main/0x1", code="LEDGER_MISMATCH")
    assert reconciliation_now().accuracy_bps == 7_500


def test_components_when_one_is_silent_then_down():
    f.HeartbeatFactory(component="listener", beat_at=timezone.now())
    f.HeartbeatFactory(component="worker/execute", beat_at=timezone.now() - timedelta(hours=1))
    told = _now_told()
    assert told["dexsniper_component_up"] == {"listener": 1.0, "worker/execute": 0.0}
    assert told["dexsniper_component_silence_seconds"]["worker/execute"] >= 3_600


def test_errors_when_repeated_then_each_is_counted_by_category():
    f.IncidentFactory(dedup_key="a", category="network", count=3, severity="warning")
    f.IncidentFactory(dedup_key="b", category="network", count=2, resolved_at=timezone.now())
    told = _now_told()
    assert told["dexsniper_errors_total"]["network"] == 5
    assert told["dexsniper_incidents_open"]["network/warning"] == 1


def test_flow_when_a_trade_was_made_then_every_stage_counts_and_histograms_add_up():
    fill: FillRecord = f.FillRecordFactory()
    now = timezone.now()
    decision = fill.order.decision
    decision.created_at = now - timedelta(seconds=2)
    decision.save()
    Opportunity.objects.filter(pk=decision.opportunity_id).update(created_at=now - timedelta(seconds=9))
    fill.booked_at = now
    fill.save()
    found = flow_figures(now=timezone.now())
    assert {stage.name: stage.count for stage in found.stages}["booked"] == 1
    latency = found.stage("decided").latency
    assert latency is None or sum(latency.buckets) == latency.count
    told = _now_told()
    for name, count in told.get("dexsniper_stage_duration_seconds_gcount", {}).items():
        buckets = [
            value
            for labels, value in told["dexsniper_stage_duration_seconds_bucket"].items()
            if labels.startswith(f"{name}/")
        ]
        assert buckets[-1] == count
        assert all(before <= after for before, after in pairwise(buckets))


def test_figures_when_read_then_the_number_of_queries_is_bounded(django_assert_max_num_queries):
    for _ in range(3):
        _filled()
    with django_assert_max_num_queries(_QUERIES_MAX):
        system_figures(now=timezone.now())


def test_collector_when_scraped_again_at_once_then_asks_nobody(django_assert_num_queries):
    collector = DatabaseCollector()
    assert tuple(collector.describe()) == ()
    first = collector.collect()
    with django_assert_num_queries(0):
        assert collector.collect() is first


# -- windows ----------------------------------------------------------------------------------
def test_windows_when_a_flood_comes_then_its_series_is_marked_and_no_other():
    now = datetime(2026, 3, 4, 12, 2, tzinfo=UTC)
    end = now.replace(minute=0)
    for window in range(windows.WINDOWS):
        at = end - window * windows.WINDOW - timedelta(minutes=2)
        f.EventFactory(at=at)
        for _ in range(30 if window == 0 else 1):
            Opportunity.objects.filter(pk=f.OpportunityFactory().pk).update(created_at=at)
    found = {series.name: series for series in windows.window_series(now=now)}
    assert found["found"].values == (1,) * (windows.WINDOWS - 1) + (30,)
    assert found["found"].mark is not None
    assert [name for name, series in found.items() if series.mark and series.mark.is_anomaly] == ["found"]
    assert found["reaction_ms"].mark is None, "nobody decided, so nobody knows"


def test_windows_when_the_system_is_young_then_nothing_before_its_first_sign_counts():
    now = datetime(2026, 3, 4, 12, 2, tzinfo=UTC)
    f.EventFactory(at=now - timedelta(minutes=9))
    for series in windows.window_series(now=now):
        assert len(series.values) <= 2
        assert series.mark is None
