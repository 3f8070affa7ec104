"""The sender: through the fence, once, bounded; what each answer of a node means."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from apps.chains.evm.client import EvmClient, RpcFault
from apps.chains.evm.sender import SEND_MAX_S, EvmSender, refusal_of
from apps.domain.engine import EngineStatus
from apps.domain.errors import (
    BroadcastUncertainError,
    EpochClosedError,
    InsufficientFundsError,
    NonceConflictError,
    SniperError,
    TradingError,
)
from apps.domain.ids import ChainKey, ClientOrderId
from apps.domain.order import Side, SignedTx
from apps.state.models import EngineState
from tests.chain_fixtures import LocalChain, Rpc, anvil, receipt_of, running_anvil
from tests.fakes.rpc import FakeRpc, Fault, Manner, running_nodes

__all__ = ["anvil"]

CHAIN_ID = 31_337
EPOCH = 3
#: What a busy test machine may add to a bound of wall-clock time.
SLACK_S = 0.25


class OpenFence:
    """A fence that lets everything pass and remembers for how long."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, Side, Path]] = []
        self.held_s: list[float] = []
        self.is_shut = False

    @contextmanager
    def passage(self, *, epoch: int, side: Side, data_dir: Path) -> Iterator[None]:
        self.asked.append((epoch, side, data_dir))
        if self.is_shut:
            raise EpochClosedError("shut")
        started = time.monotonic()
        try:
            yield
        finally:
            self.held_s.append(time.monotonic() - started)


@pytest.fixture
def node() -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running


@pytest.fixture
def fence() -> OpenFence:
    return OpenFence()


def sender_of(fence: OpenFence, *nodes: FakeRpc, **settings: Any) -> EvmSender:
    endpoints = [node.endpoint(weight=100 - number, **settings) for number, node in enumerate(nodes)]
    return EvmSender(EvmClient(endpoints, chain_id=CHAIN_ID), data_dir=Path("/data"), passage=fence.passage)


def a_tx(number: int = 0) -> SignedTx:
    payload = bytes([2, number])
    return SignedTx(
        client_order_id=ClientOrderId(f"order-{number}"),
        chain_key=ChainKey(f"eip155:{CHAIN_ID}"),
        purpose="swap",
        tx_hash="0x" + keccak(payload).hex(),
        nonce=number,
        epoch=EPOCH,
        max_cost_raw=1,
        payload=payload,
    )


# -- taken ----------------------------------------------------------------------------------------


def test_broadcast_when_node_takes_it_then_passes_the_fence_once(node: FakeRpc, fence: OpenFence) -> None:
    sender_of(fence, node).broadcast(a_tx(), side="buy")
    assert node.sent == ["0x0200"]
    assert fence.asked == [(EPOCH, "buy", Path("/data"))]


def test_broadcast_many_when_two_then_one_post_in_order(node: FakeRpc, fence: OpenFence) -> None:
    assert sender_of(fence, node).broadcast_many([a_tx(0), a_tx(1)], side="sell") == (None, None)
    assert node.posts[-1] == ["eth_sendRawTransaction", "eth_sendRawTransaction"]
    assert node.sent == ["0x0200", "0x0201"]
    assert fence.asked == [(EPOCH, "sell", Path("/data"))]


def test_broadcast_many_when_endpoint_has_no_batch_then_posts_singly_in_one_passage(
    node: FakeRpc, fence: OpenFence
) -> None:
    sender = sender_of(fence, node, capabilities={"batch": False})
    assert sender.broadcast_many([a_tx(0), a_tx(1)], side="sell") == (None, None)
    assert node.posts[-2:] == [["eth_sendRawTransaction"], ["eth_sendRawTransaction"]]
    assert len(fence.asked) == 1


def test_broadcast_many_when_the_second_is_refused_then_tells_them_apart(
    node: FakeRpc, fence: OpenFence
) -> None:
    refused = Fault(-32_000, "replacement transaction underpriced")
    node.answers["eth_sendRawTransaction"] = lambda params: (
        refused if params[0] == "0x0201" else a_tx(0).tx_hash
    )
    first, second = sender_of(fence, node).broadcast_many([a_tx(0), a_tx(1)], side="sell")
    assert first is None
    assert type(second) is TradingError


