"""DEXScreener: tokens whose profile is new or that are boosted, and their pools.

DEXScreener has no list of new pairs. We ask for, relative to the base address (``https://api.dexscreener.com``):

- ``GET /token-profiles/latest/v1`` (60 a minute): a list of ``{"chainId", "tokenAddress", …}``; its tokens are "new";
- ``GET /token-boosts/latest/v1`` (60 a minute, together with the first): the same fields; its tokens are "boosted";
- ``GET /tokens/v1/{chainId}/{address,address,…}`` (300 a minute, at most 30 addresses): a list of pairs. The older shape
  of ``/latest/dex/tokens/…``, ``{"pairs": [...] | null}``, is understood as well.

Of a pair we need ``chainId``, ``dexId``, ``pairAddress``, ``baseToken.address`` and, where given, ``quoteToken.address``,
``priceUsd`` (text), ``liquidity.usd`` (number), ``pairCreatedAt`` (milliseconds). Everything else is ignored. ``chainId``
is the ``Chain.dexscreener_slug`` of an enabled chain; items of other chains are counted and skipped. A field that is
missing stays unknown. The answer's address is never parsed out of ``url``, which is lower-cased even where case counts.
Source: https://docs.dexscreener.com/api/reference
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import partial
from typing import Any, Literal

from pydantic import BaseModel

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.selectors import feed_chains
from apps.discovery.sources import claims
from apps.discovery.sources.http import FeedHttp
from apps.domain.errors import BadDataError, SniperError
from apps.domain.ids import ChainKey
from apps.domain.market import FeedItem, FeedLeftovers

LISTS_PER_MIN, PAIRS_PER_MIN = 60, 300  # documented
ADDRESSES_PER_REQUEST_MAX = 30  # documented
TOKENS_PER_CALL_MAX = 300
_BURST = 10
_LISTS: tuple[tuple[str, Literal["new", "boosted"]], ...] = (
    ("/token-profiles/latest/v1", "new"),
    ("/token-boosts/latest/v1", "boosted"),
)


class _Profile(BaseModel):
    chainId: str  # noqa: N815  the feed's own names
    tokenAddress: str  # noqa: N815


class _Token(BaseModel):
    address: str | None = None


class _Liquidity(BaseModel):
    usd: Decimal | None = None


class _Pair(BaseModel):
    chainId: str  # noqa: N815
    dexId: str  # noqa: N815
    pairAddress: str  # noqa: N815
    baseToken: _Token  # noqa: N815
    quoteToken: _Token | None = None  # noqa: N815
    priceUsd: str | None = None  # noqa: N815
    liquidity: _Liquidity | None = None
    pairCreatedAt: int | None = None  # noqa: N815


_Wanted = dict[str, dict[str, Literal["new", "boosted"]]]  # slug -> token address -> kind


class DexScreenerSource:
    """Reads DEXScreener. Build one a process: it keeps the rate limits."""

    name: str = "dexscreener"

    def __init__(
        self,
        *,
        base_url: str,
        chains: Callable[[], Mapping[str, ChainKey]] = lambda: feed_chains("dexscreener"),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leftovers = FeedLeftovers()
        self._chains = chains
        self._http = FeedHttp(name="DEXScreener", base_url=base_url, clock=clock)
        self._lists = TokenBucket(per_min=LISTS_PER_MIN, burst=_BURST)
        self._pairs = TokenBucket(per_min=PAIRS_PER_MIN, burst=3 * _BURST)

    def items(self) -> tuple[FeedItem, ...]:
        """Return the pools of the tokens that are new or boosted now.

        A request that fails while others are answered is among the leftovers. Raises its error when none was answered.
        """
        harvest, chains = claims.Harvest(), dict(self._chains())
        wanted: _Wanted = {}
        try:
            if chains:
                for path, kind in _LISTS:
                    self._attempt(harvest, partial(self._read_list, harvest, path, kind, chains, wanted))
                for slug, tokens in wanted.items():
                    addresses = list(tokens)
                    for start in range(0, len(addresses), ADDRESSES_PER_REQUEST_MAX):
                        part = addresses[start : start + ADDRESSES_PER_REQUEST_MAX]
                        read = partial(self._read_pairs, harvest, slug, part, tokens, chains[slug])
                        self._attempt(harvest, read)
        finally:
            self.leftovers = harvest.leftovers()
        if harvest.faults and not harvest.answers:
            raise harvest.faults[0]
        return claims.once_each(harvest.items)

    @staticmethod
    def _attempt(harvest: claims.Harvest, read: Callable[[], None]) -> None:
        try:
            read()
        except SniperError as error:
            harvest.faults.append(error)

    def _read_list(
        self,
        harvest: claims.Harvest,
        path: str,
        kind: Literal["new", "boosted"],
        chains: Mapping[str, ChainKey],
        wanted: _Wanted,
    ) -> None:
        answer = self._http.get(path, bucket=self._lists)
        if answer is None:
            return
        entries = _list_of(answer, path)
        harvest.answers += 1
        for profile in harvest.each(entries, lambda entry: claims.model_of(_Profile, entry)):
            if profile.chainId not in chains:
                harvest.skip_chain(profile.chainId)
            elif sum(map(len, wanted.values())) < TOKENS_PER_CALL_MAX and _is_address(profile.tokenAddress):
                wanted.setdefault(profile.chainId, {})[profile.tokenAddress] = kind

    def _read_pairs(
        self,
        harvest: claims.Harvest,
        slug: str,
        addresses: list[str],
        kinds: Mapping[str, Literal["new", "boosted"]],
        chain_key: ChainKey,
    ) -> None:
        path = f"/tokens/v1/{slug}/{','.join(addresses)}"
        answer = self._http.get(path, bucket=self._pairs)
        if answer is None:
            return
        entries = _list_of(answer, f"/tokens/v1/{slug}")
        harvest.answers += 1
        kind_of = {address.lower(): kinds[address] for address in addresses}
        harvest.items += harvest.each(
            entries, lambda entry: item_of_pair(entry, slug=slug, chain_key=chain_key, kind_of=kind_of)
        )


def item_of_pair(
    entry: Any, *, slug: str, chain_key: ChainKey, kind_of: Mapping[str, Literal["new", "boosted"]]
) -> FeedItem | None:
    """Return a pair as a feed item, None when it is of another chain or token. Raises SenselessError."""
    pair = claims.model_of(_Pair, entry)
    if pair.chainId != slug:  # fork chains repeat addresses
        return None
    base = claims.address_of(pair.baseToken.address, what="base token")
    given = pair.quoteToken.address if pair.quoteToken is not None else None
    quote = "" if given is None else claims.address_of(given, what="quote token")
    kind = kind_of.get(base.lower()) or kind_of.get(quote.lower())
    if kind is None:
        return None
    return FeedItem(
        source="dexscreener",
        kind=kind,
        chain_key=chain_key,
        pool_address=claims.address_of(pair.pairAddress, what="pool"),
        base_address=base,
        quote_address=quote,
        dex_name=pair.dexId[:66],
        created_at_ms=claims.created_ms(pair.pairCreatedAt),
        liquidity_usd_micros=claims.liquidity_micros(pair.liquidity.usd if pair.liquidity else None),
        price_usd=claims.price_text(pair.priceUsd),
    )


def _list_of(answer: Any, path: str) -> list[Any]:
    """Return the list in an answer of either shape; null and absent pairs are an empty one."""
    if isinstance(answer, dict) and "pairs" in answer:
        answer = answer["pairs"] if answer["pairs"] is not None else []
    if not isinstance(answer, list):
        raise BadDataError(
            f"DEXScreener answered {path} with something that is no list",
            remedy="Nothing of it was used; it is asked again by itself.",
        )
    return answer


def _is_address(text: str) -> bool:
    try:
        claims.address_of(text, what="token")
    except claims.SenselessError:
        return False
    return True
