"""Accounts of the sandbox's people. Their keys follow from the seed; they are worth nothing outside the sandbox."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_account import Account
from eth_account.signers.local import LocalAccount
from eth_utils.crypto import keccak

_SELECTORS: dict[str, bytes] = {}


def selector(signature: str) -> bytes:
    """Return the 4-byte selector of "name(type,…)"."""
    if signature not in _SELECTORS:
        _SELECTORS[signature] = keccak(text=signature)[:4]
    return _SELECTORS[signature]


def calldata(signature: str, *arguments: object) -> bytes:
    """Return the calldata of a function without tuples in its arguments."""
    types = signature[signature.index("(") + 1 : -1]
    return selector(signature) + (encode(types.split(","), arguments) if types else b"")


@dataclass(slots=True)
class Actor:
    """An account with its local nonce. ``label`` is unique within a seed and chain."""

    account: LocalAccount
    chain_id: int
    nonce: int = 0

    @classmethod
    def of(cls, *, seed: int, chain_id: int, label: str) -> Actor:
        """Return the actor whose key follows from seed, chain and label."""
        return cls(Account.from_key(keccak(text=f"sandbox:{seed}:{chain_id}:{label}")), chain_id)

    @property
    def address(self) -> str:
        """Return the EIP-55 address."""
        return str(self.account.address)

    def sign(
        self,
        *,
        to: str | None,
        data: bytes = b"",
        value_wei: int = 0,
        gas: int,
        max_fee_wei: int,
        tip_wei: int,
    ) -> str:
        """Return the signed transaction as hex and move the nonce on."""
        fields: dict[str, Any] = {
            "type": 2,
            "chainId": self.chain_id,
            "nonce": self.nonce,
            "value": value_wei,
            "data": data,
            "gas": gas,
            "maxFeePerGas": max_fee_wei,
            "maxPriorityFeePerGas": tip_wei,
        }
        if to is not None:
            fields["to"] = to
        self.nonce += 1
        return "0x" + bytes(self.account.sign_transaction(fields).raw_transaction).hex()
