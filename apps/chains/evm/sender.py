"""Sends signed, stored transactions: through the fence, once, within 300 ms, and never twice for safety's sake.

Everything that may be slow (connecting, proving the endpoint) happens before the fence is entered. Inside it there is one
write and one read on a connection of its own. After the write only two answers are final: taken, or refused for a
reason that we know; all else leaves the order to reconciliation.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

from apps.chains.evm.client import EvmClient, refuse_http
from apps.chains.evm.endpoint import Endpoint
from apps.chains.evm.jsonrpc import Request, RpcFault, decode_answers, encode_requests
from apps.chains.evm.transport import HttpAnswer, HttpConnection, TransportFault
from apps.domain.errors import (
    BroadcastUncertainError,
    InsufficientFundsError,
    NetworkError,
    NonceConflictError,
    SniperError,
    TradingError,
)
from apps.domain.order import Side, SignedTx
from apps.state import fence

#: The most time inside the fence that the network may take; a kill waits for it.
SEND_MAX_S = 0.3
#: The most time for finding and proving an endpoint beforehand.
PREPARE_MAX_S = 3.0
#: Asking whether a transaction with a spent nonce is our own.
LOOKUP_MAX_S = 3.0
TXS_MAX = 8
#: HTTP answers given at the door, before anything was passed on.
_AT_THE_DOOR = frozenset({401, 402, 403, 429})
_CODE_INTERNAL = -32_603

_ALREADY_KNOWN = re.compile(
    r"already known|known transaction|already imported|already exists|already in .{0,8}pool", re.I
)
_NONCE_SPENT = re.compile(r"nonce (?:is )?too low|nonce has already been used|old nonce", re.I)
_NONCE_WRONG = re.compile(r"nonce (?:is )?too high|invalid (?:transaction )?nonce|nonce gap", re.I)
_FUNDS_SHORT = re.compile(
    r"insufficient (?:funds|balance)|doesn't have enough funds|exceeds .{0,20}balance", re.I
)
_UNSURE = re.compile(
    r"time.?out|timed out|internal|unavailable|overload|try again|deadline|busy|upstream|gateway", re.I
)


class Fence(Protocol):
    """Lets a send pass while the engine is open for it: apps.state.fence.passage."""

    def __call__(self, *, epoch: int, side: Side, data_dir: Path) -> AbstractContextManager[None]: ...


class EvmSender:
    """Implements TxSender for one EVM chain. Thread-safe."""

    def __init__(
        self,
        client: EvmClient,
        *,
        data_dir: Path | None = None,
        passage: Fence = fence.passage,
        send_max_s: float = SEND_MAX_S,
    ) -> None:
        if data_dir is None:
            from django.conf import settings

            data_dir = Path(settings.DATA_DIR)
        self._client = client
        self._data_dir = data_dir
        self._passage = passage
        self._send_max_s = min(send_max_s, SEND_MAX_S)
        self._ids = itertools.count(1, TXS_MAX)

    def broadcast(self, tx: SignedTx, *, side: Side) -> None:
        """Send. Raises EpochClosedError before, BroadcastUncertainError during, TradingError when refused for good."""
        [error] = self.broadcast_many([tx], side=side)
        if error is not None:
            raise error

    def broadcast_many(self, txs: Sequence[SignedTx], *, side: Side) -> tuple[SniperError | None, ...]:
        """Send several in one post (an approval and its swap); return for each None or what went wrong with it.

        Raises EpochClosedError: then nothing was sent. A second endpoint is asked only when the first took nothing.
        """
        assert 0 < len(txs) <= TXS_MAX, len(txs)
        assert {(tx.chain_key, tx.epoch) for tx in txs} == {(f"eip155:{self._client.chain_id}", txs[0].epoch)}
        for endpoint in self._client.endpoints_proven(timeout_s=PREPARE_MAX_S):
            try:
                connection = self._connect(endpoint)
            except NetworkError:
                continue
            try:
                answers = self._send(endpoint, connection, txs, side)
            except NetworkError as error:
                if isinstance(error, BroadcastUncertainError):
                    return tuple(_uncertain(tx, str(error), endpoint=endpoint.label) for tx in txs)
                continue  # turned away at the door
            return tuple(self._outcome(tx, answer, endpoint) for tx, answer in zip(txs, answers, strict=True))
        return tuple(_uncertain(tx, "no endpoint took it; nothing was sent", endpoint="") for tx in txs)

    def request_of(self, tx: SignedTx) -> Request:
        """Return the request that hands a transaction over."""
        return "eth_sendRawTransaction", ("0x" + tx.payload.hex(),)

    def headers_of(self, body: bytes) -> bytes:
        """Return headers that only this body has, each ended by CR LF."""
        return b""

    def _connect(self, endpoint: Endpoint) -> HttpConnection:
        """Return an open connection to a proven endpoint. Raises NetworkError."""
        deadline = time.monotonic() + PREPARE_MAX_S
        try:
            connection, was_dropped = endpoint.pool.checkout(deadline=deadline)
        except TransportFault as fault:
            endpoint.failed(time.monotonic(), str(fault))
            raise NetworkError(f"The endpoint {endpoint.label} {fault}.", endpoint=endpoint.label) from fault
        if was_dropped:
            # Between two connections the endpoint may have become another chain.
            endpoint.verified_at = None
            try:
                self._client.verify(endpoint, deadline=deadline)
            except NetworkError:
                connection.close()
                raise
        return connection

    def _send(
        self, endpoint: Endpoint, connection: HttpConnection, txs: Sequence[SignedTx], side: Side
    ) -> list[Any | RpcFault]:
        """Send inside the fence. Raises EpochClosedError, BroadcastUncertainError, NetworkError (turned away)."""
        requests = [self.request_of(tx) for tx in txs]
        posts = [requests] if endpoint.supports("batch") else [[request] for request in requests]
        try:
            with self._passage(epoch=txs[0].epoch, side=side, data_dir=self._data_dir):
                deadline = time.monotonic() + self._send_max_s
                answers: list[Any | RpcFault] = []
                for number, post in enumerate(posts):
                    answers += self._post(endpoint, connection, post, deadline, is_first=number == 0)
                return answers
        finally:
            endpoint.pool.give_back(connection)

    def _post(
        self,
        endpoint: Endpoint,
        connection: HttpConnection,
        requests: Sequence[Request],
        deadline: float,
        *,
        is_first: bool,
    ) -> list[Any | RpcFault]:
        first_id = next(self._ids)
        try:
            if not is_first and not connection.is_open:
                connection.open(deadline)
            body = encode_requests(requests, first_id=first_id)
            http = connection.post(body, deadline=deadline, headers=self.headers_of(body))
        except TransportFault as fault:
            endpoint.failed(time.monotonic(), str(fault))
            raise BroadcastUncertainError(f"the endpoint {endpoint.label} {fault}") from fault
        if http.status in _AT_THE_DOOR and is_first:
            refuse_http(endpoint, http)
        return _answers_of(endpoint, http, first_id, len(requests), is_first=is_first)

    def _outcome(self, tx: SignedTx, answer: Any | RpcFault, endpoint: Endpoint) -> SniperError | None:
        if not isinstance(answer, RpcFault):
            if isinstance(answer, str) and answer.lower() == tx.tx_hash.lower():
                return None
            return _uncertain(tx, "the node answered with another hash", endpoint=endpoint.label)
        error = refusal_of(tx, answer, endpoint=endpoint.label)
        if isinstance(error, NonceConflictError) and _NONCE_SPENT.search(answer.message):
            return self._unless_ours(tx, error, endpoint)
        return error

    def _unless_ours(
        self, tx: SignedTx, conflict: NonceConflictError, endpoint: Endpoint
    ) -> SniperError | None:
        """Return None when the transaction that spent the nonce is this very one, mined already."""
        try:
            found = self._client.call("eth_getTransactionByHash", (tx.tx_hash,), timeout_s=LOOKUP_MAX_S)
        except NetworkError:
            return _uncertain(tx, "its nonce is spent, by itself or by another", endpoint=endpoint.label)
        is_ours = isinstance(found, dict) and str(found.get("hash")).lower() == tx.tx_hash.lower()
        return None if is_ours else conflict


def refusal_of(tx: SignedTx, fault: RpcFault, *, endpoint: str) -> SniperError | None:
    """Return what a node's error about a sent transaction means; None when the node has the transaction."""
    text = fault.message
    if _ALREADY_KNOWN.search(text):
        return None
    if _NONCE_SPENT.search(text) or _NONCE_WRONG.search(text):
        return NonceConflictError(
            f"The chain refused nonce {tx.nonce}: {text}",
            remedy="Another program may use this wallet: stop it. The nonce is read anew from the chain.",
            tx_hash=tx.tx_hash,
            endpoint=endpoint,
        )
    if _FUNDS_SHORT.search(text):
        return InsufficientFundsError(
            f"The wallet cannot pay: {text}",
            remedy="Send native coin to the wallet, or lower position size and gas limits.",
            tx_hash=tx.tx_hash,
            endpoint=endpoint,
        )
    if fault.code == _CODE_INTERNAL or fault.is_rate_limit or _UNSURE.search(text):
        return _uncertain(tx, f"the node failed: {text}", endpoint=endpoint)
    return TradingError(f"The node refused the transaction: {text}", tx_hash=tx.tx_hash, endpoint=endpoint)


