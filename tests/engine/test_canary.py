"""The protocol canary: what it counts as read, when it alarms, and how often it looks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm import abi
from apps.chains.models import CanaryRun, DexDeployment
from apps.chains.selectors import canaries_newest, canary_figures
from apps.chains.services.canary_runs import RUNS_KEPT, canary_store
from apps.domain.canary import COUNT_MIN, SHARE_MIN_BPS, USUAL_RUNS_MIN, CanaryFigures, dropped
from apps.engine import canary, wiring
from apps.state.models import Incident
from dexsniper.health.canary import canary as canary_checks
from tests import factories
from tests.fakes.rpc import FakeRpc

CHAIN_ID = 31_337_077
WETH, POOLS = factories.address_for("canary weth"), [factories.address_for(f"pool {n}") for n in range(10)]


def figures(good: int, count: int, **changes: int) -> CanaryFigures:
    return replace(
        CanaryFigures(creations=count, decoded=good, pools_asked=good, pools_answered=good), **changes
    )


# -- when it alarms -------------------------------------------------------------------------------
@given(good=st.integers(0, 50), bad=st.integers(0, 50))
def test_dropped_whatever_the_share_then_alarms_only_below_the_least_of_enough(good: int, bad: int) -> None:
    count = good + bad
    is_low = count >= COUNT_MIN and good * 10_000 < count * SHARE_MIN_BPS
    assert bool(dropped(figures(good, count), ())) is is_low


def test_dropped_when_few_come_an_hour_then_those_before_count_too() -> None:
    failed = figures(0, 2)
    assert dropped(failed, ()) == ""
    assert "0 of the last 6 creations" in dropped(failed, (failed, failed))
    assert dropped(figures(9, 9), (failed,) * 3) == ""  # it is read again: the past is over


def test_dropped_when_pools_do_not_answer_then_says_so() -> None:
    assert "3 of the last 8 new pools answer" in dropped(figures(8, 8, pools_answered=3), ())


@pytest.mark.parametrize(
    ("runs", "usual", "may_pause", "alarms"),
    [
        (USUAL_RUNS_MIN, 40, False, True),
        (USUAL_RUNS_MIN, 40, True, False),
        (USUAL_RUNS_MIN - 1, 40, False, False),
        (USUAL_RUNS_MIN, 10, False, False),
    ],
)
def test_dropped_when_nothing_comes_then_alarms_only_where_much_is_usual(
    runs: int, usual: int, may_pause: bool, alarms: bool
) -> None:
    found = dropped(figures(0, 0), (figures(usual, usual),) * runs, may_pause=may_pause)
    assert bool(found) is alarms


# -- a node and its factory -----------------------------------------------------------------------
@pytest.fixture
def dex(node: FakeRpc) -> DexDeployment:
    chain = factories.ChainFactory(
        chain_id=CHAIN_ID, genesis_hash=node.genesis_hash, wrapped_native_address=WETH
    )
    factories.EndpointFactory(chain=chain, url_http=node.url, url_ws="")
    row: DexDeployment = factories.DexDeploymentFactory(chain=chain)
    node.answers["eth_getLogs"] = [creation(row, number) for number in range(len(POOLS))]
    node.answers["eth_call"] = lambda params: pool_answer(row, params)
    return row


@pytest.fixture
def node(db: None) -> Iterator[FakeRpc]:
    wiring.forget_ports()
    canary._seen.clear()
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running
    wiring.forget_ports()
    canary._seen.clear()


def word(address: str) -> str:
    return address[2:].lower().rjust(64, "0")


def token(number: int) -> str:
    return factories.address_for(f"canary token {number}")


def creation(dex: DexDeployment, number: int, **changes: Any) -> dict[str, Any]:
    tokens = sorted((WETH.lower(), token(number).lower()))
    return {
        "address": dex.factory_address,
        "topics": [abi.TOPIC_PAIR_CREATED, *("0x" + word(item) for item in tokens)],
        "data": "0x" + word(POOLS[number]) + f"{number + 1:064x}",
        "blockNumber": hex(50 + number),
        "blockHash": factories.hash_for(f"block {number}"),
        "blockTimestamp": hex(1_700_000_000 + number),
        "transactionHash": factories.hash_for(f"creation {number}"),
        "transactionIndex": "0x0",
        "logIndex": "0x0",
        "removed": False,
    } | changes


def pool_answer(dex: DexDeployment, params: list[Any]) -> str:
    number = [pool.lower() for pool in POOLS].index(params[0]["to"].lower())
    tokens = sorted((WETH.lower(), token(number).lower()))
    answers = {
        abi.FACTORY.hex(): dex.factory_address,
        abi.TOKEN0.hex(): tokens[0],
        abi.TOKEN1.hex(): tokens[1],
    }
    return "0x" + word(answers[params[0]["data"][2:10]])


def test_look_when_all_is_known_then_every_creation_counts(dex: DexDeployment) -> None:
    canary.canary()
    [run] = CanaryRun.objects.all()
    assert (run.creations, run.decoded, run.pools_asked, run.pools_answered) == (10, 10, 10, 10)
    assert (run.block_first, run.block_last, run.alarm, run.fault) == (0, 100, "", "")
    assert not Incident.objects.exists()


def test_look_when_event_has_changed_then_alarm_until_it_is_read_again(
    dex: DexDeployment, node: FakeRpc, settings: Any
) -> None:
    node.answers["eth_getLogs"] = [creation(dex, number, data="0x") for number in range(len(POOLS))]
    canary.canary()
    [incident] = Incident.objects.filter(resolved_at=None)
    assert (incident.code, incident.severity) == ("PROTOCOL_CANARY", "critical")
    assert "only 0 of the last 10 creations" in incident.detail
    [check] = canary_checks(settings.ENV)
    assert (check.level, check.name) == ("fault", str(dex))
    node.answers["eth_getLogs"] = [creation(dex, number) for number in range(len(POOLS))]
    CanaryRun.objects.update(looked_at=timezone.now() - canary.EVERY)
    canary.canary()
    assert not Incident.objects.filter(resolved_at=None).exists()
    [check] = canary_checks(settings.ENV)
    assert (check.level, check.detail) == ("ok", "10 of 10 creations can be read, 10 of 10 pools answer")


def test_look_when_pools_name_another_factory_then_they_do_not_answer(
    dex: DexDeployment, node: FakeRpc
) -> None:
    stranger = factories.DexDeploymentFactory.build(factory_address=factories.address_for("stranger"))
    node.answers["eth_call"] = lambda params: pool_answer(stranger, params)
    canary.canary()
    run = CanaryRun.objects.get()
    assert (run.pools_asked, run.pools_answered) == (10, 0)
    assert "pools answer" in run.alarm


def test_look_when_node_hides_logs_then_is_no_drop(dex: DexDeployment, node: FakeRpc, settings: Any) -> None:
    node.misbehave("error_rate", method="eth_getLogs")
    canary.look(dex.chain.key, wiring.chain_ports(dex.chain.key).dexes[dex.key])
    run = CanaryRun.objects.get()
    assert run.fault
    assert run.alarm == ""
    assert canary_figures(chain_key=dex.chain.key, dex_key=dex.key) == ()
    assert not Incident.objects.filter(code="PROTOCOL_CANARY").exists()
    assert [check.level for check in canary_checks(settings.ENV)] == ["warning"]


def test_canary_when_called_often_then_looks_at_start_and_hourly(dex: DexDeployment) -> None:
    for _ in range(3):
        canary.canary()
    assert CanaryRun.objects.count() == 1
    canary._seen.clear()  # a new process
    canary.canary()
    assert CanaryRun.objects.count() == 2
    CanaryRun.objects.update(looked_at=timezone.now() - canary.EVERY - timedelta(seconds=1))
    canary.canary()
    assert CanaryRun.objects.count() == 3


@pytest.mark.django_db
def test_store_when_a_week_is_full_then_the_oldest_goes() -> None:
    dex: DexDeployment = factories.DexDeploymentFactory()
    CanaryRun.objects.bulk_create(
        [CanaryRun(dex=dex, looked_at=timezone.now(), creations=number) for number in range(RUNS_KEPT)]
    )
    for _ in range(2):
        canary_store(
            chain_key=dex.chain.key, dex_key=dex.key, now=timezone.now(), figures=CanaryFigures(creations=999)
        )
    assert CanaryRun.objects.count() == RUNS_KEPT
    assert CanaryRun.objects.order_by("id")[0].creations == 2
    assert [run.creations for run in canaries_newest()] == [999]
