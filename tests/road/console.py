"""A process of an installation, ready before it is asked: reads a JSON request a line, answers with a line.

Started by ``tests.road.running`` in the installation's environment, so that a measured act contains no start of Python.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any


def counts() -> dict[str, Any]:
    """Return what has happened so far."""
    from django.db.models import Count

    from apps.discovery.models import Pair
    from apps.state.models import Heartbeat, Incident
    from apps.trading.models import FillRecord, Opportunity, Order, Position

    by = lambda model, field: dict(model.objects.values_list(field).annotate(n=Count("pk")))  # noqa: E731
    fills = FillRecord.objects.filter(reversed_at=None)
    return {
        "pairs": Pair.objects.count(),
        "opportunities": by(Opportunity, "status"),
        "orders": by(Order, "status"),
        "bought": fills.filter(side="buy").count(),
        "sold": fills.filter(side="sell").count(),
        "positions": by(Position, "status"),
        "incidents": by(Incident, "code"),
        "beats": by(Heartbeat, "component"),
    }


def nonces() -> dict[str, int]:
    """Return how many transactions of the trading wallet each chain has, waiting ones included."""
    from apps.chains.selectors import chain_profiles
    from apps.engine import wiring

    found: dict[str, int] = {}
    for profile in chain_profiles():
        wallet_key = wiring.trading_wallet_key(profile)
        owner = wiring.signer().address(wallet_key)
        reader = wiring.chain_ports(profile.chain_key).reader
        found[profile.chain_key] = reader.transaction_count(owner, pending=True)
    return found


def pull(*, close: bool) -> dict[str, Any]:
    """Pull the kill switch and count at once what the chains have of us."""
    from dataclasses import asdict

    from apps.state.services.engine import killswitch_pull

    nonces()  # connections stand, so that the second count comes at once
    started = time.time()
    report = killswitch_pull(by="test", reason="test", close_positions=close)
    returned = time.time()
    return asdict(report) | {
        "is_effective": report.is_effective,
        "wall_ms": int((returned - started) * 1000),
        "returned_at": returned,
        "nonces": nonces(),
    }


def late_sends(*, after: float, below_epoch: int) -> int:
    """Count the transactions of older epochs that were sent after this moment. A refused try is no send."""
    from datetime import UTC, datetime

    from apps.trading.models import TxAttempt

    moment = datetime.fromtimestamp(after, tz=UTC)
    return TxAttempt.objects.filter(epoch__lt=below_epoch, broadcast_at__gt=moment, error="").count()


def resume() -> str:
    """Lift the kill switch."""
    from apps.state.services.engine import engine_resume

    return engine_resume(by="test", reason="test").status.value


def status() -> str:
    """Return the engine's state."""
    from apps.state.services.engine import engine_view

    return engine_view().status.value


def finish(*, settle_s: float) -> dict[str, Any]:
    """Let everything come to rest and compare; give it more time where a wallet is still busy."""
    from apps.sandbox.demo import finish
    from apps.state.services.relay import audit_verify, relay_once

    report = finish(seconds=0, settle_s=settle_s)
    deadline = time.monotonic() + settle_s
    wallets = reconciled()
    while any(item["skipped"] for item in wallets) and time.monotonic() < deadline:
        time.sleep(1)
        wallets = reconciled()
    while relay_once():
        pass
    return report | {"wallets": wallets, "audit_is_whole": audit_verify().is_whole, "counts": counts()}


def reconciled() -> list[dict[str, Any]]:
    """Compare each chain's wallet with its book."""
    from dataclasses import asdict

    from apps.chains.selectors import chain_profiles
    from apps.engine import wiring
    from apps.trading.services.reconciliation import wallet_reconcile

    reports = []
    for profile in chain_profiles():
        report = wallet_reconcile(
            chain_key=profile.chain_key,
            wallet_key=wiring.trading_wallet_key(profile),
            ports=wiring.chain_ports(profile.chain_key).execution,
        )
        reports.append(asdict(report) | {"is_equal": report.is_equal})
    return reports


ACTS = {act.__name__: act for act in (counts, nonces, pull, late_sends, resume, status, finish)}


def main() -> None:
    import django

    django.setup()
    print(json.dumps("ready"), flush=True)
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer: Any = {"result": ACTS[name](**arguments)}
        except Exception as error:  # noqa: BLE001  # told to the test
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer, default=str), flush=True)


if __name__ == "__main__":
    main()
