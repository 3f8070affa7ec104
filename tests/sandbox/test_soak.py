"""Faults strike as they are told to, and only a price that the chain shows to have left its slippage excuses an order."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.client import RemoteDisconnected
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from apps.sandbox.accounts import Actor
from apps.sandbox.rpc import SandboxRpc
from apps.sandbox.soak.exclusions import ended_orders, exclusion_of, paid
from apps.sandbox.soak.execution import _share_bps
from apps.sandbox.soak.faults import reorganised
from apps.sandbox.soak.proxy import OLD_BLOCKS, TIP_TIMES, FaultProxy
from tests import factories
from tests.chain_fixtures import running_anvil
from tests.fakes.rpc import FakeRpc

ETHER = 10**18


@pytest.fixture
def node() -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=7, head_number=100) as fake:
        yield fake


@pytest.fixture
def proxy(node: FakeRpc) -> Iterator[FaultProxy]:
    port = urlsplit(node.endpoint().url_http).port
    assert port is not None
    found = FaultProxy(upstream_port=port)
    yield found
    found.close()


def ask(proxy: FaultProxy, method: str, *params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    return requests.post(proxy.url, data=json.dumps(body), timeout=5).json()["result"]


def test_proxy_when_well_then_passes_everything_on(proxy: FaultProxy, node: FakeRpc):
    assert ask(proxy, "eth_blockNumber") == "0x64"
    assert (node.methods(), dict(proxy.hits), proxy.requests) == (["eth_blockNumber"], {}, 1)


def test_proxy_when_it_drops_answers_then_the_node_has_the_transaction_all_the_same(
    proxy: FaultProxy, node: FakeRpc
):
    node.answers["eth_sendRawTransaction"] = "0x" + "ab" * 32
    proxy.manner = "drop_answer"
    assert ask(proxy, "eth_blockNumber") == "0x64"
    with pytest.raises(requests.ConnectionError) as caught:
        ask(proxy, "eth_sendRawTransaction", "0x02")
    assert RemoteDisconnected.__name__ in str(caught.value)
    assert (node.methods().count("eth_sendRawTransaction"), proxy.hits["drop_answer"]) == (1, 1)


def test_proxy_when_its_head_is_old_then_newer_receipts_are_not_there_yet(proxy: FaultProxy, node: FakeRpc):
    proxy.manner = "old_head"
    node.answers["eth_getTransactionReceipt"] = {"blockNumber": "0x64"}
    assert ask(proxy, "eth_blockNumber") == hex(100 - OLD_BLOCKS)
    assert ask(proxy, "eth_getTransactionReceipt", "0x" + "00" * 32) is None
    node.answers["eth_getTransactionReceipt"] = {"blockNumber": "0x10"}
    assert ask(proxy, "eth_getTransactionReceipt", "0x" + "00" * 32) == {"blockNumber": "0x10"}


def test_proxy_when_tips_spike_then_fee_history_says_so(proxy: FaultProxy, node: FakeRpc):
    node.answers["eth_feeHistory"] = {"reward": [["0x2"]], "baseFeePerGas": ["0x1"]}
    proxy.manner = "tip_spike"
    assert ask(proxy, "eth_feeHistory", "0x1", "latest", [50])["reward"] == [[hex(2 * TIP_TIMES)]]


def test_share_then_an_aim_is_never_reached_by_rounding():
    assert (_share_bps(94_999, 100_000), _share_bps(0, 0)) == (9_499, None)


@pytest.mark.django_db
def test_exclusions_then_only_a_price_that_left_its_slippage_excuses():
    quote, base = 10 * ETHER, 1_000_000 * ETHER
    would = paid(quote, base, ETHER // 10, fee_bps=30)
    fails: dict[str, Any] = {"status": "reverted", "amount_in_raw": ETHER // 10}
    gone = factories.OrderFactory(**fails, amount_out_min_raw=would + 1)
    ours = factories.OrderFactory(**fails, amount_out_min_raw=would)
    tried = factories.OrderFactory(
        status="cancelled",
        reason="it would fail in the next block (UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT)",
    )
    late = factories.OrderFactory(status="expired", reason="it was not signed in time")
    factories.OrderFactory(status="filled")
    factories.OrderFactory(status="submitted")
    for order in (gone, ours):
        factories.TxAttemptFactory(order=order, status="reverted", block_number=200, signed_block=198)
        factories.PoolSnapshotFactory(pair=order.pair, block_number=199, base_raw=base, quote_raw=quote)
    found = {order.order_id: exclusion_of(order) for order in ended_orders()}
    assert len(found) == 5
    assert {key for key, item in found.items() if item is not None} == {gone.pk, tried.pk}
    assert found[late.pk] is None
    told = found[gone.pk]
    assert told is not None
    assert f"would have paid {would}" in told.told()


@pytest.mark.chain
def test_reorganisation_then_the_market_keeps_its_nonces_and_ours_are_left_out():
    with running_anvil(chain_id=4_242, options=("--no-mining",)) as node:
        rpc = SandboxRpc(node.url)
        market, ours = (Actor.of(seed=1, chain_id=4_242, label=label) for label in ("market", "ours"))
        for actor in (market, ours):
            rpc.call("anvil_setBalance", actor.address, hex(100 * ETHER))
        for _ in range(3):
            for actor in (market, ours):
                raw = actor.sign(to=actor.address, gas=21_000, max_fee_wei=10**11, tip_wei=10**9)
                rpc.call("eth_sendRawTransaction", raw)
            rpc.call("anvil_mine", "0x1")
        head = rpc.call("eth_blockNumber")
        gone = reorganised(rpc, depth=2, ours=ours.address.lower(), left_out=lambda: True)
        counts = [rpc.call("eth_getTransactionCount", actor.address, "latest") for actor in (market, ours)]
        assert (gone, rpc.call("eth_blockNumber"), counts) == (2, head, ["0x3", "0x1"])
