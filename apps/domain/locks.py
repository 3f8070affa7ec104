"""Liquidity that somebody has put out of his own reach for a time, and the contracts that hold it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class LockerProfile:
    """A contract known to lock liquidity. ``kind`` names the interface by which its locks are read.

    ``code_hash`` is keccak of its runtime code as a person's command found it on chain, "" while nobody has looked; so are
    ``implementation`` and ``implementation_hash`` of a proxy, "" for a contract that is none. What a contract whose code
    is another one holds counts as unknown, never as locked.
    """

    address: str
    kind: str
    name: str
    code_hash: str = ""
    implementation: str = ""
    implementation_hash: str = ""

    @property
    def is_verified(self) -> bool:
        """Tell whether its code was ever looked at."""
        return bool(self.code_hash)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiquidityLock:
    """Pool shares in a locker: who may take how many of them out (raw units), and from when (unix seconds)."""

    locker: str
    owner: str
    amount_raw: int
    unlock_at_s: int
