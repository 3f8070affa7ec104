"""V2 arithmetic equals the router to the wei; the builder's transactions really trade."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from apps.chains.evm import parse
from apps.chains.evm.dex.uniswap_v2 import (
    ConstantProductQuoter,
    UniswapV2PairSource,
    UniswapV2SwapBuilder,
    amount_in,
    amount_in_for_impact,
    amount_out,
    price_impact_bps,
    router_fee_bps,
)
from apps.chains.registry import DEX_KINDS
from apps.domain.errors import TradingError
from apps.domain.ids import ClientOrderId, TraceId, WalletKey
from apps.domain.market import BlockRef, Listing, PoolReserves
from apps.domain.money import Amount
from apps.domain.order import OrderIntent, Side, UnsignedTx
from tests.chain_fixtures import Launch, Market, calldata, read, running_market, transact
from tests.chains.evm.deployment import client_of, dex_of, listing_of, profile_of, reader_of

RESERVES = st.integers(1, 2**112 - 1)
FEES = st.sampled_from([0, 20, 25, 30, 100])
DEADLINE_S = 2**40


# -- laws -----------------------------------------------------------------------------------------


def uniswap_library(amount: int, reserve_in: int, reserve_out: int, kept: int, whole: int) -> int:
    """UniswapV2Library.getAmountOut with a fee of ``kept / whole``."""
    taken = amount * kept
    return taken * reserve_out // (reserve_in * whole + taken)


@given(amount=st.integers(0, 2**112), reserve_in=RESERVES, reserve_out=RESERVES)
@pytest.mark.parametrize(("fee", "kept", "whole"), [(30, 997, 1000), (25, 9975, 10_000), (20, 998, 1000)])
def test_amount_out_when_fee_in_bps_then_equals_each_library(
    *, amount: int, reserve_in: int, reserve_out: int, fee: int, kept: int, whole: int
) -> None:
    out = amount_out(
        amount_in_raw=amount, reserve_in_raw=reserve_in, reserve_out_raw=reserve_out, fee_bps=fee
    )
    assert out == uniswap_library(amount, reserve_in, reserve_out, kept, whole)


@given(amount=st.integers(0, 2**112), reserve_in=RESERVES, reserve_out=RESERVES, fee=FEES)
def test_amount_out_when_taken_then_product_never_falls(
    *, amount: int, reserve_in: int, reserve_out: int, fee: int
) -> None:
    out = amount_out(
        amount_in_raw=amount, reserve_in_raw=reserve_in, reserve_out_raw=reserve_out, fee_bps=fee
    )
    assert 0 <= out < reserve_out
    assert (reserve_in + amount) * (reserve_out - out) >= reserve_in * reserve_out


@given(out=st.integers(0, 2**112), reserve_in=RESERVES, reserve_out=RESERVES, fee=FEES)
def test_amount_in_when_paid_then_it_buys_at_least_what_was_asked(
    *, out: int, reserve_in: int, reserve_out: int, fee: int
) -> None:
    pool: dict[str, int] = {"reserve_in_raw": reserve_in, "reserve_out_raw": reserve_out, "fee_bps": fee}
    needed = amount_in(amount_out_raw=out, **pool)
    if out >= reserve_out:
        assert needed is None
        return
    assert needed is not None
    assert amount_out(amount_in_raw=needed, **pool) >= out
    if needed > 1:  # the library adds one always, so one less may do, two less never
        assert amount_out(amount_in_raw=needed - 2, **pool) < out


@given(reserve_in=RESERVES, impact=st.integers(0, 5_000), fee=FEES)
@example(reserve_in=1, impact=1, fee=30)
def test_size_when_cut_to_an_impact_then_impact_stays_within(
    *, reserve_in: int, impact: int, fee: int
) -> None:
    size = amount_in_for_impact(impact_max_bps=impact, reserve_in_raw=reserve_in, fee_bps=fee)
    assert price_impact_bps(amount_in_raw=size, reserve_in_raw=reserve_in, fee_bps=fee) <= impact
    larger = size + 2 + reserve_in // 1_000
    assert price_impact_bps(amount_in_raw=larger, reserve_in_raw=reserve_in, fee_bps=fee) >= impact


def test_amount_out_when_pool_is_empty_then_nothing() -> None:
    assert amount_out(amount_in_raw=10, reserve_in_raw=0, reserve_out_raw=10, fee_bps=30) == 0
    assert amount_in(amount_out_raw=1, reserve_in_raw=0, reserve_out_raw=10, fee_bps=30) is None
    assert price_impact_bps(amount_in_raw=1, reserve_in_raw=0, fee_bps=30) == 10_000


# -- the builder ----------------------------------------------------------------------------------


def intent_of(market: Market, listing: Listing, side: Side, amount_raw: int, out_min_raw: int) -> OrderIntent:
    native, buys = profile_of(market).native, side == "buy"
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
        fee_cap_raw=10**18,
        gas_limit=400_000,
        epoch=1,
        expires_at_ms=0,
    )


@pytest.fixture(scope="module", params=["uniswap", "pancake"])
def flavour(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def market(flavour: str) -> Iterator[Market]:
    with running_market(flavour=flavour) as market:
        yield market


@pytest.fixture(scope="module")
def launch(market: Market) -> Launch:
    return market.launch("StandardToken")


@pytest.mark.chain
def test_quotes_when_compared_with_the_router_then_equal_to_the_wei(market: Market) -> None:
    router = market.dex.router

    @settings(max_examples=60, deadline=None)
    @given(amount=st.integers(1, 2**112), reserve_in=RESERVES, reserve_out=RESERVES)
    def compare(amount: int, reserve_in: int, reserve_out: int) -> None:
        pool = {"reserve_in_raw": reserve_in, "reserve_out_raw": reserve_out, "fee_bps": 30}
        signature = "getAmountOut(uint256,uint256,uint256)"
        theirs = read(market.rpc, router, signature, amount, reserve_in, reserve_out, returns="uint256")
        assert amount_out(amount_in_raw=amount, **pool) == theirs
        if 0 < theirs < reserve_out:
            signature = "getAmountIn(uint256,uint256,uint256)"
            needed = read(market.rpc, router, signature, theirs, reserve_in, reserve_out, returns="uint256")
            assert amount_in(amount_out_raw=theirs, **pool) == needed

    compare()


@pytest.mark.chain
def test_fee_when_read_from_the_router_then_its_own(market: Market) -> None:
    assert router_fee_bps(client_of(market), market.dex.router) == market.dex.fee_bps == 30


@pytest.mark.chain
def test_pair_when_tried_with_ever_larger_fees_then_it_takes_its_own(
    market: Market, launch: Launch, flavour: str
) -> None:
    assert _pair_fee_bps(market, launch) == {"uniswap": 30, "pancake": 20}[flavour]


def _pair_fee_bps(market: Market, launch: Launch) -> int:
    """Return the least fee, of those in use, that the pair accepts in a plain swap."""
    account = market.buyer()
    market.buy(account, launch.token, value=10**17)
    sold = market.balance(launch.token, account.address) // 2
    reserves = reader_of(market).reserves([listing_of(market, launch)])
    [pool] = reserves.values()
    transact(
        market.rpc, account, to=launch.token, data=calldata("transfer(address,uint256)", launch.pair, sold)
    )
    wrapped_first = int(market.dex.wrapped, 16) < int(launch.token, 16)
    for fee in (0, 10, 20, 25, 30):
        out = ConstantProductQuoter().amount_out(pool, fee_bps=fee, side="sell", amount_in_raw=sold)
        outs = (out, 0) if wrapped_first else (0, out)
        data = calldata("swap(uint256,uint256,address,bytes)", *outs, account.address, b"")
        if transact(market.rpc, account, to=launch.pair, data=data)["status"] == "0x1":
            return fee
    raise AssertionError("the pair takes more than 30 bps")


def carry_out(market: Market, account: Any, tx: UnsignedTx) -> dict[str, Any]:
    return transact(
        market.rpc, account, to=tx.to, data="0x" + tx.data.hex(), value=tx.value_raw, gas=tx.gas_limit
    )


@pytest.mark.chain
@pytest.mark.parametrize(
    ("contract", "buy_tax", "sell_tax"), [("StandardToken", 0, 0), ("TaxedToken", 400, 700)]
)
def test_buy_and_sell_when_built_then_fill_equals_quote_and_balances(
    market: Market, contract: str, buy_tax: int, sell_tax: int
) -> None:
    extra = (
        ((buy_tax, sell_tax, 1_000, market.chain.accounts[3].address),) if contract == "TaxedToken" else ()
    )
    launch = market.launch(contract, *extra)
    listing, reader, account = listing_of(market, launch), reader_of(market), market.buyer()
    builder = UniswapV2SwapBuilder(profile=profile_of(market), dex=dex_of(market))
    quoter, value = ConstantProductQuoter(), 10**17

    pool = reader.reserves([listing])[listing.pair_key]
    quoted = quoter.amount_out(pool, fee_bps=30, side="buy", amount_in_raw=value)
    expected = quoted - quoted * buy_tax // 10_000
    intent = intent_of(market, listing, "buy", value, expected)
    assert builder.approval(intent, nonce=0, allowance_raw=0) is None
    sent = carry_out(
        market, account, builder.swap(intent, nonce=0, recipient=account.address, deadline_s=DEADLINE_S)
    )
    receipt = reader.receipt(sent["transactionHash"])
    assert receipt is not None
    assert receipt.succeeded
    assert fill(market, listing, receipt, account.address, "buy") == (value, expected)
    assert market.balance(launch.token, account.address) == expected

    pool = reader.reserves([listing])[listing.pair_key]
    arriving = expected - expected * sell_tax // 10_000
    back = quoter.amount_out(pool, fee_bps=30, side="sell", amount_in_raw=arriving)
    intent = intent_of(market, listing, "sell", expected, back)
    approval = builder.approval(intent, nonce=1, allowance_raw=0)
    assert approval is not None
    carry_out(market, account, approval)
    assert reader.allowance(account.address, market.dex.router, launch.token) == expected
    assert builder.approval(intent, nonce=1, allowance_raw=expected) is None
    before = reader.balances(account.address, ["native"])["native"]
    sent = carry_out(
        market, account, builder.swap(intent, nonce=2, recipient=account.address, deadline_s=DEADLINE_S)
    )
    receipt = reader.receipt(sent["transactionHash"])
    assert receipt is not None
    assert fill(market, listing, receipt, account.address, "sell") == (expected, back)
    after = reader.balances(account.address, ["native", launch.token])
    assert after == {"native": before + back - receipt.fee_paid_raw, launch.token: 0}


def fill(market: Market, listing: Listing, receipt: Any, wallet: str, side: Side) -> tuple[int, int]:
    return parse.fill_amounts(
        receipt,
        wallet=wallet,
        base_address=listing.base.address,
        wrapped_address=market.dex.wrapped,
        pool_address=listing.pool_address,
        side=side,
    )


@pytest.mark.chain
def test_swap_when_minimum_is_not_met_or_deadline_passed_then_reverts(market: Market, launch: Launch) -> None:
    listing, account = listing_of(market, launch), market.buyer()
    builder = UniswapV2SwapBuilder(profile=profile_of(market), dex=dex_of(market))
    greedy = intent_of(market, listing, "buy", 10**15, 10**27)
    fair = replace(greedy, amount_out_min=Amount(1, listing.base))
    for intent, deadline_s in ((greedy, DEADLINE_S), (fair, 1)):
        tx = builder.swap(intent, nonce=0, recipient=account.address, deadline_s=deadline_s)
        assert carry_out(market, account, tx)["status"] == "0x0"


@pytest.mark.chain
def test_pairs_when_read_from_the_factory_then_each_once_in_order(market: Market, launch: Launch) -> None:
    faults: list[Exception] = []
    source = UniswapV2PairSource(client_of(market), dex_of(market), on_fault=faults.append)
    head = int(market.rpc("eth_blockNumber"), 16)
    events = source.events(0, head)
    assert launch.pair in [event.pool_address for event in events]
    assert len({event.pool_address for event in events}) == len(events)
    assert [event.block.number for event in events] == sorted(event.block.number for event in events)
    assert source.events(head + 1, head) == ()
    entries = market.rpc("eth_getLogs", {**source.log_filter, "fromBlock": "0x0", "toBlock": "latest"})
    undated = [{key: value for key, value in entry.items() if key != "blockTimestamp"} for entry in entries]
    assert source.decode(undated) == events
    assert source.decode([{"junk": 1}, *entries, {**entries[0], "data": "0x"}]) == events
    assert len(faults) == 2


@pytest.mark.chain
def test_swap_when_route_avoids_the_wrapped_coin_then_refused(market: Market, launch: Launch) -> None:
    listing = listing_of(market, launch)
    intent = replace(
        intent_of(market, listing, "buy", 1, 1), route=(listing.base.address, listing.base.address)
    )
    builder = UniswapV2SwapBuilder(profile=profile_of(market), dex=dex_of(market))
    with pytest.raises(TradingError, match="wrapped coin"):
        builder.swap(intent, nonce=0, recipient=launch.pair, deadline_s=DEADLINE_S)


def test_registry_when_asked_for_uniswap_v2_then_all_three_parts() -> None:
    kind = DEX_KINDS["uniswap_v2"]
    reserves = PoolReserves(pair_key=None, base_raw=100, quote_raw=100, block=BlockRef(1, "", 0))  # type: ignore[arg-type]
    assert kind.quoter().amount_out(reserves, fee_bps=0, side="buy", amount_in_raw=100) == 50
    assert (kind.pair_source, kind.builder) == (UniswapV2PairSource, UniswapV2SwapBuilder)
