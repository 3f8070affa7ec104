"""Which way from one token to another gives most: directly, or through one token that everybody trades. Pure.

A route runs in one transaction, so both of its pools must be of one exchange. Quotes are exact; what a longer way costs in gas
is taken off at the route's own price, rounded against it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.chains.evm.dex.quoting import quoted
from apps.domain.market import PoolReserves

#: Pools looked at; a token has a handful, and a longer list is somebody's attempt to keep us busy.
POOLS_MAX = 64
#: Gas of the first swap with all that surrounds it, and of each further one: a little above what routers are seen to use.
FIRST_HOP_GAS = 130_000
FURTHER_HOP_GAS = 90_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutePool:
    """A pool at the block for which the route is sought. Addresses in any spelling."""

    dex_key: str
    base: str
    quote: str
    fee_bps: int
    reserves: PoolReserves

    def other(self, token: str) -> str | None:
        """Return, in lower case, what the pool trades this token (lower case) for; None when it does not hold it."""
        base, quote = self.base.lower(), self.quote.lower()
        return quote if token == base else base if token == quote else None

    def out_raw(self, sold: str, amount_in_raw: int) -> int:
        """Return what the pool gives for an amount of one of its tokens (lower case), before token taxes."""
        buys = sold == self.quote.lower()
        return quoted(self.reserves, fee_bps=self.fee_bps, buys=buys, amount_in_raw=amount_in_raw)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A way with what it brings. ``tokens`` are in lower case, in order; ``net_out_raw`` is after gas."""

    tokens: tuple[str, ...]
    pools: tuple[RoutePool, ...]
    amount_out_raw: int
    net_out_raw: int

    @property
    def dex_key(self) -> str:
        """Return the exchange whose router carries the whole way."""
        return self.pools[0].dex_key

    @property
    def fees_bps(self) -> tuple[int, ...]:
        """Return each pool's fee, by which some routers name pools."""
        return tuple(pool.fee_bps for pool in self.pools)


def best_route(
    pools: Iterable[RoutePool],
    *,
    sold: str,
    bought: str,
    amount_in_raw: int,
    middles: Sequence[str],
    gas_price_wei: int,
    native: str,
) -> Route | None:
    """Return the way that leaves most, None when no pool gives anything.

    ``middles`` are the tokens through which a way may lead; ``native`` is the wrapped coin in which gas is paid. Where neither
    end is that coin gas cannot be told in what is bought and only breaks ties. Of equal ways the shorter wins, then the first.
    """
    sold, bought, native = sold.lower(), bought.lower(), native.lower()
    assert sold != bought, sold
    known = list(pools)[:POOLS_MAX]
    ways: list[tuple[RoutePool, ...]] = [(pool,) for pool in known if pool.other(sold) == bought]
    for middle in dict.fromkeys(item.lower() for item in middles):
        if middle in (sold, bought):
            continue
        firsts = [pool for pool in known if pool.other(sold) == middle]
        seconds = [pool for pool in known if pool.other(middle) == bought]
        ways += [(first, second) for first in firsts for second in seconds if first.dex_key == second.dex_key]
    routes = [
        _route(way, sold=sold, amount_in_raw=amount_in_raw, gas_price_wei=gas_price_wei, native=native)
        for way in ways
    ]
    able = [route for route in routes if route.amount_out_raw > 0]
    return max(able, key=lambda route: (route.net_out_raw, -len(route.pools)), default=None)


def _route(
    way: tuple[RoutePool, ...], *, sold: str, amount_in_raw: int, gas_price_wei: int, native: str
) -> Route:
    tokens, amount = [sold], amount_in_raw
    for pool in way:
        amount = pool.out_raw(tokens[-1], amount)
        following = pool.other(tokens[-1])
        assert following is not None
        tokens.append(following)
    cost_wei = gas_price_wei * (FIRST_HOP_GAS + FURTHER_HOP_GAS * (len(way) - 1))
    cost = 0
    if tokens[-1] == native:
        cost = cost_wei
    elif sold == native and amount_in_raw > 0:
        cost = -(-cost_wei * amount // amount_in_raw)
    return Route(tokens=tuple(tokens), pools=way, amount_out_raw=amount, net_out_raw=amount - cost)
