"""The second factor: set up, asked for before acting, never before stopping."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.contrib.messages import get_messages
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.alerts.models import BotBinding
from apps.api.models import ApiToken
from apps.api.services.tokens import token_create
from apps.domain.engine import EngineStatus
from apps.state.models import Event
from apps.state.permissions import GUARDED, KILL, LOOK, TRADE, SecondFactorNeeded, may, require
from apps.state.services.engine import engine_view
from apps.state.services.second_factor import vouch
from tests import factories as f
from tests.dashboard.conftest import client_of, person

PAGE = "dashboard:second_factor"
VERIFY = "dashboard:second_factor_verify"


@pytest.fixture
def live(settings) -> None:
    settings.ENV = replace(settings.ENV, mode="live")


@pytest.fixture
def engine(db) -> None:
    f.EngineStateFactory(mode="sandbox")
    f.ConfigRevisionFactory()


def code_of(device: TOTPDevice) -> str:
    """Return the device's code of now, as if none had been used or tried before."""
    TOTPDevice.objects.filter(pk=device.pk).update(last_t=-1, throttling_failure_count=0, drift=0)
    return f"{TOTP(device.bin_key).token():06d}"


def set_up(client: Client) -> tuple[TOTPDevice, list[str]]:
    """Set the second factor up on the pages and return its device and the recovery codes."""
    client.post(reverse(PAGE), {"action": "begin"})
    device = TOTPDevice.objects.get(confirmed=False)
    response = client.post(reverse(PAGE), {"action": "confirm", "code": code_of(device)})
    assert response.status_code == 200
    codes = re.findall(r"<li><code>([a-z2-7-]{19})</code>", response.content.decode())
    return device, codes


# -- setting it up --------------------------------------------------------------------------


def test_set_up_when_scanned_and_confirmed_then_codes_are_shown_once(operator, engine):
    page = operator.post(reverse(PAGE), {"action": "begin"}).content.decode()
    assert "<svg" in page
    assert "style=" not in page  # the content policy lets no inline style pass
    device = TOTPDevice.objects.get()
    wrong = operator.post(reverse(PAGE), {"action": "confirm", "code": "000000"})
    assert wrong.status_code == 422
    assert not TOTPDevice.objects.get().confirmed
    _, codes = (
        device,
        re.findall(
            r"<li><code>([a-z2-7-]{19})</code>",
            operator.post(reverse(PAGE), {"action": "confirm", "code": code_of(device)}).content.decode(),
        ),
    )
    assert len(set(codes)) == 10
    again = operator.get(reverse(PAGE))
    assert "no-store" in again["Cache-Control"]
    assert not any(code in again.content.decode() for code in codes)
    assert not StaticToken.objects.filter(token__in=codes).exists()  # only hashes are kept
    log = str(list(Event.objects.values()))
    assert "olga set up a second factor" in log
    assert not any(secret in log for secret in (device.key, *codes))


def test_set_up_when_there_is_one_already_then_refused(operator, engine):
    set_up(operator)
    assert operator.post(reverse(PAGE), {"action": "begin"}).status_code == 409
    assert TOTPDevice.objects.count() == 1


def test_removal_when_without_a_code_then_refused_and_with_one_then_gone(operator, engine):
    device, _ = set_up(operator)
    assert operator.post(reverse(PAGE), {"action": "remove", "code": "000000"}).status_code == 422
    assert operator.post(reverse(PAGE), {"action": "remove", "code": code_of(device)}).status_code == 302
    assert not TOTPDevice.objects.exists()
    assert not StaticDevice.objects.exists()


# -- giving it ------------------------------------------------------------------------------


def signed_in(user: Any) -> Client:
    """Sign in by the page, as a person does."""
    client = Client()
    answer = client.post(reverse("login"), {"username": user.username, "password": "correct horse battery"})
    assert answer.status_code == 302
    return client


def test_sign_in_when_a_factor_is_set_up_then_asked_for_it_and_the_session_key_changes(engine):
    user = person("operator", username="olga")
    device, _ = set_up(signed_in(user))
    client = Client()
    credentials = {"username": "olga", "password": "correct horse battery", "next": "/orders/"}
    response = client.post(reverse("login"), credentials)
    assert response["Location"] == f"{reverse(VERIFY)}?next=%2Forders%2F"
    key = client.session.session_key
    wrong = client.post(reverse(VERIFY), {"code": "123456", "next": "/orders/"})
    assert wrong.status_code == 422
    right = client.post(reverse(VERIFY), {"code": code_of(device), "next": "/orders/"})
    assert right["Location"] == "/orders/"
    assert client.session.session_key != key
    summaries = [item.summary for item in Event.objects.filter(kind="login", subject=f"user:{user.pk}")]
    assert "A second factor of olga was refused" in summaries
    assert "olga gave the second factor, a code" in summaries


def test_code_when_used_twice_or_guessed_quickly_then_refused(engine):
    user = person("operator", username="olga")
    device, _ = set_up(signed_in(user))
    client = signed_in(user)
    code = code_of(device)
    assert client.post(reverse(VERIFY), {"code": code}).status_code == 302
    assert client.post(reverse(VERIFY), {"code": code}).status_code == 422
    code = code_of(device)
    assert client.post(reverse(VERIFY), {"code": "000000"}).status_code == 422
    assert client.post(reverse(VERIFY), {"code": code}).status_code == 422  # right, and too soon


