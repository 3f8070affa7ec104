"""Private relays as senders: what goes there, under which signature, and what their answers mean."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from eth_utils.crypto import keccak

from apps.chains.evm.relay import RelayConfig, identity_key, protect_url, relay_sender, relay_senders
from apps.chains.evm.sender import SEND_MAX_S
from apps.domain.errors import (
    BroadcastUncertainError,
    ConfigurationError,
    EpochClosedError,
    PlatformError,
    TradingError,
)
from apps.domain.ports import PrivateRelay
from tests.chains.evm.test_sender import CHAIN_ID, EPOCH, SLACK_S, OpenFence, a_tx
from tests.fakes.relay import LocalRelay, hash_of
from tests.trading.fakes import profile_of

RAW = ["0x0200", "0x0201"]
PROFILE = replace(profile_of(f"eip155:{CHAIN_ID}", "0x" + "11" * 20), is_sandbox=False)
KINDS = ("generic", "mev_blocker", "flashbots_protect", "flashbots_relay")


@pytest.fixture
def relay() -> Iterator[LocalRelay]:
    with LocalRelay(chain_id=CHAIN_ID) as running:
        yield running


@pytest.fixture
def fence() -> OpenFence:
    return OpenFence()


def sender_of(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path, *, kind: str = "generic", **settings: Any
) -> PrivateRelay:
    config = RelayConfig(key="local", kind=kind, url=relay.url, **settings)
    return relay_sender(config, profile=PROFILE, data_dir=tmp_path, passage=fence.passage)


@pytest.mark.parametrize("kind", KINDS)
def test_broadcast_many_whatever_the_kind_then_each_goes_singly_through_the_fence_once(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path, kind: str
):
    sender = sender_of(relay, fence, tmp_path, kind=kind)
    assert sender.broadcast_many([a_tx(0), a_tx(1)], side="sell") == (None, None)
    assert relay.taken == RAW
    assert fence.asked == [(EPOCH, "sell", tmp_path)]
    assert len(relay.asked) == 2  # no question about its chain: the bytes name it
    assert sender.key == "local"


def test_signed_relay_then_each_request_carries_our_signature_of_its_body(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path
):
    sender_of(relay, fence, tmp_path, kind="flashbots_relay").broadcast(a_tx(), side="buy")
    [asked] = relay.asked
    address, signature = asked.signature.split(":")
    message = encode_defunct(text="0x" + keccak(asked.body).hex())
    assert Account.recover_message(message, signature=signature) == address
    assert asked.method == "eth_sendPrivateTransaction"
    assert asked.params == [{"tx": "0x0200", "preferences": {"fast": True, "privacy": {"hints": ["hash"]}}}]


def test_withdraw_then_comes_from_the_identity_that_sent(relay: LocalRelay, fence: OpenFence, tmp_path: Path):
    relay.manner = "hold"
    sender_of(relay, fence, tmp_path, kind="flashbots_relay").broadcast(a_tx(), side="buy")
    again = sender_of(relay, fence, tmp_path, kind="flashbots_relay")  # after a restart
    assert again.withdraw(hash_of("0x0200"))
    assert relay.held == []
    first, second = (asked.signature.split(":")[0] for asked in relay.asked)
    assert first == second
    assert not again.withdraw(hash_of("0x0200"))  # it has no such transaction any more


def test_withdraw_when_the_relay_is_away_or_knows_no_such_thing_then_false(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path
):
    assert not sender_of(relay, fence, tmp_path).withdraw("0x" + "11" * 32)
    away = RelayConfig(key="away", kind="flashbots_relay", url="http://127.0.0.1:9")
    sender = relay_sender(away, profile=PROFILE, data_dir=tmp_path, passage=fence.passage)
    assert not sender.withdraw("0x" + "11" * 32)


@pytest.mark.parametrize("manner", ["rubbish", "hang"])
def test_broadcast_when_the_answer_is_lost_or_no_answer_then_uncertain_within_its_time(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path, manner: Any
):
    relay.manner = manner
    with pytest.raises(BroadcastUncertainError):
        sender_of(relay, fence, tmp_path, timeout_ms=100).broadcast(a_tx(), side="buy")
    assert relay.taken == (["0x0200"] if manner == "hang" else [])
    assert max(fence.held_s) <= 0.1 + SLACK_S


def test_broadcast_when_its_timeout_is_long_then_a_kill_waits_no_longer_than_for_any_send(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path
):
    relay.manner = "hang"
    started = time.monotonic()
    with pytest.raises(BroadcastUncertainError):
        sender_of(relay, fence, tmp_path, timeout_ms=60_000).broadcast(a_tx(), side="buy")
    assert time.monotonic() - started <= SEND_MAX_S + SLACK_S


def test_broadcast_when_refused_then_said_and_nothing_taken(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path
):
    relay.manner = "refuse"
    with pytest.raises(TradingError, match="takes no transactions"):
        sender_of(relay, fence, tmp_path).broadcast(a_tx(), side="buy")
    assert relay.taken == []


def test_broadcast_when_fence_is_shut_then_nothing_reaches_the_relay(
    relay: LocalRelay, fence: OpenFence, tmp_path: Path
):
    fence.is_shut = True
    with pytest.raises(EpochClosedError):
        sender_of(relay, fence, tmp_path).broadcast(a_tx(), side="buy")
    assert relay.asked == []


def test_relay_of_a_sandbox_chain_when_on_another_machine_then_refused():
    config = RelayConfig(key="far", kind="generic", url="https://relay.example.org")
    with pytest.raises(ConfigurationError, match="another machine"):
        relay_senders([config], profile=replace(PROFILE, is_sandbox=True))


def test_relay_of_an_unknown_kind_then_refused_with_those_known():
    config = RelayConfig(key="odd", kind="odd", url="http://127.0.0.1:1")
    with pytest.raises(ConfigurationError) as caught:
        relay_senders([config], profile=PROFILE)
    assert "flashbots_protect" in caught.value.remedy


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        ("https://rpc.example.org", "https://rpc.example.org/?hint=hash"),
        ("https://rpc.example.org/fast?originId=us", "https://rpc.example.org/fast?originId=us&hint=hash"),
        ("https://rpc.example.org/?hint=logs", "https://rpc.example.org/?hint=logs"),
    ],
)
def test_protect_url_then_shares_the_least_unless_chosen_otherwise(url: str, wanted: str):
    assert protect_url(url) == wanted


def test_identity_then_is_ours_alone_and_stays(tmp_path: Path):
    key = identity_key(tmp_path)
    assert identity_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "relay_identity").stat().st_mode) == 0o600
    assert [item.name for item in tmp_path.iterdir()] == ["relay_identity"]


@pytest.mark.parametrize("text", ["", "zz", "00ff"])
def test_identity_when_damaged_then_said_with_the_way_out(tmp_path: Path, text: str):
    (tmp_path / "relay_identity").write_text(text)
    with pytest.raises(PlatformError) as caught:
        identity_key(tmp_path)
    assert "elete" in caught.value.remedy
