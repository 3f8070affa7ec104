"""The five EVM chains as they are known publicly: what a first start in paper or live begins with. Facts only.

Every address was found in two or more independent sources (``confirmed``) or is marked otherwise; what is not confirmed
must be read on chain by a person before live trading. Endpoints are not here: which provider is asked is the user's
choice. Sources: the SDKs' own packages (Uniswap, PancakeSwap, Sushi, ParaSwap, Aave), DefiLlama and Hummingbot; the
factories of Uniswap V2 and PancakeSwap V2 on Ethereum, BSC and Base by recomputing a known pool's CREATE2 address.
"""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.market import BaseFeeRule, DataFeeRule


@dataclass(frozen=True, slots=True, kw_only=True)
class StableFact:
    """A token that is priced at one dollar. ``decimals`` differ: 18 on BSC, 6 elsewhere."""

    symbol: str
    address: str
    decimals: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DexFact:
    """One deployment of an exchange. ``fee_bps`` is that of all its pools, or of most where each has its own."""

    key: str
    name: str
    factory: str
    router: str
    fee_bps: int
    init_code_hash: str
    confirmed: bool  # False: it is loaded switched off
    kind: str = "uniswap_v2"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainFact:
    """One chain. ``confirmation_depth``: blocks after which a booking counts as final.

    Ethereum: two epochs. BSC: well beyond its fast finality of two blocks. Rollups and Polygon: about two minutes, far
    more than their sequencer or milestones take.

    Base, Arbitrum and Polygon steer their base fee with figures of their own that have changed over time, so what the
    node says of the next block counts.
    """

    chain_id: int
    name: str
    native_symbol: str
    wrapped_symbol: str
    wrapped_address: str
    block_time_ms: int
    confirmation_depth: int
    explorer_url: str
    dexscreener_slug: str
    geckoterminal_slug: str
    stables: tuple[StableFact, ...]
    dexes: tuple[DexFact, ...]
    tip_min_wei: int = 0
    has_public_mempool: bool = True
    ignores_tips: bool = False
    base_fee_rule: BaseFeeRule = "eip1559"
    data_fee_rule: DataFeeRule = "none"

    @property
    def key(self) -> str:
        """Return the CAIP-2 key."""
        return f"eip155:{self.chain_id}"


