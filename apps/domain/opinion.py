"""What outside services say of a token, in one shape: second opinions, never proof."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from apps.domain.ids import ChainKey


class Danger(Enum):
    """What a service may warn of that speaks against any trade. The value is stored and part of estimate codes."""

    HONEYPOT = "honeypot"
    CANNOT_BUY = "cannot_buy"
    CANNOT_SELL = "cannot_sell"
    HOLDERS_FAIL_TO_SELL = "holders_fail_to_sell"
    EXTREME_TAX = "extreme_tax"
    BLACKLIST = "blacklist"  # with somebody to use it
    BALANCES_CHANGEABLE = "balances_changeable"
    HIDDEN_OWNER = "hidden_owner"
    OWNERSHIP_RETURNS = "ownership_returns"
    SELFDESTRUCT = "selfdestruct"
    GAS_ABUSE = "gas_abuse"
    CREATOR_MADE_HONEYPOTS = "creator_made_honeypots"
    IMITATION = "imitation"
    AIRDROP_SCAM = "airdrop_scam"
    FREEZABLE = "freezable"
    NOT_TRANSFERABLE = "not_transferable"
    RUGGED = "rugged"
    REPORTED = "reported"  # a warning of the highest level that has no name of ours


#: What the danger is, to be read after "warns of".
DANGER_WORDS: Mapping[Danger, str] = {
    Danger.HONEYPOT: "a honeypot",
    Danger.CANNOT_BUY: "buying being blocked",
    Danger.CANNOT_SELL: "sales being blocked",
    Danger.HOLDERS_FAIL_TO_SELL: "holders who cannot sell",
    Danger.EXTREME_TAX: "a tax that takes most of a trade",
    Danger.BLACKLIST: "a blacklist in somebody's hands",
    Danger.BALANCES_CHANGEABLE: "an owner who can change balances",
    Danger.HIDDEN_OWNER: "a hidden owner",
    Danger.OWNERSHIP_RETURNS: "ownership that can be taken back",
    Danger.SELFDESTRUCT: "code that can delete itself",
    Danger.GAS_ABUSE: "code that burns the buyer's gas",
    Danger.CREATOR_MADE_HONEYPOTS: "a creator who made honeypots",
    Danger.IMITATION: "an imitation of a known token",
    Danger.AIRDROP_SCAM: "an airdrop scam",
    Danger.FREEZABLE: "accounts that can be frozen",
    Danger.NOT_TRANSFERABLE: "a token that cannot be moved",
    Danger.RUGGED: "a pool that was already emptied",
    Danger.REPORTED: "a danger that it names itself",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """One service's answer about one token, its units made ours.

    ``failure`` "" means that the service did judge the token; else it says in plain words why it did not. Dangers count
    either way. Taxes are rounded up and None when the service does not tell. ``risk_bps`` is the service's own figure, 0
    (best) to 10000 (worst), None when it has none.
    """

    source: str
    chain_key: ChainKey
    token: str
    is_sellable: bool | None = None
    buy_tax_bps: int | None = None
    sell_tax_bps: int | None = None
    transfer_tax_bps: int | None = None
    risk_bps: int | None = None
    dangers: frozenset[Danger] = frozenset()
    failure: str = ""

    @property
    def has_verdict(self) -> bool:
        """Tell whether the service says anything that counts."""
        return not self.failure or bool(self.dangers)


class OpinionSource(Protocol):
    """Asks one service. ``families`` are the chain families that it knows at all."""

    name: str
    families: frozenset[str]

    def covers(self, chain_key: str) -> bool:
        """Tell whether the service knows this chain."""

    def opinion(self, chain_key: ChainKey, token: str) -> Opinion | None:
        """Return what the service says, None when our own rate limit says: not now.

        Raises NetworkError, RateLimitedError, BadDataError.
        """
