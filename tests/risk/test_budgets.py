"""Limits on money: never exceeded, whoever comes at the same time."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from apps.domain.config import Limits
from apps.domain.decision import Reason
from apps.domain.money import USD_MICROS, usd_to_micros
from apps.risk.models import Budget, Reservation
from apps.risk.services.budgets import budget_release, budget_reserve, budget_view

LIMITS = Limits(
    position_max_usd=Decimal(100),
    exposure_max_usd=Decimal(250),
    open_positions_max=3,
    daily_loss_max_usd=Decimal(50),
)
WORKERS = 8


def reserve(
    name: str, usd: int = 50, *, limits: Limits = LIMITS, now: datetime | None = None
) -> Reason | None:
    return budget_reserve(
        client_order_id=name, usd_micros=usd * USD_MICROS, limits=limits, now=now or timezone.now()
    )


def code(answer: Reason | None) -> str | None:
    return None if answer is None else answer.code


def assert_book_agrees() -> None:
    """Check that the counters are what the held reservations add up to."""
    held = list(Reservation.objects.filter(status="held").values_list("usd_micros", flat=True))
    view = budget_view()
    assert (view.exposure_usd_micros, view.open_positions) == (sum(held), len(held))


@pytest.mark.django_db
class TestReserving:
    def test_room_is_there_then_it_is_held(self) -> None:
        assert reserve("a") is None
        view = budget_view()
        assert (view.exposure_usd_micros, view.open_positions) == (50 * USD_MICROS, 1)
        assert Reservation.objects.get().status == "held"

    def test_same_order_comes_again_then_it_holds_once(self) -> None:
        assert [reserve("a"), reserve("a"), reserve("a", 99)] == [None, None, None]
        assert budget_view().exposure_usd_micros == 50 * USD_MICROS

    def test_position_is_too_large_then_refused(self) -> None:
        answer = budget_reserve(
            client_order_id="a", usd_micros=100 * USD_MICROS + 1, limits=LIMITS, now=timezone.now()
        )
        assert answer is not None
        assert (answer.code, answer.detail) == ("LIMIT_POSITION_SIZE", "cost_usd=100.000001 maximum_usd=100")
        assert reserve("a", 100) is None

    def test_exposure_would_be_too_high_then_refused_to_the_last_micro_dollar(self) -> None:
        assert [reserve("a", 100), reserve("b", 100)] == [None, None]
        answer = budget_reserve(
            client_order_id="c", usd_micros=50 * USD_MICROS + 1, limits=LIMITS, now=timezone.now()
        )
        assert code(answer) == "LIMIT_EXPOSURE"
        assert reserve("c", 50) is None

    def test_too_many_positions_then_refused(self) -> None:
        assert [code(reserve(name, 10)) for name in "abcd"] == [None, None, None, "LIMIT_OPEN_POSITIONS"]
        assert Reservation.objects.count() == 3

    def test_refused_then_nothing_is_left_behind_and_it_may_come_again(self) -> None:
        for name in "abc":
            reserve(name, 10)
        assert code(reserve("d", 10)) == "LIMIT_OPEN_POSITIONS"
        budget_release(client_order_id="a", realised_usd_micros=0)
        assert reserve("d", 10) is None
        assert_book_agrees()

    def test_callers_transaction_fails_then_nothing_is_held(self) -> None:
        def order_fails() -> None:
            with transaction.atomic():
                assert reserve("a") is None
                raise RuntimeError

        with pytest.raises(RuntimeError):
            order_fails()
        assert budget_view().open_positions == 0
        assert not Reservation.objects.exists()

    def test_limits_are_lowered_below_what_is_open_then_refused_until_it_fits(self) -> None:
        assert reserve("a", 100) is None
        lower = LIMITS.model_copy(update={"exposure_max_usd": Decimal(100)})
        assert code(reserve("b", 1, limits=lower)) == "LIMIT_EXPOSURE"


@pytest.mark.django_db
class TestReleasing:
    def test_released_then_room_is_back_and_the_result_counts_today(self) -> None:
        reserve("a")
        assert budget_release(client_order_id="a", realised_usd_micros=-7) is True
        view = budget_view()
        assert (view.exposure_usd_micros, view.open_positions, view.realised_today_usd_micros) == (0, 0, -7)

    def test_released_twice_then_it_counts_once(self) -> None:
        reserve("a")
        assert [budget_release(client_order_id="a", realised_usd_micros=-7) for _ in range(3)] == [
            True,
            False,
            False,
        ]
        assert budget_view().realised_today_usd_micros == -7

    def test_never_held_then_nothing_happens(self) -> None:
        assert budget_release(client_order_id="nobody", realised_usd_micros=-7) is False
        assert budget_view().realised_today_usd_micros == 0

    def test_released_order_reserves_again_then_it_is_told_that_it_ended(self) -> None:
        reserve("a")
        budget_release(client_order_id="a", realised_usd_micros=0)
        assert code(reserve("a")) == "LIMIT_RESERVATION_ENDED"
        assert budget_view().open_positions == 0


@pytest.mark.django_db
class TestDailyLoss:
    def lose(self, usd: int) -> None:
        name = f"loss-{Reservation.objects.count()}"
        assert reserve(name, 1) is None
        budget_release(client_order_id=name, realised_usd_micros=-usd * USD_MICROS)

    def test_loss_reaches_the_limit_then_no_entry_today(self) -> None:
        self.lose(49)
        assert reserve("a", 1) is None
        self.lose(1)
        answer = reserve("b", 1)
        assert answer is not None
        assert (answer.code, answer.detail) == ("LIMIT_DAILY_LOSS", "loss_usd=50.000000 maximum_usd=50")

    def test_midnight_utc_passes_then_entries_go_on_with_a_new_count(self) -> None:
        self.lose(60)
        now = timezone.now()
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        assert code(reserve("a", 1, now=midnight - timedelta(microseconds=1))) == "LIMIT_DAILY_LOSS"
        assert reserve("a", 1, now=midnight) is None
        row = Budget.objects.get()
        assert (row.day, row.realised_today_usd_micros) == (midnight.date(), 0)

    def test_other_time_zone_then_the_utc_day_counts(self) -> None:
        self.lose(60)
        now = timezone.now()
        evening = datetime(now.year, now.month, now.day, 22, tzinfo=UTC)
        ahead = evening.astimezone(datetime.strptime("+0500", "%z").tzinfo)
        assert ahead.date() > evening.date()
        assert code(reserve("a", 1, now=ahead)) == "LIMIT_DAILY_LOSS"

    def test_clock_goes_back_a_day_then_the_loss_is_not_forgotten(self) -> None:
        self.lose(60)
        assert code(reserve("a", 1, now=timezone.now() - timedelta(days=1))) == "LIMIT_DAILY_LOSS"

    def test_yesterdays_loss_then_it_shows_no_more_and_todays_starts_from_zero(self) -> None:
        reserve("a", 1)
        Budget.objects.update(
            day=timezone.now().astimezone(UTC).date() - timedelta(days=1),
            realised_today_usd_micros=-60 * USD_MICROS,
        )
        assert budget_view().realised_today_usd_micros == 0
        budget_release(client_order_id="a", realised_usd_micros=-5)
        assert budget_view().realised_today_usd_micros == -5

    def test_gain_then_it_makes_up_for_loss(self) -> None:
        self.lose(60)
        Budget.objects.update(realised_today_usd_micros=-60 * USD_MICROS + 20 * USD_MICROS)
        assert reserve("a", 1) is None


@pytest.mark.django_db
def test_counters_would_go_below_zero_then_the_database_refuses() -> None:
    reserve("a")
    for field in ("exposure_usd_micros", "open_positions"):
        with pytest.raises(IntegrityError), transaction.atomic():
            Budget.objects.update(**{field: -1})


class TestAnyHistory(TestCase):
    """Laws over any order of reservations and releases."""

    @settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
    @given(
        steps=st.lists(
            st.tuples(st.sampled_from("abcdef"), st.booleans(), st.integers(1, 120), st.integers(-40, 40)),
            max_size=25,
        )
    )
    def test_any_steps_then_no_limit_is_exceeded_and_the_book_agrees(
        self, steps: list[tuple[str, bool, int, int]]
    ) -> None:
        held: dict[str, int] = {}
        ended: set[str] = set()
        realised = 0
        for name, releases, usd, result in steps:
            if releases:
                is_held = name in held
                assert (
                    budget_release(client_order_id=name, realised_usd_micros=result * USD_MICROS) is is_held
                )
                if is_held:
                    del held[name]
                    ended.add(name)
                    realised += result
            else:
                expected = self.expected(name, usd, held=held, ended=ended, realised=realised)
                assert code(reserve(name, usd)) == expected
                if expected is None:
                    held.setdefault(name, usd)
            view = budget_view()
            assert (
                view.exposure_usd_micros
                == sum(held.values()) * USD_MICROS
                <= usd_to_micros(LIMITS.exposure_max_usd)
            )
            assert view.open_positions == len(held) <= LIMITS.open_positions_max
            assert view.realised_today_usd_micros == realised * USD_MICROS
        assert_book_agrees()

    def expected(
        self, name: str, usd: int, *, held: dict[str, int], ended: set[str], realised: int
    ) -> str | None:
        """Return the answer by the limits' plain words."""
        if usd > LIMITS.position_max_usd:
            return "LIMIT_POSITION_SIZE"
        if name in held or name in ended:
            return None if name in held else "LIMIT_RESERVATION_ENDED"
        if -realised >= LIMITS.daily_loss_max_usd:
            return "LIMIT_DAILY_LOSS"
        if len(held) >= LIMITS.open_positions_max:
            return "LIMIT_OPEN_POSITIONS"
        return "LIMIT_EXPOSURE" if sum(held.values()) + usd > LIMITS.exposure_max_usd else None


