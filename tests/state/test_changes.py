"""Whatever a person changes in rows of configuration stands in the log, field by field, with their name."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.chains.models import DexDeployment
from apps.state.models import Event
from tests.factories import ChainFactory, DexDeploymentFactory, EndpointFactory, UserFactory

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada(client: Client) -> Client:
    client.force_login(UserFactory(username="ada", admin=True))
    return client


def form_of(client: Client, url: str) -> dict[str, Any]:
    """Return an admin form's present values."""
    form = client.get(url).context["adminform"].form
    values = {name: form.get_initial_for_field(field, name) for name, field in form.fields.items()}
    return {name: value for name, value in values.items() if value is not None}


def test_row_when_changed_in_the_admin_then_recorded_field_by_field(ada: Client) -> None:
    dex: Any = DexDeploymentFactory(fee_bps=30)
    url = reverse("admin:chains_dexdeployment_change", args=[dex.pk])
    assert ada.post(url, form_of(ada, url) | {"fee_bps": 25}).status_code == 302
    event = Event.objects.get(kind="config_changed")
    assert event.actor == "ada"
    assert event.subject == f"dexdeployment:{dex.pk}"
    assert event.payload == {"diff": {"fee_bps": [30, 25]}}
    assert len(event.trace_id) == 32
    ada.post(reverse("admin:chains_dexdeployment_delete", args=[dex.pk]), {"post": "yes"})
    assert not DexDeployment.objects.exists()
    assert Event.objects.filter(kind="config_changed", summary__endswith="was removed", actor="ada").exists()


def test_endpoint_when_added_with_a_key_then_recorded_without_it(ada: Client) -> None:
    chain: Any = ChainFactory()
    key = "9aa3d95b3bc440fa88ea12eaa4456161"
    fields = {
        "chain": chain.pk,
        "url_http": f"http://127.0.0.1:9/v3/{key}",
        "weight": 1,
        "requests_per_s_max": 0,
    }
    ada.post(reverse("admin:chains_endpoint_add"), fields)
    event = Event.objects.filter(kind="config_changed").earliest("pk")
    assert event.payload["fields"]["url_http"] == "http://127.0.0.1:9/v3/***"
    assert key not in str(list(Event.objects.values("summary", "payload")))


def test_rows_when_the_system_notes_something_in_them_then_no_event() -> None:
    endpoint: Any = EndpointFactory()
    endpoint.fault = "does not answer"
    endpoint.save()
    assert not Event.objects.exists()


def test_person_when_changed_by_another_then_both_are_named(ada: Client) -> None:
    olga: Any = UserFactory(username="olga")
    olga.is_staff = True
    url = reverse("admin:auth_user_change", args=[olga.pk])
    values = form_of(ada, url)
    values |= {"is_staff": "on", "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    ada.post(url, values)
    event = Event.objects.filter(kind="access_changed", subject=f"user:{olga.pk}").latest("pk")
    assert (event.actor, event.payload["diff"]["is_staff"]) == ("ada", [False, True])
    assert "password" not in event.payload["diff"]