def test_broadcast_when_repeated_then_reuses_the_connection(node: FakeRpc, fence: OpenFence) -> None:
    sender = sender_of(fence, node)
    for number in range(5):
        sender.broadcast(a_tx(number), side="buy")
    assert node.connections == 1


def test_broadcast_when_node_restarted_between_then_connects_and_proves_it_anew(
    node: FakeRpc, fence: OpenFence
) -> None:
    sender = sender_of(fence, node)
    sender.broadcast(a_tx(0), side="buy")
    node.stop()
    node.start()
    sender.broadcast(a_tx(1), side="buy")
    assert node.sent == ["0x0200", "0x0201"]
    assert node.methods().count("eth_chainId") == 2


# -- not sent at all ------------------------------------------------------------------------------


def test_broadcast_when_fence_is_shut_then_sends_nothing(node: FakeRpc, fence: OpenFence) -> None:
    fence.is_shut = True
    sender = sender_of(fence, node)
    with pytest.raises(EpochClosedError):
        sender.broadcast(a_tx(), side="buy")
    assert node.sent == []
    fence.is_shut = False
    sender.broadcast(a_tx(), side="buy")


def test_broadcast_when_chain_is_another_then_sends_nothing(node: FakeRpc, fence: OpenFence) -> None:
    node.chain_id = 1
    with pytest.raises(BroadcastUncertainError, match="nothing was sent"):
        sender_of(fence, node).broadcast(a_tx(), side="buy")
    assert node.sent == []
    assert fence.asked == []


def test_broadcast_when_nothing_listens_then_says_nothing_was_sent(node: FakeRpc, fence: OpenFence) -> None:
    sender = sender_of(fence, node)
    node.stop()
    with pytest.raises(BroadcastUncertainError, match="nothing was sent"):
        sender.broadcast(a_tx(), side="buy")
    assert fence.asked == []


@pytest.mark.parametrize("manner", ["429", "403", "error_rate"])
def test_broadcast_when_turned_away_at_the_door_then_asks_the_next(manner: Manner, fence: OpenFence) -> None:
    with running_nodes(2, chain_id=CHAIN_ID) as nodes:
        nodes[0].misbehave(manner, method="eth_sendRawTransaction")
        sender_of(fence, *nodes).broadcast(a_tx(), side="buy")
        assert nodes[1].sent == ["0x0200"]
        assert len(fence.asked) == 2  # each send passes the fence for itself


@pytest.mark.parametrize("manner", ["429", "403", "error_rate"])
def test_broadcast_when_turned_away_everywhere_then_reconciles(
    node: FakeRpc, fence: OpenFence, manner: Manner
) -> None:
    node.misbehave(manner, method="eth_sendRawTransaction")
    with pytest.raises(BroadcastUncertainError):
        sender_of(fence, node).broadcast(a_tx(), side="buy")


# -- uncertain ------------------------------------------------------------------------------------

UNCERTAIN: tuple[Manner, ...] = (
    "hang",
    "drip",
    "close",
    "truncate",
    "500",
    "malformed",
    "html",
    "wrong_types",
    "wrong_id",
    "no_result",
    "null_result",
    "wrong_type_result",
    "huge_number",
    "oversized",
    "not_http",
)


@pytest.mark.parametrize("manner", UNCERTAIN)
def test_broadcast_when_answer_is_lost_then_uncertain_and_never_elsewhere(
    manner: Manner, fence: OpenFence
) -> None:
    with running_nodes(2, chain_id=CHAIN_ID) as nodes:
        nodes[0].misbehave(manner, method="eth_sendRawTransaction")
        with pytest.raises(BroadcastUncertainError) as caught:
            sender_of(fence, *nodes).broadcast(a_tx(), side="buy")
        assert nodes[0].sent == ["0x0200"]
        assert nodes[1].sent == []
    assert caught.value.context["tx_hash"] == a_tx().tx_hash
    assert max(fence.held_s) <= SEND_MAX_S + SLACK_S


