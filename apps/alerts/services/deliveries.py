"""Deliveries as rows: made once for each alert and way, claimed, sent, tried again, and never again once they are sent.

A process that dies while it sends leaves its row claimed; whoever finds it sends it again, because a lost alert is worse than
a doubled one. The other side can tell: the delivery's number stands in the webhook's header and the mail's Message-ID.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F, Max, Q
from django.utils import timezone

from apps.alerts.logic.notices import Kind, Notice, together
from apps.alerts.logic.pace import Waiting, next_try_s, tellings
from apps.alerts.models import AlertRecord, Delivery
from apps.alerts.transports.port import DeliveryFailedError, DeliveryRefusedError, Transport
from apps.domain.config import ALERT_RULES, Alerts
from apps.domain.errors import Category, Recovery
from apps.state.services.events import cut
from apps.state.services.incidents import incident_open, incident_resolve

#: A claim older than this belongs to a process that died.
CLAIM_MAX = timedelta(seconds=90)
#: That something older is over is no news any more.
_TOLD_OVER = timedelta(hours=1)
_WAITING_MAX = 500
_SENT_AT_ONCE_MAX = 10
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_S = Delivery.Status


# -- made -----------------------------------------------------------------------------------
def deliveries_make(*, config: Alerts, ways: Sequence[str]) -> int:
    """Make the messages that are due; return how many. Without any way alerts stand on the page alone, and are told."""
    now = timezone.now()
    made = _raised(config, ways, now)
    if config.tell_resolved and ways:
        over = AlertRecord.objects.filter(resolved_at__gte=now - _TOLD_OVER, is_lasting=True)
        over = over.filter(deliveries__kind="raised").exclude(deliveries__kind="resolved").distinct()
        for row in over[:_WAITING_MAX]:
            made += _make(row, ways, kind="resolved", now=now)
    return made


def _raised(config: Alerts, ways: Sequence[str], now: datetime) -> int:
    due = Q(told_at=None) | Q(is_lasting=False, count__gt=F("told_count"))
    rows = {
        row.pk: row
        for row in AlertRecord.objects.filter(due, resolved_at=None, acknowledged_at=None).order_by("pk")[
            :_WAITING_MAX
        ]
    }
    if not rows:
        return 0
    if not config.send_info:
        quiet = [pk for pk, row in rows.items() if row.severity == "info"]
        AlertRecord.objects.filter(pk__in=quiet).update(told_at=now, told_count=F("count"))
        rows = {pk: row for pk, row in rows.items() if pk not in quiet}
    waiting = tuple(
        Waiting(number=row.pk, rule=row.rule, is_critical=row.severity == "critical", at_ms=_ms(row.last_at))
        for row in rows.values()
    )
    told = AlertRecord.objects.exclude(told_at=None).filter(rule__in={row.rule for row in rows.values()})
    newest = told.order_by().values_list("rule").annotate(at=Max("told_at"))
    found = tellings(
        waiting,
        told_ms={rule: _ms(at) for rule, at in newest},
        windows_s={rule: config.throttle_of(rule) for rule in ALERT_RULES},
        now_ms=_ms(now),
    )
    made = 0
    for telling in found:
        others = [rows[number] for number in telling.others]
        with transaction.atomic():
            made += _make(rows[telling.number], ways, kind="raised", now=now, others=others)
            for row in (rows[telling.number], *others):
                AlertRecord.objects.filter(pk=row.pk).update(told_at=now, told_count=row.count)
    return made


def _make(
    row: AlertRecord, ways: Sequence[str], *, kind: Kind, now: datetime, others: Sequence[AlertRecord] = ()
) -> int:
    last = Delivery.objects.filter(alert=row).aggregate(last=Max("number"))["last"] or 0
    notice = notice_of(row, kind=kind, others=others).to_json()
    del notice["number"]
    made = 0
    for way in ways:
        try:
            with transaction.atomic():
                Delivery.objects.create(
                    alert=row,
                    transport=way,
                    kind=kind,
                    number=last + 1,
                    notice=notice,
                    next_try_at=now,
                    created_at=now,
                )
        except IntegrityError:  # another process made it
            continue
        made += 1
    return made


def notice_of(row: AlertRecord, *, kind: Kind, others: Sequence[AlertRecord] = ()) -> Notice:
    """Return what is said of an alert now."""
    more = together(tuple(item.title for item in others)) if others else ""
    return Notice(
        kind=kind,
        rule=row.rule,
        severity=row.severity,
        title=row.title,
        text=". ".join(filter(None, (row.text.rstrip("."), more))) if kind == "raised" else "",
        remedy=row.remedy,
        link=f"{settings.ENV.public_url.rstrip('/')}/alerts/{row.pk}/",
        at_ms=_ms(row.last_at if kind == "raised" else (row.resolved_at or row.last_at)),
        mode=settings.ENV.mode,
        count=row.count,
    )


def delivery_test(*, way: str, by: str) -> Delivery:
    """Make a test message; it waits like any other."""
    now = timezone.now()
    notice = Notice(
        kind="test",
        rule="test",
        severity="info",
        title="This way of telling works",
        text=f"Asked for by {by}.",
        remedy="",
        link=f"{settings.ENV.public_url.rstrip('/')}/alerts/",
        at_ms=_ms(now),
        mode=settings.ENV.mode,
    ).to_json()
    del notice["number"]
    return Delivery.objects.create(
        transport=way, kind="test", notice=notice, next_try_at=now, created_at=now, created_by=cut(by, 150)
    )


# -- sent -----------------------------------------------------------------------------------
def deliveries_send(transport: Transport) -> int:
    """Send what is due by one way, oldest first; return how many were sent."""
    now = timezone.now()
    _recover(transport.name, now)
    due = Delivery.objects.filter(transport=transport.name, status=_S.WAITING, next_try_at__lte=now)
    keys = list(due.order_by("pk").values_list("pk", flat=True)[:_SENT_AT_ONCE_MAX])
    return sum(delivery_send(key, transport) for key in keys)


def delivery_send(delivery_id: int, transport: Transport) -> bool:
    """Send one delivery if nobody else does, and note how it went; True when it was sent now."""
    claimed = Delivery.objects.filter(pk=delivery_id, status=_S.WAITING).update(
        status=_S.SENDING, claimed_at=timezone.now(), attempts=F("attempts") + 1
    )
    if not claimed:
        return False
    row = Delivery.objects.get(pk=delivery_id)
    notice = Notice.of_json(row.notice, number=row.pk)
    try:
        reference = transport.send(notice)
    except DeliveryRefusedError as error:
        _not_sent(row, error, rest_s=None)
        return False
    except DeliveryFailedError as error:
        _not_sent(row, error, rest_s=next_try_s(row.attempts, asked_s=error.rest_s))
        return False
    Delivery.objects.filter(pk=row.pk, status=_S.SENDING).update(
        status=_S.SENT, sent_at=timezone.now(), reference=cut(reference, 100), error=""
    )
    incident_resolve(dedup_key=_incident_key(row.transport), reason="a message was delivered")
    return True


def _not_sent(
    row: Delivery, error: DeliveryFailedError | DeliveryRefusedError, *, rest_s: int | None
) -> None:
    """Let it wait for its next try; without one it has failed, and a person is told on the page."""
    is_test = row.kind == "test"  # somebody waits for the answer, and asks again
    status = _S.FAILED if rest_s is None or is_test else _S.WAITING
    Delivery.objects.filter(pk=row.pk, status=_S.SENDING).update(
        status=status,
        next_try_at=timezone.now() + timedelta(seconds=rest_s or 0),
        error=cut(". ".join(filter(None, (str(error), error.remedy))), 300),
    )
    if status == _S.FAILED and not is_test:
        incident_open(
            code="ALERT_NOT_DELIVERED",
            category=Category.NETWORK,
            recovery=Recovery.SKIP,
            severity="warning",
            title=f"Messages by {row.transport} do not get through",
            detail=str(error),
            remedy=f"{error.remedy} Then send it again on the Alerts page.".strip(),
            dedup_key=_incident_key(row.transport),
            context={"transport": row.transport, "delivery": row.pk},
        )


def delivery_retry(*, delivery_id: int) -> bool:
    """Let a failed delivery wait for its first try again. False when it has not failed."""
    return bool(
        Delivery.objects.filter(pk=delivery_id, status=_S.FAILED).update(
            status=_S.WAITING, attempts=0, next_try_at=timezone.now()
        )
    )


def _recover(way: str, now: datetime) -> None:
    Delivery.objects.filter(transport=way, status=_S.SENDING, claimed_at__lt=now - CLAIM_MAX).update(
        status=_S.WAITING, next_try_at=now
    )


def _incident_key(way: str) -> str:
    return f"alerts/{way}"


def _ms(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(milliseconds=1)
