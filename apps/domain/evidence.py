"""What a chain can tell about a balance that changed without us."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenTransfer:
    """A Transfer log of a token that names our wallet. ``sent_by`` signed the transaction, "" when unknown."""

    tx_hash: str
    sender: str
    recipient: str
    amount_raw: int
    sent_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenEvidence:
    """What a token's log and state say. Addresses in lower case; None: the node did not answer."""

    owner: str
    transfers: tuple[SeenTransfer, ...] | None  # of our wallet, since ``first_block``
    supply_before_raw: int | None  # just before ``first_block``
    supply_now_raw: int | None
    can_move: bool | None  # whether the wallet may send one unit now
    first_block: int


class EvidenceReader(Protocol):
    """Reads evidence on one chain."""

    def token_evidence(self, *, owner: str, token_address: str, first_block: int) -> TokenEvidence:
        """Return what is known about this token and wallet since a block. Raises NetworkError when nobody answers."""

    def tokens_received(self, *, owner: str) -> tuple[str, ...]:
        """Return the tokens that came to this wallet lately, ours and unasked ones. Raises NetworkError, BadDataError."""
