"""Buying and selling on a real chain, with real contracts, signatures and receipts; book and chain to the last unit."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from apps.chains.evm.client import EvmClient
from apps.chains.evm.reader import EvmReader
from apps.chains.evm.sender import EvmSender
from apps.chains.registry import DEX_KINDS
from apps.chains.selectors import chain_profile, dex_profiles, endpoint_configs
from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of as listing_of_row
from apps.domain.ids import TraceId
from apps.domain.order import OrderStatus
from apps.domain.verdict import Outcome, RiskVerdict
from apps.intelligence.services.analysis import analysis_run
from apps.risk.services.verdicts import StoredVerdict
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.state.services.heartbeats import beat
from apps.trading.models import Opportunity, Order, Position
from apps.trading.services.decisions import entry_decide
from apps.trading.services.execution import ExecutionPorts, order_execute
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.opportunities import opportunity_claim, opportunity_open
from apps.trading.services.positions import exit_request
from apps.trading.services.reconciliation import orders_reconcile, wallet_reconcile
from apps.trading.services.settlement import fills_finalise, order_settle
from apps.wallets.services.wallets import wallet_create
from apps.wallets.signing import KeystoreSigner, SigningChain
from tests import factories
from tests.chain_fixtures import Launch, Market, running_market
from tests.chains.evm.deployment import listing_of

pytestmark = pytest.mark.chain

PRICE = 3_000_000_000
#: 3 % on buying, 5 % on selling, never more than 10 %, to a wallet of its own.
TERMS = (300, 500, 1_000, "0x" + "fe" * 20)
ETHER = 10**18


@pytest.fixture(scope="module")
def market() -> Iterator[Market]:
    with running_market() as market:
        yield market


@dataclass(slots=True)
class Trader:
    """The system's own parts on the local chain."""

    market: Market
    ports: ExecutionPorts
    reader: EvmReader
    owner: str

    def pair(self, launch: Launch) -> Pair:
        seen = listing_of(self.market, launch)
        chain_key = seen.base.chain_key
        row: Pair = factories.PairFactory(
            chain_key=chain_key,
            pool_address=seen.pool_address,
            base__address=launch.token,
            base__symbol="SMPL",
            quote__address=seen.quote.address,
            base_is_token0=seen.base_is_token0,
            created_block_number=seen.created_block.number,
            created_block_hash=seen.created_block.hash,
            creator=seen.creator,
        )
        return row

    def decide(self, pair: Pair, opportunity: Opportunity | None = None) -> Order:
        """Decide about a pair's first opportunity, or about this one."""
        listing, active = listing_of_row(pair), active_config()
        row = opportunity or opportunity_open(
            pair_id=pair.pk, listing=listing, source="chain", config=active.config
        )
        listing = replace(listing, trace_id=TraceId(row.trace_id))
        beat(component=f"listener/{pair.chain_key}")
        assert opportunity_claim(opportunity_id=row.pk)
        facts = self.reader.pair_facts(
            listing, buyer=self.owner, probe_amount_raw=ETHER // 12, previous_swaps_from=0
        )
        facts = replace(facts, quote_price_usd_micros=PRICE)
        stored = analysis_run(listing=listing, pair_id=pair.pk, facts=facts, history=None, now_ms=0)
        verdict = factories.VerdictRecordFactory(
            analysis_id=stored.record_id, analysis=None, pair=pair, trace_id=row.trace_id
        )
        order = entry_decide(
            opportunity=Opportunity.objects.get(pk=row.pk),
            listing=listing,
            analysis=stored,
            verdict=StoredVerdict(
                verdict=RiskVerdict(
                    trace_id=listing.trace_id,
                    pair_key=listing.pair_key,
                    outcome=Outcome.PASS,
                    score_bps=9_000,
                    findings=(),
                    config_revision=1,
                ),
                record_id=verdict.pk,
            ),
            facts=facts,
            ports=self.ports,
            wallet_key="trader",
            active=active,
            engine=engine_view(),
        )
        assert order is not None, Opportunity.objects.get(pk=row.pk).skip_explanation
        return order

    def carry_out(self, order_id: int) -> OrderStatus:
        order_execute(order_id=order_id, ports=self.ports, worker="test")
        return self.settle(order_id)

    def settle(self, order_id: int) -> OrderStatus:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            status = order_settle(order_id=order_id, ports=self.ports)
            if status is not OrderStatus.SUBMITTED:
                return status
            time.sleep(0.02)
        raise AssertionError("not settled in time")

    def compare(self) -> Any:
        return wallet_reconcile(chain_key=self.ports.profile.chain_key, wallet_key="trader", ports=self.ports)


