"""The simulator's word against what a chain really mines, for fair, taxed, trapped and hostile tokens."""

from __future__ import annotations

from collections.abc import Iterator
from enum import IntEnum
from pathlib import Path
from typing import NamedTuple

import pytest
from eth_abi.abi import decode

from tests.chain_fixtures import (
    ZERO_ADDRESS,
    Launch,
    Market,
    RpcError,
    artifact,
    calldata,
    deploy,
    read,
    running_market,
    transact_ok,
)
from tests.programs import ROOT

pytestmark = pytest.mark.chain

SIMULATE = "simulate((address,address,address[],uint256,uint256,uint256,uint256))"
RESULT = (
    "(uint8,uint8,bool,uint256,uint256,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes)"
)
SIMULATOR_CODE = artifact("RoundTripSimulator")["deployedBytecode"]
WEI_IN = 10**17
LEG_GAS = 1_500_000
CALL_GAS = 8_000_000
GAS_PRICE_WEI = 3 * 10**9
WHOLE_BPS = 10_000
HOSTILE_SOURCE = ROOT / "apps/sandbox/contracts/src/HostileToken.sol"


class Stage(IntEnum):
    NONE = 0
    BUY_QUOTED = 1
    BOUGHT = 2
    APPROVED = 3
    SELL_QUOTED = 4
    SOLD = 5


class Failure(IntEnum):
    NONE = 0
    REVERTED = 1
    LEG_GAS = 2
    CALL_GAS = 3
    CALL_FUNDS = 4
    NO_QUOTE = 5
    NO_BALANCE = 6
    NOTHING_RECEIVED = 7


class RoundTrip(NamedTuple):
    stage: Stage
    failure: Failure
    buy_ok: bool
    expected_out: int
    received: int
    sell_ok: bool
    sold: int
    arrived: int
    expected_back: int
    received_back: int
    buy_gas: int
    approve_gas: int
    sell_gas: int
    revert_data: bytes


@pytest.fixture(scope="module", params=["uniswap", "pancake"])
def market(request: pytest.FixtureRequest) -> Iterator[Market]:
    with running_market(flavour=request.param) as running:
        yield running


@pytest.fixture(scope="module")
def uniswap() -> Iterator[Market]:
    with running_market() as running:
        yield running


def simulate(
    market: Market,
    launch: Launch,
    buyer: str,
    *,
    wei_in: int = WEI_IN,
    sell_bps: int = WHOLE_BPS,
    fee_bps: int | None = None,
    router: str | None = None,
    path: list[str] | None = None,
    leg_gas: int = LEG_GAS,
    call_gas: int = CALL_GAS,
    gas_price_wei: int = GAS_PRICE_WEI,
    balance_wei: int = 10**20,
) -> RoundTrip:
    request = (
        market.dex.router if router is None else router,
        launch.pair,
        [market.dex.wrapped, launch.token] if path is None else path,
        wei_in,
        sell_bps,
        market.dex.fee_bps if fee_bps is None else fee_bps,
        leg_gas,
    )
    call = {"from": buyer, "to": buyer, "data": calldata(SIMULATE, request), "gas": hex(call_gas)}
    if gas_price_wei > 0:
        call["gasPrice"] = hex(gas_price_wei)
    override = {buyer: {"code": SIMULATOR_CODE, "balance": hex(balance_wei)}}
    answer = bytes.fromhex(market.rpc("eth_call", call, "latest", override)[2:])
    stage, failure, *rest = decode([RESULT], answer)[0]
    return RoundTrip(Stage(stage), Failure(failure), *rest)


