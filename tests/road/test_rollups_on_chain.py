"""The road on a chain where tips buy nothing and data takes gas, from the launch to the gain in the books."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from apps.chains.evm.dex.router_swaps import APPROVE_GAS_LIMIT
from apps.engine import wiring
from apps.sandbox.chainspec import CHAINS
from apps.trading.models import DecisionRecord, TxAttempt
from tests.road.conftest import ground_of
from tests.road.driving import Ground, Road

pytestmark = pytest.mark.chain
[ARBITRUM] = [spec for spec in CHAINS if spec.slug == "arbitrum"]


@pytest.fixture(scope="module")
def arbitrum_ground() -> Iterator[Ground]:
    with ground_of(ARBITRUM) as ground:
        yield ground


def test_launch_on_arbitrum_then_limits_hold_the_data_and_no_tip_is_offered(
    arbitrum_ground: Ground, installation: Path
) -> None:
    road = Road(arbitrum_ground, installation).start()
    launch, position = road.bought()
    assert position.fees_raw > 0
    fees = wiring.chain_ports(road.chain_key).reader.fees()
    assert fees.data_gas > 0
    given = DecisionRecord.objects.get(action="enter").inputs["given"]["case"]
    assert int(given["facts"]["fees"]["data_gas"]) == fees.data_gas
    road.pump(launch)
    assert road.sold(launch).exit_tag == "take_profit"
    assert set(TxAttempt.objects.values_list("tip_wei", flat=True)) == {0}
    approval = TxAttempt.objects.get(purpose="approve")
    assert approval.max_cost_raw // approval.max_fee_wei == APPROVE_GAS_LIMIT + fees.data_gas * 3 // 2
    road.assert_true()
