"""From a fact to a message: raised once, told once by each way, tried again, over by itself, never lost, never twice."""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.alerts import wiring
from apps.alerts.logic.pace import TRIES_MAX
from apps.alerts.logic.rules import Facts, Happening, IncidentFact, judge
from apps.alerts.models import AlertRecord, Delivery
from apps.alerts.services import facts as reading
from apps.alerts.services.alerts import alert_acknowledge, alerts_apply, alerts_prune
from apps.alerts.services.deliveries import (
    CLAIM_MAX,
    deliveries_make,
    deliveries_send,
    delivery_retry,
    delivery_send,
)
from apps.alerts.watcher import look
from apps.discovery.models import Pair
from apps.domain.config import Alerts
from apps.domain.errors import Category, Recovery
from apps.domain.events import EventKind
from apps.state.models import Event, Heartbeat, Incident
from apps.state.services.engine import engine_resume, killswitch_pull
from apps.state.services.incidents import Severity, incident_open, incident_resolve
from apps.state.services.relay import relay_once
from tests import factories as f
from tests.alerts.fakes import Service

pytestmark = pytest.mark.django_db

INCIDENT = IncidentFact(
    number=3, key="bug/x", code="BUG", title="It broke", detail="", remedy="Mend", trace_id=""
)
STANDS, OVER = Facts(incidents=(INCIDENT,)), Facts(incidents=())


def whale(number: int = 4) -> Facts:
    item = Happening(
        rule="whale", position=1, summary="whales have sold", subject=f"pair:{number}", trace_id="", at_ms=1
    )
    return Facts(happenings=(item,))


def told(way: str = "webhook", **config: Any) -> None:
    deliveries_make(config=Alerts(**config), ways=(way,))


def raise_of(facts: Facts) -> None:
    alerts_apply(judge(facts, Alerts()))


# -- raised and over ------------------------------------------------------------------------


def test_condition_that_stands_then_one_alert_and_over_by_itself_with_both_told():
    for _ in range(3):
        raise_of(STANDS)
        told()
    row = AlertRecord.objects.get()
    assert (row.count, row.severity, row.resolved_at) == (1, "critical", None)
    raise_of(OVER)
    told()
    told()
    row.refresh_from_db()
    assert row.resolved_by == "engine"
    assert list(Delivery.objects.order_by("pk").values_list("kind", "number")) == [
        ("raised", 1),
        ("resolved", 2),
    ]
    states = [
        item.payload["state"]
        for item in Event.objects.filter(kind=EventKind.ALERT_CHANGED.value).order_by("id")
    ]
    assert states == ["raised", "resolved"]


def test_fact_that_could_not_be_read_then_the_alert_stands():
    raise_of(STANDS)
    raise_of(Facts())
    assert AlertRecord.objects.get().resolved_at is None


def test_condition_that_comes_back_then_a_new_alert():
    for facts in (STANDS, OVER, STANDS):
        raise_of(facts)
    assert AlertRecord.objects.count() == 2
    assert AlertRecord.objects.filter(resolved_at=None).count() == 1


def test_happening_when_repeated_then_counted_and_told_again_after_the_window_only():
    raise_of(whale())
    told()
    raise_of(whale())
    told()
    assert Delivery.objects.count() == 1
    AlertRecord.objects.update(told_at=timezone.now() - timedelta(seconds=901))
    told()
    newest = Delivery.objects.get(number=2)
    assert (AlertRecord.objects.get().count, newest.notice["count"]) == (2, 2)


def test_happenings_when_many_come_then_one_message_names_them_together():
    raise_of(whale(1))
    told()
    for number in (2, 3, 4):
        raise_of(whale(number))
    told()
    assert Delivery.objects.count() == 1
    AlertRecord.objects.filter(told_at__isnull=False).update(told_at=timezone.now() - timedelta(hours=1))
    told()
    assert Delivery.objects.count() == 2
    assert ". 2 more: " in Delivery.objects.latest("pk").notice["text"]
    assert not AlertRecord.objects.filter(told_at=None).exists()


def test_happening_when_quiet_for_long_then_over_without_a_word():
    raise_of(whale())
    told()
    AlertRecord.objects.update(last_at=timezone.now() - timedelta(hours=2))
    raise_of(Facts())
    told()
    assert AlertRecord.objects.get().resolved_at is not None
    assert Delivery.objects.count() == 1


