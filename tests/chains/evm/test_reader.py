"""Everything the reader says of a market is compared with the market itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import encode

from apps.chains.evm import bytecode, facts
from apps.chains.evm.client import EndpointConfig, EvmClient, RpcFault
from apps.chains.evm.reader import EvmReader
from apps.domain.errors import EndpointLyingError, NetworkError, ReorgError
from apps.domain.ids import WalletKey
from apps.domain.market import PairFacts
from apps.domain.money import Token
from apps.domain.order import UnsignedTx
from apps.domain.sending import SendFacts, SendQuestion
from apps.sandbox.lockers import sandbox_locker
from tests.chain_fixtures import (
    Launch,
    Market,
    artifact,
    calldata,
    deploy,
    read,
    running_market,
    transact_ok,
)
from tests.chains.evm.deployment import chain_key, listing_of, reader_of

pytestmark = pytest.mark.chain

WEI_IN = 10**17
DEAD_ADDRESS = "0x000000000000000000000000000000000000dEaD"


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


@pytest.fixture(scope="module")
def launch(market: Market) -> Launch:
    return market.launch("StandardToken")


def facts_of(market: Market, launch: Launch, reader: EvmReader | None = None, **changes: Any) -> PairFacts:
    listing = replace(listing_of(market, launch), **changes)
    return (reader or reader_of(market)).pair_facts(
        listing, buyer=market.buyer().address, probe_amount_raw=WEI_IN, previous_swaps_from=0
    )


class CountingClient(EvmClient):
    """Counts the batches and single calls that leave for the node."""

    posts = 0

    def call(self, *arguments: Any, **keywords: Any) -> Any:
        self.posts += 1
        return super().call(*arguments, **keywords)

    def batch(self, *arguments: Any, **keywords: Any) -> list[Any]:
        self.posts += 1
        return super().batch(*arguments, **keywords)


class AlteringClient(EvmClient):
    """Answers as the node does, but for requests that ``alter`` changes."""

    def __init__(self, url: str, chain_id: int, alter: Any) -> None:
        super().__init__([EndpointConfig(url_http=url)], chain_id=chain_id)
        self._alter = alter

    def call(self, method: str, params: Sequence[Any] = (), **keywords: Any) -> Any:
        return self._alter(method, params, super().call(method, params, **keywords))

    def batch(self, requests: Any, **keywords: Any) -> list[Any]:
        answers = super().batch(requests, **keywords)
        return [self._alter(*request, answer) for request, answer in zip(requests, answers, strict=True)]


def altered(market: Market, alter: Any) -> EvmReader:
    return reader_of(market, client=AlteringClient(market.chain.url, market.chain.chain_id, alter))


# -- pair facts -----------------------------------------------------------------------------------


def test_pair_when_fresh_then_all_facts_are_those_of_the_chain(market: Market) -> None:
    launch = market.launch("StandardToken")
    buyers = [market.buyer() for _ in range(3)]
    for number, buyer in enumerate(buyers):
        assert market.buy(buyer, launch.token, value=(number + 1) * 10**16)
    assert market.sell(buyers[0], launch.token)
    known = facts_of(market, launch)
    head = market.rpc("eth_getBlockByNumber", "latest", False)
    assert (known.block.number, known.block.hash) == (int(head["number"], 16), head["hash"])
    assert known.reserves is not None
    assert known.reserves.base_raw == market.balance(launch.token, launch.pair)
    assert known.reserves.quote_raw == market.balance(market.dex.wrapped, launch.pair)
    assert known.base_total_supply_raw == 10**27
    assert known.base_creator_raw == market.balance(launch.token, launch.deployer.address)
    assert known.lp_total_supply_raw == read(market.rpc, launch.pair, "totalSupply()", returns="uint256")
    assert known.lp_burned_raw == 1_000
    assert known.lp_locked_raw == 0
    assert known.lp_total_supply_raw is not None
    assert known.lp_creator_raw == known.lp_total_supply_raw - 1_000
    assert known.owner == launch.deployer.address
    assert known.selectors is not None
    assert "0xa9059cbb" in known.selectors
    assert known.holders is not None
    expected = [launch.deployer.address, buyers[2].address, buyers[1].address]
    assert [holder for holder, _ in known.holders] == expected
    assert all(balance == market.balance(launch.token, holder) for holder, balance in known.holders)
    assert known.swaps is not None
    sides = [(swap.side, swap.trader) for swap in known.swaps]
    assert sides == [("buy", buyer.address) for buyer in buyers] + [("sell", buyers[0].address)]
    assert known.missing == {
        "quote_price_usd_micros": "the chain has no stable pool deep enough to price its coin"
    }


def test_pair_when_read_then_three_posts_once_the_stable_pools_are_known(
    market: Market, launch: Launch
) -> None:
    client = CountingClient([EndpointConfig(url_http=market.chain.url)], chain_id=market.chain.chain_id)
    key = chain_key(market)
    stable = deploy(market.rpc, launch.deployer, "StableToken", "Dollar", "USD", 6)
    reader = reader_of(market, stables=(Token(key, stable, "USD", 6),), client=client)
    _pool_dollars(market, launch, stable)
    facts_of(market, launch, reader)
    client.posts = 0
    assert facts_of(market, launch, reader).quote_price_usd_micros == 2_500_000_000
    assert client.posts == 3


def _pool_dollars(market: Market, launch: Launch, stable: str) -> None:
    minted = calldata("mint(address,uint256)", launch.deployer.address, 10**15)
    transact_ok(market.rpc, launch.deployer, to=stable, data=minted)
    market.pool(stable, pooled_tokens=250_000 * 10**6, pooled_native=100 * 10**18)


def test_price_when_stable_is_on_either_side_then_the_deepest_pool_decides(
    market: Market, launch: Launch
) -> None:
    stables = []
    for _ in range(4):  # addresses on both sides of the wrapped coin's
        stable = deploy(market.rpc, launch.deployer, "StableToken", "Dollar", "USD", 6)
        _pool_dollars(market, launch, stable)
        stables.append(Token(chain_key(market), stable, "USD", 6))
        reader = reader_of(market, stables=(stables[-1],))
        assert reader.quote_price_usd_micros() == 2_500_000_000
        known = facts_of(market, launch, reader)
        assert known.quote_price_usd_micros == 2_500_000_000
    assert reader_of(market, stables=tuple(stables)).quote_price_usd_micros() == 2_500_000_000
    assert reader_of(market).quote_price_usd_micros() is None


def test_liquidity_when_burned_or_locked_then_told_apart(market: Market) -> None:
    launch = market.launch("StandardToken")
    locker = deploy(market.rpc, launch.deployer, "LiquidityLocker")
    at_s = int(market.rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16)
    held = market.balance(launch.pair, launch.deployer.address)
    approve = calldata("approve(address,uint256)", locker, 2**256 - 1)
    transact_ok(market.rpc, launch.deployer, to=launch.pair, data=approve)
    for amount, unlock_at_s in ((held // 2, at_s + 30 * 86_400), (held // 8, at_s + 3_600)):
        data = calldata(
            "lock(address,uint256,uint64,address)", launch.pair, amount, unlock_at_s, launch.deployer.address
        )
        transact_ok(market.rpc, launch.deployer, to=locker, data=data)
    burn = calldata("transfer(address,uint256)", DEAD_ADDRESS, held // 4)
    transact_ok(market.rpc, launch.deployer, to=launch.pair, data=burn)
    known = facts_of(market, launch, reader_of(market, lockers=(sandbox_locker(locker),)))
    assert known.lp_locked_raw == held // 2
    assert known.lp_burned_raw == held // 4 + 1_000
    assert known.lp_creator_raw == held - held // 2 - held // 8 - held // 4


def test_owner_when_renounced_then_empty_and_when_passed_on_then_counted(market: Market) -> None:
    launch = market.launch("StandardToken")
    other = market.buyer()
    market.call_as_deployer(launch, "transfer(address,uint256)", other.address, 10**26)
    market.call_as_deployer(launch, "transferOwnership(address)", other.address)
    known = facts_of(market, launch)
    assert known.owner == other.address
    assert known.base_creator_raw == 9 * 10**26
    transact_ok(market.rpc, other, to=launch.token, data=calldata("renounceOwnership()"))
    known = facts_of(market, launch)
    assert known.owner == ""
    assert known.base_creator_raw == 8 * 10**26


def test_creator_when_unknown_then_its_parts_are_missing(market: Market, launch: Launch) -> None:
    known = facts_of(market, launch, creator="")
    assert (known.base_creator_raw, known.lp_creator_raw) == (None, None)
    assert known.missing is not None
    assert known.missing["lp_creator_raw"] == "the creator is unknown"


def test_holders_when_supply_was_made_without_events_then_unknown(market: Market) -> None:
    launch = market.launch("StandardToken")

    def bigger_supply(method: str, params: Any, answer: Any) -> Any:
        if (
            method == "eth_call"
            and params[0]["to"] == launch.token
            and params[0]["data"] == calldata("totalSupply()")
        ):
            return "0x" + encode(["uint256"], [2 * 10**27]).hex()
        return answer

    known = facts_of(market, launch, altered(market, bigger_supply))
    assert known.holders is None
    assert known.missing is not None
    assert "no event names" in known.missing["holders"]


def test_transfers_when_there_are_too_many_then_holders_unknown_and_the_rest_stands(
    market: Market, launch: Launch
) -> None:
    def flood(method: str, params: Any, answer: Any) -> Any:
        is_flooded = method == "eth_getLogs" and params[0]["address"] == launch.token
        return answer * (facts.TRANSFERS_MAX // len(answer) + 1) if is_flooded else answer

    known = facts_of(market, launch, altered(market, flood))
    assert known.holders is None
    assert known.reserves is not None
    assert known.missing is not None
    assert known.missing["holders"] == f"more than {facts.TRANSFERS_MAX} events"


def test_holders_when_many_and_their_history_is_not_whole_then_unknown(
    market: Market, launch: Launch
) -> None:
    def strangers(method: str, params: Any, answer: Any) -> Any:
        if method != "eth_getLogs" or params[0]["address"] != launch.token:
            return answer
        sender = "0x" + "00" * 12 + "77" * 20
        moves = [
            {
                **answer[0],
                "topics": [answer[0]["topics"][0], sender, f"0x{number:064x}"],
                "data": "0x" + "00" * 31 + "01",
            }
            for number in range(10**6, 10**6 + facts.HOLDERS_CONFIRMED_MAX)
        ]
        return [*answer, *moves]

    known = facts_of(market, launch, altered(market, strangers))
    assert known.holders is None
    assert known.missing is not None
    assert "do not go back to the first" in known.missing["holders"]


def test_node_when_it_refuses_or_garbles_everything_then_all_is_missing_with_reasons(
    market: Market, launch: Launch
) -> None:
    refusal = RpcFault(code=-32_000, message="daily limit reached")
    answers: tuple[Any, ...] = (refusal, None, "0x", "0xzz", [], {}, 5, [{"calls": []}], "0x" + "f" * 64)
    for garbage in answers:

        def garble(method: str, _params: Any, answer: Any, garbage: Any = garbage) -> Any:
            return answer if method == "eth_getBlockByNumber" else garbage

        known = facts_of(market, launch, altered(market, garble))
        assert known.reserves is None
        assert known.lp_creator_raw is None or garbage == "0x" + "f" * 64
        assert all(trip.stage == "unavailable" for trip in known.round_trips)
        assert known.missing
        assert all(known.missing.values())


def test_block_when_it_vanishes_meanwhile_then_reorg(market: Market, launch: Launch) -> None:
    def other_hash(method: str, params: Any, answer: Any) -> Any:
        is_second_look = method == "eth_getBlockByNumber" and params[0] != "latest"
        return {**answer, "hash": "0x" + "00" * 32} if is_second_look else answer

    reader = altered(market, other_hash)
    with pytest.raises(ReorgError):
        reader.pair_facts(
            listing_of(market, launch),
            buyer=market.buyer().address,
            probe_amount_raw=WEI_IN,
            previous_swaps_from=0,
        )


def test_block_when_it_is_none_then_the_endpoint_lies(market: Market, launch: Launch) -> None:
    reader = altered(market, lambda _method, _params, _answer: {"number": "0x1"})
    with pytest.raises(EndpointLyingError):
        reader.head()
    with pytest.raises(NetworkError):
        facts_of(market, launch, reader)


def test_pair_when_quote_is_not_the_wrapped_coin_then_no_round_trip(market: Market, launch: Launch) -> None:
    stranger = Token(chain_key(market), launch.deployer.address, "X", 18)
    known = facts_of(market, launch, quote=stranger)
    assert (known.round_trips, known.reserves, known.quote_price_usd_micros) == ((), None, None)
    assert known.missing is not None
    assert {"round_trips", "reserves", "quote_price_usd_micros"} <= set(known.missing)


# -- code -----------------------------------------------------------------------------------------


def test_code_when_only_its_metadata_differ_then_same_hash() -> None:
    body, note = b"\x60\x80\x60\x40", b"\xa2\x64ipfs"
    for tail in (note, note[:-1] + b"x"):
        assert bytecode.without_metadata(body + tail + len(tail).to_bytes(2, "big")) == body
    for code in (b"", b"\x60", body, body + b"\xff\xff", body + b"\x00\x00"):
        assert bytecode.without_metadata(code) == code


def test_minimal_proxy_when_read_then_selectors_are_its_targets(market: Market) -> None:
    launch = market.launch("StandardToken")
    proxy = "0x363d3d373d3d3d363d73" + launch.token[2:].lower() + "5af43d82803e903d91602b57fd5bf3"

    def as_proxy(method: str, params: Any, answer: Any) -> Any:
        return proxy if method == "eth_getCode" and params[0] == launch.token else answer

    known = facts_of(market, launch, altered(market, as_proxy))
    assert known.selectors is not None
    assert "0xa9059cbb" in known.selectors


def test_upgradeable_proxy_when_read_then_selectors_are_unknown(market: Market, launch: Launch) -> None:
    def as_proxy(method: str, _params: Any, answer: Any) -> Any:
        return "0x" + "00" * 12 + "11" * 20 if method == "eth_getStorageAt" else answer

    known = facts_of(market, launch, altered(market, as_proxy))
    assert known.selectors is None
    assert known.missing is not None
    assert known.missing["selectors"] == "the token is a proxy whose code can be exchanged"


# -- tokens and pools -----------------------------------------------------------------------------


def test_metadata_when_tokens_are_hostile_then_faults_and_no_exception(
    market: Market, launch: Launch
) -> None:
    deployer = launch.deployer
    huge = encode(["string"], ["x" * 10_240])
    bidi = encode(["string"], ["USD\u202eC"])
    words = encode(["uint256"], [10**18]), encode(["uint256"], [300])
    odd = deploy(market.rpc, deployer, "OddMetadataToken", 5, (0, huge), (0, bidi), (0, words[1]), (2, b""))
    old = deploy(
        market.rpc,
        deployer,
        "OddMetadataToken",
        5,
        (0, b"Maker".ljust(32, b"\0")),
        (1, b"no"),
        (0, b""),
        (0, words[0]),
    )
    broken = deploy(market.rpc, deployer, artifact("RevertingToken"))
    found = reader_of(market).token_metadata([launch.token, odd, old, broken, deployer.address.lower()])
    assert (found[launch.token].name, found[launch.token].decimals, found[launch.token].faults) == (
        "Sample",
        18,
        (),
    )
    assert found[odd].name == "x" * 64
    assert found[odd].symbol == "USDC"
    assert found[odd].faults == ("name_cut", "symbol_bidi", "decimals_absurd", "supply_unreadable")
    assert (found[old].name, found[old].total_supply_raw) == ("Maker", 10**18)
    assert found[old].faults == ("name_bytes32", "symbol_reverts", "decimals_absent")
    assert found[broken].faults == ("name_reverts", "symbol_reverts", "decimals_reverts", "supply_unreadable")
    nobody = found[deployer.address.lower()]
    assert nobody.address == deployer.address
    assert nobody.faults == ("name_absent", "symbol_absent", "decimals_absent", "supply_unreadable")


def test_metadata_when_the_node_fails_then_no_fault_is_blamed_on_the_token(
    market: Market, launch: Launch
) -> None:
    reader = altered(
        market, lambda _method, _params, _answer: RpcFault(code=-32_005, message="daily limit reached")
    )
    with pytest.raises(NetworkError):
        reader.token_metadata([launch.token])


def test_pools_when_asked_who_they_are_then_tokens_and_creation(market: Market, launch: Launch) -> None:
    reader = reader_of(market)
    found = reader.pool_tokens([launch.pair, launch.token, launch.deployer.address])
    assert set(found) == {launch.pair}
    assert {found[launch.pair].token0, found[launch.pair].token1} == {launch.token, market.dex.wrapped}
    created = reader.pool_creations(
        [found[launch.pair], replace(found[launch.pair], pool_address=launch.token)]
    )
    assert set(created) == {launch.pair}
    event = created[launch.pair]
    assert event.block == listing_of(market, launch).created_block
    assert reader.senders([event.tx_hash, "0x" + "12" * 32]) == {event.tx_hash: launch.deployer.address}


def test_reserves_when_a_pool_does_not_answer_then_it_is_absent(market: Market, launch: Launch) -> None:
    listing = listing_of(market, launch)
    false = replace(listing, pool_address=launch.token, pair_key=listing.pair_key + "0")  # type: ignore[arg-type]
    found = reader_of(market).reserves([listing, false])
    assert set(found) == {listing.pair_key}
    assert found[listing.pair_key].quote_raw == market.balance(market.dex.wrapped, launch.pair)
    assert reader_of(market).reserves([]) == {}


def test_activity_when_pools_trade_then_reserves_and_swaps_in_order(market: Market) -> None:
    launches = [
        market.launch("StandardToken"),
        market.launch("TaxedToken", (100, 100, 500, market.buyer().address)),
    ]
    listings = [listing_of(market, item) for item in launches]
    first = int(market.rpc("eth_blockNumber"), 16) + 1
    buyer = market.buyer()
    for item in launches:
        assert market.buy(buyer, item.token, value=WEI_IN)
        assert market.sell(buyer, item.token)
    last = int(market.rpc("eth_blockNumber"), 16)
    reserves, swaps = reader_of(market).pool_activity(listings, first, last)
    expected = [(item.pair_key, side) for item in listings for side in ("buy", "sell")]
    assert [(swap.pair_key, swap.side) for swap in swaps] == expected
    assert {swap.trader for swap in swaps} == {buyer.address}
    now = reader_of(market).reserves(listings)
    newest = {item.pair_key: item for item in reserves}
    for listing in listings:
        assert newest[listing.pair_key].base_raw == now[listing.pair_key].base_raw
    assert reader_of(market).pool_activity(listings, last + 1, last) == ((), ())


# -- accounts -------------------------------------------------------------------------------------


def test_account_when_read_then_balances_nonce_and_transactions(market: Market, launch: Launch) -> None:
    reader, account = reader_of(market), market.buyer()
    assert reader.transaction_count(account.address, pending=True) == 0
    receipt = transact_ok(
        market.rpc,
        account,
        to=market.dex.router,
        data=market.buy_data(launch.token, account.address),
        value=WEI_IN,
    )
    assert reader.transaction_count(account.address, pending=False) == 1
    found = reader.balances(account.address, ["native", launch.token, launch.deployer.address])
    assert found == {
        "native": int(market.rpc("eth_getBalance", account.address, "latest"), 16),
        launch.token: market.balance(launch.token, account.address),
    }
    assert reader.is_known(receipt["transactionHash"])
    assert not reader.is_known("0x" + "12" * 32)
    assert reader.receipt("0x" + "12" * 32) is None
    mined = reader.receipt(receipt["transactionHash"])
    assert mined is not None
    assert mined.fee_paid_raw == int(receipt["gasUsed"], 16) * int(receipt["effectiveGasPrice"], 16)
    assert mined.block == reader.block(int(receipt["blockNumber"], 16))
    assert reader.block(10**9) is None
    assert reader.fees().base_fee_wei > 0


def test_send_facts_when_read_then_what_each_question_alone_gives_in_one_post(
    market: Market, launch: Launch
) -> None:
    account = market.buyer()
    client = CountingClient([EndpointConfig(url_http=market.chain.url)], chain_id=market.chain.chain_id)
    reader = reader_of(market, client=client)
    trial = UnsignedTx(
        chain_key=chain_key(market),
        wallet_key=WalletKey("buyer"),
        purpose="swap",
        nonce=0,
        to=market.dex.router,
        value_raw=WEI_IN,
        data=bytes.fromhex(market.buy_data(launch.token, account.address).removeprefix("0x")),
        gas_limit=300_000,
        max_fee_wei=0,
        tip_wei=0,
    )
    question = SendQuestion(
        owner=account.address, spender=market.dex.router, token_address=launch.token, trial=trial
    )
    client.posts = 0
    found = reader.send_facts(question)
    assert client.posts == 1
    assert found == SendFacts(
        fees=reader.fees(),
        balance_raw=reader.balances(account.address, ["native"])["native"],
        nonce=reader.transaction_count(account.address, pending=True),
        allowance_raw=reader.allowance(account.address, market.dex.router, launch.token),
    )
    failing = replace(trial, data=trial.data[:4])
    failed = reader.send_facts(replace(question, spender="", trial=failing))
    assert failed.failure
    assert failed.failure == reader.failure_ahead(failing, sender=account.address)


def test_send_facts_when_a_question_is_refused_then_nothing_is_made_up(market: Market) -> None:
    def alter(method: str, _params: Any, answer: Any) -> Any:
        return RpcFault(code=-32000, message="no state") if method == "eth_getBalance" else answer

    reader = altered(market, alter)
    with pytest.raises(NetworkError, match="no state"):
        reader.send_facts(SendQuestion(owner=market.buyer().address))
