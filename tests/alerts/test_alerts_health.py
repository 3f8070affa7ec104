"""What `manage.py doctor` says of the ways of telling."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from django.conf import settings

from dexsniper.health.alerts import alerts
from tests import factories as f
from tests.alerts.fakes import Service

pytestmark = pytest.mark.django_db


def said() -> dict[str, tuple[str, str]]:
    return {check.name: (check.level, check.detail) for check in alerts(settings.ENV)}


def test_none_configured_then_a_warning_outside_the_sandbox(settings: Any):
    assert said()["ways"][0] == "ok"
    settings.ENV = replace(settings.ENV, mode="paper")
    assert said() == {"ways": ("warning", "none is configured: nobody is told")}


def test_ways_when_they_answer_then_said_and_nobody_is_told_anything(ways: None, service: Service):
    f.BotBindingFactory(chat_id=41)
    found = said()
    assert found["telegram"] == ("ok", "answers as @sniper_bot")
    assert (found["discord"][0], found["webhook"][0], found["email"][0]) == ("ok", "ok", "ok")
    assert {item.method for item in service.requests if "bot" not in item.path} == {"GET", "HEAD"}
    assert service.said == []


def test_ways_when_they_refuse_or_left_something_then_warned_with_a_remedy(ways: None, service: Service):
    service.faults = [
        (401, {"ok": False, "description": "Unauthorized"}, {}),
        (404, {"message": "Unknown"}, {}),
    ]
    f.DeliveryFactory(status="failed")
    found = said()
    assert "401" in found["telegram"][1]
    assert found["discord"][0] == "warning"
    assert found["bot"][0] == "warning"
    assert found["deliveries"] == ("warning", "1 messages did not get through")
