"""The sandbox's own liquidity locker, as the reader takes it: we compiled its code, so we know its hash."""

from __future__ import annotations

from eth_utils.crypto import keccak

from apps.domain.locks import LockerProfile
from apps.sandbox.artifacts import own_artifact


def sandbox_locker(address: str) -> LockerProfile:
    """Return the locker that the sandbox deployed to ``address``."""
    code = bytes.fromhex(own_artifact("LiquidityLocker")["deployedBytecode"].removeprefix("0x"))
    return LockerProfile(
        address=address,
        kind="plain",
        name="Liquidity locker (sandbox)",
        code_hash="0x" + bytes(keccak(code)).hex(),
    )
