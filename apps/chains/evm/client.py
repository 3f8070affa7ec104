"""JSON-RPC over HTTP to the endpoints of one EVM chain: failover, breaker, rests, identity checks, bounds.

Synchronous and thread-safe. A request that may be repeated goes through here; transactions go through sender.py.
"""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator, Sequence
from typing import Any

import stamina

from apps.chains.evm.endpoint import (
    BEHIND_REST_S,
    LYING_REST_S,
    REFUSED_REST_S,
    Endpoint,
    EndpointConfig,
    EndpointStatus,
)
from apps.chains.evm.jsonrpc import (
    CODE_METHOD_NOT_FOUND,
    Request,
    RpcFault,
    decode_answers,
    encode_requests,
    misshapen,
    small_quantity,
)
from apps.chains.evm.transport import HttpAnswer, TransportFault
from apps.domain.errors import (
    ConfigurationError,
    EndpointLyingError,
    NetworkError,
    RateLimitedError,
    Recovery,
)
from apps.domain.market import ChainProfile

__all__ = ["EndpointConfig", "EndpointStatus", "EvmClient", "Request", "RpcFault", "RpcFaultError"]

TIMEOUT_DEFAULT_S = 8.0
#: How often all usable endpoints are gone through before a request is given up.
PASSES_MAX = 3
#: Requests of one HTTP post; larger batches are cut.
BATCH_REQUESTS_MAX = 100
#: Requests of one call of batch().
REQUESTS_MAX = 10_000
#: With a bound on the head's age, chain id and head are looked at again after so long.
CHECK_EVERY_S = 15.0

#: What a method needs that providers restrict; see capabilities.py.
_CAPABILITIES = {"eth_getLogs": "logs", "eth_simulateV1": "simulate_v1"}
#: Answers of an endpoint that lags behind or was pruned: another one may know better.
_ELSEWHERE_WORDS = re.compile(
    r"header not found|missing trie node|unknown block|block not found|still syncing|not supported|not available",
    re.I,
)
# structlog, where it is installed, would print retries to standard output, where commands print JSON.
stamina.instrumentation.set_on_retry_hooks([stamina.instrumentation.LoggingOnRetryHook])
_CHECK_REMEDY = "Correct the endpoint's address in the chain's endpoints, or give the chain its right id."
_REACH_REMEDY = (
    "Check that an endpoint of this chain runs and can be reached, or add another in the chain's endpoints."
)


class RpcFaultError(NetworkError):
    """The node understood the request and refused it: a revert, an unknown method, a bad parameter."""

    recovery, code = Recovery.SKIP, "RPC_FAULT"

    def __init__(self, fault: RpcFault, *, method: str) -> None:
        super().__init__(f"{method}: {fault.message}", method=method, rpc_code=fault.code)
        self.fault = fault


class _NoneTriedError(NetworkError):
    """No endpoint may be asked now; asking again at once is of no use."""


