"""The hosts that a person configured in rows: endpoints and relays."""

from __future__ import annotations

from apps.chains.models import Endpoint, Relay


def configured_addresses() -> list[str]:
    """Return the addresses of all endpoints and relays, of those switched off too: they are asked when they are checked."""
    endpoints = Endpoint.objects.values_list("url_http", "url_ws")
    return [*(url for pair in endpoints for url in pair), *Relay.objects.values_list("url", flat=True)]
