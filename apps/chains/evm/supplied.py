"""Whom the creator's side gave tokens without selling them: they can sell like the creator himself."""

from __future__ import annotations

from collections.abc import Sequence

from apps.chains.evm import parse
from apps.domain.entities import TokenMove
from apps.domain.market import SuppliedHolder

#: Unpaid transfers that are kept, the newest ones.
MOVES_MAX = 2_000


def supplied_holders(
    *,
    transfers: Sequence[parse.Log],
    trades: frozenset[str],
    insiders: frozenset[str],
    pool: str,
    apart: frozenset[str],
    holders: Sequence[tuple[str, int]],
) -> tuple[SuppliedHolder, ...]:
    """Return the present holders who were given tokens, directly or through others, largest first.

    ``transfers`` are the token's Transfer logs in chain order. What moves in a transaction of ``trades`` (those with a swap
    of the pool), or in one in which the pool itself sends tokens, was paid for. Mints are gifts: whoever may mint decides
    who gets them. ``apart`` are contracts that tokens pass through, which give nothing. A presale paid elsewhere counts as
    a gift, too. All addresses but those of ``holders`` are lower case.
    """
    moves = [("0x" + log.topics[1][26:], "0x" + log.topics[2][26:], log.tx_hash) for log in transfers]
    paid = trades | {tx_hash for sender, _, tx_hash in moves if sender == pool}
    nobody = apart | {pool, *parse.BURN_ADDRESSES}
    gifts: dict[str, str] = {}
    for sender, recipient, tx_hash in moves:
        gives = sender in insiders or sender in gifts or sender == parse.ZERO_ADDRESS
        if gives and tx_hash not in paid and recipient not in nobody and recipient not in insiders:
            gifts.setdefault(recipient, tx_hash)
    return tuple(
        SuppliedHolder(address=address, balance_raw=balance, tx_hash=gifts[address.lower()])
        for address, balance in holders
        if address.lower() in gifts and balance > 0
    )


def unpaid_moves(
    transfers: Sequence[parse.Log], *, trades: frozenset[str], pool: str, apart: frozenset[str]
) -> tuple[TokenMove, ...]:
    """Return the transfers between people that no swap of the pool paid for, oldest first, the newest 2,000.

    Mints, burns and what passes through the contracts of ``apart`` are left out. Addresses are lower case.
    """
    paid = trades | {log.tx_hash for log in transfers if "0x" + log.topics[1][26:] == pool}
    nobody = apart | {pool, *parse.BURN_ADDRESSES}
    found: list[TokenMove] = []
    for log in reversed(transfers):
        source, target = "0x" + log.topics[1][26:], "0x" + log.topics[2][26:]
        if log.tx_hash in paid or source in nobody or target in nobody or source == target:
            continue
        found.append(
            TokenMove(
                at_ms=log.block_at_ms,
                block=log.block_number,
                tx_hash=log.tx_hash,
                log_index=log.log_index,
                source=source,
                target=target,
                base_raw=int.from_bytes(log.data, "big"),
            )
        )
        if len(found) == MOVES_MAX:
            break
    return tuple(reversed(found))
