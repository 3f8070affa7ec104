"""Builds the concrete ports from rows and environment: the only chooser of classes.

Sandbox, paper, live, replay and tests differ here and nowhere else.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from django.conf import settings

from apps.chains import selectors as chains
from apps.chains.evm import parse
from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.dex.pair_source import FactoryPairSource
from apps.chains.evm.evidence import EvmEvidence
from apps.chains.evm.reader import EvmReader
from apps.chains.evm.relay import RelayConfig, relay_senders
from apps.chains.evm.sender import EvmSender
from apps.chains.paper.account import PaperAccount
from apps.chains.paper.chance import PaperModel
from apps.chains.paper.marker import PaperSwapBuilder
from apps.chains.paper.ports import PaperReader, PaperSender, PaperSigner
from apps.chains.registry import DEX_KINDS, DexKind
from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of
from apps.discovery.sources.dexscreener import DexScreenerSource
from apps.discovery.sources.geckoterminal import REQUESTS_PER_MIN as GECKOTERMINAL_PER_MIN
from apps.discovery.sources.geckoterminal import GeckoTerminalSource
from apps.domain.errors import BadDataError, ConfigurationError
from apps.domain.locks import LockerProfile
from apps.domain.market import ChainProfile, DexProfile, Listing
from apps.domain.money import units_to_raw
from apps.domain.ports import ChainReader, FeedSource, Signer
from apps.state.services.config import active_config
from apps.trading.services.ports import ExecutionPorts
from apps.wallets.selectors import wallet_view
from apps.wallets.services.wallets import wallet_default, wallet_for_entry, wallets_entering
from apps.wallets.signing import KeystoreSigner, SigningChain


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainPorts:
    """Everything the road needs of one chain."""

    profile: ChainProfile
    dexes: Mapping[str, DexProfile]
    reader: ChainReader
    sources: tuple[FactoryPairSource, ...]
    execution: ExecutionPorts
    websocket_urls: tuple[str, ...]  # best first; none: the listener polls


#: An endpoint whose newest block is older is left out.
HEAD_AGE_MAX_S = 90
_SANDBOX_FEED_PER_MIN = 120
#: A chain made anew and what a person changes in the admin reaches every process within this time.
_ROWS_KEPT_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """What ports are built from."""

    profile: ChainProfile
    endpoints: tuple[EndpointConfig, ...]
    dexes: tuple[DexProfile, ...]
    lockers: tuple[LockerProfile, ...]
    relays: tuple[RelayConfig, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    rows: _Rows
    ports: ChainPorts
    look_again_at: float


_lock = threading.Lock()
_kept: dict[str, _Kept] = {}


def signer() -> Signer:
    """Return what signs in this mode. On paper nothing of this process ever opens a key."""
    return _paper_signer() if settings.ENV.mode == "paper" else _keystore_signer()


@lru_cache(maxsize=1)
def _keystore_signer() -> KeystoreSigner:
    return KeystoreSigner.from_settings(settings.ENV)


@lru_cache(maxsize=1)
def _paper_signer() -> PaperSigner:
    return PaperSigner(lambda wallet_key: wallet_view(wallet_key).address, data_dir=settings.DATA_DIR)


def chain_ports(chain_key: str) -> ChainPorts:
    """Return the ports of a chain, built once a process and anew when its rows have changed.

    Raises ConfigurationError when its rows are incomplete.
    """
    kept = _kept.get(chain_key)
    if kept is not None and time.monotonic() < kept.look_again_at:
        return kept.ports
    with _lock:
        rows = _rows_of(chain_key)
        kept = _kept.get(chain_key)
        ports = kept.ports if kept is not None and kept.rows == rows else _build(rows)
        _kept[chain_key] = _Kept(rows=rows, ports=ports, look_again_at=time.monotonic() + _ROWS_KEPT_S)
        return ports


def creation_source(
    chain_key: str, dex_key: str, *, on_fault: Callable[[BadDataError], None]
) -> FactoryPairSource:
    """Return a source of an exchange's creations, on a client of its own, that tells of each log it cannot read."""
    rows = _rows_of(chain_key)
    [dex] = [item for item in rows.dexes if item.dex_key == dex_key]
    client = EvmClient.for_profile(rows.profile, rows.endpoints, head_age_max_s=HEAD_AGE_MAX_S)
    return _kind_of(dex).pair_source(client, dex, on_fault=on_fault)


def forget_ports(*chain_keys: str) -> None:
    """Build the ports of these chains anew at their next use; without a name those of all, and open keys anew."""
    with _lock:
        for chain_key in chain_keys:
            _kept.pop(chain_key, None)
        if not chain_keys:
            _kept.clear()
            _keystore_signer.cache_clear()
            _paper_signer.cache_clear()


def _rows_of(chain_key: str) -> _Rows:
    return _Rows(
        profile=chains.chain_profile(chain_key),
        endpoints=chains.endpoint_configs(chain_key),
        dexes=chains.dex_profiles(chain_key),
        lockers=chains.locker_profiles(chain_key),
        relays=chains.relay_configs(chain_key),
    )


