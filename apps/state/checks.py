"""System checks: what would make a start senseless, told before it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004  # Django's name
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from apps.domain.errors import PlatformError
from apps.state.latch import latch_read
from apps.state.models import EngineState


def register_checks() -> None:
    """Register the checks. Those of the database run with `check --database default` and before `migrate`."""
    register(check_latch, Tags.security)
    register(check_database_mode, Tags.database)
    register(check_migrations, Tags.database)


def check_latch(app_configs: Any, **kwargs: Any) -> list[CheckMessage]:
    """Warn when the kill switch's latch cannot be read: everything stays shut then."""
    try:
        latch_read(settings.DATA_DIR)
    except PlatformError as error:
        return [Warning(str(error), hint=error.remedy, id="state.W001")]
    return []


def check_database_mode(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Refuse a database that another mode has stamped: figures of sandbox, paper and live must never mix."""
    if not databases:
        return []
    try:
        row = EngineState.objects.filter(pk=1).values_list("mode", flat=True).first()
    except DatabaseError:
        return []  # not migrated yet, or away: other checks tell
    if row is None or row == settings.ENV.mode:
        return []
    return [
        Error(
            f"The database belongs to the mode {row}, and the environment says {settings.ENV.mode}.",
            hint=f"Set DEXSNIPER_MODE={row}, or give the mode {settings.ENV.mode} a database of its own.",
            id="state.E001",
        )
    ]


def check_migrations(
    app_configs: Any, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Warn when the database is older than the code."""
    if not databases:
        return []
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        text = f"The database cannot be read: {error}"
        return [Warning(text, hint="Check DEXSNIPER_DATABASE_URL and the database.", id="state.W003")]
    if not waiting:
        return []
    text = f"{len(waiting)} migrations are not applied yet, the first is {waiting[0][0]}."
    return [Warning(text, hint="Run `manage.py migrate`; `make run` does it by itself.", id="state.W002")]
