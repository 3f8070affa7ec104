"""The page that searches the audit trail."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from apps.domain.events import EventKind
from apps.state.logic.audit_file import file_check
from apps.state.services.events import event_record
from apps.state.services.relay import relay_once
from tests import factories as f
from tests.dashboard.test_pages import text_of

HOSTILE = "<script>alert(1)</script>\u202eGNP"
PAGE = "dashboard:audit"


@pytest.fixture
def auditor(client, db):
    f.EngineStateFactory()
    f.ConfigRevisionFactory()
    client.force_login(f.UserFactory(username="ida", admin=True))
    return client


def record(count: int) -> None:
    for number in range(count):
        event_record(
            kind=EventKind.ORDER_CHANGED,
            summary=f"event number {number:03d}",
            subject=f"order:{number}",
            trace_id=f"{number:032x}",
            payload={"number": number},
        )


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("q=number 007", ["007"]),
        ("subject=order:3", ["003"]),
        ("trace=" + f"{5:032x}", ["005"]),
        ("kind=order_changed&actor=engine", ["009", "000"]),
        ("kind=login&q=event", []),
        ("kind=nonsense&since=nonsense&until=2026-13-99T99:99&before=nonsense", ["009", "000"]),
        ("actor=nobody-known", []),
    ],
)
def test_page_when_filtered_then_only_what_fits(auditor, query, shown):
    record(10)
    text = text_of(auditor.get(f"{reverse(PAGE)}?{query}"))
    assert all(f"event number {number}" in text for number in shown)
    assert len(shown) == 0 or "No line fits" not in text
    assert shown or "No line fits" in text


def test_page_when_there_are_more_then_older_ones_by_their_place(auditor):
    record(60)
    first = auditor.get(reverse(PAGE)).content.decode()
    assert "event number 059" in first
    assert "event number 000" not in first
    older = first.split('rel="next" href="')[1].split('"')[0]
    assert "event number 000" in auditor.get(reverse(PAGE) + older).content.decode()


def test_page_when_somebody_acts_then_names_who_and_by_which_request(auditor):
    auditor.post(reverse("dashboard:engine_action"), {"action": "pause", "reason": "a look"})
    body = auditor.get(reverse(PAGE), {"kind": "engine_status"}).content.decode()
    assert "running → paused: a look" in body
    assert "ida" in body
    trace = body.split("?trace=")[1][:32]
    page = auditor.get(reverse("dashboard:trace", args=[trace]))
    assert page["Location"] == f"{reverse(PAGE)}?trace={trace}"
    assert "a look" in text_of(auditor.get(page["Location"]))


def test_page_when_texts_are_hostile_then_harmless(auditor):
    event_record(
        kind=EventKind.LOGIN, summary=HOSTILE, actor=HOSTILE, subject=HOSTILE, payload={"a": HOSTILE}
    )
    body = auditor.get(reverse(PAGE), {"q": HOSTILE, "actor": HOSTILE}).content.decode()
    assert "<script>alert" not in body
    assert "<script>alert" not in auditor.get(reverse(PAGE)).content.decode()
    assert "\u202e" not in auditor.get(reverse(PAGE)).content.decode()


def test_export_when_asked_for_then_a_file_that_anybody_can_check(auditor):
    record(3)
    relay_once()
    response = auditor.get(reverse("dashboard:audit_file"))
    assert response["Content-Disposition"].startswith("attachment")
    lines = response.content.decode().splitlines()
    assert file_check(lines).is_whole
    some = auditor.get(reverse("dashboard:audit_file"), {"subject": "order:1"}).content.decode().splitlines()
    assert [json.loads(line)["subject"] for line in some[1:]] == ["order:1"]


def test_page_and_export_when_without_the_permission_then_forbidden(client, db):
    client.force_login(f.UserFactory())
    for name in (PAGE, "dashboard:audit_file"):
        assert client.get(reverse(name)).status_code == 403


def test_page_when_the_log_is_long_then_searched_within_bounds(auditor, monkeypatch):
    record(5)
    monkeypatch.setattr("apps.state.services.audit.SEARCHED_MAX", 2)
    text = text_of(auditor.get(reverse(PAGE), {"q": "event"}))
    assert "event number 004" in text
    assert "event number 001" not in text
    assert "Give a time to look further back" in text
    since = (timezone.now() - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    assert "event number 001" in text_of(auditor.get(reverse(PAGE), {"q": "event", "since": since}))
