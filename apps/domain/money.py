"""Tokens and exact amounts. On-chain amounts are integers in the smallest unit; no float ever touches money."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Context, Decimal, Inexact, localcontext

from apps.domain.ids import NATIVE_ADDRESS, ChainKey

#: uint256 has 78 digits; Python's default context keeps 28 and would silently round.
_EXACT = Context(prec=100, traps=[Inexact])
#: For ratios and prices, which need not terminate.
RATIO_CONTEXT = Context(prec=100)
UINT256_MAX = 2**256 - 1
DECIMALS_MAX = 77
BPS_ONE = 10_000
USD_MICROS = 1_000_000


@dataclass(frozen=True, slots=True)
class Token:
    """A token on one chain.

    ``address`` is EIP-55 on EVM, base58 on Solana, or ``"native"`` for the chain's own coin.
    ``symbol`` is untrusted text, cleaned at the edge. ``decimals`` is 0..77.
    """

    chain_key: ChainKey
    address: str
    symbol: str
    decimals: int

    def __post_init__(self) -> None:
        assert 0 <= self.decimals <= DECIMALS_MAX, self.decimals

    @property
    def is_native(self) -> bool:
        """Tell whether this is the chain's own coin (ETH, BNB, SOL)."""
        return self.address == NATIVE_ADDRESS


@dataclass(frozen=True, slots=True)
class Amount:
    """An integer number of a token's smallest unit (wei, lamports). May be negative only in differences."""

    raw: int
    token: Token

    def __post_init__(self) -> None:
        assert type(self.raw) is int, type(self.raw)

    def __add__(self, other: Amount) -> Amount:
        assert self.token == other.token, (self.token, other.token)
        return Amount(self.raw + other.raw, self.token)

    def __sub__(self, other: Amount) -> Amount:
        assert self.token == other.token, (self.token, other.token)
        return Amount(self.raw - other.raw, self.token)

    def to_units(self) -> Decimal:
        """Return whole-token units, exactly. For display and price maths; never store it."""
        return raw_to_units(self.raw, self.token.decimals)


def raw_to_units(raw: int, decimals: int) -> Decimal:
    """Return ``raw`` smallest units as whole tokens, exactly."""
    with localcontext(_EXACT):
        return Decimal(raw).scaleb(-decimals)


def units_to_raw(units: Decimal, decimals: int) -> int:
    """Return whole tokens as smallest units, rounded down (we never claim a fraction that does not exist)."""
    with localcontext(RATIO_CONTEXT):
        return int(units.scaleb(decimals).to_integral_value(rounding=ROUND_FLOOR))


def usd_to_micros(usd: Decimal) -> int:
    """Return US dollars as integer millionths, rounded down."""
    return units_to_raw(usd, 6)


def value_usd_micros(amount_raw: int, *, decimals: int, price_usd_micros: int) -> int:
    """Return the value of ``amount_raw`` at ``price_usd_micros`` per whole token, rounded down."""
    worth: int = amount_raw * price_usd_micros // 10**decimals  # a power of ints is typed Any
    return worth


def raw_for_usd_micros(usd_micros: int, *, decimals: int, price_usd_micros: int) -> int:
    """Return how many smallest units ``usd_micros`` buy at ``price_usd_micros`` per whole token, rounded down."""
    assert price_usd_micros > 0, price_usd_micros
    raw: int = usd_micros * 10**decimals // price_usd_micros  # a power of ints is typed Any
    return raw


def bps_of(amount: int, bps: int) -> int:
    """Return ``bps`` basis points of ``amount``, rounded down."""
    return amount * bps // BPS_ONE


def ratio_bps(part: int, whole: int) -> int | None:
    """Return ``part / whole`` in basis points rounded down, or None when ``whole`` is zero."""
    return None if whole == 0 else part * BPS_ONE // whole
