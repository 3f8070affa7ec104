"""Visitors of the pages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from hypothesis import settings as hypothesis_settings

from apps.dashboard.roles import CHANGE_CONFIGURATION, KILL, OPERATE, RESOLVE_INCIDENTS, RESUME, TRADE
from tests.dashboard import market
from tests.factories import UserFactory

# How long an example takes says more about what else runs on the machine.
hypothesis_settings.register_profile("patient", deadline=None)
hypothesis_settings.load_profile("patient")


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path: Path) -> Path:
    """Give each test a data folder: the kill switch's latch outlives a rolled-back database."""
    settings.DATA_DIR = tmp_path
    return tmp_path


#: What the groups of these names may do; a database that was flushed has no groups.
OPERATES = (KILL, OPERATE, RESUME, TRADE, RESOLVE_INCIDENTS)


def person(role: str = "", **fields: Any) -> Any:
    """Make a user who may look ("viewer"), operate too ("operator"), configure too ("keeper"), or nothing ("")."""
    user = UserFactory(**fields)
    if role:
        user.user_permissions.add(*Permission.objects.filter(codename__startswith="view_"))
    more = {"operator": OPERATES, "keeper": (*OPERATES, CHANGE_CONFIGURATION)}.get(role, ())
    names = [permission.split(".")[1] for permission in more]
    user.user_permissions.add(*Permission.objects.filter(codename__in=names))
    return user


def client_of(role: str = "", **fields: Any) -> Client:
    """Return a client that is signed in as such a user."""
    somebody = person(role, **fields)
    client = Client()
    client.force_login(somebody)
    return client


def session_end(user: Any, end: str) -> None:
    """End all sessions: "signed out", "ran out" or "password changed"."""
    if end == "signed out":
        Session.objects.all().delete()
    elif end == "ran out":
        Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))
    else:
        user.set_password("another horse battery")
        user.save()


@pytest.fixture
def stranger(db) -> Client:
    return Client()


@pytest.fixture
def nobody(db) -> Client:
    """Somebody who can sign in and has no role."""
    return client_of()


@pytest.fixture
def viewer(db) -> Client:
    return client_of("viewer", username="vera")


@pytest.fixture
def operator(db) -> Client:
    return client_of("operator", username="olga")


@pytest.fixture
def keeper(db) -> Client:
    return client_of("keeper", username="kai")


@pytest.fixture
def life(db) -> dict[str, Any]:
    """A market with a bit of everything."""
    return market.life()
