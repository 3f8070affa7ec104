"""Chains as the pages name them: read where they are owned."""

from __future__ import annotations

from apps.chains.labels import ChainLabel, chain_label, chain_labels
from apps.discovery.heads import ChainHead, chain_heads, chains_not_followed

__all__ = ["ChainHead", "ChainLabel", "chain_heads", "chain_label", "chain_labels", "chains_not_followed"]
