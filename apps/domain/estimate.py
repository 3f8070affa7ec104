"""A measured quantity with its bounds: unknown is neither zero nor yes."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """One quantity about a pair or the market.

    ``value`` None means unknown, and then ``reason_unknown`` says why in plain words.
    ``confidence`` is 0..1; ``n`` is the number of observations it rests on (a census read has n=1);
    ``source`` is "rpc", "simulation", "history", ...; ``unit`` is "bps", "usd_micros", "raw", "count", "s", "bool", "level" (a step such as -1, 0, 1).
    """

    code: str
    value: Decimal | None
    low: Decimal | None
    high: Decimal | None
    confidence: Decimal
    n: int
    source: str
    as_of_ms: int
    unit: str
    reason_unknown: str = ""

    def __post_init__(self) -> None:
        assert 0 <= self.confidence <= 1, self.confidence
        assert (self.value is None) == bool(self.reason_unknown), (self.code, self.value, self.reason_unknown)

    @property
    def is_known(self) -> bool:
        """Tell whether there is a value at all."""
        return self.value is not None


def known(
    code: str,
    value: int | Decimal | bool,  # noqa: FBT001  # a measured value, not a switch
    *,
    unit: str,
    source: str,
    as_of_ms: int,
    confidence: Decimal = Decimal(1),
    n: int = 1,
    low: int | Decimal | None = None,
    high: int | Decimal | None = None,
) -> Estimate:
    """Return a known estimate; bounds default to the value itself (an exact read)."""
    number = Decimal(int(value)) if isinstance(value, bool) else Decimal(value)
    return Estimate(
        code=code,
        value=number,
        low=number if low is None else Decimal(low),
        high=number if high is None else Decimal(high),
        confidence=confidence,
        n=n,
        source=source,
        as_of_ms=as_of_ms,
        unit=unit,
    )


def unknown(code: str, reason: str, *, unit: str, source: str, as_of_ms: int) -> Estimate:
    """Return an unknown estimate with the reason in plain words."""
    assert reason
    return Estimate(
        code=code,
        value=None,
        low=None,
        high=None,
        confidence=Decimal(0),
        n=0,
        source=source,
        as_of_ms=as_of_ms,
        unit=unit,
        reason_unknown=reason,
    )
