"""The guard with rows and a chain in memory: what is kept, sold once, tried again, and left alone."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from apps.domain.engine import EngineStatus
from apps.domain.errors import NetworkError
from apps.domain.holding import HoldingAnswer, HoldingQuestion
from apps.risk.models import GuardWatch
from apps.state.models import ConfigRevision, Event
from apps.trading.models import DecisionRecord, Order, Position
from apps.trading.services.decisions import decision_repeat
from apps.trading.services.guard import GuardLook, guard_look, guard_simulate
from tests import factories
from tests.intelligence import subjects
from tests.trading import cases
from tests.trading.conftest import World

OWNER = "0x" + "0a" * 20
WELL = HoldingAnswer(owner=OWNER, is_movable=True)


@dataclass
class Holdings:
    """A holding reader in memory."""

    answer: HoldingAnswer = WELL
    what: Mapping[str, str] = field(default_factory=dict)
    asked: list[HoldingQuestion] = field(default_factory=list)
    searched: list[tuple[int, int]] = field(default_factory=list)

    def look(self, questions: Sequence[HoldingQuestion]) -> Mapping[str, HoldingAnswer]:
        self.asked += questions
        return {item.token: self.answer for item in questions}

    def stirred(self, tokens: Sequence[str], *, first_block: int, last_block: int) -> Mapping[str, str]:
        self.searched.append((first_block, last_block))
        return self.what


def glance(world: World, holdings: Holdings | None = None) -> GuardLook:
    world.chain.mine()
    return guard_look(
        chain_key=world.profile.chain_key,
        ports=world.ports,
        holdings=holdings or Holdings(),
        head=world.chain.head(),
    )


def finish(world: World, order_ids: Sequence[int]) -> None:
    for order_id in order_ids:
        world.execute(order_id)
        world.chain.mine()
        world.settle(order_id)


def test_nothing_is_held_then_nothing_is_asked(world: World) -> None:
    holdings = Holdings()
    assert glance(world, holdings) == GuardLook()
    assert holdings.asked == []


def test_all_is_well_then_the_baseline_is_kept_and_nothing_sold(world: World) -> None:
    position = world.buy()
    holdings = Holdings()
    found = glance(world, holdings)
    assert found == GuardLook(to_simulate=(position.pk,))
    watch = GuardWatch.objects.get()
    assert watch.baseline["owner"] == OWNER
    assert (watch.baseline["buy_tax_bps"], watch.baseline["sell_tax_bps"]) == (0, 0)
    assert watch.looked_block == world.chain.number
    assert holdings.asked[0].amount_raw == position.quantity_raw
    glance(world, holdings)
    assert holdings.searched[-1] == (world.chain.number, world.chain.number)


def test_owner_changes_then_it_is_sold_in_the_same_look_and_the_alarm_rings_once(world: World) -> None:
    position = world.buy()
    glance(world)
    danger = Holdings(answer=HoldingAnswer(owner="0x" + "0b" * 20, is_movable=True))
    [order_id] = glance(world, danger).order_ids
    assert glance(world, danger).order_ids == ()  # it is being sold
    order = Order.objects.get(pk=order_id)
    assert (order.side, order.exit_tag, order.amount_in_raw) == ("sell", "guard", position.quantity_raw)
    record = DecisionRecord.objects.get(exit_tag="guard")
    again = decision_repeat(record)
    assert (again.exit_tag, again.reasons[0].code) == ("guard", "GUARD_OWNER_CHANGED")
    assert again.amount_out_min is not None
    assert again.amount_out_min.raw == record.amount_out_min_raw
    assert Event.objects.filter(kind="risk_alert", subject=f"position:{position.pk}").count() == 1
    finish(world, [order_id])
    position.refresh_from_db()
    assert (position.status, position.exit_tag) == ("closed", "guard")
    glance(world)
    glance(world)
    assert not Order.objects.filter(status="created").exists()
    world.assert_books_are_true()
    world.buy()
    glance(world)
    assert GuardWatch.objects.count() == 1  # that of the ended position is forgotten


def test_liquidity_is_pulled_then_it_is_sold(world: World) -> None:
    pair = world.pair()
    world.buy(pair)
    glance(world)
    pool = world.pool(pair)
    pool.base, pool.quote = pool.base // 2, pool.quote // 2
    assert len(glance(world).order_ids) == 1
    assert GuardWatch.objects.get().trigger_detail.startswith("pulled_bps=50")


def test_liquidity_is_pulled_before_the_first_look_then_it_is_compared_with_the_entry(world: World) -> None:
    pair = world.pair()
    world.buy(pair)
    pool = world.pool(pair)
    pool.base, pool.quote = pool.base // 2, pool.quote // 2
    assert len(glance(world).order_ids) == 1


def test_holder_dumps_then_it_is_sold_but_own_sales_and_older_ones_do_not_count(world: World) -> None:
    position = world.buy()
    glance(world)

    def sale(trader: str, *, after: int) -> None:
        factories.PoolTradeFactory(
            pair=position.pair,
            side="sell",
            trader=trader,
            quote_raw=40 * cases.ETHER,
            block_number=position.fills.get().block_number + after,
        )

    sale(world.chain.owner, after=1)
    sale("0x" + "01" * 20, after=0)  # in the block in which we bought: its price was ours
    assert glance(world).order_ids == ()
    world.chain.mine(20)
    sale("0x" + "02" * 20, after=2)  # too long ago
    assert glance(world).order_ids == ()
    sale("0x" + "03" * 20, after=20)
    assert len(glance(world).order_ids) == 1
    assert "holder=0x0303" in GuardWatch.objects.get().trigger_detail


def test_sale_fails_then_the_guard_tries_again_after_its_rest(world: World) -> None:
    pair = world.pair()
    position = world.buy(pair)
    glance(world)
    world.pool(pair).is_honeypot = True
    frozen = Holdings(answer=HoldingAnswer(owner=OWNER, is_movable=False, why="paused"))
    finish(world, glance(world, frozen).order_ids)
    assert Order.objects.get(side="sell").status == "reverted"
    assert glance(world, frozen).order_ids == ()  # it rests
    Position.objects.update(next_exit_at=timezone.now() - timedelta(seconds=1))
    world.pool(pair).is_honeypot = False
    finish(world, glance(world).order_ids)
    position.refresh_from_db()
    assert (position.status, position.exit_tag) == ("closed", "guard")


def test_engine_allows_no_exits_then_the_danger_is_kept_and_sold_later(world: World) -> None:
    world.buy()
    glance(world)
    world.engine(EngineStatus.STOPPED, epoch=1)
    danger = Holdings(answer=HoldingAnswer(owner="0x" + "0b" * 20, is_movable=True))
    assert glance(world, danger).order_ids == ()
    assert GuardWatch.objects.get().trigger_code == "GUARD_OWNER_CHANGED"
    world.engine(EngineStatus.RUNNING, epoch=1)
    assert len(glance(world).order_ids) == 1


def test_guard_is_switched_off_then_it_does_nothing(world: World) -> None:
    payload = ConfigRevision.objects.get().payload
    payload["guard"]["enabled"] = False
    ConfigRevision.objects.update(payload=payload)
    world.buy()
    assert glance(world) == GuardLook()
    assert not GuardWatch.objects.exists()


def test_tokens_cannot_be_asked_on_this_chain_then_the_pool_is_watched_all_the_same(world: World) -> None:
    pair = world.pair()
    world.buy(pair)
    pool = world.pool(pair)
    pool.base, pool.quote = pool.base // 2, pool.quote // 2
    found = guard_look(
        chain_key=world.profile.chain_key, ports=world.ports, holdings=None, head=world.chain.head()
    )
    assert len(found.order_ids) == 1


def test_chain_does_not_answer_then_nothing_is_kept_and_nothing_sold(world: World) -> None:
    world.buy()
    world.chain.faults["reserves"] = [NetworkError("gone")]
    with pytest.raises(NetworkError):
        glance(world)
    assert not Order.objects.filter(side="sell").exists()


def test_two_guards_at_once_then_it_is_sold_once(world: World, transactional_db: None) -> None:
    world.buy()
    glance(world)
    danger = Holdings(answer=HoldingAnswer(owner="0x" + "0b" * 20, is_movable=True))
    barrier = threading.Barrier(4)

    def one(_: int) -> GuardLook | Exception:
        try:
            barrier.wait(timeout=20)
            return guard_look(
                chain_key=world.profile.chain_key, ports=world.ports, holdings=danger, head=world.chain.head()
            )
        except Exception as error:  # noqa: BLE001  # the test looks at it
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(one, range(4)))
    assert all(isinstance(item, GuardLook) for item in found), found
    assert sum(len(item.order_ids) for item in found if isinstance(item, GuardLook)) == 1


# -- simulation ---------------------------------------------------------------------------
@dataclass
class Facts:
    """Gives the same facts for every pair, as seen from the listing that is asked about."""

    facts: Any
    calls: int = 0

    def __call__(self, listing: Any, **_: Any) -> Any:
        self.calls += 1
        if isinstance(self.facts, Exception):
            raise self.facts
        return self.facts


def simulate(world: World, facts: Any, *, ids: tuple[int, ...] | None = None, time_max_s: float = 9) -> Any:
    given = Facts(facts)
    world.chain.pair_facts = given  # type: ignore[attr-defined]
    found = guard_simulate(
        position_ids=ids or tuple(Position.objects.values_list("pk", flat=True)),
        chain_key=world.profile.chain_key,
        ports=world.ports,
        head=world.chain.head(),
        time_max_s=time_max_s,
    )
    return found, given.calls


@pytest.fixture
def open_world(world: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """A world whose chain can be given facts: it has slots, its subclass has not."""

    class Open(type(world.chain)):  # type: ignore[misc]
        pass

    chain = Open(**{name: getattr(world.chain, name) for name in world.chain.__dataclass_fields__})
    world.chain = chain
    world.ports = replace(
        world.ports, reader=chain, builders={"uniswap_v2": chain}, signer=chain, sender=chain
    )
    return world


def test_simulation_shows_a_higher_tax_then_it_is_sold_and_the_tax_is_kept(open_world: World) -> None:
    world = open_world
    position = world.buy()
    glance(world)
    good = subjects.FACTS
    assert simulate(world, good) == ((), 1)
    assert GuardWatch.objects.get().checked_block == world.chain.number
    taxed = replace(good, round_trips=(subjects.trip(sell_tax_bps=9_000), subjects.trip("eth_simulateV1")))
    [order_id], _ = simulate(world, taxed)
    order = Order.objects.get(pk=order_id)
    assert order.exit_tag == "guard"
    position.refresh_from_db()
    assert position.sell_tax_bps == 9_000
    assert order.expected_out_raw is not None
    assert order.expected_out_raw < position.cost_raw // 5  # priced at the new tax
    assert GuardWatch.objects.get().trigger_code == "GUARD_TAX_RAISED"


def test_simulated_sale_fails_then_it_is_sold(open_world: World) -> None:
    open_world.buy()
    glance(open_world)
    trips = (subjects.trip(stage="sell_failed"), subjects.trip("eth_simulateV1", "sell_failed"))
    found, _ = simulate(open_world, replace(subjects.FACTS, round_trips=trips))
    assert len(found) == 1
    assert GuardWatch.objects.get().trigger_code == "GUARD_SELL_BLOCKED"


def test_nothing_can_be_read_then_nothing_is_sold(open_world: World) -> None:
    open_world.buy()
    glance(open_world)
    assert simulate(open_world, replace(subjects.FACTS, **subjects.BARE))[0] == ()
    assert simulate(open_world, NetworkError("gone"))[0] == ()
    assert not Order.objects.filter(side="sell").exists()


def test_many_positions_are_due_then_no_more_than_the_budget_and_stirred_ones_first(
    open_world: World,
) -> None:
    world = open_world
    payload = ConfigRevision.objects.get().payload
    payload["guard"]["simulations_max"] = 2
    ConfigRevision.objects.update(payload=payload)
    positions = [world.buy() for _ in range(4)]
    assert glance(world).to_simulate == (positions[0].pk, positions[1].pk)
    last = positions[3].pair.base.address
    stirred = glance(world, Holdings(what={last: "it logged the event 0x12345678"}))
    assert stirred.to_simulate == (positions[3].pk, positions[0].pk)
    simulate(world, subjects.FACTS, ids=stirred.to_simulate)
    assert glance(world).to_simulate == (positions[1].pk, positions[2].pk)


def test_time_is_over_then_the_rest_waits_for_the_next_block(open_world: World) -> None:
    for _ in range(3):
        open_world.buy()
    glance(open_world)
    assert simulate(open_world, subjects.FACTS, time_max_s=-1) == ((), 0)