# -- at the same time ---------------------------------------------------------------------
def at_once(*names: str, usd: int, limits: Limits) -> list[Reason | None]:
    """Reserve for all names from as many threads, each with a connection and a transaction of its own."""
    barrier = threading.Barrier(len(names))

    def one(name: str) -> Reason | None:
        try:
            barrier.wait(timeout=20)
            with transaction.atomic():
                return reserve(name, usd, limits=limits)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(names)) as pool:
        return list(pool.map(one, names))


@pytest.mark.django_db(transaction=True)
def test_eight_come_at_once_for_three_places_then_three_get_one() -> None:
    for round_number in range(5):
        answers = at_once(*(f"{round_number}-{n}" for n in range(WORKERS)), usd=10, limits=LIMITS)
        assert sorted(map(str, map(code, answers))) == ["LIMIT_OPEN_POSITIONS"] * 5 + ["None"] * 3
        assert_book_agrees()
        for name in Reservation.objects.filter(status="held").values_list("client_order_id", flat=True):
            budget_release(client_order_id=name, realised_usd_micros=0)


@pytest.mark.django_db(transaction=True)
def test_eight_come_at_once_then_exposure_is_never_exceeded() -> None:
    limits = LIMITS.model_copy(update={"open_positions_max": 100})
    answers = at_once(*(f"o-{n}" for n in range(WORKERS)), usd=60, limits=limits)
    assert sorted(map(str, map(code, answers))) == ["LIMIT_EXPOSURE"] * 4 + ["None"] * 4
    assert budget_view().exposure_usd_micros == 240 * USD_MICROS
    assert_book_agrees()