@pytest.fixture
def trader(market: Market, db: None, settings: Any, tmp_path: Path) -> Trader:
    settings.DATA_DIR = tmp_path
    factories.EngineStateFactory()
    factories.ConfigRevisionFactory(number=1, is_active=True)
    genesis = market.rpc("eth_getBlockByNumber", "0x0", False)["hash"]
    chain: Any = factories.ChainFactory(
        chain_id=market.chain.chain_id, genesis_hash=genesis, wrapped_native_address=market.dex.wrapped
    )
    factories.EndpointFactory(chain=chain, url_http=market.chain.url, url_ws="")
    factories.DexDeploymentFactory(
        chain=chain, factory_address=market.dex.factory, router_address=market.dex.router
    )
    wallet = wallet_create(key="trader", mode="sandbox")
    market.rpc("anvil_setBalance", wallet.address, hex(100 * ETHER))
    profile, [dex] = chain_profile(chain.key), dex_profiles(chain.key)
    client = EvmClient.for_profile(profile, endpoint_configs(chain.key))
    reader = EvmReader(client, profile, lockers=(), dexes=(dex,))
    signer = KeystoreSigner.from_settings(replace(settings.ENV, data_dir=tmp_path))
    signer.admit(
        SigningChain(profile=profile, endpoint_urls=(market.chain.url,), genesis_read=lambda: str(genesis))
    )
    ports = ExecutionPorts(
        profile=profile,
        reader=reader,
        builders={dex.dex_key: DEX_KINDS[dex.kind].builder(profile=profile, dex=dex)},
        signer=signer,
        sender=EvmSender(client, data_dir=tmp_path),
    )
    trader = Trader(market=market, ports=ports, reader=reader, owner=wallet.address)
    assert trader.compare().is_equal
    return trader


@pytest.mark.parametrize(("contract", "extra"), [("StandardToken", ()), ("TaxedToken", (TERMS,))])
def test_round_trip_on_a_real_exchange_then_book_equals_chain_to_the_wei(
    trader: Trader, contract: str, extra: tuple[Any, ...]
):
    pair = trader.pair(trader.market.launch(contract, *extra))
    order = trader.decide(pair)
    assert trader.carry_out(order.pk) is OrderStatus.FILLED
    position = Position.objects.get()
    assert position.quantity_raw == trader.market.balance(pair.base.address, trader.owner)
    assert position.quantity_raw >= order.amount_out_min_raw
    assert trader.compare().is_equal
    exit_request(position_id=position.pk, by="test")
    [sale] = exits_evaluate(chain_key=pair.chain_key, ports=trader.ports, head=trader.reader.head())
    assert trader.carry_out(sale) is OrderStatus.FILLED
    position.refresh_from_db()
    assert (position.status, position.exit_tag) == ("closed", "force_exit")
    assert trader.market.balance(pair.base.address, trader.owner) == 0
    report = trader.compare()
    assert report.is_equal, report
    assert books_imbalance() == {}
    assert fills_finalise(chain_key=pair.chain_key, head_number=10**6, depth=3) == 2


def test_order_when_its_worker_dies_after_the_send_then_the_chain_settles_it(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
):
    from apps.trading.services import attempts, execution

    pair = trader.pair(trader.market.launch("StandardToken"))
    order = trader.decide(pair)

    def send_and_die(sent: Order, rows: Any, ports: ExecutionPorts) -> None:
        ports.sender.broadcast_many([attempts.signed_of(item, sent) for item in rows], side="buy")
        raise KeyboardInterrupt

    monkeypatch.setattr(execution, "_send", send_and_die)
    with pytest.raises(KeyboardInterrupt):
        order_execute(order_id=order.pk, ports=trader.ports, worker="test")
    time.sleep(0.2)
    assert orders_reconcile(chain_key=pair.chain_key, ports=trader.ports) == {order.pk: OrderStatus.FILLED}
    assert trader.compare().is_equal


def test_nonce_gap_on_a_real_chain_then_is_closed_by_a_cancellation(
    trader: Trader, monkeypatch: pytest.MonkeyPatch
):
    from datetime import timedelta

    from apps.trading.services import execution, settlement

    pair = trader.pair(trader.market.launch("StandardToken"))
    order = trader.decide(pair)
    monkeypatch.setattr(execution, "_send", lambda *_: None)  # stored, never sent
    order_execute(order_id=order.pk, ports=trader.ports, worker="test")
    attempt = order.attempts.get()
    attempt.signed_at -= timedelta(minutes=10)
    attempt.save()
    order_settle(order_id=order.pk, ports=trader.ports)
    time.sleep(0.2)
    assert settlement.order_settle(order_id=order.pk, ports=trader.ports) is OrderStatus.CANCELLED
    assert trader.compare().is_equal


def test_entry_when_somebody_before_us_moves_the_price_then_nothing_is_signed_and_it_is_looked_at_again(
    trader: Trader,
):
    pair = trader.pair(trader.market.launch("StandardToken"))
    order, market = trader.decide(pair), trader.market
    rival = market.buyer().address
    market.rpc("evm_setAutomine", False)
    try:
        market.rpc("anvil_impersonateAccount", rival)
        buy = {
            "from": rival,
            "to": market.dex.router,
            "value": hex(ETHER),
            "data": market.buy_data(pair.base.address, rival),
            "gas": hex(300_000),
        }
        market.rpc("eth_sendTransaction", buy)
        before = trader.reader.transaction_count(trader.owner, pending=True)
        assert order_execute(order_id=order.pk, ports=trader.ports, worker="test") is OrderStatus.CANCELLED
        assert trader.reader.transaction_count(trader.owner, pending=True) == before
        order.refresh_from_db()
        assert "INSUFFICIENT_OUTPUT_AMOUNT" in order.reason
        assert not order.attempts.exists()
        opportunity = Opportunity.objects.get(pk=order.opportunity_id)
        assert (opportunity.status, opportunity.skip_code) == ("waiting", "ORDER_CANCELLED")
    finally:
        market.rpc("evm_mine")
        market.rpc("evm_setAutomine", True)
    again = trader.decide(pair)
    assert again.amount_out_min_raw < order.amount_out_min_raw
    assert trader.carry_out(again.pk) is OrderStatus.FILLED
    assert trader.compare().is_equal
