"""Several workers at the same rows at the same time: one wins, the others change nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connection

from apps.trading.models import FillRecord, JournalEntry, Order, Position
from apps.trading.services.exits import exits_evaluate
from tests.trading.conftest import World

WORKERS = 4


def at_once(function: Callable[[], Any]) -> list[Any]:
    """Call in several threads that start together; return results and errors."""
    barrier = threading.Barrier(WORKERS)

    def run() -> Any:
        try:
            barrier.wait(timeout=10)
            return function()
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        return [future.result() for future in [pool.submit(run) for _ in range(WORKERS)]]


def test_execute_by_many_workers_then_one_transaction_leaves(world: World, transactional_db: None):
    order = world.decide(world.pair())
    assert order is not None
    results = at_once(lambda: world.execute(order))
    assert not [item for item in results if isinstance(item, Exception)], results
    assert len(world.chain.sends) == 1
    assert order.attempts.count() == 1
    order.refresh_from_db()
    assert order.status == "submitted"


def test_settle_by_many_workers_then_is_booked_once(world: World, transactional_db: None):
    order = world.decide(world.pair())
    assert order is not None
    world.execute(order)
    world.chain.mine()
    results = at_once(lambda: world.settle(order))
    assert not [item for item in results if isinstance(item, Exception)], results
    assert FillRecord.objects.count() == 1
    assert JournalEntry.objects.filter(kind="fill").count() == 1
    assert JournalEntry.objects.filter(kind="gas").count() == 1
    world.assert_books_are_true()


def test_exits_by_many_watchers_then_no_more_is_sold_than_is_held(world: World, transactional_db: None):
    position = world.buy()
    Position.objects.update(ordered_tag="force_exit")
    results = at_once(
        lambda: exits_evaluate(chain_key=world.profile.chain_key, ports=world.ports, head=world.chain.head())
    )
    assert not [item for item in results if isinstance(item, Exception)], results
    assert sum(len(item) for item in results) == 1
    assert Order.objects.filter(side="sell").count() == 1
    position.refresh_from_db()
    assert position.reserved_raw == position.quantity_raw


def test_decide_and_execute_then_the_way_from_decision_to_send_is_short(world: World, transactional_db: None):
    world.buy()
    pairs = [world.pair() for _ in range(10)]
    times = []
    for pair in pairs:
        started = time.perf_counter()
        order = world.decide(pair)
        assert order is not None
        world.execute(order)
        times.append(time.perf_counter() - started)
    # Some 20 ms on an idle machine. The bound is loose, because a gate may share its cores; `manage.py demo` measures.
    assert sorted(times)[len(times) // 2] < 1.0, times
