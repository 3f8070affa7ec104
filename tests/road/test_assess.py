"""`manage.py assess` on a real chain: any token, its evidence, its figures, and what it says of tokens it cannot find."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.chains.models import Endpoint
from apps.engine import wiring
from apps.intelligence.logic.probes_record import probes_from_json
from apps.sandbox.chainspec import CHAINS
from tests.chain_fixtures import ZERO_ADDRESS
from tests.road.driving import Road

pytestmark = pytest.mark.chain

BASE, *_ = CHAINS


def assess(*arguments: str) -> str:
    out = io.StringIO()
    call_command("assess", BASE.key, *arguments, stdout=out)
    return out.getvalue()


def assessed(token: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(assess(token, "--json"))
    return loaded


def value_of(report: dict[str, Any], code: str) -> str | None:
    found: str | None = next(item["value"] for item in report["estimates"] if item["code"] == code)
    return found


def test_owner_can_pause_then_report_refuses_and_shows_the_call(road: Road) -> None:
    launch = road.ground.market.launch("PausableToken")
    report = assessed(launch.token)
    assert report["verdict"] == "fail"
    assert value_of(report, "can_pause") == "1"
    shown = next(item for item in report["evidence"] if item["code"] == "can_pause")
    assert "pause()" in shown["summary"]
    assert [call["data"] for call in shown["calls"]] == ["0x8456cb59"]
    assert {call["sender"] for call in shown["calls"]} == {launch.deployer.address.lower()}
    assert shown["block"]["number"] == report["block"]["number"]
    assert probes_from_json(report["probes"]).trial is not None


def test_report_for_people_then_verdict_first_and_evidence_below(road: Road) -> None:
    launch = road.ground.market.launch("OwnerMoveToken")
    lines = assess(launch.token).splitlines()
    assert launch.token in lines[0]
    shown = lines.index("What shows it:")
    assert any("tokens left our wallet" in line for line in lines[shown:])
    assert lines.index("Figures:") > shown


def test_endpoint_cannot_simulate_then_our_own_evm_does(road: Road) -> None:
    pytest.importorskip("pyrevm")
    launch = road.ground.market.launch("HiddenMintToken")
    Endpoint.objects.filter(chain__key=BASE.key).update(
        capabilities={"simulate_v1": False, "state_override": True, "batch": True}
    )
    wiring.forget_ports()
    report = assessed(launch.token)
    assert report["probes"]["runner"] == "pyrevm"
    assert value_of(report, "can_mint") == "1"
    assert value_of(report, "sellable_later") == "1"


def test_token_is_assessed_then_its_probability_of_loss_and_its_funder_are_told(road: Road) -> None:
    launch = road.ground.market.launch("StandardToken")
    report = assessed(launch.token)
    assert value_of(report, "loss_probability") is not None
    assert "loss_probability" in {item["rule"] for item in report["findings"]}
    # The test's accounts have their coins from the chain itself, so nobody paid for them.
    [makers] = [item for item in report["estimates"] if item["code"] == "deployer_cluster_makers"]
    assert makers["value"] is None
    assert makers["reason_unknown"] != "who paid for this launch was not looked up yet"


def test_bench_then_it_tells_times_and_the_ratio_to_a_bare_round_trip(road: Road) -> None:
    launch = road.ground.market.launch("StandardToken")
    report = json.loads(assess(launch.token, "--bench", "8", "--json"))
    assert report["per_second"] > 0
    assert report["single_ms_p50"] <= report["single_ms_p95"]
    assert report["bare_ms"] is None or report["single_to_bare"] > 1


def test_token_has_no_pool_then_a_plain_error(road: Road) -> None:
    with pytest.raises(CommandError, match="has no pool"):
        assess(ZERO_ADDRESS.replace("00", "0f"))
    with pytest.raises(CommandError, match="must be an address"):
        assess("0x12")