def test_only_worth_knowing_when_switched_off_then_on_the_page_alone():
    raise_of(whale())
    told(send_info=False)
    assert Delivery.objects.count() == 0
    assert AlertRecord.objects.get().told_at is not None


def test_acknowledged_then_recorded_with_who_and_not_told_any_more():
    raise_of(whale())
    row = AlertRecord.objects.get()
    assert alert_acknowledge(alert_id=row.pk, by="ada")
    assert not alert_acknowledge(alert_id=row.pk, by="bob")
    told()
    row.refresh_from_db()
    assert (row.acknowledged_by, Delivery.objects.count()) == ("ada", 0)
    assert Event.objects.latest("id").actor == "ada"


def test_old_alerts_when_over_then_deleted_and_open_ones_kept():
    long_ago = timezone.now() - timedelta(days=100)
    f.DeliveryFactory(alert=f.AlertRecordFactory(resolved_at=long_ago))
    f.AlertRecordFactory(last_at=long_ago)
    assert alerts_prune() == 2
    assert AlertRecord.objects.get().resolved_at is None


# -- sent -----------------------------------------------------------------------------------


def test_each_way_when_all_is_well_then_sent_once_in_its_shape(ways: None, service: Service):
    raise_of(STANDS)
    deliveries_make(config=Alerts(), ways=wiring.configured())
    for _ in range(2):
        for name in wiring.configured():
            deliveries_send(wiring.transport(name))
    assert set(Delivery.objects.values_list("status", "attempts")) == {("sent", 1)}
    by_path = {request.path: request for request in service.requests}
    assert len(service.requests) == 3
    telegram = next(item for path, item in by_path.items() if path.endswith("/sendMessage"))
    assert (telegram.fields["chat_id"], telegram.fields["parse_mode"]) == (41, "HTML")
    discord = by_path["/discord/1/secret?wait=true"]
    assert discord.fields["allowed_mentions"] == {"parse": []}
    [letter] = mail.outbox
    assert letter.subject == "[SANDBOX] It broke"
    assert letter.to == ["me@example.org"]
    hook = by_path["/hook"]
    signed = hmac.new(
        b"s3cret", hook.headers["X-Dexsniper-Timestamp"].encode() + b"." + hook.body, hashlib.sha256
    )
    assert hook.headers["X-Dexsniper-Signature"] == f"sha256={signed.hexdigest()}"
    number = Delivery.objects.get(transport="webhook").pk
    assert (hook.fields["id"], hook.headers["X-Dexsniper-Delivery"]) == (number, str(number))
    assert hook.fields["simulated"] is True


def test_way_when_it_is_busy_then_tried_again_no_sooner_than_it_asks(ways: None, service: Service):
    row = f.DeliveryFactory(transport="telegram")
    refusal = {
        "ok": False,
        "error_code": 429,
        "description": "Too Many Requests",
        "parameters": {"retry_after": 77},
    }
    service.faults = [(429, refusal, {})]
    deliveries_send(wiring.transport("telegram"))
    row.refresh_from_db()
    assert row.status == "waiting"
    assert timedelta(seconds=70) < row.next_try_at - timezone.now() < timedelta(seconds=80)
    assert deliveries_send(wiring.transport("telegram")) == 0
    Delivery.objects.update(next_try_at=timezone.now())
    assert deliveries_send(wiring.transport("telegram")) == 1


def test_way_when_it_never_answers_then_failed_shown_and_sent_on_a_persons_word(ways: None, service: Service):
    row = f.DeliveryFactory(transport="webhook")
    service.faults = [(503, {}, {})] * TRIES_MAX
    for _ in range(TRIES_MAX + 2):
        Delivery.objects.update(next_try_at=timezone.now())
        deliveries_send(wiring.transport("webhook"))
    row.refresh_from_db()
    assert (row.status, row.attempts, len(service.requests)) == ("failed", TRIES_MAX, TRIES_MAX)
    assert "status 503" in row.error
    assert Incident.objects.get(resolved_at=None).dedup_key == "alerts/webhook"
    assert delivery_retry(delivery_id=row.pk)
    assert deliveries_send(wiring.transport("webhook")) == 1
    assert not Incident.objects.filter(resolved_at=None).exists()
    assert not delivery_retry(delivery_id=row.pk)


