"""What others may take of our tokens: the approvals that we signed, and what is left of them on chain."""

from __future__ import annotations

from dataclasses import dataclass

from apps.trading.models import TxAttempt
from apps.trading.services.ports import ExecutionPorts

#: Newest first; older ones were exact amounts that their sales used up.
APPROVALS_MAX = 200


#: approve(address,uint256), and the twelve zero bytes before an address.
APPROVE_SELECTOR = bytes.fromhex("095ea7b3")
ADDRESS_PADDING = bytes(12)
_ADDRESS_BYTES = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """What ``spender`` may take of a token of the wallet now."""

    chain_key: str
    wallet_key: str
    token_address: str
    symbol: str
    spender: str
    amount_raw: int


def allowances_compare(*, chain_key: str, wallet_key: str, ports: ExecutionPorts) -> tuple[Allowance, ...]:
    """Return what is left on chain of each approval that was mined, zeros included. Raises NetworkError."""
    rows = TxAttempt.objects.filter(
        chain_key=chain_key, wallet_key=wallet_key, purpose="approve", status="mined"
    ).select_related("order__pair__base")
    owner = ports.signer.address(wallet_key)
    found: dict[tuple[str, str], Allowance] = {}
    for row in rows.order_by("-id")[:APPROVALS_MAX]:
        pair = row.order.pair
        spender = spender_of(bytes(row.payload))
        if not spender or (pair.base.address, spender) in found:
            continue
        found[pair.base.address, spender] = Allowance(
            chain_key=chain_key,
            wallet_key=wallet_key,
            token_address=pair.base.address,
            symbol=pair.base.symbol,
            spender=spender,
            amount_raw=ports.reader.allowance(owner, spender, pair.base.address),
        )
    return tuple(found.values())


def spender_of(payload: bytes) -> str:
    """Return whom a stored approval's bytes name, in lower case; "" when they hold none."""
    place = payload.find(APPROVE_SELECTOR + ADDRESS_PADDING)
    if place < 0:
        return ""
    start = place + len(APPROVE_SELECTOR) + len(ADDRESS_PADDING)
    return "0x" + payload[start : start + _ADDRESS_BYTES].hex()