class EvmClient:
    """JSON-RPC to one chain, over several endpoints in order of weight.

    The first use of each endpoint, and the first after a lost connection, checks that it serves ``chain_id`` and, when
    pinned, the chain that begins with ``genesis_hash``. ``head_age_max_s`` 0: the head's age is not looked at.
    """

    def __init__(
        self,
        endpoints: Sequence[EndpointConfig],
        *,
        chain_id: int,
        genesis_hash: str = "",
        head_age_max_s: int = 0,
    ) -> None:
        if not endpoints:
            raise ConfigurationError(
                f"Chain {chain_id} has no enabled endpoint.",
                remedy="Add one in the chain's endpoints.",
                chain_id=chain_id,
            )
        self.chain_id = chain_id
        self.genesis_hash = genesis_hash.lower()
        self.head_age_max_s = head_age_max_s
        ordered = sorted(endpoints, key=lambda config: -config.weight)
        self._endpoints = tuple(Endpoint(config) for config in ordered)
        self._ids = itertools.count(1, BATCH_REQUESTS_MAX)

    @classmethod
    def for_profile(
        cls, profile: ChainProfile, endpoints: Sequence[EndpointConfig], *, head_age_max_s: int = 0
    ) -> EvmClient:
        """Return a client of a configured chain. A sandbox chain must be pinned and on this machine."""
        if profile.chain_id is None:
            raise ConfigurationError(
                f"{profile.name} has no chain id.", remedy="Give the chain its id in the admin."
            )
        client = cls(
            endpoints,
            chain_id=profile.chain_id,
            genesis_hash=profile.genesis_hash,
            head_age_max_s=head_age_max_s,
        )
        if profile.is_sandbox:
            if not profile.genesis_hash:
                raise ConfigurationError(
                    f"Sandbox chain {profile.name} has no genesis hash.",
                    remedy="Start the sandbox again: it records the hash of the chain that it creates.",
                )
            if not all(endpoint.pool.address.is_loopback for endpoint in client._endpoints):
                raise ConfigurationError(
                    f"Sandbox chain {profile.name} has an endpoint on another machine.",
                    remedy="Remove it: sandbox chains are served from 127.0.0.1 only.",
                )
        return client

    def call(
        self,
        method: str,
        params: Sequence[Any] = (),
        *,
        timeout_s: float = TIMEOUT_DEFAULT_S,
        capability: str = "",
    ) -> Any:
        """Return the result of one request. Raises RpcFaultError when the node refuses it, NetworkError when none answers.

        ``timeout_s`` bounds everything, failover and repeats included. With ``capability`` only endpoints are asked that
        have it, or that were never probed.
        """
        [answer] = self._retrying([(method, params)], timeout_s, capability)
        if isinstance(answer, RpcFault):
            raise RpcFaultError(answer, method=method)
        return answer

    def batch(
        self, requests: Sequence[Request], *, timeout_s: float = TIMEOUT_DEFAULT_S, capability: str = ""
    ) -> list[Any | RpcFault]:
        """Return results in the order of ``requests``; a request that the node refused gives its RpcFault.

        All requests of one HTTP post (up to 100) are answered by one endpoint. Raises NetworkError when none answers.
        """
        assert len(requests) <= REQUESTS_MAX, len(requests)
        deadline = time.monotonic() + timeout_s
        answers: list[Any | RpcFault] = []
        for first in range(0, len(requests), BATCH_REQUESTS_MAX):
            part = requests[first : first + BATCH_REQUESTS_MAX]
            answers += self._retrying(part, max(deadline - time.monotonic(), 0.001), capability)
        return answers

    @property
    def endpoints(self) -> tuple[Endpoint, ...]:
        """Return the endpoints, best first."""
        return self._endpoints

    def supports(self, capability: str) -> bool:
        """Tell whether any endpoint has the capability, or was never probed for it."""
        return any(endpoint.supports(capability) for endpoint in self._endpoints)

    def endpoints_proven(self, *, timeout_s: float) -> Iterator[Endpoint]:
        """Yield the endpoints that may be asked now and are proven to serve our chain, best first; for the sender."""
        deadline = time.monotonic() + timeout_s
        for endpoint in self._endpoints:
            if endpoint.wait_s(time.monotonic(), cost=1) > 0:
                continue
            try:
                self.verify(endpoint, deadline=deadline)
            except NetworkError:
                continue
            yield endpoint

    def verify(self, endpoint: Endpoint, *, deadline: float) -> None:
        """Check chain id, genesis and the head's age when that is due. Raises EndpointLyingError, NetworkError."""
        now = time.monotonic()
        age_s = None if endpoint.verified_at is None else now - endpoint.verified_at
        if age_s is not None and (self.head_age_max_s == 0 or age_s < CHECK_EVERY_S):
            return
        requests: list[Request] = [("eth_chainId", ())]
        if self.genesis_hash:
            requests.append(("eth_getBlockByNumber", ("0x0", False)))
        if self.head_age_max_s:
            requests.append(("eth_getBlockByNumber", ("latest", False)))
        answers, _ = self._exchange(endpoint, requests, deadline)
        self._check_chain_id(endpoint, answers[0])
        if self.genesis_hash:
            self._check_genesis(endpoint, answers[1])
        if self.head_age_max_s:
            self._check_head(endpoint, answers[-1])
        endpoint.verified_at = now

    def status(self) -> tuple[EndpointStatus, ...]:
        """Return how each endpoint stands, best first."""
        now = time.monotonic()
        return tuple(endpoint.status(now) for endpoint in self._endpoints)

    def close(self) -> None:
        """Close idle connections."""
        for endpoint in self._endpoints:
            endpoint.pool.close()

    # -- failover -------------------------------------------------------------------------

    def _retrying(
        self, requests: Sequence[Request], timeout_s: float, capability: str
    ) -> list[Any | RpcFault]:
        deadline = time.monotonic() + timeout_s
        candidates = [item for item in self._endpoints if not capability or item.supports(capability)]
        if not candidates:
            fault = RpcFault(
                code=CODE_METHOD_NOT_FOUND, message=f"no endpoint of this chain has {capability}"
            )
            return [fault] * len(requests)
        candidates = _fittest_first(candidates, requests)

        def is_worth_repeating(error: Exception) -> bool:
            if not isinstance(error, NetworkError) or isinstance(error, _NoneTriedError):
                return False
            now = time.monotonic()
            return now + min(endpoint.rest_s(now) for endpoint in candidates) < deadline

        for attempt in stamina.retry_context(
            on=is_worth_repeating,
            attempts=PASSES_MAX,
            timeout=timeout_s,
            wait_initial=0.05,
            wait_max=0.5,
            wait_jitter=0.05,
        ):
            with attempt:
                return self._pass(candidates, requests, deadline)
        raise AssertionError("stamina ends with a result or an error")

    def _pass(
        self, candidates: Sequence[Endpoint], requests: Sequence[Request], deadline: float
    ) -> list[Any | RpcFault]:
        """Ask one endpoint after the other until one answers well."""
        second_best: list[Any | RpcFault] | None = None
        errors: list[NetworkError] = []
        waits_s: list[float] = []
        for position, endpoint in enumerate(candidates):
            now = time.monotonic()
            if now >= deadline:
                break
            wait_s = endpoint.wait_s(now, cost=len(requests))
            if wait_s > 0:
                waits_s.append(wait_s)
                continue
            # A hanging endpoint may take its share of the time, not all of it.
            share = now + (deadline - now) / (len(candidates) - position)
            try:
                answers = self._ask(endpoint, requests, share)
            except NetworkError as error:
                errors.append(error)
                continue
            if not any(
                isinstance(answer, RpcFault) and _may_be_better_elsewhere(answer) for answer in answers
            ):
                return answers
            second_best = second_best or answers
        if second_best is not None:
            return second_best
        if errors:
            raise _worst(errors)
        return self._wait_and_ask(candidates, requests, deadline, min(waits_s, default=0.0))

    def _wait_and_ask(
        self, candidates: Sequence[Endpoint], requests: Sequence[Request], deadline: float, wait_s: float
    ) -> list[Any | RpcFault]:
        """Wait until the first endpoint may be asked again, when that is in time."""
        now = time.monotonic()
        if now + wait_s >= deadline:
            faults = "; ".join(f"{item.label}: {item.fault}" for item in self.status() if item.fault)
            raise _NoneTriedError(
                f"No endpoint of chain {self.chain_id} may be asked now. {faults}", remedy=_REACH_REMEDY
            )
        time.sleep(wait_s)
        for endpoint in candidates:
            if endpoint.wait_s(time.monotonic(), cost=len(requests)) == 0:
                return self._ask(endpoint, requests, deadline)
        raise NetworkError(f"Every endpoint of chain {self.chain_id} is busy.", remedy=_REACH_REMEDY)

    def _ask(self, endpoint: Endpoint, requests: Sequence[Request], deadline: float) -> list[Any | RpcFault]:
        self.verify(endpoint, deadline=deadline)
        answers, was_dropped = self._exchange(endpoint, requests, deadline)
        if was_dropped:
            # The connection was lost since the last request: an answer counts only if it is still the same chain.
            endpoint.verified_at = None
            self.verify(endpoint, deadline=deadline)
        endpoint.succeeded()
        return answers

    # -- one endpoint ---------------------------------------------------------------------

    def _check_chain_id(self, endpoint: Endpoint, answer: Any) -> None:
        found = small_quantity(answer)
        if found != self.chain_id:
            shown = "no chain id" if found is None else f"chain {found}"
            raise self._lie(endpoint, f"serves {shown}, not chain {self.chain_id}", _CHECK_REMEDY)

    def _check_genesis(self, endpoint: Endpoint, answer: Any) -> None:
        found = answer.get("hash") if isinstance(answer, dict) else None
        if not isinstance(found, str) or found.lower() != self.genesis_hash:
            raise self._lie(
                endpoint,
                f"serves another chain with the id {self.chain_id}: its first block is not the recorded one",
                "If the chain was reset, start the sandbox again so that it is recorded anew; else correct the address.",
            )

    def _check_head(self, endpoint: Endpoint, answer: Any) -> None:
        at_s = small_quantity(answer.get("timestamp")) if isinstance(answer, dict) else None
        if at_s is None:
            raise self._lie(endpoint, "gives no readable newest block", _CHECK_REMEDY)
        age_s = int(time.time()) - at_s
        if age_s > self.head_age_max_s:
            raise self._lie(
                endpoint,
                f"is behind: its newest block is {age_s} s old, allowed are {self.head_age_max_s} s",
                "Wait until it has caught up, use another endpoint, and check this machine's clock.",
                rest_s=BEHIND_REST_S,
            )

    def _lie(
        self, endpoint: Endpoint, what: str, remedy: str, *, rest_s: float = LYING_REST_S
    ) -> EndpointLyingError:
        """Rest an endpoint that serves another chain, or ours as it once was."""
        endpoint.distrust(time.monotonic(), seconds=rest_s, fault=what)
        return self._lying_error(endpoint, what, remedy)

    def _babble(self, endpoint: Endpoint, what: str) -> EndpointLyingError:
        """Count an answer that is not JSON-RPC as a fault: it may be a provider's page of a moment."""
        endpoint.failed(time.monotonic(), what)
        return self._lying_error(endpoint, what, _CHECK_REMEDY)

    def _lying_error(self, endpoint: Endpoint, what: str, remedy: str) -> EndpointLyingError:
        return EndpointLyingError(
            f"The endpoint {endpoint.label} {what}.",
            remedy=remedy,
            endpoint=endpoint.label,
            chain_id=self.chain_id,
        )

    def _exchange(
        self, endpoint: Endpoint, requests: Sequence[Request], deadline: float
    ) -> tuple[list[Any | RpcFault], bool]:
        """Return the answers of one endpoint, and whether its connection had been lost before."""
        if len(requests) > 1 and not endpoint.supports("batch"):
            singly = [self._exchange(endpoint, [request], deadline) for request in requests]
            return [answers[0] for answers, _ in singly], any(was_dropped for _, was_dropped in singly)
        first_id = next(self._ids)
        body = encode_requests(requests, first_id=first_id)
        try:
            http, was_dropped = endpoint.pool.post(body, deadline=deadline)
        except TransportFault as fault:
            if fault.kind == "malformed":
                raise self._babble(endpoint, str(fault)) from fault
            endpoint.failed(time.monotonic(), str(fault))
            raise NetworkError(
                f"The endpoint {endpoint.label} {_sentence(fault)}.",
                remedy=_REACH_REMEDY,
                endpoint=endpoint.label,
            ) from fault
        answers = self._understand(endpoint, http, first_id, len(requests))
        method = misshapen(requests, answers)
        if method:
            raise self._babble(endpoint, f"answers {method} with something that is no such answer")
        return answers, was_dropped

    def _understand(
        self, endpoint: Endpoint, http: HttpAnswer, first_id: int, count: int
    ) -> list[Any | RpcFault]:
        refuse_http(endpoint, http)
        try:
            answers = decode_answers(http.body, first_id=first_id, count=count)
        except ValueError as error:
            raise self._babble(endpoint, f"does not speak JSON-RPC: {error}") from error
        for answer in answers:
            if isinstance(answer, RpcFault) and answer.is_rate_limit:
                endpoint.rest(time.monotonic(), seconds=None, fault="asked us to slow down")
                raise RateLimitedError(
                    f"The endpoint {endpoint.label} asked us to slow down.", endpoint=endpoint.label
                )
        return answers


