"""What every test gets: no network but loopback, marks that follow from what a test uses, no silent skip."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.apps import AppConfig, apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models.signals import post_migrate
from django.test import TransactionTestCase

from apps.state import append_only
from apps.state.kept import forget_all
from apps.state.models import Event
from tests import programs

_DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    """Let no test see an answer that another test's rows gave."""
    forget_all()


# -- no network but loopback ----------------------------------------------------------------


class NetworkBlockedError(RuntimeError):
    """A test reached for an address beyond this machine."""


def _is_local(host: object) -> bool:
    if host is None or host in ("", b"", "localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ipaddress.ip_address(text.split("%")[0]).is_loopback
    except ValueError:
        return False


def _refuse_beyond_loopback(family: int, address: Any) -> None:
    if family in (socket.AF_INET, socket.AF_INET6) and not _is_local(address[0]):
        raise NetworkBlockedError(f"tests may only reach loopback, not {address[0]}")


@pytest.fixture(autouse=True, scope="session")
def _loopback_only() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        connect, connect_ex, sendto = socket.socket.connect, socket.socket.connect_ex, socket.socket.sendto
        look_up = socket.getaddrinfo

        def guarded_connect(self: socket.socket, address: Any) -> None:
            _refuse_beyond_loopback(self.family, address)
            connect(self, address)

        def guarded_connect_ex(self: socket.socket, address: Any) -> int:
            _refuse_beyond_loopback(self.family, address)
            return connect_ex(self, address)

        def guarded_sendto(self: socket.socket, data: bytes, *rest: Any) -> int:
            _refuse_beyond_loopback(self.family, rest[-1])
            return sendto(self, data, *rest)

        def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
            if not _is_local(host):
                raise NetworkBlockedError(f"tests may only look up loopback names, not {host}")
            return look_up(host, *rest, **options)

        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket.socket, "sendto", guarded_sendto)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


# -- the log ---------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> frozenset[str]:
    """Take the log's triggers away, for tests empty the tables; return those that the migrations had made.

    Tests of the triggers put them up again in their own transactions; processes that tests start have them.
    """
    with django_db_blocker.unblock():
        found = append_only.installed(connection)
        append_only.remove(connection)
        _keep_groups()
    return found


def _keep_groups() -> None:
    """Put the roles back whenever a test has emptied the tables: an installation has them by its migrations."""
    rights = {
        group.name: list(group.permissions.values_list("content_type__app_label", "codename"))
        for group in Group.objects.all()
    }
    last = list(apps.get_app_configs())[-1]

    def restore(sender: AppConfig, **_: Any) -> None:
        if sender is last and not Group.objects.exists():
            for name, wanted in rights.items():
                chosen = [
                    Permission.objects.get(content_type__app_label=label, codename=code)
                    for label, code in wanted
                ]
                Group.objects.create(name=name).permissions.set(chosen)
            Event.objects.all().delete()  # that roles were made again is no part of any test

    post_migrate.connect(restore, weak=False)


# -- marks ----------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what touches the database, keep chain and browser tests on one worker, skip what cannot run here."""
    on_postgres = "postgresql" in settings.DATABASES["default"]["ENGINE"]
    for item in items:
        if _touches_database(item):
            item.add_marker("database")
        if item.get_closest_marker("postgres") and not on_postgres:
            item.add_marker(
                pytest.mark.skip(reason="speaks of PostgreSQL alone: `python -m tests.gate postgres`")
            )
        if item.get_closest_marker("chain"):
            item.add_marker(pytest.mark.xdist_group("chain"))
            if programs.find_anvil() is None:
                item.add_marker(pytest.mark.skip(reason=programs.ANVIL_MISSING))
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.xdist_group("browser"))
            if programs.find_chromium() is None:
                item.add_marker(pytest.mark.skip(reason=programs.CHROMIUM_MISSING))


def _touches_database(item: pytest.Item) -> bool:
    if item.get_closest_marker("django_db") is not None:
        return True
    case = getattr(item, "cls", None)
    if case is not None and issubclass(case, TransactionTestCase):
        return True
    return not _DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


# -- no silent skip --------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where DEXSNIPER_CI=1, a skipped test is a failed test, but for those marked ``real_amm``."""
    report = yield
    excused = item.get_closest_marker("real_amm") is not None or hasattr(report, "wasxfail")
    if report.skipped and not excused and _is_ci():
        _fail_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """A module that skips itself as a whole counts the same."""
    report = yield
    if report.skipped and _is_ci():
        _fail_skip(report)
    return report


def _fail_skip(report: pytest.TestReport | pytest.CollectReport) -> None:
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    report.outcome = "failed"
    report.longrepr = f"skipped, which this run does not allow: {reason}"


def _is_ci() -> bool:
    return os.environ.get("DEXSNIPER_CI") == "1"


def pytest_report_header() -> list[str]:
    """Say what this run stands on."""
    engine = settings.DATABASES["default"]["ENGINE"].rsplit(".", 1)[-1]
    return [
        f"database: {engine}, anvil: {programs.find_anvil() is not None}, chromium: {programs.find_chromium()}"
    ]


# -- programs --------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def chromium_path() -> Path:
    """Return the path of Chromium, for Playwright's ``executable_path``; skips where there is none."""
    path = programs.find_chromium()
    if path is None:
        pytest.skip(programs.CHROMIUM_MISSING)
    return path


@pytest.fixture(scope="session")
def anvil_path() -> Path:
    """Return the path of the native anvil; skips where there is none."""
    path = programs.find_anvil()
    if path is None:
        pytest.skip(programs.ANVIL_MISSING)
    return path
