"""How pools of each protocol are found and read: what the reader must know beside how they are traded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from apps.chains.evm import abi, parse
from apps.chains.evm.dex import solidly, uniswap_v3
from apps.domain.ids import ChainKey
from apps.domain.market import ChainEvent, Listing, PoolSwap


class _ReadCreated(Protocol):
    def __call__(
        self, log: parse.Log, *, chain_key: ChainKey, dex_key: str, times_ms: Mapping[int, int]
    ) -> ChainEvent: ...


class _ReadSwap(Protocol):
    def __call__(
        self, log: parse.Log, listing: Listing, *, seller: str | None, times_ms: Mapping[int, int]
    ) -> PoolSwap: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One protocol's logs and questions. All readers raise BadDataError for what has another shape."""

    created_topic: str
    created: _ReadCreated  # a factory's log
    pool_calls: Callable[[str, str], tuple[str, ...]]  # by which a factory names the pools of two tokens
    state_topics: tuple[str, ...]  # by which a pool tells its new state
    swap_topics: tuple[str, ...]
    swap: _ReadSwap
    is_ranged: bool = False  # liquidity lies in ranges of the price
    is_injectable: bool = False  # its router is the one that RoundTripSimulator speaks to
    has_changing_fee: bool = False  # its factory tells each pool's fee, which may be another tomorrow


PRODUCT = Family(
    created_topic=abi.TOPIC_PAIR_CREATED,
    created=parse.pair_created,
    pool_calls=lambda first, second: (abi.call(abi.GET_PAIR, first, second),),
    state_topics=(abi.TOPIC_SYNC,),
    swap_topics=(abi.TOPIC_SWAP,),
    swap=parse.pool_swap,
    is_injectable=True,
)
RANGED = Family(
    created_topic=uniswap_v3.TOPIC_POOL_CREATED,
    created=uniswap_v3.pool_created,
    pool_calls=uniswap_v3.pool_calls,
    state_topics=uniswap_v3.SWAP_TOPICS,
    swap_topics=uniswap_v3.SWAP_TOPICS,
    swap=uniswap_v3.pool_swap,
    is_ranged=True,
)
SOLIDLY = Family(
    created_topic=solidly.TOPIC_POOL_CREATED,
    created=solidly.pool_created,
    pool_calls=solidly.pool_calls,
    state_topics=(solidly.TOPIC_SYNC,),
    swap_topics=(solidly.TOPIC_SWAP,),
    swap=solidly.pool_swap,
    has_changing_fee=True,
)

FAMILIES: Mapping[str, Family] = MappingProxyType(
    {"uniswap_v2": PRODUCT, "uniswap_v3": RANGED, "pancake_v3": RANGED, "solidly": SOLIDLY}
)


def family_of(kind: str) -> Family:
    """Return the family of a deployment's kind; what nobody knows is read as Uniswap V2 and answers nothing."""
    return FAMILIES.get(kind, PRODUCT)
