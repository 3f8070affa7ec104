"""Watches open positions in the exits' lane: the look before the exits, the simulations after them."""

from __future__ import annotations

import threading

from apps.chains import selectors as chains
from apps.chains.evm.client import EvmClient
from apps.chains.evm.holdings import EvmHoldingReader
from apps.domain.holding import HoldingReader
from apps.domain.market import BlockRef
from apps.engine import context, road
from apps.trading.services.guard import GuardLook, guard_look, guard_simulate
from apps.trading.services.ports import ExecutionPorts

#: Simulations may take this share of a block's time, so that the next block's exits are not kept waiting.
_TIME_SHARE = 0.5
_TIME_MIN_S, _TIME_MAX_S = 0.5, 3.0
_lock = threading.Lock()
#: By chain, with the ports they were made for: ports that are built anew need a new one.
_readers: dict[str, tuple[ExecutionPorts, HoldingReader | None]] = {}


def positions_look(*, chain_key: str, ports: ExecutionPorts, head: BlockRef) -> GuardLook:
    """Look at a chain's positions and carry out the sales that are due; return what is to be simulated again."""
    found = guard_look(chain_key=chain_key, ports=ports, holdings=_reader(chain_key, ports), head=head)
    for order_id in found.order_ids:
        road.execute(order_id)
    return found


def positions_simulate(*, found: GuardLook, chain_key: str, ports: ExecutionPorts, head: BlockRef) -> None:
    """Simulate the sale of these positions again and carry out the sales that are due."""
    if not found.to_simulate:
        return
    share_s = ports.profile.block_time_ms / 1_000 * _TIME_SHARE
    for order_id in guard_simulate(
        position_ids=found.to_simulate,
        chain_key=chain_key,
        ports=ports,
        head=head,
        time_max_s=min(max(share_s, _TIME_MIN_S), _TIME_MAX_S),
        estimates_of=context.held,
    ):
        road.execute(order_id)


def _reader(chain_key: str, ports: ExecutionPorts) -> HoldingReader | None:
    with _lock:
        made_for, reader = _readers.get(chain_key, (None, None))
        if made_for is not ports:
            endpoints = chains.endpoint_configs(chain_key)
            is_evm = ports.profile.family == "evm" and endpoints
            reader = EvmHoldingReader(EvmClient.for_profile(ports.profile, endpoints)) if is_evm else None
            _readers[chain_key] = (ports, reader)
        return reader
