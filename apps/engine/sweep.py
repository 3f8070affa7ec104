"""Finds every row that waits longer than it should and nudges it again: losing a message costs time, never work.

With the broker dead the rows are worked on right here, a few at a time.
"""

from __future__ import annotations

from collections.abc import Callable

from apps.engine import housekeeping, road, wiring
from apps.engine.nudges import broker_rests, nudge
from apps.state.services.engine import killswitch_settle
from apps.trading.services.equity import equity_record
from apps.trading.services.execution import claims_recover
from apps.trading.services.opportunities import opportunities_due, opportunities_expire, opportunities_recover
from apps.trading.services.orders import orders_unsettled, orders_waiting

_INLINE_MAX = 5  # rows of each kind worked on in one pass without a broker


def sweep_all() -> None:
    """Look at everything that may lie about."""
    killswitch_settle()
    opportunities_recover()
    opportunities_expire()
    _push("engine.evaluate", road.evaluate, opportunities_due(limit=100))
    for chain_key in housekeeping.enabled_chain_keys():
        with road.guarded(f"sweep/{chain_key}"):
            claims_recover(chain_key=chain_key, ports=wiring.chain_ports(chain_key).execution)
            _push("engine.execute", road.execute, orders_waiting(chain_key=chain_key))
    equity_record()


def settle_chain(chain_key: str) -> None:
    """Look at every order in flight of a chain: a block may have brought its receipt."""
    _push("engine.settle", road.settle, orders_unsettled(chain_key=chain_key))


def _push(task: str, function: Callable[[int], object], row_ids: tuple[int, ...]) -> None:
    if broker_rests():
        for row_id in row_ids[:_INLINE_MAX]:
            function(row_id)
        return
    for row_id in row_ids:
        nudge(task, row_id)
