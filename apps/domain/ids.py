"""Identifiers that travel the whole road."""

from __future__ import annotations

import uuid
from typing import NewType

TraceId = NewType("TraceId", str)  # 32 hex digits: one id from chain event to PnL
ChainKey = NewType("ChainKey", str)  # CAIP-2, e.g. "eip155:8453"
PairKey = NewType("PairKey", str)  # "<chain_key>/<pool address>", EVM addresses lower-case
WalletKey = NewType("WalletKey", str)
ClientOrderId = NewType("ClientOrderId", str)  # idempotency key of an order: decision + leg

_TRACE_SPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
#: The pseudo address under which a chain's own coin is booked.
NATIVE_ADDRESS = "native"


def trace_id_of(pair_key: PairKey, opportunity: int) -> TraceId:
    """Return the trace id of a pair's n-th opportunity: a pure function, so a replay yields the same id."""
    return TraceId(uuid.uuid5(_TRACE_SPACE, f"{pair_key}:{opportunity}").hex)


def pair_key_of(chain_key: ChainKey, pool_address: str) -> PairKey:
    """Return the key of a pool. EVM addresses are compared without case, Solana's exactly."""
    address = pool_address.lower() if chain_key.startswith("eip155:") else pool_address
    return PairKey(f"{chain_key}/{address}")


def client_order_id_of(trace_id: TraceId, decision_number: int, leg: str) -> ClientOrderId:
    """Return the idempotency key of one leg ("entry", "exit", "exit-2") of one decision."""
    return ClientOrderId(f"{trace_id}:{decision_number}:{leg}")
