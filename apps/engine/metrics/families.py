"""The system's figures as Prometheus families. Names and units follow its conventions: base units, the unit last.

What is true now is a gauge; what only grows has ``_total``. The stages' latencies are the present distribution over the
newest rows and no counter, so ``histogram_quantile`` takes them as they are, without ``rate``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator
from typing import Final

from django.conf import settings
from django.utils import timezone
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeHistogramMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from apps.domain.engine import EngineStatus
from apps.engine.metrics.figures import SystemFigures, newest_head_age_s, system_figures
from apps.engine.metrics.flow import Stage
from apps.trading.logic.trade_clock import BUCKETS_MS

PREFIX: Final = "dexsniper_"
#: The database is asked no more often than this, however many scrape.
KEPT_S: Final = 5.0
_MICROS: Final = 1_000_000
_BPS: Final = 10_000


class DatabaseCollector(Collector):
    """Reads the figures when it is scraped."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: tuple[float, tuple[Metric, ...]] | None = None

    def describe(self) -> Iterable[Metric]:
        """Name nothing beforehand, so that being registered asks no database."""
        return ()

    def collect(self) -> Iterable[Metric]:
        """Return all families. Raises DatabaseError."""
        with self._lock:
            if self._kept is None or time.monotonic() - self._kept[0] >= KEPT_S:
                started = time.monotonic()
                found = tuple(families(system_figures(now=timezone.now())))
                took = _gauge(
                    "scrape_read_seconds", "What reading these figures took.", time.monotonic() - started
                )
                self._kept = (time.monotonic(), (*found, took))
            return self._kept[1]


def families(found: SystemFigures) -> Iterator[Metric]:
    """Return the families of these figures; what is unknown is absent, never 0."""
    mode = InfoMetricFamily(PREFIX + "installation", "What this installation trades with.")
    mode.add_metric([], {"mode": settings.ENV.mode})
    yield mode
    yield from _state(found)
    yield from _work(found)
    yield from _trades(found)
    yield from _money(found)
    yield from _outside(found)
    yield from _served(found)


def _state(found: SystemFigures) -> Iterator[Metric]:
    if found.engine is not None:
        status = _labelled("engine_status", "1 for the state that the engine is in.", ["status"])
        for item in EngineStatus:
            status.add_metric([item.value], float(item is found.engine.status))
        yield status
        yield _gauge("engine_epoch", "Grows at every kill, resume and start.", found.engine.epoch)
    up = _labelled("component_up", "1 while a component gives signs of life in time.", ["component"])
    seen = _labelled(
        "component_silence_seconds", "Time since a component's last sign of life.", ["component"]
    )
    for component in found.components:
        up.add_metric([component.name], float(component.is_up))
        seen.add_metric([component.name], component.age_s)
    yield up
    yield seen
    errors = CounterMetricFamily(PREFIX + "errors", "Incidents ever, repeats included.", labels=["category"])
    opened = _labelled("incidents_open", "Incidents that nobody has resolved.", ["category", "severity"])
    for group in found.errors:
        errors.add_metric([group.category], group.occurrences)
        for severity in ("info", "warning", "critical"):
            opened.add_metric([group.category, severity], group.open.get(severity, 0))
    yield errors
    yield opened


def _work(found: SystemFigures) -> Iterator[Metric]:
    depth = _labelled("queue_depth", "Rows that wait.", ["queue"])
    oldest = _labelled("queue_oldest_seconds", "Age of the row that waits longest.", ["queue"])
    for queue in found.queues:
        depth.add_metric([queue.name], queue.depth)
        oldest.add_metric([queue.name], queue.oldest_s or 0.0)
    yield depth
    yield oldest
    passed = _labelled(
        "stage_passed_recently", f"Rows that passed a stage in the last {found.flow.window_s} s.", ["stage"]
    )
    latency = GaugeHistogramMetricFamily(
        PREFIX + "stage_duration_seconds",
        "Time from the stage before, over the newest rows of the window.",
        labels=["stage"],
    )
    for stage in found.flow.stages:
        passed.add_metric([stage.name], stage.count)
        if stage.latency is not None:
            latency.add_metric([stage.name], _buckets(stage), gsum_value=stage.latency.total / 1_000)
    yield passed
    yield latency


