"""The admin: a configuration form generated from the schema, incidents to resolve, everything else to look at."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from apps.state.forms import SEPARATOR, initial_of
from apps.state.models import ConfigRevision, EngineState, Event, Incident
from apps.state.services.config import active_config
from apps.state.services.engine import installation_prepare
from tests.factories import EventFactory, IncidentFactory, UserFactory, WalletFactory

pytestmark = pytest.mark.django_db
ADD = "admin:state_configrevision_add"


@pytest.fixture
def admin() -> Client:
    installation_prepare(mode="sandbox")
    client = Client()
    client.force_login(UserFactory(admin=True), backend="django.contrib.auth.backends.ModelBackend")
    return client


def form_data(**changes: object) -> dict[str, object]:
    fields = {key: value for key, value in initial_of(active_config().config).items() if value is not None}
    data = {key: "on" if value is True else value for key, value in fields.items() if value is not False}
    return data | {"reason": "test"} | changes


def test_add_when_opened_then_shows_active_values_with_unit_and_bounds(admin: Client) -> None:
    page = admin.get(reverse(ADD)).content.decode()
    assert "Most that one position may cost. (more than 0 and at most 1,000,000 USD)" in page
    field = re.search(r'<input[^>]*name="limits__position_max_usd"[^>]*>', page)
    assert field is not None
    assert 'value="250"' in field[0]


def test_add_when_valid_then_new_revision_is_active_and_recorded(admin: Client) -> None:
    answer = admin.post(reverse(ADD), form_data(limits__position_max_usd="300.50", exits__take_profit_bps=""))
    assert answer.status_code == 302
    active = active_config()
    assert active.revision == 2
    assert active.config.limits.position_max_usd == Decimal("300.50")
    assert active.config.exits.take_profit_bps is None
    assert active.config.limits.open_positions_max == 60  # what was not touched stays
    event = Event.objects.get(payload__revision=2)
    assert event.payload["diff"] == {
        "exits.take_profit_bps": [5_000, None],
        "limits.position_max_usd": ["250", "300.50"],
    }
    assert event.actor.startswith("user")


def test_add_when_out_of_bounds_then_fault_stands_beside_its_field(admin: Client) -> None:
    answer = admin.post(
        reverse(ADD), form_data(limits__position_max_usd="0", rules__sell_tax_max_bps="10001")
    )
    assert answer.status_code == 200
    errors = answer.context["adminform"].form.errors
    assert set(errors) >= {f"rules{SEPARATOR}sell_tax_max_bps"}
    assert ConfigRevision.objects.count() == 1


def test_add_when_settings_contradict_then_says_which(admin: Client) -> None:
    answer = admin.post(reverse(ADD), form_data(limits__position_min_usd="400"))
    assert "limits.position_min_usd is above" in str(answer.context["adminform"].form.errors)


def test_pages_when_opened_then_answer(admin: Client) -> None:
    rows: list[Any] = [
        EventFactory(),
        IncidentFactory(),
        WalletFactory(),
        ConfigRevision.objects.get(),
        EngineState.objects.get(),
    ]
    for row in rows:
        label = f"{row._meta.app_label}_{row._meta.model_name}"
        assert admin.get(reverse(f"admin:{label}_changelist")).status_code == 200
        assert admin.get(reverse(f"admin:{label}_change", args=[row.pk])).status_code == 200
        assert admin.post(reverse(f"admin:{label}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403


def test_resolve_when_chosen_then_incident_is_closed_by_name(admin: Client) -> None:
    incident = IncidentFactory()
    admin.post(
        reverse("admin:state_incident_changelist"),
        {"action": "resolve", "_selected_action": [incident.pk]},
        follow=True,
    )
    assert Incident.objects.get().resolved_by.startswith("user")
    assert Event.objects.filter(kind="incident_closed").count() == 1


def test_wallet_when_sandbox_then_cannot_be_marked_live(admin: Client) -> None:
    wallet = WalletFactory()
    admin.post(reverse("admin:wallets_wallet_change", args=[wallet.pk]), {"is_live": "on"})
    wallet.refresh_from_db()
    assert not wallet.is_live
    assert not wallet.enabled
    assert Event.objects.filter(subject=f"wallet:{wallet.key}", payload__enabled=False).count() == 1


def test_log_in_when_right_or_wrong_then_recorded() -> None:
    UserFactory(username="ada", password="correct horse battery")
    client = Client()
    client.post(reverse("login"), {"username": "ada", "password": "wrong"})
    client.post(reverse("login"), {"username": "ada", "password": "correct horse battery", "next": "/admin/"})
    client.post(reverse("logout"))
    summaries = list(Event.objects.filter(kind="login").order_by("id").values_list("summary", flat=True))
    assert summaries == ["A log-in was refused", "ada logged in", "ada logged out"]
    assert Event.objects.get(kind="access_changed").summary == "User ada was created"
    assert "horse" not in str(list(Event.objects.values()))


def test_groups_when_installed_then_trader_may_act_and_viewer_may_look() -> None:
    from django.contrib.auth.models import Group

    viewer, trader, admin = UserFactory(), UserFactory(), UserFactory()
    viewer.groups.add(Group.objects.get(name="viewer"))
    trader.groups.add(Group.objects.get(name="trader"))
    admin.groups.add(Group.objects.get(name="admin"))
    assert not Group.objects.filter(name="operator").exists()
    acts = [
        "state.operate_engine",
        "state.pull_killswitch",
        "state.resume_engine",
        "trading.trade_manually",
        "state.change_incident",
    ]
    assert all(trader.has_perm(name) for name in acts)
    assert all(admin.has_perm(name) for name in (*acts, "state.add_configrevision", "auth.change_user"))
    assert not trader.has_perm("state.add_configrevision")
    assert not any(viewer.has_perm(name) for name in acts)
    assert viewer.has_perm("trading.view_order")
    assert not trader.has_perm("wallets.change_wallet")
    assert Event.objects.filter(summary__startswith="Rights were given").count() == 3