def test_recovery_code_when_used_then_lets_in_once(engine):
    user = person("operator", username="olga")
    _, codes = set_up(signed_in(user))
    client = signed_in(user)
    assert client.post(reverse(VERIFY), {"code": codes[3].upper()}).status_code == 302
    assert client.post(reverse(VERIFY), {"code": codes[3]}).status_code == 422
    assert StaticToken.objects.count() == 9


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_way_on_when_it_leads_elsewhere_then_the_overview(operator, engine, target):
    page = operator.get(f"{reverse(VERIFY)}?next={target}").content.decode()
    assert "evil.example" not in page
    assert "javascript:" not in page


# -- what it guards -------------------------------------------------------------------------


def test_acting_in_live_when_it_is_missing_then_asked_for_and_afterwards_done(operator, engine, live):
    start = operator.post(
        reverse("dashboard:engine_action"), {"action": "pause", "reason": "x"}, follow=False
    )
    assert start["Location"].startswith(reverse(PAGE))
    assert engine_view().status is EngineStatus.RUNNING
    set_up(operator)  # this session has given it thereby
    operator.post(reverse("dashboard:engine_action"), {"action": "pause", "reason": "x"})
    assert engine_view().status is EngineStatus.PAUSED


def test_acting_in_live_when_the_session_is_another_then_asked_again(engine, live):
    user = person("operator", username="olga")
    set_up(signed_in(user))
    other = signed_in(user)
    for url in (reverse("dashboard:engine_action"), reverse("dashboard:position_close", args=[1])):
        assert other.post(url, {"action": "stop"})["Location"].startswith(reverse(VERIFY)), url
    assert engine_view().status is EngineStatus.RUNNING


def test_kill_switch_in_live_when_it_is_missing_then_pulled_all_the_same(operator, engine, live):
    assert operator.get(reverse("dashboard:killswitch")).status_code == 200
    operator.post(reverse("dashboard:killswitch"), {"kind": "leave", "reason": "smoke"})
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    resume = operator.post(reverse("dashboard:engine_action"), {"action": "start", "reason": "fine"})
    assert resume["Location"].startswith(reverse(PAGE))
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED


def test_kill_switch_that_sells_when_it_is_missing_then_pulled_and_positions_left_until_given(
    operator, engine, live
):
    url = reverse("dashboard:killswitch")
    response = operator.post(url, {"kind": "close"})
    assert engine_view().status is EngineStatus.EMERGENCY_STOPPED
    words = " ".join(str(message) for message in get_messages(response.wsgi_request))
    assert "Positions were left as they are: selling needs your second factor" in words
    set_up(operator)
    operator.post(url, {"kind": "close"})
    assert engine_view().status is EngineStatus.CLOSING


def test_acting_elsewhere_when_none_is_set_up_then_not_asked_for(operator, engine):
    operator.post(reverse("dashboard:engine_action"), {"action": "pause", "reason": "x"})
    assert engine_view().status is EngineStatus.PAUSED


def test_admin_in_live_when_it_is_missing_then_asked_for(engine, live):
    client = client_of(admin=True)
    for name in ("index", "auth_user_changelist", "chains_endpoint_add"):
        assert client.get(reverse(f"admin:{name}"))["Location"].startswith(reverse(PAGE)), name
    set_up(client)
    assert client.get(reverse("admin:index")).status_code == 200


def test_devices_are_not_in_the_admin(engine):
    client = client_of(admin=True)
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404
    assert client.get("/admin/otp_static/staticdevice/").status_code == 404


def test_one_question_when_asked_then_held_and_given(db, live):
    olga, vera = person("keeper"), person("viewer")
    assert may(vera, LOOK)
    assert may(olga, LOOK)
    assert may(olga, KILL)
    assert KILL not in GUARDED
    assert not any(may(olga, permission) for permission in GUARDED)
    assert not may(AnonymousUser(), TRADE)
    with pytest.raises(SecondFactorNeeded):
        require(olga, TRADE)
    assert may(vouch(olga), TRADE)
    assert not may(vouch(vera), TRADE)


def test_removal_when_tokens_and_a_chat_stood_for_it_then_they_do_no_more(engine):
    user, other = person("operator", username="olga"), person("operator", username="otto")
    set_up(signed_in(user))
    mine, _ = token_create(user=vouch(user), name="a", scopes=["trade"], by="olga")
    theirs, _ = token_create(user=vouch(other), name="b", scopes=["trade"], by="otto")
    BotBinding.objects.create(user=user, chat_id=1, is_vouched=True, code_user=user, code_is_vouched=True)
    call_command("second_factor", "remove", "otto")  # who has none: nothing changes
    assert ApiToken.objects.filter(is_vouched=True).count() == 2
    call_command("second_factor", "remove", "olga")
    assert not ApiToken.objects.get(pk=mine.pk).is_vouched
    assert ApiToken.objects.get(pk=theirs.pk).is_vouched
    assert BotBinding.objects.values_list("is_vouched", "code_is_vouched").get() == (False, False)


def test_command_when_a_device_is_lost_then_taken_away_and_recorded(engine, capsys):
    user = person("operator", username="olga")
    set_up(signed_in(user))
    call_command("second_factor", "status")
    assert "olga: set up, 10 recovery codes left" in capsys.readouterr().out
    call_command("second_factor", "remove", "olga")
    assert not TOTPDevice.objects.exists()
    event = Event.objects.filter(kind="access_changed").latest("pk")
    assert event.summary == "olga has no second factor any more"
    assert event.actor.startswith("console")
