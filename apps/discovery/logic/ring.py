"""The ring of recent block hashes: are we still on the chain that we have read, and if not, since where.

The last blocks of a chain are remembered with their hashes. A hash covers all blocks before it, so the remembered blocks
that are still part of the chain form an unbroken beginning of the ring: a binary search finds its end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise

from apps.domain.market import BlockRef

#: So many blocks are remembered for each chain: a reorganisation deeper than this is a reset.
RING_BLOCKS_MAX = 512


class Footing(Enum):
    """How the chain stands to what we have read of it."""

    UNBROKEN = "unbroken"  # our newest block is part of it: read on
    BEHIND = "behind"  # it ends below our newest block and agrees so far: wait, the endpoint lags or the chain was cut back
    FORKED = "forked"  # blocks above ``common`` were reorganised away: step back to it
    RESET = (
        "reset"  # nothing that we remember is part of it: another chain, or cut back further than we remember
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainCheck:
    """Where the chain and our reading of it part. ``common`` is None when nothing was read yet, and after a reset."""

    footing: Footing
    common: BlockRef | None
    detail: str = ""


def find_fork(
    ring: Sequence[BlockRef],
    fetch_hash: Callable[[int], str | None],
    *,
    head_number: int,
    genesis_hash: str = "",
) -> ChainCheck:
    """Return how the chain stands to the ring (ascending heights), in at most log2(ring) + 4 fetches.

    ``fetch_hash`` gives the chain's hash at a height, or None above its end. ``genesis_hash`` "" is not compared; a newest
    block that agrees proves everything before it, so the usual answer costs one fetch.
    """
    assert all(earlier.number < later.number for earlier, later in pairwise(ring)), "ring is unordered"

    def agrees(block: BlockRef) -> bool:
        found = fetch_hash(block.number) if block.number <= head_number else None
        return found is not None and found.lower() == block.hash.lower()

    if ring and agrees(ring[-1]):
        return ChainCheck(footing=Footing.UNBROKEN, common=ring[-1])
    if genesis_hash and (at_zero := fetch_hash(0)) is not None and at_zero.lower() != genesis_hash.lower():
        return ChainCheck(footing=Footing.RESET, common=None, detail="its first block is another one")
    if not ring:
        return ChainCheck(footing=Footing.UNBROKEN, common=None)
    newest, oldest = ring[-1], ring[0]
    if head_number < oldest.number:
        detail = f"it ends at block {head_number}, the oldest that we remember is {oldest.number}"
        return ChainCheck(footing=Footing.RESET, common=None, detail=detail)
    common = _last_agreeing(ring, agrees)
    if common is None:
        detail = f"none of its blocks {oldest.number} to {newest.number} is one that we remember"
        return ChainCheck(footing=Footing.RESET, common=None, detail=detail)
    first_missing = next(block for block in ring if block.number > common.number)
    if first_missing.number > head_number:
        detail = f"it ends at block {head_number}, we have read {newest.number}"
        return ChainCheck(footing=Footing.BEHIND, common=common, detail=detail)
    return ChainCheck(
        footing=Footing.FORKED, common=common, detail=f"blocks above {common.number} are other ones"
    )


def _last_agreeing(ring: Sequence[BlockRef], agrees: Callable[[BlockRef], bool]) -> BlockRef | None:
    low, high = 0, len(ring) - 1  # agreeing entries come first; the newest is known to disagree
    while low < high:
        middle = (low + high) // 2
        if agrees(ring[middle]):
            low = middle + 1
        else:
            high = middle
    return ring[low - 1] if low > 0 else None