def _buckets(stage: Stage) -> list[tuple[str, float]]:
    assert stage.latency is not None
    ends = [str(end / 1_000) for end in BUCKETS_MS] + ["+Inf"]
    reached, buckets = 0, []
    for end, count in zip(ends, stage.latency.buckets, strict=True):
        reached += count
        buckets.append((end, float(reached)))
    return buckets


def _trades(found: SystemFigures) -> Iterator[Metric]:
    orders = _labelled("orders", "Orders by side and state.", ["side", "status"])
    for (side, status), count in sorted(found.orders.items()):
        orders.add_metric([side, status], count)
    yield orders
    positions = _labelled("positions", "Positions by state.", ["status"])
    for status in ("open", "closed", "stuck"):
        positions.add_metric([status], found.positions.get(status, 0))
    yield positions
    if found.execution.success_bps is not None:
        yield _gauge(
            "execution_success_ratio",
            "Of the orders that ended within a day, the share that was filled; denied and cancelled ones left out.",
            found.execution.success_bps / _BPS,
        )
    yield _gauge(
        "execution_ended_recently",
        "Orders that this share rests on.",
        found.execution.filled + sum(found.execution.failed.values()),
    )
    ledger = found.reconciliation
    if ledger.accuracy_bps is not None:
        yield _gauge(
            "reconciliation_accuracy_ratio",
            "Balances in the books without an open difference to the chain.",
            ledger.accuracy_bps / _BPS,
        )
    yield _gauge(
        "reconciliation_differences_open", "Balances that differ from the chain.", ledger.differences
    )
    yield CounterMetricFamily(
        PREFIX + "reconciliation_adjustments",
        "Entries that made the books follow the chain.",
        value=ledger.adjustments,
    )


def _money(found: SystemFigures) -> Iterator[Metric]:
    money = found.money
    known = {
        "equity_usd": ("Worth of everything.", money.equity_usd_micros),
        "cash_usd": ("Worth of the coins in the wallets.", money.cash_usd_micros),
        "exposure_usd": ("Open positions at cost, and reserved entries.", money.exposure_usd_micros),
        "exposure_max_usd": ("The limit of exposure.", money.exposure_max_usd_micros),
        "pnl_realised_usd": ("Result of all closed positions, gas included.", found.realised_usd_micros),
        "pnl_realised_today_usd": ("The same, of this UTC day.", money.realised_today_usd_micros),
        "pnl_unrealised_usd": ("Result of the open positions at their marks.", money.unrealised_usd_micros),
    }
    for name, (help_text, micros) in known.items():
        if micros is not None:
            yield _gauge(name, help_text, micros / _MICROS)
    if money.drawdown_bps is not None:
        yield _gauge("drawdown_ratio", "Deepest fall from a high within a day.", money.drawdown_bps / _BPS)


def _outside(found: SystemFigures) -> Iterator[Metric]:
    up = _labelled("rpc_endpoint_up", "1 while an endpoint has no fault.", ["chain", "endpoint", "host"])
    for rpc in found.rpcs:
        up.add_metric([rpc.chain_key, str(rpc.endpoint_id), rpc.host], float(rpc.is_up))
    yield up
    ages = newest_head_age_s(found.heads, found.at)
    age = _labelled("chain_head_age_seconds", "Age of a chain's newest block that was read.", ["chain"])
    fresh = _labelled("chain_followed", "1 while a chain's newest block is fresh.", ["chain"])
    for head in found.heads:
        if head.key in ages:
            age.add_metric([head.key], ages[head.key])
        is_fresh = head.key in ages and ages[head.key] * 1_000 <= head.stale_after_ms
        fresh.add_metric([head.key], float(is_fresh))
    yield age
    yield fresh


def _served(found: SystemFigures) -> Iterator[Metric]:
    web = found.web
    if web is None:
        return
    if web.socket_uptime_bps is not None:
        yield _gauge(
            "websocket_uptime_ratio",
            "Share of the last day in which the sockets were served, since they first were.",
            web.socket_uptime_bps / _BPS,
        )


def _gauge(name: str, help_text: str, value: float) -> Metric:
    return GaugeMetricFamily(PREFIX + name, help_text, value=value)


def _labelled(name: str, help_text: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(PREFIX + name, help_text, labels=labels)