def refuse_http(endpoint: Endpoint, http: HttpAnswer) -> None:
    """Raise what the HTTP status means, unless the body may still be a JSON-RPC answer; note it at the endpoint."""
    now = time.monotonic()
    if http.status == 429:
        endpoint.rest(now, seconds=http.retry_after_s, fault="asked us to slow down (429)")
        raise RateLimitedError(
            f"The endpoint {endpoint.label} asked us to slow down.", endpoint=endpoint.label
        )
    if http.status in (401, 402, 403):
        endpoint.rest(now, seconds=REFUSED_REST_S, fault=f"refuses us (HTTP {http.status})")
        raise NetworkError(
            f"The endpoint {endpoint.label} refuses us (HTTP {http.status}).",
            remedy="Check the key in its address and the plan it belongs to.",
            endpoint=endpoint.label,
        )
    is_answer = http.status < 300 or (400 <= http.status < 500 and http.body[:1] in (b"{", b"["))
    if not is_answer:
        endpoint.failed(now, f"answers HTTP {http.status}")
        raise NetworkError(
            f"The endpoint {endpoint.label} answers HTTP {http.status}.",
            remedy=_REACH_REMEDY,
            endpoint=endpoint.label,
        )


def _fittest_first(candidates: Sequence[Endpoint], requests: Sequence[Request]) -> list[Endpoint]:
    """Return the endpoints by weight, those that were found to lack what the requests need behind all others."""
    if len(candidates) == 1:
        return list(candidates)
    needed = {name for method, params in requests if (name := _capability_of(method, params))}
    return sorted(candidates, key=lambda endpoint: not all(map(endpoint.supports, needed)))


def _capability_of(method: str, params: Sequence[Any]) -> str:
    """Return the capability that a request needs, "" for what every node can do."""
    if method == "eth_call":
        return "state_override" if len(params) > 2 else ""
    return _CAPABILITIES.get(method, "")


def _may_be_better_elsewhere(fault: RpcFault) -> bool:
    return fault.code == CODE_METHOD_NOT_FOUND or _ELSEWHERE_WORDS.search(fault.message) is not None


def _worst(errors: Sequence[NetworkError]) -> NetworkError:
    """Return the error to raise: one that repeating may mend, where there is one; lies stand in status() anyway."""
    return next((error for error in errors if not isinstance(error, EndpointLyingError)), errors[0])


def _sentence(fault: TransportFault) -> str:
    return f"cannot be reached: {fault}" if fault.kind == "unreachable" else str(fault)
