"""Which endpoints lie on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit


def are_loopback(urls: Sequence[str]) -> bool:
    """Tell whether there are endpoints and all of them lie on this machine."""
    return bool(urls) and all(map(is_loopback, urls))


def is_loopback(url: str) -> bool:
    """Tell whether an endpoint's address lies on this machine. A name other than "localhost" does not count."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
