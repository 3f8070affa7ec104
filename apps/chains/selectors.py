"""What is configured about chains, as domain types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import cast

from django.db.models import Exists, F, OuterRef, Q, QuerySet, Subquery

from apps.chains.evm.endpoint import EndpointConfig
from apps.chains.evm.relay import RelayConfig
from apps.chains.models import CanaryRun, Chain, DexDeployment, Endpoint, Locker, Relay, StableToken
from apps.domain.canary import RUNS_POOLED_MAX, CanaryFigures
from apps.domain.errors import ConfigurationError
from apps.domain.ids import NATIVE_ADDRESS, ChainKey
from apps.domain.locks import LockerProfile
from apps.domain.market import BaseFeeRule, ChainProfile, DataFeeRule, DexProfile
from apps.domain.money import Token


def chain_profiles() -> tuple[ChainProfile, ...]:
    """Return the enabled chains, oldest first."""
    return tuple(_profile(chain) for chain in _chains().filter(enabled=True))


def readable_chains() -> QuerySet[Chain]:
    """Return the rows of the enabled chains that have an enabled endpoint: those that anything can be known of."""
    endpoints = Endpoint.objects.filter(chain=OuterRef("pk"), enabled=True)
    return Chain.objects.filter(Exists(endpoints), enabled=True).order_by("id")


def chain_profile(chain_key: str) -> ChainProfile:
    """Return one chain, enabled or not. Raises ConfigurationError when there is none."""
    chain = _chains().filter(key=chain_key).first()
    if chain is None:
        raise ConfigurationError(
            f"There is no chain {chain_key}.",
            remedy="Add it in the admin under Chains; in the sandbox, start the sandbox once.",
            chain_key=chain_key,
        )
    return _profile(chain)


def dex_profiles(chain_key: str) -> tuple[DexProfile, ...]:
    """Return the enabled DEX deployments of a chain."""
    rows = DexDeployment.objects.filter(chain__key=chain_key, enabled=True).order_by("id")
    return tuple(
        DexProfile(
            chain_key=ChainKey(chain_key),
            dex_key=row.key,
            kind=row.kind,
            name=row.name,
            factory=row.factory_address,
            router=row.router_address,
            fee_bps=row.fee_bps,
        )
        for row in rows
    )


def endpoint_configs(chain_key: str) -> tuple[EndpointConfig, ...]:
    """Return the enabled endpoints of a chain, best first."""
    return tuple(map(endpoint_config, Endpoint.objects.filter(chain__key=chain_key, enabled=True)))


def endpoints_unchecked(*, since: datetime) -> tuple[int, ...]:
    """Return the enabled endpoints of enabled chains that were not checked since then, longest ago first."""
    rows = Endpoint.objects.filter(enabled=True, chain__enabled=True, chain__family="evm")
    due = rows.filter(Q(checked_at=None) | Q(checked_at__lt=since)).order_by(
        F("checked_at").asc(nulls_first=True)
    )
    return tuple(due.values_list("pk", flat=True))


def endpoint_config(row: Endpoint) -> EndpointConfig:
    """Return an endpoint as the client takes it."""
    return EndpointConfig(
        url_http=row.url_http,
        url_ws=row.url_ws,
        weight=row.weight,
        requests_per_s_max=row.requests_per_s_max,
        capabilities=_booleans(row.capabilities.items()) if isinstance(row.capabilities, dict) else {},
    )


def relay_configs(chain_key: str) -> tuple[RelayConfig, ...]:
    """Return the enabled private relays of a chain, best first."""
    return tuple(map(relay_config, Relay.objects.filter(chain__key=chain_key, enabled=True)))


def relay_config(row: Relay) -> RelayConfig:
    """Return a relay as its sender takes it."""
    return RelayConfig(key=row.key, kind=row.kind, url=row.url, timeout_ms=row.timeout_ms)


def locker_profiles(chain_key: str) -> tuple[LockerProfile, ...]:
    """Return the known liquidity lockers of a chain, those whose code nobody has verified included."""
    rows = Locker.objects.filter(chain__key=chain_key).order_by("id")
    return tuple(map(locker_profile, rows))


def locker_profile(row: Locker) -> LockerProfile:
    """Return a locker as the reader takes it; one that is not confirmed has no code that it could be compared with."""
    bare = LockerProfile(address=row.address, kind=row.kind, name=row.name)
    if not row.confirmed:
        return bare
    return replace(
        bare,
        code_hash=row.code_hash,
        implementation=row.implementation_address,
        implementation_hash=row.implementation_hash,
    )


def locker_addresses(chain_key: str) -> tuple[str, ...]:
    """Return the liquidity lockers of a chain whose code was verified: what lies there is out of everybody's reach."""
    rows = Locker.objects.filter(chain__key=chain_key, confirmed=True).order_by("id")
    return tuple(rows.values_list("address", flat=True))


