"""Paper trading on a real local market: what it says it got is what a real trade would have got."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from apps.chains.evm.dex.uniswap_v2 import UniswapV2SwapBuilder
from apps.chains.evm.parse import fill_amounts
from apps.chains.models import PaperBalance, PaperTransaction
from apps.chains.paper.account import PaperAccount
from apps.chains.paper.chance import FAILED, PaperModel
from apps.chains.paper.marker import PaperSwapBuilder, marker_decode, marker_hash
from apps.chains.paper.ports import PaperReader, PaperSender, PaperSigner
from apps.domain.errors import BadDataError, EpochClosedError, InsufficientFundsError, NonceConflictError
from apps.domain.ids import ClientOrderId, TraceId, WalletKey
from apps.domain.market import Listing, Receipt
from apps.domain.money import Amount
from apps.domain.order import OrderIntent, Side, SignedTx, UnsignedTx
from apps.domain.sending import SendQuestion
from tests.chain_fixtures import Launch, Market, running_market
from tests.chains.evm.deployment import chain_key, dex_of, listing_of, profile_of, reader_of

pytestmark = [pytest.mark.chain, pytest.mark.django_db]

START_RAW = 5 * 10**18
VALUE_RAW = 10**17
OWNER = "0x" + "ab" * 20
LATE_S = 2**40


def open_fence(*, epoch: int, side: Side, data_dir: Path) -> AbstractContextManager[None]:
    del epoch, side, data_dir
    return nullcontext()


def shut_fence(*, epoch: int, side: Side, data_dir: Path) -> AbstractContextManager[None]:
    del side, data_dir
    raise EpochClosedError("shut", epoch=epoch)


def paper_builder(market: Market) -> PaperSwapBuilder:
    profile, dex = profile_of(market), dex_of(market)
    return PaperSwapBuilder(profile=profile, dex=dex, real=UniswapV2SwapBuilder(profile=profile, dex=dex))


@dataclass(frozen=True)
class Desk:
    """A paper trader at one pair."""

    market: Market
    listing: Listing
    reader: PaperReader
    signer: PaperSigner
    sender: PaperSender

    def unsigned(
        self, side: Side, amount_raw: int, *, out_min_raw: int = 1, deadline_s: int = LATE_S
    ) -> UnsignedTx:
        profile, buys = profile_of(self.market), side == "buy"
        route = (self.listing.quote.address, self.listing.base.address)
        intent = OrderIntent(
            trace_id=TraceId("0" * 32),
            client_order_id=ClientOrderId("order"),
            side=side,
            wallet_key=WalletKey("paper"),
            pair_key=self.listing.pair_key,
            dex_key=self.listing.dex_key,
            route=route if buys else route[::-1],
            amount_in=Amount(amount_raw, profile.native if buys else self.listing.base),
            amount_out_min=Amount(out_min_raw, self.listing.base if buys else profile.native),
            fee_cap_raw=10**18,
            gas_limit=500_000,
            epoch=1,
            expires_at_ms=0,
        )
        builder = paper_builder(self.market)
        assert builder.approval(intent, nonce=0, allowance_raw=0) is None
        nonce = self.reader.transaction_count(OWNER, pending=True)
        return builder.swap(intent, nonce=nonce, recipient=OWNER, deadline_s=deadline_s)

    def order(self, side: Side, amount_raw: int, **terms: Any) -> SignedTx:
        unsigned, fees = self.unsigned(side, amount_raw, **terms), self.reader.fees()
        priced = replace(unsigned, max_fee_wei=fees.max_fee_wei, tip_wei=fees.tip_wei)
        return self.signer.sign(priced, client_order_id=f"order-{unsigned.nonce}", epoch=1)

    def trade(self, side: Side, amount_raw: int, **terms: Any) -> Receipt:
        tx = self.order(side, amount_raw, **terms)
        self.sender.broadcast(tx, side=side)
        assert self.reader.receipt(tx.tx_hash) is None  # its block has not come
        self.market.rpc("anvil_mine", "0x1")
        receipt = self.reader.receipt(tx.tx_hash)
        assert receipt is not None
        return receipt

    def fill(self, receipt: Receipt, side: Side) -> tuple[int, int]:
        return fill_amounts(
            receipt,
            wallet=OWNER,
            base_address=self.listing.base.address,
            wrapped_address=self.market.dex.wrapped,
            pool_address=self.listing.pool_address,
            side=side,
        )

    def held(self) -> tuple[int, int]:
        found = self.reader.balances(OWNER, ["native", self.listing.base.address])
        return found["native"], found[self.listing.base.address]


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


def desk_at(market: Market, launch: Launch, tmp_path: Path, *, start_raw: int = START_RAW) -> Desk:
    listing, reader = listing_of(market, launch), reader_of(market)
    account = PaperAccount(chain_key(market), starting_native_raw=start_raw)
    return Desk(
        market=market,
        listing=listing,
        reader=PaperReader(
            reader, account, listing_of=lambda key: listing if key == listing.pair_key else None
        ),
        signer=PaperSigner(lambda _wallet: OWNER, data_dir=tmp_path, passage=open_fence),
        sender=PaperSender(reader, account, data_dir=tmp_path, passage=open_fence),
    )


@pytest.mark.parametrize(("contract", "taxes"), [("StandardToken", None), ("TaxedToken", (400, 700))])
def test_round_trip_when_on_paper_then_fills_are_those_of_a_real_trade(
    market: Market, tmp_path: Path, contract: str, taxes: tuple[int, int] | None
) -> None:
    extra = () if taxes is None else ((*taxes, 1_000, market.chain.accounts[3].address),)
    launch = market.launch(contract, *extra)
    desk = desk_at(market, launch, tmp_path)
    bought = desk.trade("buy", VALUE_RAW)
    assert bought.succeeded
    paid, received = desk.fill(bought, "buy")
    assert desk.held() == (START_RAW - VALUE_RAW - bought.fee_paid_raw, received)
    account = market.buyer()
    assert market.buy(account, launch.token, value=VALUE_RAW)
    assert (paid, received) == (VALUE_RAW, market.balance(launch.token, account.address))

    sold = desk.trade("sell", received)
    assert sold.succeeded
    spent, back = desk.fill(sold, "sell")
    real = _sell_really(market, launch, account)
    assert spent == received
    assert abs(back - real) <= real // 10_000 + 1  # the tax is known in whole bps, rounded against us
    assert back <= real
    fees = bought.fee_paid_raw + sold.fee_paid_raw
    assert desk.held() == (START_RAW - VALUE_RAW + back - fees, 0)
    assert int(market.rpc("eth_getTransactionCount", OWNER, "latest"), 16) == 0


def _sell_really(market: Market, launch: Launch, account: Any) -> int:
    before = int(market.rpc("eth_getBalance", market.dex.wrapped, "latest"), 16)
    assert market.sell(account, launch.token)
    return before - int(market.rpc("eth_getBalance", market.dex.wrapped, "latest"), 16)


def test_trap_when_sold_on_paper_then_it_reverts_and_costs_gas(market: Market, tmp_path: Path) -> None:
    desk = desk_at(market, market.launch("SellBlockedToken"), tmp_path)
    _, received = desk.fill(desk.trade("buy", VALUE_RAW), "buy")
    native, _ = desk.held()
    sold = desk.trade("sell", received)
    assert not sold.succeeded
    assert sold.transfers == ()
    assert sold.fee_paid_raw > 0
    assert desk.held() == (native - sold.fee_paid_raw, received)
    assert "the sell reverts" in PaperTransaction.objects.get(tx_hash=sold.tx_hash).reason


@pytest.mark.parametrize(
    ("terms", "reason"),
    [({"out_min_raw": 10**27}, "below the minimum"), ({"deadline_s": 1}, "the deadline has passed")],
)
def test_buy_when_its_terms_are_not_met_then_it_reverts(
    market: Market, tmp_path: Path, terms: dict[str, int], reason: str
) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    receipt = desk.trade("buy", VALUE_RAW, **terms)
    assert not receipt.succeeded
    assert desk.held() == (START_RAW - receipt.fee_paid_raw, 0)
    assert reason in PaperTransaction.objects.get(tx_hash=receipt.tx_hash).reason


def test_sell_when_more_than_held_then_it_reverts(market: Market, tmp_path: Path) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    receipt = desk.trade("sell", 10**18)
    assert not receipt.succeeded


def test_receipt_when_asked_again_or_sent_again_then_the_fill_stands_once(
    market: Market, tmp_path: Path
) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    tx = desk.order("buy", VALUE_RAW)
    desk.sender.broadcast(tx, side="buy")
    desk.sender.broadcast(tx, side="buy")
    market.rpc("anvil_mine", "0x1")
    first = desk.reader.receipt(tx.tx_hash)
    held = desk.held()
    desk.sender.broadcast(tx, side="buy")
    assert desk.reader.receipt(tx.tx_hash) == first
    assert desk.held() == held
    assert desk.reader.is_known(tx.tx_hash)
    assert not desk.reader.is_known("0x" + "12" * 32)
    assert desk.reader.receipt("0x" + "12" * 32) is None


def test_transactions_when_two_wait_then_they_fill_in_order_of_nonce(market: Market, tmp_path: Path) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    first = desk.order("buy", VALUE_RAW)
    desk.sender.broadcast(first, side="buy")
    second = desk.order("buy", VALUE_RAW)
    assert desk.sender.broadcast_many([second], side="buy") == (None,)
    assert desk.reader.transaction_count(OWNER, pending=True) == 2
    assert desk.reader.transaction_count(OWNER, pending=False) == 0
    market.rpc("anvil_mine", "0x1")
    receipt = desk.reader.receipt(second.tx_hash)
    assert receipt is not None
    assert PaperTransaction.objects.get(tx_hash=first.tx_hash).status == "mined"
    assert desk.reader.transaction_count(OWNER, pending=False) == 2


@pytest.mark.parametrize(("out_min_raw", "failure"), [(1, ""), (10**40, "INSUFFICIENT_OUTPUT_AMOUNT")])
def test_before_signing_when_on_paper_then_the_real_swap_is_tried_with_paper_coins(
    market: Market, tmp_path: Path, out_min_raw: int, failure: str
) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    swap = desk.unsigned("buy", VALUE_RAW, out_min_raw=out_min_raw)
    found = desk.reader.send_facts(SendQuestion(owner=OWNER, trial=swap))
    assert failure in found.failure
    assert bool(failure) == bool(found.failure)
    assert found.failure == desk.reader.failure_ahead(swap, sender=OWNER)
    assert (found.balance_raw, found.nonce, found.allowance_raw) == (START_RAW, 0, 0)
    assert found.fees == desk.reader.fees()


def test_cancellation_when_it_takes_the_nonce_then_the_swap_never_comes(
    market: Market, tmp_path: Path
) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    swap = desk.order("buy", VALUE_RAW)
    desk.sender.broadcast(swap, side="buy")
    marker = marker_decode(swap.payload)
    unsigned = replace(
        paper_builder(market).swap(_intent_like(desk), nonce=marker.nonce, recipient=OWNER, deadline_s=0),
        purpose="cancel",
        value_raw=0,
        data=b"",
        max_fee_wei=marker.max_fee_wei * 2,
    )
    cancel = desk.signer.sign(unsigned, client_order_id="cancel", epoch=1)
    desk.sender.broadcast(cancel, side="sell")
    market.rpc("anvil_mine", "0x1")
    receipt = desk.reader.receipt(cancel.tx_hash)
    assert receipt is not None
    assert receipt.succeeded
    assert desk.reader.receipt(swap.tx_hash) is None
    assert desk.held() == (START_RAW - receipt.fee_paid_raw, 0)


def _intent_like(desk: Desk) -> OrderIntent:
    profile = profile_of(desk.market)
    return OrderIntent(
        trace_id=TraceId("0" * 32),
        client_order_id=ClientOrderId("cancel"),
        side="sell",
        wallet_key=WalletKey("paper"),
        pair_key=desk.listing.pair_key,
        dex_key=desk.listing.dex_key,
        route=(desk.listing.base.address, desk.listing.quote.address),
        amount_in=Amount(1, desk.listing.base),
        amount_out_min=Amount(1, profile.native),
        fee_cap_raw=10**18,
        gas_limit=21_000,
        epoch=1,
        expires_at_ms=0,
    )


def test_send_when_wallet_is_poor_or_nonce_spent_then_refused_as_by_a_node(
    market: Market, tmp_path: Path
) -> None:
    launch = market.launch("StandardToken")
    poor = desk_at(market, launch, tmp_path, start_raw=VALUE_RAW)
    with pytest.raises(InsufficientFundsError):
        poor.sender.broadcast(poor.order("buy", VALUE_RAW), side="buy")
    PaperBalance.objects.all().delete()  # else the first look at the wallet would stand
    desk = desk_at(market, launch, tmp_path)
    early = desk.order("buy", VALUE_RAW)
    desk.trade("buy", VALUE_RAW * 2)
    [error] = desk.sender.broadcast_many([early], side="buy")
    assert isinstance(error, NonceConflictError)


def test_fence_when_shut_then_neither_signed_nor_sent(market: Market, tmp_path: Path) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    tx = desk.order("buy", VALUE_RAW)
    account = PaperAccount(chain_key(market), starting_native_raw=START_RAW)
    sender = PaperSender(reader_of(market), account, data_dir=tmp_path, passage=shut_fence)
    for send in (lambda: sender.broadcast(tx, side="buy"), lambda: sender.broadcast_many([tx], side="buy")):
        with pytest.raises(EpochClosedError):
            send()
    signer = PaperSigner(lambda _wallet: OWNER, data_dir=tmp_path, passage=shut_fence)
    with pytest.raises(EpochClosedError):
        replace(desk, signer=signer).order("buy", VALUE_RAW)
    assert not PaperTransaction.objects.exists()


@pytest.mark.parametrize("payload", [b"", b"{}", b"[]", b"\x02\xf8", b'{"owner": 1}', b"x" * 10_000])
def test_marker_when_it_is_none_then_bad_data(payload: bytes) -> None:
    with pytest.raises(BadDataError):
        marker_decode(payload)
    assert len(marker_hash(payload)) == 66


def test_coins_set_otherwise_after_the_first_look_then_the_wallet_keeps_its_own(
    market: Market, tmp_path: Path
) -> None:
    launch = market.launch("StandardToken")
    assert desk_at(market, launch, tmp_path).held() == (START_RAW, 0)
    assert desk_at(market, launch, tmp_path, start_raw=START_RAW * 2).held() == (START_RAW, 0)


def test_block_of_a_fill_reorganised_away_then_the_fill_stands_in_a_block_that_exists(
    market: Market, tmp_path: Path
) -> None:
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    receipt = desk.trade("buy", VALUE_RAW)
    held = desk.held()
    PaperTransaction.objects.update(block_hash="0x" + "ab" * 32)
    again = desk.reader.receipt(receipt.tx_hash)
    assert again == receipt
    PaperTransaction.objects.update(block_number=receipt.block.number + 10**6)
    again = desk.reader.receipt(receipt.tx_hash)
    assert again is not None
    assert again.block == desk.reader.head()
    assert again.transfers == receipt.transfers
    assert desk.held() == held


# -- what a network does to transactions ----------------------------------------------------
def test_chance_then_follows_from_the_order_alone_and_keeps_its_share():
    model = PaperModel(latency_ms=300, latency_spread_ms=1_000, failure_bps=2_500)
    names = [f"order-{number}" for number in range(4_000)]
    assert [model.fails(name) for name in names] == [model.fails(name) for name in names]
    assert 0.22 < sum(model.fails(name) for name in names) / len(names) < 0.28
    spent = [model.latency_of(name) for name in names]
    assert (min(spent) >= 300, max(spent) <= 1_300, max(spent) - min(spent) > 900) == (True, True, True)
    assert [replace(model, seed=1).fails(name) for name in names] != [model.fails(name) for name in names]


def test_swap_that_the_model_fails_then_pays_its_gas_and_moves_nothing(market: Market, tmp_path: Path):
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    always = PaperModel(latency_ms=0, latency_spread_ms=0, failure_bps=10_000)
    reader = PaperReader(
        reader_of(market),
        PaperAccount(chain_key(market), starting_native_raw=START_RAW),
        listing_of=lambda _key: desk.listing,
        model=lambda: always,
    )
    before, _ = desk.held()
    receipt = replace(desk, reader=reader).trade("buy", VALUE_RAW)
    assert (receipt.succeeded, receipt.transfers) == (False, ())
    assert desk.held() == (before - receipt.fee_paid_raw, 0)
    assert receipt.fee_paid_raw > 0
    assert PaperTransaction.objects.get(tx_hash=receipt.tx_hash).reason == FAILED


def test_transaction_that_the_model_delays_then_its_block_comes_later(market: Market, tmp_path: Path):
    desk = desk_at(market, market.launch("StandardToken"), tmp_path)
    slow = PaperModel(latency_ms=10 * desk.reader.profile.block_time_ms, latency_spread_ms=0, failure_bps=0)
    account = PaperAccount(chain_key(market), starting_native_raw=START_RAW)
    sender = PaperSender(
        reader_of(market), account, data_dir=tmp_path, model=lambda: slow, passage=open_fence
    )
    tx = desk.order("buy", VALUE_RAW)
    sender.broadcast(tx, side="buy")
    market.rpc("anvil_mine", "0x9")
    assert desk.reader.receipt(tx.tx_hash) is None
    market.rpc("anvil_mine", "0x1")
    assert desk.reader.receipt(tx.tx_hash) is not None
