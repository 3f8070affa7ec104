"""New blocks and logs as they come, over a WebSocket of its own.

On a socket shared with requests each event waits for a delayed acknowledgement (43 ms instead of 2), hence one socket for
nothing but this. A lost connection is an error: the caller opens it again with back-off and reads what it missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from apps.chains.evm import parse
from apps.chains.evm.jsonrpc import Request, RpcFault, encode_requests, fault_of, small_quantity
from apps.domain.errors import BadDataError, ConfigurationError, EndpointLyingError, NetworkError
from apps.domain.market import BlockRef

OPEN_MAX_S = 5.0
ANSWER_MAX_S = 5.0
PING_EVERY_S = 5.0
PONG_MAX_S = 5.0
CLOSE_MAX_S = 1.0
FRAME_BYTES_MAX = 4 * 1024 * 1024
#: Frames held for a slow reader; beyond it the node is made to wait, and a node that does not want to hangs up.
FRAMES_HELD_MAX = 2_048
#: Events that may arrive while the subscriptions are being made.
EARLY_EVENTS_MAX = 1_000
#: Without a new block for so long the connection is given up, though it stands.
SILENCE_MAX_S_DEFAULT = 120.0
_QUICK_ACK = getattr(socket, "TCP_QUICKACK", None)  # Linux only
_REMEDY = (
    "It is opened again by itself. When it repeats, check that the endpoint runs and offers subscriptions."
)

RawLog = parse.Log


@dataclass(frozen=True, slots=True)
class Head:
    """A new block at the head, which may also replace one that was seen."""

    block: BlockRef


async def subscribe(
    url: str,
    *,
    chain_id: int,
    genesis_hash: str = "",
    addresses: Sequence[str] = (),
    topics: Sequence[str] = (),
    silence_max_s: float = SILENCE_MAX_S_DEFAULT,
) -> AsyncGenerator[Head | RawLog, None]:
    """Yield new heads, and the logs of ``addresses`` whose first topic is one of ``topics`` (empty: no logs at all).

    Ends only by an error: NetworkError when the connection is lost, silent or refused, EndpointLyingError for another
    chain. Logs taken back by a reorganisation are not yielded: the heads tell of it. Close it with ``aclosing``.
    """
    async with _connected(url, chain_id=chain_id, genesis_hash=genesis_hash) as channel:
        heads = await channel.ask("eth_subscribe", "newHeads")
        logs = await channel.ask("eth_subscribe", "logs", _filter(addresses, topics)) if topics else None
        async with aclosing(channel.events(silence_max_s=silence_max_s)) as events:
            async for subscription, result in events:
                item = _item(result, is_head=subscription == heads, is_log=subscription == logs)
                if item is not None:
                    yield item


async def subscription_check(url: str, *, chain_id: int, genesis_hash: str = "") -> None:
    """Open a connection, prove the chain and make one subscription. Raises what ``subscribe`` raises."""
    async with _connected(url, chain_id=chain_id, genesis_hash=genesis_hash) as channel:
        await channel.ask("eth_subscribe", "newHeads")


@asynccontextmanager
async def _connected(url: str, *, chain_id: int, genesis_hash: str) -> AsyncGenerator[_Channel, None]:
    """Give a channel to an endpoint that is proven to serve our chain; translate what goes wrong on it."""
    label = _label(url)
    try:
        async with connect(
            url,
            compression=None,
            open_timeout=OPEN_MAX_S,
            ping_interval=PING_EVERY_S,
            ping_timeout=PONG_MAX_S,
            close_timeout=CLOSE_MAX_S,
            max_size=FRAME_BYTES_MAX,
            max_queue=FRAMES_HELD_MAX,
            proxy=None,
        ) as connection:
            channel = _Channel(connection, label)
            await channel.prove(chain_id=chain_id, genesis_hash=genesis_hash.lower())
            yield channel
    except BadDataError as error:
        raise EndpointLyingError(
            f"The subscription to {label} brought an event that cannot be read: {error}.",
            remedy=_REMEDY,
            endpoint=label,
        ) from error
    except TimeoutError as error:
        raise NetworkError(
            f"The subscription to {label} was silent for too long.", remedy=_REMEDY, endpoint=label
        ) from error
    except (OSError, WebSocketException) as error:
        is_start = isinstance(error, (InvalidHandshake, ConnectionRefusedError))
        raise NetworkError(
            f"The subscription to {label} {'could not be opened' if is_start else 'was lost'}: {type(error).__name__}.",
            remedy=_REMEDY,
            endpoint=label,
        ) from error


class _Channel:
    """Requests and events over one connection."""

    def __init__(self, connection: ClientConnection, label: str) -> None:
        self._connection = connection
        self._label = label
        self._ids = itertools.count(1)
        self._early: deque[tuple[str, Any]] = deque()

    async def prove(self, *, chain_id: int, genesis_hash: str) -> None:
        """Check chain id and, when pinned, the first block. Raises EndpointLyingError."""
        found = small_quantity(await self.ask("eth_chainId"))
        if found != chain_id:
            raise self._lie(f"serves chain {found}, not chain {chain_id}")
        if genesis_hash:
            block = await self.ask("eth_getBlockByNumber", "0x0", False)  # noqa: FBT003  # the RPC's own parameter
            if not isinstance(block, dict) or str(block.get("hash")).lower() != genesis_hash:
                raise self._lie("serves another chain: its first block is not the recorded one")

    async def ask(self, method: str, *params: Any) -> Any:
        """Return the result of one request; events that come before it are kept."""
        request: Request = (method, params)
        request_id = next(self._ids)
        async with asyncio.timeout(ANSWER_MAX_S):
            await self._connection.send(encode_requests([request], first_id=request_id).decode())
            for _ in range(EARLY_EVENTS_MAX):
                message = await self._receive()
                if message.get("id") == request_id:
                    return self._result(message, method)
                self._keep(message)
        raise self._lie(f"sends {EARLY_EVENTS_MAX} events and no answer")

    async def events(self, *, silence_max_s: float) -> AsyncGenerator[tuple[str, Any], None]:
        """Yield (subscription, result) of each event. Raises TimeoutError when nothing comes for ``silence_max_s``."""
        while self._early:
            yield self._early.popleft()
        while True:
            async with asyncio.timeout(silence_max_s):
                message = await self._receive()
            self._keep(message)
            while self._early:
                yield self._early.popleft()

    async def _receive(self) -> dict[str, Any]:
        frame = await self._connection.recv(decode=False)
        self._acknowledge_at_once()
        try:
            message = orjson.loads(frame)
        except orjson.JSONDecodeError as error:
            raise self._lie("sends what is not JSON") from error
        if not isinstance(message, dict):
            raise self._lie("sends what is not JSON-RPC")
        return message

    def _keep(self, message: dict[str, Any]) -> None:
        params = message.get("params")
        if message.get("method") != "eth_subscription" or not isinstance(params, dict):
            return  # an answer to nothing, or a notice of the provider
        self._early.append((str(params.get("subscription")), params.get("result")))

    def _result(self, message: dict[str, Any], method: str) -> Any:
        if message.get("error") is None:
            return message.get("result")
        try:
            fault = fault_of(message["error"])
        except ValueError as error:
            raise self._lie(f"refuses {method} without a readable reason") from error
        raise self._refused(fault, method)

    def _refused(self, fault: RpcFault, method: str) -> NetworkError:
        return NetworkError(
            f"The endpoint {self._label} refuses {method}: {fault.message}",
            remedy="Use an endpoint that offers subscriptions, or leave its WebSocket address empty: then blocks are polled.",
            endpoint=self._label,
        )

    def _lie(self, what: str) -> EndpointLyingError:
        return EndpointLyingError(
            f"The endpoint {self._label} {what}.",
            remedy="Correct the WebSocket address in the chain's endpoints.",
            endpoint=self._label,
        )

    def _acknowledge_at_once(self) -> None:
        """Ask for immediate acknowledgement; Linux forgets it now and then, so it is asked after each frame."""
        raw = self._connection.transport.get_extra_info("socket")
        if _QUICK_ACK is not None and raw is not None:
            with contextlib.suppress(OSError):  # the connection is closing, which recv tells
                raw.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)


def _filter(addresses: Sequence[str], topics: Sequence[str]) -> dict[str, Any]:
    only: dict[str, Any] = {"topics": [list(topics)]}
    if addresses:
        only["address"] = list(addresses)
    return only


def _item(result: Any, *, is_head: bool, is_log: bool) -> Head | RawLog | None:
    if is_head:
        return Head(parse.block_ref(result))
    if not is_log or (isinstance(result, dict) and result.get("removed") is True):
        return None
    return parse.log_of(result)


def _label(url: str) -> str:
    """Return host and port of a WebSocket URL; the rest may hold keys."""
    with contextlib.suppress(ValueError):
        parts = urlsplit(url)
        if parts.scheme in ("ws", "wss") and parts.hostname and url.isascii():
            return f"{parts.hostname}:{parts.port or (443 if parts.scheme == 'wss' else 80)}"
    raise ConfigurationError(
        "An endpoint's WebSocket address cannot be used.",
        remedy="Give it as ws://host:port or wss://host/path in the chain's endpoints, or leave it empty.",
    )