def test_broadcast_many_when_answer_is_lost_then_all_are_uncertain(node: FakeRpc, fence: OpenFence) -> None:
    node.misbehave("close", method="eth_sendRawTransaction")
    outcomes = sender_of(fence, node).broadcast_many([a_tx(0), a_tx(1)], side="sell")
    assert [type(outcome) for outcome in outcomes] == [BroadcastUncertainError, BroadcastUncertainError]


def test_broadcast_when_endpoint_hangs_on_its_proof_then_fence_is_not_held(
    node: FakeRpc, fence: OpenFence
) -> None:
    node.delay_s = 0.5
    with pytest.raises(BroadcastUncertainError):
        sender_of(fence, node).broadcast(a_tx(), side="buy")
    assert max(fence.held_s) <= SEND_MAX_S + SLACK_S


def test_broadcast_when_node_claims_another_hash_then_uncertain(node: FakeRpc, fence: OpenFence) -> None:
    node.answers["eth_sendRawTransaction"] = "0x" + "77" * 32
    with pytest.raises(BroadcastUncertainError, match="another hash"):
        sender_of(fence, node).broadcast(a_tx(), side="buy")


# -- refused --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "message", "expected"),
    [
        (-32_000, "already known", type(None)),
        (-32_000, "known transaction: 0xabc", type(None)),
        (-32_003, "transaction already imported", type(None)),
        (-32_000, "nonce too high", NonceConflictError),
        (-32_000, "INSUFFICIENT FUNDS for gas * price + value: balance 0", InsufficientFundsError),
        (-32_003, "Insufficient funds for gas * price + value", InsufficientFundsError),
        (-32_000, "sender doesn't have enough funds to send tx", InsufficientFundsError),
        (-32_000, "replacement transaction underpriced", TradingError),
        (-32_000, "transaction underpriced: tip needed 1, tip permitted 0", TradingError),
        (-32_000, "intrinsic gas too low", TradingError),
        (-32_000, "max fee per gas less than block base fee", TradingError),
        (-32_000, "txpool is full", TradingError),
        (-32_603, "Internal error", BroadcastUncertainError),
        (-32_000, "request timed out", BroadcastUncertainError),
        (-32_000, "upstream unavailable, try again", BroadcastUncertainError),
        (-32_005, "rate limit exceeded", BroadcastUncertainError),
    ],
)
def test_refusal_when_node_says_so_then_has_its_type(code: int, message: str, expected: type) -> None:
    error = refusal_of(a_tx(), RpcFault(code=code, message=message), endpoint="node")
    assert type(error) is expected
    if isinstance(error, SniperError):
        assert error.context["tx_hash"] == a_tx().tx_hash


@given(code=st.integers(), message=st.text(max_size=80))
def test_refusal_when_any_words_then_typed_or_taken(code: int, message: str) -> None:
    error = refusal_of(a_tx(), RpcFault(code=code, message=message), endpoint="node")
    assert error is None or isinstance(error, (TradingError, BroadcastUncertainError))


def test_broadcast_when_nonce_is_spent_by_another_then_conflict(node: FakeRpc, fence: OpenFence) -> None:
    node.answers |= {
        "eth_sendRawTransaction": Fault(-32_000, "nonce too low"),
        "eth_getTransactionByHash": None,
    }
    with pytest.raises(NonceConflictError) as caught:
        sender_of(fence, node).broadcast(a_tx(), side="buy")
    assert caught.value.remedy


def test_broadcast_when_nonce_is_spent_by_itself_then_is_success(node: FakeRpc, fence: OpenFence) -> None:
    node.answers |= {
        "eth_sendRawTransaction": Fault(-32_000, "nonce too low: next nonce 8, tx nonce 7"),
        "eth_getTransactionByHash": {"hash": a_tx().tx_hash},
    }
    sender_of(fence, node).broadcast(a_tx(), side="buy")


def test_broadcast_when_nonce_is_spent_and_nobody_tells_by_whom_then_uncertain(
    node: FakeRpc, fence: OpenFence
) -> None:
    node.answers["eth_sendRawTransaction"] = Fault(-32_000, "nonce too low")
    node.misbehave("500", method="eth_getTransactionByHash")
    with pytest.raises(BroadcastUncertainError):
        sender_of(fence, node).broadcast(a_tx(), side="buy")


