"""What a market did over one interval of time."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class Interval(Enum):
    """How long a candle lasts; the value is how it is stored."""

    HOUR = "1h"
    DAY = "1d"

    @property
    def duration_ms(self) -> int:
        """Return the candle's length in milliseconds."""
        return 3_600_000 if self is Interval.HOUR else 86_400_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Candle:
    """A completed candle of one market in US dollars.

    ``open``, ``high`` and ``low`` are None where the source gives closing prices only; they are not made up then.
    ``volume`` is in coins, None when the source does not say.
    """

    market: str  # "BTC"
    interval: Interval
    opened_at_ms: int
    open: Decimal | None
    high: Decimal | None
    low: Decimal | None
    close: Decimal
    volume: Decimal | None
    source: str
    is_simulated: bool = False  # of the sandbox's tape

    def __post_init__(self) -> None:
        assert self.close > 0, (self.market, self.close)

    @property
    def closed_at_ms(self) -> int:
        """Return when it ended."""
        return self.opened_at_ms + self.interval.duration_ms
