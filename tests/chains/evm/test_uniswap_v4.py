"""Uniswap V4 read and traded through our own types, beside its real contracts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest
from eth_account.signers.local import LocalAccount

from apps.chains.evm import parse
from apps.chains.evm.dex.concentrated_liquidity import swap_quote
from apps.chains.evm.dex.uniswap_v4 import (
    NO_HOOKS,
    TOPIC_SWAP,
    PoolKey,
    PoolState,
    UniswapV4PairSource,
    held_raw,
    pool_key_of,
    pool_states,
    state_after,
    swap_amounts,
)
from apps.chains.evm.dex.universal_router import PERMISSION_S, PERMIT2, UniversalRouterSwapBuilder
from apps.chains.evm.jsonrpc import Request
from apps.domain.errors import BadDataError, TradingError
from apps.domain.ids import ClientOrderId, TraceId, WalletKey, pair_key_of
from apps.domain.money import Amount, Token
from apps.domain.order import OrderIntent, Side, UnsignedTx
from tests.chain_fixtures import ZERO_ADDRESS, Market, calldata, deploy, read, running_market, transact
from tests.chains.evm.contracts import artifact
from tests.chains.evm.deployment import chain_key, client_of, profile_of
from tests.chains.evm.v4_market import (
    V4Dex,
    add_position,
    create_pool,
    quoted,
    set_protocol_fee,
    v4_profile,
)

pytestmark = pytest.mark.chain

DEADLINE_S = 2**40
COIN = 10**18
#: Ten thousand tokens for a coin.
TICK = 92_100
SEED = 5
#: How many ticks each way, and the liquidity there.
NARROW = ((12_000, 10**21), (3_000, 10**21), (1_200, 5 * 10**20))
POSITIONS = ((200_000, 2 * 10**21), *NARROW)


@dataclass(frozen=True, slots=True)
class Scene:
    """A token and a pool of it and native or wrapped coin, with a wide and some narrow positions."""

    market: Market
    dex: V4Dex
    token: str
    key: PoolKey

    @property
    def buys_zero_for_one(self) -> bool:
        return self.key.currency1.lower() == self.token.lower()

    def state(self) -> PoolState:
        client = client_of(self.market)

        def ask(requests: Mapping[str, Request]) -> dict[str, Any]:
            return dict(zip(requests, client.batch(list(requests.values())), strict=True))

        return pool_states(ask, self.dex.manager, {"pool": self.key}, at="latest")["pool"]

    def ours(self, side: Side, amount_raw: int) -> int:
        zero_for_one = self.buys_zero_for_one is (side == "buy")
        pool = self.state().directed(zero_for_one=zero_for_one)
        quote = swap_quote(pool, zero_for_one=zero_for_one, amount_in_raw=amount_raw)
        assert quote.is_known
        return quote.amount_out_raw

    def theirs(self, side: Side, amount_raw: int) -> int:
        zero_for_one = self.buys_zero_for_one is (side == "buy")
        return quoted(self.market, self.dex, self.key, zero_for_one=zero_for_one, amount_in_raw=amount_raw)

    @property
    def builder(self) -> UniversalRouterSwapBuilder:
        return UniversalRouterSwapBuilder(
            profile=profile_of(self.market), dex=v4_profile(self.market, self.dex), key=self.key
        )

    def intent(self, side: Side, amount_raw: int, out_min_raw: int) -> OrderIntent:
        buys, key = side == "buy", chain_key(self.market)
        native, base = profile_of(self.market).native, Token(key, self.token, "MOVE", 18)
        route = (self.market.dex.wrapped, self.token)
        return OrderIntent(
            trace_id=TraceId("0" * 32),
            client_order_id=ClientOrderId("order"),
            side=side,
            wallet_key=WalletKey("wallet"),
            pair_key=pair_key_of(key, self.key.pool_id),
            dex_key="uniswap_v4",
            route=route if buys else route[::-1],
            amount_in=Amount(amount_raw, native if buys else base),
            amount_out_min=Amount(out_min_raw, base if buys else native),
            fee_cap_raw=COIN,
            gas_limit=800_000,
            epoch=1,
            expires_at_ms=0,
            fee_bps=self.key.fee_pips // 100,
        )

    def sent(self, account: LocalAccount, tx: UnsignedTx) -> dict[str, Any]:
        return transact(
            self.market.rpc,
            account,
            to=tx.to,
            data="0x" + tx.data.hex(),
            value=tx.value_raw,
            gas=tx.gas_limit,
        )

    def swap(self, account: LocalAccount, side: Side, amount_raw: int, out_min_raw: int) -> dict[str, Any]:
        tx = self.builder.swap(
            self.intent(side, amount_raw, out_min_raw),
            nonce=0,
            recipient=account.address,
            deadline_s=DEADLINE_S,
        )
        return self.sent(account, tx)

    def now_s(self) -> int:
        return int(self.market.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)

    def permit(self, account: LocalAccount, amount_raw: int) -> list[UnsignedTx]:
        """Send what a sale needs before it."""
        needed = self.builder.permissions(
            self.intent("sell", amount_raw, 1),
            nonce=0,
            token_allowance_raw=0,
            router_allowance_raw=0,
            now_s=self.now_s(),
        )
        for tx in needed:
            assert self.sent(account, tx)["status"] == "0x1"
        return list(needed)


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as running:
        yield running


@pytest.fixture(scope="module")
def dex(market: Market) -> V4Dex:
    return V4Dex.deploy(market)


def scene_of(
    market: Market,
    dex: V4Dex,
    *,
    fee_pips: int = 3_000,
    wrapped: bool = False,
    positions: Sequence[tuple[int, int]] = POSITIONS,
) -> Scene:
    token = deploy(market.rpc, market.chain.accounts[0], artifact("MoveFeeToken"), 10**33)
    coin = market.dex.wrapped if wrapped else ZERO_ADDRESS
    first, second = sorted((coin, token), key=lambda address: int(address, 16))
    spacing = {500: 10, 3_000: 60, 10_000: 200}[fee_pips]
    key = PoolKey(currency0=first, currency1=second, fee_pips=fee_pips, tick_spacing=spacing)
    tick = TICK if second == token else -TICK
    create_pool(market, dex, key, tick=tick)
    if wrapped:
        account = market.chain.accounts[0]
        transact(market.rpc, account, to=coin, data=calldata("deposit()"), value=2_000 * COIN)
    for reach, liquidity in positions:
        lower, upper = ((tick + way * reach) // spacing * spacing for way in (-1, 1))
        add_position(market, dex, key, ticks=(lower, upper), liquidity=liquidity, native_max=200 * COIN)
    return Scene(market, dex, token, key)


@pytest.mark.parametrize("fee_pips", [500, 3_000, 10_000])
def test_quotes_when_ticks_are_crossed_then_equal_to_the_quoter(
    market: Market, dex: V4Dex, fee_pips: int
) -> None:
    scene, chance = scene_of(market, dex, fee_pips=fee_pips), Random(SEED)
    for protocol in ((0, 0), (1_000, 250)):
        set_protocol_fee(market, dex, scene.key, pips=protocol)
        for _ in range(12):
            buy, sell = 10 ** chance.randint(3, 19), 10 ** chance.randint(3, 23)
            assert scene.ours("buy", buy + 7) == scene.theirs("buy", buy + 7)
            assert scene.ours("sell", sell + 7) == scene.theirs("sell", sell + 7)


@pytest.mark.parametrize("wrapped", [False, True], ids=["native", "wrapped"])
def test_trades_when_built_then_bring_exactly_their_quotes(
    market: Market, dex: V4Dex, *, wrapped: bool
) -> None:
    scene, buyer = scene_of(market, dex, wrapped=wrapped), market.buyer()
    expected = scene.ours("buy", COIN)
    assert scene.swap(buyer, "buy", COIN, expected + 1)["status"] == "0x0"
    before = scene.state()
    receipt = scene.swap(buyer, "buy", COIN, expected)
    assert receipt["status"] == "0x1"
    assert market.balance(scene.token, buyer.address) == expected
    [log] = [parse.log_of(item) for item in receipt["logs"] if item["topics"][0] == TOPIC_SWAP]
    amounts = swap_amounts(log)
    assert amounts == ((COIN, -expected) if scene.buys_zero_for_one else (-expected, COIN))
    assert state_after(log, before) == scene.state()
    assert scene.swap(buyer, "sell", expected, 1)["status"] == "0x0"
    scene.permit(buyer, expected)
    back = scene.ours("sell", expected)
    had = int(market.rpc("eth_getBalance", buyer.address, "latest"), 16)
    receipt = scene.swap(buyer, "sell", expected, back)
    assert receipt["status"] == "0x1"
    fee = int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert int(market.rpc("eth_getBalance", buyer.address, "latest"), 16) == had + back - fee
    assert market.balance(scene.token, buyer.address) == 0


def test_permissions_when_sold_then_nothing_is_left_of_them(market: Market, dex: V4Dex) -> None:
    scene, buyer = scene_of(market, dex), market.buyer()
    assert scene.swap(buyer, "buy", COIN, 1)["status"] == "0x1"
    held = market.balance(scene.token, buyer.address)
    token_step, router_step = scene.permit(buyer, held)
    assert (token_step.to.lower(), router_step.to) == (scene.token.lower(), PERMIT2)

    def left() -> tuple[int, int, int]:
        allowed = read(
            market.rpc,
            PERMIT2,
            "allowance(address,address,address)",
            *(buyer.address, scene.token, dex.router),
            returns="(uint160,uint48,uint48)",
        )
        to_permit2 = read(
            market.rpc,
            scene.token,
            "allowance(address,address)",
            buyer.address,
            PERMIT2,
            returns="uint256",
        )
        return to_permit2, allowed[0], allowed[1]

    assert left()[:2] == (held, held)
    assert 0 < left()[2] - scene.now_s() <= PERMISSION_S
    assert scene.swap(buyer, "sell", held, 1)["status"] == "0x1"
    assert left()[:2] == (0, 0)
    intent = scene.intent("sell", held, 1)
    allowed = {"token_allowance_raw": held, "router_allowance_raw": held}
    assert scene.builder.permissions(intent, nonce=0, now_s=0, **allowed) == ()


def test_buy_when_token_takes_a_fee_then_reverts_below_the_least(market: Market, dex: V4Dex) -> None:
    scene, buyer = scene_of(market, dex), market.buyer()
    expected = scene.ours("buy", COIN)
    transact(market.rpc, market.chain.accounts[0], to=scene.token, data=calldata("setFee(uint256)", 500))
    assert scene.swap(buyer, "buy", COIN, expected * 99 // 100)["status"] == "0x0"
    assert scene.swap(buyer, "buy", COIN, 1)["status"] == "0x1"


def test_source_when_pools_have_hooks_or_not_then_only_plain_ones_are_told(
    market: Market, dex: V4Dex
) -> None:
    first = int(market.rpc("eth_blockNumber"), 16) + 1
    scene = scene_of(market, dex)
    # The lowest bits of a hook's address say when it is called: this one after liquidity was removed.
    hooked = replace(scene.key, hooks="0x0000000000000000000000000000000000AB0100")
    create_pool(market, dex, hooked, tick=0)
    faults: list[BadDataError] = []
    source = UniswapV4PairSource(
        client_of(market), v4_profile(market, dex), native=market.dex.wrapped, on_fault=faults.append
    )
    [event] = source.events(first, int(market.rpc("eth_blockNumber"), 16))
    assert event.pool_address == scene.key.pool_id
    assert {event.token0, event.token1} == {market.dex.wrapped, scene.token}
    assert event.fee_bps == 30
    assert [error.context["sample"] for error in faults] == [repr(hooked.hooks.lower())]
    trusting = UniswapV4PairSource(
        client_of(market),
        v4_profile(market, dex),
        native=market.dex.wrapped,
        harmless_hooks=frozenset({hooked.hooks.lower()}),
    )
    head = int(market.rpc("eth_blockNumber"), 16)
    assert [item.pool_address for item in trusting.events(first, head)] == [
        scene.key.pool_id,
        hooked.pool_id,
    ]


def test_key_when_only_the_id_is_known_then_found_again() -> None:
    key = PoolKey(currency0=ZERO_ADDRESS, currency1="0x" + "11" * 20, fee_pips=3_000, tick_spacing=173)
    known = {"currency0": key.currency0, "currency1": key.currency1, "fee_pips": 3_000}
    assert pool_key_of(key.pool_id, **known) == key
    assert pool_key_of(replace(key, hooks="0x" + "22" * 20).pool_id, **known) is None


def test_holdings_when_read_from_ranges_then_what_the_manager_holds(market: Market, dex: V4Dex) -> None:
    scene = scene_of(market, dex, positions=NARROW)
    amount0, amount1 = held_raw(scene.state().liquidity)
    tokens = amount1 if scene.buys_zero_for_one else amount0
    held = market.balance(scene.token, dex.manager)
    assert held - 10 <= tokens <= held


def test_route_when_of_another_pool_then_refused(market: Market, dex: V4Dex) -> None:
    scene = scene_of(market, dex)
    intent = scene.intent("buy", COIN, 1)
    other = replace(intent, route=(market.dex.wrapped, "0x" + "33" * 20))
    with pytest.raises(TradingError):
        scene.builder.swap(other, nonce=0, recipient=PERMIT2, deadline_s=1)
    with pytest.raises(TradingError):
        scene.builder.approval(scene.intent("sell", 1, 1), nonce=0, allowance_raw=0)
    assert scene.key.hooks == NO_HOOKS
