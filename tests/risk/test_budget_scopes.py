"""Budgets of a chain, a deployer, a token and a day beside the one of all: taken together or not at all."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from apps.domain.config import Limits
from apps.domain.decision import Reason
from apps.domain.money import USD_MICROS
from apps.risk.models import Breaker, Budget, Reservation
from apps.risk.services.budgets import (
    BudgetSubject,
    budget_release,
    budget_reserve,
    budget_view,
    budget_views,
    budgets_prune,
)
from tests import factories

LIMITS = Limits(
    position_max_usd=Decimal(100),
    exposure_max_usd=Decimal(5_000),
    open_positions_max=50,
    token_positions_max=1,
    deployer_positions_max=2,
    token_exposure_max_usd=Decimal(80),
    deployer_exposure_max_usd=Decimal(120),
    chain_exposure_max_usd=Decimal(300),
    daily_entries_max_usd=Decimal(400),
)
AT_ONCE = 100


def about(token: str = "0xT1", deployer: str = "0xD1", chain: str = "eip155:1") -> BudgetSubject:
    return BudgetSubject(chain_key=chain, token=token, deployer=deployer)


def reserve(
    name: str, usd: int, subject: BudgetSubject | None, *, now: datetime | None = None, **limits: Any
) -> str | None:
    answer: Reason | None = budget_reserve(
        client_order_id=name,
        usd_micros=usd * USD_MICROS,
        limits=LIMITS.model_copy(update=limits),
        now=now or timezone.now(),
        subject=subject,
    )
    return None if answer is None else answer.code


def assert_every_scope_agrees() -> None:
    for row in Budget.objects.all():
        held = [
            item.usd_micros
            for item in Reservation.objects.filter(status="held")
            if row.scope in (item.scopes or [item.scope])
        ]
        assert (row.exposure_usd_micros, row.open_positions) == (sum(held), len(held)), row.scope


@pytest.mark.django_db
class TestScopes:
    def test_reserved_then_every_scope_holds_it(self) -> None:
        assert reserve("a", 50, about()) is None
        assert {item.scope: item.exposure_usd_micros for item in budget_views()} == dict.fromkeys(
            ("all", "chain:eip155:1", "deployer:eip155:1/0xd1", "token:eip155:1/0xt1"), 50 * USD_MICROS
        )

    @pytest.mark.parametrize(
        ("held", "wanted", "changes", "code"),
        [
            ((50, about()), (10, about()), {}, "LIMIT_TOKEN_POSITIONS"),
            ((50, about()), (31, about()), {"token_positions_max": 9}, "LIMIT_TOKEN_EXPOSURE"),
            ((50, about()), (71, about("0xT2")), {}, "LIMIT_DEPLOYER_EXPOSURE"),
            ((50, about()), (50, about("0xT2")), {"deployer_positions_max": 1}, "LIMIT_DEPLOYER_POSITIONS"),
            ((50, about()), (60, about("0xT2", "0xD2")), {"chain_exposure_max_usd": Decimal(109)},
             "LIMIT_CHAIN_EXPOSURE"),
            ((50, about()), (60, about("0xT2", "0xD2")), {"daily_entries_max_usd": Decimal(109)},
             "LIMIT_DAILY_ENTRIES"),
        ],
    )  # fmt: skip
    def test_one_scope_is_full_then_refused_and_no_scope_keeps_a_part(
        self, held: tuple[int, Any], wanted: tuple[int, Any], changes: dict[str, Any], code: str
    ) -> None:
        assert reserve("a", *held) is None
        before = list(Budget.objects.filter(open_positions__gt=0).order_by("scope").values())
        assert reserve("b", *wanted, **changes) == code
        assert list(Budget.objects.filter(open_positions__gt=0).order_by("scope").values()) == before
        assert_every_scope_agrees()

    def test_other_chain_token_and_deployer_then_they_do_not_count(self) -> None:
        assert reserve("a", 80, about()) is None
        assert reserve("b", 80, about("0xT2", "0xD2", "eip155:2")) is None
        assert reserve("c", 80, about(chain="eip155:2")) is None

    def test_address_is_written_otherwise_then_it_is_the_same(self) -> None:
        assert reserve("a", 10, about("0xAbC")) is None
        assert reserve("b", 10, about("0xabc")) == "LIMIT_TOKEN_POSITIONS"

    def test_deployer_is_unknown_then_unknown_ones_are_not_thrown_together(self) -> None:
        for number in range(4):
            assert reserve(str(number), 10, about(f"0xT{number}", "")) is None
        assert not Budget.objects.filter(scope__startswith="deployer:").exists()

    def test_released_then_every_scope_has_room_again(self) -> None:
        assert reserve("a", 80, about()) is None
        assert budget_release(client_order_id="a", realised_usd_micros=-3)
        assert_every_scope_agrees()
        assert budget_view(scope="token:eip155:1/0xt1").realised_today_usd_micros == -3
        assert reserve("b", 80, about()) is None

    def test_reservation_of_before_the_scopes_then_it_is_released_from_all(self) -> None:
        assert reserve("a", 10, None) is None
        Reservation.objects.update(scopes=[])
        assert budget_release(client_order_id="a", realised_usd_micros=0)
        assert budget_view().open_positions == 0

    def test_order_has_a_verdict_then_its_pair_says_what_it_is_about(self) -> None:
        verdict: Any = factories.VerdictRecordFactory()
        assert reserve(f"{verdict.trace_id}:1:entry", 10, None) is None
        token = verdict.pair.base.address.lower()
        assert budget_view(scope=f"token:{verdict.pair.chain_key}/{token}").open_positions == 1
        assert reserve(f"{verdict.trace_id}:2:entry", 10, None) == "LIMIT_TOKEN_POSITIONS"


@pytest.mark.django_db
class TestDay:
    def test_entries_of_a_day_then_given_back_ones_count_until_midnight(self) -> None:
        for number in range(4):
            assert reserve(str(number), 100, None) is None
            budget_release(client_order_id=str(number), realised_usd_micros=0)
        now = timezone.now()
        midnight = datetime(now.year, now.month, now.day, tzinfo=UTC) + timedelta(days=1)
        assert reserve("a", 1, None, now=midnight - timedelta(microseconds=1)) == "LIMIT_DAILY_ENTRIES"
        assert reserve("a", 1, None, now=midnight) is None
        assert budget_view(now=midnight).entered_today_usd_micros == USD_MICROS

    def test_one_entry_is_larger_than_a_day_then_no_new_day_helps(self) -> None:
        Budget.objects.create(scope="all", day=timezone.now().date() - timedelta(days=3))
        assert reserve("a", 50, None, daily_entries_max_usd=Decimal(40)) == "LIMIT_DAILY_ENTRIES"

    def test_no_limit_of_a_day_then_only_the_others_count(self) -> None:
        for number in range(5):
            assert reserve(str(number), 100, None, daily_entries_max_usd=None) is None


@pytest.mark.django_db
class TestBreakers:
    def trip(self, **changes: Any) -> Any:
        until = timezone.now() + timedelta(minutes=1)
        return factories.BreakerFactory(
            **{"name": "losses", "effect": "pause", "until": until, "explanation": "Four losses.", **changes}
        )

    def test_breaker_pauses_then_nothing_is_held_and_it_says_which(self) -> None:
        self.trip()
        answer = budget_reserve(client_order_id="a", usd_micros=1, limits=LIMITS, now=timezone.now())
        assert answer is not None
        assert answer.code == "LIMIT_BREAKER"
        assert "Four losses." in answer.explanation
        assert "breaker=losses left_s=5" in answer.detail
        assert budget_view().open_positions == 0

    @pytest.mark.parametrize(
        "changes",
        [
            {"effect": "shrink"},
            {"until": timezone.now() - timedelta(seconds=1)},
            {"until": None},
            {"chain_key": "eip155:2"},
        ],
    )
    def test_breaker_shrinks_is_armed_or_is_of_another_chain_then_entries_go_on(
        self, changes: dict[str, Any]
    ) -> None:
        self.trip(**changes)
        assert reserve("a", 10, about()) is None

    def test_breaker_of_this_chain_then_only_it_rests(self) -> None:
        self.trip(chain_key="eip155:1")
        assert reserve("a", 10, about()) == "LIMIT_BREAKER"
        assert reserve("b", 10, about(chain="eip155:2")) is None

    def test_breaker_trips_then_what_is_held_stays_held_and_can_be_released(self) -> None:
        assert reserve("a", 10, about()) is None
        Breaker.objects.all().delete()
        self.trip()
        assert reserve("a", 10, about()) is None
        assert budget_release(client_order_id="a", realised_usd_micros=0)
        assert Breaker.objects.count() == 1


@pytest.mark.django_db
def test_old_empty_scopes_then_they_are_pruned_and_the_rest_stays() -> None:
    reserve("a", 10, about())
    reserve("b", 10, about("0xT2", "0xD2"))
    budget_release(client_order_id="b", realised_usd_micros=0)
    Budget.objects.update(day=timezone.now().date() - timedelta(days=30))
    assert budgets_prune() == 2
    assert set(Budget.objects.values_list("scope", flat=True)) == {
        "all",
        "chain:eip155:1",
        "deployer:eip155:1/0xd1",
        "token:eip155:1/0xt1",
    }


# -- at the same time ---------------------------------------------------------------------
def at_once(function: Any, count: int) -> list[Any]:
    """Call with 0 … count-1 in threads that start together, each with a connection and a transaction of its own."""
    barrier = threading.Barrier(count)

    def one(number: int) -> Any:
        try:
            barrier.wait(timeout=60)
            with transaction.atomic():
                return function(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("scope", ["all", "chain", "deployer", "token"])
def test_hundred_come_at_once_for_the_last_place_of_any_scope_then_one_gets_it(scope: str) -> None:
    table: dict[str, dict[str, Any]] = {
        "all": {"open_positions_max": 1},
        "chain": {"chain_exposure_max_usd": Decimal(19)},
        "deployer": {"deployer_positions_max": 1},
        "token": {"token_positions_max": 1},
    }
    limits = table[scope]

    def one(number: int) -> str | None:
        token = "0xT" if scope == "token" else f"0xT{number}"
        deployer = "0xD" if scope in ("deployer", "token") else f"0xD{number}"
        return reserve(str(number), 10, about(token, deployer), **limits)

    answers = at_once(one, AT_ONCE)
    assert answers.count(None) == 1
    assert len(set(answers)) == 2
    assert Reservation.objects.filter(status="held").count() == 1
    assert_every_scope_agrees()


@pytest.mark.django_db(transaction=True)
def test_scopes_are_shared_crosswise_at_once_then_nobody_waits_for_ever_and_all_agree() -> None:
    def one(number: int) -> str | None:
        answer = reserve(
            str(number), 10, about(f"0xT{number % 7}", f"0xD{number % 3}"), token_positions_max=5
        )
        if answer is None and number % 2:
            budget_release(client_order_id=str(number), realised_usd_micros=-1)
        return answer

    answers = at_once(one, 40)
    assert 1 <= Reservation.objects.filter(status="held").count() <= 6  # three deployers, two places each
    assert answers.count(None) >= 6
    assert_every_scope_agrees()
