"""The beginning and the end of a demo run."""

from __future__ import annotations

import time
from typing import Any

from django.conf import settings
from django.db.models import Count
from django.utils import timezone

from apps.chains import selectors as chains
from apps.discovery.models import Pair
from apps.discovery.services.cursors import cursor_get
from apps.domain.errors import PlatformError
from apps.domain.market import ChainProfile
from apps.domain.order import IN_FLIGHT_STATUSES, OrderStatus
from apps.engine import wiring
from apps.sandbox.chainspec import chains_named
from apps.sandbox.pace import market_pause, market_resume
from apps.sandbox.report import demo_report
from apps.state.models import Heartbeat, Incident
from apps.state.services.engine import engine_pause, engine_stop
from apps.trading.models import Order
from apps.trading.services.reconciliation import wallet_reconcile
from apps.trading.services.trade_clock import spreads_of, trades_clocked

_BLOCKS_AFTER_PAUSE = 2  # a launch that was drawn before the pause may stand in the next block
_BLOCKS_TO_SETTLE = 4  # the two above, and two for what was sent in them
_COMPARE_S = 10.0
_WORKERS = ("worker/evaluate", "worker/execute")
_UNDER_WAY = [status.value for status in IN_FLIGHT_STATUSES | {OrderStatus.CREATED, OrderStatus.CLAIMED}]


def open_market(*, timeout_s: float) -> None:
    """Let the market launch once everything that watches it is at work. Call ``market_pause`` before the start.

    Raises PlatformError naming what is missing.
    """
    running = chains_named(settings.ENV.sandbox_chains)
    wanted = {"listener", *_WORKERS, *(f"listener/{chain.key}" for chain in running)}
    deadline = time.monotonic() + timeout_s
    while missing := wanted - set(Heartbeat.objects.values_list("component", flat=True)):
        if time.monotonic() > deadline:
            raise PlatformError(
                f"not at work in time: {', '.join(sorted(missing))}", remedy="Read their lines in the log."
            )
        time.sleep(0.1)
    market_resume()


def finish(*, seconds: int, settle_s: float) -> dict[str, Any]:
    """Stop the market's launches and new entries, let what is in flight reach the books, stop, compare, report.

    ``settle_s`` grows by what chains of slow blocks take longer.
    """
    market_pause()
    engine_pause(by="demo", reason="the run is over: nothing new is bought")
    slowest_s = max(chain.block_time_ms for chain in chains_named(settings.ENV.sandbox_chains)) / 1_000
    deadline = time.monotonic() + max(settle_s, _BLOCKS_TO_SETTLE * slowest_s)
    _wait_until_read(deadline)
    engine_stop(by="demo", reason="the run is over")
    while Order.objects.filter(status__in=_UNDER_WAY).exists() and time.monotonic() < deadline:
        time.sleep(0.25)
    equal = [_agrees(profile) for profile in chains.chain_profiles()]
    report = demo_report(
        seconds=seconds,
        native_symbols={profile.chain_key: profile.native.symbol for profile in chains.chain_profiles()},
        book_equals_chain=all(equal),
    )
    report["chains"] = _by_chain()
    report["orders"] = dict(Order.objects.values_list("status").annotate(n=Count("id")))
    report["incidents"] = dict(Incident.objects.values_list("code").annotate(n=Count("id")))
    report["clock_ms"] = _clock()
    return report


def _by_chain() -> dict[str, dict[str, int]]:
    """Return how much happened on each chain: so that one that stands still is seen."""
    found: dict[str, dict[str, int]] = {}
    for spec in chains_named(settings.ENV.sandbox_chains):
        filled = Order.objects.filter(chain_key=spec.key, status=OrderStatus.FILLED.value)
        cursor = cursor_get(chain_key=spec.key)
        found[spec.slug] = {
            "blocks": 0 if cursor is None else cursor.number,
            "pairs": Pair.objects.filter(chain_key=spec.key).count(),
            "bought": filled.filter(side="buy").count(),
            "sold": filled.filter(side="sell").count(),
        }
    return found


def _clock() -> dict[str, dict[str, int]]:
    """Return how long each step of our purchases took."""
    spreads = spreads_of(trades_clocked(now=timezone.now()))
    return {
        name: {"p50": found.p50, "p95": found.p95, "p99": found.p99, "trades": found.count}
        for name, found in spreads.items()
        if found is not None
    }


def _agrees(profile: ChainProfile) -> bool:
    """Tell whether book and wallet agree; looked at again for a while, as a wallet in motion is not compared."""
    ports = wiring.chain_ports(profile.chain_key).execution
    wallet_key = wiring.trading_wallet_key(profile)
    deadline = time.monotonic() + _COMPARE_S
    while True:
        report = wallet_reconcile(chain_key=profile.chain_key, wallet_key=wallet_key, ports=ports)
        if report.is_equal or time.monotonic() > deadline:
            return report.is_equal
        time.sleep(0.5)


def _wait_until_read(deadline: float) -> None:
    """Return once every chain was read beyond the block in which its last launch may stand."""
    heads = {
        profile.chain_key: wiring.chain_ports(profile.chain_key).reader.head().number + _BLOCKS_AFTER_PAUSE
        for profile in chains.chain_profiles()
    }
    while time.monotonic() < deadline:
        cursors = {key: cursor_get(chain_key=key) for key in heads}
        if all(cursor is not None and cursor.number >= heads[key] for key, cursor in cursors.items()):
            return
        time.sleep(0.2)
