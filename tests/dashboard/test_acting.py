"""What a person can do on the pages, and that it says how it went."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django import forms
from django.contrib.auth.models import Permission
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse

from apps.dashboard.config_form import ConfigForm
from apps.domain.config import TradingConfig
from apps.domain.engine import EngineStatus
from apps.domain.verdict import Gate
from apps.state.models import ConfigRevision, EngineState, Event, Incident
from apps.state.permissions import KILL
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.trading.models import Position
from tests.dashboard.conftest import client_of, person
from tests.factories import ConfigRevisionFactory, EngineStateFactory, IncidentFactory, UserFactory


def said(response: Any) -> str:
    """Return what the page will say."""
    return " ".join(str(message) for message in get_messages(response.wsgi_request))


@pytest.fixture
def engine(db) -> EngineState:
    ConfigRevisionFactory()
    return EngineStateFactory()


# -- the engine -----------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "status"), [("leave", "emergency_stopped"), ("close", "closing")])
def test_kill_switch_when_pulled_then_state_audit_and_word(operator, engine, kind, status):
    response = operator.post(
        reverse("dashboard:killswitch"), {"kind": kind, "reason": "rugs", "next": "/orders/"}
    )
    assert response["Location"] == "/orders/"
    assert engine_view().status.value == status
    assert engine_view().reason == "rugs"
    assert "Kill switch pulled in" in said(response)
    assert Event.objects.filter(kind="engine_status", actor="olga").exists()


def test_kill_switch_when_it_shall_sell_and_the_person_may_not_trade_then_pulled_and_positions_left(engine):
    killer = person("viewer")
    killer.user_permissions.add(Permission.objects.get(codename=KILL.split(".")[1]))
    client = Client()
    client.force_login(killer)
    response = client.post(reverse("dashboard:killswitch"), {"kind": "close"})
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    assert "Positions were left as they are: selling needs the permission to trade" in said(response)


def test_kill_switch_when_pulled_without_a_reason_then_pulled_all_the_same(operator, engine):
    operator.post(reverse("dashboard:killswitch"), {"kind": "leave"})
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)", ""])
def test_way_back_when_it_is_not_ours_then_overview(operator, engine, target):
    response = operator.post(reverse("dashboard:killswitch"), {"kind": "leave", "next": target})
    assert response["Location"] == reverse("dashboard:overview")


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [("pause", "running", "paused"), ("stop", "running", "stopped"), ("start", "stopped", "running")],
)
def test_engine_when_operated_then_changed(operator, engine, action, before, after):
    EngineState.objects.update(status=before)
    operator.post(reverse("dashboard:engine_action"), {"action": action})
    assert engine_view().status.value == after


@pytest.mark.parametrize("action", ["start", "pause", "stop"])
def test_engine_when_resumed_after_a_kill_then_needs_a_reason(operator, engine, action):
    operator.post(reverse("dashboard:killswitch"), {"kind": "leave"})
    response = operator.post(reverse("dashboard:engine_action"), {"action": action})
    assert "a reason is needed" in said(response)
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    operator.post(reverse("dashboard:engine_action"), {"action": action, "reason": "endpoint exchanged"})
    assert engine_view().status is not EngineStatus.EMERGENCY_STOPPED


def test_engine_when_asked_for_something_else_then_refused_in_words(operator, engine):
    response = operator.post(reverse("dashboard:engine_action"), {"action": "explode"})
    assert "There is no such action. Use start, pause or stop." in said(response)


def test_engine_when_the_transition_is_refused_then_remedy_is_shown(operator, engine):
    operator.post(reverse("dashboard:killswitch"), {"kind": "close"})
    response = operator.post(reverse("dashboard:engine_action"), {"action": "start"})
    assert "Stop the engine" in said(response)


# -- positions and incidents ------------------------------------------------------------------


def test_position_when_closed_by_hand_then_asked_and_sale_waits_for_the_engine(operator, life):
    url = reverse("dashboard:position_close", args=[life["position"].pk])
    assert b"Sell everything now" in operator.get(url).content
    assert Position.objects.get(pk=life["position"].pk).ordered_tag == ""
    response = operator.post(url)
    assert "goes out with the next block" in said(response)
    assert Position.objects.get(pk=life["position"].pk).ordered_tag == "force_exit"
    EngineState.objects.update(status="stopped")
    assert "waits until the engine lets exits run" in said(operator.post(url))


def test_position_when_it_is_closed_already_then_said(operator, life):
    Position.objects.filter(pk=life["position"].pk).update(status="closed")
    assert "closed already" in said(
        operator.post(reverse("dashboard:position_close", args=[life["position"].pk]))
    )


def test_incident_when_resolved_with_a_reason_then_it_stands_in_the_log(operator, engine):
    incident = IncidentFactory(title="Chain is silent")
    url = reverse("dashboard:incident_resolve", args=[incident.pk])
    operator.post(url, {"reason": "endpoint exchanged"})
    event = Event.objects.get(kind="incident_closed")
    assert event.summary == "Resolved: Chain is silent (endpoint exchanged)"
    assert event.payload["reason"] == "endpoint exchanged"


def test_engine_when_started_stopped_or_paused_with_a_reason_then_it_is_kept(operator, engine):
    page = operator.get(reverse("dashboard:overview")).content.decode()
    for dialog in ("start-dialog", "pause-dialog", "stop-dialog"):
        assert f'<input id="{dialog}-reason" name="reason" maxlength="200" placeholder=' in page
    operator.post(reverse("dashboard:engine_action"), {"action": "pause", "reason": "going to bed"})
    assert engine_view().reason == "going to bed"


def test_incident_when_resolved_then_closed_with_the_name_and_only_once(operator, engine):
    incident = IncidentFactory()
    url = reverse("dashboard:incident_resolve", args=[incident.pk])
    assert "Resolved" in said(operator.post(url))
    assert Incident.objects.get().resolved_by == "olga"
    assert "Somebody has resolved it already." in said(operator.post(url))


# -- configuration ------------------------------------------------------------------------------


def values(**changes: str) -> dict[str, str]:
    """Return what a browser posts: the present values, with changes."""
    form = ConfigForm(active_config().config)
    given = {
        name: "" if value is None else str(value)
        for name, value in form.initial.items()
        if value is not False
    }
    return given | changes


def test_form_has_every_setting_with_help_unit_and_bounds():
    form = ConfigForm(TradingConfig())
    settings = [setting for group in form.groups for setting in group.settings]
    names = {setting.field.name for setting in settings}
    schema = TradingConfig().model_dump()
    assert names == {f"{section}__{name}" for section, items in schema.items() for name in items}
    for setting in settings:
        assert setting.field.help_text, setting.field.name
        says_itself = isinstance(
            setting.field.field, forms.BooleanField | forms.ChoiceField | forms.CharField
        )
        assert says_itself or setting.unit, setting.field.name
        assert says_itself or "at least" in setting.field.help_text or "more than" in setting.field.help_text


def test_gates_and_effects_then_they_are_chosen_by_their_words():
    form = ConfigForm(TradingConfig())
    gate, effect = form["gates__can_mint"], form["breakers__losses"]
    assert re.findall(r'value="(\w+)"', str(gate)) == ["veto", "warn", "off"]
    assert re.findall(r'value="(\w+)"', str(effect)) == ["pause", "shrink", "off"]
    assert '<option value="veto" selected>veto</option>' in str(gate)


def test_gate_when_it_is_loosened_then_the_words_stand_in_the_review_and_in_the_configuration(keeper, engine):
    data = values(gates__size_dependent="off")
    page = keeper.post(reverse("dashboard:config_review"), data).content.decode()
    assert '<td class="right muted">warn</td><td class="right"><b>off</b></td>' in page
    assert '<input type="hidden" name="gates__size_dependent" value="off">' in page
    keeper.post(
        reverse("dashboard:config_save"), data | {"revision": revision_number(), "reason": "too noisy"}
    )
    assert active_config().config.gates.size_dependent is Gate.OFF
    page = keeper.post(reverse("dashboard:config_check"), values(gates__can_mint="perhaps")).content.decode()
    assert "perhaps is not one of the available choices" in page


def test_form_when_sent_back_unchanged_then_no_change(engine):
    form = ConfigForm(active_config().config, values())
    assert form.is_valid(), form.errors
    assert form.changes == ()


def test_check_while_typing_says_what_would_change(keeper, engine):
    response = keeper.post(reverse("dashboard:config_check"), values(rules__sell_tax_max_bps="250"))
    text = response.content.decode()
    assert "Rules: sell tax max" in text
    assert "5.00%" in text
    assert "2.50%" in text


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("rules__sell_tax_max_bps", "-1", "greater than or equal to 0"),
        ("rules__sell_tax_max_bps", "20000", "less than or equal to 10000"),
        ("rules__sell_tax_max_bps", "a lot", "Enter a whole number"),
        ("limits__position_max_usd", "NaN", "Enter a number"),
        ("limits__position_max_usd", "0", "is not above 0"),
        ("limits__position_max_usd", "", "required"),
        ("limits__position_max_usd", "9" * 400, "less than or equal to 1000000"),
        ("limits__position_max_usd", "3", "position_min_usd is above"),
    ],
)
def test_value_when_it_is_senseless_then_said_at_its_field_and_nothing_saved(
    keeper, engine, name, value, words
):
    data = values(**{name: value})
    assert words in keeper.post(reverse("dashboard:config_check"), data).content.decode()
    response = keeper.post(reverse("dashboard:config_review"), data)
    assert response.status_code == 422
    assert words in response.content.decode()
    response = keeper.post(reverse("dashboard:config_save"), data | {"reason": "x", "revision": "1"})
    assert response.status_code == 422
    assert ConfigRevision.objects.count() == 1


def test_optional_stop_when_emptied_then_never(keeper, engine):
    data = values(exits__take_profit_bps="")
    assert "never" in keeper.post(reverse("dashboard:config_review"), data).content.decode()


def revision_number() -> str:
    return str(active_config().revision)


def test_change_when_reviewed_and_saved_then_new_revision_with_reason_and_diff(keeper, engine):
    data = values(entry__score_min_bps="6000", rules__owner_control_allowed="on")
    page = keeper.post(reverse("dashboard:config_review"), data).content.decode()
    assert "55.00%" in page
    assert "60.00%" in page
    assert ConfigRevision.objects.count() == 1
    data |= {"revision": revision_number(), "reason": "fewer but better"}
    response = keeper.post(reverse("dashboard:config_save"), data)
    assert "is active" in said(response)
    saved = ConfigRevision.objects.get(is_active=True)
    assert (saved.reason, saved.created_by) == ("fewer but better", "kai")
    assert active_config().config.entry.score_min_bps == 6_000
    assert active_config().config.rules.owner_control_allowed is True


def test_change_when_saved_without_a_reason_then_refused(keeper, engine):
    data = values(entry__score_min_bps="6000") | {"revision": revision_number(), "reason": " "}
    assert "A reason is needed" in said(keeper.post(reverse("dashboard:config_save"), data))
    assert ConfigRevision.objects.count() == 1


def test_change_when_somebody_else_saved_meanwhile_then_refused(keeper, engine):
    before = revision_number()
    data = values(entry__score_min_bps="6000") | {"reason": "a", "revision": before}
    keeper.post(reverse("dashboard:config_save"), data)
    data = values(entry__score_min_bps="7000") | {"reason": "b", "revision": before}
    assert "somebody else" in said(keeper.post(reverse("dashboard:config_save"), data))
    assert active_config().config.entry.score_min_bps == 6_000


def test_return_to_an_older_revision_shows_the_difference_and_makes_a_new_one(keeper, engine):
    first = int(revision_number())
    data = values(entry__score_min_bps="6000") | {"reason": "a", "revision": str(first)}
    keeper.post(reverse("dashboard:config_save"), data)
    url = reverse("dashboard:config_restore", args=[first])
    page = keeper.get(url).content.decode()
    assert f"Return to revision {first}?" in page
    response = keeper.post(url, {"reason": "it was better", "revision": revision_number()})
    assert "is active" in said(response)
    assert active_config().config.entry.score_min_bps == 5_500
    assert active_config().revision == first + 2


def test_return_to_a_revision_that_does_not_exist_then_not_found(keeper, engine):
    assert keeper.get(reverse("dashboard:config_restore", args=[77])).status_code == 404


def test_configuration_when_a_viewer_looks_then_fields_are_locked(engine):
    page = client_of("viewer").get(reverse("dashboard:configuration")).content.decode()
    assert '<fieldset class="stack" disabled>' in page
    assert "Review changes" not in page


def test_administrator_may_do_everything(engine, client):
    client.force_login(UserFactory(admin=True))
    assert client.post(reverse("dashboard:engine_action"), {"action": "pause"}).status_code == 302
    assert engine_view().status is EngineStatus.PAUSED
