"""Tokens: shown once, kept as a digest, never more than their user, over when they are over."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse
from django.utils import timezone
from django_otp.plugins.otp_totp.models import TOTPDevice

from apps.api.models import ApiToken
from apps.api.scopes import SCOPES
from apps.api.services.tokens import token_create, token_found, token_revoke
from apps.domain.errors import ConfigurationError
from apps.state.models import Event
from apps.state.permissions import SecondFactorNeeded
from tests.api.conftest import Bearer, bearer_of
from tests.dashboard.conftest import client_of, person

STATUS = "/autotrade/status"


def test_token_when_made_then_only_its_digest_is_kept_and_the_log_tells(ground):
    row, token = token_create(user=person("viewer"), name="a script", scopes=["read"], by="vera", days=7)
    kept = json.dumps(ApiToken.objects.values().get(), default=str)
    assert token not in kept
    assert token.split("_", 2)[2] not in kept
    assert token_found(token) == row
    event = Event.objects.get(kind="access_changed", subject=f"api_token:{row.pk}")
    assert (event.actor, event.payload["scopes"]) == ("vera", ["read"])
    assert token.split("_", 2)[2] not in json.dumps(event.payload) + event.summary


@pytest.mark.parametrize(
    "presented", ["", "dxs_", "dxs_a_b", "xxx_12345678_y", "dxs_" + "a" * 200, "dxs_\x00_b", "a_b_c_d"]
)
def test_token_when_it_is_none_of_ours_then_opens_nothing(ground, presented: str):
    assert token_found(presented) is None


def test_token_when_one_sign_is_wrong_then_opens_nothing(ground):
    _, token = token_create(user=person("viewer"), name="a", scopes=["read"], by="vera")
    assert token_found(token[:-1] + ("A" if token[-1] != "A" else "B")) is None


@pytest.mark.parametrize("end", ["revoked", "expired", "user"])
def test_token_when_it_is_over_then_answered_401(life, end: str):
    somebody = person("viewer", username="vera")
    row, token = token_create(user=somebody, name="a", scopes=["read"], by="vera", days=1)
    bearer = Bearer(token)
    assert bearer.get(STATUS).status_code == 200
    if end == "revoked":
        assert token_revoke(token_id=row.pk, by="vera")
        assert not token_revoke(token_id=row.pk, by="vera")
    elif end == "expired":
        ApiToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    else:
        somebody.is_active = False
        somebody.save()
    assert bearer.get(STATUS).status_code == 401


def test_token_when_its_user_loses_a_right_then_loses_it_too(life):
    bearer = bearer_of("operator", username="olga")
    assert bearer.post("/autotrade/stop").status_code == 200
    ApiToken.objects.get().user.user_permissions.clear()
    answer = bearer.post("/autotrade/start")
    assert (answer.status_code, answer.json()["code"]) == (403, "FORBIDDEN")


def test_token_when_it_lacks_the_scope_then_403_though_its_user_may(life):
    bearer = bearer_of("keeper", scopes=("read",))
    for path in (
        "/autotrade/stop",
        "/autotrade/killswitch/pull",
        "/positions/1/close",
        "/orders/advanced/1/cancel",
    ):
        answer = bearer.post(path)
        assert answer.status_code == 403, path
        assert "scope" in answer.json()["detail"]
    assert bearer_of("keeper", scopes=("trade",)).get(STATUS).status_code == 403


def test_scope_when_its_user_may_nothing_of_it_then_no_token_is_made(ground):
    for scopes in (["trade"], ["read", "configure"], ["all"], []):
        with pytest.raises(ConfigurationError):
            token_create(user=person("viewer"), name="a", scopes=scopes, by="vera")
    assert not ApiToken.objects.exists()


def test_token_that_acts_when_the_second_factor_is_missing_then_not_made(ground):
    somebody = person("operator", username="olga")
    TOTPDevice.objects.create(user=somebody, name="phone", confirmed=True)
    with pytest.raises(SecondFactorNeeded):
        token_create(user=somebody, name="a", scopes=["read", "operate"], by="olga")
    assert token_create(user=somebody, name="a", scopes=["read"], by="olga")[0].is_vouched is False


def test_token_of_before_the_second_factor_when_one_is_set_up_then_acts_no_more_but_kills(life):
    bearer = bearer_of("operator", username="olga")
    assert bearer.post("/autotrade/stop").status_code == 200
    TOTPDevice.objects.create(user=ApiToken.objects.get().user, name="phone", confirmed=True)
    answer = bearer.post("/autotrade/start")
    assert (answer.status_code, answer.json()["code"]) == (403, "SECOND_FACTOR_NEEDED")
    assert bearer.post("/autotrade/killswitch/pull").status_code == 200


def test_use_of_a_token_when_it_was_just_used_then_not_written_again(life):
    bearer = bearer_of("viewer", scopes=("read",))
    bearer.get(STATUS)
    first = ApiToken.objects.get().last_used_at
    bearer.get(STATUS)
    assert first is not None
    assert ApiToken.objects.get().last_used_at == first


def test_command_when_it_makes_lists_and_revokes_then_says_so(life, capsys):
    person("operator", username="olga")
    call_command("api_token", "create", "olga", "cron", "--scope", "read", "--scope", "operate", "--json")
    made: dict[str, Any] = json.loads(capsys.readouterr().out)
    assert ApiToken.objects.get().is_vouched
    assert Bearer(made["token"]).get(STATUS).status_code == 200
    call_command("api_token", "list")
    listed = capsys.readouterr().out
    assert made["prefix"] in listed
    assert made["token"] not in listed
    call_command("api_token", "revoke", made["prefix"])
    assert Bearer(made["token"]).get(STATUS).status_code == 401
    with pytest.raises(CommandError):
        call_command("api_token", "revoke", made["prefix"])
    with pytest.raises(CommandError, match="no user named nobody"):
        call_command("api_token", "create", "nobody", "cron")


def test_page_when_a_token_is_made_then_shown_this_once_and_revoked_by_its_owner_alone(life):
    olga, vera = client_of("operator", username="olga"), client_of("viewer", username="vera")
    url = reverse("api:tokens")
    page = olga.post(url, {"name": "my script", "scopes": ["read", "trade"], "days": "30"})
    token = page.context["made"]
    assert token in page.content.decode()
    assert token not in olga.get(url).content.decode()
    assert Bearer(token).get(STATUS).status_code == 200
    row = ApiToken.objects.get()
    vera.post(reverse("api:token_revoke", args=[row.pk]))
    assert Bearer(token).get(STATUS).status_code == 200
    olga.post(reverse("api:token_revoke", args=[row.pk]))
    assert Bearer(token).get(STATUS).status_code == 401
    assert vera.post(url, {"name": "more", "scopes": ["trade"], "days": ""}).status_code == 422
    assert client_of().get(url).status_code == 403


def test_scopes_when_read_then_no_permission_stands_in_two():
    held = [permission for permissions in SCOPES.values() for permission in permissions]
    assert len(held) == len(set(held))
