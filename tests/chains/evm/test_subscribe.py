"""Subscriptions: events in order, bounded, and every way of losing them is an error."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest
from eth_utils.crypto import keccak

from apps.chains.evm.client import EndpointConfig, EvmClient
from apps.chains.evm.subscribe import FRAME_BYTES_MAX, Head, RawLog, subscribe
from apps.domain.errors import ConfigurationError, EndpointLyingError, NetworkError
from apps.domain.market import BlockRef
from tests.chain_fixtures import LocalChain, Rpc, anvil, calldata, deploy_v2, transact_ok
from tests.fakes.rpc import FakeRpc, Fault

__all__ = ["anvil"]

CHAIN_ID = 31_337
GENESIS = "0x" + "9e" * 32
TOPIC = "0x" + "ab" * 32
WAIT_S = 5.0


def a_log(**changes: Any) -> dict[str, Any]:
    return {
        "address": "0x" + "Aa" * 20,
        "topics": [TOPIC],
        "data": "0x01",
        "blockNumber": "0x65",
        "blockHash": "0x" + "cd" * 32,
        "transactionHash": "0x" + "ef" * 32,
        "logIndex": "0x2",
        "removed": False,
    } | changes


@pytest.fixture
def node() -> Iterator[FakeRpc]:
    with FakeRpc(chain_id=CHAIN_ID) as running:
        yield running


class Stream:
    """The items of a subscription, taken one by one with a time limit."""

    def __init__(self, items: AsyncIterator[Head | RawLog]) -> None:
        self._items = items

    async def next(self) -> Head | RawLog:
        async with asyncio.timeout(WAIT_S):
            return await anext(self._items)


@asynccontextmanager
async def stream_of(
    node: FakeRpc, *, events: int, **settings: Any
) -> AsyncIterator[tuple[Stream, asyncio.Task[Any]]]:
    """Open a subscription and start waiting for its first item, until its `events` subscriptions stand."""
    options = {"chain_id": CHAIN_ID, **settings}
    async with aclosing(subscribe(node.url_ws, **options)) as items:
        stream = Stream(items)
        first = asyncio.create_task(stream.next())
        await asyncio.to_thread(node.wait_for_subscribers, events)
        yield stream, first
        first.cancel()


def push_heads(node: FakeRpc, count: int) -> None:
    for _ in range(count):
        node.push_head()


async def end_of(node: FakeRpc, **settings: Any) -> BaseException:
    """Return the error that ends a subscription at once."""
    try:
        async with aclosing(subscribe(node.url_ws, **{"chain_id": CHAIN_ID, **settings})) as items:
            await Stream(items).next()
    except NetworkError as error:
        return error
    raise AssertionError("the subscription did not end")


# -- events ---------------------------------------------------------------------------------------


async def test_subscribe_when_blocks_and_logs_come_then_yields_them_in_order(node: FakeRpc) -> None:
    async with stream_of(node, events=2, topics=[TOPIC], addresses=["0x" + "aa" * 20]) as (stream, first):
        node.push_head()
        node.push_log(a_log())
        node.push_head()
        head = await first
        log = await stream.next()
        assert isinstance(head, Head)
        assert head.block.number == 101
        assert isinstance(log, RawLog)
        assert (log.address, log.log_index, log.data) == ("0x" + "aa" * 20, 2, b"\x01")
        assert await stream.next() == Head(BlockRef(102, f"0x{102:064x}", head.block.at_ms))
    assert ("eth_subscribe", ["logs", {"topics": [[TOPIC]], "address": ["0x" + "aa" * 20]}]) in node.requests


async def test_subscribe_when_no_topics_then_asks_for_heads_only(node: FakeRpc) -> None:
    async with stream_of(node, events=1) as (_, first):
        node.push_head()
        assert isinstance(await first, Head)
    assert node.methods().count("eth_subscribe") == 1


async def test_subscribe_when_log_is_taken_back_then_is_passed_over(node: FakeRpc) -> None:
    async with stream_of(node, events=2, topics=[TOPIC]) as (_, first):
        node.push_log(a_log(removed=True))
        node.push_log(a_log(logIndex="0x9"))
        log = await first
        assert isinstance(log, RawLog)
        assert log.log_index == 9


async def test_subscribe_when_strange_messages_come_between_then_are_passed_over(node: FakeRpc) -> None:
    async with stream_of(node, events=1) as (_, first):
        node.push_text('{"jsonrpc":"2.0","id":99,"result":true}')
        node.push_text('{"method":"eth_subscription"}')
        node.push_text('{"method":"eth_subscription","params":{"subscription":"0xother","result":7}}')
        node.push_head()
        assert isinstance(await first, Head)


async def test_subscribe_when_many_events_come_at_once_then_none_is_lost(node: FakeRpc) -> None:
    count = 3_000
    async with stream_of(node, events=1) as (stream, first), asyncio.TaskGroup() as group:
        group.create_task(asyncio.to_thread(push_heads, node, count))
        items = [await first] + [await stream.next() for _ in range(count - 1)]
    assert [item.block.number for item in items if isinstance(item, Head)] == list(range(101, 101 + count))


async def test_subscribe_when_closed_by_reader_then_ends_quickly(node: FakeRpc) -> None:
    async with stream_of(node, events=1) as (_, first):
        node.push_head()
        await first
        started = time.monotonic()
    assert time.monotonic() - started < 1.5


# -- loss -----------------------------------------------------------------------------------------


async def test_subscribe_when_connection_drops_then_network_error(node: FakeRpc) -> None:
    async with stream_of(node, events=1) as (_, first):
        node.drop_subscribers()
        with pytest.raises(NetworkError, match="was lost") as caught:
            await first
    assert caught.value.remedy


async def test_subscribe_when_nothing_listens_then_network_error(node: FakeRpc) -> None:
    node.stop()
    assert "could not be opened" in str(await end_of(node))


async def test_subscribe_when_nothing_comes_for_long_then_network_error(node: FakeRpc) -> None:
    error = await end_of(node, silence_max_s=0.2)
    assert "silent" in str(error)


@pytest.mark.parametrize("method", ["eth_chainId", "eth_subscribe"])
async def test_subscribe_when_node_does_not_answer_then_network_error(
    node: FakeRpc, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("apps.chains.evm.subscribe.ANSWER_MAX_S", 0.2)
    node.misbehave("hang", method=method)
    assert "silent" in str(await end_of(node))


async def test_subscribe_when_node_closes_at_once_then_network_error(node: FakeRpc) -> None:
    node.misbehave("close", method="eth_subscribe")
    assert "was lost" in str(await end_of(node))


async def test_subscribe_when_node_offers_none_then_says_what_to_do(node: FakeRpc) -> None:
    node.answers["eth_subscribe"] = Fault(-32_601, "notifications not supported")
    error = await end_of(node)
    assert isinstance(error, NetworkError)
    assert "notifications not supported" in str(error)
    assert "polled" in error.remedy


async def test_subscribe_when_address_is_no_websocket_then_network_error(node: FakeRpc) -> None:
    with pytest.raises(NetworkError, match=r"could not be opened|was lost|silent"):
        await anext(subscribe(node.url.replace("http", "ws"), chain_id=CHAIN_ID))


@pytest.mark.parametrize("url", ["", "http://127.0.0.1:1", "ws://", "ws://127.0.0.1:x"])
async def test_subscribe_when_address_is_senseless_then_configuration_error(url: str) -> None:
    with pytest.raises(ConfigurationError):
        await anext(subscribe(url, chain_id=CHAIN_ID))


# -- lies -----------------------------------------------------------------------------------------


async def test_subscribe_when_chain_is_another_then_refuses(node: FakeRpc) -> None:
    node.chain_id = 1
    error = await end_of(node)
    assert isinstance(error, EndpointLyingError)
    assert "serves chain 1" in str(error)


async def test_subscribe_when_genesis_differs_then_refuses(node: FakeRpc) -> None:
    error = await end_of(node, genesis_hash="0x" + "11" * 32)
    assert isinstance(error, EndpointLyingError)
    async with stream_of(node, events=1, genesis_hash=GENESIS) as (_, first):
        node.push_head()
        assert isinstance(await first, Head)


@pytest.mark.parametrize("text", ["{", "[]", "7", "\x00", '"text"'])
async def test_subscribe_when_frame_is_garbage_then_endpoint_lies(node: FakeRpc, text: str) -> None:
    async with stream_of(node, events=1) as (_, first):
        node.push_text(text)
        with pytest.raises(EndpointLyingError):
            await first


@pytest.mark.parametrize(
    "event", [None, [], {}, {"number": "0x" + "f" * 500}, {"number": 5}, {"number": "0x1", "hash": "0x1"}]
)
async def test_subscribe_when_head_is_nonsense_then_endpoint_lies(node: FakeRpc, event: object) -> None:
    async with stream_of(node, events=1) as (_, first):
        node.push("newHeads", event)
        with pytest.raises(EndpointLyingError):
            await first


async def test_subscribe_when_log_is_nonsense_then_endpoint_lies(node: FakeRpc) -> None:
    async with stream_of(node, events=2, topics=[TOPIC]) as (_, first):
        node.push_log(a_log(blockNumber=[1]))
        with pytest.raises(EndpointLyingError):
            await first


async def test_subscribe_when_frame_is_too_large_then_network_error(node: FakeRpc) -> None:
    async with stream_of(node, events=1) as (_, first):
        await asyncio.to_thread(node.push_text, " " * (FRAME_BYTES_MAX + 1))
        with pytest.raises(NetworkError):
            await first


# -- a real chain ---------------------------------------------------------------------------------


@pytest.mark.chain
async def test_subscribe_when_chain_is_real_then_head_and_log_arrive_at_once(anvil: LocalChain) -> None:
    client = EvmClient([EndpointConfig(url_http=anvil.url)], chain_id=anvil.chain_id)
    rpc = Rpc(anvil.url)
    delays_ms = []
    async with aclosing(
        subscribe(anvil.url.replace("http", "ws"), chain_id=anvil.chain_id, topics=[TOPIC], silence_max_s=5)
    ) as items:
        stream = Stream(items)
        first = asyncio.create_task(stream.next())
        await asyncio.sleep(0.3)
        for number in range(10):
            started = time.monotonic()
            await asyncio.to_thread(rpc, "evm_mine")
            item = await (first if number == 0 else stream.next())
            delays_ms.append((time.monotonic() - started) * 1_000)
            assert isinstance(item, Head)
    assert (
        sorted(delays_ms)[5] < 100
    )  # a stalled socket would take 40 ms and more for each, a busy machine some
    rpc.close()
    client.close()


@pytest.mark.chain
async def test_subscribe_when_factory_creates_a_pair_then_its_log_arrives(anvil: LocalChain) -> None:
    dex = await asyncio.to_thread(deploy_v2, anvil.url, anvil.accounts[0])
    topic = "0x" + keccak(text="PairCreated(address,address,address,uint256)").hex()
    rpc = Rpc(anvil.url)
    url = anvil.url.replace("http", "ws")
    options: dict[str, Any] = {"chain_id": anvil.chain_id, "addresses": [dex.factory], "topics": [topic]}
    async with aclosing(subscribe(url, **options)) as items:
        stream = Stream(items)
        first = asyncio.create_task(stream.next())
        await asyncio.sleep(0.3)
        data = calldata("createPair(address,address)", dex.wrapped, "0x" + "55" * 20)
        await asyncio.to_thread(lambda: transact_ok(rpc, anvil.accounts[0], to=dex.factory, data=data))
        seen = [await first, await stream.next()]
    [log] = [item for item in seen if isinstance(item, RawLog)]
    assert log.address == dex.factory.lower()
    assert log.topics[0] == topic
    rpc.close()
