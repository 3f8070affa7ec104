"""Which token of a pool we might buy, and which one we pay with."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.decision import Reason
from apps.domain.market import ChainProfile
from apps.domain.money import Token

_ZERO_ADDRESS = "0x" + "0" * 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Orientation:
    """A pool seen from the token that we might buy."""

    base_address: str
    quote_address: str
    base_is_token0: bool
    refusal: Reason | None = None  # set: the pair is registered, shown and never traded


def quote_tokens(profile: ChainProfile) -> tuple[Token, ...]:
    """Return what we accept as the paying side of a pool, most wanted first."""
    return (profile.wrapped_native, *profile.stables)


def orient(*, token0: str, token1: str, profile: ChainProfile) -> Orientation:
    """Return which token is base and which is quote: wrapped coin first, then the stablecoins in their order.

    A pool without any of them, or of two of them, keeps token0 as base (or the less wanted one) and a refusal.
    """
    rank = {token.address.lower(): place for place, token in enumerate(quote_tokens(profile))}
    rank0, rank1 = rank.get(token0.lower()), rank.get(token1.lower())
    if rank0 is None and rank1 is None:
        refusal = Reason(
            code="QUOTE_UNKNOWN",
            explanation="Neither token of the pool is the chain's wrapped coin or a known stablecoin.",
        )
        return Orientation(base_address=token0, quote_address=token1, base_is_token0=True, refusal=refusal)
    if rank0 is not None and rank1 is not None:
        refusal = Reason(
            code="BASE_IS_MONEY",
            explanation="Both tokens of the pool are money (wrapped coin or stablecoins): nothing new is traded here.",
        )
        if rank0 < rank1:
            return Orientation(
                base_address=token1, quote_address=token0, base_is_token0=False, refusal=refusal
            )
        return Orientation(base_address=token0, quote_address=token1, base_is_token0=True, refusal=refusal)
    if rank1 is not None:
        return Orientation(base_address=token0, quote_address=token1, base_is_token0=True)
    return Orientation(base_address=token1, quote_address=token0, base_is_token0=False)


def fault_of_tokens(*, token0: str, token1: str) -> str:
    """Return why no real pool can hold these two tokens, or ""."""
    if token0.lower() == token1.lower():
        return "both tokens of the pool are the same"
    if _ZERO_ADDRESS in (token0.lower(), token1.lower()):
        return "a token of the pool is the zero address"
    return ""
