"""Print the merged configuration with secrets hidden."""

from __future__ import annotations

import json
from dataclasses import fields
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import DatabaseError

from apps.chains.models import Chain
from apps.domain.errors import SniperError
from apps.state.services.config import active_config
from dexsniper.logs import redact

_HIDDEN = "(hidden)"


class Command(BaseCommand):
    help = "Print environment, active trading configuration and chains, with secrets hidden."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print all parts."""
        merged = {"environment": _environment(), "trading": _trading(), "chains": _chains()}
        if options["json"]:
            self.stdout.write(json.dumps(merged))
            return
        for title, part in merged.items():
            self.stdout.write(self.style.MIGRATE_HEADING(title))
            for name, value in _flat(part):
                self.stdout.write(f"  {name:<44} {value}")


def _environment() -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for item in fields(settings.ENV):
        value = getattr(settings.ENV, item.name)
        if item.repr:
            shown[item.name] = list(value) if isinstance(value, tuple) else value
        elif item.name.endswith("_url"):
            shown[item.name] = redact(value)
        else:
            shown[item.name] = _HIDDEN if value else "(not set)"
        if not isinstance(shown[item.name], (str, int, float, bool, list)):
            shown[item.name] = str(shown[item.name])
    return shown


def _trading() -> dict[str, Any]:
    try:
        active = active_config()
    except (SniperError, DatabaseError) as error:
        return {"unavailable": str(error)}
    return {"revision": active.revision, **active.config.model_dump(mode="json")}


def _chains() -> dict[str, Any]:
    try:
        rows = list(Chain.objects.prefetch_related("endpoints", "dexes"))
    except DatabaseError:
        return {}
    return {
        chain.key: {
            "name": chain.name,
            "enabled": chain.enabled,
            "endpoints": [_without_key(endpoint.url_http) for endpoint in chain.endpoints.all()],
            "dexes": [dex.key for dex in chain.dexes.all() if dex.enabled],
        }
        for chain in rows
    }


def _without_key(url: str) -> str:
    """Return scheme and host only: providers put keys into the path."""
    scheme, _, rest = url.partition("://")
    host, slash, _ = rest.rpartition("@")[2].partition("/")
    return f"{scheme}://{host}" + ("/…" if slash else "")


def _flat(part: dict[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for name, value in part.items():
        if isinstance(value, dict):
            rows += _flat(value, f"{prefix}{name}.")
        else:
            rows.append((f"{prefix}{name}", value))
    return rows
