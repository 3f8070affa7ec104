"""Advanced orders: legs on one quantity, whatever prices, times, failures and restarts come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.errors import ConfigurationError
from apps.trading.logic import orders_advanced as advanced
from apps.trading.logic.orders_advanced import Leg, Moment, Plan, Progress, Trigger

NOW = 1_800_000_000_000
SCALE = advanced.PRICE_SCALE


def flat(price: int | None) -> Callable[[int], int | None]:
    return lambda _: price


@dataclass(slots=True)
class Run:
    """Plays an order; fills, fails or leaves its children as told."""

    plan: Plan
    free: int
    progress: list[Progress] = field(init=False)
    highest: int = 0
    now: int = NOW
    last: int | None = None
    sold: list[tuple[int, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.progress = [Progress() for _ in self.plan.legs]

    def moment(self, price: int | None) -> Moment:
        return Moment(
            now_ms=self.now,
            price_of=flat(price),
            free_raw=self.free,
            highest=self.highest,
            last_child_ms=self.last,
        )

    def step(self, price: int | None) -> advanced.Step:
        """Take a step; a child is on its way afterwards."""
        found = advanced.step(self.plan, self.progress, self.moment(price))
        assert found == advanced.step(
            self.plan, list(self.progress), self.moment(price)
        )  # as after a restart
        assert found.highest >= self.highest
        self.highest = found.highest
        if found.child is not None:
            done = self.progress[found.child.leg]
            assert 0 < found.child.amount_raw <= self.free
            self.progress[found.child.leg] = replace(done, in_flight_raw=found.child.amount_raw)
            self.free -= found.child.amount_raw
            self.last = self.now
        return found

    def settle(self, *, fills: bool) -> None:
        for number, done in enumerate(self.progress):
            if done.in_flight_raw == 0:
                continue
            if fills:
                self.sold.append((number, done.in_flight_raw))
                self.progress[number] = replace(done, filled_raw=done.in_flight_raw, in_flight_raw=0)
            else:
                self.free += done.in_flight_raw
                self.progress[number] = replace(done, failures=done.failures + 1, in_flight_raw=0)


amounts = st.integers(min_value=1, max_value=10**30)
prices = st.one_of(st.none(), st.integers(min_value=1, max_value=10**40))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    total = draw(amounts)
    legs = tuple(
        Leg(
            number=number,
            trigger=draw(st.sampled_from(list(Trigger))),
            amount_raw=draw(st.integers(min_value=1, max_value=total)),
            price=draw(st.integers(min_value=1, max_value=10**40)),
            trail_bps=draw(st.integers(min_value=1, max_value=9_999)),
            at_ms=NOW + draw(st.integers(min_value=0, max_value=50)),
        )
        for number in range(draw(st.integers(min_value=1, max_value=5)))
    )
    return Plan(side="sell", total_raw=total, legs=legs, spacing_ms=draw(st.integers(0, 5)))


@given(
    plan=plans(),
    share=st.integers(0, 10_000),
    moves=st.lists(st.tuples(prices, st.booleans(), st.booleans())),
)
def test_children_whatever_happens_then_never_exceed_the_parent(
    plan: Plan, share: int, moves: list[tuple[int | None, bool, bool]]
):
    run = Run(plan, free=plan.total_raw * share // 10_000)
    for price, settles, fills in moves:
        run.step(price)
        on_its_way = sum(item.in_flight_raw for item in run.progress)
        assert sum(amount for _, amount in run.sold) + on_its_way <= plan.total_raw
        run.now += 1
        if settles:
            run.settle(fills=fills)


@given(total=amounts, moves=st.lists(st.tuples(prices, st.booleans(), st.booleans())))
def test_bracket_whatever_happens_then_never_fills_both(
    total: int, moves: list[tuple[int | None, bool, bool]]
):
    run = Run(advanced.bracket(total_raw=total, target_price=200, stop_price=100), free=10 * total)
    for price, settles, fills in moves:
        run.step(price)
        if settles:
            run.settle(fills=fills)
    assert len(run.sold) <= 1
    assert sum(amount for _, amount in run.sold) in (0, total)


@given(total=amounts, count=st.integers(min_value=1, max_value=advanced.LEGS_MAX))
def test_slices_then_sum_exactly_and_differ_by_one_at_most(total: int, count: int):
    parts = advanced.slices_of(total, count)
    assert sum(parts) == total
    assert max(parts) - min(parts) <= 1


@given(total=amounts, shares=st.lists(st.integers(1, 2_000), min_size=1, max_size=5))
def test_shares_then_never_exceed_the_whole(total: int, shares: list[int]):
    parts = advanced.shares_of(total, shares)
    assert sum(parts) == total * sum(shares) // 10_000
    assert sum(advanced.shares_of(total, [2_500] * 4)) == total


@given(
    seen=st.lists(st.integers(min_value=1, max_value=10**6), min_size=1),
    trail=st.integers(min_value=1, max_value=9_999),
)
def test_trailing_then_sells_exactly_at_the_first_fall_from_the_highest(seen: list[int], trail: int):
    run = Run(advanced.trailing(total_raw=100, trail_bps=trail), free=100)
    highest = 0
    for price in seen:
        highest = max(highest, price)
        found = run.step(price)
        assert (found.child is not None) == (price * 10_000 <= highest * (10_000 - trail))
        if found.child is not None:
            break


def test_trailing_when_unarmed_then_waits_for_its_price():
    run = Run(advanced.trailing(total_raw=100, trail_bps=1_000, armed_at_price=150), free=100)
    assert run.step(100).child is None
    assert run.step(80).child is None
    assert run.step(150).child is None
    assert run.step(135).child is not None


def test_ladder_when_the_price_jumps_then_sells_step_by_step_and_ends():
    run = Run(advanced.ladder(total_raw=100, steps=[(110, 5_000), (120, 5_000)]), free=100)
    assert run.step(109).child is None
    for leg in (0, 1):
        child = run.step(125).child
        assert child is not None
        assert (child.leg, child.amount_raw, child.price_limit) == (leg, 50, (110, 120)[leg])
    assert run.step(125).end == ""
    run.settle(fills=True)
    assert run.step(125).end == "filled"


def test_limit_buy_when_dearer_then_waits_and_when_expired_ends():
    plan = advanced.limit(side="buy", total_raw=100, price=50, expires_at_ms=NOW + 10)
    run = Run(plan, free=100)
    assert run.step(51).child is None
    assert run.step(None).child is None
    child = run.step(50).child
    assert child is not None
    assert child.price_limit == 50
    run.settle(fills=False)
    run.now += 10
    assert run.step(40).end == "expired"


def test_twap_after_a_long_pause_then_keeps_its_spacing():
    plan = advanced.by_clock(side="sell", total_raw=10, slices=3, first_at_ms=NOW, interval_ms=1_000)
    run = Run(plan, free=10)
    run.now = NOW + 60_000  # all slices are overdue
    assert run.step(5).child is not None
    assert run.step(5).child is None
    run.now += 1_000
    assert run.step(5).child is not None
    run.now += 1_000
    assert run.step(5).child is not None
    run.settle(fills=True)
    assert sum(amount for _, amount in run.sold) == 10
    assert run.step(5).end == "filled"


def test_leg_when_children_fail_then_rests_and_at_last_waits_for_a_person():
    run = Run(advanced.stop(total_raw=10, price=100), free=10)
    run.progress = [Progress(failures=1, rests_until_ms=NOW + 5)]
    assert run.step(90).child is None
    run.now += 5
    assert run.step(90).child is not None
    run.progress = [Progress(failures=advanced.FAILURES_MAX)]
    assert run.step(90).end == "failed"


def test_amended_when_a_trail_would_widen_then_is_refused():
    plan = advanced.trailing(total_raw=10, trail_bps=1_000)
    assert advanced.amended(plan, 0, trail_bps=900).legs[0].trail_bps == 900
    with pytest.raises(ConfigurationError):
        advanced.amended(plan, 0, trail_bps=1_001)


@pytest.mark.parametrize(
    "make",
    [
        lambda: advanced.bracket(total_raw=10, target_price=100, stop_price=100),
        lambda: advanced.stop(total_raw=0, price=100),
        lambda: advanced.stop(total_raw=10, price=0),
        lambda: advanced.trailing(total_raw=10, trail_bps=10_000),
        lambda: advanced.by_clock(side="buy", total_raw=10, slices=0, first_at_ms=NOW, interval_ms=1),
        lambda: advanced.by_clock(side="buy", total_raw=2, slices=3, first_at_ms=NOW, interval_ms=1),
    ],
)
def test_plan_that_makes_no_sense_then_is_refused(make: Callable[[], Plan]):
    with pytest.raises(ConfigurationError):
        make()


def test_trailing_when_a_part_is_promised_elsewhere_for_a_while_then_its_price_does_not_move():
    plan = advanced.trailing(total_raw=100, trail_bps=1_000)

    def price_of(amount: int) -> int:  # a smaller sale brings more for each
        return 1_000 - 5 * amount

    first = advanced.step(plan, [Progress()], Moment(now_ms=NOW, price_of=price_of, free_raw=100))
    part = advanced.step(
        plan, [Progress()], Moment(now_ms=NOW, price_of=price_of, free_raw=10, highest=first.highest)
    )
    assert part.highest == first.highest
    whole = advanced.step(
        plan, [Progress()], Moment(now_ms=NOW, price_of=price_of, free_raw=100, highest=part.highest)
    )
    assert whole.child is None
