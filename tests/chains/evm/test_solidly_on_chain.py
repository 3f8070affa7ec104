"""Volatile Solidly pools read, quoted and traded through our own types, beside Aerodrome's published contracts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

import pytest

from apps.chains.evm.dex.quoting import PoolQuoter
from apps.chains.evm.dex.solidly import SolidlyPairSource, SolidlySwapBuilder
from apps.chains.evm.reader import EvmReader
from apps.domain.ids import ClientOrderId, TraceId, WalletKey, pair_key_of
from apps.domain.market import Listing, PoolReserves
from apps.domain.money import Amount, Token
from apps.domain.order import OrderIntent, Side, UnsignedTx
from tests.chain_fixtures import Market, calldata, deploy, running_market, transact
from tests.chains.evm.concentrated_pools import send
from tests.chains.evm.contracts import artifact
from tests.chains.evm.deployment import chain_key, client_of, profile_of
from tests.chains.evm.solidly_market import SolidlyDex, add_liquidity, set_fee, solidly_profile

pytestmark = pytest.mark.chain

DEADLINE_S = 2**40
COIN = 10**18
SEED, POOLS, QUOTES = 11, 20, 600


@dataclass(frozen=True, slots=True)
class Scene:
    """A token whose transfers can be made to cost, and its pool."""

    market: Market
    dex: SolidlyDex
    token: str
    pool: str

    @property
    def reader(self) -> EvmReader:
        return EvmReader(
            client_of(self.market),
            profile_of(self.market),
            dexes=(solidly_profile(self.market, self.dex),),
        )

    @property
    def listing(self) -> Listing:
        head = int(self.market.rpc("eth_blockNumber"), 16)
        source = SolidlyPairSource(client_of(self.market), solidly_profile(self.market, self.dex))
        event = next(item for item in source.events(0, head) if item.pool_address == self.pool)
        key = chain_key(self.market)
        return Listing(
            trace_id=TraceId("0" * 32),
            pair_key=pair_key_of(key, self.pool),
            dex_key="aerodrome",
            pool_address=self.pool,
            base=Token(key, self.token, "MOVE", 18),
            quote=Token(key, self.market.dex.wrapped, "WETH", 18),
            base_is_token0=event.token0 == self.token,
            fee_bps=30,
            created_block=event.block,
            creator=self.market.chain.accounts[0].address,
        )

    def reserves(self) -> PoolReserves:
        return self.reader.reserves([self.listing])[self.listing.pair_key]

    def quoted(self, side: Side, amount_raw: int) -> int:
        return PoolQuoter().amount_out(self.reserves(), fee_bps=30, side=side, amount_in_raw=amount_raw)

    def told(self, side: Side, amount_raw: int) -> int:
        """Return what the pool itself says it would give."""
        paid = self.market.dex.wrapped if side == "buy" else self.token
        data = calldata("getAmountOut(uint256,address)", amount_raw, paid)
        return int(self.market.rpc("eth_call", {"to": self.pool, "data": data}, "latest"), 16)

    def traded(self, side: Side, amount_raw: int, out_min_raw: int, account: object) -> bool:
        listing, buys = self.listing, side == "buy"
        native = profile_of(self.market).native
        route = (listing.quote.address, listing.base.address)
        intent = OrderIntent(
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
        builder = SolidlySwapBuilder(
            profile=profile_of(self.market), dex=solidly_profile(self.market, self.dex)
        )
        address = account.address  # type: ignore[attr-defined]
        txs: list[UnsignedTx | None] = [builder.approval(intent, nonce=0, allowance_raw=0)]
        txs.append(builder.swap(intent, nonce=1, recipient=address, deadline_s=DEADLINE_S))
        answers = [
            transact(
                self.market.rpc,
                account,  # type: ignore[arg-type]
                to=tx.to,
                data="0x" + tx.data.hex(),
                value=tx.value_raw,
                gas=tx.gas_limit,
            )["status"]
            for tx in txs
            if tx is not None
        ]
        return answers[-1] == "0x1"


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as running:
        yield running


@pytest.fixture(scope="module")
def dex(market: Market) -> SolidlyDex:
    return SolidlyDex.deploy(market)


def scene_of(market: Market, dex: SolidlyDex, *, tokens: int = 10**23, coins: int = 20 * COIN) -> Scene:
    token = deploy(market.rpc, market.chain.accounts[0], artifact("MoveFeeToken"), 10**33)
    pool = add_liquidity(market, dex, token, token_amount=tokens, native_amount=coins)
    return Scene(market, dex, token, pool)


def test_quotes_when_random_pools_and_fees_then_equal_to_the_pool_itself(
    market: Market, dex: SolidlyDex
) -> None:
    chance = Random(SEED)
    for _ in range(POOLS):
        scene = scene_of(
            market,
            dex,
            tokens=10 ** chance.randint(4, 30) + chance.randrange(10**4),
            coins=10 ** chance.randint(6, 20) + chance.randrange(10**6),
        )
        set_fee(market, dex, scene.pool, chance.choice((1, 5, 30, 77, 100, 300, 420)))  # 420 stands for none
        reserves = scene.reserves()
        for _ in range(QUOTES // POOLS):
            side: Side = chance.choice(("buy", "sell"))
            amount = 10 ** chance.randint(0, 24) + chance.randrange(10**6)
            got = PoolQuoter().amount_out(reserves, fee_bps=9_999, side=side, amount_in_raw=amount)
            assert got == scene.told(side, amount)


def test_trades_when_built_then_bring_exactly_their_quotes(market: Market, dex: SolidlyDex) -> None:
    scene, buyer = scene_of(market, dex), market.buyer()
    expected = scene.quoted("buy", COIN)
    assert not scene.traded("buy", COIN, expected + 1, buyer)
    assert scene.traded("buy", COIN, expected, buyer)
    assert market.balance(scene.token, buyer.address) == expected
    back = scene.quoted("sell", expected)
    assert not scene.traded("sell", expected, back + 1, buyer)
    assert scene.traded("sell", expected, back, buyer)
    assert market.balance(scene.token, buyer.address) == 0


def test_sale_when_the_token_takes_a_fee_then_goes_through(market: Market, dex: SolidlyDex) -> None:
    scene, buyer = scene_of(market, dex), market.buyer()
    send(market.rpc, market.chain.accounts[0], scene.token, calldata("setFee(uint256)", 500))
    assert scene.traded("buy", COIN, 1, buyer)
    held = market.balance(scene.token, buyer.address)
    assert scene.traded("sell", held, 1, buyer)


def test_facts_when_honest_or_taxed_then_round_trips_and_taxes_as_they_are(
    market: Market, dex: SolidlyDex
) -> None:
    scene = scene_of(market, dex)
    set_fee(market, dex, scene.pool, 100)
    for tax in (0, 500):
        send(market.rpc, market.chain.accounts[0], scene.token, calldata("setFee(uint256)", tax))
        facts = scene.reader.pair_facts(
            scene.listing,
            buyer=market.buyer().address,
            probe_amount_raw=COIN // 10,
            previous_swaps_from=0,
        )
        assert facts.reserves is not None
        assert (facts.reserves.formula, facts.reserves.fee_bps) == ("solidly", 100)
        assert facts.lp_creator_raw == facts.lp_total_supply_raw - 1_000  # type: ignore[operator]
        assert {trip.sell_delay_blocks for trip in facts.round_trips} == {0, 1}
        for trip in facts.round_trips:
            assert (trip.stage, trip.buy_tax_bps, trip.sell_tax_bps) == ("bought_and_sold", tax, tax)


def test_probes_when_token_is_honest_then_trades_pass(market: Market, dex: SolidlyDex) -> None:
    scene, buyer = scene_of(market, dex), market.buyer().address
    reader, listing = scene.reader, scene.listing
    facts = reader.pair_facts(listing, buyer=buyer, probe_amount_raw=COIN // 10, previous_swaps_from=0)
    probes = reader.token_probes(listing, facts, buyer=buyer, probe_amount_raw=COIN // 10)
    assert probes.trades
    assert {probe.trip.stage for probe in probes.trades} == {"bought_and_sold"}


def test_activity_when_traded_then_swaps_and_reserves_are_seen(market: Market, dex: SolidlyDex) -> None:
    scene, buyer = scene_of(market, dex), market.buyer()
    reader, listing = scene.reader, scene.listing
    start = reader.head().number + 1
    assert scene.traded("buy", COIN, 1, buyer)
    held = market.balance(scene.token, buyer.address)
    assert scene.traded("sell", held // 2, 1, buyer)
    reserves, swaps = reader.pool_activity([listing], start, reader.head().number)
    assert [(swap.side, swap.trader) for swap in swaps] == [("buy", buyer.address), ("sell", buyer.address)]
    assert (swaps[0].quote_raw, swaps[0].base_raw) == (COIN, held)
    assert reserves[-1] == scene.reserves()


def test_pools_when_asked_by_token_then_named_and_proven_by_their_creation(
    market: Market, dex: SolidlyDex
) -> None:
    scene = scene_of(market, dex)
    reader = scene.reader
    assert reader.deepest_pool(scene.token) == ("aerodrome", scene.pool)
    tokens = reader.pool_tokens([scene.pool])
    events = reader.pool_creations(list(tokens.values()))
    assert events[scene.pool].pool_address == scene.pool


def test_stable_pool_when_created_then_not_listed(market: Market, dex: SolidlyDex) -> None:
    faults: list[object] = []
    source = SolidlyPairSource(client_of(market), solidly_profile(market, dex), on_fault=faults.append)
    token = deploy(market.rpc, market.chain.accounts[0], artifact("MoveFeeToken"), 10**30)
    data = calldata("createPool(address,address,bool)", token, market.dex.wrapped, True)
    send(market.rpc, market.chain.accounts[0], dex.factory, data)
    head = int(market.rpc("eth_blockNumber"), 16)
    assert source.events(head, head) == ()
    assert faults == []
