"""The sandbox's chains: what they stand for, and ids of their own so that nothing signed here is worth anything elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from apps.domain.market import BaseFeeRule, DataFeeRule

#: What the regular actors of a chain are given each, and what the pool that gives the dollar price holds: the same on all
#: chains, so that a coin of little worth makes no poor market.
_REGULAR_USD, _STABLE_POOL_USD = 3_000_000, 1_200_000
_REGULAR_UNITS_MIN, _STABLE_POOL_UNITS_MIN = 5_000, 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSpec:
    """A local chain with the profile of a real one.

    Blocks carry whole seconds, so none is faster than a second: BNB Chain and Arbitrum are quicker in truth.
    ``base_fee_wei`` is that of every block where the chain it stands for does not steer it by EIP-1559.
    """

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
    has_public_mempool: bool
    trader_balance_units: int  # what the trading wallet is funded with
    slug: str  # of the chain it stands for, at DEXScreener
    geckoterminal_slug: str
    confirmation_depth: int = 12  # less than the real ones', so that a short run sees bookings become final
    base_fee_min_wei: int = 0
    base_fee_wei: int | None = None
    base_fee_rule: BaseFeeRule = "eip1559"
    tip_min_wei: int = 10**9
    ignores_tips: bool = False  # then blocks are filled in the order of arrival
    data_fee_rule: DataFeeRule = "none"

    @property
    def key(self) -> str:
        """Return the CAIP-2 key."""
        return f"eip155:{self.chain_id}"

    @property
    def regular_units(self) -> int:
        """Return the whole coins that a regular actor is given."""
        return max(_REGULAR_UNITS_MIN, _REGULAR_USD // self.native_price_usd)

    @property
    def stable_pool_units(self) -> int:
        """Return the whole coins in the pool that gives the dollar price."""
        return max(_STABLE_POOL_UNITS_MIN, _STABLE_POOL_USD // self.native_price_usd)

    def port(self, port_base: int) -> int:
        """Return the RPC port."""
        return port_base + self.port_offset


#: The names that a person chooses them by are their slugs at DEXScreener.
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
        has_public_mempool=False,
        trader_balance_units=20,
        slug="base",
        geckoterminal_slug="base",
        base_fee_rule="told",
        data_fee_rule="op_stack",
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
        has_public_mempool=True,
        trader_balance_units=100,
        slug="bsc",
        geckoterminal_slug="bsc",
        base_fee_wei=0,
        base_fee_rule="zero",
        tip_min_wei=50_000_000,
    ),
    ChainSpec(
        process_name="chain-ethereum",
        name="Ethereum (sandbox)",
        chain_id=31_330_001,
        profile_of="eip155:1",
        port_offset=2,
        block_time_ms=12_000,
        native_symbol="ETH",
        wrapped_symbol="WETH",
        native_price_usd=3_000,
        stable_symbol="USDC",
        stable_decimals=6,
        dex_key="uniswap_v2",
        dex_name="Uniswap V2",
        flavour="uniswap",
        has_public_mempool=True,
        trader_balance_units=20,
        slug="ethereum",
        geckoterminal_slug="eth",
        confirmation_depth=4,
    ),
    ChainSpec(
        process_name="chain-polygon",
        name="Polygon (sandbox)",
        chain_id=31_330_137,
        profile_of="eip155:137",
        port_offset=3,
        block_time_ms=2_000,
        native_symbol="POL",
        wrapped_symbol="WPOL",
        native_price_usd=1,
        stable_symbol="USDC",
        stable_decimals=6,
        dex_key="quickswap_v2",
        dex_name="QuickSwap V2",
        flavour="uniswap",
        has_public_mempool=True,
        trader_balance_units=60_000,
        slug="polygon",
        geckoterminal_slug="polygon_pos",
        base_fee_rule="told",
        tip_min_wei=25 * 10**9,
    ),
    ChainSpec(
        process_name="chain-arbitrum",
        name="Arbitrum One (sandbox)",
        chain_id=31_342_161,
        profile_of="eip155:42161",
        port_offset=4,
        block_time_ms=1_000,
        native_symbol="ETH",
        wrapped_symbol="WETH",
        native_price_usd=3_000,
        stable_symbol="USDC",
        stable_decimals=6,
        dex_key="uniswap_v2",
        dex_name="Uniswap V2",
        flavour="uniswap",
        has_public_mempool=False,
        trader_balance_units=20,
        slug="arbitrum",
        geckoterminal_slug="arbitrum",
        base_fee_min_wei=10**7,
        base_fee_wei=10**7,
        base_fee_rule="told",
        tip_min_wei=0,
        ignores_tips=True,
        data_fee_rule="arbitrum",
    ),
)
CHAIN_NAMES: tuple[str, ...] = tuple(chain.slug for chain in CHAINS)
#: Two carry twice the launches that five do on the same two cores.
CHAIN_NAMES_DEFAULT: tuple[str, ...] = ("base", "bsc")
FEED_PORT_OFFSET = 90


def chains_named(names: Iterable[str]) -> tuple[ChainSpec, ...]:
    """Return the chains of these names, in the order in which they are listed."""
    wanted = set(names)
    assert wanted <= set(CHAIN_NAMES), wanted
    return tuple(chain for chain in CHAINS if chain.slug in wanted)
