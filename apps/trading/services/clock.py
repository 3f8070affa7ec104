"""Between Django's aware times and the milliseconds that logic takes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def ms_of(moment: datetime) -> int:
    """Return UTC milliseconds since 1970, rounded down."""
    return (moment - _EPOCH) // _MILLISECOND


def moment_of(milliseconds: int) -> datetime:
    """Return the aware UTC time of these milliseconds."""
    return _EPOCH + timedelta(milliseconds=milliseconds)
