"""The local market's own contracts, on a real chain: taxes, traps, odd tokens, the liquidity lock."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_abi.abi import encode

from tests.chain_fixtures import (
    EVM_CONTRACTS,
    NODE_MODULES,
    SANDBOX_CONTRACTS,
    Launch,
    Market,
    RpcError,
    artifact,
    calldata,
    deploy,
    read,
    running_market,
    transact,
    transact_ok,
)
from tests.programs import ROOT

WEI_IN = 10**17
SOME_TOKENS = 10**20
WHOLE_BPS = 10_000
COMPILED = sorted([*SANDBOX_CONTRACTS.glob("*.json"), *EVM_CONTRACTS.glob("*.json")])
# HostileToken is a tool of these tests and never launched on the local market.
LAUNCHED = [path for path in COMPILED if path.stem.endswith("Token") and path.stem != "HostileToken"]
TELLTALE_WORDS = (b"honey", b"scam", b"rug", b"trap", b"hostile", b"misde", b"sandbox", b"hidden", b"sleeper")


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as running:
        yield running


# -- compiled files -------------------------------------------------------------------------------


@pytest.mark.parametrize("path", COMPILED, ids=lambda path: path.stem)
def test_compiled_json_when_read_then_holds_what_a_deployer_needs(path: Path) -> None:
    contract = json.loads(path.read_text())
    assert contract.keys() == {"contractName", "abi", "bytecode", "deployedBytecode", "compiler"}
    assert contract["contractName"] == path.stem
    assert contract["compiler"]["evmVersion"] == "paris"
    for field in ("bytecode", "deployedBytecode"):
        assert bytes.fromhex(contract[field].removeprefix("0x"))
    assert len(contract["deployedBytecode"]) // 2 <= 24_576


@pytest.mark.parametrize("path", LAUNCHED, ids=lambda path: path.stem)
def test_token_code_when_read_on_chain_then_tells_no_class(path: Path) -> None:
    contract = json.loads(path.read_text())
    code = bytes.fromhex(contract["bytecode"][2:]).lower()
    assert path.stem.lower().encode() not in code
    names = " ".join(entry.get("name", "") for entry in contract["abi"]).lower().encode()
    for word in TELLTALE_WORDS:
        assert word not in code
        assert word not in names


def test_build_check_when_sources_unchanged_then_equals_compiled() -> None:
    node = shutil.which("node")
    if node is None or not (NODE_MODULES / "solc/package.json").is_file():
        pytest.skip("node or solc is not installed: run make setup")
    script = ROOT / "apps/sandbox/contracts/build.mjs"
    done = subprocess.run(
        [node, str(script), "--check"], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr


# -- launches and taxes ---------------------------------------------------------------------------


@pytest.mark.chain
def test_launch_when_router_given_then_pair_exists_and_router_may_spend(market: Market) -> None:
    deployer = market.chain.accounts[0]
    token = deploy(
        market.rpc, deployer, "TaxedToken", "Näme", "SYM", 9, 10**15, market.dex.router, _terms(market, 0, 0)
    )
    pair = read(
        market.rpc,
        market.dex.factory,
        "getPair(address,address)",
        token,
        market.dex.wrapped,
        returns="address",
    )
    assert int(pair, 16) != 0
    assert read(market.rpc, token, "automatedMarketMakerPairs(address)", pair, returns="bool")
    spendable = read(
        market.rpc,
        token,
        "allowance(address,address)",
        deployer.address,
        market.dex.router,
        returns="uint256",
    )
    assert spendable == 2**256 - 1
    assert read(market.rpc, token, "name()", returns="string") == "Näme"
    assert read(market.rpc, token, "decimals()", returns="uint8") == 9
    assert market.balance(token, deployer.address) == 10**15


@pytest.mark.chain
@pytest.mark.parametrize(("buy_bps", "sell_bps"), [(0, 0), (1, 9_999), (333, 777), (2_500, 2_500)])
def test_taxed_when_traded_then_treasury_receives_the_exact_share(
    market: Market, buy_bps: int, sell_bps: int
) -> None:
    treasury = market.chain.accounts[5].address
    launch = market.launch("TaxedToken", (buy_bps, sell_bps, WHOLE_BPS, treasury))
    buyer = market.buyer()
    in_pair = market.balance(launch.token, launch.pair)
    assert market.buy(buyer, launch.token, value=WEI_IN)
    out_of_pair = in_pair - market.balance(launch.token, launch.pair)
    received = market.balance(launch.token, buyer.address)
    taken = market.balance(launch.token, treasury)
    assert taken == out_of_pair * buy_bps // WHOLE_BPS
    assert received == out_of_pair - taken

    in_pair = market.balance(launch.token, launch.pair)
    assert market.sell(buyer, launch.token)
    sell_taken = market.balance(launch.token, treasury) - taken
    assert sell_taken == received * sell_bps // WHOLE_BPS
    assert market.balance(launch.token, launch.pair) - in_pair == received - sell_taken
    assert market.balance(launch.token, buyer.address) == 0


@pytest.mark.chain
def test_taxed_when_moved_between_wallets_then_free(market: Market) -> None:
    launch = market.launch("TaxedToken", _terms(market, 1_000, 1_000))
    first, second = market.buyer(), market.buyer()
    market.buy(first, launch.token, value=WEI_IN)
    held = market.balance(launch.token, first.address)
    transact_ok(
        market.rpc, first, to=launch.token, data=calldata("transfer(address,uint256)", second.address, held)
    )
    assert market.balance(launch.token, second.address) == held


@pytest.mark.chain
def test_taxed_when_owner_changes_fees_then_only_up_to_the_cap_and_never_after_renouncing(
    market: Market,
) -> None:
    launch = market.launch("TaxedToken", (100, 100, 1_500, market.chain.accounts[5].address))
    market.call_as_deployer(launch, "setFees(uint16,uint16)", 1_500, 1_500)
    assert not _deployer_call_ok(market, launch, "setFees(uint16,uint16)", 1_501, 0)
    assert not _deployer_call_ok(market, launch, "setFees(uint16,uint16)", 0, 1_501)
    stranger = market.buyer()
    data = calldata("setFees(uint16,uint16)", 0, 0)
    assert transact(market.rpc, stranger, to=launch.token, data=data)["status"] == "0x0"
    market.call_as_deployer(launch, "renounceOwnership()")
    assert int(read(market.rpc, launch.token, "owner()", returns="address"), 16) == 0
    assert not _deployer_call_ok(market, launch, "setFees(uint16,uint16)", 0, 0)
    assert read(market.rpc, launch.token, "sellFee()", returns="uint16") == 1_500


@pytest.mark.chain
def test_taxed_when_terms_are_beyond_the_cap_then_cannot_be_deployed(market: Market) -> None:
    treasury = market.chain.accounts[5].address
    for terms in ((600, 0, 500, treasury), (0, 600, 500, treasury), (0, 0, 10_001, treasury)):
        with pytest.raises(AssertionError, match="reverted"):
            market.launch("TaxedToken", terms)


@pytest.mark.chain
def test_taxed_when_limits_are_set_then_large_buys_fail_until_removed(market: Market) -> None:
    launch = market.launch("TaxedToken", _terms(market, 0, 0))
    market.call_as_deployer(launch, "setLimits(uint256,uint256)", 10**24, 15 * 10**23)
    buyer = market.buyer()
    assert not market.buy(buyer, launch.token, value=2 * WEI_IN)  # above the transaction limit
    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert not market.buy(buyer, launch.token, value=WEI_IN)  # above the wallet limit
    market.call_as_deployer(launch, "removeLimits()")
    assert market.buy(buyer, launch.token, value=2 * WEI_IN)


@pytest.mark.chain
@pytest.mark.parametrize(
    ("contract", "extra"),
    [
        ("StandardToken", ()),
        ("TaxedToken", (500, 500, 1_000, "0x" + "77" * 20)),
        ("SellBlockedToken", ()),
        ("BlacklistToken", (True,)),
        ("FreeGasSellToken", (True,)),
        ("TradingSwitchToken", (False,)),
    ],
)
def test_liquidity_when_deployer_withdraws_it_then_gets_the_coins(
    market: Market, contract: str, extra: tuple[object, ...]
) -> None:
    launch = market.launch(contract, *([extra] if contract == "TaxedToken" else extra))
    deployer = launch.deployer
    shares = market.balance(launch.pair, deployer.address)
    data = calldata("approve(address,uint256)", market.dex.router, shares)
    transact_ok(market.rpc, deployer, to=launch.pair, data=data)
    data = calldata(
        "removeLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
        *(launch.token, shares, 0, 0, deployer.address, 2**63),
    )
    transact_ok(market.rpc, deployer, to=market.dex.router, data=data)
    assert market.balance(market.dex.wrapped, launch.pair) < 10**4
    assert market.balance(launch.token, deployer.address) > 99 * 10**25


# -- traps (more in tests/chains/evm/test_round_trip_simulator.py) ----------------------------------


@pytest.mark.chain
@pytest.mark.parametrize(
    ("contract", "extra"),
    [
        ("SellBlockedToken", ()),
        ("BlacklistToken", (True,)),
        ("SellCapToken", (1, 1)),
        ("SellDelayToken", (2**100,)),
        ("SleeperToken", (0,)),
        ("CodeOnlySellToken", ()),
        ("FreeGasSellToken", (False,)),
    ],
)
def test_trap_when_account_is_excluded_then_that_account_sells(
    market: Market, contract: str, extra: tuple[int, ...]
) -> None:
    launch = market.launch(contract, *extra)
    victim, accomplice = market.buyer(), market.buyer()
    market.call_as_deployer(launch, "excludeFromFees(address,bool)", accomplice.address, True)
    for account in (victim, accomplice):
        assert market.buy(account, launch.token, value=WEI_IN)
    assert not market.sell(victim, launch.token)
    assert market.sell(accomplice, launch.token)


@pytest.mark.chain
def test_trading_switch_when_owner_closes_sells_then_buys_go_on(market: Market) -> None:
    launch = market.launch("TradingSwitchToken", True)
    buyer = market.buyer()
    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert market.sell(buyer, launch.token, amount=SOME_TOKENS)
    market.call_as_deployer(launch, "setSwapStatus(bool,bool)", True, False)
    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert not market.sell(buyer, launch.token)


@pytest.mark.chain
def test_sell_delay_when_blocks_have_passed_then_opens(market: Market) -> None:
    launch = market.launch("SellDelayToken", 20)
    buyer = market.buyer()
    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert not market.sell(buyer, launch.token)
    market.rpc("anvil_mine", hex(20))
    assert market.sell(buyer, launch.token)


@pytest.mark.chain
def test_sleeper_when_window_is_over_then_closes(market: Market) -> None:
    launch = market.launch("SleeperToken", 30)
    buyer = market.buyer()
    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert market.sell(buyer, launch.token, amount=SOME_TOKENS)
    market.rpc("anvil_mine", hex(30))
    assert not market.sell(buyer, launch.token)


@pytest.mark.chain
def test_blacklist_when_owner_lists_a_holder_then_holder_is_stuck(market: Market) -> None:
    launch = market.launch("BlacklistToken", False)
    buyer = market.buyer()
    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert market.sell(buyer, launch.token, amount=SOME_TOKENS)
    market.call_as_deployer(launch, "addBots(address[])", [buyer.address])
    assert not market.sell(buyer, launch.token)
    data = calldata("transfer(address,uint256)", market.buyer().address, 1)
    assert transact(market.rpc, buyer, to=launch.token, data=data)["status"] == "0x0"


@pytest.mark.chain
def test_hidden_mint_when_renounced_then_deployer_still_dumps(market: Market) -> None:
    launch = market.launch("HiddenMintToken", supply=10**26)
    market.call_as_deployer(launch, "renounceOwnership()")
    market.call_as_deployer(launch, "distributeRewards(uint256)", 10**30)
    assert read(market.rpc, launch.token, "totalSupply()", returns="uint256") == 10**26
    assert market.sell(launch.deployer, launch.token, amount=10**30)
    assert market.balance(market.dex.wrapped, launch.pair) < 10**16


@pytest.mark.chain
def test_mintable_when_owner_mints_then_supply_tells(market: Market) -> None:
    launch = market.launch("MintableToken")
    market.call_as_deployer(launch, "mint(address,uint256)", launch.deployer.address, 10**27)
    assert read(market.rpc, launch.token, "totalSupply()", returns="uint256") == 2 * 10**27


@pytest.mark.chain
def test_owner_move_when_renounced_then_deployer_still_takes_balances(market: Market) -> None:
    launch = market.launch("OwnerMoveToken")
    buyer = market.buyer()
    assert market.buy(buyer, launch.token, value=WEI_IN)
    market.call_as_deployer(launch, "renounceOwnership()")
    held = market.balance(launch.token, buyer.address)
    market.call_as_deployer(
        launch, "recoverTokens(address,address,uint256)", buyer.address, launch.deployer.address, held
    )
    assert market.balance(launch.token, buyer.address) == 0


# -- odd tokens -----------------------------------------------------------------------------------

RETURNS, REVERTS, BURNS = 0, 1, 2


@pytest.mark.chain
@pytest.mark.parametrize(
    "name",
    [
        b"bytes32 name".ljust(32, b"\0"),
        encode(["string"], ["x" * 10_240]),
        encode(["string"], ["\u202eHTE\u200b\x00\x07<b>"]),
        encode(["string"], [""]),
        b"",
        b"\xff" * 7,
        (2**255).to_bytes(32, "big") * 2,  # an offset beyond all data
        (32).to_bytes(32, "big") + (2**200).to_bytes(32, "big"),  # a length beyond all data
        encode(["bytes"], [b"\xff\xfe\xc3"]),  # no UTF-8
    ],
    ids=["bytes32", "10kB", "control", "empty", "nothing", "short", "offset", "length", "not-utf8"],
)
def test_odd_metadata_when_read_then_answers_the_given_bytes_and_trades(market: Market, name: bytes) -> None:
    token = deploy(
        market.rpc,
        market.chain.accounts[0],
        "OddMetadataToken",
        10**27,
        (RETURNS, name),
        (REVERTS, b"no symbol"),
        (RETURNS, encode(["uint256"], [255])),
        (BURNS, b""),
    )
    assert market.rpc("eth_call", {"to": token, "data": calldata("name()")}, "latest") == "0x" + name.hex()
    assert read(market.rpc, token, "decimals()", returns="uint256") == 255
    for burnt_or_reverted in ("symbol()", "totalSupply()"):
        with pytest.raises(RpcError):
            market.rpc(
                "eth_call", {"to": token, "data": calldata(burnt_or_reverted), "gas": hex(200_000)}, "latest"
            )
    launch = market.pool(token)
    buyer = market.buyer()
    assert market.buy(buyer, launch.token, value=WEI_IN)
    assert market.sell(buyer, launch.token)


@pytest.mark.chain
def test_no_return_token_when_called_then_returns_nothing(market: Market) -> None:
    token = deploy(market.rpc, market.chain.accounts[0], "NoReturnToken", "Old", "OLD", 0, 10**27)
    call = {
        "from": market.chain.accounts[0].address,
        "to": token,
        "data": calldata("transfer(address,uint256)", token, 1),
    }
    assert market.rpc("eth_call", call, "latest") == "0x"


@pytest.mark.chain
@pytest.mark.parametrize(("contract", "gas_used_min"), [("RevertingToken", 0), ("GasBurnToken", 90_000)])
def test_dead_token_when_called_then_fails_every_call(
    market: Market, contract: str, gas_used_min: int
) -> None:
    token = deploy(market.rpc, market.chain.accounts[0], contract)
    for signature in ("name()", "symbol()", "decimals()", "totalSupply()"):
        with pytest.raises(RpcError):
            market.rpc("eth_call", {"to": token, "data": calldata(signature), "gas": hex(100_000)}, "latest")
    receipt = transact(market.rpc, market.chain.accounts[0], to=token, data=calldata("name()"), gas=100_000)
    assert receipt["status"] == "0x0"
    assert int(receipt["gasUsed"], 16) >= gas_used_min


@pytest.mark.chain
@pytest.mark.parametrize("decimals", [0, 6, 18, 77, 255])
def test_standard_token_when_decimals_are_extreme_then_reads_them(market: Market, decimals: int) -> None:
    token = deploy(
        market.rpc,
        market.chain.accounts[0],
        "StandardToken",
        "A",
        "B",
        decimals,
        2**256 - 1,
        market.dex.router,
    )
    assert read(market.rpc, token, "decimals()", returns="uint8") == decimals
    assert read(market.rpc, token, "totalSupply()", returns="uint256") == 2**256 - 1


# -- dollars, locks, batches ----------------------------------------------------------------------


@pytest.mark.chain
@pytest.mark.parametrize("decimals", [6, 18])
def test_stable_when_minted_then_only_by_its_deployer(market: Market, decimals: int) -> None:
    deployer, stranger = market.chain.accounts[0], market.buyer()
    stable = deploy(market.rpc, deployer, "StableToken", "Dollar", "USD", decimals)
    data = calldata("mint(address,uint256)", stranger.address, 10**decimals)
    transact_ok(market.rpc, deployer, to=stable, data=data)
    assert transact(market.rpc, stranger, to=stable, data=data)["status"] == "0x0"
    assert market.balance(stable, stranger.address) == 10**decimals
    assert read(market.rpc, stable, "totalSupply()", returns="uint256") == 10**decimals


@pytest.mark.chain
def test_locker_when_time_has_come_then_pays_its_owner_once(market: Market) -> None:
    launch = market.launch("StandardToken")
    owner, stranger = launch.deployer, market.buyer()
    locker = deploy(market.rpc, owner, "LiquidityLocker")
    shares = market.balance(launch.pair, owner.address)
    now = int(market.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    transact_ok(market.rpc, owner, to=launch.pair, data=calldata("approve(address,uint256)", locker, shares))
    lock = "lock(address,uint256,uint64,address)"
    late = calldata(lock, launch.pair, shares, now - 1, owner.address)
    assert transact(market.rpc, owner, to=locker, data=late)["status"] == "0x0"

    half = shares // 2
    for amount in (half, shares - half):
        transact_ok(
            market.rpc, owner, to=locker, data=calldata(lock, launch.pair, amount, now + 1_000, owner.address)
        )

    assert read(market.rpc, locker, "lockIdsOf(address)", launch.pair, returns="uint256[]") == (0, 1)
    held = read(market.rpc, locker, "lockOf(uint256)", 0, returns="(address,address,uint256,uint64)")
    assert held[2:] == (half, now + 1_000)
    locked_at = "lockedAt(address,uint64)"
    assert read(market.rpc, locker, locked_at, launch.pair, now + 999, returns="uint256") == shares
    assert read(market.rpc, locker, locked_at, launch.pair, now + 1_000, returns="uint256") == 0

    withdraw = calldata("withdraw(uint256)", 0)
    assert transact(market.rpc, owner, to=locker, data=withdraw)["status"] == "0x0"
    earlier = calldata("extend(uint256,uint64)", 0, now + 500)
    assert transact(market.rpc, owner, to=locker, data=earlier)["status"] == "0x0"
    transact_ok(market.rpc, owner, to=locker, data=calldata("extend(uint256,uint64)", 0, now + 2_000))
    market.rpc("evm_increaseTime", hex(1_500))
    market.rpc("evm_mine")
    assert transact(market.rpc, owner, to=locker, data=withdraw)["status"] == "0x0"
    market.rpc("evm_increaseTime", hex(1_000))
    market.rpc("evm_mine")
    assert transact(market.rpc, stranger, to=locker, data=withdraw)["status"] == "0x0"
    transact_ok(market.rpc, owner, to=locker, data=withdraw)
    assert market.balance(launch.pair, owner.address) == half
    assert transact(market.rpc, owner, to=locker, data=withdraw)["status"] == "0x0"


@pytest.mark.chain
def test_batch_sender_when_used_then_pays_all_or_nobody(market: Market) -> None:
    launch = market.launch("StandardToken")
    owner = launch.deployer
    batch = deploy(market.rpc, owner, "BatchSender")
    receivers = [market.buyer().address for _ in range(100)]
    amounts = list(range(1, 101))
    transact_ok(market.rpc, owner, to=launch.token, data=calldata("approve(address,uint256)", batch, 10**9))
    send_token = "sendToken(address,address[],uint256[])"
    transact_ok(market.rpc, owner, to=batch, data=calldata(send_token, launch.token, receivers, amounts))
    assert [market.balance(launch.token, receiver) for receiver in receivers] == amounts
    too_much = calldata(send_token, launch.token, receivers[:2], [1, 10**9])
    assert transact(market.rpc, owner, to=batch, data=too_much)["status"] == "0x0"

    send_native = calldata("sendNative(address[],uint256[])", receivers[:3], [1, 2, 3])
    assert transact(market.rpc, owner, to=batch, data=send_native, value=7)["status"] == "0x0"
    before = int(market.rpc("eth_getBalance", receivers[2], "latest"), 16)
    transact_ok(market.rpc, owner, to=batch, data=send_native, value=6)
    assert int(market.rpc("eth_getBalance", receivers[2], "latest"), 16) == before + 3


def test_artifact_constructors_when_launch_tokens_then_begin_alike() -> None:
    common = ["string", "string", "uint8", "uint256", "address"]
    plain = {
        "NoReturnToken",
        "OddMetadataToken",
        "HostileToken",
        "RevertingToken",
        "GasBurnToken",
        "StableToken",
    }
    for path in SANDBOX_CONTRACTS.glob("*Token.json"):
        if path.stem in plain:
            continue
        inputs = next(
            entry["inputs"] for entry in artifact(path.stem)["abi"] if entry["type"] == "constructor"
        )
        assert [item["type"] for item in inputs][:5] == common, path.stem


def _terms(market: Market, buy_bps: int, sell_bps: int) -> tuple[int, int, int, str]:
    return (buy_bps, sell_bps, 2_500, market.chain.accounts[5].address)


def _deployer_call_ok(market: Market, launch: Launch, signature: str, *arguments: object) -> bool:
    data = calldata(signature, *arguments)
    return bool(transact(market.rpc, launch.deployer, to=launch.token, data=data)["status"] == "0x1")
