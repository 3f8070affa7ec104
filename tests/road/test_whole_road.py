"""From a launch on a real chain to its booked profit or loss, and every refusal with its code."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.discovery.models import Pair, PoolSnapshot, PoolTrade
from apps.engine import road as stages
from apps.engine import wiring
from apps.intelligence.models import AnalysisRecord
from apps.risk.models import VerdictRecord
from apps.state.models import Event
from apps.state.services.engine import engine_start
from apps.state.services.heartbeats import beat
from apps.trading.models import DecisionRecord, FillRecord, JournalEntry, Opportunity, Order, Position
from tests.road.driving import ETHER, Ground, Road

pytestmark = pytest.mark.chain


@pytest.fixture(params=["road", "bsc_road"], ids=["uniswap", "pancake"])
def either(request: pytest.FixtureRequest, installation: Path) -> Road:
    """The system on each kind of exchange."""
    made: Road = request.getfixturevalue(request.param)
    return made


def test_launch_when_price_rises_then_bought_once_sold_and_gain_is_booked(either: Road):
    launch, position = either.bought()
    assert Pair.objects.count() == Opportunity.objects.count() == 1
    assert either.opportunity_of(launch).status == "entered"
    assert position.quantity_raw == either.market.balance(launch.token, either.owner) > 0
    either.assert_true()
    either.pump(launch)
    position = either.sold(launch)
    assert position.exit_tag == "take_profit"
    assert position.proceeds_raw > position.cost_raw
    assert position.realised_usd_micros is not None
    assert position.realised_usd_micros > 0
    assert either.market.balance(launch.token, either.owner) == 0
    either.assert_true()


def test_launch_when_price_falls_then_stop_loss_sells(either: Road):
    launch = either.launch()
    whale = either.pump(launch, native=2 * ETHER)
    either.bought(launch)
    assert either.market.sell(whale, launch.token)
    position = either.sold(launch)
    assert position.exit_tag == "stop_loss"
    assert position.realised_usd_micros is not None
    assert position.realised_usd_micros < 0
    either.assert_true()


def test_launch_when_nothing_happens_then_time_stop_sells(road: Road):
    launch, _ = road.bought()
    road.pass_time(60)
    position = road.sold(launch)
    assert position.exit_tag == "time_stop"
    road.assert_true()


def test_launch_then_one_trace_leads_from_event_to_profit(road: Road):
    launch, position = road.bought()
    road.pump(launch)
    road.sold(launch)
    trace = road.opportunity_of(launch).trace_id
    assert position.trace_id == trace
    for model in (AnalysisRecord, VerdictRecord, DecisionRecord, Order, FillRecord):
        assert set(model.objects.values_list("trace_id", flat=True)) == {trace}, model
    assert set(JournalEntry.objects.exclude(kind="deposit").values_list("trace_id", flat=True)) == {trace}
    kinds = set(Event.objects.filter(trace_id=trace).values_list("kind", flat=True))
    assert len(kinds) >= 3, kinds
    assert set(Event.objects.exclude(trace_id="").values_list("trace_id", flat=True)) == {trace}
    assert Order.objects.filter(side="buy").count() == Order.objects.filter(side="sell").count() == 1


@pytest.mark.parametrize(
    ("contract", "extra", "ways", "code"),
    [
        ("SellBlockedToken", (), {}, "SELL_BLOCKED"),
        ("BlacklistToken", (True,), {}, "SELL_BLOCKED"),
        ("StandardToken", (), {"burns": False}, "LIQUIDITY_REMOVABLE"),
        ("MintableToken", (), {"renounces": False}, "OWNER_CONTROLS"),
        ("StandardToken", (), {"native": ETHER}, "LIQUIDITY_BELOW_MINIMUM"),
    ],
)
def test_trap_or_weak_launch_then_refused_with_its_code(
    either: Road, contract: str, extra: tuple[object, ...], ways: dict[str, object], code: str
):
    launch = either.launch(contract, *extra, **ways)  # type: ignore[arg-type]
    either.run()
    opportunity = either.opportunity_of(launch)
    assert opportunity.skip_code == code, either.story()
    assert opportunity.skip_explanation
    assert not Order.objects.exists()
    either.assert_true()


@pytest.mark.parametrize("contract", ["OwnerMoveToken", "HiddenMintToken"])
def test_power_kept_after_renouncing_then_the_full_look_refuses_what_the_first_let_pass(
    road: Road, contract: str
):
    launch = road.launch(contract)
    road.run()
    first, full = VerdictRecord.objects.filter(pair=road.pair_of(launch)).order_by("id")[:2]
    assert (first.outcome, full.outcome) == ("pass", "fail"), road.story()
    assert "NOT_ASKED" not in {item["code"] for item in full.findings if item["gate"] == "veto"}
    assert not Order.objects.exists()
    road.assert_true()


def test_message_is_lost_at_every_stage_then_the_sweep_carries_on(road: Road):
    launch = road.launch()
    assert road.follower is not None
    road.follower.advance()
    assert road.lose_messages() > 0
    road.run_until(lambda: Position.objects.filter(pair__pool_address__iexact=launch.pair).exists())
    road.assert_true()


def test_pairs_of_one_block_then_each_registered_once_however_often_it_is_read(road: Road):
    launches = [road.launch(burns=False) for _ in range(3)]
    road.run()
    road.restart()
    road.run()
    assert {road.pair_of(launch).pk for launch in launches} == set(Pair.objects.values_list("pk", flat=True))
    assert Opportunity.objects.count() == len(launches)


def test_pools_of_later_blocks_then_each_is_followed_from_its_first_block(road: Road):
    for _ in range(2):
        launch = road.launch(burns=False)
        road.pump(launch, native=ETHER)
        road.step()
        pair = road.pair_of(launch)
        assert PoolSnapshot.objects.filter(pair=pair).exists()
        assert PoolTrade.objects.filter(pair=pair).count() == 1


def test_wallet_trades_before_it_was_ever_compared_then_its_opening_is_booked_all_the_same(
    base_ground: Ground, installation: Path
):
    road = Road(base_ground, installation)
    engine_start(by="test", reason="test")
    beat(component=f"listener/{road.chain_key}")  # it runs, and is about to see the same
    launch = road.launch()
    source = wiring.chain_ports(road.chain_key).sources[0]
    head = int(road.rpc("eth_blockNumber"), 16)
    stages.register(road.chain_key, source.events(head - 10, head), source="dexscreener")
    road.deliver()  # a feed's worker was quicker than the listener
    road.mine()
    stages.settle(Order.objects.get().pk)
    assert road.position_of(launch).status == "open"
    road.restart()
    assert JournalEntry.objects.filter(kind="deposit").count() == 1
    road.assert_true()
