"""Incidents, configuration, heartbeats, leases, installation, tracing, checks, commands."""

from __future__ import annotations

import json
import logging
import os
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.domain.engine import EngineStatus
from apps.domain.errors import Category, ConfigurationError, KeystoreError, Recovery
from apps.domain.events import EventKind
from apps.state.checks import check_database_mode, check_latch, check_migrations
from apps.state.latch import FILE_NAME
from apps.state.models import EngineState, Event, Heartbeat, Incident, Lease
from apps.state.services.config import ConfigRefusedError, active_config, config_change
from apps.state.services.engine import engine_view, installation_prepare
from apps.state.services.events import event_record
from apps.state.services.heartbeats import beat, lease_release, lease_take, stale_components
from apps.state.services.incidents import incident_from_error, incident_open, incident_resolve
from apps.state.tracing import TraceFilter, bind_trace, install_filter
from tests.factories import EngineStateFactory

pytestmark = pytest.mark.django_db


def open_one(**changes: Any) -> None:
    fields: dict[str, Any] = {
        "code": "RPC_DOWN",
        "category": Category.NETWORK,
        "recovery": Recovery.FAILOVER,
        "severity": "warning",
        "title": "Endpoint is down",
        "dedup_key": "rpc:1",
    }
    incident_open(**fields | changes)


# -- events, tracing --------------------------------------------------------------------------


def test_event_when_within_a_trace_then_carries_it() -> None:
    with bind_trace("f" * 32):
        event_record(kind=EventKind.LOGIN, summary="x" * 1_000 + "\x00", subject="y" * 500)
    event = Event.objects.get()
    assert event.trace_id == "f" * 32
    assert len(event.summary) == 300
    assert len(event.subject) == 120


def test_log_line_when_within_a_trace_then_has_its_id() -> None:
    record = logging.makeLogRecord({"msg": "order submitted"})
    with bind_trace("f" * 32):
        assert TraceFilter().filter(record)
    assert record.trace_id == "f" * 32  # type: ignore[attr-defined]
    install_filter()  # another test may have set up logging anew since the start
    assert any(
        isinstance(item, TraceFilter) for handler in logging.getLogger().handlers for item in handler.filters
    )


# -- incidents ----------------------------------------------------------------------------------


def test_incident_when_repeated_then_counted_and_recorded_once() -> None:
    for number in range(3):
        open_one(detail=f"try {number}", severity="critical" if number == 1 else "warning")
    incident = Incident.objects.get()
    assert (incident.count, incident.detail, incident.severity) == (3, "try 2", "critical")
    assert Event.objects.filter(kind="incident_opened").count() == 1


def test_incident_when_resolved_then_the_next_is_a_new_one() -> None:
    open_one()
    assert incident_resolve(dedup_key="rpc:1", by="ada")
    assert not incident_resolve(dedup_key="rpc:1")
    open_one()
    assert Incident.objects.count() == 2
    assert list(Event.objects.order_by("id").values_list("kind", flat=True)) == [
        "incident_opened",
        "incident_closed",
        "incident_opened",
    ]


def test_incident_when_from_error_then_keeps_remedy_and_context() -> None:
    incident_from_error(KeystoreError("no key", remedy="bring it back", wallet="trader"), severity="critical")
    incident = Incident.objects.get()
    assert (incident.code, incident.remedy, incident.context) == (
        "KEYSTORE",
        "bring it back",
        {"wallet": "trader"},
    )


# -- configuration --------------------------------------------------------------------------------


@pytest.fixture
def installed() -> None:
    installation_prepare(mode="sandbox")


def test_config_when_part_is_changed_then_rest_stays_and_diff_is_recorded(installed: None) -> None:
    number = config_change(payload={"limits": {"position_max_usd": "99.5"}}, by="ada", reason="careful")
    active = active_config()
    assert active.revision == number == 2
    assert active.config.limits.position_max_usd == Decimal("99.5")
    assert active.config.exits.time_stop_s == 45
    event = Event.objects.get(kind="config_changed", payload__revision=2)
    assert event.payload["diff"] == {"limits.position_max_usd": ["250", "99.5"]}
    assert event.actor == "ada"


def test_config_when_nothing_changes_then_no_revision(installed: None) -> None:
    assert config_change(payload={"limits": {"position_max_usd": "250"}}, by="ada", reason="same") == 1


