"""Makes trades, transfers and first coins for tests of entities and whales."""

from __future__ import annotations

from typing import Literal

from apps.domain.entities import FundingLink, TokenMove, Trade

_ONE = 10**18


def trade(
    address: str,
    side: Literal["buy", "sell"],
    *,
    block: int,
    at: int = 0,
    base: int = 100,
    quote: int = _ONE,
    at_ms: int | None = None,
) -> Trade:
    """Return a swap; one block is one second."""
    return Trade(
        at_ms=block * 1_000 if at_ms is None else at_ms,
        block=block,
        tx_hash=f"0x{block}-{at}-{address}-{side}",
        log_index=at,
        address=address,
        side=side,
        base_raw=base,
        quote_raw=quote,
    )


def move(source: str, target: str, *, block: int, base: int = 100) -> TokenMove:
    """Return an unpaid transfer."""
    return TokenMove(
        at_ms=block * 1_000,
        block=block,
        tx_hash=f"0xmove{block}",
        log_index=0,
        source=source,
        target=target,
        base_raw=base,
    )


def link(
    source: str,
    target: str,
    *,
    at_s: int = 0,
    amount: int = _ONE,
    tx: str = "",
    is_hub: bool = False,
    paid: int = 1,
) -> FundingLink:
    """Return somebody's first coins."""
    return FundingLink(
        source=source,
        target=target,
        at_ms=at_s * 1_000,
        amount_raw=amount,
        block=at_s,
        tx_hash=tx or f"0x{source}{target}",
        is_hub=is_hub,
        paid_in_tx=paid,
    )
