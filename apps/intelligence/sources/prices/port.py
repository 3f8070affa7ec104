"""What a source of candles must offer, and the markets that are read."""

from __future__ import annotations

from typing import Final, Protocol

from apps.domain.candle import Candle, Interval

#: Market -> its name at exchanges and at CoinGecko. A chain whose coin is not among them has no regime.
MARKETS: Final[dict[str, tuple[str, str]]] = {
    "BTC": ("BTCUSDT", "bitcoin"),
    "ETH": ("ETHUSDT", "ethereum"),
    "SOL": ("SOLUSDT", "solana"),
    "BNB": ("BNBUSDT", "binancecoin"),
    "POL": ("POLUSDT", "polygon-ecosystem-token"),
}
#: Read whatever is traded: the rest of the market follows them.
ALWAYS: Final = ("BTC", "ETH", "SOL")
#: Candles asked for at once, at most.
CANDLES_MAX: Final = 1_000
#: A price or volume beyond this is no price of a coin in dollars.
FIGURE_MAX: Final = 10**15


class CandleSource(Protocol):
    """Reads candles of one service. Every fault is a SniperError."""

    @property
    def name(self) -> str:
        """Return the name that candles carry as their source."""

    def candles(
        self, *, market: str, interval: Interval, count: int, now_ms: int
    ) -> tuple[Candle, ...] | None:
        """Return up to ``count`` newest candles that have ended by ``now_ms``, oldest first.

        None: not offered by this source, or its rate limit says not now. Raises NetworkError, RateLimitedError,
        BadDataError.
        """


def market_of(native_symbol: str) -> str | None:
    """Return the market of a chain's coin, None when it is not read."""
    return native_symbol if native_symbol in MARKETS else None
