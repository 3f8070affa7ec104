"""How old the newest block of each chain is, and so whether what was read from it may be relied on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Max
from django.utils import timezone

from apps.chains.models import Chain
from apps.discovery.models import BlockHash

#: A head that is older than so many block times, and than so long, is stale.
_STALE_BLOCKS = 10
_STALE_MIN_MS = 15_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """The age of a chain's newest block. ``head_at_ms`` None: no block was read; ``reason`` says why."""

    key: str
    name: str
    head_at_ms: int | None
    stale_after_ms: int
    reason: str


def chain_heads() -> tuple[ChainHead, ...]:
    """Return the enabled chains with the age of their newest block, in a fixed order."""
    newest: dict[str, datetime] = dict(
        BlockHash.objects.values_list("chain_key").annotate(at=Max("at")).values_list("chain_key", "at")
    )
    return tuple(
        _head(chain, newest.get(chain.key)) for chain in Chain.objects.filter(enabled=True).order_by("id")
    )


def chains_not_followed() -> dict[str, str]:
    """Return the chains whose head is unknown or stale, with the reason: what was read from them is old."""
    now_ms = int(timezone.now().timestamp() * 1000)
    silent = {}
    for head in chain_heads():
        if head.head_at_ms is None:
            silent[head.key] = head.reason
        elif now_ms - head.head_at_ms > head.stale_after_ms:
            silent[head.key] = (
                f"the newest block of {head.name} is {(now_ms - head.head_at_ms) // 1000} s old"
            )
    return silent


def _head(chain: Chain, at: datetime | None) -> ChainHead:
    return ChainHead(
        key=chain.key,
        name=chain.name,
        head_at_ms=None if at is None else int(at.timestamp() * 1000),
        stale_after_ms=max(_STALE_MIN_MS, chain.block_time_ms * _STALE_BLOCKS),
        reason="" if at is not None else "the listener has read no block of it yet",
    )