def plain_sell_ok(market: Market, launch: Launch, buyer: str, *, blocks_between: int = 1) -> bool | None:
    """Simulate plain transactions of a plain account with eth_simulateV1: buy and approve, then sell in a later block.

    Returns whether the sell succeeded, None when the buy did not.
    """
    fees = {"gas": hex(LEG_GAS), "maxFeePerGas": hex(GAS_PRICE_WEI), "maxPriorityFeePerGas": hex(10**9)}
    calls = [
        {"to": market.dex.router, "data": market.buy_data(launch.token, buyer), "value": hex(WEI_IN)},
        {"to": launch.token, "data": market.approve_data()},
        {"to": launch.token, "data": calldata("balanceOf(address)", buyer)},
    ]
    first = {
        "stateOverrides": {buyer: {"balance": hex(10**20)}},
        "calls": [{"from": buyer, **fees, **call} for call in calls],
    }
    block = market.rpc("eth_simulateV1", {"blockStateCalls": [first], "validation": True}, "latest")[0]
    if block["calls"][0]["status"] != "0x1":
        return None
    bag = int(block["calls"][2]["returnData"], 16)
    sell = {
        "blockOverrides": {"number": hex(int(block["number"], 16) + blocks_between)},
        "calls": [
            {
                "from": buyer,
                **fees,
                "to": market.dex.router,
                "data": market.sell_data(launch.token, buyer, bag),
            }
        ],
    }
    blocks = market.rpc("eth_simulateV1", {"blockStateCalls": [first, sell], "validation": True}, "latest")
    return bool(blocks[-1]["calls"][0]["status"] == "0x1")


def taxed(market: Market, *, buy_bps: int, sell_bps: int) -> Launch:
    return market.launch("TaxedToken", (buy_bps, sell_bps, WHOLE_BPS, market.chain.accounts[3].address))


# -- amounts --------------------------------------------------------------------------------------


@pytest.mark.parametrize("through_router", [True, False], ids=["router", "pair"])
@pytest.mark.parametrize(
    ("buy_bps", "sell_bps"),
    [(0, 0), (1, 1), (300, 700), (1_000, 0), (0, 1_000), (2_500, 2_500), (0, 9_900), (9_900, 0)],
)
def test_simulate_when_taxed_then_measures_both_taxes_to_the_unit(
    market: Market, buy_bps: int, sell_bps: int, through_router: bool
) -> None:
    launch = taxed(market, buy_bps=buy_bps, sell_bps=sell_bps)
    trip = simulate(market, launch, market.buyer().address, router=None if through_router else ZERO_ADDRESS)

    assert (trip.stage, trip.failure) == (Stage.SOLD, Failure.NONE)
    assert trip.received == trip.expected_out - trip.expected_out * buy_bps // WHOLE_BPS
    assert trip.sold == trip.received
    assert trip.arrived == trip.sold - trip.sold * sell_bps // WHOLE_BPS
    assert (trip.received_back == trip.expected_back) == (sell_bps == 0)


@pytest.mark.parametrize(("buy_bps", "sell_bps"), [(0, 0), (300, 700), (0, 9_900)])
def test_simulate_equals_what_is_mined_to_the_wei(market: Market, buy_bps: int, sell_bps: int) -> None:
    launch = taxed(market, buy_bps=buy_bps, sell_bps=sell_bps)
    buyer = market.buyer()
    trip = simulate(market, launch, buyer.address)

    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert market.balance(launch.token, buyer.address) == trip.received
    pooled = market.balance(market.dex.wrapped, launch.pair)
    assert market.sell(buyer, launch.token)
    assert pooled - market.balance(market.dex.wrapped, launch.pair) == trip.received_back


def test_simulate_when_share_given_then_sells_that_share(uniswap: Market) -> None:
    launch = uniswap.launch("StandardToken")
    buyer = uniswap.buyer().address
    quarter = simulate(uniswap, launch, buyer, sell_bps=2_500)
    assert quarter.sold == quarter.received * 2_500 // WHOLE_BPS
    assert quarter.sell_ok
    assert simulate(uniswap, launch, buyer, sell_bps=2**256 - 1).sold == quarter.received
    nothing = simulate(uniswap, launch, buyer, sell_bps=0)
    assert (nothing.stage, nothing.failure) == (Stage.BOUGHT, Failure.NOTHING_RECEIVED)


