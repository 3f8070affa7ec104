"""The equity line: gains and losses only."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.dashboard.selectors.overview import counters
from tests import factories

pytestmark = pytest.mark.django_db


def test_equity_when_money_was_put_in_then_the_change_counts_from_there() -> None:
    now = timezone.now()
    factories.EngineStateFactory()
    for minutes, cash in ((30, 60_000_000_000), (10, 120_000_000_000), (0, 121_200_000_000)):
        factories.EquityPointFactory(
            at=now - timedelta(minutes=minutes), cash_usd_micros=cash, positions_usd_micros=0
        )
    factories.JournalEntryFactory(kind="deposit", at=now - timedelta(minutes=20))
    assert counters(Ask(view="overview")).equity_change_bps == 100


def test_equity_without_deposits_then_the_change_counts_over_the_period() -> None:
    now = timezone.now()
    factories.EngineStateFactory()
    for minutes, cash in ((30, 100_000_000), (0, 90_000_000)):
        factories.EquityPointFactory(
            at=now - timedelta(minutes=minutes), cash_usd_micros=cash, positions_usd_micros=0
        )
    figures = counters(Ask(view="overview"))
    assert (figures.equity_change_bps, figures.drawdown_bps) == (-1_000, 1_000)
