"""The audit trail in other hands: exported, checked without us, searched."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db.models import F
from django.utils import timezone

from apps.domain.events import EventKind
from apps.state.logic.audit_file import FileReport, file_check
from apps.state.models import Event
from apps.state.services.audit import AuditSearch, audit_export, audit_lines
from apps.state.services.events import event_record
from apps.state.services.relay import audit_verify, relay_once

pytestmark = pytest.mark.django_db


def relayed(count: int) -> list[Event]:
    for number in range(count):
        event_record(
            kind=EventKind.ORDER_CHANGED,
            summary=f"line {number} – “€”",
            subject=f"order:{number}",
            payload={"number": number},
        )
    assert relay_once() == count
    return list(Event.objects.order_by("position"))


def exported(search: AuditSearch | None = None, **options: Any) -> list[str]:
    return list(audit_export(search or AuditSearch(), **options))


def checked(lines: list[str], **options: Any) -> FileReport:
    return file_check(lines, **options)


# -- whole ----------------------------------------------------------------------------------


def test_export_when_untouched_then_anybody_finds_it_whole() -> None:
    relayed(5)
    head, *lines = exported()
    assert checked([head, *lines]).is_whole
    previous = ""
    for line in lines:  # the recipe of docs/security.md, without a line of ours
        fields = json.loads(line)
        stored = fields.pop("hash")
        text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
        assert hashlib.sha256(text.encode()).hexdigest() == stored
        assert fields["previous_hash"] == previous
        previous = stored
    assert json.loads(head)["head"] == {"position": 5, "hash": previous}


def test_export_when_of_some_days_or_kinds_then_checked_as_far_as_it_can_be() -> None:
    events = relayed(6)
    for event in events:
        Event.objects.filter(pk=event.pk).update(kind="login" if event.position in (2, 5) else event.kind)
    kinds = exported(AuditSearch(kinds=("login",)))
    assert [json.loads(line)["position"] for line in kinds[1:]] == [2, 5]
    assert not json.loads(kinds[0])["is_chained"]
    since = exported(AuditSearch(since=events[3].at))
    assert [json.loads(line)["position"] for line in since[1:]] == [4, 5, 6]
    until = exported(AuditSearch(until=events[1].at))
    assert [json.loads(line)["position"] for line in until[1:]] == [1, 2]
    assert not json.loads(until[0])["is_to_end"]
    newest = exported(lines_max=2)
    assert [json.loads(line)["position"] for line in newest[1:]] == [5, 6]
    assert exported(AuditSearch(since=timezone.now() + timedelta(days=1)))[1:] == []


def test_export_when_lines_wait_for_their_number_then_left_for_later() -> None:
    relayed(2)
    event_record(kind=EventKind.LOGIN, summary="waits")
    lines = exported()
    assert len(lines) == 3
    assert checked(lines).is_whole


# -- tampering ------------------------------------------------------------------------------


def _change(lines: list[str]) -> list[str]:
    lines[3] = lines[3].replace('"number": 2', '"number": 9')
    return lines


def _forge(lines: list[str]) -> list[str]:
    fields = json.loads(lines[3]) | {"actor": "nobody"}
    fields.pop("hash")
    text = json.dumps(fields, sort_keys=True, separators=(",", ":"))
    lines[3] = json.dumps(fields | {"hash": hashlib.sha256(text.encode()).hexdigest()}) + "\n"
    return lines


TAMPERED: tuple[tuple[str, Callable[[list[str]], list[str]], int, str], ...] = (
    ("changed", _change, 4, "its content was changed"),
    ("forged", _forge, 5, "does not follow"),
    ("removed", lambda lines: lines[:3] + lines[4:], 4, "lines 3 to 3 are missing"),
    ("cut off", lambda lines: lines[:-2], 5, "should end at 5"),
    ("exchanged", lambda lines: [*lines[:2], lines[3], lines[2], *lines[4:]], 3, "lines 2 to 2 are missing"),
    ("doubled", lambda lines: [*lines[:3], lines[2], *lines[3:]], 4, "exchanged or inserted"),
    ("garbled", lambda lines: [*lines[:3], "{nonsense\n", *lines[3:]], 4, "no line of a log"),
    ("headless", lambda lines: lines[1:], 1, "no head"),
)


@pytest.mark.parametrize(
    ("change", "line", "words"), [item[1:] for item in TAMPERED], ids=[t[0] for t in TAMPERED]
)
def test_file_when_tampered_then_the_first_place_is_named(
    change: Callable[[list[str]], list[str]], line: int, words: str
) -> None:
    relayed(5)
    report = checked(change(exported()))
    assert not report.is_whole
    assert report.faults[0].line == line
    assert words in report.faults[0].problem


def test_file_when_all_written_anew_then_only_a_hash_noted_elsewhere_tells() -> None:
    noted = relayed(3)[1].hash
    lines = exported()
    assert checked(lines, noted=noted).has_noted
    assert not checked(lines, noted="0" * 64).has_noted
    assert audit_verify(noted=noted).has_noted
    assert not audit_verify(noted="0" * 64).has_noted


def test_log_when_a_line_is_inserted_then_its_place_is_named() -> None:
    events = relayed(5)
    Event.objects.filter(position__gte=3).update(position=F("position") + 1_000)
    Event.objects.filter(position__gte=1_000).update(position=F("position") - 999)
    inserted = Event(
        kind="login",
        at=timezone.now(),
        actor="x",
        summary="x",
        position=3,
        previous_hash=events[1].hash,
        hash="f" * 64,
    )
    inserted.save()
    faults = audit_verify().faults
    assert (faults[0].position, faults[0].event_id) == (3, inserted.pk)


# -- the command ----------------------------------------------------------------------------


def test_command_when_it_exports_then_its_own_file_is_whole_until_touched(
    tmp_path: Path, capsys: Any
) -> None:
    relayed(4)
    path = tmp_path / "log.jsonl"
    call_command("audit", "export", "--to", str(path))
    call_command("audit", "verify", "--file", str(path), "--json")
    assert json.loads(capsys.readouterr().out)["is_whole"]
    with pytest.raises(CommandError, match="noted"):
        call_command("audit", "verify", "--file", str(path), "--noted", "0" * 64)
    path.write_text(path.read_text().replace('"number": 1', '"number": 7'))
    with pytest.raises(CommandError, match="not as it was written"):
        call_command("audit", "verify", "--file", str(path))
    assert "line 3: its content was changed" in capsys.readouterr().out


def test_command_when_asked_for_kinds_and_days_then_only_those_on_standard_output(capsys: Any) -> None:
    relayed(2)
    call_command(
        "audit", "export", "--kind", "order_changed", "--since", "2020-01-01", "--until", "2020-01-02"
    )
    assert len(capsys.readouterr().out.splitlines()) == 1
    call_command("audit", "export", "--kind", "order_changed", "--since", "2020-01-01")
    assert len(capsys.readouterr().out.splitlines()) == 3
    with pytest.raises(CommandError):
        call_command("audit", "export", "--since", "yesterday")


def test_command_when_the_database_guards_nothing_then_said(capsys: Any) -> None:
    call_command("audit", "verify")
    assert "does not guard the log" in capsys.readouterr().out  # tests take the triggers away


# -- search ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("search", "count"),
    [
        ({}, 4),
        ({"kinds": ("login",)}, 1),
        ({"actor": "OLGA"}, 1),
        ({"subject": "order"}, 3),
        ({"subject": "order:1"}, 1),
        ({"trace_id": "b" * 32}, 1),
        ({"words": "PAYLOAD WORD"}, 1),
        ({"words": "line 2"}, 1),
        ({"since": timezone.now() + timedelta(days=1)}, 0),
        ({"until": timezone.now() - timedelta(days=1)}, 0),
    ],
)
def test_search_when_asked_then_only_what_fits(search: dict[str, Any], count: int) -> None:
    relayed(3)
    event_record(
        kind=EventKind.LOGIN,
        summary="in",
        actor="olga",
        subject="user:1",
        trace_id="b" * 32,
        payload={"a": "a payload word"},
    )
    assert audit_lines(AuditSearch(**search)).count() == count
