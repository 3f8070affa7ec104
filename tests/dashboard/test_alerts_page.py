"""The page on alerts, the banner on every page, and incidents by kind."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.alerts.models import BotBinding
from apps.dashboard.logic.trends import hourly, trend_of
from tests import factories as f
from tests.alerts.fakes import TOKEN, Server
from tests.dashboard.conftest import client_of
from tests.dashboard.test_pages import text_of


@pytest.fixture
def teller(db) -> Client:
    """Somebody who looks after alerts."""
    client = client_of("viewer", username="tilda")
    held = Permission.objects.filter(codename__in=("change_alertrecord", "send_test", "pair_bot"))
    f.UserFactory._meta.model.objects.get(username="tilda").user_permissions.add(*held)
    return client


@pytest.fixture
def ready(db, settings: Any) -> None:
    f.EngineStateFactory()
    f.ConfigRevisionFactory()
    settings.ENV = replace(settings.ENV, alert_telegram_token=TOKEN)


def test_alerts_when_there_are_none_then_says_what_to_do(viewer: Client, db):
    f.EngineStateFactory()
    text = text_of(viewer.get(reverse("dashboard:alerts")))
    assert "No open alert" in text
    assert "docs/alerts.md" in text
    assert "Nothing was told yet" in text_of(viewer.get(reverse("dashboard:alerts") + "?tab=over"))


def test_alert_when_open_then_on_every_page_until_somebody_acknowledges_it(teller: Client, ready: None):
    alert = f.AlertRecordFactory(title="<b>The books</b> differ", trace_id="")
    f.DeliveryFactory(alert=alert, status="failed", error="The webhook answered with status 500")
    overview = teller.get(reverse("dashboard:overview"))
    assert "<b>The books</b> differ" in text_of(overview).replace("&lt;", "<").replace("&gt;", ">")
    assert "<b>The books</b>" not in overview.content.decode()
    page = text_of(teller.get(reverse("dashboard:alerts")))
    assert "status 500" in page
    detail = teller.get(reverse("dashboard:alert", args=[alert.pk]))
    assert "Send it again" in text_of(detail)
    assert teller.post(reverse("dashboard:alert_acknowledge", args=[alert.pk])).status_code == 302
    alert.refresh_from_db()
    assert alert.acknowledged_by == "tilda"
    assert not re.search(
        r'id="alarms"(?![^>]*hidden)', teller.get(reverse("dashboard:overview")).content.decode()
    )


def test_message_that_failed_when_asked_for_then_waits_again(teller: Client, ready: None):
    delivery = f.DeliveryFactory(status="failed", attempts=8)
    for word in ("again within seconds", "has not failed"):
        answer = teller.post(reverse("dashboard:delivery_again", args=[delivery.pk]), follow=True)
        assert word in text_of(answer)


def test_test_of_a_way_then_says_at_once_how_it_went(teller: Client, ready: None, settings: Any):
    with Server() as service:
        settings.ENV = replace(
            settings.ENV,
            alert_webhook=f"{service.url}/hook",
            alert_webhook_secret="s",
            alert_telegram_token="",
        )
        url = reverse("dashboard:alert_test", args=["webhook"])
        assert "was delivered" in text_of(teller.post(url, follow=True))
        service.faults = [(500, {}, {})]
        assert "status 500" in text_of(teller.post(url, follow=True))
        assert len(service.requests) == 2
    assert "not configured" in text_of(
        teller.post(reverse("dashboard:alert_test", args=["discord"]), follow=True)
    )


def test_pairing_then_the_code_is_shown_once_and_kept_nowhere(teller: Client, ready: None):
    answer = teller.post(reverse("dashboard:bot_pair"))
    found = re.search(r"/pair ([A-Z2-9]{10})", answer.content.decode())
    assert found
    assert "no-store" in answer["Cache-Control"]
    row = BotBinding.objects.get()
    assert row.code_digest
    assert found[1] not in row.code_digest
    assert teller.get(reverse("dashboard:bot_pair")).status_code == 405
    BotBinding.objects.update(
        chat_id=41, user=row.code_user, paired_at=timezone.now(), chat_name="<i>Ada</i>"
    )
    page = teller.get(reverse("dashboard:alerts"))
    assert "<i>Ada" not in page.content.decode()
    assert "obeys nobody" in text_of(teller.post(reverse("dashboard:bot_unpair"), follow=True))
    assert BotBinding.objects.get().chat_id is None


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("alert_acknowledge", [1]),
        ("alert_test", ["webhook"]),
        ("delivery_again", [1]),
        ("bot_pair", []),
        ("bot_unpair", []),
    ],
)
def test_acts_when_a_viewer_tries_then_forbidden(
    viewer: Client, ready: None, name: str, arguments: list[Any]
):
    assert viewer.post(reverse(f"dashboard:{name}", args=arguments)).status_code == 403


def test_pairing_in_live_without_a_second_factor_then_asked_for_it(
    teller: Client, ready: None, settings: Any
):
    settings.ENV = replace(settings.ENV, mode="live")
    answer = teller.post(reverse("dashboard:bot_pair"))
    assert answer.status_code in (302, 403)
    assert not BotBinding.objects.exclude(code_digest="").exists()


# -- incidents by kind ----------------------------------------------------------------------


def test_incidents_by_kind_then_counted_with_what_was_done_and_what_to_do(viewer: Client, life):
    now = timezone.now()
    f.IncidentFactory(code="RPC_DOWN", count=7, remedy="Add an endpoint.", trace_id=life["trace_id"])
    for _ in range(2):
        f.IncidentFactory(code="RPC_DOWN", count=2, resolved_at=now, resolved_by="engine")
    f.IncidentFactory(code="RPC_DOWN", resolved_at=now, resolved_by="olga", last_at=now - timedelta(days=1))
    f.IncidentFactory(code="ANCIENT", resolved_at=now, last_at=now - timedelta(days=30))
    response = viewer.get(reverse("dashboard:incidents"))
    text = text_of(response)
    assert "RPC_DOWN" in text
    assert "12" in text
    assert "2 ended by themselves, 1 by a person" in text
    assert "tries again by itself" in text
    assert "new within 12 hours" in text
    assert "ANCIENT" not in text
    assert reverse("dashboard:trace", args=[life["trace_id"]]) in response.content.decode()


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ((0, 0, 0, 0), "none"),
        ((0, 0, 1, 0), "new"),
        ((1, 0, 1, 1), "as before"),
        ((1, 1, 2, 2), "more"),
        ((3, 3, 1, 1), "less"),
        ((3, 3, 3, 2), "as before"),
    ],
)
def test_trend_of_counts(counts: tuple[int, ...], expected: str):
    assert trend_of(counts) == expected


@given(st.lists(st.integers(-10_000, 10**6), max_size=50))
def test_hours_hold_each_age_within_them_once(ages: list[int]):
    counts = hourly(ages, hours=24)
    assert len(counts) == 24
    assert sum(counts) == sum(0 <= age < 24 * 3_600 for age in ages)
