"""Chains as the pages name them."""

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
class ChainLabel:
    """A chain's words: name, the key of the chain it stands for, its coin, its explorer."""

    key: str
    name: str
    profile: str
    native_symbol: str
    native_decimals: int
    explorer_url: str
    dexscreener_slug: str
    is_sandbox: bool

    def transaction_url(self, tx_hash: str) -> str:
        """Return the explorer's page of a transaction, "" when there is no explorer."""
        return f"{self.explorer_url.rstrip('/')}/tx/{tx_hash}" if self.explorer_url and tx_hash else ""

    def address_url(self, address: str) -> str:
        """Return the explorer's page of an address, "" when there is no explorer."""
        return f"{self.explorer_url.rstrip('/')}/address/{address}" if self.explorer_url and address else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainHead:
    """The age of a chain's newest block. ``head_at_ms`` None: no block was read; ``reason`` says why."""

    key: str
    name: str
    head_at_ms: int | None
    stale_after_ms: int
    reason: str


#: Real chains whose mark a sandbox chain borrows, by CAIP-2 key.
_PROFILES = {
    "eip155:1": "ethereum",
    "eip155:56": "bsc",
    "eip155:137": "polygon",
    "eip155:8453": "base",
    "eip155:42161": "arbitrum",
}


def chain_labels() -> dict[str, ChainLabel]:
    """Return every chain's words by its key."""
    return {chain.key: _label(chain) for chain in Chain.objects.order_by("id")}


def chain_label(labels: dict[str, ChainLabel], chain_key: str) -> ChainLabel:
    """Return a chain's words; a chain that was removed is named by its key."""
    return labels.get(chain_key) or ChainLabel(
        key=chain_key,
        name=chain_key,
        profile="",
        native_symbol="coin",
        native_decimals=18,
        explorer_url="",
        dexscreener_slug="",
        is_sandbox=False,
    )


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


def _label(chain: Chain) -> ChainLabel:
    return ChainLabel(
        key=chain.key,
        name=chain.name,
        profile=_PROFILES.get(chain.profile_of or chain.key, chain.family),
        native_symbol=chain.native_symbol,
        native_decimals=chain.native_decimals,
        explorer_url=chain.explorer_url,
        dexscreener_slug=chain.dexscreener_slug,
        is_sandbox=chain.is_sandbox,
    )
