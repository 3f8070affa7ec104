"""Fills in the known chains."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction

from apps.chains.defaults import CHAINS, ChainFact
from apps.chains.known_lockers import KNOWN_LOCKERS
from apps.chains.models import Chain, DexDeployment, Locker, StableToken


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What was added, by name; ``kept`` names the chains that were there before and stayed as they are."""

    added: tuple[str, ...]
    kept: tuple[str, ...]


def chains_load() -> LoadReport:
    """Add what is missing of the known chains; what is there is never changed, whoever wrote it. Repeatable.

    Chains come switched on and without an endpoint; exchanges whose addresses are not confirmed come switched off, lockers unverified.
    """
    added: list[str] = []
    kept: list[str] = []
    with transaction.atomic():
        for fact in CHAINS:
            chain, is_new = Chain.objects.get_or_create(key=fact.key, defaults=_fields(fact))
            (added if is_new else kept).append(chain.name)
            added += _parts(chain, fact)
    return LoadReport(added=tuple(added), kept=tuple(kept))


def _fields(fact: ChainFact) -> dict[str, str | int]:
    return {
        "name": fact.name,
        "family": "evm",
        "chain_id": fact.chain_id,
        "native_symbol": fact.native_symbol,
        "wrapped_native_address": fact.wrapped_address,
        "wrapped_native_symbol": fact.wrapped_symbol,
        "block_time_ms": fact.block_time_ms,
        "confirmation_depth": fact.confirmation_depth,
        "tip_min_wei": fact.tip_min_wei,
        "has_public_mempool": fact.has_public_mempool,
        "ignores_tips": fact.ignores_tips,
        "base_fee_rule": fact.base_fee_rule,
        "data_fee_rule": fact.data_fee_rule,
        "explorer_url": fact.explorer_url,
        "dexscreener_slug": fact.dexscreener_slug,
        "geckoterminal_slug": fact.geckoterminal_slug,
    }


def _parts(chain: Chain, fact: ChainFact) -> list[str]:
    """Add what a chain lacks of stablecoins, exchanges and lockers; return their names."""
    added: list[str] = []
    for stable in fact.stables:
        row, is_new = StableToken.objects.get_or_create(
            chain=chain,
            address=stable.address,
            defaults={"symbol": stable.symbol, "decimals": stable.decimals},
        )
        added += [str(row)] if is_new else []
    for dex in fact.dexes:
        deployment, is_new = DexDeployment.objects.get_or_create(
            chain=chain,
            key=dex.key,
            defaults={
                "kind": dex.kind,
                "name": dex.name,
                "factory_address": dex.factory,
                "router_address": dex.router,
                "fee_bps": dex.fee_bps,
                "init_code_hash": dex.init_code_hash,
                "confirmed": dex.confirmed,
                "enabled": dex.confirmed,
            },
        )
        added += [str(deployment)] if is_new else []
    for locker in KNOWN_LOCKERS.get(fact.chain_id, ()):
        known, is_new = Locker.objects.get_or_create(
            chain=chain, address=locker.address, defaults={"name": locker.name, "kind": locker.kind}
        )
        added += [str(known)] if is_new else []
    return added
