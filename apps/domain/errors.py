"""What can go wrong, and what to do about it."""

from __future__ import annotations

from enum import Enum
from typing import ClassVar


class Category(Enum):
    """Where a surprise comes from."""

    NETWORK = "network"
    TRADING = "trading"
    SYSTEM = "system"
    DATA = "data"


class Recovery(Enum):
    """What the road does about a surprise."""

    RETRY = "retry"  # same call again, bounded back-off
    FAILOVER = "failover"  # same call, next endpoint
    SKIP = "skip"  # drop this pair, go on
    QUARANTINE = "quarantine"  # keep the sample for a person, go on
    RECONCILE = "reconcile"  # outcome unknown: ask the chain, never resend
    PAUSE = "pause"  # stop entering, keep exits running
    HALT = "halt"  # stop signing; a person must resume


class SniperError(Exception):
    """A surprise, with what to do about it. A refusal by our own rules is a value, not an error.

    ``context`` holds identifiers only: no keys, no payloads. ``remedy`` tells a person how to mend it.
    """

    category: ClassVar[Category]
    recovery: ClassVar[Recovery]
    code: ClassVar[str]

    def __init__(self, message: str, *, remedy: str = "", **context: str | int) -> None:
        super().__init__(message)
        self.remedy = remedy
        self.context = context


class NetworkError(SniperError):
    """A chain, feed or broker did not answer."""

    category, recovery, code = Category.NETWORK, Recovery.RETRY, "NETWORK"


class RateLimitedError(NetworkError):
    """An endpoint asked us to slow down."""

    recovery, code = Recovery.FAILOVER, "RATE_LIMITED"


class EndpointLyingError(NetworkError):
    """An endpoint answers for another chain, with an old head, or against the others."""

    recovery, code = Recovery.FAILOVER, "ENDPOINT_LYING"


class SourceBlockedError(NetworkError):
    """An outside service refuses our key, our account or our rights: waiting alone does not mend it."""

    recovery, code = Recovery.SKIP, "SOURCE_BLOCKED"


class SourceExhaustedError(NetworkError):
    """What an outside service may cost us is spent for now."""

    recovery, code = Recovery.SKIP, "SOURCE_EXHAUSTED"


class BroadcastUncertainError(NetworkError):
    """A send failed in a way that leaves open whether the network has the transaction."""

    recovery, code = Recovery.RECONCILE, "BROADCAST_UNCERTAIN"


class ReorgError(NetworkError):
    """A block we built upon is no longer part of the chain."""

    recovery, code = Recovery.RECONCILE, "REORG"


class TradingError(SniperError):
    """The market or the chain refused what we asked for."""

    category, recovery, code = Category.TRADING, Recovery.SKIP, "TRADING"


class CallRevertedError(TradingError):
    """A contract call reverted."""

    code = "CALL_REVERTED"


class InsufficientFundsError(TradingError):
    """The wallet cannot pay for the order or its gas."""

    recovery, code = Recovery.PAUSE, "INSUFFICIENT_FUNDS"


class NonceConflictError(TradingError):
    """Somebody else spent a nonce of our wallet."""

    recovery, code = Recovery.PAUSE, "NONCE_CONFLICT"


class EpochClosedError(TradingError):
    """The engine's epoch has moved on or the kill switch is pulled: nothing may be signed or sent."""

    code = "EPOCH_CLOSED"


class TransitionRefusedError(TradingError):
    """The engine may not go from its present state to the one asked for."""

    code = "TRANSITION_REFUSED"


class PlatformError(SniperError):
    """Our own machine or code fails: database, disk, keys, broken invariants."""

    category, recovery, code = Category.SYSTEM, Recovery.HALT, "PLATFORM"


class BrokerDownError(PlatformError):
    """Redis is away: work waits in its rows and goes on by itself."""

    recovery, code = Recovery.RETRY, "BROKER_DOWN"


class ConfigurationError(PlatformError):
    """Environment or configuration is wrong; the message names the mend."""

    code = "CONFIGURATION"


class KeystoreError(PlatformError):
    """A key cannot be read: wrong password, damaged or missing file."""

    code = "KEYSTORE"


class BadDataError(SniperError):
    """An answer cannot be understood: undecodable log, absurd number, contradicting sources."""

    category, recovery, code = Category.DATA, Recovery.QUARANTINE, "BAD_DATA"