# -- the real fence -------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("status", "epoch", "side", "passes"),
    [
        (EngineStatus.RUNNING, EPOCH, "buy", True),
        (EngineStatus.RUNNING, EPOCH + 1, "buy", False),
        (EngineStatus.PAUSED, EPOCH, "buy", False),
        (EngineStatus.PAUSED, EPOCH, "sell", True),
        (EngineStatus.EMERGENCY_STOPPED, EPOCH, "sell", False),
    ],
)
def test_broadcast_when_engine_stands_so_then_passes_or_sends_nothing(
    node: FakeRpc, tmp_path: Path, status: EngineStatus, epoch: int, side: Side, passes: bool
) -> None:
    EngineState.objects.create(mode="sandbox", status=status.value, epoch=epoch, changed_at=timezone.now())
    sender = EvmSender(EvmClient([node.endpoint()], chain_id=CHAIN_ID), data_dir=tmp_path)
    if passes:
        sender.broadcast(a_tx(), side=side)
        assert node.sent == ["0x0200"]
    else:
        with pytest.raises(EpochClosedError):
            sender.broadcast(a_tx(), side=side)
        assert node.sent == []


# -- a real chain ---------------------------------------------------------------------------------


def signed(
    chain: LocalChain,
    account: LocalAccount,
    *,
    nonce: int,
    value: int = 1,
    tip: int = 10**9,
    max_fee: int = 10**11,
) -> SignedTx:
    transaction: dict[str, Any] = {
        "chainId": chain.chain_id,
        "nonce": nonce,
        "to": chain.accounts[1].address,
        "value": value,
        "gas": 21_000,
        "maxPriorityFeePerGas": tip,
        "maxFeePerGas": max_fee,
    }
    raw = account.sign_transaction(transaction)
    return replace(
        a_tx(nonce),
        chain_key=ChainKey(f"eip155:{chain.chain_id}"),
        tx_hash="0x" + bytes(raw.hash).hex(),
        payload=bytes(raw.raw_transaction),
    )


def real_sender(chain: LocalChain, fence: OpenFence, node: FakeRpc) -> EvmSender:
    endpoint = node.endpoint(url_http=chain.url, url_ws="")
    return EvmSender(
        EvmClient([endpoint], chain_id=chain.chain_id), data_dir=Path("/data"), passage=fence.passage
    )


@pytest.mark.chain
def test_broadcast_many_when_chain_is_real_then_both_are_mined(
    anvil: LocalChain, fence: OpenFence, node: FakeRpc
) -> None:
    txs = [signed(anvil, anvil.accounts[2], nonce=nonce) for nonce in (0, 1)]
    sender = real_sender(anvil, fence, node)
    assert sender.broadcast_many(txs, side="sell") == (None, None)
    rpc = Rpc(anvil.url)
    assert all(receipt_of(rpc, tx.tx_hash)["status"] == "0x1" for tx in txs)
    rpc.close()
    sender.broadcast(txs[0], side="sell")  # mined already: "nonce too low" by itself


@pytest.mark.chain
def test_broadcast_when_chain_is_real_then_its_words_are_understood(fence: OpenFence, node: FakeRpc) -> None:
    with running_anvil(options=["--no-mining"]) as chain:
        account, sender = chain.accounts[3], real_sender(chain, fence, node)
        sender.broadcast(signed(chain, account, nonce=0), side="buy")
        sender.broadcast(signed(chain, account, nonce=0), side="buy")  # already known
        with pytest.raises(TradingError, match="underpriced"):
            sender.broadcast(signed(chain, account, nonce=0, value=2), side="buy")
        with pytest.raises(InsufficientFundsError):
            sender.broadcast(signed(chain, account, nonce=1, value=10**30), side="buy")
        rpc = Rpc(chain.url)
        rpc("evm_mine")
        rpc.close()
        with pytest.raises(NonceConflictError):
            sender.broadcast(signed(chain, account, nonce=0, value=3), side="buy")
