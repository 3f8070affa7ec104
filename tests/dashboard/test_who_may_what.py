"""Every address there is, tried by those who may not: no page, act or row is open by mistake."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from apps.state.models import Event
from tests import factories as f
from tests.test_factories import FACTORIES

#: Open to everybody: the way in, the sign of life, and the shapes of messages, which show nothing.
OPEN = {"/login/", "/healthz", "/readyz", "/admin/login/", "/api/v1/schemas/"}
#: What a viewer may do to what is their own, and what only shows.
OWN = {
    "/logout/",
    "/admin/logout/",
    "/login/",
    "/admin/login/",
    "/second-factor/",
    "/second-factor/verify/",
    "/tokens/1/revoke/",
}
_ARGUMENTS = {
    "int": "1",
    "slug": "x",
    "str": "x",
    "path": "x",
    "uuid": "00000000-0000-0000-0000-000000000000",
}


def addresses() -> list[str]:
    """Return an address for every pattern of the whole site."""
    return sorted({f"/{path}" for path in _walk(get_resolver().url_patterns, "")})


def _walk(patterns: Any, before: str) -> Iterator[str]:
    for item in patterns:
        route = getattr(item.pattern, "_route", None)
        text = str(item.pattern) if route is None else str(route)
        path = before + _filled(text)
        if isinstance(item, URLResolver):
            yield from _walk(item.url_patterns, path)
        elif isinstance(item, URLPattern):
            yield path


def _filled(text: str) -> str:
    text = re.sub(r"<(?:(\w+):)?\w+>", lambda found: _ARGUMENTS.get(found[1] or "str", "x"), text)
    text = re.sub(
        r"\(\?P<\w+>[^()]*(?:\([^()]*\)[^()]*)*\)", "1", text
    )  # what the admin writes as expressions
    return text.replace("^", "").replace("$", "").replace("\\Z", "").replace("\\", "")


@pytest.fixture
def site(db) -> None:
    f.EngineStateFactory()
    f.ConfigRevisionFactory()


def is_turned_away(response: Any, path: str = "") -> bool:
    if response.status_code in (401, 403):
        return True
    if path.startswith("/api/") and response.status_code >= 400:
        return True  # it says what a request lacks before it says who may
    place = response.get("Location", "")
    return response.status_code in (301, 302) and ("/login/" in place)


def test_addresses_when_walked_then_all_kinds_are_among_them():
    found = addresses()
    assert len(found) > 100
    assert {"/", "/killswitch/", "/positions/1/close/", "/admin/", "/admin/auth/user/", "/audit/"} <= set(
        found
    )


def test_every_address_when_a_stranger_asks_then_turned_away(site):
    client = Client()
    let_in = []
    for path in addresses():
        for method in ("get", "post"):
            response = getattr(client, method)(path)
            if path not in OPEN and not is_turned_away(response, path):
                let_in.append((method, path, response.status_code))
    assert let_in == [], let_in


def test_every_act_when_a_viewer_tries_then_refused(site):
    user = f.UserFactory()
    user.groups.add(Group.objects.get(name="viewer"))
    before = Event.objects.latest("pk").pk
    done = []
    client = Client()
    for path in addresses():
        if path in OWN:
            continue
        client.force_login(user)
        response = client.post(path, {"action": "pause", "reason": "x", "kind": "leave"})
        if not is_turned_away(response, path) and response.status_code not in (404, 405, 422):
            done.append((path, response.status_code))
    assert done == [], done
    client.force_login(user)
    assert client.get(reverse("dashboard:audit")).status_code == 403
    changes = Event.objects.filter(pk__gt=before).exclude(kind="login")
    assert list(changes.values_list("summary", flat=True)) == []


def test_every_act_when_a_trader_tries_to_configure_then_refused(site):
    user = f.UserFactory()
    user.groups.add(Group.objects.get(name="trader"))
    client = Client()
    client.force_login(user)
    for name in ("config_save", "config_review", "config_check"):
        assert client.post(reverse(f"dashboard:{name}")).status_code == 403, name
    assert "/login/" in client.get("/admin/")["Location"]  # no staff


def test_every_row_in_the_admin_when_staff_may_only_look_then_nothing_changes(site):
    user = f.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="viewer"))
    client = Client()
    client.force_login(user)
    makers = {item._meta.model: item for item in FACTORIES}
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.post(reverse(f"{name}_add")).status_code == 403, name
        if model not in makers:
            continue
        row: Any = model._default_manager.first() or makers[model]()
        assert client.post(reverse(f"{name}_change", args=[row.pk]), {"x": "1"}).status_code == 403, name
        assert client.post(reverse(f"{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403, name
        assert model._default_manager.filter(pk=row.pk).exists(), name


def test_rights_of_oneself_when_staff_tries_to_raise_them_then_refused(site):
    user = f.UserFactory(is_staff=True)
    user.groups.add(Group.objects.get(name="trader"))
    client = Client()
    client.force_login(user)
    url = reverse("admin:auth_user_change", args=[user.pk])
    assert client.post(url, {"username": user.username, "is_superuser": "on"}).status_code == 403
    user.refresh_from_db()
    assert not user.is_superuser