def test_simulate_when_nothing_to_buy_then_sells_what_is_held(uniswap: Market) -> None:
    launch = taxed(uniswap, buy_bps=0, sell_bps=500)
    holder = uniswap.buyer()
    assert uniswap.buy(holder, launch.token, value=WEI_IN)
    held = uniswap.balance(launch.token, holder.address)

    trip = simulate(uniswap, launch, holder.address, wei_in=0)
    assert (trip.stage, trip.buy_ok, trip.received, trip.sold) == (Stage.SOLD, False, 0, held)
    assert trip.arrived == held - held * 500 // WHOLE_BPS
    assert trip.approve_gas > 0

    transact_ok(uniswap.rpc, holder, to=launch.token, data=uniswap.approve_data())
    approved = simulate(uniswap, launch, holder.address, wei_in=0)
    assert (approved.approve_gas, approved.received_back) == (0, trip.received_back)


def test_simulate_when_buyer_holds_some_then_counts_and_sells_only_what_is_new(uniswap: Market) -> None:
    launch = taxed(uniswap, buy_bps=100, sell_bps=0)
    holder = uniswap.buyer()
    assert uniswap.buy(holder, launch.token, value=WEI_IN)
    trip = simulate(uniswap, launch, holder.address)
    assert trip.sold == trip.received == trip.expected_out - trip.expected_out // 100


def test_simulate_when_route_has_two_hops_then_follows_it(uniswap: Market) -> None:
    deployer = uniswap.chain.accounts[0]
    stable = deploy(uniswap.rpc, deployer, "StableToken", "Dollar", "USD", 6)
    transact_ok(
        uniswap.rpc, deployer, to=stable, data=calldata("mint(address,uint256)", deployer.address, 10**12)
    )
    uniswap.pool(stable, pooled_tokens=10**11, pooled_native=30 * 10**18)
    launch = taxed(uniswap, buy_bps=400, sell_bps=600)
    data = calldata(
        "addLiquidity(address,address,uint256,uint256,uint256,uint256,address,uint256)",
        *(launch.token, stable, 10**26, 10**10, 0, 0, deployer.address, 2**63),
    )
    transact_ok(uniswap.rpc, deployer, to=uniswap.dex.router, data=data)
    pair = read(
        uniswap.rpc, uniswap.dex.factory, "getPair(address,address)", launch.token, stable, returns="address"
    )
    launch = launch._replace(pair=pair)
    uniswap.call_as_deployer(launch, "setAutomatedMarketMakerPair(address,bool)", pair, True)

    path = [uniswap.dex.wrapped, stable, launch.token]
    trip = simulate(uniswap, launch, uniswap.buyer().address, path=path)
    assert trip.stage == Stage.SOLD
    assert trip.received == trip.expected_out - trip.expected_out * 400 // WHOLE_BPS
    assert trip.arrived == trip.sold - trip.sold * 600 // WHOLE_BPS


def test_simulate_when_token_returns_nothing_then_trades(uniswap: Market) -> None:
    token = deploy(uniswap.rpc, uniswap.chain.accounts[0], "NoReturnToken", "Old", "OLD", 6, 10**27)
    launch = uniswap.pool(token)
    buyer = uniswap.buyer()
    for router in (None, ZERO_ADDRESS):
        trip = simulate(uniswap, launch, buyer.address, router=router)
        assert (trip.stage, trip.received) == (Stage.SOLD, trip.expected_out)
    assert uniswap.buy(buyer, token, value=WEI_IN)
    # This token refuses to change an allowance: one that suffices is left alone.
    transact_ok(uniswap.rpc, buyer, to=token, data=uniswap.approve_data())
    assert simulate(uniswap, launch, buyer.address, wei_in=0).sell_ok


# -- traps ----------------------------------------------------------------------------------------

