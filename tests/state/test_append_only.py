"""The database itself refuses to change or remove what stands in the log."""

from __future__ import annotations

import pytest
from django.db import DatabaseError, connection, transaction

from apps.domain.events import EventKind
from apps.state import append_only
from apps.state.models import AuditHead, Event
from apps.state.services.events import event_record
from apps.state.services.relay import audit_verify, relay_once

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def triggers(db) -> None:
    append_only.install(connection)


def refused(statement: str) -> None:
    with pytest.raises(DatabaseError, match="only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_migrations_when_run_then_every_trigger_is_there(django_db_setup: frozenset[str]) -> None:
    assert django_db_setup == set(append_only.names(connection))
    assert append_only.installed(connection) == set(append_only.names(connection))


def test_log_when_guarded_then_relay_numbers_it_and_nothing_else_changes_it() -> None:
    for number in range(3):
        event_record(kind=EventKind.LOGIN, summary=f"line {number}")
    assert relay_once(limit=2) == 2
    assert relay_once() == 1
    for column, value in {
        "summary": "'x'",
        "actor": "'x'",
        "kind": "'x'",
        "payload": "'{}x'" if connection.vendor == "sqlite" else "'{\"a\": 1}'",
        "subject": "'x'",
        "trace_id": "'x'",
        "at": "'2020-01-01'",
        "position": "99",
        "hash": "'x'",
        "previous_hash": "'x'",
    }.items():
        refused(f"UPDATE state_event SET {column} = {value} WHERE position = 2")
    refused("DELETE FROM state_event WHERE position = 3")
    refused("DELETE FROM state_audithead")
    refused("UPDATE state_audithead SET position = 1")
    assert audit_verify().is_whole
    assert AuditHead.objects.get().position == 3


def test_line_when_it_waits_for_its_number_then_its_words_stand_already() -> None:
    event_record(kind=EventKind.LOGIN, summary="early")
    refused("UPDATE state_event SET summary = 'late'")
    refused("DELETE FROM state_event")
    assert Event.objects.get().summary == "early"


@pytest.mark.postgres
def test_log_when_somebody_empties_it_at_once_then_refused() -> None:
    event_record(kind=EventKind.LOGIN, summary="early")
    refused("TRUNCATE state_event CASCADE")