def _build(rows: _Rows) -> ChainPorts:
    profile, endpoints = rows.profile, rows.endpoints
    if profile.family != "evm":
        raise ConfigurationError(
            f"{profile.name} is of family {profile.family}, which is not supported yet",
            remedy="Switch the chain off in the admin under Chains.",
        )
    if not endpoints:
        raise ConfigurationError(
            f"{profile.name} has no enabled endpoint",
            remedy="Add an endpoint in the admin under Endpoints, then run 'manage.py doctor'.",
        )
    dexes = {dex.dex_key: dex for dex in rows.dexes}
    client = EvmClient.for_profile(profile, endpoints, head_age_max_s=HEAD_AGE_MAX_S)
    reader = EvmReader(client, profile, lockers=rows.lockers, dexes=rows.dexes)
    if settings.ENV.mode == "paper":
        execution = _on_paper(reader, dexes)
    else:
        execution = _for_real(reader, client, rows, dexes)
    return ChainPorts(
        profile=profile,
        dexes=dexes,
        reader=execution.reader,
        sources=tuple(_kind_of(dex).pair_source(client, dex) for dex in dexes.values()),
        execution=execution,
        websocket_urls=tuple(item.url_ws for item in endpoints if item.url_ws),
    )


def _for_real(
    reader: EvmReader,
    client: EvmClient,
    rows: _Rows,
    dexes: Mapping[str, DexProfile],
) -> ExecutionPorts:
    """Return ports that sign with keys and send: the sandbox's and live's."""
    profile = reader.profile
    _keystore_signer().admit(
        SigningChain(
            profile=profile,
            endpoint_urls=tuple(item.url_http for item in rows.endpoints),
            genesis_read=lambda: parse.block_ref(client.call("eth_getBlockByNumber", ["0x0", False])).hash,
        )
    )
    return ExecutionPorts(
        profile=profile,
        reader=reader,
        builders={key: _kind_of(dex).builder(profile=profile, dex=dex) for key, dex in dexes.items()},
        signer=signer(),
        evidence=EvmEvidence(client),
        sender=EvmSender(client),
        relays=relay_senders(rows.relays, profile=profile),
    )


def _on_paper(reader: EvmReader, dexes: Mapping[str, DexProfile]) -> ExecutionPorts:
    """Return ports over the live market that neither open a key nor know how to send."""
    profile = reader.profile
    coins = settings.ENV.paper_coins_on(profile.chain_key)
    account = PaperAccount(
        profile.chain_key, starting_native_raw=units_to_raw(coins, profile.native.decimals)
    )
    return ExecutionPorts(
        profile=profile,
        reader=PaperReader(reader, account, listing_of=_listing_of, model=_paper_model),
        builders={
            key: PaperSwapBuilder(
                profile=profile, dex=dex, real=_kind_of(dex).builder(profile=profile, dex=dex)
            )
            for key, dex in dexes.items()
        },
        signer=signer(),
        sender=PaperSender(reader, account, data_dir=settings.DATA_DIR, model=_paper_model),
        takes_other_ways=False,
    )


def _paper_model() -> PaperModel:
    """Return what befalls paper transactions, as configured now."""
    chosen = active_config().config.paper
    return PaperModel(
        latency_ms=chosen.latency_ms,
        latency_spread_ms=chosen.latency_spread_ms,
        failure_bps=chosen.failure_bps,
        seed=chosen.seed,
    )


def _listing_of(pair_key: str) -> Listing | None:
    pair = Pair.objects.select_related("base", "quote").filter(pair_key=pair_key).first()
    return None if pair is None else listing_of(pair)


def _kind_of(dex: DexProfile) -> DexKind:
    try:
        return DEX_KINDS[dex.kind]
    except KeyError:
        raise ConfigurationError(
            f"{dex.name} is of the kind {dex.kind!r}, which is not known",
            remedy=f"Use one of {', '.join(sorted(DEX_KINDS))}, or switch the DEX off in the admin.",
        ) from None


def trading_wallet_key(profile: ChainProfile) -> str:
    """Return the key of the first wallet that may enter on this chain. Raises ConfigurationError when there is none."""
    return wallet_default(family=profile.family, chain_key=profile.chain_key).key


def trading_wallet_keys(profile: ChainProfile) -> tuple[str, ...]:
    """Return every wallet that may enter on this chain. Raises ConfigurationError when there is none."""
    found = wallets_entering(family=profile.family, chain_key=profile.chain_key)
    return tuple(wallet.key for wallet in found)


def entry_wallet_key(profile: ChainProfile, *, number: int, takes_turns: bool) -> str:
    """Return the wallet that enters the ``number``-th opportunity. Raises ConfigurationError when there is none."""
    return wallet_for_entry(
        family=profile.family, chain_key=profile.chain_key, number=number, takes_turns=takes_turns
    ).key


@lru_cache(maxsize=1)
def feed_sources() -> tuple[FeedSource, ...]:
    """Return the web feeds. The sandbox's own server needs no sparing."""
    per_min = _SANDBOX_FEED_PER_MIN if settings.ENV.is_sandbox else GECKOTERMINAL_PER_MIN
    return (
        DexScreenerSource(base_url=settings.ENV.dexscreener_url),
        GeckoTerminalSource(base_url=settings.ENV.geckoterminal_url, requests_per_min=per_min),
    )
