"""The sandbox's chains: what they stand for, and ids of their own so that nothing signed here is worth anything elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSpec:
    """A local chain with the profile of a real one."""

    process_name: str
    name: str
    chain_id: int
    profile_of: str
    port_offset: int
    block_time_ms: int
    native_symbol: str
    wrapped_symbol: str
    native_price_usd: int  # of the stable pool at deployment
    stable_symbol: str
    stable_decimals: int
    dex_key: str
    dex_name: str
    flavour: Literal["uniswap", "pancake"]
    base_fee_min_wei: int
    has_public_mempool: bool
    trader_balance_units: int  # what the trading wallet is funded with
    slug: str  # of the chain it stands for, at DEXScreener
    geckoterminal_slug: str

    @property
    def key(self) -> str:
        """Return the CAIP-2 key."""
        return f"eip155:{self.chain_id}"

    def port(self, port_base: int) -> int:
        """Return the RPC port."""
        return port_base + self.port_offset


CHAINS: tuple[ChainSpec, ...] = (
    ChainSpec(
        process_name="chain-base",
        name="Base (sandbox)",
        chain_id=31_338_453,
        profile_of="eip155:8453",
        port_offset=0,
        block_time_ms=2_000,
        native_symbol="ETH",
        wrapped_symbol="WETH",
        native_price_usd=3_000,
        stable_symbol="USDC",
        stable_decimals=6,
        dex_key="uniswap_v2",
        dex_name="Uniswap V2",
        flavour="uniswap",
        base_fee_min_wei=0,
        has_public_mempool=False,
        trader_balance_units=20,
        slug="base",
        geckoterminal_slug="base",
    ),
    ChainSpec(
        process_name="chain-bsc",
        name="BNB Chain (sandbox)",
        chain_id=31_330_056,
        profile_of="eip155:56",
        port_offset=1,
        block_time_ms=1_000,
        native_symbol="BNB",
        wrapped_symbol="WBNB",
        native_price_usd=600,
        stable_symbol="USDT",
        stable_decimals=18,
        dex_key="pancake_v2",
        dex_name="PancakeSwap V2",
        flavour="pancake",
        base_fee_min_wei=0,
        has_public_mempool=True,
        trader_balance_units=100,
        slug="bsc",
        geckoterminal_slug="bsc",
    ),
)
FEED_PORT_OFFSET = 90
