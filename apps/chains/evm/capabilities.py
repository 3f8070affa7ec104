"""What an endpoint can do: asked when it is added, at start, hourly and by the doctor, and kept on its row.

Providers differ, and their documents are wrong: each capability is tried with a request whose right answer is known.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from apps.chains.evm import parse, simulate_local
from apps.chains.evm.client import EndpointConfig, EvmClient, RpcFault
from apps.chains.evm.jsonrpc import Request
from apps.chains.evm.subscribe import subscription_check
from apps.chains.evm.transport import parse_address
from apps.domain.errors import BadDataError, EndpointLyingError, NetworkError, SniperError
from apps.domain.market import BlockRef

PROBE_TIMEOUT_S = 6.0
#: An address that nobody has: code is put there by an override and must answer 42.
_PROBE_ADDRESS = "0x00000000000000000000000000000000d5c0ffee"
_PROBE_CODE = "0x602a60005260206000f3"  # PUSH 42, MSTORE at 0, RETURN 32 bytes
_PROBE_ANSWER = 42
_MS = 1_000


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointReport:
    """How one endpoint answered. ``fault`` "" means usable; then ``head`` is its newest block.

    ``capabilities`` holds what was tried; a capability that could not be tried is absent.
    """

    label: str
    fault: str
    remedy: str
    head: BlockRef | None = None
    head_age_ms: int | None = None
    latency_ms: int | None = None
    capabilities: Mapping[str, bool] = field(default_factory=dict)
    notes: tuple[str, ...] = ()  # why a capability is missing, plain words

    @property
    def is_usable(self) -> bool:
        """Tell whether it serves our chain."""
        return not self.fault


def endpoint_probe(config: EndpointConfig, *, chain_id: int, genesis_hash: str = "") -> EndpointReport:
    """Return what an endpoint can do. Raises nothing of the network; not to be called inside an event loop."""
    label = ""
    try:
        label = parse_address(config.url_http).label
        client = _client(config, chain_id, genesis_hash, has_batch=False)
        client.call("eth_chainId", timeout_s=PROBE_TIMEOUT_S)  # the first one connects and proves the chain
        started = time.monotonic()
        head = parse.block_ref(
            client.call("eth_getBlockByNumber", ("latest", False), timeout_s=PROBE_TIMEOUT_S)
        )
        latency_ms = int((time.monotonic() - started) * _MS)
    except ValueError:
        return EndpointReport(
            label=label, fault="Its HTTP address cannot be used.", remedy="Give http(s)://host:port/path."
        )
    except SniperError as error:
        return EndpointReport(label=label, fault=str(error), remedy=error.remedy)
    try:
        has_batch = _has_batch(config, chain_id, genesis_hash)
        capabilities = _with_stand_in({"batch": has_batch} | _methods(client, head))
        notes = _subscriptions(config, chain_id, genesis_hash, capabilities)
    except SniperError as error:
        return EndpointReport(label=label, fault=str(error), remedy=error.remedy, head=head)
    finally:
        client.close()
    return EndpointReport(
        label=label,
        fault="",
        remedy="",
        head=head,
        head_age_ms=int(time.time() * _MS) - head.at_ms,
        latency_ms=latency_ms,
        capabilities=capabilities,
        notes=notes,
    )


def _client(config: EndpointConfig, chain_id: int, genesis_hash: str, *, has_batch: bool) -> EvmClient:
    # The probe asks everything, whatever was found before.
    asked = replace(config, capabilities={"batch": has_batch})
    return EvmClient([asked], chain_id=chain_id, genesis_hash=genesis_hash)


def _has_batch(config: EndpointConfig, chain_id: int, genesis_hash: str) -> bool:
    client = _client(config, chain_id, genesis_hash, has_batch=True)
    requests: list[Request] = [("eth_blockNumber", ())] * 3
    try:
        answers = client.batch(requests, timeout_s=PROBE_TIMEOUT_S)
    except (
        EndpointLyingError
    ):  # it serves our chain, as was just proven: what it does not understand is the batch
        return False
    finally:
        client.close()
    return not any(isinstance(answer, RpcFault) for answer in answers)


def _methods(client: EvmClient, head: BlockRef) -> dict[str, bool]:
    block = hex(head.number)
    override = {_PROBE_ADDRESS: {"code": _PROBE_CODE}}
    call = {"to": _PROBE_ADDRESS, "data": "0x"}
    simulated = {"stateOverrides": override, "calls": [call]}
    override_answer, simulate_answer, logs_answer, fees_answer = client.batch(
        [
            ("eth_call", (call, "latest", override)),
            ("eth_simulateV1", ({"blockStateCalls": [simulated, {"calls": [call]}]}, "latest")),
            ("eth_getLogs", ({"fromBlock": block, "toBlock": block, "topics": [["0x" + "00" * 32]]},)),
            ("eth_feeHistory", ("0x1", "latest", [50])),
        ],
        timeout_s=PROBE_TIMEOUT_S,
    )
    return {
        "state_override": _is_answer(override_answer),
        "simulate_v1": _is_simulated(simulate_answer),
        "logs": isinstance(logs_answer, list),
        "fee_history": isinstance(fees_answer, dict) and isinstance(fees_answer.get("baseFeePerGas"), list),
    }


def _with_stand_in(capabilities: dict[str, bool]) -> dict[str, bool]:
    """Add "local_evm" where the endpoint lacks a simulation: whether an EVM in our own process stands in for it."""
    if capabilities["state_override"] and capabilities["simulate_v1"]:
        return capabilities
    return capabilities | {"local_evm": simulate_local.is_available()}


def _is_answer(answer: Any) -> bool:
    try:
        return parse.hex_number(answer, "probe") == _PROBE_ANSWER
    except BadDataError:
        return False


def _is_simulated(answer: Any) -> bool:
    """Tell whether both simulated blocks ran the code that the first one put in place."""
    if not isinstance(answer, list) or len(answer) != 2:
        return False
    for block in answer:
        calls = block.get("calls") if isinstance(block, dict) else None
        if not isinstance(calls, list) or len(calls) != 1 or not isinstance(calls[0], dict):
            return False
        if not _is_answer(calls[0].get("returnData")):
            return False
    return True


def _subscriptions(
    config: EndpointConfig, chain_id: int, genesis_hash: str, capabilities: dict[str, bool]
) -> tuple[str, ...]:
    """Try a subscription where there is a WebSocket address; return what stands against it."""
    if not config.url_ws:
        return ()
    try:
        asyncio.run(subscription_check(config.url_ws, chain_id=chain_id, genesis_hash=genesis_hash))
    except NetworkError as error:
        capabilities["subscriptions"] = False
        return (str(error),)
    capabilities["subscriptions"] = True
    return ()
