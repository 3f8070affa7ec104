"""The creator's side on a real chain: whom he gave tokens, and who gave him his first coins."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
from eth_account import Account

from apps.domain.market import PairFacts
from tests.chain_fixtures import Launch, Market, calldata, running_market, transact_ok
from tests.chains.evm.deployment import listing_of, reader_of

pytestmark = pytest.mark.chain

WEI_IN = 10**17


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


def facts_of(market: Market, launch: Launch) -> PairFacts:
    return reader_of(market).pair_facts(
        listing_of(market, launch),
        buyer=market.buyer().address,
        probe_amount_raw=WEI_IN,
        previous_swaps_from=0,
    )


def give(market: Market, launch: Launch, *, sender: object, to: str, amount: int) -> str:
    data = calldata("transfer(address,uint256)", to, amount)
    receipt = transact_ok(market.rpc, sender, to=launch.token, data=data)  # type: ignore[arg-type]
    return str(receipt["transactionHash"])


def test_creator_gives_tokens_away_then_he_who_has_them_now_is_supplied_and_buyers_are_not(
    market: Market,
) -> None:
    launch = market.launch("StandardToken")
    friend, heir, buyer = (market.buyer() for _ in range(3))
    gift = give(market, launch, sender=launch.deployer, to=friend.address, amount=10**24)
    passed_on = give(market, launch, sender=friend, to=heir.address, amount=4 * 10**23)
    assert market.buy(buyer, launch.token, value=10**17)
    known = facts_of(market, launch)
    assert known.supplied is not None
    assert {(item.address, item.balance_raw, item.tx_hash) for item in known.supplied} == {
        (friend.address, 6 * 10**23, gift),
        (heir.address, 4 * 10**23, passed_on),
    }


def test_creator_is_unknown_then_his_side_is_too(market: Market) -> None:
    launch = market.launch("StandardToken")
    listing = replace(listing_of(market, launch), creator="")
    known = reader_of(market).pair_facts(
        listing, buyer=market.buyer().address, probe_amount_raw=WEI_IN, previous_swaps_from=0
    )
    assert known.supplied is None


def test_account_was_paid_in_a_transaction_then_its_payer_is_found(market: Market) -> None:
    payer, newcomer = market.buyer(), Account.create()
    market.rpc("anvil_mine", hex(40))
    receipt = transact_ok(market.rpc, payer, to=newcomer.address, value=10**18)
    number = int(receipt["blockNumber"], 16)
    market.rpc("anvil_mine", hex(300))
    other = transact_ok(market.rpc, market.buyer(), to=newcomer.address, value=10**18)
    before = int(other["blockNumber"], 16)
    found = reader_of(market).first_funding(newcomer.address, before_block=before)
    assert (found.state, found.funder, found.block_number) == ("found", payer.address, number)
    assert found.tx_hash == receipt["transactionHash"]


def test_account_has_never_had_coins_then_unknown(market: Market) -> None:
    head = int(market.rpc("eth_blockNumber"), 16)
    found = reader_of(market).first_funding(Account.create().address, before_block=head)
    assert (found.state, found.funder) == ("unknown", "")