def canary_figures(*, chain_key: str, dex_key: str) -> tuple[CanaryFigures, ...]:
    """Return what earlier looks at an exchange found, newest first; looks that found nobody to ask are left out."""
    rows = CanaryRun.objects.filter(dex__chain__key=chain_key, dex__key=dex_key, fault="")
    return tuple(
        CanaryFigures(
            block_first=row.block_first,
            block_last=row.block_last,
            creations=row.creations,
            decoded=row.decoded,
            pools_asked=row.pools_asked,
            pools_answered=row.pools_answered,
        )
        for row in rows[:RUNS_POOLED_MAX]
    )


def canary_looked_at(*, chain_key: str, dex_key: str) -> datetime | None:
    """Return when an exchange was last looked at, None before the first time."""
    rows = CanaryRun.objects.filter(dex__chain__key=chain_key, dex__key=dex_key)
    return rows.values_list("looked_at", flat=True).first()


def canaries_newest() -> tuple[CanaryRun, ...]:
    """Return the newest look at each enabled exchange of the enabled chains."""
    newest = CanaryRun.objects.filter(dex=OuterRef("pk")).order_by("-id").values("pk")[:1]
    dexes = DexDeployment.objects.filter(enabled=True, chain__enabled=True).annotate(run=Subquery(newest))
    ids = dexes.exclude(run=None).values_list("run", flat=True)
    rows = CanaryRun.objects.filter(pk__in=list(ids)).select_related("dex__chain")
    return tuple(rows.order_by("dex__chain_id", "dex_id"))


def _chains() -> QuerySet[Chain]:
    return Chain.objects.prefetch_related("stables").order_by("id")


def _booleans(entries: Iterable[tuple[object, object]]) -> dict[str, bool]:
    return {str(name): value for name, value in entries if isinstance(value, bool)}


def _profile(chain: Chain) -> ChainProfile:
    key = ChainKey(chain.key)
    return ChainProfile(
        chain_key=key,
        name=chain.name,
        family="solana" if chain.family == "solana" else "evm",
        chain_id=chain.chain_id,
        native=Token(key, NATIVE_ADDRESS, chain.native_symbol, chain.native_decimals),
        wrapped_native=Token(
            key, chain.wrapped_native_address, chain.wrapped_native_symbol, chain.native_decimals
        ),
        stables=tuple(Token(key, row.address, row.symbol, row.decimals) for row in chain.stables.all()),
        block_time_ms=chain.block_time_ms,
        confirmation_depth=chain.confirmation_depth,
        base_fee_min_wei=chain.base_fee_min_wei,
        tip_min_wei=chain.tip_min_wei,
        has_public_mempool=chain.has_public_mempool,
        ignores_tips=chain.ignores_tips,
        base_fee_rule=cast(BaseFeeRule, chain.base_fee_rule),
        data_fee_rule=cast(DataFeeRule, chain.data_fee_rule),
        is_sandbox=chain.is_sandbox,
        genesis_hash=chain.genesis_hash,
    )


def stable_addresses(chain_key: str) -> tuple[str, ...]:
    """Return the stablecoins of a chain as their rows spell them."""
    return tuple(StableToken.objects.filter(chain__key=chain_key).values_list("address", flat=True))
