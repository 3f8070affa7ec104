"""How many orders end as fills while endpoints, blocks and workers fail all the time.

The whole system runs in a sandbox of its own. Between it and each chain stands a proxy that times out, answers late, drops
the answer after taking a transaction, or tells of old heads and absurd tips; blocks are replaced, gas leaps, workers die.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from django.conf import settings

from apps.chains.models import Endpoint
from apps.domain.errors import PlatformError
from apps.sandbox.chainspec import CHAINS, chains_named
from apps.sandbox.demo import finish, open_market
from apps.sandbox.rpc import SandboxRpc
from apps.sandbox.soak.exclusions import Ended, Exclusion, ended_orders, exclusion_of
from apps.sandbox.soak.faults import Trouble
from apps.sandbox.soak.proxy import FaultProxy
from apps.state.models import Heartbeat
from apps.wallets.services.wallets import sandbox_wallet_prepare

HELP = "execution success with injected faults: unfiltered, and of orders whose price stayed within slippage"
SECONDS_DEFAULT = 600
NEEDS_WEB = False
#: In basis points of all orders that ended.
AIM_UNFILTERED_BPS, AIM_WITHIN_SLIPPAGE_BPS = 9_500, 9_900
_SETTLE_S = 45.0
_START_TIMEOUT_S = 90.0
_LOOK_EVERY_S = 0.2
_EXCLUSIONS_SHOWN_MAX = 1_000


def run(*, seconds: int, seed: int, kill: Callable[[str], bool]) -> dict[str, Any]:
    """Soak the running system for so long; return the report. ``kill`` ends a process by name, hard.

    Call ``market_pause`` before the start. Raises PlatformError when the system does not come up.
    """
    ours = sandbox_wallet_prepare().address
    with behind_proxies() as proxies:
        listener_anew(kill)
        open_market(timeout_s=_START_TIMEOUT_S)
        trouble = Trouble(seed=seed, proxies=proxies, chains=chains_at_work(), ours=ours, kill=kill)
        trouble.start()
        try:
            time.sleep(seconds)
        finally:
            trouble.close()
        rest = finish(seconds=seconds, settle_s=_SETTLE_S)
        return _report(rest, trouble, proxies)


def chains_at_work() -> dict[str, SandboxRpc]:
    """Return the chains that run, past the proxies."""
    base = settings.ENV.sandbox_port_base
    keys = set(Endpoint.objects.values_list("chain__key", flat=True))
    return {
        spec.key: SandboxRpc(f"http://127.0.0.1:{spec.port(base)}") for spec in CHAINS if spec.key in keys
    }


def _chains_known() -> set[str]:
    """Return the chains with an endpoint, once the sandbox has written all of them down."""
    wanted = {spec.key for spec in chains_named(settings.ENV.sandbox_chains)}
    deadline = time.monotonic() + _START_TIMEOUT_S
    while missing := wanted - set(Endpoint.objects.values_list("chain__key", flat=True)):
        if time.monotonic() > deadline:
            raise PlatformError(
                f"The sandbox has no endpoint for {', '.join(sorted(missing))}.",
                remedy="Read its lines in the log.",
            )
        time.sleep(_LOOK_EVERY_S)
    return wanted


@contextmanager
def behind_proxies() -> Iterator[dict[str, FaultProxy]]:
    """Put a proxy between the engine and each chain; the market stays at the chains themselves."""
    base, keys = settings.ENV.sandbox_port_base, _chains_known()
    proxies = {spec.key: FaultProxy(upstream_port=spec.port(base)) for spec in CHAINS if spec.key in keys}
    try:
        for key, proxy in proxies.items():
            Endpoint.objects.filter(chain__key=key).update(url_http=proxy.url)
        yield proxies
    finally:
        for proxy in proxies.values():
            proxy.close()


def listener_anew(kill: Callable[[str], bool]) -> None:
    """Let the listener take up the proxies: it keeps an endpoint for as long as that answers."""
    deadline = time.monotonic() + _START_TIMEOUT_S
    while not kill("listener"):
        if time.monotonic() > deadline:
            raise PlatformError("The listener did not start.", remedy="Read its lines in the log.")
        time.sleep(_LOOK_EVERY_S)
    Heartbeat.objects.filter(component__startswith="listener").delete()


def _report(rest: Mapping[str, Any], trouble: Trouble, proxies: Mapping[str, FaultProxy]) -> dict[str, Any]:
    orders = ended_orders()
    filled = [order for order in orders if order.status == "filled"]
    excluded = [found for order in orders if (found := exclusion_of(order)) is not None]
    within = len(orders) - len(excluded)
    hits = sum((proxy.hits for proxy in proxies.values()), Counter[str]())
    unfiltered_bps, within_bps = _share_bps(len(filled), len(orders)), _share_bps(len(filled), within)
    return {
        "orders_ended": len(orders),
        "orders_filled": len(filled),
        "unfiltered_bps": unfiltered_bps,
        "unfiltered_aim_bps": AIM_UNFILTERED_BPS,
        "signed_bps": _share_bps(len(filled), sum(1 for order in orders if order.signed_block is not None)),
        "within_slippage_orders": within,
        "within_slippage_bps": within_bps,
        "within_slippage_aim_bps": AIM_WITHIN_SLIPPAGE_BPS,
        "met": unfiltered_bps is not None
        and within_bps is not None
        and unfiltered_bps >= AIM_UNFILTERED_BPS
        and within_bps >= AIM_WITHIN_SLIPPAGE_BPS,
        "by_side": _by_side(orders),
        "failures": _failures(orders, excluded),
        "exclusions": [found.told() for found in excluded[:_EXCLUSIONS_SHOWN_MAX]],
        "faults": dict(trouble.struck),
        "requests": sum(proxy.requests for proxy in proxies.values()),
        "requests_hit": dict(hits),
        "proxies_in_place": set(Endpoint.objects.values_list("url_http", flat=True))
        == {proxy.url for proxy in proxies.values()},
        **{
            key: rest[key]
            for key in (
                *("seconds", "bought", "sold", "double_sends", "ledger_balanced", "book_equals_chain"),
                *("incidents", "clock_ms"),
            )
        },
    }


def _share_bps(part: int, whole: int) -> int | None:
    """Return a share in basis points, rounded down so that an aim is never reached by rounding; None of nothing."""
    return part * 10_000 // whole if whole else None


def _by_side(orders: tuple[Ended, ...]) -> dict[str, dict[str, int]]:
    found: dict[str, Counter[str]] = {"buy": Counter(), "sell": Counter()}
    for order in orders:
        found[order.side][order.status] += 1
    return {side: dict(counts) for side, counts in found.items()}


def _failures(orders: tuple[Ended, ...], excluded: list[Exclusion]) -> dict[str, int]:
    """Return the reasons of what neither filled nor is excluded."""
    told = {item.order_id for item in excluded}
    return dict(
        Counter(
            f"{order.side} {order.status}: {order.reason or 'no reason'}"
            for order in orders
            if order.status != "filled" and order.order_id not in told
        )
    )