TRAPS = [
    # contract, further arguments, simulator's last stage, sell by simulateV1 (None: cannot buy), sell as mined
    ("StandardToken", (), Stage.SOLD, True, True),
    ("MintableToken", (), Stage.SOLD, True, True),
    ("HiddenMintToken", (), Stage.SOLD, True, True),
    ("OwnerMoveToken", (), Stage.SOLD, True, True),
    ("PausableToken", (), Stage.SOLD, True, True),
    ("SellBlockedToken", (), Stage.SELL_QUOTED, False, False),
    ("BlacklistToken", (True,), Stage.SELL_QUOTED, False, False),
    ("BlacklistToken", (False,), Stage.SOLD, True, True),
    ("SellCapToken", (10**18, WHOLE_BPS), Stage.SELL_QUOTED, False, False),
    ("SellCapToken", (2**200, 5_000), Stage.SELL_QUOTED, False, False),
    ("SellCapToken", (2**200, WHOLE_BPS), Stage.SOLD, True, True),
    ("SellDelayToken", (1,), Stage.SELL_QUOTED, True, True),
    ("SellDelayToken", (2,), Stage.SELL_QUOTED, False, True),
    ("SellDelayToken", (2**128 - 1,), Stage.SELL_QUOTED, False, False),
    ("SleeperToken", (1_000,), Stage.SOLD, True, True),
    ("SleeperToken", (0,), Stage.SELL_QUOTED, False, False),
    ("CodeOnlySellToken", (), Stage.SOLD, False, False),
    ("FreeGasSellToken", (False,), Stage.SELL_QUOTED, False, False),
    ("FreeGasSellToken", (True,), Stage.SELL_QUOTED, False, False),
    ("TradingSwitchToken", (True,), Stage.SOLD, True, True),
    ("TradingSwitchToken", (False,), Stage.BUY_QUOTED, None, None),
]


@pytest.mark.parametrize(("contract", "extra", "stage", "plain", "mined"), TRAPS)
def test_simulate_when_trap_then_both_ways_and_the_chain_say_as_listed(
    uniswap: Market,
    contract: str,
    extra: tuple[int, ...],
    stage: Stage,
    plain: bool | None,
    mined: bool | None,
) -> None:
    launch = uniswap.launch(contract, *extra)
    buyer = uniswap.buyer()

    trip = simulate(uniswap, launch, buyer.address)
    assert trip.stage == stage
    assert trip.sell_ok == (stage == Stage.SOLD)
    assert trip.failure == (Failure.NONE if stage == Stage.SOLD else Failure.REVERTED)
    assert bool(trip.revert_data) == (stage != Stage.SOLD)
    assert plain_sell_ok(uniswap, launch, buyer.address) is plain

    bought = uniswap.buy(buyer, launch.token, value=WEI_IN)
    assert bought == (mined is not None)
    if bought:
        assert uniswap.sell(buyer, launch.token) is mined


def test_simulate_when_call_has_no_gas_price_then_free_gas_trap_fools_it(uniswap: Market) -> None:
    for checks_base_fee in (False, True):
        launch = uniswap.launch("FreeGasSellToken", checks_base_fee)
        buyer = uniswap.buyer().address
        assert simulate(uniswap, launch, buyer, gas_price_wei=0).sell_ok
        assert not simulate(uniswap, launch, buyer).sell_ok


def test_simulate_when_sell_is_capped_then_only_the_intended_size_shows_it(uniswap: Market) -> None:
    launch = uniswap.launch("SellCapToken", 10**18, WHOLE_BPS)
    buyer = uniswap.buyer().address
    assert simulate(uniswap, launch, buyer, wei_in=10**10).sell_ok
    assert not simulate(uniswap, launch, buyer, wei_in=WEI_IN).sell_ok


def test_simulate_when_share_is_capped_then_part_sells_and_all_does_not(uniswap: Market) -> None:
    launch = uniswap.launch("SellCapToken", 2**200, 5_000)
    buyer = uniswap.buyer().address
    assert simulate(uniswap, launch, buyer, sell_bps=5_000).sell_ok
    assert not simulate(uniswap, launch, buyer).sell_ok