@pytest.mark.parametrize("way", ["telegram", "discord", "webhook"])
def test_way_when_it_refuses_for_good_then_failed_at_once_and_no_key_is_told(ways, service, way, caplog):
    row = f.DeliveryFactory(transport=way)
    service.faults = [(404, {"ok": False, "description": "chat not found", "message": "Unknown Webhook"}, {})]
    with caplog.at_level(logging.DEBUG, logger="apps"):
        deliveries_send(wiring.transport(way))
    row.refresh_from_db()
    assert (row.status, row.attempts) == ("failed", 1)
    texts = (
        row.error + caplog.text + str(Incident.objects.values_list("title", "detail", "remedy", "context"))
    )
    assert "AAfake" not in texts
    assert "/discord/1/secret" not in texts


def test_way_when_nobody_listens_then_waits_and_no_address_is_told(ways: None, settings: Any):
    settings.ENV = replace(settings.ENV, alert_webhook="http://127.0.0.1:9/hook-with-key")
    row = f.DeliveryFactory(transport="webhook")
    deliveries_send(wiring.transport("webhook"))
    row.refresh_from_db()
    assert row.status == "waiting"
    assert "hook-with-key" not in row.error


def test_process_that_died_while_sending_then_another_sends_it_and_a_fresh_claim_is_left(ways, service):
    row = f.DeliveryFactory(transport="webhook", status="sending", claimed_at=timezone.now())
    assert deliveries_send(wiring.transport("webhook")) == 0
    Delivery.objects.update(claimed_at=timezone.now() - CLAIM_MAX - timedelta(seconds=1))
    assert deliveries_send(wiring.transport("webhook")) == 1
    assert not delivery_send(row.pk, wiring.transport("webhook"))
    assert len(service.requests) == 1


def test_telegram_when_nobody_is_paired_then_waits(ways: None, service: Service, settings: Any):
    settings.ENV = replace(settings.ENV, alert_telegram_chat="")
    row = f.DeliveryFactory(transport="telegram")
    deliveries_send(wiring.transport("telegram"))
    row.refresh_from_db()
    assert row.status == "waiting"
    assert "paired" in row.error
    f.BotBindingFactory(chat_id=41)
    Delivery.objects.update(next_try_at=timezone.now())
    assert deliveries_send(wiring.transport("telegram")) == 1


# -- a test of a way, from the command line -------------------------------------------------


def test_test_of_a_way_then_said_how_it_went(ways: None, service: Service):
    out = StringIO()
    call_command("alerts", "test", "webhook", "--json", stdout=out)
    assert json.loads(out.getvalue())["status"] == "sent"
    service.faults = [(503, {}, {})]
    with pytest.raises(CommandError, match="did not get through"):
        call_command("alerts", "test", "webhook", stdout=out)
    assert Delivery.objects.filter(status="failed").count() == 1
    assert Incident.objects.count() == 0


def test_test_of_a_way_when_it_is_not_configured_then_says_where_to_look():
    with pytest.raises(CommandError, match=r"docs/alerts\.md"):
        call_command("alerts", "test", "discord")


# -- facts from rows ------------------------------------------------------------------------


def test_kill_switch_when_pulled_then_told_without_any_broker_and_over_when_resumed(installed, ways, service):
    killswitch_pull(by="ada", reason="drill", close_positions=False)
    look(reading.facts_quick(after=0, until=0, is_settled=False))
    deliveries_send(wiring.transport("webhook"))
    assert service.requests[-1].fields["rule"] == "emergency_stop"
    engine_resume(by="ada", reason="all well")
    look(reading.facts_quick(after=0, until=0, is_settled=False))
    deliveries_send(wiring.transport("webhook"))
    assert service.requests[-1].fields["kind"] == "resolved"


def test_incident_when_critical_then_told_and_over_with_it(installed: None):
    severities: tuple[Severity, ...] = ("warning", "critical")
    for severity in severities:
        incident_open(
            code="X",
            category=Category.SYSTEM,
            recovery=Recovery.SKIP,
            severity=severity,
            title=f"A {severity} thing",
            dedup_key=severity,
        )
    look(reading.facts_quick(after=0, until=0, is_settled=False))
    assert [row.title for row in AlertRecord.objects.all()] == ["A critical thing"]
    incident_resolve(dedup_key="critical")
    look(reading.facts_quick(after=0, until=0, is_settled=False))
    assert AlertRecord.objects.get().resolved_at is not None


