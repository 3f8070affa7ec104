"""What the road needs around its stages: names, probe sizes, pruning, reconciliation."""

from __future__ import annotations

import os
import socket
import threading
import time
from datetime import timedelta
from functools import lru_cache

from django.utils import timezone

from apps.chains import selectors as chains
from apps.discovery.models import FeedSighting
from apps.discovery.services.pools import activity_prune
from apps.domain.config import TradingConfig
from apps.domain.errors import ConfigurationError
from apps.domain.market import ChainProfile
from apps.domain.money import raw_for_usd_micros, usd_to_micros
from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.engine import wiring
from apps.intelligence.models import AnalysisRecord
from apps.intelligence.services.entities import entities_prune
from apps.intelligence.services.opinions import opinions_prune
from apps.state.models import Lease
from apps.state.services.heartbeats import lease_release
from apps.trading.models import AccountBalance, Order, Position
from apps.trading.services.reconciliation import wallet_reconcile
from apps.wallets.selectors import wallet_views

LEASE = "listener"
#: Raw market data is kept for so long; the books for ever.
_RAW_DATA_KEPT = timedelta(days=7)
#: What is probed when there is no price to size the probe with: a thousandth of the coin.
_PROBE_WITHOUT_PRICE_DIVISOR = 1_000


def now_ms() -> int:
    """Return UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


@lru_cache(maxsize=1)
def process_name() -> str:
    """Return "host:pid"."""
    return f"{socket.gethostname()}:{os.getpid()}"


def release_dead_lease(name: str = LEASE) -> None:
    """Give back a lease whose holder ran on this machine and is no more: it was killed and could not do it itself."""
    holder = Lease.objects.filter(name=name).values_list("holder", flat=True).first()
    if holder is None:
        return
    host, _, pid = holder.rpartition(":")
    if host == socket.gethostname() and pid.isdigit() and not _is_alive(int(pid)):
        lease_release(name=name, holder=holder)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def worker_name() -> str:
    """Return "host:pid/thread", who has a claimed row."""
    return f"{process_name()}/{threading.current_thread().name}"


def followed_chain_keys() -> tuple[str, ...]:
    """Return the enabled chains to follow: those with an endpoint, and those where something of ours is left.

    Without an endpoint the latter fail again and again, which is as it must be: a position is not looked after.
    """
    readable = set(chains.readable_chains().values_list("key", flat=True))
    held = set(Position.objects.exclude(status="closed").values_list("chain_key", flat=True).distinct())
    moving = [status.value for status in OrderStatus if status not in FINAL_STATUSES]
    held |= set(Order.objects.filter(status__in=moving).values_list("chain_key", flat=True).distinct())
    return tuple(
        profile.chain_key for profile in chains.chain_profiles() if profile.chain_key in readable | held
    )


def probe_amount_raw(config: TradingConfig, profile: ChainProfile, price_usd_micros: int | None) -> int:
    """Return the size at which a pair's round trip is simulated: the largest position we might take."""
    if not price_usd_micros:
        return 10**profile.native.decimals // _PROBE_WITHOUT_PRICE_DIVISOR
    return raw_for_usd_micros(
        usd_to_micros(config.limits.position_max_usd),
        decimals=profile.native.decimals,
        price_usd_micros=price_usd_micros,
    )


def reconcile_chain(chain_key: str) -> None:
    """Compare the book with the chain for every wallet that trades or ever held something there."""
    ports = wiring.chain_ports(chain_key)
    for wallet_key in wallets_of(chain_key):
        wallet_reconcile(chain_key=chain_key, wallet_key=wallet_key, ports=ports.execution)


def wallets_of(chain_key: str) -> tuple[str, ...]:
    """Return the wallets that trade on a chain or have something in its book."""
    ports = wiring.chain_ports(chain_key)
    booked = AccountBalance.objects.filter(chain_key=chain_key).values_list("account", flat=True)
    known = {wallet.key for wallet in wallet_views()}
    old = {account.removeprefix("wallet:") for account in booked} & known
    try:
        entering = wiring.trading_wallet_keys(ports.profile)
    except ConfigurationError:  # all only exit now: what they hold is compared as before
        if not old:
            raise
        entering = ()
    return tuple(sorted({*entering, *old}))


def prune() -> None:
    """Delete raw market data past its age."""
    now = timezone.now()
    activity_prune(before=now - _RAW_DATA_KEPT)
    entities_prune(now=now)
    opinions_prune()
    FeedSighting.objects.filter(last_seen_at__lt=now - _RAW_DATA_KEPT).delete()
    AnalysisRecord.objects.filter(created_at__lt=now - _RAW_DATA_KEPT).delete()
