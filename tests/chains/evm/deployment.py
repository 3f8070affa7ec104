"""A local market seen through the system's own types."""

from __future__ import annotations

from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.dex.uniswap_v2 import UniswapV2PairSource
from apps.chains.evm.reader import EvmReader
from apps.domain.ids import NATIVE_ADDRESS, ChainKey, TraceId, pair_key_of
from apps.domain.locks import LockerProfile
from apps.domain.market import ChainProfile, DexProfile, Listing
from apps.domain.money import Token
from tests.chain_fixtures import Launch, Market

DEX_KEY = "uniswap_v2"


def chain_key(market: Market) -> ChainKey:
    return ChainKey(f"eip155:{market.chain.chain_id}")


def client_of(market: Market) -> EvmClient:
    return EvmClient([EndpointConfig(url_http=market.chain.url)], chain_id=market.chain.chain_id)


def profile_of(market: Market, *, stables: tuple[Token, ...] = ()) -> ChainProfile:
    key = chain_key(market)
    return ChainProfile(
        chain_key=key,
        name="Local",
        family="evm",
        chain_id=market.chain.chain_id,
        native=Token(key, NATIVE_ADDRESS, "ETH", 18),
        wrapped_native=Token(key, market.dex.wrapped, "WETH", 18),
        stables=stables,
        block_time_ms=1_000,
        confirmation_depth=3,
        base_fee_min_wei=0,
        tip_min_wei=10**9,
        is_sandbox=False,
        genesis_hash="",
    )


def dex_of(market: Market, *, fee_bps: int = 30) -> DexProfile:
    return DexProfile(
        chain_key=chain_key(market),
        dex_key=DEX_KEY,
        kind="uniswap_v2",
        name="Local V2",
        factory=market.dex.factory,
        router=market.dex.router,
        fee_bps=fee_bps,
    )


def reader_of(
    market: Market,
    *,
    stables: tuple[Token, ...] = (),
    lockers: tuple[LockerProfile, ...] = (),
    client: EvmClient | None = None,
) -> EvmReader:
    return EvmReader(
        client or client_of(market),
        profile_of(market, stables=stables),
        lockers=lockers,
        dexes=(dex_of(market),),
    )


def listing_of(market: Market, launch: Launch, *, fee_bps: int = 30) -> Listing:
    """Return the launch as a listing, out of its own creation log."""
    head = int(market.rpc("eth_blockNumber"), 16)
    events = UniswapV2PairSource(client_of(market), dex_of(market)).events(0, head)
    event = next(item for item in events if item.pool_address == launch.pair)
    return Listing(
        trace_id=TraceId("0" * 32),
        pair_key=pair_key_of(chain_key(market), launch.pair),
        dex_key=DEX_KEY,
        pool_address=launch.pair,
        base=Token(chain_key(market), launch.token, "SMPL", 18),
        quote=Token(chain_key(market), market.dex.wrapped, "WETH", 18),
        base_is_token0=event.token0 == launch.token,
        fee_bps=fee_bps,
        created_block=event.block,
        creator=launch.deployer.address,
    )
