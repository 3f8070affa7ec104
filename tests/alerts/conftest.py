"""A service to tell to, and an installation that is set up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apps.state.services.engine import installation_prepare
from tests.alerts.fakes import TOKEN, Server, Service


@pytest.fixture
def service() -> Iterator[Service]:
    with Server() as found:
        yield found


@pytest.fixture
def installed(db: None, settings: Any, tmp_path: Path) -> None:
    """Set up a data folder of its own: the kill switch's latch outlives a rolled-back database."""
    settings.DATA_DIR = tmp_path
    installation_prepare(mode="sandbox")


@pytest.fixture
def ways(settings: Any, service: Service) -> None:
    """Configure every way to end at the local service."""
    settings.ENV = replace(
        settings.ENV,
        public_url="http://127.0.0.1:8001",
        alert_telegram_url=service.url,
        alert_telegram_token=TOKEN,
        alert_telegram_chat="41",
        alert_discord_webhook=f"{service.url}/discord/1/secret",
        alert_email_to=("me@example.org",),
        alert_email_from="sniper@example.org",
        alert_webhook=f"{service.url}/hook",
        alert_webhook_secret="s3cret",
    )
