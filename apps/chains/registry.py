"""Which code speaks which DEX protocol. A deployment is a row; a protocol is an entry here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from apps.chains.evm.dex.pair_source import FactoryPairSource
from apps.chains.evm.dex.quoting import PoolQuoter
from apps.chains.evm.dex.router_swaps import RouterSwapBuilder
from apps.chains.evm.dex.solidly import SolidlyPairSource, SolidlySwapBuilder
from apps.chains.evm.dex.uniswap_v2 import UniswapV2PairSource, UniswapV2SwapBuilder
from apps.chains.evm.dex.uniswap_v3 import UniswapV3PairSource, UniswapV3SwapBuilder


@dataclass(frozen=True, slots=True, kw_only=True)
class DexKind:
    """The classes of one protocol. ``pair_source(client, dex)``, ``builder(profile=, dex=)``, ``quoter()``."""

    pair_source: type[FactoryPairSource]
    builder: type[RouterSwapBuilder]
    quoter: type[PoolQuoter] = PoolQuoter


_RANGED = DexKind(pair_source=UniswapV3PairSource, builder=UniswapV3SwapBuilder)

DEX_KINDS: Mapping[str, DexKind] = MappingProxyType(
    {
        "uniswap_v2": DexKind(pair_source=UniswapV2PairSource, builder=UniswapV2SwapBuilder),
        "uniswap_v3": _RANGED,
        "pancake_v3": _RANGED,
        "solidly": DexKind(pair_source=SolidlyPairSource, builder=SolidlySwapBuilder),
    }
)