@pytest.mark.django_db(transaction=True)
def test_one_order_comes_eight_times_at_once_then_it_holds_once() -> None:
    answers = at_once(*["same"] * WORKERS, usd=50, limits=LIMITS)
    assert answers == [None] * WORKERS
    assert (budget_view().open_positions, budget_view().exposure_usd_micros) == (1, 50 * USD_MICROS)


@pytest.mark.django_db(transaction=True)
def test_one_order_is_released_eight_times_at_once_then_it_counts_once() -> None:
    reserve("a")
    barrier = threading.Barrier(WORKERS)

    def one(_: int) -> bool:
        try:
            barrier.wait(timeout=20)
            return budget_release(client_order_id="a", realised_usd_micros=-3)
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        assert sum(pool.map(one, range(WORKERS))) == 1
    view = budget_view()
    assert (view.open_positions, view.exposure_usd_micros, view.realised_today_usd_micros) == (0, 0, -3)


@pytest.mark.django_db(transaction=True)
def test_reserving_and_releasing_at_once_then_the_book_agrees() -> None:
    limits = LIMITS.model_copy(update={"open_positions_max": 4})
    barrier = threading.Barrier(WORKERS)

    def one(worker: int) -> int:
        held = 0
        try:
            barrier.wait(timeout=20)
            for number in range(6):
                name = f"{worker}-{number}"
                with transaction.atomic():
                    answer = reserve(name, 40, limits=limits)
                assert budget_view().open_positions <= 4
                if answer is None:
                    held += 1
                    budget_release(client_order_id=name, realised_usd_micros=-1)
            return held
        finally:
            connection.close()

    with ThreadPoolExecutor(WORKERS) as pool:
        held = sum(pool.map(one, range(WORKERS)))
    assert held > 0
    view = budget_view()
    assert (view.open_positions, view.exposure_usd_micros, view.realised_today_usd_micros) == (0, 0, -held)