def test_plain_sell_when_delayed_then_passes_after_the_delay_only(uniswap: Market) -> None:
    launch = uniswap.launch("SellDelayToken", 50)
    buyer = uniswap.buyer().address
    assert plain_sell_ok(uniswap, launch, buyer, blocks_between=49) is False
    assert plain_sell_ok(uniswap, launch, buyer, blocks_between=50) is True


def test_simulate_when_owner_turns_then_held_probe_sees_it(uniswap: Market) -> None:
    holder = uniswap.buyer()
    switch = uniswap.launch("TradingSwitchToken", True)
    pausable = uniswap.launch("PausableToken")
    fees = taxed(uniswap, buy_bps=0, sell_bps=0)
    for launch in (switch, pausable, fees):
        assert uniswap.buy(holder, launch.token, value=WEI_IN)
        assert simulate(uniswap, launch, holder.address, wei_in=0).sell_ok

    uniswap.call_as_deployer(switch, "setSwapStatus(bool,bool)", True, False)
    uniswap.call_as_deployer(pausable, "pause()")
    uniswap.call_as_deployer(fees, "setFees(uint16,uint16)", 0, 9_900)
    for launch in (switch, pausable):
        trip = simulate(uniswap, launch, holder.address, wei_in=0)
        assert (trip.stage, trip.failure) == (Stage.SELL_QUOTED, Failure.REVERTED)
        assert not uniswap.sell(holder, launch.token)
    trip = simulate(uniswap, fees, holder.address, wei_in=0)
    assert trip.arrived == trip.sold - trip.sold * 9_900 // WHOLE_BPS


# -- hostile tokens -------------------------------------------------------------------------------


def _misdeeds(source: Path) -> list[str]:
    body = source.read_text().split("enum Misdeed {")[1].split("}")[0]
    return [name.strip() for name in body.split(",")]


MISDEEDS = _misdeeds(HOSTILE_SOURCE)
BEYOND_ROUTER = {  # what a token does to others than the router passes where the pair is traded with directly
    name for name in MISDEEDS if name.startswith(("TRANSFER_FROM_", "APPROVE_", "ALLOWANCE_"))
}
ROUTER_OUTCOMES = {
    "NONE": (Stage.SOLD, Failure.NONE),
    "TRANSFER_BURNS_GAS": (Stage.BUY_QUOTED, Failure.LEG_GAS),
    "TRANSFER_REVERTS_HUGE": (Stage.BUY_QUOTED, Failure.LEG_GAS),
    "TRANSFER_RETURNS_FALSE": (Stage.BUY_QUOTED, Failure.REVERTED),
    "TRANSFER_RETURNS_HUGE": (Stage.BUY_QUOTED, Failure.LEG_GAS),
    "TRANSFER_MOVES_NOTHING": (Stage.BUY_QUOTED, Failure.NOTHING_RECEIVED),
    "TRANSFER_FROM_BURNS_GAS": (Stage.SELL_QUOTED, Failure.LEG_GAS),
    "TRANSFER_FROM_REVERTS_HUGE": (Stage.SELL_QUOTED, Failure.LEG_GAS),
    "TRANSFER_FROM_RETURNS_FALSE": (Stage.SELL_QUOTED, Failure.REVERTED),
    "TRANSFER_FROM_CALLS_BACK": (Stage.SOLD, Failure.NONE),  # the call back is refused
    "APPROVE_BURNS_GAS": (Stage.BOUGHT, Failure.LEG_GAS),
    "APPROVE_REVERTS_HUGE": (Stage.BOUGHT, Failure.LEG_GAS),
    "APPROVE_REVERTS_LONG": (Stage.BOUGHT, Failure.REVERTED),
    "APPROVE_RETURNS_FALSE": (Stage.SOLD, Failure.NONE),  # as on chain: it approved all the same
    "ALLOWANCE_BURNS_GAS": (Stage.SOLD, Failure.NONE),
    "ALLOWANCE_READS_HUGE": (Stage.SOLD, Failure.NONE),
    "BALANCE_BURNS_GAS": (Stage.BUY_QUOTED, Failure.NO_BALANCE),
    "BALANCE_RETURNS_HUGE": (Stage.BUY_QUOTED, Failure.NO_BALANCE),
    "BALANCE_RETURNS_NOTHING": (Stage.BUY_QUOTED, Failure.NO_BALANCE),
    "BALANCE_REVERTS": (Stage.BUY_QUOTED, Failure.NO_BALANCE),
    "BALANCE_READS_MAXIMUM": (Stage.BOUGHT, Failure.NO_BALANCE),
    "BALANCE_READS_ZERO": (Stage.BUY_QUOTED, Failure.NOTHING_RECEIVED),
}


