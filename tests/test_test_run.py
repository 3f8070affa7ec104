"""The test run keeps its own promises."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection

from tests.conftest import NetworkBlockedError

BEYOND = "192.0.2.1"  # reserved for documentation: nobody's


def test_connect_when_address_is_beyond_loopback_then_refused():
    with socket.socket() as client, pytest.raises(NetworkBlockedError):
        client.connect((BEYOND, 80))


async def test_open_connection_when_address_is_beyond_loopback_then_refused():
    with pytest.raises(NetworkBlockedError):
        await asyncio.open_connection(BEYOND, 80)


def test_look_up_when_name_is_foreign_then_refused():
    with pytest.raises(NetworkBlockedError):
        socket.getaddrinfo("example.org", 443)


def test_connect_when_address_is_loopback_then_allowed():
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
        pass


def test_data_folder_is_never_that_of_a_running_system():
    assert Path(os.environ["DEXSNIPER_TEST_ROOT"]) in Path(settings.DATA_DIR).parents
    assert settings.CELERY_BROKER_URL == "memory://"


@pytest.mark.django_db
def test_database_is_the_one_that_the_stage_asked_for():
    asked = os.environ.get("DEXSNIPER_TEST_DATABASE_URL", "sqlite")
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)
    assert asked.startswith({"postgresql": "postgres", "sqlite": "sqlite"}[connection.vendor])


@pytest.mark.chain
def test_anvil_runs_without_node(anvil_path: Path):
    answer = subprocess.run([anvil_path, "--version"], env={}, capture_output=True, text=True, check=True)
    assert answer.stdout.startswith("anvil")
