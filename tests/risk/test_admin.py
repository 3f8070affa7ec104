"""Verdicts, budget and analyses in the admin: to be looked at, by nobody to be changed."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests import factories

pytestmark = pytest.mark.django_db

PAGES: dict[str, Any] = {
    "intelligence_analysisrecord": factories.AnalysisRecordFactory,
    "risk_verdictrecord": factories.VerdictRecordFactory,
    "risk_budget": factories.BudgetFactory,
    "risk_reservation": factories.ReservationFactory,
    "risk_breaker": factories.BreakerFactory,
    "risk_guardwatch": factories.GuardWatchFactory,
    "risk_refusedtoken": factories.RefusedTokenFactory,
}


@pytest.fixture
def admin() -> Client:
    client = Client()
    client.force_login(factories.UserFactory(admin=True))
    return client


@pytest.mark.parametrize("page", PAGES)
def test_rows_are_there_then_list_and_row_are_shown(admin: Client, page: str) -> None:
    row = PAGES[page]()
    assert admin.get(reverse(f"admin:{page}_changelist")).status_code == 200
    assert admin.get(reverse(f"admin:{page}_change", args=[row.pk])).status_code == 200


@pytest.mark.parametrize("page", PAGES)
def test_somebody_tries_to_change_then_refused(admin: Client, page: str) -> None:
    row = PAGES[page]()
    assert admin.get(reverse(f"admin:{page}_add")).status_code == 403
    assert admin.post(reverse(f"admin:{page}_change", args=[row.pk]), {}).status_code == 403
    assert admin.post(reverse(f"admin:{page}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