@pytest.fixture(scope="module")
def hostile(uniswap: Market) -> Launch:
    token = deploy(uniswap.rpc, uniswap.chain.accounts[0], "HostileToken", "Sample", "SMPL", 18, 10**27)
    return uniswap.pool(token)


@pytest.mark.parametrize("misdeed", MISDEEDS)
def test_simulate_when_token_is_hostile_then_reports_and_never_reverts(
    uniswap: Market, hostile: Launch, misdeed: str
) -> None:
    uniswap.call_as_deployer(hostile, "setMisdeed(uint8,address)", MISDEEDS.index(misdeed), hostile.pair)
    buyer = uniswap.buyer().address

    trip = simulate(uniswap, hostile, buyer)
    assert (trip.stage, trip.failure) == ROUTER_OUTCOMES[misdeed]
    assert len(trip.revert_data) <= 256
    assert (len(trip.revert_data) == 256) == (misdeed == "APPROVE_REVERTS_LONG")
    direct = simulate(uniswap, hostile, buyer, router=ZERO_ADDRESS)
    expected = (Stage.SOLD, Failure.NONE) if misdeed in BEYOND_ROUTER else ROUTER_OUTCOMES[misdeed]
    assert (direct.stage, direct.failure) == expected
    for gas_used in (*trip[10:13], *direct[10:13]):
        assert gas_used <= LEG_GAS + 50_000


@pytest.mark.parametrize("misdeed", ["NONE", "TRANSFER_BURNS_GAS", "APPROVE_BURNS_GAS", "BALANCE_BURNS_GAS"])
def test_simulate_when_call_gas_is_short_then_says_so_and_nothing_else(
    uniswap: Market, hostile: Launch, misdeed: str
) -> None:
    uniswap.call_as_deployer(hostile, "setMisdeed(uint8,address)", MISDEEDS.index(misdeed), hostile.pair)
    buyer = uniswap.buyer().address
    settled = simulate(uniswap, hostile, buyer)
    near_one_leg = range(LEG_GAS, LEG_GAS + 700_000, 9_000)
    for call_gas in (*range(60_000, CALL_GAS, 190_000), *near_one_leg):
        trip = simulate(uniswap, hostile, buyer, call_gas=call_gas)
        same = (trip.stage, trip.failure) == (settled.stage, settled.failure)
        assert same or trip.failure == Failure.CALL_GAS, call_gas


def test_simulate_when_tokens_answer_nothing_then_has_no_quote(uniswap: Market) -> None:
    deployer = uniswap.chain.accounts[0]
    for contract in ("RevertingToken", "GasBurnToken"):
        token = deploy(uniswap.rpc, deployer, contract)
        data = calldata("createPair(address,address)", token, uniswap.dex.wrapped)
        transact_ok(uniswap.rpc, deployer, to=uniswap.dex.factory, data=data)
        pair = read(
            uniswap.rpc,
            uniswap.dex.factory,
            "getPair(address,address)",
            token,
            uniswap.dex.wrapped,
            returns="address",
        )
        launch = Launch(token, pair, deployer)
        buyer = uniswap.buyer().address
        for router in (None, ZERO_ADDRESS):
            trip = simulate(uniswap, launch, buyer, router=router)
            assert (trip.stage, trip.failure) == (Stage.NONE, Failure.NO_QUOTE)
            held = simulate(uniswap, launch, buyer, router=router, wei_in=0)
            assert (held.stage, held.failure) == (Stage.NONE, Failure.NO_BALANCE)


