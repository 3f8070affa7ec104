"""The best way from one token to another, over any set of pools."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.dex.quoting import quoted
from apps.domain.ids import PairKey
from apps.domain.market import BlockRef, PoolReserves
from apps.trading.logic.route import POOLS_MAX, Route, RoutePool, best_route

COIN, USD, TOKEN, OTHER = ("0x" + digit * 40 for digit in "1234")
BLOCK = BlockRef(1, "0x" + "00" * 32, 0)
AMOUNT = 10**18


def pool_of(
    base: str, quote: str, *, base_raw: int, quote_raw: int, dex: str = "a", fee: int = 30
) -> RoutePool:
    reserves = PoolReserves(
        pair_key=PairKey(f"{base}{quote}"), base_raw=base_raw, quote_raw=quote_raw, block=BLOCK
    )
    return RoutePool(dex_key=dex, base=base, quote=quote, fee_bps=fee, reserves=reserves)


@st.composite
def markets(draw: st.DrawFn) -> list[RoutePool]:
    pairs = ((TOKEN, COIN), (USD, COIN), (TOKEN, USD), (TOKEN, OTHER))
    raws = st.integers(0, 10**24)
    return [
        pool_of(
            *draw(st.sampled_from(pairs)),
            base_raw=draw(raws),
            quote_raw=draw(raws),
            dex=draw(st.sampled_from("ab")),
            fee=draw(st.sampled_from((1, 30, 100))),
        )
        for _ in range(draw(st.integers(0, 8)))
    ]


def best(
    pools: list[RoutePool], *, sold: str = COIN, bought: str = TOKEN, gas_price_wei: int = 0
) -> Route | None:
    return best_route(
        pools,
        sold=sold,
        bought=bought,
        amount_in_raw=AMOUNT,
        middles=(COIN, USD),
        gas_price_wei=gas_price_wei,
        native=COIN,
    )


@given(pools=markets(), gas_price=st.integers(0, 10**12))
def test_route_when_there_is_a_direct_pool_then_never_worse_after_gas(
    pools: list[RoutePool], gas_price: int
) -> None:
    for sold, bought in ((COIN, TOKEN), (TOKEN, COIN)):
        directs = [
            best([pool], sold=sold, bought=bought, gas_price_wei=gas_price)
            for pool in pools
            if {pool.base, pool.quote} == {sold, bought}
        ]
        found = best(pools, sold=sold, bought=bought, gas_price_wei=gas_price)
        for direct in directs:
            if direct is not None:
                assert found is not None
                assert found.net_out_raw >= direct.net_out_raw


@given(pools=markets())
def test_route_when_found_then_its_amount_is_that_of_its_pools_one_after_the_other(
    pools: list[RoutePool],
) -> None:
    found = best_route(
        pools, sold=COIN, bought=TOKEN, amount_in_raw=AMOUNT, middles=(USD,), gas_price_wei=1, native=COIN
    )
    if found is None:
        return
    assert len({pool.dex_key for pool in found.pools}) == 1
    assert (found.tokens[0], found.tokens[-1]) == (COIN, TOKEN)
    amount = AMOUNT
    for pool, sold in zip(found.pools, found.tokens[:-1], strict=True):
        amount = quoted(pool.reserves, fee_bps=pool.fee_bps, buys=sold == pool.quote, amount_in_raw=amount)
    assert amount == found.amount_out_raw > 0


def test_route_when_only_a_dollar_pool_then_through_dollars_of_the_same_exchange() -> None:
    dollars = pool_of(USD, COIN, base_raw=3_000 * 10**9, quote_raw=10**21)
    token = pool_of(TOKEN, USD, base_raw=10**24, quote_raw=10**10)
    elsewhere = pool_of(TOKEN, USD, base_raw=10**27, quote_raw=10**10, dex="b")
    found = best_route(
        [dollars, token, elsewhere],
        sold=COIN.upper().replace("0X", "0x"),
        bought=TOKEN,
        amount_in_raw=AMOUNT,
        middles=(USD,),
        gas_price_wei=0,
        native=COIN,
    )
    assert found is not None
    assert (found.tokens, found.pools, found.fees_bps) == ((COIN, USD, TOKEN), (dollars, token), (30, 30))


def test_route_when_gas_eats_the_gain_then_direct() -> None:
    direct = pool_of(TOKEN, COIN, base_raw=10**24, quote_raw=10**21)
    dollars = pool_of(USD, COIN, base_raw=10**24, quote_raw=10**21, fee=1)
    better = pool_of(TOKEN, USD, base_raw=10**24, quote_raw=10**24 * 999 // 1_000, fee=1)
    pools = [direct, dollars, better]
    cheap, dear = (best(pools, gas_price_wei=price) for price in (0, 10**11))
    assert cheap is not None
    assert dear is not None
    assert len(cheap.pools) == 2
    assert dear.pools == (direct,)


def test_route_when_there_are_more_pools_than_allowed_then_the_first_are_looked_at() -> None:
    empty = pool_of(TOKEN, COIN, base_raw=0, quote_raw=0)
    full = pool_of(TOKEN, COIN, base_raw=10**20, quote_raw=10**20)
    assert best([empty] * POOLS_MAX + [full]) is None
    assert best([*[empty] * (POOLS_MAX - 1), full]) is not None
