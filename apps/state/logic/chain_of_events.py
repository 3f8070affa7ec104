"""The hash that chains each line of the log to the one before it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

#: The "previous hash" of the first line.
NO_HASH = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One line as it is hashed."""

    position: int
    kind: str
    at: datetime
    trace_id: str
    actor: str
    subject: str
    summary: str
    payload: Mapping[str, Any]
    previous_hash: str


def fields_of(line: EventLine) -> dict[str, Any]:
    """Return what is hashed, as plain JSON: time in UTC with microseconds."""
    return {
        "position": line.position,
        "kind": line.kind,
        "at": line.at.astimezone(UTC).isoformat(timespec="microseconds"),
        "trace_id": line.trace_id,
        "actor": line.actor,
        "subject": line.subject,
        "summary": line.summary,
        "payload": line.payload,
        "previous_hash": line.previous_hash,
    }


def hash_of(line: EventLine) -> str:
    """Return the line's hash."""
    return hash_of_fields(fields_of(line))


def hash_of_fields(fields: Mapping[str, Any]) -> str:
    """Return the SHA-256 over the canonical JSON: sorted keys, no spaces, ASCII."""
    canonical = json.dumps(fields, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


def fault_of(line: EventLine, *, stored_hash: str, expected_position: int, expected_previous: str) -> str:
    """Return what is wrong with a line at its place in the chain, in plain words, or ""."""
    if line.position != expected_position:
        return f"lines {expected_position} to {line.position - 1} are missing"
    if line.previous_hash != expected_previous:
        return "it does not follow the line before it: lines were exchanged, or their hashes were changed"
    if hash_of(line) != stored_hash:
        return "its content was changed after it was written"
    return ""
