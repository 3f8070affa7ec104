"""What we think of one endpoint: whether it may be asked now, and if not, why.

The breaker is our own: pybreaker holds its lock over the whole call, so one hanging answer would stop every thread.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

from apps.chains.evm.transport import HttpPool, parse_address
from apps.domain.errors import ConfigurationError

#: Faults in a row after which an endpoint is left alone.
FAULTS_MAX = 3
#: The first rest of a broken endpoint; doubled at each further fault.
BREAK_FIRST_S = 1.0
BREAK_MAX_S = 30.0
#: After a rest one caller tries; the others wait so long for its result.
TRIAL_S = 2.0
RATE_REST_DEFAULT_S = 2.0
RATE_REST_MAX_S = 60.0
LYING_REST_S = 30.0
#: An endpoint that is behind catches up soon: a chain that was just started again does with its first block.
BEHIND_REST_S = 1.0
#: An endpoint that refuses our key will not change its mind soon.
REFUSED_REST_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointConfig:
    """One endpoint as configured. ``requests_per_s_max`` 0: no limit of ours. ``url_ws`` "": no subscriptions.

    ``capabilities`` are probed ("batch", "state_override", "simulate_v1", "logs", "fee_history", "subscriptions"); a
    capability that is not named was not probed and is tried.
    """

    url_http: str = field(repr=False)
    url_ws: str = field(default="", repr=False)
    weight: int = 100
    requests_per_s_max: int = 0
    capabilities: Mapping[str, bool] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointStatus:
    """How an endpoint stands. ``label`` is host and port: URLs hold keys."""

    label: str
    is_usable: bool
    fault: str  # plain words; "" while all is well
    faults_in_a_row: int


class Endpoint:
    """One endpoint's connections, breaker, rests and request budget. Thread-safe; times are time.monotonic()."""

    def __init__(self, config: EndpointConfig) -> None:
        try:
            address = parse_address(config.url_http)
        except ValueError as error:
            raise ConfigurationError(
                "An endpoint's HTTP address cannot be used.",
                remedy="Give it as http://host:port or https://host/path in the chain's endpoints.",
            ) from error
        self.config = config
        self.pool = HttpPool(address)
        self.label = address.label
        self.verified_at: float | None = None  # when chain id (and head) were last checked
        self._lock = threading.Lock()
        self._closed_until = 0.0
        self._is_broken = False  # a trial is due after the rest
        self._faults = 0
        self._fault = ""
        self._tokens = float(config.requests_per_s_max)
        self._tokens_at = 0.0

    def supports(self, capability: str) -> bool:
        """Tell whether the capability is there, or at least was never found missing."""
        return self.config.capabilities.get(capability, True)

    def wait_s(self, now: float, *, cost: int) -> float:
        """Return 0 when the endpoint may be asked now (and count ``cost`` requests), else how long it rests."""
        with self._lock:
            if now < self._closed_until:
                return self._closed_until - now
            wait_s = self._budget_wait_s(now, cost)
            if wait_s == 0 and self._is_broken:
                self._closed_until = now + TRIAL_S
            return wait_s

    def rest_s(self, now: float) -> float:
        """Return how long the endpoint still rests, without asking for anything."""
        return max(0.0, self._closed_until - now)

    def succeeded(self) -> None:
        """Note an answer."""
        if self._faults or self._fault or self._is_broken:
            with self._lock:
                self._faults, self._fault, self._is_broken, self._closed_until = 0, "", False, 0.0

    def failed(self, now: float, fault: str) -> None:
        """Note a network fault; after some in a row the endpoint rests."""
        with self._lock:
            self._faults += 1
            self._fault = fault
            self.verified_at = None  # what comes back may be another chain
            if self._faults >= FAULTS_MAX:
                rest_s = min(BREAK_FIRST_S * 2 ** min(self._faults - FAULTS_MAX, 10), BREAK_MAX_S)
                self._is_broken = True
                self._closed_until = now + rest_s

    def rest(self, now: float, *, seconds: float | None, fault: str) -> None:
        """Leave the endpoint alone as it asked, within our bound."""
        bounded = RATE_REST_DEFAULT_S if seconds is None else min(max(seconds, 0.1), RATE_REST_MAX_S)
        with self._lock:
            self._fault = fault
            self._closed_until = max(self._closed_until, now + bounded)

    def distrust(self, now: float, *, seconds: float, fault: str) -> None:
        """Leave an endpoint alone that answers for another chain or an old head; then check it again."""
        with self._lock:
            self._fault = fault
            self.verified_at = None
            self._closed_until = now + seconds

    def status(self, now: float) -> EndpointStatus:
        """Return how the endpoint stands."""
        with self._lock:
            return EndpointStatus(
                label=self.label,
                is_usable=now >= self._closed_until,
                fault=self._fault,
                faults_in_a_row=self._faults,
            )

    def _budget_wait_s(self, now: float, cost: int) -> float:
        """Take ``cost`` from the token bucket. It holds one second's worth; a large batch may overdraw it once."""
        rate = self.config.requests_per_s_max
        if rate == 0:
            return 0.0
        self._tokens = min(float(rate), self._tokens + max(0.0, now - self._tokens_at) * rate)
        self._tokens_at = now
        needed = min(cost, rate)
        if self._tokens < needed:
            return (needed - self._tokens) / rate
        self._tokens -= cost
        return 0.0
