"""Launches from ever new accounts with the same money: their deaths speak against the next one."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from django.core.management import call_command

from apps.discovery.models import Pair
from apps.engine.deployers import look_up
from apps.sandbox.chainspec import CHAINS
from tests.chain_fixtures import Launch, calldata, read, transact_ok
from tests.road.driving import Road

pytestmark = pytest.mark.chain

BASE, *_ = CHAINS


def pull_liquidity(road: Road, launch: Launch) -> None:
    """Let the maker take all of it out: he gives his LP tokens back to the pool and has them burned."""
    held = read(road.rpc, launch.pair, "balanceOf(address)", launch.deployer.address, returns="uint256")
    give = calldata("transfer(address,uint256)", launch.pair, held)
    transact_ok(road.rpc, launch.deployer, to=launch.pair, data=give)
    burn = calldata("burn(address)", launch.deployer.address)
    transact_ok(road.rpc, launch.deployer, to=launch.pair, data=burn)


def assessed(token: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("assess", BASE.key, token, "--json", stdout=out)
    report: dict[str, Any] = json.loads(out.getvalue())
    return report


def test_three_launches_with_the_same_money_died_then_the_fourth_is_refused_for_it(road: Road) -> None:
    payer, stranger = road.market.buyer(), road.market.buyer()
    launches = [road.launch(burns=False, payer=payer) for _ in range(3)]
    road.run()
    for launch in launches:
        pull_liquidity(road, launch)
    road.run()
    assert look_up(BASE.key) == 3
    rows = Pair.objects.filter(creator__in=[launch.deployer.address for launch in launches])
    assert set(rows.values_list("funding_state", "funder")) == {("found", payer.address)}
    assert all(row.funding_tx_hash for row in rows)

    next_one = assessed(road.launch(payer=payer).token)
    figures = {item["code"]: item["value"] for item in next_one["estimates"]}
    assert (figures["deployer_tokens"], figures["deployer_cluster_tokens"]) == ("0", "3")
    assert figures["deployer_cluster_makers"] == "3"
    [finding] = [item for item in next_one["findings"] if item["rule"] == "deployer_history"]
    assert (finding["code"], finding["outcome"]) == ("DEPLOYER_MONEY_RUG_HISTORY", "fail")

    of_another = assessed(road.launch(payer=stranger).token)
    [finding] = [item for item in of_another["findings"] if item["rule"] == "deployer_history"]
    assert (finding["code"], finding["outcome"]) == ("DEPLOYER_NEW", "pass")
