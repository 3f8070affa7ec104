"""What the doctor says of rollups' data fees."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from apps.chains.models import Chain
from dexsniper.health.rollups import data_fees
from tests import factories
from tests.fakes.rpc import FakeRpc

CHAIN_ID = 31_337_079


@pytest.fixture
def node(db: None) -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running


@pytest.mark.parametrize(
    ("rule", "answer", "level", "words"),
    [
        ("op_stack", f"0x{2 * 10**12:064x}", "ok", "0.000002 ETH a swap"),
        ("arbitrum", f"0x{32_000:064x}", "ok", "32000 gas a swap"),
        ("op_stack", "0x", "fault", "does not say"),
    ],
)
def test_rollup_when_it_says_so_then_its_fee_or_a_fault(
    node: FakeRpc, settings: Any, rule: str, answer: str, level: str, words: str
) -> None:
    env = replace(settings.ENV, mode="paper")
    chain: Chain = factories.ChainFactory(
        chain_id=CHAIN_ID, is_sandbox=False, genesis_hash="", data_fee_rule=rule
    )
    factories.EndpointFactory(chain=chain, url_http=node.url, url_ws="")
    node.answers["eth_call"] = answer
    [check] = data_fees(env)
    assert (check.level, words in check.detail) == (level, True)
    Chain.objects.update(data_fee_rule="none")
    assert list(data_fees(env)) == []
