"""What was bought in the first moments: by bundles (many wallets in one block) and by snipers (at once)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from apps.domain.entities import Entities, Trade
from apps.intelligence.logic.entities import by_block

#: Wallets that buy in the launch's first block together make a bundle. Source: Codex, Noesis (three to four and more).
BUNDLE_WALLETS_MIN: Final = 4
#: Whoever buys within so long of the first trade, or in the same block, is a sniper. Source: Codex (first 5 s).
SNIPED_WITHIN_MS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """The first moments of trade. Amounts are of the base token, as the pool paid them out.

    ``bundle`` are all who bought in the first block, empty when they are too few: independent rushers may be among them.
    ``clustered`` are those of them whom a reason joins to another of them beside the block itself.
    """

    buyers: int
    bundle: tuple[str, ...]
    bundled_raw: int
    clustered: tuple[str, ...]
    clustered_raw: int
    snipers: tuple[str, ...]
    sniper_entities: int
    sniped_raw: int
    evidence: tuple[str, ...]  # transactions of the bundle


def opening_of(
    trades: Sequence[Trade], entities: Entities, *, insiders: frozenset[str] = frozenset()
) -> Opening | None:
    """Return who bought first; None when nobody has bought. ``trades`` begin with the pool's first, in log order.

    ``insiders`` (the maker's side, ourselves) and what is nobody's wallet are left out.
    """
    buys = [
        trade
        for trade in trades
        if trade.side == "buy" and trade.address not in insiders and entities.is_wallet(trade.address)
    ]
    if not buys:
        return None
    first = trades[0]
    sniped = [
        trade for trade in buys if trade.block == first.block or trade.at_ms - first.at_ms <= SNIPED_WITHIN_MS
    ]
    together = by_block(sniped).get(first.block, [])
    wallets = dict.fromkeys(trade.address for trade in together)
    is_bundle = len(wallets) >= BUNDLE_WALLETS_MIN
    clustered = _clustered(wallets, entities) if is_bundle else ()
    snipers = tuple(dict.fromkeys(trade.address for trade in sniped))
    return Opening(
        buyers=len({trade.address for trade in buys}),
        bundle=tuple(wallets) if is_bundle else (),
        bundled_raw=sum(trade.base_raw for trade in together) if is_bundle else 0,
        clustered=clustered,
        clustered_raw=sum(trade.base_raw for trade in together if trade.address in clustered),
        snipers=snipers,
        sniper_entities=len(entities.keys_of(snipers)),
        sniped_raw=sum(trade.base_raw for trade in sniped),
        evidence=tuple(trade.tx_hash for trade in together) if is_bundle else (),
    )


def _clustered(wallets: Iterable[str], entities: Entities) -> tuple[str, ...]:
    """Return the wallets that belong to, or are suspected to belong to, the same person as another of them."""
    named = set(wallets)
    found: set[str] = set()
    groups = (
        *(entity.members for entity in entities.merged),
        *(reason.addresses for reason in entities.suspected),
    )
    for group in groups:
        own = named.intersection(group)
        if len(own) > 1:
            found |= own
    return tuple(sorted(found))
