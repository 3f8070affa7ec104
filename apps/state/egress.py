"""No way out but to configured hosts: the last fence behind adapters that ask none but these anyway.

Addresses of services stand in the environment; those of endpoints and relays are rows that a person made. Whatever else
a process of ours tries to reach by Python's sockets is refused before anything leaves the machine: an address that a
token's maker planted in its name, a redirect, a library that reports home. Loopback is always open: database, broker and
sandbox live there. What is asked through a proxy of the environment is the proxy's to refuse.
"""

from __future__ import annotations

import ipaddress
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import fields
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import getproxies

logger = logging.getLogger(__name__)

Provider = Callable[[], Iterable[str]]

#: Addresses that allowed names stood for; with more of them they are looked up anew.
RESOLVED_MAX: Final = 4_096
#: An unknown host has the rows asked again after so long.
ASK_EVERY_S: Final = 2.0
ASK_MAX_S: Final = 2.0
_LOGGED_MAX: Final = 100
#: Telegram's own library chooses among these (https://core.telegram.org/resources/cidr.txt).
TELEGRAM_NETWORKS: Final = (
    *("91.105.192.0/23", "91.108.4.0/22", "91.108.8.0/22", "91.108.12.0/22", "91.108.16.0/22"),
    *("91.108.20.0/22", "91.108.56.0/22", "149.154.160.0/20", "185.76.151.0/24"),
    *("2001:67c:4e8::/48", "2001:b28:f23c::/47", "2001:b28:f23f::/48", "2a0a:f280::/32"),
)
_CONNECTS: Final = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})

_hosts: set[str] = set()
_networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network] = []
_resolved: set[str] = set()
_providers: list[Provider] = []
_logged: set[str] = set()
_lock = threading.Lock()
_asked_at = 0.0
_look: threading.Thread | None = None  # the newest look at the rows
_is_installed = False


class EgressRefusedError(PermissionError):
    """A connection to a host that nobody configured. An OSError, so that adapters take it for an unreachable host."""


def install(environment: Any) -> None:
    """Shut this process in, but for the hosts of its environment's addresses; once for each process."""
    global _is_installed
    for item in fields(environment):
        value = getattr(environment, item.name)
        if isinstance(value, str) and "://" in value:
            allow(value)
    allow(environment.host, getattr(environment, "smtp_host", ""), *getproxies().values())
    if environment.telegram_channels:
        allow_networks(*TELEGRAM_NETWORKS)
    if _is_installed:
        return
    _is_installed = True
    look_up = socket.getaddrinfo

    def guarded_look_up(host: Any, *rest: Any, **options: Any) -> Any:
        name = _name_of(host)
        if not _is_open(name):
            _refuse(name)
        answers = look_up(host, *rest, **options)
        if len(_resolved) > RESOLVED_MAX:
            _resolved.clear()
        _resolved.update(_name_of(answer[4][0]) for answer in answers)
        return answers

    socket.getaddrinfo = guarded_look_up
    sys.addaudithook(_watch)  # also sees what does not look names up, and cannot be taken away


def allow(*addresses: str) -> None:
    """Open the way to the hosts of these addresses, or to these hosts."""
    _hosts.update(filter(None, map(_host_of, addresses)))


def allow_networks(*networks: str) -> None:
    """Open the way to networks, where a service chooses among addresses of its own ("149.154.160.0/20")."""
    _networks.extend(ipaddress.ip_network(item) for item in networks)


def provide(provider: Provider) -> None:
    """Name a function that returns the addresses in rows that a person made; asked when an unknown host is met."""
    _providers.append(provider)


def is_allowed(address: str) -> bool:
    """Tell whether the host of an address may be reached."""
    return _is_open(_host_of(address))


def _watch(event: str, arguments: tuple[Any, ...]) -> None:
    if event not in _CONNECTS:
        return
    address = arguments[1]
    if not isinstance(address, tuple) or not address:  # a socket of this machine, or one that is connected
        return
    name = _name_of(address[0])
    if name not in _resolved and not _is_open(name):
        _refuse(name)


def _is_open(name: str) -> bool:
    if not name or name in _hosts or name == "localhost":
        return True
    if _is_here_or_in_network(name):
        return True
    _ask_rows()
    return name in _hosts


def _is_here_or_in_network(name: str) -> bool:
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    if mapped.is_loopback or mapped.is_unspecified:
        return True
    return any(mapped in network for network in _networks if network.version == mapped.version)


def _ask_rows() -> None:
    """Read the rows anew, in a thread of its own: whoever connects may be in a transaction or in an event loop.

    Whoever comes while they are read waits for that look: at a start all connect at once.
    """
    global _asked_at, _look
    with _lock:
        if _providers and time.monotonic() - _asked_at >= ASK_EVERY_S:
            _asked_at = time.monotonic()
            _look = threading.Thread(target=_read_rows, name="egress", daemon=True)
            _look.start()
        look = _look
    if look is not None and look is not threading.current_thread():
        look.join(ASK_MAX_S)


def _read_rows() -> None:
    from django.db import Error as DatabaseFault
    from django.db import connections

    try:
        for provider in _providers:
            allow(*provider())
    except (
        DatabaseFault,
        RuntimeError,
    ) as error:  # no database yet: then only the environment's hosts are open
        logger.debug("rows with addresses cannot be read", extra={"error": type(error).__name__})
    finally:
        connections.close_all()


def _refuse(name: str) -> None:
    if name not in _logged and len(_logged) < _LOGGED_MAX:
        _logged.add(name)
        logger.warning("a connection to a host that nobody configured was refused", extra={"host": name})
    raise EgressRefusedError(f"{name} is no configured host")


def _host_of(address: str) -> str:
    if "://" not in address:
        return address.strip("[]").lower()
    try:
        return (urlsplit(address).hostname or "").lower()
    except ValueError:
        return ""


def _name_of(host: Any) -> str:
    if host is None:
        return ""
    text = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else str(host)
    literal, has_zone, _ = text.partition("%")
    if has_zone and _is_ipv6(literal):  # "localhost%.evil.example" is a name of its own
        text = literal
    return text.rstrip(".").lower()


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    return True
