"""Triggers that hold the event log append-only in the database itself, whoever writes to it.

A line may be inserted without a number, and be given its number and hash once. Nothing else changes it and nothing
removes it; the head only moves on. Who owns the database can drop triggers, too: the chain of hashes tells then.
"""

from __future__ import annotations

from typing import Final

from django.db.backends.base.base import BaseDatabaseWrapper

_TABLE: Final = "state_event"
_HEAD: Final = "state_audithead"
#: What a line says: never changed, not even before it has its number.
_CONTENT: Final = ("id", "kind", "at", "trace_id", "actor", "subject", "summary", "payload")
_KEPT: Final = "the event log is append-only: a line is never changed or removed"
_FORWARD: Final = "the head of the event log only moves on"

_NAMES: Final = (
    "state_event_kept",
    "state_event_stamped_once",
    "state_audithead_kept",
    "state_audithead_forward",
)


def names(connection: BaseDatabaseWrapper) -> tuple[str, ...]:
    """Return the names of the triggers that belong into this database."""
    return (*_NAMES, "state_event_not_emptied") if connection.vendor == "postgresql" else _NAMES


def install(connection: BaseDatabaseWrapper) -> None:
    """Create the triggers, anew where they are there already."""
    remove(connection)
    statements = _POSTGRESQL if connection.vendor == "postgresql" else _SQLITE
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def remove(connection: BaseDatabaseWrapper) -> None:
    """Drop the triggers: before the table is rebuilt, or a test empties it."""
    with connection.cursor() as cursor:
        for name in names(connection):
            table = _HEAD if name.startswith(_HEAD) else _TABLE
            place = f" ON {table}" if connection.vendor == "postgresql" else ""
            cursor.execute(f"DROP TRIGGER IF EXISTS {name}{place}")


def installed(connection: BaseDatabaseWrapper) -> frozenset[str]:
    """Return which of the triggers are in force."""
    if connection.vendor == "postgresql":
        # "O" and "A" fire for ordinary writers, "D" and "R" do not.
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled IN ('O', 'A')"
    else:
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    with connection.cursor() as cursor:
        cursor.execute(query)
        return frozenset(name for (name,) in cursor.fetchall()) & frozenset(names(connection))


def _changed(operator: str) -> str:
    return " OR ".join(f"NEW.{column} {operator} OLD.{column}" for column in _CONTENT)


_SQLITE: Final[tuple[str, ...]] = (
    f"CREATE TRIGGER state_event_kept BEFORE DELETE ON {_TABLE} BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
    (
        f"CREATE TRIGGER state_event_stamped_once BEFORE UPDATE ON {_TABLE} "
        f"WHEN OLD.position IS NOT NULL OR {_changed('IS NOT')} "
        f"BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END"
    ),
    (
        f"CREATE TRIGGER state_audithead_kept BEFORE DELETE ON {_HEAD} "
        f"BEGIN SELECT RAISE(ABORT, '{_FORWARD}'); END"
    ),
    (
        f"CREATE TRIGGER state_audithead_forward BEFORE UPDATE ON {_HEAD} WHEN NEW.position <= OLD.position "
        f"BEGIN SELECT RAISE(ABORT, '{_FORWARD}'); END"
    ),
)

_POSTGRESQL: Final[tuple[str, ...]] = (
    (
        "CREATE OR REPLACE FUNCTION dexsniper_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ "
        "BEGIN RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'integrity_constraint_violation'; END $$"
    ),
    (
        f"CREATE TRIGGER state_event_kept BEFORE DELETE ON {_TABLE} "
        f"FOR EACH ROW EXECUTE FUNCTION dexsniper_refuse('{_KEPT}')"
    ),
    (
        f"CREATE TRIGGER state_event_stamped_once BEFORE UPDATE ON {_TABLE} FOR EACH ROW "
        f"WHEN (OLD.position IS NOT NULL OR {_changed('IS DISTINCT FROM')}) "
        f"EXECUTE FUNCTION dexsniper_refuse('{_KEPT}')"
    ),
    (
        f"CREATE TRIGGER state_event_not_emptied BEFORE TRUNCATE ON {_TABLE} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION dexsniper_refuse('{_KEPT}')"
    ),
    (
        f"CREATE TRIGGER state_audithead_kept BEFORE DELETE ON {_HEAD} "
        f"FOR EACH ROW EXECUTE FUNCTION dexsniper_refuse('{_FORWARD}')"
    ),
    (
        f"CREATE TRIGGER state_audithead_forward BEFORE UPDATE ON {_HEAD} FOR EACH ROW "
        f"WHEN (NEW.position <= OLD.position) EXECUTE FUNCTION dexsniper_refuse('{_FORWARD}')"
    ),
)
