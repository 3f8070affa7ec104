"""Sign-in, sessions, cookies, headers: what docs/security.md promises."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from axes.models import AccessAttempt
from django.conf import settings as running
from django.contrib.auth.hashers import make_password
from django.db.models import F
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.state.client_address import address_from_proxy
from apps.state.models import Event
from dexsniper import settings as real
from dexsniper.env import child_environment
from tests import factories as f
from tests import programs

PROXY_MIDDLEWARE = "apps.state.client_address.address_from_proxy"
GOOD = {"username": "ada", "password": "correct horse battery"}


@pytest.fixture
def ada(db) -> Any:
    return f.UserFactory(username="ada", admin=True)


def sign_in(client: Client, **changes: str) -> Any:
    return client.post(reverse("login"), GOOD | changes)


# -- passwords and lock-out -----------------------------------------------------------------


def test_passwords_when_stored_then_argon2(settings):
    settings.PASSWORD_HASHERS = real.PASSWORD_HASHERS
    assert make_password("correct horse battery").startswith("argon2$argon2id$")


def test_sign_in_when_refused_too_often_then_locked_out_told_and_recorded(ada, client):
    f.UserFactory(username="olga")
    for _ in range(running.AXES_FAILURE_LIMIT - 1):
        assert sign_in(client, password="wrong").status_code == 200
    locked = sign_in(client, password="wrong")
    assert locked.status_code == 429
    assert "Too many log-ins were refused" in locked.content.decode()
    assert sign_in(client).status_code == 429  # the right password comes too late
    event = Event.objects.filter(kind="login", summary__contains="locked out").first()
    assert event is not None
    assert event.actor == "ada"
    assert sign_in(Client(), username="olga").status_code == 302  # nobody else is kept out
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    assert sign_in(client).status_code == 302
    assert "wrong" not in str(list(Event.objects.values("summary", "payload")))


def test_sign_in_to_the_admin_when_refused_too_often_then_locked_out_too(ada, client):
    for _ in range(running.AXES_FAILURE_LIMIT):
        client.post("/admin/login/", GOOD | {"password": "wrong"})
    assert client.post("/admin/login/", GOOD).status_code == 429


def test_lock_when_tries_go_on_then_not_prolonged(ada, client):
    for _ in range(running.AXES_FAILURE_LIMIT):
        sign_in(client, password="wrong")
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=14))
    assert sign_in(client, password="wrong").status_code == 429
    AccessAttempt.objects.update(attempt_time=F("attempt_time") - timedelta(minutes=2))
    assert sign_in(client).status_code == 302


def test_lock_when_tries_go_on_then_recorded_once_for_each_cool_off(ada, client):
    def recorded() -> list[str]:
        return list(Event.objects.filter(kind="login").order_by("id").values_list("summary", flat=True))

    limit = running.AXES_FAILURE_LIMIT
    once = ["A log-in was refused"] * (limit - 1) + ["ada is locked out after too many refused log-ins"]
    for _ in range(limit + 5):
        sign_in(client, password="wrong")
    assert recorded() == once
    sign_in(client)  # the right password, too late
    assert recorded() == once
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=16))
    for number in range(limit + 5):  # another browser for each try
        client.post(reverse("login"), GOOD | {"password": "wrong"}, headers={"User-Agent": f"b{number}"})
    assert recorded() == once * 2


@pytest.fixture
def behind_proxy(settings: Any) -> None:
    settings.MIDDLEWARE = [PROXY_MIDDLEWARE, *settings.MIDDLEWARE]


def test_sign_in_behind_a_proxy_when_one_address_is_locked_then_another_is_not(ada, client, behind_proxy):
    headers: dict[str, str] = {}
    for number in range(running.AXES_FAILURE_LIMIT):  # the first address is the client's word
        headers = {"X-Forwarded-For": f"198.51.100.{number}, 203.0.113.9"}
        client.post(reverse("login"), GOOD | {"password": "wrong"}, headers=headers)
    assert client.post(reverse("login"), GOOD, headers=headers).status_code == 429
    addresses = Event.objects.filter(kind="login").values_list("payload__address", flat=True)
    assert set(addresses) == {"203.0.113.9"}
    own = {"X-Forwarded-For": "203.0.113.9, 192.0.2.4"}
    assert client.post(reverse("login"), GOOD, headers=own).status_code == 302


@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        (None, "127.0.0.1"),
        ("", "127.0.0.1"),
        ("unknown", "127.0.0.1"),
        ("203.0.113.9,", "127.0.0.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("127.0.0.1, fe80::1%eth0", "fe80::1"),
    ],
)
@pytest.mark.parametrize("is_async", [False, True])
def test_address_from_proxy_then_the_last_hop_where_it_is_one(
    rf, forwarded: str | None, address: str, is_async: bool
):
    request = rf.get("/", headers={} if forwarded is None else {"X-Forwarded-For": forwarded})
    if is_async:

        async def answer(request: HttpRequest) -> str:
            return request.META["REMOTE_ADDR"]

        assert async_to_sync(address_from_proxy(answer))(request) == address
    else:
        assert address_from_proxy(lambda request: request.META["REMOTE_ADDR"])(request) == address


# -- sessions -------------------------------------------------------------------------------


def test_session_when_signed_in_then_another_key_and_gone_when_signed_out(ada, client):
    session = client.session
    session["planted"] = True
    session.save()
    client.cookies[running.SESSION_COOKIE_NAME] = session.session_key
    sign_in(client)
    key = client.session.session_key
    assert key != session.session_key
    client.post(reverse("logout"))
    stale = Client()
    stale.cookies[running.SESSION_COOKIE_NAME] = key
    assert stale.get("/").status_code == 302


def test_session_when_the_password_changes_then_ends(ada, client):
    sign_in(client)
    ada.set_password("another horse battery")
    ada.save()
    assert client.get(reverse("dashboard:second_factor")).status_code == 302


# -- cookies and headers --------------------------------------------------------------------


def test_cookies_and_headers_when_a_page_is_shown_then_strict(ada, client):
    response = client.get(reverse("login"))
    policy = response["Content-Security-Policy"]
    assert "unsafe" not in policy
    for part in ("default-src 'self'", "script-src 'self'", "frame-ancestors 'none'", "object-src 'none'"):
        assert part in policy
    assert response["X-Frame-Options"] == "DENY"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    cookies = sign_in(client).cookies
    for name in (running.SESSION_COOKIE_NAME, running.CSRF_COOKIE_NAME):
        assert cookies[name]["httponly"]
        assert cookies[name]["samesite"] == "Lax"


def test_admin_when_shown_then_no_foreign_and_no_inline_script(ada, client):
    sign_in(client)
    policy = client.get("/admin/")["Content-Security-Policy"]
    scripts = next(part for part in policy.split(";") if "script-src" in part)
    assert scripts.split() == ["script-src", "'self'", "'unsafe-eval'"]
    assert "default-src 'self'" in policy


def test_configuration_behind_tls_when_checked_for_deployment_then_clean(tmp_path: Path):
    environment = child_environment(
        DEXSNIPER_DATA_DIR=str(tmp_path),
        DEXSNIPER_DATABASE_URL=f"sqlite:///{tmp_path / 'db.sqlite3'}",
        DEXSNIPER_TLS="true",
        DEXSNIPER_ALLOWED_HOSTS="sniper.example.org",
    )
    environment.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)  # browser tests of the same run need it
    program = (
        "import django; django.setup(); from django.core.management import call_command;"
        "call_command('check', deploy=True, fail_level='WARNING'); from django.conf import settings as s;"
        f"print(s.SESSION_COOKIE_SECURE, s.CSRF_TRUSTED_ORIGINS, {PROXY_MIDDLEWARE!r} in s.MIDDLEWARE)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        check=False,
        cwd=programs.ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "True ['https://sniper.example.org'] True"
    assert PROXY_MIDDLEWARE not in running.MIDDLEWARE  # without the switch nobody's word is taken
