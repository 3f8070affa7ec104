"""By which ways a transaction goes out: private relays first, the public pool only where a person allows it."""

from __future__ import annotations

from collections.abc import Sequence

from apps.domain.config import Execution
from apps.domain.order import Side

#: The way that everybody sees.
PUBLIC = "public"


def may_leak(settings: Execution, *, side: Side) -> bool:
    """Tell whether an order may go to the public pool when relays fail."""
    return settings.relay_leak_public or (side == "sell" and settings.relay_leak_exits)


def ways_of(relays: Sequence[str], settings: Execution, *, side: Side, blocks_waited: int) -> tuple[str, ...]:
    """Return the ways to try at this send, in order, until one takes the transaction.

    ``blocks_waited`` is how long ago it was signed: each relay has its number of blocks before the next one's turn.
    """
    if not relays:
        return (PUBLIC,)
    turn = max(blocks_waited, 0) // settings.relay_blocks_max
    leaks = may_leak(settings, side=side)
    if leaks and turn >= _relays_used(relays, settings):
        return (PUBLIC,)
    tried = tuple(relays[:1])
    if settings.relay_try_others:
        first = turn % len(relays)
        tried = (*relays[first:], *relays[:first])
    return (*tried, PUBLIC) if leaks else tried


def are_relays_spent(relays: Sequence[str], settings: Execution, *, side: Side, blocks_waited: int) -> bool:
    """Tell whether every relay that may be used has left the transaction out and the public pool is no choice."""
    if not relays or may_leak(settings, side=side):
        return False
    return blocks_waited // settings.relay_blocks_max >= _relays_used(relays, settings)


def may_strangers_see(*, has_public_mempool: bool, has_relays: bool, settings: Execution) -> bool:
    """Tell whether strangers may see our entries before they are mined, so that sizes are bound by what they gain."""
    return has_public_mempool and (not has_relays or settings.relay_leak_public)


def _relays_used(relays: Sequence[str], settings: Execution) -> int:
    return len(relays) if settings.relay_try_others else 1
