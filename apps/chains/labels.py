"""Chains as people read them: name, coin, explorer."""

from __future__ import annotations

from dataclasses import dataclass

from apps.chains.models import Chain


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
