"""What management commands share: who types, errors with remedies, answers as text or JSON."""

from __future__ import annotations

import getpass
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.domain.errors import SniperError


def console_user() -> str:
    """Return who types, for the log: "console:<user>"."""
    try:
        return f"console:{getpass.getuser()}"
    except (KeyError, OSError):  # a container's user may have no name
        return "console"


@contextmanager
def plain_errors() -> Iterator[None]:
    """Turn our errors into a command's, with the remedy on a line of its own."""
    try:
        yield
    except SniperError as error:
        text = f"{error}\n  remedy: {error.remedy}" if error.remedy else str(error)
        raise CommandError(text) from error


def answer(command: BaseCommand, *, as_json: bool, fields: dict[str, Any], text: str) -> None:
    """Print the fields as one JSON object, or the text for people."""
    command.stdout.write(json.dumps(fields, default=str) if as_json else text)
