"""What a token may be given: scopes, each a set of the permissions that pages ask for too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from apps.state import permissions as p

SCOPES: Final[Mapping[str, tuple[str, ...]]] = {
    "read": (
        p.LOOK,
        p.LOOK_POSITIONS,
        p.LOOK_ORDERS,
        p.LOOK_INCIDENTS,
        p.LOOK_CONFIGURATION,
        p.LOOK_WALLETS,
    ),
    "trade": (p.TRADE,),
    "operate": (p.OPERATE, p.KILL, p.RESUME, p.RESET_BREAKERS, p.RESOLVE_INCIDENTS),
    "configure": (p.CHANGE_CONFIGURATION,),
}
WORDS: Final[Mapping[str, str]] = {
    "read": "See everything: state, queue, positions, orders, incidents, configuration, addresses of wallets",
    "trade": "Buy and sell by hand, place and cancel advanced orders",
    "operate": "Start, stop, kill and resume; arm breakers; resolve incidents",
    "configure": "Change the trading configuration",
}
_SCOPE_OF: Final = {permission: scope for scope, held in SCOPES.items() for permission in held}


def scope_of(permission: str) -> str:
    """Return the scope that a permission stands in, "" for one that no token can have."""
    return _SCOPE_OF.get(permission, "")


def scopes_permit(scopes: Iterable[str], permission: str) -> bool:
    """Tell whether one of these scopes holds the permission."""
    wanted = scope_of(permission)
    return bool(wanted) and wanted in scopes
