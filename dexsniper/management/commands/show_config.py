"""Print the merged configuration with secrets hidden."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import Error as DatabaseFault

from apps.chains.models import Chain, Endpoint
from apps.domain.errors import SniperError
from apps.state.services.config import active_config

_HIDDEN, _NOT_SET = "(hidden)", "(not set)"
_NAME_WIDTH = 44


class Command(BaseCommand):
    """``manage.py show_config``."""

    help = "Print environment, active trading configuration and chains, with secrets hidden."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print all parts; one that cannot be read says why, and the others are printed."""
        merged = {"environment": _environment(), "trading": _trading(), "chains": _chains()}
        if options["json"]:
            self.stdout.write(json.dumps(merged))
            return
        for title, part in merged.items():
            self.stdout.write(self.style.MIGRATE_HEADING(title))
            for name, value in _flat(part):
                self.stdout.write(f"  {name:<{_NAME_WIDTH}} {value}")


def _environment() -> dict[str, Any]:
    """Return every variable's value; of secrets whether they are set, of addresses what is no secret."""
    shown: dict[str, Any] = {}
    for item in fields(settings.ENV):
        value = getattr(settings.ENV, item.name)
        if item.name.endswith("_url"):
            shown[item.name] = _address(value) if value else _NOT_SET
        elif not item.repr:
            shown[item.name] = _HIDDEN if value else _NOT_SET
        else:
            shown[item.name] = _plain(value)
    return shown


def _plain(value: Any) -> Any:
    if isinstance(value, (str, int, float)):  # a bool is an int
        return value
    if isinstance(value, tuple):
        return list(value)
    if isinstance(value, Mapping):
        return {key: str(item) for key, item in value.items()}
    return str(value)


def _trading() -> dict[str, Any]:
    try:
        active = active_config()
    except SniperError as error:
        return {"unavailable": f"{error} {error.remedy}".strip()}
    except DatabaseFault:
        return {"unavailable": "The database cannot be read: 'manage.py doctor' tells more."}
    return {"revision": active.revision, **active.config.model_dump(mode="json")}


def _chains() -> dict[str, Any]:
    try:
        rows = list(Chain.objects.prefetch_related("endpoints", "dexes").order_by("id"))
    except DatabaseFault:
        return {"unavailable": "The database cannot be read: 'manage.py doctor' tells more."}
    return {
        chain.key: {
            "name": chain.name,
            "enabled": chain.enabled,
            "endpoints": [_endpoint(endpoint) for endpoint in chain.endpoints.all()],
            "exchanges": [dex.name for dex in chain.dexes.all() if dex.enabled],
        }
        for chain in rows
    }


def _endpoint(row: Endpoint) -> str:
    addresses = " and ".join(_host(url) for url in (row.url_http, row.url_ws) if url)
    return addresses if row.enabled else f"{addresses} (off)"


def _address(url: str) -> str:
    """Return an address of our own services without user and password; the query may hold a password too."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _host(url: str) -> str:
    """Return scheme and host only: providers of chains put their keys into the path or the query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return _HIDDEN
    has_more = parts.path.strip("/") or parts.query
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" + ("/…" if has_more else "")


def _flat(part: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in part.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", ", ".join(map(str, value)) if isinstance(value, list) else value
