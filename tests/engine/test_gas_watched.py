"""What is watched of a chain's gas: its base fee, and where there is none the tips that are the whole price."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.utils import timezone

from apps.chains.models import Chain
from apps.domain.config import Breakers
from apps.engine import breakers, wiring
from tests import factories
from tests.fakes.rpc import FakeRpc

CHAIN_ID = 31_337_080
TIP_WEI = 3 * 10**9


@pytest.fixture
def node(db: None) -> Iterator[FakeRpc]:
    wiring.forget_ports()
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running
    wiring.forget_ports()
    breakers._fees.clear()


@pytest.mark.parametrize(("base_fee_wei", "watched_wei"), [(0, TIP_WEI), (7 * 10**9, 7 * 10**9)])
def test_fees_when_there_is_no_base_fee_then_tips_are_watched(
    node: FakeRpc, base_fee_wei: int, watched_wei: int
) -> None:
    node.base_fee_wei = base_fee_wei
    node.answers["eth_feeHistory"] = {
        "oldestBlock": hex(node.head_number),
        "baseFeePerGas": [hex(base_fee_wei)] * 2,
        "gasUsedRatio": [0.5],
        "reward": [[hex(TIP_WEI), hex(TIP_WEI)]],
    }
    chain: Chain = factories.ChainFactory(
        chain_id=CHAIN_ID, genesis_hash=node.genesis_hash, base_fee_rule="zero"
    )
    factories.EndpointFactory(chain=chain, url_http=node.url, url_ws="")
    breakers._fees.clear()
    found = breakers._fees_of(chain.key, Breakers(), timezone.now())
    assert found is not None
    assert found.now_wei == watched_wei