def _answers_of(
    endpoint: Endpoint, http: HttpAnswer, first_id: int, count: int, *, is_first: bool
) -> list[Any | RpcFault]:
    if http.status >= 500:
        endpoint.failed(time.monotonic(), f"answers HTTP {http.status} to a transaction")
        raise BroadcastUncertainError(f"the endpoint {endpoint.label} answered HTTP {http.status}")
    try:
        answers = decode_answers(http.body, first_id=first_id, count=count)
    except ValueError as error:
        endpoint.failed(time.monotonic(), f"answers HTTP {http.status} to a transaction")
        raise BroadcastUncertainError(
            f"the endpoint {endpoint.label} answered HTTP {http.status}: {error}"
        ) from error
    if is_first and all(isinstance(answer, RpcFault) and answer.is_rate_limit for answer in answers):
        endpoint.rest(time.monotonic(), seconds=None, fault="asked us to slow down")
        raise NetworkError(f"The endpoint {endpoint.label} asked us to slow down.", endpoint=endpoint.label)
    endpoint.succeeded()
    return answers


def _uncertain(tx: SignedTx, why: str, *, endpoint: str) -> BroadcastUncertainError:
    return BroadcastUncertainError(
        f"It is not known whether the network has the transaction: {why}.",
        remedy="Nothing to do: the chain is asked until it answers. Nothing is sent twice.",
        tx_hash=tx.tx_hash,
        endpoint=endpoint,
    )
