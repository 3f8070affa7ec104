"""What must be known of a chain right before a transaction is signed, asked for in one go."""

from __future__ import annotations

from dataclasses import dataclass

from apps.domain.market import FeeQuote
from apps.domain.order import UnsignedTx


@dataclass(frozen=True, slots=True, kw_only=True)
class SendQuestion:
    """Whom and what to ask about. ``spender`` and ``token_address`` belong together: of whose allowance, for what."""

    owner: str
    spender: str = ""  # "": no allowance is asked for
    token_address: str = ""
    trial: UnsignedTx | None = None  # to be tried upon what waits at the node; None: nothing is
    trial_balance_raw: int | None = None  # what the owner is taken to hold in the trial; None: what it holds


@dataclass(frozen=True, slots=True, kw_only=True)
class SendFacts:
    """The answers, all of one endpoint. Amounts are in the chain's smallest units."""

    fees: FeeQuote
    balance_raw: int  # native coins at the newest block
    nonce: int  # the next, what waits at the node counted
    allowance_raw: int = 0  # 0 as well when it was not asked for
    failure: str = ""  # why the trial would fail; "": it would not, was not asked for, or nobody can tell
