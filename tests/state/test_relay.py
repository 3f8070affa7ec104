"""The log: gapless, chained, published after the fact, and every tampering is found."""

from __future__ import annotations

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F
from redis.exceptions import ConnectionError as BrokerGone

from apps.domain.events import EventKind
from apps.state.models import AuditHead, Event
from apps.state.services import relay
from apps.state.services.events import event_record
from apps.state.services.heartbeats import lease_take
from apps.state.services.relay import audit_verify, relay_once

pytestmark = pytest.mark.django_db


def record(count: int) -> None:
    for number in range(count):
        event_record(
            kind=EventKind.DECISION_MADE,
            summary=f"decision {number} – “€”",
            subject=f"pair:{number}",
            trace_id="a" * 32,
            payload={"number": number, "value": "1.50", "list": [1, None, True]},
        )


def relayed(count: int) -> list[Event]:
    record(count)
    assert relay_once() == count
    return list(Event.objects.order_by("position"))


def test_relay_when_events_wait_then_positions_are_gapless_in_order_and_chained() -> None:
    record(7)
    assert relay_once(limit=3) == 3
    assert relay_once(limit=3) == 3
    record(2)
    assert relay_once() == 3
    assert relay_once() == 0
    events = list(Event.objects.order_by("id"))
    assert [item.position for item in events] == list(range(1, 10))
    assert [item.previous_hash for item in events] == ["", *[item.hash for item in events[:-1]]]
    report = audit_verify()
    assert report.is_whole
    assert report.checked == 9


def test_relay_when_another_holds_the_lease_then_does_nothing() -> None:
    record(1)
    assert lease_take(name=relay.LEASE, holder="another", ttl_s=30)
    assert relay_once() == 0
    assert Event.objects.get().position is None


def test_relay_when_its_head_moved_then_gives_no_number_twice() -> None:
    relayed(2)
    record(1)
    AuditHead.objects.update(position=F("position") + 1)  # a relay whose lease had run out was still at work
    assert relay_once() == 1
    assert not audit_verify().is_whole  # and it is seen


@pytest.mark.django_db(transaction=True)
def test_relay_when_committed_then_live_pages_are_told() -> None:
    layer = get_channel_layer()
    channel = async_to_sync(layer.new_channel)()
    async_to_sync(layer.group_add)(relay.GROUP, channel)
    relayed(1)
    message = async_to_sync(layer.receive)(channel)
    assert message == {
        "type": "live.event",
        "kind": "decision_made",
        "subject": "pair:0",
        "trace_id": "a" * 32,
        "position": 1,
        "summary": "decision 0 – “€”",
    }


class DeadLayer:
    """A channel layer whose broker is away."""

    async def group_send(self, group: str, message: object) -> None:
        raise BrokerGone("no broker")


@pytest.mark.django_db(transaction=True)
def test_relay_when_broker_is_down_then_log_goes_on(settings) -> None:
    settings.CHANNEL_LAYERS = {"default": {"BACKEND": f"{__name__}.DeadLayer"}}
    relayed(3)
    assert audit_verify().is_whole


# -- tampering ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {"summary": "nothing happened"},
        {"payload": {"number": 99}},
        {"actor": "somebody else"},
        {"kind": "login"},
        {"trace_id": "b" * 32},
        {"subject": "pair:9"},
    ],
)
def test_verify_when_a_row_was_changed_then_names_it(change: dict[str, object]) -> None:
    events = relayed(5)
    Event.objects.filter(pk=events[2].pk).update(**change)
    report = audit_verify()
    assert [(fault.position, fault.event_id) for fault in report.faults] == [(3, events[2].pk)]


def test_verify_when_a_row_was_changed_and_its_hash_too_then_next_row_betrays_it() -> None:
    events = relayed(5)
    Event.objects.filter(pk=events[2].pk).update(hash="0" * 64)
    assert [fault.position for fault in audit_verify().faults] == [3, 4]


def test_verify_when_a_row_was_removed_then_names_the_gap() -> None:
    events = relayed(5)
    events[2].delete()
    (fault,) = audit_verify().faults
    assert fault.position == 4
    assert "3 to 3 are missing" in fault.problem


def test_verify_when_the_last_rows_were_removed_then_missed() -> None:
    relayed(5)
    Event.objects.filter(position__gte=4).delete()
    (fault,) = audit_verify().faults
    assert "ends at 3" in fault.problem


def test_verify_when_two_rows_were_exchanged_then_both_places_are_named() -> None:
    events = relayed(5)
    Event.objects.filter(pk=events[1].pk).update(position=1_000)
    Event.objects.filter(pk=events[2].pk).update(position=2)
    Event.objects.filter(pk=events[1].pk).update(position=3)
    assert {fault.position for fault in audit_verify().faults} >= {2, 3}


def test_audit_command_when_tampered_then_fails(capsys: pytest.CaptureFixture[str]) -> None:
    events = relayed(2)
    call_command("audit", "verify", "--json")
    assert '"is_whole": true' in capsys.readouterr().out
    Event.objects.filter(pk=events[0].pk).update(summary="x")
    with pytest.raises(CommandError):
        call_command("audit", "verify")


def test_verify_when_the_log_grows_meanwhile_then_whole() -> None:
    relayed(3)
    event_record(kind=EventKind.LOGIN, summary="late")
    reads = 0

    def grow(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        nonlocal reads
        result = execute(sql, params, many, context)
        if sql.startswith("SELECT") and 'FROM "state_event"' in sql and "ORDER BY" in sql:
            reads += 1
            if reads == 1:
                assert relay_once() == 1
        return result

    with connection.execute_wrapper(grow):
        report = audit_verify()
    assert report.is_whole, report
