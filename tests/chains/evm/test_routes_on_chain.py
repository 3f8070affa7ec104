"""Ways through a middle token, built for each exchange and carried out: they bring what the route says, to the unit."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest
from eth_account.signers.local import LocalAccount

from apps.chains.evm.dex.concentrated_liquidity import TICK_MAX, sqrt_price_at
from apps.chains.evm.reader import EvmReader
from apps.chains.registry import DEX_KINDS
from apps.domain.ids import ClientOrderId, PairKey, TraceId, WalletKey, pair_key_of
from apps.domain.market import BlockRef, DexProfile, Listing
from apps.domain.money import Amount, Token
from apps.domain.order import OrderIntent, Side, UnsignedTx
from apps.trading.logic.route import Route, RoutePool, best_route
from tests.chain_fixtures import Market, calldata, deploy, read, running_market, transact
from tests.chains.evm.concentrated_pools import send
from tests.chains.evm.contracts import artifact
from tests.chains.evm.deployment import chain_key, client_of, dex_of, profile_of
from tests.chains.evm.solidly_market import SolidlyDex, solidly_profile
from tests.chains.evm.v3_market import SPACINGS, V3Dex, v3_profile

pytestmark = pytest.mark.chain

COIN, DEADLINE = 10**18, 2**40
EVER = 2**256 - 1
FEE_PIPS = 3_000
Fill = Callable[[Market, str, str, int, int], str]


@dataclass(frozen=True, slots=True)
class Exchange:
    """An exchange with how a pool of two tokens is made and filled there."""

    dex: DexProfile
    fill: Fill


def _v2(market: Market) -> Exchange:
    def fill(market: Market, first: str, second: str, first_raw: int, second_raw: int) -> str:
        account = market.chain.accounts[0]
        data = calldata(
            "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
            *(first, second, first_raw, second_raw, 0, 0, account.address, DEADLINE),
        )
        send(market.rpc, account, market.dex.router, data)
        return str(
            read(market.rpc, market.dex.factory, "getPair(address,address)", first, second, returns="address")
        )

    return Exchange(dex_of(market), fill)


def _solidly(market: Market) -> Exchange:
    dex = SolidlyDex.deploy(market)

    def fill(market: Market, first: str, second: str, first_raw: int, second_raw: int) -> str:
        account = market.chain.accounts[0]
        data = calldata(
            "addLiquidity(address,address,bool,uint256,uint256,uint256,uint256,address,uint256)",
            *(first, second, False, first_raw, second_raw, 0, 0, account.address, DEADLINE),
        )
        send(market.rpc, account, dex.router, data)
        found = read(
            market.rpc,
            dex.factory,
            "getPool(address,address,bool)",
            *(first, second, False),
            returns="address",
        )
        return str(found)

    return Exchange(solidly_profile(market, dex), fill)


def _v3(market: Market) -> Exchange:
    dex = V3Dex.deploy(market)
    reach = TICK_MAX // SPACINGS[FEE_PIPS] * SPACINGS[FEE_PIPS]

    def fill(market: Market, first: str, second: str, first_raw: int, second_raw: int) -> str:
        account, pair = market.chain.accounts[0], (first, second)
        amounts = (first_raw, second_raw)
        if int(first, 16) > int(second, 16):
            pair, amounts = pair[::-1], amounts[::-1]
        opening = calldata(
            "createAndInitializePoolIfNecessary(address,address,uint24,uint160)",
            *(*pair, FEE_PIPS, sqrt_price_at(0)),
        )
        send(market.rpc, account, dex.positions, opening)
        mint = "mint((address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256))"
        position = (*pair, FEE_PIPS, -reach, reach, *amounts, 0, 0, account.address, DEADLINE)
        send(market.rpc, account, dex.positions, calldata(mint, position))
        found = read(
            market.rpc,
            dex.factory,
            "getPool(address,address,uint24)",
            *(*pair, FEE_PIPS),
            returns="address",
        )
        return str(found)

    return Exchange(v3_profile(market, dex), fill)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as running:
        send(
            running.rpc,
            running.chain.accounts[0],
            running.dex.wrapped,
            calldata("deposit()"),
            value=900 * COIN,
        )
        yield running


@pytest.mark.parametrize("make", [_v2, _solidly, _v3], ids=["v2", "solidly", "v3"])
def test_way_when_through_a_middle_token_then_brings_exactly_what_it_says(
    market: Market, make: Callable[[Market], Exchange]
) -> None:
    exchange = make(market)
    account, wrapped = market.chain.accounts[0], market.dex.wrapped
    middle, token = (deploy(market.rpc, account, artifact("MoveFeeToken"), 10**30) for _ in range(2))
    spenders = {exchange.dex.router, *_position_holders(market, exchange)}
    for spent in (middle, token, wrapped):
        for spender in spenders:
            send(market.rpc, account, spent, calldata("approve(address,uint256)", spender, EVER))
    pools = (
        (middle, wrapped, exchange.fill(market, middle, wrapped, 50 * COIN, 50 * COIN)),
        (token, middle, exchange.fill(market, token, middle, 40 * COIN, 40 * COIN)),
    )
    buyer = market.buyer()
    bought = _best(market, exchange, pools, sold=wrapped, bought=token, amount_raw=COIN)
    assert bought.tokens == tuple(item.lower() for item in (wrapped, middle, token))
    assert not _sent(market, exchange, buyer, bought, "buy", COIN, bought.amount_out_raw + 1)
    assert _sent(market, exchange, buyer, bought, "buy", COIN, bought.amount_out_raw)
    assert market.balance(token, buyer.address) == bought.amount_out_raw
    held = bought.amount_out_raw
    sold = _best(market, exchange, pools, sold=token, bought=wrapped, amount_raw=held)
    assert not _sent(market, exchange, buyer, sold, "sell", held, sold.amount_out_raw + 1)
    assert _sent(market, exchange, buyer, sold, "sell", held, sold.amount_out_raw)
    assert market.balance(token, buyer.address) == 0


def _position_holders(market: Market, exchange: Exchange) -> tuple[str, ...]:
    if exchange.dex.kind != "uniswap_v3":
        return ()
    return (str(read(market.rpc, exchange.dex.router, "positionManager()", returns="address")),)


def _best(
    market: Market,
    exchange: Exchange,
    pools: tuple[tuple[str, str, str], ...],
    *,
    sold: str,
    bought: str,
    amount_raw: int,
) -> Route:
    reader = EvmReader(client_of(market), profile_of(market), dexes=(exchange.dex,))
    listings = [_listing(market, exchange, *pool) for pool in pools]
    reserves = reader.reserves(listings)
    found = best_route(
        [
            RoutePool(
                dex_key=exchange.dex.dex_key,
                base=item.base.address,
                quote=item.quote.address,
                fee_bps=item.fee_bps,
                reserves=reserves[item.pair_key],
            )
            for item in listings
        ],
        sold=sold,
        bought=bought,
        amount_in_raw=amount_raw,
        middles=(pools[0][0],),
        gas_price_wei=1,
        native=market.dex.wrapped,
    )
    assert found is not None
    return found


def _listing(market: Market, exchange: Exchange, base: str, quote: str, pool: str) -> Listing:
    key = chain_key(market)
    return Listing(
        trace_id=TraceId("0" * 32),
        pair_key=pair_key_of(key, pool),
        dex_key=exchange.dex.dex_key,
        pool_address=pool,
        base=Token(key, base, "B", 18),
        quote=Token(key, quote, "Q", 18),
        base_is_token0=int(base, 16) < int(quote, 16),
        fee_bps=30,
        created_block=BlockRef(1, "", 0),
        creator="",
    )


def _sent(
    market: Market,
    exchange: Exchange,
    account: LocalAccount,
    route: Route,
    side: Side,
    amount_raw: int,
    least_raw: int,
) -> bool:
    profile, buys = profile_of(market), side == "buy"
    token = Token(profile.chain_key, route.tokens[-1 if buys else 0], "T", 18)
    intent = OrderIntent(
        trace_id=TraceId("0" * 32),
        client_order_id=ClientOrderId("order"),
        side=side,
        wallet_key=WalletKey("wallet"),
        pair_key=PairKey("pair"),
        dex_key=route.dex_key,
        route=route.tokens,
        amount_in=Amount(amount_raw, profile.native if buys else token),
        amount_out_min=Amount(least_raw, token if buys else profile.native),
        fee_cap_raw=COIN,
        gas_limit=800_000,
        epoch=1,
        expires_at_ms=0,
        fee_bps=30,
        hop_fees_bps=route.fees_bps,
    )
    builder = DEX_KINDS[exchange.dex.kind].builder(profile=profile, dex=exchange.dex)
    txs: list[UnsignedTx | None] = [builder.approval(intent, nonce=0, allowance_raw=0)]
    txs.append(builder.swap(intent, nonce=1, recipient=account.address, deadline_s=DEADLINE))
    answers = [
        transact(
            market.rpc, account, to=tx.to, data="0x" + tx.data.hex(), value=tx.value_raw, gas=tx.gas_limit
        )
        for tx in txs
        if tx is not None
    ]
    return bool(answers[-1]["status"] == "0x1")
