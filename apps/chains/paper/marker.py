"""What stands in place of a signed transaction: a readable note that no chain would take."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from typing import Any

from eth_utils.crypto import keccak

from apps.domain.errors import BadDataError
from apps.domain.market import ChainProfile, DexProfile
from apps.domain.order import OrderIntent, Side, UnsignedTx
from apps.domain.ports import SwapBuilder

_BYTES_MAX = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSwap:
    """A swap to be filled on paper. ``deadline_s`` is the unix time after which it reverts."""

    pair_key: str
    side: Side
    amount_in_raw: int
    amount_out_min_raw: int
    deadline_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """An unsigned transaction as it was sent. ``swap`` is None for a cancellation."""

    order_id: str  # of the order that it belongs to
    owner: str
    nonce: int
    gas_limit: int
    max_fee_wei: int
    tip_wei: int
    swap: PaperSwap | None

    @property
    def max_cost_raw(self) -> int:
        """Return the most native units it may take: gas, and coins when it buys."""
        spent = self.swap.amount_in_raw if self.swap is not None and self.swap.side == "buy" else 0
        return self.gas_limit * self.max_fee_wei + spent


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperSwapBuilder:
    """Builds swaps on paper. Implements ``ports.SwapBuilder``; takes what the real builder takes.

    ``real`` builds what would be sent with a key, so that it can be tried upon the real market.
    """

    profile: ChainProfile
    dex: DexProfile
    real: SwapBuilder

    def approval(self, intent: OrderIntent, *, nonce: int, allowance_raw: int) -> UnsignedTx | None:
        """Return None: the gas of the approval is added to that of the sell."""
        return None

    def swap(self, intent: OrderIntent, *, nonce: int, recipient: str, deadline_s: int) -> UnsignedTx:
        """Return the swap, its particulars written out in ``data``; fees are filled in later, as for a real one."""
        swap = PaperSwap(
            pair_key=intent.pair_key,
            side=intent.side,
            amount_in_raw=intent.amount_in.raw,
            amount_out_min_raw=intent.amount_out_min.raw,
            deadline_s=deadline_s,
        )
        real = self.real.swap(intent, nonce=nonce, recipient=recipient, deadline_s=deadline_s)
        particulars = _texts(asdict(swap)) | {"calldata": real.data.hex()}
        return replace(real, data=json.dumps(particulars).encode())


def real_of(tx: UnsignedTx) -> UnsignedTx:
    """Return the swap that a paper swap stands for, as it would be signed with a key."""
    assert tx.purpose == "swap", tx.purpose
    return replace(tx, data=bytes.fromhex(json.loads(tx.data)["calldata"]))


def marker_encode(tx: UnsignedTx, *, owner: str, client_order_id: str) -> bytes:
    """Return the bytes that are stored and "sent". They begin with a word that is no transaction type."""
    assert tx.nonce is not None, tx.purpose
    fields: dict[str, Any] = {
        "paper": tx.chain_key,
        "order": client_order_id,
        "purpose": tx.purpose,
        "owner": owner.lower(),
        "nonce": str(tx.nonce),
        "gas_limit": str(tx.gas_limit),
        "max_fee_wei": str(tx.max_fee_wei),
        "tip_wei": str(tx.tip_wei),
        "swap": json.loads(tx.data) if tx.purpose == "swap" else None,
    }
    return json.dumps(fields, sort_keys=True).encode()


def marker_hash(payload: bytes) -> str:
    """Return the marker's hash, which stands for a transaction hash."""
    return "0x" + bytes(keccak(payload)).hex()


def marker_decode(payload: bytes) -> Marker:
    """Return what a marker says. Raises BadDataError for anything that is none."""
    if len(payload) > _BYTES_MAX:
        raise BadDataError("a paper transaction is too long", size=len(payload))
    try:
        fields = json.loads(payload)
        swap = fields["swap"]
        return Marker(
            order_id=str(fields["order"]),
            owner=str(fields["owner"]),
            nonce=int(fields["nonce"]),
            gas_limit=int(fields["gas_limit"]),
            max_fee_wei=int(fields["max_fee_wei"]),
            tip_wei=int(fields["tip_wei"]),
            swap=None
            if swap is None
            else PaperSwap(
                pair_key=str(swap["pair_key"]),
                side="buy" if swap["side"] == "buy" else "sell",
                amount_in_raw=int(swap["amount_in_raw"]),
                amount_out_min_raw=int(swap["amount_out_min_raw"]),
                deadline_s=int(swap["deadline_s"]),
            ),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadDataError("a paper transaction cannot be read", sample=repr(payload[:80])) from error


def _texts(fields: dict[str, Any]) -> dict[str, str]:
    """Return the values as text: JSON numbers lose digits elsewhere."""
    return {name: str(value) for name, value in fields.items()}
