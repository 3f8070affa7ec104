"""Database and broker."""

from __future__ import annotations

from collections.abc import Iterator

import redis
from django.conf import settings
from django.db import Error as DatabaseFault
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from apps.state.logic.redaction import redact
from dexsniper.env import Environment
from dexsniper.health.check import Check, fault, good, warning

_BROKER_TIMEOUT_S = 1.0


def database(env: Environment) -> Iterator[Check]:
    """Check that the database answers, can be written and is as new as the code."""
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseFault as error:
        yield fault(
            "database",
            "connection",
            redact(str(error)).strip().splitlines()[0],
            remedy="Start the database, or correct DEXSNIPER_DATABASE_URL.",
        )
        return
    yield good("database", "connection", connection.vendor)
    executor = MigrationExecutor(connection)
    waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if waiting:
        yield fault(
            "database",
            "migrations",
            f"{len(waiting)} wait, the first is {waiting[0][0]}",
            remedy="Run 'manage.py migrate', or start with 'make run', which does it.",
        )
    else:
        yield good("database", "migrations", "up to date")


def broker(env: Environment) -> Iterator[Check]:
    """Check that the broker answers. Without it everything goes on, more slowly: rows are the queue."""
    client = redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=_BROKER_TIMEOUT_S, socket_connect_timeout=_BROKER_TIMEOUT_S
    )
    try:
        client.ping()
    except redis.RedisError as error:
        remedy = "Check DEXSNIPER_REDIS_URL." if env.redis_url else "It runs while 'manage.py up' runs."
        yield warning("broker", "answer", f"no answer ({type(error).__name__})", remedy=remedy)
    else:
        yield good("broker", "answer", "external" if env.redis_url else "embedded Valkey")
    finally:
        client.close()
