"""Which HTTP status tells of which error."""

from __future__ import annotations

from typing import Final

from apps.domain.errors import (
    ConfigurationError,
    InsufficientFundsError,
    NetworkError,
    PlatformError,
    SniperError,
    TradingError,
)

#: Whoever called is at fault: beside the four categories of our own surprises.
REQUEST: Final = "request"
#: Recoveries for a caller, where no error of ours tells one.
CORRECT, AUTHORISE, WAIT, REPORT = "correct", "authorise", "wait", "report"
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def status_of(error: SniperError, *, method: str) -> int:
    """Return the status of an error's answer: 409 and 422 when another request can do better, else 503."""
    if isinstance(error, ConfigurationError):
        return 503 if method in _SAFE else 422  # a read gives nothing that could be wrong
    if isinstance(error, InsufficientFundsError | TradingError):
        return 409
    if isinstance(error, NetworkError | PlatformError):
        return 503
    return 502  # somebody else's answer cannot be understood