def test_simulate_when_request_is_senseless_then_reports_why(uniswap: Market) -> None:
    launch = uniswap.launch("StandardToken")
    buyer = uniswap.buyer().address
    wrapped, token = uniswap.dex.wrapped, launch.token
    cases: list[tuple[dict[str, object], Stage, Failure]] = [
        ({"wei_in": 10**30}, Stage.BUY_QUOTED, Failure.CALL_FUNDS),
        ({"wei_in": 2**256 - 1}, Stage.NONE, Failure.NO_QUOTE),
        ({"wei_in": 2**256 - 1, "router": ZERO_ADDRESS}, Stage.NONE, Failure.NO_QUOTE),
        ({"fee_bps": WHOLE_BPS, "router": ZERO_ADDRESS}, Stage.NONE, Failure.NO_QUOTE),
        ({"fee_bps": 2**256 - 1, "router": ZERO_ADDRESS}, Stage.NONE, Failure.NO_QUOTE),
        ({"wei_in": 1}, Stage.APPROVED, Failure.NO_QUOTE),  # what it brings is worth nothing
        ({"wei_in": 0}, Stage.NONE, Failure.NOTHING_RECEIVED),
        ({"leg_gas": 2**256 - 1}, Stage.BUY_QUOTED, Failure.CALL_GAS),
        ({"leg_gas": 0}, Stage.BUY_QUOTED, Failure.LEG_GAS),
        ({"router": buyer}, Stage.NONE, Failure.NO_QUOTE),
        ({"router": token}, Stage.NONE, Failure.NO_QUOTE),
        ({"path": []}, Stage.NONE, Failure.NO_QUOTE),
        ({"path": [token]}, Stage.NONE, Failure.NO_QUOTE),
        ({"path": [token, token]}, Stage.NONE, Failure.NO_QUOTE),
        ({"path": [], "wei_in": 0}, Stage.NONE, Failure.NO_QUOTE),
        ({"path": [wrapped, token, wrapped], "router": ZERO_ADDRESS}, Stage.NONE, Failure.NO_QUOTE),
        ({"path": [token, wrapped]}, Stage.BUY_QUOTED, Failure.REVERTED),
    ]
    for options, stage, failure in cases:
        trip = simulate(uniswap, launch, buyer, **options)  # type: ignore[arg-type]
        assert (trip.stage, trip.failure) == (stage, failure), options
    empty_pair = launch._replace(pair=buyer)
    assert simulate(uniswap, empty_pair, buyer, router=ZERO_ADDRESS).failure == Failure.NO_QUOTE
    assert simulate(uniswap, empty_pair, buyer).arrived == 0


def test_legs_when_called_by_another_then_refuse(uniswap: Market) -> None:
    launch = uniswap.launch("StandardToken")
    holder, stranger = uniswap.buyer(), uniswap.buyer().address
    assert uniswap.buy(holder, launch.token, value=WEI_IN)
    buy = calldata(
        "buyFromPair(address,address,uint256,uint256)", launch.pair, uniswap.dex.wrapped, WEI_IN, 30
    )
    sell = calldata(
        "sellToPair(address,address,address,uint256,uint256)",
        *(launch.pair, launch.token, uniswap.dex.wrapped, 10**20, 30),
    )
    override = {holder.address: {"code": SIMULATOR_CODE}}
    for data in (buy, sell):
        call = {"from": holder.address, "to": holder.address, "data": data}
        uniswap.rpc("eth_call", call, "latest", override)
        with pytest.raises(RpcError):
            uniswap.rpc("eth_call", {**call, "from": stranger}, "latest", override)