@pytest.mark.parametrize(
    ("payload", "path", "words", "remedy"),
    [
        ({"limits": {"position_max_usd": "-1"}}, "limits.position_max_usd", "not above 0", "more than 0"),
        ({"limits": {"open_positions_max": 501}}, "limits.open_positions_max", "above 500", "500 or less"),
        (
            {"limits": {"open_positions_max": "many"}},
            "limits.open_positions_max",
            "whole number",
            "whole number",
        ),
        ({"limits": {"position_max_usd": "NaN"}}, "limits.position_max_usd", "finite", "finite"),
        ({"limits": {"position_max_usd": "1.234"}}, "limits.position_max_usd", "decimals", "2 decimals"),
        ({"limits": 3}, "limits", "group", "object"),
        (
            {"rules": {"owner_control_allowed": "perhaps"}},
            "rules.owner_control_allowed",
            "neither",
            "true or false",
        ),
        ({"rules": {"sell_tax": 3}}, "rules.sell_tax", "no such setting", "its name"),
        ({"limits": {"position_min_usd": 300}}, "", "position_min_usd is above", "Lower the first"),
    ],
)
def test_config_when_senseless_then_names_field_and_remedy(
    installed: None, payload: dict[str, Any], path: str, words: str, remedy: str
) -> None:
    with pytest.raises(ConfigRefusedError) as raised:
        config_change(payload=payload, by="ada", reason="test")
    (fault,) = raised.value.faults
    assert fault.path == path
    assert words in fault.message
    assert remedy in fault.remedy
    assert active_config().revision == 1


def test_config_when_never_installed_then_says_what_to_do() -> None:
    with pytest.raises(ConfigurationError) as raised:
        active_config()
    assert "manage.py up" in raised.value.remedy


# -- installation, checks -----------------------------------------------------------------------------


def test_prepare_when_repeated_then_keeps_state(installed: None) -> None:
    EngineState.objects.update(status="paused", epoch=5)
    installation_prepare(mode="sandbox")
    view = engine_view()
    assert (view.status, view.epoch, view.mode) == (EngineStatus.PAUSED, 5, "sandbox")
    assert active_config().revision == 1


def test_prepare_when_database_is_of_another_mode_then_refuses(installed: None) -> None:
    with pytest.raises(ConfigurationError, match="belongs to the mode sandbox") as raised:
        installation_prepare(mode="live")
    assert "DEXSNIPER_MODE=sandbox" in raised.value.remedy


def test_checks_when_all_is_well_then_silent(installed: None) -> None:
    assert check_database_mode(None, databases=["default"]) == []
    assert check_migrations(None, databases=["default"]) == []
    assert check_latch(None) == []


def test_checks_when_mode_differs_or_latch_is_damaged_then_tell(data_dir) -> None:
    EngineStateFactory(mode="live")
    (error,) = check_database_mode(None, databases=["default"])
    assert error.id == "state.E001"
    (data_dir / FILE_NAME).write_text("rubbish")
    (warning,) = check_latch(None)
    assert "killswitch" in str(warning.hint)


# -- heartbeats, leases -----------------------------------------------------------------------------


def test_beat_when_silent_too_long_then_stale_and_then_back() -> None:
    beat(component="listener", status="ok")
    beat(component="listener", status="block 7")
    assert stale_components() == ()
    Heartbeat.objects.update(beat_at=timezone.now() - timedelta(seconds=20))
    (stale,) = stale_components()
    assert (stale.component, stale.silent_s) == ("listener", 20)
    beat(component="listener")
    assert stale_components() == ()
    assert list(Event.objects.order_by("id").values_list("summary", flat=True)) == [
        "listener was started",
        "listener is back",
    ]


def test_beat_from_another_process_then_its_restart_is_told() -> None:
    beat(component="listener")
    Heartbeat.objects.update(pid=1)
    beat(component="listener")
    assert Event.objects.latest("id").summary == f"listener was restarted: process {os.getpid()} after 1"


def test_lease_when_held_then_refused_until_it_ends() -> None:
    assert lease_take(name="listener", holder="a", ttl_s=10)
    assert lease_take(name="listener", holder="a", ttl_s=10)
    assert not lease_take(name="listener", holder="b", ttl_s=10)
    assert not lease_release(name="listener", holder="b")
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert lease_take(name="listener", holder="b", ttl_s=10)
    assert lease_release(name="listener", holder="b")
    assert lease_take(name="listener", holder="a", ttl_s=10)


# -- commands -----------------------------------------------------------------------------------------


def answer_of(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, Any]:
    call_command(*words, "--json")
    answer: dict[str, Any] = json.loads(capsys.readouterr().out)
    return answer


def test_commands_when_used_in_turn_then_engine_follows(
    installed: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert answer_of(capsys, "engine", "start")["status"] == "running"
    assert answer_of(capsys, "engine", "pause")["status"] == "paused"
    assert answer_of(capsys, "engine", "stop")["status"] == "stopped"
    assert answer_of(capsys, "engine", "start", "--sell-only")["status"] == "paused"
    assert answer_of(capsys, "killswitch", "pull", "--close")["is_effective"] is True
    assert answer_of(capsys, "killswitch", "status")["status"] == "closing"
    assert answer_of(capsys, "engine", "stop")["status"] == "stopped"
    assert answer_of(capsys, "killswitch", "pull", "--reason", "fire")["database_written"] is True
    with pytest.raises(CommandError, match="remedy: Lift the kill switch"):
        call_command("engine", "start")
    assert answer_of(capsys, "killswitch", "resume", "--to", "paused")["status"] == "paused"
    assert "PAUSED" not in answer_of(capsys, "engine", "status")["status"]


def test_command_when_never_installed_then_says_what_to_do() -> None:
    with pytest.raises(CommandError, match=r"manage\.py up"):
        call_command("engine", "status")
