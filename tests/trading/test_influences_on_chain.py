"""Each influence from an estimate to the signed transaction on a real chain: what it changes, which way, how far at most."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from apps.discovery.models import Pair
from apps.discovery.services.listings import listing_of as listing_of_row
from apps.domain.config import Gates, Influence, TradingConfig
from apps.domain.estimate import Estimate, known
from apps.domain.order import OrderStatus
from apps.domain.verdict import Gate
from apps.engine import breakers as gathering
from apps.intelligence.services.analysis import analysis_run
from apps.risk.logic.edge import outcome_estimates
from apps.risk.models import GuardWatch, VerdictRecord
from apps.risk.services.verdicts import verdict_issue
from apps.state.models import ConfigRevision
from apps.state.services.config import ActiveConfig
from apps.state.services.engine import engine_view
from apps.state.services.heartbeats import beat
from apps.trading.models import DecisionRecord, Opportunity, Order, Position
from apps.trading.services.decisions import decision_repeat, entry_decide
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.guard import guard_simulate
from apps.trading.services.opportunities import opportunity_claim, opportunity_open
from tests import factories
from tests.chain_fixtures import Market, transact
from tests.trading.test_on_chain import PRICE, Trader, market, trader

__all__ = ["market", "trader"]  # fixtures

pytestmark = pytest.mark.chain
ETHER = 10**18
POSITION_MAX_USD = 250
#: Every rule but these is off: a bare test token passes, and how much is known of it is what it is.
ASKED = ("quote_supported", "liquidity", "sellable")
SWITCHES = tuple(name for name, info in Influence.model_fields.items() if info.annotation is bool)
SILENT = dict.fromkeys(SWITCHES, False)


def config_of(*on: str, **sections: dict[str, Any]) -> TradingConfig:
    """Return a configuration in which only these influences are switched on."""
    gates = {name: Gate.OFF.word for name in Gates.model_fields if name not in ASKED}
    influence = {**SILENT, **dict.fromkeys(on, True), **sections.pop("influence", {})}
    return TradingConfig.model_validate(
        {
            "gates": gates,
            "entry": {"score_min_bps": 0},
            "limits": {"deployer_positions_max": 100},
            "execution": {"fee_share_max_bps": 5_000},
            "influence": influence,
            **sections,
        }
    )


def told(code: str, value: int, confidence: str = "1") -> Estimate:
    return known(code, value, unit="bps", source="test", as_of_ms=0, confidence=Decimal(confidence), n=50)


@dataclass(frozen=True, slots=True)
class Bought:
    """An entry as it was signed and mined."""

    order: Order
    value_raw: int
    minimum_out_raw: int
    tip_wei: int
    position: Position


class Desk:
    """Looks at new launches as the road does, with what intelligence says beside the facts."""

    def __init__(self, trader: Trader) -> None:
        self.trader = trader

    def launch(self, market: Market) -> Pair:
        return self.trader.pair(market.launch("StandardToken"))

    def look(self, pair: Pair, *told: Estimate, config: TradingConfig, watched_s: int = 0) -> Order | None:
        ConfigRevision.objects.update(payload=config.model_dump(mode="json"))
        listing, ports = listing_of_row(pair), self.trader.ports
        row = opportunity_open(pair_id=pair.pk, listing=listing, source="chain", config=config)
        left = timedelta(seconds=config.entry.watch_duration_s - watched_s)
        Opportunity.objects.filter(pk=row.pk).update(give_up_at=timezone.now() + left)
        assert opportunity_claim(opportunity_id=row.pk)
        facts = self.trader.reader.pair_facts(
            listing, buyer=self.trader.owner, probe_amount_raw=ETHER // 12, previous_swaps_from=0
        )
        facts = replace(facts, quote_price_usd_micros=PRICE)
        stored = analysis_run(
            listing=listing,
            pair_id=pair.pk,
            facts=facts,
            history=None,
            now_ms=facts.block.at_ms + 60_000,
            also=told,
        )
        verdict = verdict_issue(
            analysis=stored.analysis,
            analysis_id=stored.record_id,
            pair_id=pair.pk,
            config=config,
            config_revision=1,
        )
        beat(component=f"listener/{pair.chain_key}")
        return entry_decide(
            opportunity=Opportunity.objects.get(pk=row.pk),
            listing=listing,
            analysis=stored,
            verdict=verdict,
            facts=facts,
            ports=ports,
            wallet_key="trader",
            active=ActiveConfig(revision=1, config=config),
            engine=engine_view(),
        )

    def buy(self, market: Market, *told: Estimate, config: TradingConfig, watched_s: int = 0) -> Bought:
        pair = self.launch(market)
        order = self.look(pair, *told, config=config, watched_s=watched_s)
        newest = Opportunity.objects.get(pair=pair)
        assert order is not None, (newest.skip_code, newest.skip_explanation)
        assert self.trader.carry_out(order.pk) is OrderStatus.FILLED
        [attempt] = order.attempts.all()
        mined = market.rpc("eth_getTransactionByHash", attempt.tx_hash)
        order.refresh_from_db()
        return Bought(
            order=order,
            value_raw=int(mined["value"], 16),
            minimum_out_raw=int(mined["input"][10:74], 16),
            tip_wei=int(mined["maxPriorityFeePerGas"], 16),
            position=Position.objects.get(pair=pair),
        )

    def skip_code(self, pair: Pair, *told: Estimate, config: TradingConfig, watched_s: int = 0) -> str:
        assert self.look(pair, *told, config=config, watched_s=watched_s) is None
        code: str = Opportunity.objects.get(pair=pair).skip_code
        return code


@pytest.fixture
def desk(trader: Trader) -> Desk:
    return Desk(trader)


def notes(bought: Bought) -> dict[str, tuple[str, str]]:
    record = bought.order.decision
    assert len(decision_repeat(record).adjustments) == len(record.adjustments)
    return {item["switch"]: (item["before"], item["after"]) for item in record.adjustments}


BEAR = told("market_regime", -1)


@pytest.mark.parametrize(
    ("switch", "estimate", "share_bps"),
    [
        ("size_by_manipulation", told("coordination_bps", 6_000), 5_000),
        ("size_by_volatility", told("volatility_bps", 4_000), 5_000),
        ("size_by_sentiment", told("sentiment_bps", -8_000), 7_500),
        ("size_by_whales", told("whale_distribution_bps", 5_000), 5_000),
        ("regime_in_limits", BEAR, 5_000),
    ],
)
def test_bad_news_then_the_signed_value_and_its_minimum_shrink_and_only_by_the_switch(
    desk: Desk, market: Market, switch: str, estimate: Estimate, share_bps: int
) -> None:
    whole = desk.buy(market, estimate, config=config_of())
    assert whole.value_raw == POSITION_MAX_USD * ETHER // 3_000
    assert whole.order.decision.adjustments == []
    cut = desk.buy(market, estimate, config=config_of(switch))
    assert abs(cut.value_raw - whole.value_raw * share_bps // 10_000) <= whole.value_raw // 1_000
    assert cut.minimum_out_raw < whole.minimum_out_raw
    assert cut.minimum_out_raw == cut.order.amount_out_min_raw
    assert cut.position.quantity_raw >= cut.minimum_out_raw
    sizes = [int(Decimal(text.split()[0]) * ETHER) for text in notes(cut)["influence"]]
    assert sizes == [whole.value_raw, cut.value_raw]
    assert f"influence.{switch}" in notes(cut)
    assert decision_repeat(cut.order.decision).amount_in is not None


def test_little_is_known_then_the_signed_value_is_the_confidence_of_the_whole(
    desk: Desk, market: Market
) -> None:
    cut = desk.buy(market, config=config_of("size_by_confidence"))
    verdict = VerdictRecord.objects.get(pair=cut.position.pair)
    assert 0 < verdict.confidence_bps < 10_000
    whole = POSITION_MAX_USD * ETHER // 3_000
    assert abs(cut.value_raw - whole * verdict.confidence_bps // 10_000) <= whole // 1_000


def test_score_may_prove_too_low_then_a_small_try_is_signed(desk: Desk, market: Market) -> None:
    config = config_of(
        "probe_when_uncertain", influence={"coverage_min_bps": 10_000, "probe_share_bps": 2_000}
    )
    tried = desk.buy(market, config=config)
    verdict = VerdictRecord.objects.get(pair=tried.position.pair)
    assert verdict.card is not None
    assert (verdict.action, verdict.card["action"]) == ("probe", "probe")
    assert abs(tried.value_raw - POSITION_MAX_USD * ETHER // 15_000) <= ETHER // 100_000


def test_our_entries_prove_nothing_or_lose_then_small_tries_or_none(desk: Desk, market: Market) -> None:
    unproven = outcome_estimates([2_000] * 15 + [-2_000] * 15, as_of_ms=0)
    tried = desk.buy(market, *unproven, config=config_of("size_by_edge"))
    assert abs(tried.value_raw - POSITION_MAX_USD * ETHER // 30_000) <= ETHER // 100_000
    losing = outcome_estimates([-9_000] * 60, as_of_ms=0)
    pair = desk.launch(market)
    assert desk.skip_code(pair, *losing, config=config_of("size_by_edge")) == "LIMIT_SIZE_BELOW_MINIMUM"
    assert desk.look(desk.launch(market), *losing, config=config_of()) is not None


@pytest.mark.parametrize(
    ("switch", "estimate", "code"),
    [
        ("regime_in_timing", BEAR, "WAIT_IN_FALLING_MARKET"),
        ("whales_in_timing", told("whale_distribution_bps", 5_000), "WHALES_ARE_SELLING"),
        ("sentiment_threshold", told("sentiment_bps", -8_000), "SENTIMENT_BELOW_MINIMUM"),
    ],
)
def test_moment_is_bad_then_nothing_is_signed_until_it_is_better(
    desk: Desk, market: Market, switch: str, estimate: Estimate, code: str
) -> None:
    config, pair = config_of(switch), desk.launch(market)
    assert desk.skip_code(pair, estimate, config=config) == code
    record = DecisionRecord.objects.get(opportunity__pair=pair)
    assert record.adjustments[-1]["subject"] == "entry_time"
    assert decision_repeat(record).retry_after_ms is not None
    assert Opportunity.objects.get(pair=pair).evaluate_after > timezone.now()
    # Time passes, or the news get better: the very same pair is bought.
    better = (estimate,) if switch == "regime_in_timing" else ()
    order = desk.look(pair, *better, config=config, watched_s=61)
    assert order is not None
    assert desk.trader.carry_out(order.pk) is OrderStatus.FILLED
    assert desk.buy(market, estimate, config=config_of()).value_raw > 0


def test_price_swings_little_or_the_market_falls_then_the_armed_exits_are_closer(
    desk: Desk, market: Market
) -> None:
    as_set = desk.buy(market, config=config_of()).position.exit_plan
    calm = told("volatility_bps", 400)
    swing = desk.buy(market, calm, config=config_of("exits_by_volatility")).position.exit_plan
    assert (swing["stop_loss_bps"], swing["trailing_stop_bps"]) == (800, 800)
    assert swing["take_profit_bps"] == 1_600
    bear = desk.buy(market, BEAR, config=config_of("regime_in_exits")).position.exit_plan
    assert bear["take_profit_bps"] == as_set["take_profit_bps"] // 2
    assert bear["stop_loss_bps"] == as_set["stop_loss_bps"] == 2_000


def test_large_holders_sell_while_we_hold_then_the_sale_is_signed_at_once(desk: Desk, market: Market) -> None:
    bought = desk.buy(market, config=config_of("whales_in_exits"))
    trader = desk.trader

    def exits(value: int) -> tuple[int, ...]:
        return exits_evaluate(
            chain_key=bought.position.chain_key,
            ports=trader.ports,
            head=trader.reader.head(),
            estimates_of=lambda position: (told("whale_distribution_bps", value),),
        )

    assert exits(1_000) == ()
    [sale] = exits(9_000)
    assert trader.carry_out(sale) is OrderStatus.FILLED
    position = Position.objects.get(pk=bought.position.pk)
    assert (position.status, position.exit_tag) == ("closed", "guard")
    record = DecisionRecord.objects.get(position=position)
    assert record.reasons[0]["code"] == "WHALES_SOLD"
    assert decision_repeat(record).exit_tag == "guard"


def test_guard_looks_again_then_what_it_learned_draws_the_exits_in_for_a_while(
    desk: Desk, market: Market
) -> None:
    bought, trader = desk.buy(market, config=config_of("whales_in_exits")), desk.trader
    chain_key = bought.position.chain_key

    def look(value: int) -> None:
        guard_simulate(
            position_ids=[bought.position.pk],
            chain_key=chain_key,
            ports=trader.ports,
            head=trader.reader.head(),
            time_max_s=5,
            estimates_of=lambda listing, facts, pair_id: (
                told("whale_distribution_bps", value),
                told("holder_count", 7),
            ),
        )

    def exits() -> tuple[int, ...]:
        return exits_evaluate(chain_key=chain_key, ports=trader.ports, head=trader.reader.head())

    assert exits() == ()
    look(1_000)
    assert exits() == ()
    [watch] = GuardWatch.objects.all()
    assert [item["code"] for item in watch.estimates] == ["whale_distribution_bps"]
    look(9_000)
    GuardWatch.objects.update(estimates_at=timezone.now() - timedelta(hours=1))
    assert exits() == ()
    look(9_000)
    [sale] = exits()
    assert trader.carry_out(sale) is OrderStatus.FILLED
    assert Position.objects.get(pk=bought.position.pk).exit_tag == "guard"


def test_a_chain_is_traded_in_concert_then_no_entry_is_signed_there(desk: Desk, market: Market) -> None:
    bought = desk.buy(market, config=config_of())
    for _ in range(5):
        row = factories.OpportunityFactory(pair__chain_key=bought.position.chain_key)
        factories.EventFactory(kind="coordination_detected", trace_id=row.trace_id)
    gathering.breakers_watch(())
    code = desk.skip_code(desk.launch(market), config=config_of("whales_in_exits"))
    assert "BREAKER" in code or "PAUSED" in code
    assert Order.objects.filter(side="buy").count() == 1
    [exit_plan] = Position.objects.filter(status="open").values_list("exit_plan", flat=True)
    assert exit_plan  # what is held is still looked after
    assert (
        exits_evaluate(
            chain_key=bought.position.chain_key,
            ports=desk.trader.ports,
            head=desk.trader.reader.head(),
            estimates_of=lambda position: (told("whale_distribution_bps", 9_000),),
        )
        != ()
    )


def test_price_swings_little_then_the_signed_minimum_is_closer_to_the_quote(
    desk: Desk, market: Market
) -> None:
    calm = told("volatility_bps", 400)
    as_set = desk.buy(market, calm, config=config_of())
    close = desk.buy(market, calm, config=config_of("dynamic_slippage"))
    for bought, allowed in ((as_set, 300), (close, close.order.decision.slippage_max_bps)):
        expected = bought.order.expected_out_raw
        assert expected is not None
        assert bought.minimum_out_raw == expected * (10_000 - allowed) // 10_000
    assert 50 <= close.order.decision.slippage_max_bps < 300
    assert "influence.dynamic_slippage" in notes(close)
    wild = desk.buy(market, told("volatility_bps", 30_000), config=config_of("dynamic_slippage"))
    assert wild.order.decision.slippage_max_bps == 300  # never more than a person allows
    unknown_swing = desk.buy(market, config=config_of("dynamic_slippage"))
    assert unknown_swing.order.decision.slippage_max_bps == 300


def test_much_speaks_against_it_then_influences_multiply_and_at_last_nothing_is_worth_its_gas(
    desk: Desk, market: Market
) -> None:
    on = [name for name in SWITCHES if name.startswith("size_by") or name == "regime_in_limits"]
    config = config_of(*on, "gas_by_value")
    bad = (told("coordination_bps", 6_000), told("volatility_bps", 4_000), BEAR)
    bought = desk.buy(market, *bad, config=config)
    confidence = VerdictRecord.objects.get(pair=bought.position.pair).confidence_bps
    expected = POSITION_MAX_USD * ETHER // 3_000 * confidence // 10_000 // 8
    assert abs(bought.value_raw - expected) <= expected // 100
    assert bought.tip_wei * bought.order.gas_limit <= bought.order.fee_cap_raw
    worst = (
        *bad[:1],
        told("volatility_bps", 30_000),
        told("sentiment_bps", -10_000),
        told("whale_distribution_bps", 10_000),
        BEAR,
    )
    assert desk.skip_code(desk.launch(market), *worst, config=config) == "LIMIT_SIZE_BELOW_MINIMUM"


def test_others_bid_for_the_front_then_the_signed_tip_is_above_them_within_its_share(
    desk: Desk, market: Market
) -> None:
    """Last of all: what others tip here stays in the chain's newest blocks."""
    sender = market.chain.accounts[1]

    def bid(*on: str, **influence: int) -> tuple[Bought, int, int]:
        for _ in range(6):
            transact(market.rpc, sender, to=sender.address, gas=21_000)  # each tips 1 gwei
        bought = desk.buy(market, config=config_of(*on, influence=dict(influence)))
        before, after = notes(bought).get("influence.gas_by_value", (bought.tip_wei,) * 2) if on else (0, 0)
        return bought, int(before), int(after)

    usual, _, _ = bid()
    assert usual.order.decision.adjustments == []
    high, before, after = bid("gas_by_value", tip_share_max_bps=1_000)
    assert high.tip_wei == after > max(before, 10**9)
    low, before_low, after_low = bid("gas_by_value", tip_share_max_bps=1)
    assert low.tip_wei <= max(after_low, before_low)
    for bought, raised, share_bps in ((high, after - before, 1_000), (low, after_low - before_low, 1)):
        assert 0 <= raised * bought.order.gas_limit <= bought.value_raw * share_bps // 10_000
        assert bought.order.gas_limit * bought.tip_wei <= bought.order.fee_cap_raw