CHAINS: tuple[ChainFact, ...] = (
    ChainFact(
        chain_id=1,
        name="Ethereum",
        native_symbol="ETH",
        wrapped_symbol="WETH",
        wrapped_address="0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2",
        block_time_ms=12_000,
        confirmation_depth=64,
        explorer_url="https://etherscan.io",
        dexscreener_slug="ethereum",
        geckoterminal_slug="eth",
        stables=(
            StableFact(symbol="USDC", address="0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48", decimals=6),
            StableFact(symbol="USDT", address="0xdAC17F958D2ee523a2206206994597C13D831ec7", decimals=6),
        ),
        dexes=(
            DexFact(
                key="uniswap_v2",
                name="Uniswap V2",
                factory="0x5C69bEe701ef814a2B6a3EDD4B1652CB9cc5aA6f",
                router="0x7a250d5630B4cF539739dF2C5dAcb4c659F2488D",
                fee_bps=30,
                init_code_hash="0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
                confirmed=True,
            ),
            DexFact(
                key="pancake_v2",
                name="PancakeSwap V2",
                factory="0x1097053Fd2ea711dad45caCcc45EfF7548fCB362",
                router="0xEfF92A263d31888d860bD50809A8D171709b7b1c",
                fee_bps=25,
                init_code_hash="0x57224589c67f3f30a6b0d7a1b54cf3153ab84563bc609ef41dfb34f8b2974d2d",
                confirmed=True,
            ),
            DexFact(
                key="uniswap_v3",
                name="Uniswap V3",
                factory="0x1F98431c8aD98523631AE4a59f267346ea31F984",
                router="0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
                fee_bps=30,
                init_code_hash="0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
                confirmed=True,
                kind="uniswap_v3",
            ),
            # Its router could not be tried: no package carries its code.
            DexFact(
                key="pancake_v3",
                name="PancakeSwap V3",
                factory="0x0BFbCF9fa4f9C56B0F40a671Ad40E0805A091865",
                router="0x13f4EA83D0bd40E75C8222255bc855a974568Dd4",
                fee_bps=25,
                init_code_hash="0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2",
                confirmed=False,
                kind="pancake_v3",
            ),
        ),
    ),
    ChainFact(
        chain_id=56,
        tip_min_wei=50_000_000,  # its base fee is 0: in an empty block nothing else sets a price
        base_fee_rule="zero",
        name="BNB Chain",
        native_symbol="BNB",
        wrapped_symbol="WBNB",
        wrapped_address="0xbb4CdB9CBd36B01bD1cBaEBF2De08d9173bc095c",
        block_time_ms=450,
        confirmation_depth=15,
        explorer_url="https://bscscan.com",
        dexscreener_slug="bsc",
        geckoterminal_slug="bsc",
        stables=(
            StableFact(symbol="USDC", address="0x8AC76a51cc950d9822D68b83fE1Ad97B32Cd580d", decimals=18),
            StableFact(symbol="USDT", address="0x55d398326f99059fF775485246999027B3197955", decimals=18),
        ),
        dexes=(
            DexFact(
                key="pancake_v2",
                name="PancakeSwap V2",
                factory="0xcA143Ce32Fe78f1f7019d7d551a6402fC5350c73",
                router="0x10ED43C718714eb63d5aA57B78B54704E256024E",
                fee_bps=25,
                init_code_hash="0x00fb7f630766e6a796048ea87d01acd3068e8ff67d078148a3fa3f4a84f69bd5",
                confirmed=True,
            ),
            DexFact(
                key="uniswap_v2",
                name="Uniswap V2",
                factory="0x8909Dc15e40173Ff4699343b6eB8132c65e18eC6",
                router="0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24",
                fee_bps=30,
                init_code_hash="0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
                confirmed=True,
            ),
            DexFact(
                key="uniswap_v3",
                name="Uniswap V3",
                factory="0xdB1d10011AD0Ff90774D0C6Bb92e5C5c8b4461F7",
                router="0xB971eF87ede563556b2ED4b1C0b0019111Dd85d2",
                fee_bps=30,
                init_code_hash="0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
                confirmed=True,
                kind="uniswap_v3",
            ),
            # Its router could not be tried: no package carries its code.
            DexFact(
                key="pancake_v3",
                name="PancakeSwap V3",
                factory="0x0BFbCF9fa4f9C56B0F40a671Ad40E0805A091865",
                router="0x13f4EA83D0bd40E75C8222255bc855a974568Dd4",
                fee_bps=25,
                init_code_hash="0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2",
                confirmed=False,
                kind="pancake_v3",
            ),
        ),
    ),
    ChainFact(
        chain_id=8_453,
        has_public_mempool=False,  # its sequencer shows nothing that waits
        base_fee_rule="told",
        data_fee_rule="op_stack",
        name="Base",
        native_symbol="ETH",
        wrapped_symbol="WETH",
        wrapped_address="0x4200000000000000000000000000000000000006",
        block_time_ms=2_000,
        confirmation_depth=60,
        explorer_url="https://basescan.org",
        dexscreener_slug="base",
        geckoterminal_slug="base",
        stables=(
            StableFact(symbol="USDC", address="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913", decimals=6),
            StableFact(symbol="USDbC", address="0xd9aAEc86B65D86f6A7B5B1b0c42FFA531710b6CA", decimals=6),
            StableFact(symbol="USDT", address="0xfde4C96c8593536E31F229EA8f37b2ADa2699bb2", decimals=6),
        ),
        dexes=(
            DexFact(
                key="uniswap_v2",
                name="Uniswap V2",
                factory="0x8909Dc15e40173Ff4699343b6eB8132c65e18eC6",
                router="0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24",
                fee_bps=30,
                init_code_hash="0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
                confirmed=True,
            ),
            DexFact(
                key="pancake_v2",
                name="PancakeSwap V2",
                factory="0x02a84c1b3BBD7401a5f7fa98a384EBC70bB5749E",
                router="0x8cFe327CEc66d1C090Dd72bd0FF11d690C33a2Eb",
                fee_bps=25,
                init_code_hash="0x57224589c67f3f30a6b0d7a1b54cf3153ab84563bc609ef41dfb34f8b2974d2d",
                confirmed=True,
            ),
            DexFact(
                key="uniswap_v3",
                name="Uniswap V3",
                factory="0x33128a8fC17869897dcE68Ed026d694621f6FDfD",
                router="0x2626664c2603336E57B271c5C0b26F421741e481",
                fee_bps=30,
                init_code_hash="0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
                confirmed=True,
                kind="uniswap_v3",
            ),
            # The published contracts were tried on a local chain, its stable pools are not followed.
            DexFact(
                key="aerodrome",
                name="Aerodrome",
                factory="0x420DD381b31aEf6683db6B902084cB0FFECe40Da",
                router="0xcF77a3Ba9A5CA399B7c97c74d54e5b1Beb874E43",
                fee_bps=30,
                init_code_hash="0x6f178972b07752b522a4da1c5b71af6524e8b0bd6027ccb29e5312b0e5bcdc3c",
                confirmed=True,
                kind="solidly",
            ),
            # Its router could not be tried: no package carries its code.
            DexFact(
                key="pancake_v3",
                name="PancakeSwap V3",
                factory="0x0BFbCF9fa4f9C56B0F40a671Ad40E0805A091865",
                router="0x678Aa4bF4E210cf2166753e054d5b7c31cc7fa86",
                fee_bps=25,
                init_code_hash="0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2",
                confirmed=False,
                kind="pancake_v3",
            ),
        ),
    ),
    ChainFact(
        chain_id=42_161,
        has_public_mempool=False,  # its sequencer shows nothing that waits
        ignores_tips=True,
        base_fee_rule="told",
        data_fee_rule="arbitrum",
        name="Arbitrum One",
        native_symbol="ETH",
        wrapped_symbol="WETH",
        wrapped_address="0x82aF49447D8a07e3bd95BD0d56f35241523fBab1",
        block_time_ms=250,
        confirmation_depth=480,
        explorer_url="https://arbiscan.io",
        dexscreener_slug="arbitrum",
        geckoterminal_slug="arbitrum",
        stables=(
            StableFact(symbol="USDC", address="0xaf88d065e77c8cC2239327C5EDb3A432268e5831", decimals=6),
            StableFact(symbol="USDC.e", address="0xFF970A61A04b1cA14834A43f5dE4533eBDDB5CC8", decimals=6),
            StableFact(symbol="USDT", address="0xFd086bC7CD5C481DCC9C85ebE478A1C0b69FCbb9", decimals=6),
        ),
        dexes=(
            DexFact(
                key="uniswap_v2",
                name="Uniswap V2",
                factory="0xf1D7CC64Fb4452F05c498126312eBE29f30Fbcf9",
                router="0x4752ba5DBc23f44D87826276BF6Fd6b1C372aD24",
                fee_bps=30,
                init_code_hash="0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
                confirmed=True,
            ),
            DexFact(
                key="pancake_v2",
                name="PancakeSwap V2",
                factory="0x02a84c1b3BBD7401a5f7fa98a384EBC70bB5749E",
                router="0x8cFe327CEc66d1C090Dd72bd0FF11d690C33a2Eb",
                fee_bps=25,
                init_code_hash="0x57224589c67f3f30a6b0d7a1b54cf3153ab84563bc609ef41dfb34f8b2974d2d",
                confirmed=True,
            ),
            DexFact(
                key="uniswap_v3",
                name="Uniswap V3",
                factory="0x1F98431c8aD98523631AE4a59f267346ea31F984",
                router="0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
                fee_bps=30,
                init_code_hash="0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
                confirmed=True,
                kind="uniswap_v3",
            ),
            # Its router could not be tried: no package carries its code.
            DexFact(
                key="pancake_v3",
                name="PancakeSwap V3",
                factory="0x0BFbCF9fa4f9C56B0F40a671Ad40E0805A091865",
                router="0x32226588378236Fd0c7c4053999F88aC0e5cAc77",
                fee_bps=25,
                init_code_hash="0x6ce8eb472fa82df5469c6ab6d485f17c3ad13c8cd7af59b3d4a8026c5ce0f7e2",
                confirmed=False,
                kind="pancake_v3",
            ),
        ),
    ),
    ChainFact(
        chain_id=137,
        tip_min_wei=25 * 10**9,  # validators take nothing below
        base_fee_rule="told",
        name="Polygon",
        native_symbol="POL",
        wrapped_symbol="WPOL",
        wrapped_address="0x0d500B1d8E8eF31E21C99d1Db9A6444d3ADf1270",
        block_time_ms=2_000,
        confirmation_depth=64,
        explorer_url="https://polygonscan.com",
        dexscreener_slug="polygon",
        geckoterminal_slug="polygon_pos",
        stables=(
            StableFact(symbol="USDC", address="0x3c499c542cEF5E3811e1192ce70d8cC03d5c3359", decimals=6),
            StableFact(symbol="USDC.e", address="0x2791Bca1f2de4661ED88A30C99A7a9449Aa84174", decimals=6),
            StableFact(symbol="USDT", address="0xc2132D05D31c914a87C6611C10748AEb04B58e8F", decimals=6),
        ),
        dexes=(
            DexFact(
                key="uniswap_v2",
                name="Uniswap V2",
                factory="0x9e5A52f57b3038F1B8EeE45F28b3C1967e22799C",
                router="0xedf6066a2b290C185783862C7F4776A2C8077AD1",
                fee_bps=30,
                init_code_hash="0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
                confirmed=True,
            ),
            DexFact(
                key="quickswap_v2",
                name="QuickSwap V2",
                factory="0x5757371414417b8C6CAad45bAeF941aBc7d3Ab32",
                router="0xa5E0829CaCEd8fFDD4De3c43696c57F7D7A678ff",  # one source
                fee_bps=30,
                init_code_hash="0x96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f",
                confirmed=False,
            ),
            DexFact(
                key="uniswap_v3",
                name="Uniswap V3",
                factory="0x1F98431c8aD98523631AE4a59f267346ea31F984",
                router="0x68b3465833fb72A70ecDF485E0e4C7bD8665Fc45",
                fee_bps=30,
                init_code_hash="0xe34f199b19b2b4f47f68442619d555527d244f78a3297ea89325f843f87b8b54",
                confirmed=True,
                kind="uniswap_v3",
            ),
        ),
    ),
)
