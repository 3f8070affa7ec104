"""Advanced orders with rows and a chain in memory: sold once, never more than is held, never in an older epoch."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of
from apps.domain.engine import EngineStatus
from apps.domain.errors import ConfigurationError, TransitionRefusedError
from apps.domain.order import OrderStatus, Side
from apps.domain.verdict import Outcome
from apps.risk.services.budgets import budget_view
from apps.state.models import ConfigRevision
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.trading.logic import orders_advanced as logic
from apps.trading.logic.exit_part import sale_price
from apps.trading.logic.orders_advanced import PRICE_SCALE, Plan
from apps.trading.models import AdvancedOrder, DecisionRecord, Opportunity, Order, Position
from apps.trading.services import advanced_evaluation, settlement
from apps.trading.services.advanced_evaluation import AdvancedLook, advanced_evaluate
from apps.trading.services.advanced_orders import (
    advanced_amend,
    advanced_cancel,
    advanced_place,
    advanced_resume,
    plan_of,
    progress_of,
)
from apps.trading.services.decisions import decision_repeat
from apps.trading.services.exits import position_facts
from apps.trading.services.positions import exit_request
from apps.trading.services.settlement import fills_finalise
from tests import factories
from tests.trading.cases import ETHER
from tests.trading.conftest import World
from tests.trading.fakes import Killed


def look(world: World) -> AdvancedLook:
    return advanced_evaluate(chain_key=world.profile.chain_key, ports=world.ports, head=world.chain.head())


def place(
    position: Position, plan: Plan, *, kind: str = "ladder", key: str = "r1", **more: Any
) -> AdvancedOrder:
    return advanced_place(
        request_key=key,
        kind=kind,
        plan=plan,
        pair=position.pair,
        wallet_key=position.wallet_key,
        by="tester",
        position=position,
        **more,
    )


def price_now(world: World, position: Position, amount: int) -> int:
    facts = position_facts(position, profile=world.profile, engine=engine_view())
    [pool] = world.chain.reserves([listing_of(position.pair)]).values()
    price = sale_price(facts, pool, amount)
    assert price is not None
    return price


def quiet(position: Position) -> Position:
    """Switch the position's own exits off, so that only the advanced order acts."""
    position.exit_plan = {
        **position.exit_plan,
        "take_profit_bps": None,
        "stop_loss_bps": None,
        "trailing_stop_bps": None,
        "time_stop_ms": None,
        "liquidity_drop_bps": None,
    }
    position.save(update_fields=["exit_plan"])
    return position


def raise_price(world: World, position: Position, times: int = 2) -> None:
    world.pool(position.pair).quote *= times


def carry_out(world: World, order_id: int) -> OrderStatus:
    world.execute(order_id)
    world.chain.mine()
    return world.settle(order_id)


