"""The process dies before each statement that it sends to the database, and around each send; a new one takes over.

A statement that never came is the same as a crash after the commit before it, and the fence's reads stand right before
signature and send: so this covers every point between two outside effects. Messages are lost with the process.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from apps.discovery.models import Pair
from apps.engine import road as stages
from apps.engine.blocks import ChainFollower
from apps.trading.models import Opportunity, Order, Position
from apps.trading.services.execution import CLAIM_STALE_S
from apps.trading.services.opportunities import EVALUATION_STALE_S, opportunities_due
from apps.trading.services.orders import orders_waiting
from apps.trading.services.settlement import REBROADCAST_EVERY_S
from tests.road.driving import Crash, Road, crash_at_statement

#: Each test runs the road anew for every statement; emptying PostgreSQL in between takes its time.
pytestmark = [pytest.mark.chain, pytest.mark.timeout(420)]

#: More than any stage sends; the last round of each test sends fewer than its number and ends the search.
STATEMENTS_MAX = 80


def writes_or_fence(sql: str) -> bool:
    """Tell whether a crash before this statement differs from one before the next."""
    if sql.startswith("SELECT"):
        return "state_enginestate" in sql
    return sql.startswith(("INSERT", "UPDATE", "DELETE"))


def recovered(road: Road, is_done: Callable[[Road], bool]) -> None:
    """Start anew, after as long as the claims of dead workers last, and let blocks come until all is done."""
    road.pass_time(max(CLAIM_STALE_S, EVALUATION_STALE_S) + REBROADCAST_EVERY_S)
    road.restart()
    road.run_until(lambda: is_done(road))
    road.assert_true()


def crash_everywhere(
    road: Road, stage: Callable[[], Callable[[], object]], is_done: Callable[[Road], bool]
) -> int:
    """Crash before each statement of a stage, a fresh one each time; return how many there were."""
    road.configure(
        limits={"open_positions_max": 500, "exposure_max_usd": "1000000"}, exits={"time_stop_s": None}
    )
    for number in range(STATEMENTS_MAX):
        act = stage()
        has_died = False
        with crash_at_statement(number, matches=writes_or_fence):
            try:
                act()
            except Crash:
                has_died = True
        recovered(road, is_done)
        if not has_died:
            return number
    raise AssertionError(f"more than {STATEMENTS_MAX} statements")


def follower_of(road: Road) -> ChainFollower:
    assert road.follower is not None
    return road.follower


def waiting_entry(road: Road) -> int:
    """Return a new entry order that nobody has carried out."""
    road.launch()
    follower_of(road).advance()
    for opportunity_id in opportunities_due():
        stages.evaluate(opportunity_id)
    [order_id] = orders_waiting(chain_key=road.chain_key)
    return order_id


def due_exit(road: Road) -> None:
    """Buy, and let the price rise to where it is sold: with a gain, so that no breaker for losses trips."""
    launch, _ = road.bought()
    road.pump(launch)


def all_bought(road: Road) -> bool:
    """Tell whether each launch was bought, exactly once."""
    return list(Order.objects.values_list("side", "status")) == [("buy", "filled")] * road.launches


def all_sold(road: Road) -> bool:
    """Tell whether each launch was bought and sold."""
    return Position.objects.filter(status="closed").count() == road.launches


def test_registration_when_its_process_dies_at_any_point_then_each_pair_is_there_once(road: Road):
    def stage() -> Callable[[], object]:
        road.launch(burns=False)
        return follower_of(road).advance

    def all_judged(road: Road) -> bool:
        return Opportunity.objects.filter(evaluations__gt=0).count() == Pair.objects.count() == road.launches

    assert crash_everywhere(road, stage, all_judged) >= 5
    assert Opportunity.objects.count() == road.launches


def test_evaluation_when_its_process_dies_at_any_point_then_one_order_follows(road: Road):
    def stage() -> Callable[[], object]:
        road.launch()
        follower_of(road).advance()
        [opportunity_id] = opportunities_due()
        return lambda: stages.evaluate(opportunity_id)

    assert crash_everywhere(road, stage, all_bought) >= 8


def test_entry_when_its_process_dies_at_any_point_of_execution_then_is_bought_once(road: Road):
    def stage() -> Callable[[], object]:
        order_id = waiting_entry(road)
        return lambda: stages.execute(order_id)

    assert crash_everywhere(road, stage, all_bought) >= 8


def test_entry_when_its_process_dies_at_any_point_of_settlement_then_is_booked_once(road: Road):
    def stage() -> Callable[[], object]:
        order_id = waiting_entry(road)
        stages.execute(order_id)
        road.mine()
        return lambda: stages.settle(order_id)

    assert crash_everywhere(road, stage, all_bought) >= 8


def test_exit_when_its_process_dies_at_any_point_of_decision_and_execution_then_is_sold_once(road: Road):
    def stage() -> Callable[[], object]:
        due_exit(road)
        road.mine()
        return follower_of(road).advance

    assert crash_everywhere(road, stage, all_sold) >= 15


def test_exit_when_its_process_dies_at_any_point_of_settlement_then_is_booked_once(road: Road):
    def stage() -> Callable[[], object]:
        due_exit(road)
        road.mine()
        follower_of(road).advance()
        road.mine()
        [order_id] = Order.objects.filter(side="sell", status="submitted").values_list("pk", flat=True)
        return lambda: stages.settle(order_id)

    assert crash_everywhere(road, stage, all_sold) >= 10
