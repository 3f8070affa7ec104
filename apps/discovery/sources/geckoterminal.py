"""GeckoTerminal: the newest pools of each network, and now and then the trending ones.

We ask for, relative to the base address (``https://api.geckoterminal.com/api/v2``), with the header
``Accept: application/json;version=20230302``:

- ``GET /networks/{network}/new_pools?page=1`` for each network, newest first, 20 a page; its pools are "new";
- ``GET /networks/{network}/trending_pools?page=1`` for one network a minute in turns; its pools are "trending".

``{network}`` is the ``Chain.geckoterminal_slug`` of an enabled chain. The answer is ``{"data": [pool, …]}``, or
``{"errors": [...]}``. Of a pool we need ``attributes.address``, ``relationships.base_token.data.id`` and
``relationships.quote_token.data.id`` (each ``"{network}_{address}"``) and, where given, ``attributes.pool_created_at``
(ISO 8601), ``attributes.reserve_in_usd`` and ``attributes.base_token_price_usd`` (numbers as text), and
``relationships.dex.data.id``. Everything else is ignored; a field that is missing or null stays unknown. A pool whose
reserve is negative (it happens) is set aside.

The documented limit is 30 requests a minute; users are refused from about 10, so that is what we keep to by default.
Source: https://apiguide.geckoterminal.com
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from pydantic import BaseModel

from apps.discovery.logic.bucket import TokenBucket
from apps.discovery.selectors import feed_chains
from apps.discovery.sources import claims
from apps.discovery.sources.http import FeedHttp
from apps.domain.errors import BadDataError, SniperError
from apps.domain.ids import ChainKey
from apps.domain.market import FeedItem, FeedLeftovers

REQUESTS_PER_MIN = 10
TRENDING_EVERY_S = 60.0
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_VERSION = "application/json;version=20230302"


class _Attributes(BaseModel):
    address: str
    pool_created_at: str | None = None
    reserve_in_usd: Decimal | None = None
    base_token_price_usd: str | None = None


class _Reference(BaseModel):
    id: str


class _Relation(BaseModel):
    data: _Reference | None = None


class _Relations(BaseModel):
    base_token: _Relation
    quote_token: _Relation | None = None
    dex: _Relation | None = None


class _Pool(BaseModel):
    attributes: _Attributes
    relationships: _Relations


class GeckoTerminalSource:
    """Reads GeckoTerminal. Build one a process: it keeps the rate limit and whose turn it is."""

    name: str = "geckoterminal"

    def __init__(
        self,
        *,
        base_url: str,
        chains: Callable[[], Mapping[str, ChainKey]] = lambda: feed_chains("geckoterminal"),
        requests_per_min: int = REQUESTS_PER_MIN,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.leftovers = FeedLeftovers()
        self._chains = chains
        self._clock = clock
        self._http = FeedHttp(
            name="GeckoTerminal", base_url=base_url, headers={"Accept": _VERSION}, clock=clock
        )
        self._bucket = TokenBucket(per_min=requests_per_min, burst=requests_per_min)
        self._turn = 0
        self._trending_turn = 0
        self._trending_at_s = clock() + TRENDING_EVERY_S

    def items(self) -> tuple[FeedItem, ...]:
        """Return the newest pools of as many networks as the rate limit allows, each in its turn.

        A request that fails while others are answered is among the leftovers. Raises its error when none was answered.
        """
        harvest, chains = claims.Harvest(), dict(self._chains())
        try:
            for network, kind in self._plan(sorted(chains)):
                try:
                    if not self._read(harvest, network, kind, chains[network]):
                        break
                except SniperError as error:
                    harvest.faults.append(error)
                if kind == "new":
                    self._turn += 1  # a network that fails does not hold up the others
        finally:
            self.leftovers = harvest.leftovers()
        if harvest.faults and not harvest.answers:
            raise harvest.faults[0]
        return claims.once_each(harvest.items)

    def _plan(self, networks: list[str]) -> list[tuple[str, Literal["new", "trending"]]]:
        if not networks:
            return []
        start = self._turn % len(networks)
        plan: list[tuple[str, Literal["new", "trending"]]] = [
            (network, "new") for network in networks[start:] + networks[:start]
        ]
        if self._clock() >= self._trending_at_s:
            self._trending_at_s = self._clock() + TRENDING_EVERY_S
            plan.append((networks[self._trending_turn % len(networks)], "trending"))
            self._trending_turn += 1
        return plan

    def _read(
        self, harvest: claims.Harvest, network: str, kind: Literal["new", "trending"], chain_key: ChainKey
    ) -> bool:
        """Read one list; False when the rate limit leaves it for another time."""
        path = f"/networks/{network}/{kind}_pools"
        answer = self._http.get(path, bucket=self._bucket, params={"page": "1"})
        if answer is None:
            return False
        entries = answer.get("data") if isinstance(answer, dict) else None
        if not isinstance(entries, list):
            raise BadDataError(
                f"GeckoTerminal answered {path} without a list of pools",
                remedy="Nothing of it was used; it is asked again by itself.",
            )
        harvest.answers += 1
        harvest.items += harvest.each(
            entries, lambda entry: item_of_pool(entry, network=network, chain_key=chain_key, kind=kind)
        )
        return True


def item_of_pool(
    entry: Any, *, network: str, chain_key: ChainKey, kind: Literal["new", "trending"]
) -> FeedItem:
    """Return a pool as a feed item. Raises SenselessError."""
    pool = claims.model_of(_Pool, entry)
    relations, attributes = pool.relationships, pool.attributes
    quote_id = _id_of(relations.quote_token)
    return FeedItem(
        source="geckoterminal",
        kind=kind,
        chain_key=chain_key,
        pool_address=claims.address_of(attributes.address, what="pool"),
        base_address=_token_address(_id_of(relations.base_token), network=network, what="base token"),
        quote_address="" if not quote_id else _token_address(quote_id, network=network, what="quote token"),
        dex_name=_id_of(relations.dex)[:66],
        created_at_ms=claims.created_ms(_ms_of(attributes.pool_created_at)),
        liquidity_usd_micros=claims.liquidity_micros(attributes.reserve_in_usd),
        price_usd=claims.price_text(attributes.base_token_price_usd),
    )


def _id_of(relation: _Relation | None) -> str:
    return relation.data.id if relation is not None and relation.data is not None else ""


def _token_address(token_id: str, *, network: str, what: str) -> str:
    prefix = f"{network}_"
    if not token_id.startswith(prefix):
        raise claims.SenselessError(f"{what} is of another network")
    return claims.address_of(token_id.removeprefix(prefix), what=what)


def _ms_of(moment: str | None) -> int | None:
    if moment is None:
        return None
    try:
        parsed = datetime.fromisoformat(moment)
    except ValueError:
        raise claims.SenselessError("creation time is not readable") from None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=UTC)
    return (parsed - _EPOCH) // timedelta(milliseconds=1)