def test_ladder_when_the_price_rises_then_sells_parts_and_books_are_true(world: World):
    position = quiet(world.buy())
    total = position.quantity_raw
    now = price_now(world, position, total)
    row = place(
        position, logic.ladder(total_raw=total, steps=[(now * 12 // 10, 5_000), (now * 30 // 10, 5_000)])
    )
    assert look(world) == AdvancedLook()
    raise_price(world, position)
    [first] = look(world).order_ids
    assert look(world).order_ids == ()  # the first is on its way, the second's price is not there
    order = Order.objects.get(pk=first)
    assert (order.amount_in_raw, order.exit_tag, order.advanced_leg) == (total // 2, "take_profit", 0)
    assert decision_repeat(order.decision).amount_out_min == decision_repeat(order.decision).amount_out_min
    assert decision_repeat(order.decision).amount_out_min.raw == order.amount_out_min_raw  # type: ignore[union-attr]
    assert carry_out(world, first) is OrderStatus.FILLED
    position.refresh_from_db()
    assert position.status == "open"
    assert (position.quantity_raw, position.reserved_raw) == (total - total // 2, 0)
    world.assert_books_are_true()
    raise_price(world, position, 2)
    [second] = look(world).order_ids
    assert carry_out(world, second) is OrderStatus.FILLED
    position.refresh_from_db()
    assert position.status == "closed"
    look(world)
    row.refresh_from_db()
    assert row.status == "done"
    world.assert_books_are_true()
    world.assert_nothing_sent_twice()


def test_part_sold_then_the_rest_is_no_loss_and_no_fall_for_its_own_stops(world: World):
    position = world.buy()  # stops at -20 %, trailing 15 %
    raise_price(world, position)
    position.exit_plan = {**position.exit_plan, "take_profit_bps": None}
    position.save(update_fields=["exit_plan"])
    assert world.exits() == ()  # marks the highest value
    total = position.quantity_raw
    place(position, logic.by_clock(side="sell", total_raw=total // 2, slices=1, first_at_ms=0, interval_ms=1))
    [order_id] = look(world).order_ids
    assert world.exits() == ()  # while the half is on its way
    assert carry_out(world, order_id) is OrderStatus.FILLED
    assert world.exits() == ()  # and after it


def test_bracket_when_both_sides_come_then_sells_once(world: World):
    position = quiet(world.buy())
    total = position.quantity_raw
    now = price_now(world, position, total)
    place(
        position,
        logic.bracket(total_raw=total, target_price=now * 2, stop_price=now * 9 // 10),
        kind="bracket",
    )
    raise_price(world, position, 3)
    [order_id] = look(world).order_ids
    world.pool(position.pair).quote //= 20  # through the stop while the target's sale is on its way
    assert look(world).order_ids == ()
    world.execute(order_id)
    world.chain.mine()
    assert world.settle(order_id) is OrderStatus.REVERTED  # below the target: it fills there or not at all
    position.refresh_from_db()
    assert position.reserved_raw == 0
    Position.objects.filter(pk=position.pk).update(next_exit_at=None)
    [stop] = look(world).order_ids
    assert Order.objects.get(pk=stop).exit_tag == "stop_loss"
    assert carry_out(world, stop) is OrderStatus.FILLED
    assert look(world).order_ids == ()
    world.assert_books_are_true()


def test_trailing_when_the_price_falls_from_its_highest_then_sells_after_a_restart_too(world: World):
    position = quiet(world.buy())
    row = place(position, logic.trailing(total_raw=position.quantity_raw, trail_bps=2_000), kind="trailing")
    assert look(world).order_ids == ()
    raise_price(world, position, 2)
    assert look(world).order_ids == ()
    row.refresh_from_db()
    highest = row.highest_price_raw
    assert highest > 0
    world.pool(position.pair).quote = world.pool(position.pair).quote * 9 // 10
    assert look(world).order_ids == ()
    world.pool(position.pair).quote = world.pool(position.pair).quote * 8 // 10
    [order_id] = look(world).order_ids
    row.refresh_from_db()
    assert row.highest_price_raw == highest
    assert carry_out(world, order_id) is OrderStatus.FILLED


def test_ladder_stop_and_own_exit_then_never_sell_more_than_is_held(world: World):
    position = world.buy()
    total = position.quantity_raw
    now = price_now(world, position, total)
    place(position, logic.ladder(total_raw=total, steps=[(now, 6_000), (now, 4_000)]), key="a")
    place(position, logic.stop(total_raw=total, price=now * 5), key="b", kind="stop")
    raise_price(world, position)
    found = [*look(world).order_ids, *world.exits(), *look(world).order_ids, *world.exits()]
    sold = sum(Order.objects.get(pk=pk).amount_in_raw for pk in found)
    position.refresh_from_db()
    assert sold == position.reserved_raw <= total
    for order_id in found:
        world.execute(order_id)
    world.chain.mine()
    for order_id in found:
        world.settle(order_id)
    position.refresh_from_db()
    assert position.quantity_raw == total - sold
    world.assert_books_are_true()


def test_order_of_an_older_epoch_then_waits_for_a_person(world: World):
    position = quiet(world.buy())
    row = place(position, logic.stop(total_raw=position.quantity_raw, price=10**70), kind="stop")
    world.engine(EngineStatus.RUNNING, epoch=2)
    assert look(world) == AdvancedLook()
    assert advanced_resume(advanced_id=row.pk, by="tester")
    assert not advanced_resume(advanced_id=row.pk, by="tester")
    assert len(look(world).order_ids) == 1


@pytest.mark.parametrize(
    "status", [EngineStatus.STOPPED, EngineStatus.EMERGENCY_STOPPED, EngineStatus.CLOSING]
)
def test_order_when_the_engine_lets_no_trades_run_then_nothing_is_made(world: World, status: EngineStatus):
    position = quiet(world.buy())
    place(position, logic.stop(total_raw=position.quantity_raw, price=10**70), kind="stop")
    world.engine(status, epoch=1)
    assert look(world) == AdvancedLook()
    assert Order.objects.filter(side="sell").count() == 0


def test_request_twice_then_is_one_order_and_cancelled_makes_no_child(world: World):
    position = quiet(world.buy())
    plan = logic.stop(total_raw=position.quantity_raw, price=10**70)
    row = place(position, plan)
    assert place(position, plan).pk == row.pk
    assert advanced_cancel(advanced_id=row.pk, by="tester")
    assert not advanced_cancel(advanced_id=row.pk, by="tester")
    assert look(world) == AdvancedLook()
    with pytest.raises(TransitionRefusedError):
        advanced_amend(advanced_id=row.pk, leg=0, price=5, by="tester")


def test_amended_then_the_new_price_counts(world: World):
    position = quiet(world.buy())
    now = price_now(world, position, position.quantity_raw)
    row = place(position, logic.stop(total_raw=position.quantity_raw, price=now // 2), kind="stop")
    assert look(world).order_ids == ()
    advanced_amend(advanced_id=row.pk, leg=0, price=now * 2, by="tester")
    assert len(look(world).order_ids) == 1


def test_order_for_more_than_is_held_or_an_unacceptable_rule_then_is_refused(world: World):
    position = world.buy()
    with pytest.raises(ConfigurationError):
        place(position, logic.stop(total_raw=position.quantity_raw + 1, price=5))
    with pytest.raises(ConfigurationError):
        place(position, logic.stop(total_raw=1, price=5), accepted_rules=["sellable"])


def test_two_watchers_at_once_then_make_one_child(world: World, monkeypatch: pytest.MonkeyPatch):
    position = quiet(world.buy())
    row = place(position, logic.stop(total_raw=position.quantity_raw // 2, price=10**70), kind="stop")
    seen = AdvancedOrder.objects.get(pk=row.pk)
    assert len(look(world).order_ids) == 1
    assert not advanced_evaluation._claimed(seen, epoch=1)  # what it read is no more so


@pytest.mark.parametrize("port", ["allowance", "fees", "build", "sign", "broadcast", "after_broadcast"])
def test_child_when_the_process_dies_on_the_way_then_is_sold_once(world: World, port: str):
    position = quiet(world.buy())
    row = place(position, logic.stop(total_raw=position.quantity_raw // 3, price=10**70), kind="stop")
    [order_id] = look(world).order_ids
    world.chain.faults[port] = [Killed()]
    with pytest.raises(Killed):
        world.execute(order_id)
    for _ in range(4):
        look(world)
        world.age(order_id, seconds=settlement.REBROADCAST_EVERY_S + 1)
        world.sweep()
        world.chain.mine()
    assert Order.objects.get(pk=order_id).status == "filled"
    assert Order.objects.filter(advanced=row).count() == 1
    plan = plan_of(row)
    assert [item.filled_raw for item in progress_of(row, plan)] == [plan.total_raw]
    look(world)
    row.refresh_from_db()
    assert row.status == "open"  # its fill may still be reorganised away
    fills_finalise(chain_key=world.profile.chain_key, head_number=10**6, depth=1)
    look(world)
    row.refresh_from_db()
    assert row.status == "done"
    world.assert_nothing_sent_twice()
    world.assert_books_are_true()


def test_child_when_the_process_dies_before_its_commit_then_the_next_look_makes_it(
    world: World, monkeypatch: pytest.MonkeyPatch
):
    position = quiet(world.buy())
    row = place(position, logic.stop(total_raw=position.quantity_raw, price=10**70), kind="stop")

    def die(**_: Any) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(advanced_evaluation, "order_create", die)
        with pytest.raises(Killed):
            look(world)
    row.refresh_from_db()
    assert (row.children, DecisionRecord.objects.filter(action="exit").count()) == (0, 0)
    position.refresh_from_db()
    assert position.reserved_raw == 0
    assert len(look(world).order_ids) == 1


def test_fill_when_reorganised_away_then_the_order_goes_on(world: World):
    position = quiet(world.buy())
    row = place(position, logic.stop(total_raw=position.quantity_raw // 2, price=10**70), kind="stop")
    [order_id] = look(world).order_ids
    assert carry_out(world, order_id) is OrderStatus.FILLED
    settlement.fills_reverse(chain_key=world.profile.chain_key, above_block=world.chain.number - 1)
    assert [item.in_flight_raw for item in progress_of(row, plan_of(row))] == [position.quantity_raw // 2]
    assert look(world).order_ids == ()


# -- purchases ----------------------------------------------------------------------------
def wish(
    pair: Pair, plan: Plan, *, key: str = "b1", position: Position | None = None, **more: Any
) -> AdvancedOrder:
    return advanced_place(
        request_key=key,
        kind="limit",
        plan=plan,
        pair=pair,
        wallet_key="trader",
        by="tester",
        position=position,
        **more,
    )


def bought(world: World, pair: Pair, opportunity_id: int, **more: Any) -> Order | None:
    order = world.decide(pair, opportunity=Opportunity.objects.get(pk=opportunity_id), **more)
    if order is not None:
        carry_out(world, order.pk)
    return order


def test_limit_buy_when_the_price_comes_then_buys_no_dearer_and_is_its_own_position(world: World):
    pair = world.pair()
    pool = world.pool(pair)
    price = pool.quote * PRICE_SCALE // pool.base
    row = wish(pair, logic.limit(side="buy", total_raw=ETHER // 50, price=price * 9 // 10))
    assert look(world) == AdvancedLook()
    pool.quote = pool.quote * 8 // 10
    [chance] = look(world).opportunity_ids
    assert look(world).opportunity_ids == ()
    order = bought(world, pair, chance, score=1)  # a person wants it: no score is asked for
    assert order is not None
    assert order.amount_in_raw == ETHER // 50
    assert order.amount_in_raw * PRICE_SCALE // order.amount_out_min_raw <= price * 9 // 10
    repeated = decision_repeat(order.decision)
    assert repeated.amount_out_min is not None
    assert repeated.amount_out_min.raw == order.amount_out_min_raw
    position = Position.objects.get()
    assert position.trace_id == order.trace_id
    fills_finalise(chain_key=world.profile.chain_key, head_number=10**6, depth=1)
    look(world)
    row.refresh_from_db()
    assert row.status == "done"
    world.assert_books_are_true()


def test_purchase_when_its_price_ran_away_then_waits_and_counts_no_failure(world: World):
    pair = world.pair()
    pool = world.pool(pair)
    row = wish(
        pair,
        logic.limit(
            side="buy", total_raw=ETHER // 50, price=pool.quote * PRICE_SCALE * 11 // (pool.base * 10)
        ),
    )
    [chance] = look(world).opportunity_ids
    pool.quote *= 3
    assert bought(world, pair, chance) is None
    assert Opportunity.objects.get(pk=chance).skip_code == "LIMIT_PRICE_ABOVE"
    Opportunity.objects.filter(pk=chance).update(status="expired")
    assert [item.failures for item in progress_of(row, plan_of(row))] == [0]


def test_purchase_when_a_rule_refuses_then_only_an_accepted_one_is_overruled(world: World):
    pair = world.pair()
    now = logic.by_clock(side="buy", total_raw=ETHER // 50, slices=1, first_at_ms=0, interval_ms=1)
    row = wish(pair, now)
    [chance] = look(world).opportunity_ids
    assert bought(world, pair, chance, outcome=Outcome.FAIL) is None
    advanced_cancel(advanced_id=row.pk, by="tester")
    wish(pair, now, key="b2", accepted_rules=["some_rule"])
    [chance] = look(world).opportunity_ids
    assert bought(world, pair, chance, outcome=Outcome.FAIL) is not None


def test_purchase_when_its_order_ended_or_the_epoch_changed_then_is_not_made(world: World):
    pair = world.pair()
    row = wish(
        pair, logic.by_clock(side="buy", total_raw=ETHER // 50, slices=1, first_at_ms=0, interval_ms=1)
    )
    [chance] = look(world).opportunity_ids
    world.engine(EngineStatus.RUNNING, epoch=2)
    assert bought(world, pair, chance) is None
    assert Opportunity.objects.get(pk=chance).status == "refused"
    assert advanced_cancel(advanced_id=row.pk, by="tester")
    assert budget_view().open_positions == 0


def test_twap_that_adds_to_a_position_then_takes_exposure_but_no_place_and_frees_it_at_the_end(world: World):
    position = quiet(world.buy())
    pair = position.pair
    before, at_stake = position.quantity_raw, budget_view()
    plan = logic.by_clock(side="buy", total_raw=ETHER // 250, slices=2, first_at_ms=0, interval_ms=0)
    config = active_config().config
    small = config.limits.model_copy(
        update={"position_min_usd": Decimal(0), "position_max_usd": Decimal(1_000)}
    )
    ConfigRevision.objects.filter(is_active=True).update(
        payload={**config.model_dump(mode="json"), "limits": small.model_dump(mode="json")}
    )
    wish(pair, plan, position=position)
    for _ in range(2):
        [chance] = look(world).opportunity_ids
        order = bought(world, pair, chance)
        assert order is not None, Opportunity.objects.get(pk=chance).skip_explanation
        assert order.position_id == position.pk
    position.refresh_from_db()
    assert Position.objects.count() == 1
    assert position.quantity_raw > before
    assert position.lots.count() == 3
    added = budget_view()
    assert added.open_positions == at_stake.open_positions == 1
    assert added.exposure_usd_micros > at_stake.exposure_usd_micros
    world.assert_books_are_true()
    sale = world.ask_exit(position)
    assert carry_out(world, sale.pk) is OrderStatus.FILLED
    end = budget_view()
    assert (end.open_positions, end.exposure_usd_micros) == (0, 0)
    world.assert_books_are_true()


def entry_slices(world: World) -> tuple[AdvancedOrder, Position]:
    """Return the further parts of an entry whose first was filled, and its position."""
    position = quiet(world.buy())
    config = active_config().config
    small = config.limits.model_copy(
        update={"position_min_usd": Decimal(0), "position_max_usd": Decimal(1_000)}
    )
    ConfigRevision.objects.filter(is_active=True).update(
        payload={**config.model_dump(mode="json"), "limits": small.model_dump(mode="json")}
    )
    plan = logic.by_clock(side="buy", total_raw=ETHER // 250, slices=2, first_at_ms=0, interval_ms=0)
    return wish(position.pair, plan, position=position, source="entry"), position


@pytest.mark.parametrize("how", ["reserved", "ordered", "tried"])
def test_entry_slices_when_the_position_is_being_sold_then_end(world: World, how: str):
    row, position = entry_slices(world)
    if how == "reserved":
        Position.objects.filter(pk=position.pk).update(reserved_raw=1)
    elif how == "ordered":
        assert exit_request(position_id=position.pk, by="tester")
    else:
        factories.OrderFactory(side="sell", status="reverted", position=position, pair=position.pair)
    assert look(world).opportunity_ids == ()
    row.refresh_from_db()
    assert (row.status, row.explanation) == ("cancelled", "its position is being sold")


@pytest.mark.parametrize(("source", "is_bought"), [("entry", False), ("hand", True)])
def test_slice_when_a_sale_begins_after_its_look_then_only_a_persons_is_bought(
    world: World, source: str, is_bought: bool
):
    row, position = entry_slices(world)
    AdvancedOrder.objects.filter(pk=row.pk).update(source=source)
    [chance] = look(world).opportunity_ids
    Position.objects.filter(pk=position.pk).update(reserved_raw=1)
    order = world.decide(position.pair, opportunity=Opportunity.objects.get(pk=chance))
    assert (order is not None) is is_bought
    assert (Opportunity.objects.get(pk=chance).skip_code == "POSITION_LEFT") is not is_bought


def test_purchase_when_a_limit_is_full_then_is_refused(world: World):
    config = active_config().config
    full = config.limits.model_copy(update={"open_positions_max": 1})
    ConfigRevision.objects.filter(is_active=True).update(
        payload={**config.model_dump(mode="json"), "limits": full.model_dump(mode="json")}
    )
    world.buy()
    pair = world.pair()
    wish(pair, logic.by_clock(side="buy", total_raw=ETHER // 50, slices=1, first_at_ms=0, interval_ms=1))
    [chance] = look(world).opportunity_ids
    assert bought(world, pair, chance) is None
    assert Opportunity.objects.get(pk=chance).skip_code == "LIMIT_OPEN_POSITIONS"


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_progress_of_many_parts_then_asks_the_database_twice_at_most(
    world: World, side: Side, django_assert_max_num_queries: Any
):
    position = quiet(world.buy())
    plan = logic.by_clock(
        side=side, total_raw=position.quantity_raw, slices=100, first_at_ms=0, interval_ms=0
    )
    row = place(position, plan)
    look(world)
    with django_assert_max_num_queries(2):
        assert len(progress_of(row, plan)) == 100
