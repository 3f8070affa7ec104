"""Visitors of the pages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from apps.dashboard.roles import OPERATOR, VIEWER
from tests.dashboard import market
from tests.factories import UserFactory


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path: Path) -> Path:
    """Give each test a data folder: the kill switch's latch outlives a rolled-back database."""
    settings.DATA_DIR = tmp_path
    return tmp_path


def client_of(*groups: str, **user: Any) -> Client:
    """Return a client that is signed in as somebody with these roles."""
    somebody = UserFactory(**user)
    somebody.groups.set(Group.objects.filter(name__in=groups))
    client = Client()
    client.force_login(somebody)
    return client


@pytest.fixture
def stranger(db) -> Client:
    return Client()


@pytest.fixture
def nobody(db) -> Client:
    """Somebody who can sign in and has no role."""
    return client_of()


@pytest.fixture
def viewer(db) -> Client:
    return client_of(VIEWER, username="vera")


@pytest.fixture
def operator(db) -> Client:
    return client_of(OPERATOR, username="olga")


@pytest.fixture
def life(db) -> dict[str, Any]:
    """A market with a bit of everything."""
    return market.life()
