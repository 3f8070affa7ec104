"""Uniswap V3 read and traded through our own types, beside its real contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from apps.chains.evm import parse
from apps.chains.evm.dex.pool_states import pool_states
from apps.chains.evm.dex.quoting import PoolQuoter
from apps.chains.evm.dex.uniswap_v3 import (
    SWAP_TOPICS,
    UniswapV3PairSource,
    UniswapV3SwapBuilder,
    pool_swap,
    reserves_of,
    signed,
    unsigned,
)
from apps.chains.evm.jsonrpc import Request
from apps.domain.concentrated import ConcentratedLiquidity
from apps.domain.errors import BadDataError, TradingError
from apps.domain.ids import ChainKey, ClientOrderId, TraceId, WalletKey, pair_key_of
from apps.domain.market import BlockRef, Listing, PoolReserves
from apps.domain.money import Amount, Token
from apps.domain.order import OrderIntent, Side, UnsignedTx
from tests.chain_fixtures import Market, calldata, deploy, running_market, transact
from tests.chains.evm.contracts import artifact
from tests.chains.evm.deployment import chain_key, client_of, profile_of
from tests.chains.evm.v3_market import V3Dex, add_position, create_pool, is_token0, quoted, v3_profile

pytestmark = pytest.mark.chain

DEADLINE_S = 2**40
COIN = 10**18
TOKENS_PER_COIN = 10_000


@dataclass(frozen=True, slots=True)
class Scene:
    """A token with a pool that has a wide and some narrow positions."""

    market: Market
    dex: V3Dex
    token: str
    pool: str
    fee_pips: int

    @property
    def listing(self) -> Listing:
        """Return the pool as a listing, out of its own creation log."""
        head = int(self.market.rpc("eth_blockNumber"), 16)
        events = UniswapV3PairSource(client_of(self.market), v3_profile(self.market, self.dex)).events(
            0, head
        )
        event = next(item for item in events if item.pool_address == self.pool)
        assert event.fee_bps is not None
        key = chain_key(self.market)
        return Listing(
            trace_id=TraceId("0" * 32),
            pair_key=pair_key_of(key, self.pool),
            dex_key="uniswap_v3",
            pool_address=self.pool,
            base=Token(key, self.token, "MOVE", 18),
            quote=Token(key, self.market.dex.wrapped, "WETH", 18),
            base_is_token0=event.token0 == self.token,
            fee_bps=event.fee_bps,
            created_block=event.block,
            creator="",
        )

    def state(self) -> ConcentratedLiquidity:
        client = client_of(self.market)

        def ask(requests: Mapping[str, Request]) -> dict[str, Any]:
            return dict(zip(requests, client.batch(list(requests.values())), strict=True))

        return pool_states(ask, {"pool": self.pool}, at="latest")["pool"]

    def reserves(self) -> PoolReserves:
        block = self.market.rpc("eth_getBlockByNumber", "latest", False)
        return reserves_of(
            self.state(),
            listing=self.listing,
            block=parse.block_ref(block),
            base_held_raw=self.market.balance(self.token, self.pool),
            quote_held_raw=self.market.balance(self.market.dex.wrapped, self.pool),
        )

    def intent(self, side: Side, amount_raw: int, out_min_raw: int) -> OrderIntent:
        listing, native, buys = self.listing, profile_of(self.market).native, side == "buy"
        route = (listing.quote.address, listing.base.address)
        return OrderIntent(
            trace_id=TraceId("0" * 32),
            client_order_id=ClientOrderId("order"),
            side=side,
            wallet_key=WalletKey("wallet"),
            pair_key=listing.pair_key,
            dex_key=listing.dex_key,
            route=route if buys else route[::-1],
            amount_in=Amount(amount_raw, native if buys else listing.base),
            amount_out_min=Amount(out_min_raw, listing.base if buys else native),
            fee_cap_raw=COIN,
            gas_limit=600_000,
            epoch=1,
            expires_at_ms=0,
            fee_bps=listing.fee_bps,
        )


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as running:
        yield running


@pytest.fixture(scope="module")
def dex(market: Market) -> V3Dex:
    return V3Dex.deploy(market)


@pytest.fixture(params=[500, 3_000, 10_000])
def scene(request: pytest.FixtureRequest, market: Market, dex: V3Dex) -> Scene:
    return scene_of(market, dex, fee_pips=request.param)


def scene_of(market: Market, dex: V3Dex, *, fee_pips: int) -> Scene:
    token = deploy(market.rpc, market.chain.accounts[0], artifact("MoveFeeToken"), 10**30)
    pool = create_pool(market, dex, token, fee_pips=fee_pips, tokens_per_coin=TOKENS_PER_COIN)
    near = -91_800 if is_token0(market, token) else 91_800
    for reach, coins in ((None, 20), (12_000, 5), (3_000, 3), (1_200, 2)):
        ticks = None if reach is None else (near - reach, near + reach)
        add_position(
            market,
            dex,
            token,
            fee_pips=fee_pips,
            token_amount=coins * TOKENS_PER_COIN * COIN,
            native_amount=coins * COIN,
            ticks=ticks,
        )
    return Scene(market, dex, token, pool, fee_pips)


def sent(scene: Scene, account: Any, tx: UnsignedTx) -> dict[str, Any]:
    return transact(
        scene.market.rpc, account, to=tx.to, data="0x" + tx.data.hex(), value=tx.value_raw, gas=tx.gas_limit
    )


def builder_of(scene: Scene) -> UniswapV3SwapBuilder:
    return UniswapV3SwapBuilder(profile=profile_of(scene.market), dex=v3_profile(scene.market, scene.dex))


def test_pool_when_created_then_listed_with_its_own_fee(scene: Scene) -> None:
    assert scene.listing.fee_bps * 100 == scene.fee_pips
    assert scene.listing.base_is_token0 == is_token0(scene.market, scene.token)


def test_quote_when_state_is_read_then_equals_quoter_across_ticks(scene: Scene) -> None:
    reserves, listing = scene.reserves(), scene.listing
    route = (listing.quote.address, listing.base.address)
    assert reserves.concentrated is not None
    assert len(reserves.concentrated.ticks) >= 4
    for side, path, unit in (("buy", route, COIN // 1000), ("sell", route[::-1], 10 * COIN)):
        for factor in (1, 7, 333, 1_999, 9_000):
            ours = PoolQuoter().amount_out(
                reserves, fee_bps=listing.fee_bps, side=side, amount_in_raw=unit * factor + 1
            )
            theirs = quoted(
                scene.market, scene.dex, path, fee_pips=scene.fee_pips, amount_in_raw=unit * factor + 1
            )
            assert ours == theirs, (side, factor)


def test_reserves_when_ranges_are_narrow_then_no_deeper_than_coins_held(scene: Scene) -> None:
    reserves = scene.reserves()
    assert 0 < reserves.quote_raw <= scene.market.balance(scene.market.dex.wrapped, scene.pool)
    assert 0 < reserves.base_raw <= scene.market.balance(scene.token, scene.pool)
    assert abs(reserves.base_raw // reserves.quote_raw - TOKENS_PER_COIN) < TOKENS_PER_COIN // 20


def test_round_trip_when_quoted_exactly_then_fills_at_the_quote(scene: Scene) -> None:
    market, builder, buyer = scene.market, builder_of(scene), scene.market.buyer()
    quoter, listing = PoolQuoter(), scene.listing
    spent = COIN + 7
    expected = quoter.amount_out(scene.reserves(), fee_bps=listing.fee_bps, side="buy", amount_in_raw=spent)
    buy = builder.swap(
        scene.intent("buy", spent, expected), nonce=0, recipient=buyer.address, deadline_s=DEADLINE_S
    )
    receipt = sent(scene, buyer, buy)
    assert receipt["status"] == "0x1"
    assert market.balance(scene.token, buyer.address) == expected
    read = parse.receipt(receipt, block_at_ms=0, wrapped_address=market.dex.wrapped)
    booked = {"wallet": buyer.address, "base_address": scene.token, "pool_address": scene.pool}
    assert parse.fill_amounts(read, wrapped_address=market.dex.wrapped, side="buy", **booked) == (
        spent,
        expected,
    )
    back = quoter.amount_out(scene.reserves(), fee_bps=listing.fee_bps, side="sell", amount_in_raw=expected)
    intent = scene.intent("sell", expected, back)
    approval = builder.approval(intent, nonce=1, allowance_raw=0)
    assert approval is not None
    assert sent(scene, buyer, approval)["status"] == "0x1"
    too_much = scene.intent("sell", expected, back + 1)
    fails = builder.swap(too_much, nonce=2, recipient=buyer.address, deadline_s=DEADLINE_S)
    assert sent(scene, buyer, fails)["status"] == "0x0"
    sell = builder.swap(intent, nonce=3, recipient=buyer.address, deadline_s=DEADLINE_S)
    receipt = sent(scene, buyer, sell)
    assert receipt["status"] == "0x1"
    read = parse.receipt(receipt, block_at_ms=0, wrapped_address=market.dex.wrapped)
    assert parse.fill_amounts(read, wrapped_address=market.dex.wrapped, side="sell", **booked) == (
        expected,
        back,
    )
    for token in (market.dex.wrapped, scene.token):
        assert market.balance(token, scene.dex.router) == 0


def test_swap_logs_when_both_ways_then_seen_from_the_base(market: Market, dex: V3Dex) -> None:
    scene = scene_of(market, dex, fee_pips=3_000)
    builder, buyer = builder_of(scene), market.buyer()
    sent(
        scene,
        buyer,
        builder.swap(scene.intent("buy", COIN, 1), nonce=0, recipient=buyer.address, deadline_s=DEADLINE_S),
    )
    held = market.balance(scene.token, buyer.address)
    intent = scene.intent("sell", held, 1)
    approval = builder.approval(intent, nonce=1, allowance_raw=0)
    assert approval is not None
    sent(scene, buyer, approval)
    sent(scene, buyer, builder.swap(intent, nonce=2, recipient=buyer.address, deadline_s=DEADLINE_S))
    logs = market.rpc(
        "eth_getLogs", {"address": scene.pool, "topics": [list(SWAP_TOPICS)], "fromBlock": "0x0"}
    )
    swaps = [pool_swap(parse.log_of(log), scene.listing, seller=buyer.address, times_ms={}) for log in logs]
    assert [(item.side, item.base_raw) for item in swaps] == [("buy", held), ("sell", held)]
    assert swaps[0].quote_raw == COIN
    assert swaps[1].trader == buyer.address


def test_tax_when_raised_after_the_quote_then_buy_reverts_and_sell_cannot_pass(
    market: Market, dex: V3Dex
) -> None:
    scene = scene_of(market, dex, fee_pips=10_000)
    builder, buyer = builder_of(scene), market.buyer()
    expected = PoolQuoter().amount_out(scene.reserves(), fee_bps=100, side="buy", amount_in_raw=COIN)
    least = expected * 99 // 100
    assert (
        sent(
            scene,
            buyer,
            builder.swap(
                scene.intent("buy", COIN, least), nonce=0, recipient=buyer.address, deadline_s=DEADLINE_S
            ),
        )["status"]
        == "0x1"
    )
    held = market.balance(scene.token, buyer.address)
    transact(market.rpc, market.chain.accounts[0], to=scene.token, data=calldata("setFee(uint256)", 500))
    quoted_now = PoolQuoter().amount_out(scene.reserves(), fee_bps=100, side="buy", amount_in_raw=COIN)
    again = builder.swap(
        scene.intent("buy", COIN, quoted_now * 97 // 100),
        nonce=1,
        recipient=buyer.address,
        deadline_s=DEADLINE_S,
    )
    lenient = builder.swap(
        scene.intent("buy", COIN, quoted_now * 90 // 100),
        nonce=1,
        recipient=buyer.address,
        deadline_s=DEADLINE_S,
    )
    assert sent(scene, buyer, again)["status"] == "0x0"
    assert sent(scene, buyer, lenient)["status"] == "0x1"
    intent = scene.intent("sell", held, 1)
    approval = builder.approval(intent, nonce=3, allowance_raw=0)
    assert approval is not None
    sent(scene, buyer, approval)
    assert (
        sent(scene, buyer, builder.swap(intent, nonce=4, recipient=buyer.address, deadline_s=DEADLINE_S))[
            "status"
        ]
        == "0x0"
    )


def test_swap_when_pool_runs_dry_then_rest_comes_back(market: Market, dex: V3Dex) -> None:
    token = deploy(market.rpc, market.chain.accounts[0], artifact("MoveFeeToken"), 10**30)
    pool = create_pool(market, dex, token, fee_pips=10_000, tokens_per_coin=TOKENS_PER_COIN)
    near = -91_800 if is_token0(market, token) else 91_800
    add_position(
        market,
        dex,
        token,
        fee_pips=10_000,
        token_amount=TOKENS_PER_COIN * COIN,
        native_amount=COIN,
        ticks=(near - 1_000, near + 1_000),
    )
    scene = Scene(market, dex, token, pool, 10_000)
    buyer = market.buyer()
    before = int(market.rpc("eth_getBalance", buyer.address, "latest"), 16)
    tx = builder_of(scene).swap(
        scene.intent("buy", 50 * COIN, 1), nonce=0, recipient=buyer.address, deadline_s=DEADLINE_S
    )
    receipt = sent(scene, buyer, tx)
    # With no limit of price the router spends what the pool takes; the refund returns the rest.
    after = int(market.rpc("eth_getBalance", buyer.address, "latest"), 16)
    assert receipt["status"] == "0x1"
    assert before - after < 2 * COIN
    assert int(market.rpc("eth_getBalance", dex.router, "latest"), 16) == 0


def test_pool_when_without_price_then_absent(market: Market, dex: V3Dex) -> None:
    token = deploy(market.rpc, market.chain.accounts[0], artifact("MoveFeeToken"), 10**30)
    data = calldata("createPool(address,address,uint24)", token, market.dex.wrapped, 3_000)
    receipt = transact(market.rpc, market.chain.accounts[0], to=dex.factory, data=data)
    pool = "0x" + receipt["logs"][0]["data"][-40:]
    client = client_of(market)

    def ask(requests: Mapping[str, Request]) -> dict[str, Any]:
        return dict(zip(requests, client.batch(list(requests.values())), strict=True))

    assert pool_states(ask, {"empty": pool, "none": "0x" + "11" * 20}, at="latest") == {}


def test_swap_when_fee_is_unknown_then_refused(market: Market, dex: V3Dex) -> None:
    scene = scene_of(market, dex, fee_pips=500)
    intent = replace(scene.intent("buy", COIN, 1), fee_bps=None)
    with pytest.raises(TradingError):
        builder_of(scene).swap(intent, nonce=0, recipient=market.dex.router, deadline_s=DEADLINE_S)


@pytest.mark.parametrize("number", [0, 1, -1, 2**127 - 1, -(2**127)])
def test_signed_number_when_written_and_read_then_the_same(number: int) -> None:
    assert signed(unsigned(number), 128) == number


def test_signed_number_when_too_wide_then_refused() -> None:
    with pytest.raises(BadDataError):
        signed(2**127, 128)


def test_reserves_when_one_sided_then_no_depth() -> None:
    key = ChainKey("eip155:1")
    token, wrapped = Token(key, "0x" + "11" * 20, "T", 18), Token(key, "0x" + "22" * 20, "W", 18)
    block = BlockRef(1, "0x" + "00" * 32, 0)
    listing = Listing(
        trace_id=TraceId("0" * 32),
        pair_key=pair_key_of(key, "0x" + "33" * 20),
        dex_key="uniswap_v3",
        pool_address="0x" + "33" * 20,
        base=token,
        quote=wrapped,
        base_is_token0=True,
        fee_bps=100,
        created_block=block,
        creator="",
    )
    state = ConcentratedLiquidity(
        sqrt_price_x96=2**96,
        tick=0,
        liquidity=10**20,
        fee_pips=10_000,
        tick_spacing=200,
        ticks=(),
        known_from=-200,
        known_to=200,
    )
    found = reserves_of(state, listing=listing, block=block, base_held_raw=10**24, quote_held_raw=0)
    assert (found.base_raw, found.quote_raw) == (0, 0)
