"""Asks private relays whether they are there; nothing is sent."""

from __future__ import annotations

import time
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.utils import timezone

from apps.chains.evm.client import EndpointConfig, EvmClient, RpcFaultError
from apps.chains.evm.jsonrpc import small_quantity
from apps.chains.evm.relay import RelayClient
from apps.chains.models import Relay
from apps.domain.errors import ConfigurationError, NetworkError

ASK_MAX_S = 5.0
#: These answer questions as nodes do, so that a relay of another chain shows.
_ANSWERING = frozenset({"flashbots_protect", "mev_blocker"})
_FAULT_TEXT_MAX = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class RelayReport:
    """What was found. ``label`` is host and port: addresses may hold keys. ``fault`` "": it is there."""

    label: str
    latency_ms: int | None  # None: no answer
    fault: str = ""
    remedy: str = ""


def relay_check(*, relay_id: int) -> RelayReport:
    """Ask a relay for its chain, keep a fault on its row and return what was found.

    Not to be called inside a transaction or an event loop: it waits for the network. Raises ConfigurationError.
    """
    row = Relay.objects.select_related("chain").get(pk=relay_id)
    if row.chain.chain_id is None:
        raise ConfigurationError(
            f"{row.chain} has no chain id.", remedy="Give the chain its id in the admin under Chains."
        )
    report = _asked(row, row.chain.chain_id)
    Relay.objects.filter(pk=row.pk).update(checked_at=timezone.now(), fault=report.fault[:_FAULT_TEXT_MAX])
    return report


def _asked(row: Relay, chain_id: int) -> RelayReport:
    label = urlsplit(row.url).netloc.rpartition("@")[2]
    client: EvmClient = RelayClient([EndpointConfig(url_http=row.url)], chain_id=chain_id)
    started = time.monotonic()
    try:
        found = small_quantity(client.call("eth_chainId", timeout_s=ASK_MAX_S))
    except RpcFaultError as error:  # it speaks, and takes transactions only
        found = None if row.kind in _ANSWERING else chain_id
        refusal = f": {error.fault.message}"
    except NetworkError as error:
        return RelayReport(
            label=label,
            latency_ms=None,
            fault=str(error),
            remedy="Correct its address in the admin under Relays, or switch it off there.",
        )
    else:
        refusal = ""
    finally:
        client.close()
    latency_ms = int((time.monotonic() - started) * 1_000)
    if found != chain_id:
        what = f"chain {found}" if found is not None else f"no chain that it would name{refusal}"
        return RelayReport(
            label=label,
            latency_ms=latency_ms,
            fault=f"serves {what}, not chain {chain_id}",
            remedy="Correct its address in the admin under Relays, or move it to the chain that it serves.",
        )
    return RelayReport(label=label, latency_ms=latency_ms)
