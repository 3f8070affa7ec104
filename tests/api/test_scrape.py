"""``/metrics``: who may read it, that it keeps Prometheus's conventions, and that the dashboard asks for nothing else."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.auth.models import Permission
from django.urls import reverse
from django.utils import timezone
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from apps.api import scrape, streams_counts, web_beat
from apps.engine.metrics.families import DatabaseCollector
from apps.state.models import Heartbeat
from apps.trading.models import EquityPoint, FillRecord, Position
from tests import factories as f

pytestmark = pytest.mark.django_db
_DEPLOY = Path(settings.BASE_DIR) / "deploy"
_UNITS = ("_seconds", "_ratio", "_usd", "_total", "_info", "_bytes")
#: Metrics whose figure is a plain number of things.
_COUNTED = {
    "component_up",
    "chain_followed",
    "rpc_endpoint_up",
    "engine_status",
    "engine_epoch",
    "orders",
    "positions",
    "queue_depth",
    "incidents_open",
    "stage_passed_recently",
    "execution_ended_recently",
    "reconciliation_differences_open",
    "websocket_clients",
    "errors",
    "reconciliation_adjustments",
    "websocket_messages_sent",
    "websocket_refused",
    "websocket_resyncs",
    "websocket_closed_slow",
    "installation",
    "stage_duration_seconds_gcount",
    "stage_duration_seconds_gsum",
}


@pytest.fixture(autouse=True)
def afresh(monkeypatch) -> None:
    """Let no test see what another one's scrape kept."""
    registry = CollectorRegistry()
    registry.register(DatabaseCollector())
    monkeypatch.setattr(scrape, "_database", registry)


@pytest.fixture
def busy() -> None:
    """An installation with a bit of everything, so that every family has something to tell."""
    f.EngineStateFactory()
    fill: FillRecord = f.FillRecordFactory()
    fill.order.status_at = timezone.now()
    fill.order.save()
    decision = fill.order.decision
    decision.created_at = timezone.now()
    decision.save()
    Position.objects.update(status="closed")
    f.AccountBalanceFactory()
    EquityPoint.objects.create(
        at=timezone.now(), cash_usd_micros=5_000_000, positions_usd_micros=1_000_000, unpriced_positions=0
    )
    f.ConfigRevisionFactory()
    f.EndpointFactory()
    f.BlockHashFactory(at=timezone.now())
    web_beat.beat_once(None)
    for name in ("autotrade", "intelligence"):
        streams_counts.CLIENTS.labels(name)
        streams_counts.SENT.labels(name)
    streams_counts.REFUSED.labels("not_allowed")


def _text(client: Any, **headers: str) -> str:
    answer = client.get(reverse("metrics"), headers=headers)
    assert answer.status_code == 200, answer.content
    return answer.content.decode()


def _reader(client: Any) -> Any:
    user = f.UserFactory()
    user.user_permissions.add(Permission.objects.get(codename="view_event"))
    client.force_login(user)
    return client


def test_metrics_when_a_stranger_asks_then_refused_also_without_any_token_configured(client, settings):
    for token, given in (
        ("", ""),
        ("", "Bearer "),
        ("s3cret-token", "Bearer wrong"),
        ("s3cret-token", "s3cret-token"),
    ):
        settings.METRICS_TOKEN = token
        answer = client.get(reverse("metrics"), headers={"Authorization": given})
        assert answer.status_code == 401, (token, given)
    client.force_login(f.UserFactory())
    assert client.get(reverse("metrics")).status_code == 401, "signed in and without the permission"


def test_metrics_when_the_token_is_given_then_told(client, settings):
    settings.METRICS_TOKEN = "s3cret-token"
    text = _text(client, Authorization="Bearer s3cret-token")
    assert 'dexsniper_installation_info{mode="sandbox"} 1.0' in text
    assert "dexsniper_http_request_duration_seconds" in text
    assert "s3cret-token" not in text


def test_metrics_when_an_endpoint_has_a_key_in_its_address_then_the_key_is_not_told(client, busy):
    f.EndpointFactory(url_http="https://eth.example.org/v2/SECRETKEY?token=SECRETKEY")
    text = _text(_reader(client))
    assert 'host="eth.example.org"' in text
    assert "SECRETKEY" not in text


def test_metrics_when_parsed_then_names_have_our_prefix_and_end_with_their_unit(client, busy):
    families = list(text_string_to_metric_families(_text(_reader(client))))
    ours = [family for family in families if not family.name.startswith(("python_", "process_"))]
    assert len(ours) > 30
    for family in ours:
        assert family.name.startswith("dexsniper_"), family.name
        name = family.name.removeprefix("dexsniper_")
        assert name.endswith(_UNITS) or name in _COUNTED, family.name
        assert family.documentation


def test_dashboard_when_loaded_then_every_metric_that_it_asks_for_exists(client, busy):
    told = {
        sample.name
        for family in text_string_to_metric_families(_text(_reader(client)))
        for sample in family.samples
    }
    dashboard = json.loads((_DEPLOY / "grafana" / "dexsniper.json").read_text(encoding="utf-8"))
    asked = {
        name
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"dexsniper_\w+", target["expr"])
    }
    assert len(asked) > 30
    assert asked - told == set()
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(numbers) == len(set(numbers))


def test_prometheus_example_when_loaded_then_it_scrapes_our_address_with_the_token():
    (job,) = yaml.safe_load((_DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))[
        "scrape_configs"
    ]
    assert job["metrics_path"] == reverse("metrics")
    assert job["authorization"]["type"] == "Bearer"


# -- what the web server tells of itself --------------------------------------------------------
def test_web_when_it_beats_then_requests_and_sockets_are_told_and_stretches_go_on(client):
    client.get("/login/")
    stretches = web_beat.beat_once(None)
    assert web_beat.beat_once(stretches)[0][0] == stretches[0][0]
    web = Heartbeat.objects.get(component="web").details
    assert web["requests"] >= 1
    assert web["latency_ms_p95"] >= web["latency_ms_p50"] >= 0
    sockets = Heartbeat.objects.get(component="sockets")
    assert web_beat.beat_once(None) == tuple(map(tuple, sockets.details["up"])), "a restart goes on"


def test_sockets_when_the_log_cannot_be_read_then_silent_while_the_web_server_is_not(monkeypatch):
    monkeypatch.setattr(streams_counts, "reader_failing_s", lambda: 60.0)
    web_beat.beat_once(None)
    assert [row.component for row in Heartbeat.objects.all()] == ["web"]


def test_document_when_read_then_every_metric_of_ours_is_in_it(client, busy):
    text = (Path(settings.BASE_DIR) / "docs" / "metrics.md").read_text(encoding="utf-8")
    for family in text_string_to_metric_families(_text(_reader(client))):
        if family.name.startswith("dexsniper_"):
            name = family.name.removeprefix("dexsniper_")
            if not name.endswith(("_gcount", "_gsum")):
                total = "_total" if family.type == "counter" else "_info" if name == "installation" else ""
                assert f"`{name}{total}`" in text, name
