"""Who may do what: the names of the permissions, and the one question that pages, sockets and API ask.

The groups viewer and operator hold them (migrations of this app). Whatever else a permission needs than being held
belongs into `may`, so that no way in forgets it.
"""

from __future__ import annotations

from typing import Final, Protocol

LOOK: Final = "trading.view_opportunity"
LOOK_POSITIONS: Final = "trading.view_position"
LOOK_ORDERS: Final = "trading.view_order"
LOOK_INCIDENTS: Final = "state.view_incident"
LOOK_CONFIGURATION: Final = "state.view_configrevision"
LOOK_WALLETS: Final = "wallets.view_wallet"
CHANGE_CONFIGURATION: Final = "state.add_configrevision"
RESOLVE_INCIDENTS: Final = "state.change_incident"
OPERATE: Final = "state.operate_engine"
KILL: Final = "state.pull_killswitch"
RESUME: Final = "state.resume_engine"
TRADE: Final = "trading.trade_manually"
RESET_BREAKERS: Final = "risk.reset_breaker"


class Visitor(Protocol):
    """Whoever asks: Django's user, signed in or not."""

    def has_perm(self, perm: str) -> bool:
        """Tell whether this visitor has the permission."""


def may(visitor: Visitor, permission: str) -> bool:
    """Tell whether the visitor may use this permission now."""
    return visitor.has_perm(permission)


def may_operate(visitor: Visitor) -> bool:
    """Tell whether the visitor may start, pause, stop, kill and resume."""
    return all(may(visitor, permission) for permission in (OPERATE, KILL, RESUME))
