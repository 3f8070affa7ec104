"""A world for the trading services: rows, a chain in memory, and the road's steps as plain calls."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from django.utils import timezone

from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of
from apps.domain.analysis import Analysis
from apps.domain.engine import EngineStatus
from apps.domain.ids import TraceId
from apps.domain.market import ChainProfile, PairFacts
from apps.domain.order import OrderStatus
from apps.domain.verdict import Outcome, RiskVerdict
from apps.intelligence.services.analysis import StoredAnalysis
from apps.risk.services.verdicts import StoredVerdict
from apps.state.models import EngineState
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.state.services.heartbeats import beat
from apps.trading.logic import ledger
from apps.trading.models import Opportunity, Order, Position
from apps.trading.services.decisions import entry_decide
from apps.trading.services.execution import order_execute
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.ledger import account_balances, books_imbalance
from apps.trading.services.opportunities import opportunity_claim, opportunity_open
from apps.trading.services.orders import orders_unsettled, orders_waiting
from apps.trading.services.ports import ExecutionPorts
from apps.trading.services.positions import exit_request
from apps.trading.services.reconciliation import orders_reconcile, wallet_reconcile
from apps.trading.services.settlement import order_settle
from tests import factories
from tests.trading import cases, fakes

START_NATIVE = 100 * cases.ETHER


@dataclass(slots=True)
class World:
    """Everything a test of the road needs."""

    chain: fakes.FakeChain
    profile: ChainProfile
    ports: ExecutionPorts
    wallet_key: str

    # -- making things --------------------------------------------------------------------
    def pair(self, **pool: Any) -> Pair:
        row: Pair = factories.PairFactory()
        self.chain.pools[row.base.address.lower()] = fakes.Pool(
            **{
                "address": row.pool_address,
                "token": row.base.address.lower(),
                "base": 1_000_000 * cases.ETHER,
                "quote": 100 * cases.ETHER,
                **pool,
            }
        )
        return row

    def pool(self, pair: Pair) -> fakes.Pool:
        return self.chain.pools[pair.base.address.lower()]

    def decide(
        self,
        pair: Pair,
        *,
        outcome: Outcome = Outcome.PASS,
        score: int = 7_000,
        opportunity: Opportunity | None = None,
    ) -> Order | None:
        listing = listing_of(pair)
        beat(component=f"listener/{pair.chain_key}")
        if opportunity is None:
            opportunity_open(pair_id=pair.pk, listing=listing, source="chain", config=active_config().config)
            opportunity = Opportunity.objects.get(pair=pair)
        listing = replace(listing, trace_id=TraceId(opportunity.trace_id))
        if not opportunity_claim(opportunity_id=opportunity.pk):
            return None
        pool = self.pool(pair)
        record = factories.AnalysisRecordFactory(pair=pair)
        verdict_row = factories.VerdictRecordFactory(analysis=record)
        estimates = (
            cases.estimate("buy_tax_bps", pool.buy_tax_bps),
            cases.estimate("sell_tax_bps", pool.sell_tax_bps),
            cases.estimate("buy_gas", 120_000, "count"),
            cases.estimate("sell_gas", 140_000, "count"),
        )
        findings = () if outcome is Outcome.PASS else (cases.finding(outcome),)
        return entry_decide(
            opportunity=opportunity,
            listing=listing,
            analysis=StoredAnalysis(
                analysis=Analysis(
                    trace_id=listing.trace_id,
                    listing=listing,
                    block=self.chain.head(),
                    estimates=estimates,
                    missing=(),
                ),
                record_id=record.pk,
            ),
            verdict=StoredVerdict(
                verdict=RiskVerdict(
                    trace_id=listing.trace_id,
                    pair_key=listing.pair_key,
                    outcome=outcome,
                    score_bps=score,
                    findings=findings,
                    config_revision=1,
                ),
                record_id=verdict_row.pk,
            ),
            facts=self._facts(pair),
            ports=self.ports,
            wallet_key=self.wallet_key,
            active=active_config(),
            engine=engine_view(),
        )

    def _facts(self, pair: Pair) -> PairFacts:
        reserves = self.chain.reserves([listing_of(pair)])
        nothing: dict[str, Any] = dict.fromkeys(
            (
                "base_total_supply_raw",
                "base_creator_raw",
                "lp_total_supply_raw",
                "lp_burned_raw",
                "lp_locked_raw",
                "lp_creator_raw",
                "owner",
                "code_hash",
                "selectors",
                "holders",
            )
        )
        return PairFacts(
            block=self.chain.head(),
            read_at_ms=cases.NOW_MS,
            reserves=reserves[pair.pair_key],
            quote_price_usd_micros=self.chain.price,
            **nothing,
        )

    # -- the road's steps -----------------------------------------------------------------
    def execute(self, order: Order | int, *, worker: str = "worker-1") -> OrderStatus:
        order_id = order if isinstance(order, int) else order.pk
        return order_execute(order_id=order_id, ports=self.ports, worker=worker)

    def settle(self, order: Order | int) -> OrderStatus:
        return order_settle(order_id=order if isinstance(order, int) else order.pk, ports=self.ports)

    def buy(self, pair: Pair | None = None) -> Position:
        """Buy a pair and book it."""
        order = self.decide(pair or self.pair())
        assert order is not None
        self.execute(order)
        self.chain.mine()
        assert self.settle(order) is OrderStatus.FILLED
        return Position.objects.get(trace_id=order.trace_id)

    def exits(self) -> tuple[int, ...]:
        return exits_evaluate(chain_key=self.profile.chain_key, ports=self.ports, head=self.chain.head())

    def ask_exit(self, position: Position) -> Order:
        """Ask for a position's sale; return its order."""
        assert exit_request(position_id=position.pk, by="tester")
        [order_id] = self.exits()
        return Order.objects.get(pk=order_id)

    def sweep(self) -> None:
        """Do what the sweep does, as after the death of all workers and a while."""
        Order.objects.filter(claimed_at__isnull=False).update(
            claimed_at=timezone.now() - timedelta(minutes=1)
        )
        orders_reconcile(chain_key=self.profile.chain_key, ports=self.ports)
        for order_id in orders_waiting(chain_key=self.profile.chain_key):
            self.execute(order_id, worker="worker-2")
        for order_id in orders_unsettled(chain_key=self.profile.chain_key):
            self.settle(order_id)

    def age(self, order: Order | int, **by: int) -> None:
        """Let the order and its transactions be older."""
        row = Order.objects.get(pk=order if isinstance(order, int) else order.pk)
        for attempt in row.attempts.all():
            attempt.signed_at -= timedelta(**by)
            if attempt.broadcast_at is not None:
                attempt.broadcast_at -= timedelta(**by)
            attempt.save()

    def engine(self, status: EngineStatus, *, epoch: int) -> None:
        EngineState.objects.filter(pk=1).update(status=status.value, epoch=epoch)

    # -- what must hold -------------------------------------------------------------------
    def assert_books_are_true(self) -> None:
        """Assert that the journal balances and the wallet's book is the chain's balance to the last unit."""
        assert books_imbalance() == {}
        book = account_balances(
            account=ledger.wallet_account(self.wallet_key), chain_key=self.profile.chain_key
        )
        held = {
            token: amount
            for (owner, token), amount in self.chain.tokens.items()
            if amount and owner == self.chain.owner
        }
        native = book.pop("native", 0)
        assert native == self.chain.native[self.chain.owner]
        assert {token.lower(): amount for token, amount in book.items()} == held

    def assert_nothing_sent_twice(self) -> None:
        """Assert that no order has two mined swaps."""
        for order in Order.objects.all():
            assert order.attempts.filter(purpose="swap", status__in=("mined", "reverted")).count() <= 1
            assert order.fills.filter(reversed_at=None).count() <= 1


@pytest.fixture
def world(db: None, settings: Any, tmp_path: Path) -> World:
    settings.DATA_DIR = tmp_path
    factories.EngineStateFactory(status=EngineStatus.RUNNING.value, epoch=1)
    factories.ConfigRevisionFactory(number=1, is_active=True)
    chain_row: Any = factories.ChainFactory()
    factories.DexDeploymentFactory(chain=chain_row)
    wallet: Any = factories.WalletFactory(key="trader")
    profile = fakes.profile_of(chain_row.key, chain_row.wrapped_native_address)
    chain = fakes.FakeChain(profile=profile, owner=wallet.address)
    chain.native[wallet.address] = START_NATIVE
    ports = ExecutionPorts(
        profile=profile,
        reader=cast(Any, chain),  # it has what execution reads
        builders={"uniswap_v2": chain},
        signer=chain,
        sender=chain,
    )
    report = wallet_reconcile(chain_key=profile.chain_key, wallet_key="trader", ports=ports)
    assert report.is_equal
    return World(chain=chain, profile=profile, ports=ports, wallet_key="trader")
