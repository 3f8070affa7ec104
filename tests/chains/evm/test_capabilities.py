"""The probe: what an endpoint can do, asked with requests whose right answer is known."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from apps.chains.evm import simulate_local
from apps.chains.evm.capabilities import endpoint_probe
from apps.chains.evm.client import EndpointConfig
from tests.chain_fixtures import LocalChain, anvil
from tests.fakes.rpc import FakeRpc, Manner

__all__ = ["anvil"]

CHAIN_ID = 31_337
FORTY_TWO = f"0x{42:064x}"
ALL = {"batch", "state_override", "simulate_v1", "logs", "fee_history", "subscriptions"}


@pytest.fixture
def node() -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running


def able(node: FakeRpc) -> None:
    block = {"calls": [{"status": "0x1", "returnData": FORTY_TWO}]}
    node.answers |= {
        "eth_call": FORTY_TWO,
        "eth_simulateV1": [block, block],
        "eth_feeHistory": {"baseFeePerGas": ["0x1"]},
    }


def test_probe_when_node_can_do_all_then_says_so(node: FakeRpc) -> None:
    able(node)
    report = endpoint_probe(node.endpoint(), chain_id=CHAIN_ID)
    assert report.is_usable
    assert report.capabilities == dict.fromkeys(ALL, True)
    assert report.head is not None
    assert report.head.number == 100
    assert report.head_age_ms is not None
    assert report.head_age_ms < 10_000
    assert report.latency_ms is not None


def test_probe_when_found_lacking_before_then_asks_all_the_same(node: FakeRpc) -> None:
    able(node)
    before = node.endpoint(capabilities=dict.fromkeys(ALL, False))
    assert endpoint_probe(before, chain_id=CHAIN_ID).capabilities == dict.fromkeys(ALL, True)


def test_probe_when_methods_are_missing_then_capabilities_are_false(node: FakeRpc) -> None:
    report = endpoint_probe(node.endpoint(url_ws=""), chain_id=CHAIN_ID)
    assert report.is_usable
    assert report.capabilities == {
        "batch": True,
        "state_override": False,
        "simulate_v1": False,
        "logs": True,
        "fee_history": False,
        "local_evm": simulate_local.is_available(),
    }


@pytest.mark.parametrize("answer", ["0x", f"0x{41:064x}", None, 42, "0x" + "f" * 900, [], {}])
def test_probe_when_override_is_ignored_then_capability_is_false(node: FakeRpc, answer: Any) -> None:
    able(node)
    node.answers["eth_call"] = answer  # many nodes accept the third parameter and do nothing with it
    assert endpoint_probe(node.endpoint(), chain_id=CHAIN_ID).capabilities["state_override"] is False


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [{"calls": [{"returnData": FORTY_TWO}]}],
        [{"calls": [{"returnData": FORTY_TWO}]}, {"calls": [{"returnData": "0x"}]}],
        [{"calls": []}, {"calls": []}],
        [1, 2],
        {"a": 1},
    ],
)
def test_probe_when_second_block_is_not_simulated_then_capability_is_false(
    node: FakeRpc, answer: Any
) -> None:
    able(node)
    node.answers["eth_simulateV1"] = answer
    assert endpoint_probe(node.endpoint(), chain_id=CHAIN_ID).capabilities["simulate_v1"] is False


def test_probe_when_batches_are_refused_then_asks_singly(
    node: FakeRpc, monkeypatch: pytest.MonkeyPatch
) -> None:
    able(node)
    honest = node.manner_for

    def no_batches(methods: list[str]) -> Manner | None:
        return "html" if len(methods) > 1 else honest(methods)

    monkeypatch.setattr(node, "manner_for", no_batches)
    report = endpoint_probe(node.endpoint(), chain_id=CHAIN_ID, genesis_hash=node.genesis_hash)
    assert report.capabilities == dict.fromkeys(ALL, True) | {"batch": False}


def test_probe_when_websocket_is_dead_then_notes_it_and_stays_usable(node: FakeRpc) -> None:
    report = endpoint_probe(node.endpoint(url_ws="ws://127.0.0.1:1"), chain_id=CHAIN_ID)
    assert report.is_usable
    assert report.capabilities["subscriptions"] is False
    assert "could not be opened" in report.notes[0]


def test_probe_when_websocket_is_of_another_chain_then_notes_it(node: FakeRpc) -> None:
    with FakeRpc(chain_id=1) as other:
        report = endpoint_probe(node.endpoint(url_ws=other.url_ws), chain_id=CHAIN_ID)
    assert report.capabilities["subscriptions"] is False
    assert "serves chain 1" in report.notes[0]


def test_probe_when_chain_is_another_then_fault_and_remedy(node: FakeRpc) -> None:
    report = endpoint_probe(node.endpoint(), chain_id=8_453)
    assert not report.is_usable
    assert "serves chain 31337, not chain 8453" in report.fault
    assert report.remedy
    assert report.capabilities == {}


@pytest.mark.parametrize("manner", ["malformed", "close", "403", "429", "500", "huge_number", "null_result"])
def test_probe_when_node_misbehaves_then_fault_and_remedy_or_retry(node: FakeRpc, manner: Manner) -> None:
    node.misbehave(manner)
    report = endpoint_probe(node.endpoint(), chain_id=CHAIN_ID)
    assert not report.is_usable
    assert report.fault


@pytest.mark.parametrize("url", ["", "nonsense", "http://127.0.0.1:1"])
def test_probe_when_address_leads_nowhere_then_fault_and_remedy(url: str) -> None:
    report = endpoint_probe(EndpointConfig(url_http=url), chain_id=CHAIN_ID)
    assert not report.is_usable
    assert report.remedy


@pytest.mark.parametrize("url_ws", ["http://127.0.0.1:1", "ws://"])
def test_probe_when_websocket_address_is_senseless_then_fault(node: FakeRpc, url_ws: str) -> None:
    report = endpoint_probe(node.endpoint(url_ws=url_ws), chain_id=CHAIN_ID)
    assert "WebSocket address" in report.fault


@pytest.mark.chain
def test_probe_when_chain_is_real_then_anvil_can_do_all(anvil: LocalChain) -> None:
    config = EndpointConfig(url_http=anvil.url, url_ws=anvil.url.replace("http", "ws"))
    report = endpoint_probe(config, chain_id=anvil.chain_id)
    assert report.capabilities == dict.fromkeys(ALL, True)