def test_happenings_then_each_line_of_the_log_is_told_once_and_history_is_no_news(installed: None):
    f.EventFactory(kind=EventKind.WHALE_ACTIVITY_ALERT.value, subject="pair:1", summary="old")
    relay_once()
    assert reading.cursor() == reading.log_end()
    f.EventFactory(kind=EventKind.MARKET_REGIME_CHANGE.value, subject="market:ETH", summary="It rises")
    relay_once()
    for _ in range(2):
        after, until = reading.cursor(), reading.log_end()
        facts = reading.facts_quick(after=after, until=until, is_settled=False)
        look(facts)
        reading.cursor_advance(reading.read_until(facts.happenings, after=after, until=until))
    row = AlertRecord.objects.get()
    assert (row.rule, row.count, row.title) == ("regime", 1, "Market regime: It rises")


def test_component_when_silent_then_told_but_not_right_after_a_start(installed: None):
    f.HeartbeatFactory(component="listener", beat_at=timezone.now() - timedelta(seconds=50), stale_after_s=10)
    f.HeartbeatFactory(component="gone", beat_at=timezone.now() - timedelta(days=2))
    assert reading.facts_quick(after=0, until=0, is_settled=False).sockets is None
    sockets = reading.facts_quick(after=0, until=0, is_settled=True).sockets
    assert sockets is not None
    assert [item.name for item in sockets] == ["listener"]
    [signal] = judge(Facts(sockets=sockets), Alerts()).signals
    assert signal.title == "listener gave no sign of life for more than 30 s"
    assert Heartbeat.objects.count() == 2


def test_slow_facts_when_nothing_happened_yet_then_all_are_read_and_nothing_is_told(installed: None):
    facts = reading.facts_slow(config=Alerts(), is_settled=True)
    assert (facts.execution is None, facts.gas, facts.feeds) == (False, (), ())
    assert facts.equity is None
    assert facts.volume is not None
    assert judge(facts, Alerts()).signals == ()


def test_slow_facts_when_the_worth_fell_and_orders_failed_then_told(installed: None):
    now = timezone.now()
    for minutes, cash in ((50, 100), (20, 900), (0, 600)):
        f.EquityPointFactory(
            at=now - timedelta(minutes=minutes), cash_usd_micros=cash * 10**6, positions_usd_micros=0
        )
    f.FeedSightingFactory(source="dexscreener", last_seen_at=now - timedelta(minutes=10))
    f.OrderFactory.create_batch(2, status="reverted", status_at=now)
    facts = reading.facts_slow(config=Alerts(), is_settled=True)
    assert facts.equity is not None
    assert facts.equity.high_usd_micros == 900 * 10**6
    rules = {signal.rule for signal in judge(facts, Alerts(execution_orders_min=2)).signals}
    assert rules == {"drawdown", "feed", "execution"}
    assert [item.name for item in facts.feeds or ()] == ["dexscreener"]


def test_slow_facts_when_a_wallet_is_nearly_empty_then_told(installed: None):
    chain = f.ChainFactory(name="Base")
    f.EndpointFactory(chain=chain)
    wallet = f.WalletFactory(key="trader")
    f.AccountBalanceFactory(
        account=f"wallet:{wallet.key}", chain_key=chain.key, token_address="native", balance_raw=10**15
    )
    snapshot = f.PoolSnapshotFactory(at=timezone.now(), quote_price_usd_micros=2_000 * 10**6)
    Pair.objects.filter(pk=snapshot.pair_id).update(chain_key=chain.key)
    [fact] = reading.facts_slow(config=Alerts(), is_settled=True).gas or ()
    assert fact.worth_usd_micros == 2 * 10**6


def test_web_server_when_it_answers_then_how_fast_and_when_not_then_said(service: Service):
    answered = reading.web_answer(service.url).answered_ms
    assert answered is not None
    assert answered < 5_000
    assert reading.web_answer("http://127.0.0.1:9").answered_ms is None
