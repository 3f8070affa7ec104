"""Writes the sandbox's chains, endpoints and exchanges as ordinary infrastructure rows."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils import timezone

from apps.chains.models import Chain, DexDeployment, Endpoint, Locker, StableToken
from apps.sandbox import ranged
from apps.sandbox.chainspec import ChainSpec
from apps.sandbox.deploy import Deployment
from apps.sandbox.lockers import sandbox_locker
from apps.sandbox.models import SandboxBlock, SandboxLaunch, SandboxRun

#: The npm package of PancakeSwap's core is its first version, whose pools take 0.2 %; today's take 0.25 %. The router is
#: Uniswap's, which quotes with 0.3 % in both: swaps pay what the router computes.
_FEE_BPS = 30


def rows_write(deployment: Deployment, *, seed: int) -> Chain:
    """Create or update all rows of one sandbox chain; repeatable."""
    spec = deployment.spec
    with transaction.atomic():
        chain, _ = Chain.objects.update_or_create(
            key=spec.key,
            defaults={
                "name": spec.name,
                "family": "evm",
                "chain_id": spec.chain_id,
                "profile_of": spec.profile_of,
                "is_sandbox": True,
                "genesis_hash": deployment.genesis_hash,
                "native_symbol": spec.native_symbol,
                "wrapped_native_address": deployment.wrapped,
                "wrapped_native_symbol": spec.wrapped_symbol,
                "block_time_ms": spec.block_time_ms,
                "confirmation_depth": spec.confirmation_depth,
                "base_fee_min_wei": spec.base_fee_min_wei,
                "tip_min_wei": spec.tip_min_wei,
                "base_fee_rule": spec.base_fee_rule,
                "ignores_tips": spec.ignores_tips,
                "data_fee_rule": spec.data_fee_rule,
                "has_public_mempool": spec.has_public_mempool,
                "dexscreener_slug": spec.slug,
                "geckoterminal_slug": spec.geckoterminal_slug,
            },
        )
        StableToken.objects.update_or_create(
            chain=chain,
            address=deployment.stable,
            defaults={"symbol": spec.stable_symbol, "decimals": spec.stable_decimals},
        )
        Endpoint.objects.exclude(url_http=deployment.url).filter(
            chain=chain
        ).delete()  # the port may have moved
        Endpoint.objects.update_or_create(
            chain=chain,
            url_http=deployment.url,
            defaults={"url_ws": deployment.url.replace("http://", "ws://"), "fault": ""},
        )
        DexDeployment.objects.update_or_create(
            chain=chain,
            key=spec.dex_key,
            defaults={
                "kind": "uniswap_v2",
                "name": spec.dex_name,
                "factory_address": deployment.factory,
                "router_address": deployment.router,
                "fee_bps": _FEE_BPS,
                "confirmed": True,
            },
        )
        DexDeployment.objects.update_or_create(
            chain=chain,
            key=ranged.DEX_KEY,
            defaults={
                "kind": ranged.KIND,
                "name": ranged.DEX_NAME,
                "factory_address": deployment.ranged.factory,
                "router_address": deployment.ranged.router,
                "fee_bps": ranged.FEE_BPS,
                "confirmed": True,
            },
        )
        locker = sandbox_locker(deployment.locker)
        Locker.objects.update_or_create(
            chain=chain,
            address=locker.address,
            defaults={
                "name": locker.name,
                "kind": locker.kind,
                "confirmed": True,
                "code_hash": locker.code_hash,
                "verified_at": timezone.now(),
            },
        )
        run, created = SandboxRun.objects.get_or_create(
            chain_key=spec.key,
            defaults={"seed": seed, "genesis_hash": deployment.genesis_hash, "started_at": timezone.now()},
        )
        if (
            not created and run.genesis_hash != deployment.genesis_hash
        ):  # another chain: what was true is gone
            SandboxLaunch.objects.filter(chain_key=spec.key).delete()
            SandboxBlock.objects.filter(chain_key=spec.key).delete()
            run.genesis_hash, run.started_at, run.tick, run.seed = (
                deployment.genesis_hash,
                timezone.now(),
                0,
                seed,
            )
            run.save()
    return chain


def rows_rest(*, chosen: Sequence[ChainSpec]) -> None:
    """Take the endpoints of sandbox chains that do not run now: they are followed again when they run again."""
    keys = [spec.key for spec in chosen]
    Endpoint.objects.filter(chain__is_sandbox=True).exclude(chain__key__in=keys).delete()
