"""Keeps what was found out about endpoints."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from apps.chains.evm.capabilities import EndpointReport, endpoint_probe
from apps.chains.models import Endpoint
from apps.chains.selectors import endpoint_config
from apps.domain.errors import ConfigurationError

_FAULT_TEXT_MAX = 300


def endpoint_check(*, endpoint_id: int) -> EndpointReport:
    """Ask an endpoint what it is and can do, keep the findings on its row and return them.

    Not to be called inside a transaction or an event loop: it waits for the network.
    """
    row = Endpoint.objects.select_related("chain").get(pk=endpoint_id)
    if row.chain.chain_id is None:
        raise ConfigurationError(
            f"{row.chain} has no chain id.", remedy="Give the chain its id in the admin under Chains."
        )
    report = endpoint_probe(
        endpoint_config(row), chain_id=row.chain.chain_id, genesis_hash=row.chain.genesis_hash
    )
    changes: dict[str, Any] = {"checked_at": timezone.now(), "fault": report.fault[:_FAULT_TEXT_MAX]}
    if report.is_usable:
        changes["capabilities"] = dict(report.capabilities)
    Endpoint.objects.filter(pk=row.pk).update(**changes)
    return report


def endpoints_check(*, chain_key: str) -> tuple[EndpointReport, ...]:
    """Check all enabled endpoints of a chain, best first."""
    ids = Endpoint.objects.filter(chain__key=chain_key, enabled=True).values_list("pk", flat=True)
    return tuple(endpoint_check(endpoint_id=pk) for pk in list(ids))
