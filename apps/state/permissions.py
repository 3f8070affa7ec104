"""Who may do what: the names of the permissions, and the one question that pages, sockets and API ask.

The groups viewer, trader and admin hold them (migrations of the apps). Whatever else a permission needs than being held
belongs into `may`, so that no way in forgets it: acting needs the second factor, in live always, elsewhere from whoever
has set one up. Looking never needs it, nor does the kill switch: stopping must not wait for a telephone. A kill that also
sells is one that trades: without TRADE it stops all the same and leaves the positions (`close_refusal`).
"""

from __future__ import annotations

from typing import Final, Protocol

from django.core.exceptions import PermissionDenied
from django.db import DatabaseError

from apps.state.services.second_factor import is_missing

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
AUDIT: Final = "state.view_audit"
LOOK_ALERTS: Final = "alerts.view_alertrecord"
ACKNOWLEDGE_ALERTS: Final = "alerts.change_alertrecord"
TEST_ALERTS: Final = "alerts.send_test"
PAIR_BOT: Final = "alerts.pair_bot"
#: What only somebody with the second factor may do. KILL is not among them.
GUARDED: Final = frozenset({TRADE, OPERATE, RESUME, CHANGE_CONFIGURATION, RESET_BREAKERS, PAIR_BOT})


class SecondFactorNeeded(PermissionDenied):
    """The permission is held, and the second factor was not given in this session."""

    def __init__(self) -> None:
        super().__init__("This needs your second factor.")


class Visitor(Protocol):
    """Whoever asks: Django's user, signed in or not."""

    def has_perm(self, perm: str) -> bool:
        """Tell whether this visitor has the permission."""


def may(visitor: Visitor, permission: str) -> bool:
    """Tell whether the visitor may use this permission now."""
    return visitor.has_perm(permission) and not (permission in GUARDED and is_missing(visitor))


def require(visitor: Visitor, permission: str) -> None:
    """Raise PermissionDenied unless the visitor may use this permission now; SecondFactorNeeded when only that lacks."""
    if not visitor.has_perm(permission):
        raise PermissionDenied
    if permission in GUARDED and is_missing(visitor):
        raise SecondFactorNeeded


def close_refusal(visitor: Visitor) -> str:
    """Tell why a kill of this visitor must leave the positions where closing them was asked for, "" when it may sell.

    Closing opens signing again for sales, so it is trading. Never raises for a database that does not answer: a kill goes on.
    """
    try:
        if not visitor.has_perm(TRADE):
            return "selling needs the permission to trade, which you do not have"
        if is_missing(visitor):
            return "selling needs your second factor; give it and pull again"
    except DatabaseError:
        return "the database did not say whether you may sell; pull again"
    return ""


def may_operate(visitor: Visitor) -> bool:
    """Tell whether the visitor's pages offer starting, pausing, stopping and resuming; doing so asks `require`."""
    return all(visitor.has_perm(permission) for permission in (OPERATE, RESUME))
