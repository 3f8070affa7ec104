"""Callers of the API."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.cache import caches
from django.test import Client

from apps.api.services.tokens import token_create
from tests import factories as f
from tests.dashboard import market
from tests.dashboard.conftest import person

SCOPES = {
    "viewer": ("read",),
    "operator": ("read", "trade", "operate"),
    "keeper": ("read", "trade", "operate", "configure"),
}


class Bearer:
    """Speaks to the API with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(raise_request_exception=False)
        self.headers = {"Authorization": f"Bearer {token}"}

    def get(self, path: str, **query: Any) -> Any:
        """Ask."""
        return self.client.get(f"/api/v1{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, *, key: str | None = None, **headers: str) -> Any:
        """Do, with a new idempotency key unless one is given; "" sends none."""
        sent = {**self.headers, "Idempotency-Key": uuid.uuid4().hex if key is None else key, **headers}
        if key == "":
            del sent["Idempotency-Key"]
        return self.client.post(
            f"/api/v1{path}",
            data=json.dumps({} if body is None else body),
            content_type="application/json",
            headers=sent,
        )


def bearer_of(role: str, *, scopes: tuple[str, ...] = (), **fields: Any) -> Bearer:
    """Return somebody with this role (as on the pages) and a token with these scopes, all the role's by default."""
    somebody = person(role, **fields)
    scopes = scopes or SCOPES[role]
    return Bearer(token_create(user=somebody, name="test", scopes=scopes, by="test")[1])


@pytest.fixture
def ground(db, settings, tmp_path: Path) -> Path:
    """Give a data folder of its own, for the kill switch's latch, and no memory of earlier requests."""
    settings.DATA_DIR = tmp_path
    for cache in caches.all():
        cache.clear()
    return tmp_path


@pytest.fixture
def life(ground: Path) -> None:
    """A small market with a bit of everything."""
    market.installation()
    market.crowd(20)
    market.position(market.pair())
    market.position(market.pair(symbol="OLD", age_s=900), result_bps=5_200, closed="take_profit")
    f.IncidentFactory(title="Position 3 cannot be sold", severity="critical")
    f.HeartbeatFactory(component="listener")


@pytest.fixture
def keeper(life) -> Bearer:
    """Somebody who may do everything, with a token that may too."""
    return bearer_of("keeper", username="kai")
