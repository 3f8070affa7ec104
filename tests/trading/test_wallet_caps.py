"""A wallet's cap of the day holds where funds are reserved, and counts what came to nothing no more."""

from __future__ import annotations

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.domain.order import OrderStatus
from apps.risk.services.budgets import budget_view
from apps.trading.models import DecisionRecord
from apps.trading.services.orders import order_transition
from apps.wallets.models import Wallet, WalletSpend
from apps.wallets.services.spends import spend_reserve, spend_settle, spent_today
from tests import factories
from tests.trading.conftest import World


def cap(usd: int) -> None:
    Wallet.objects.filter(key="trader").update(daily_spend_max_usd_micros=usd * 1_000_000)


def test_entry_that_would_pass_the_cap_then_is_skipped_with_the_reason_and_no_budget(world: World):
    first = world.decide(world.pair())
    assert first is not None
    assert first.value_usd_micros is not None
    cap(first.value_usd_micros // 1_000_000 + 1)
    before = budget_view().exposure_usd_micros
    assert world.decide(world.pair()) is None
    skipped = DecisionRecord.objects.latest("id")
    assert skipped.reasons[0]["code"] == "WALLET_DAILY_SPEND"
    assert budget_view().exposure_usd_micros == before
    assert spent_today(wallet_key="trader", now=timezone.now()) == first.value_usd_micros


def test_entry_that_comes_to_nothing_then_its_worth_may_be_spent_again(world: World):
    order = world.decide(world.pair())
    assert order is not None
    cap(1)
    assert order_transition(
        order_id=order.pk, before=OrderStatus.CREATED, after=OrderStatus.EXPIRED, reason="late"
    )
    assert spent_today(wallet_key="trader", now=timezone.now()) == 0


def test_bought_and_sold_then_the_day_has_spent_what_was_bought(world: World):
    position = world.buy()
    sale = world.ask_exit(position)
    world.execute(sale)
    world.chain.mine()
    world.settle(sale)
    assert spent_today(wallet_key="trader", now=timezone.now()) == WalletSpend.objects.get().usd_micros > 0


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    limit=st.integers(0, 100),
    steps=st.lists(st.tuples(st.integers(0, 5), st.integers(1, 60), st.booleans()), max_size=12),
)
def test_any_order_of_entries_and_endings_then_the_cap_holds(
    db: None, limit: int, steps: list[tuple[int, int, bool]]
):
    Wallet.objects.all().delete()
    factories.WalletFactory(key="trader", daily_spend_max_usd_micros=limit)
    now = timezone.now()
    for number, usd, ends in steps:
        key = f"order-{number}"
        if ends:
            spend_settle(client_order_id=key, counts=False)
        elif not WalletSpend.objects.filter(client_order_id=key, counts=True).exists():
            spent = spent_today(wallet_key="trader", now=now)
            refused = spend_reserve(wallet_key="trader", client_order_id=key, usd_micros=usd, now=now)
            assert (refused is not None) == (spent + usd > limit)
        assert spent_today(wallet_key="trader", now=now) <= limit


@pytest.mark.django_db
def test_entry_mined_after_all_then_it_counts_again():
    factories.WalletFactory(key="trader")
    now = timezone.now()
    assert spend_reserve(wallet_key="trader", client_order_id="a", usd_micros=5, now=now) is None
    spend_settle(client_order_id="a", counts=False)
    spend_settle(client_order_id="a", counts=True)
    assert spent_today(wallet_key="trader", now=now) == 5
