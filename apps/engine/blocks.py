"""What one new block means for one chain: new pairs, pool activity, exits, settlements, reorganisations.

Runs in the chain's own lane of the listener; everything in it may be repeated.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from django.db import close_old_connections

from apps.chains.evm.subscribe import RawLog
from apps.discovery.logic.ring import RING_BLOCKS_MAX, Footing
from apps.discovery.services.cursors import (
    chain_check,
    cursor_advance,
    cursor_get,
    cursor_rebase,
    hashes_since,
    ring_forget,
)
from apps.discovery.services.listings import listing_of, pairs_withdraw
from apps.discovery.services.pools import activity_store
from apps.domain.errors import Category, Recovery, ReorgError
from apps.domain.market import BlockRef, ChainEvent, Listing
from apps.engine import guard, road, sweep
from apps.engine.nudges import nudge
from apps.engine.watch import pairs_to_follow
from apps.engine.wiring import ChainPorts
from apps.state.services.heartbeats import beat
from apps.state.services.incidents import incident_open
from apps.trading.services.advanced_evaluation import advanced_evaluate
from apps.trading.services.exits import exits_evaluate
from apps.trading.services.guard import GuardLook
from apps.trading.services.settlement import fills_finalise, fills_reverse, fills_verify

logger = logging.getLogger(__name__)

#: Blocks read in one step while catching up.
_STEP_BLOCKS_MAX = 500
#: How far back a chain is read that was never read before: the pools of the last minutes, not its whole past.
_FIRST_LOOK_BACK_BLOCKS = 50
_FOLLOWED_FOR_S = 2.0
#: Bookings of so many times the chain's depth are held against the blocks that were read.
_VERIFIED_DEPTHS = 3
_PRICE_KEPT_S = 5.0


class ChainFollower:
    """Follows one chain from a stored cursor. Used by one thread at a time."""

    def __init__(self, chain_key: str, ports: ChainPorts, *, exits: ThreadPoolExecutor) -> None:
        self.chain_key, self.ports = chain_key, ports
        self._exits = exits
        self._exits_running: Future[None] | None = None
        self._followed: tuple[Listing, ...] = ()
        self._followed_at: float | None = None  # None: to be looked up at the next use
        self._price: int | None = None
        self._price_at = 0.0

    def begin(self) -> None:
        """Find the footing after a start or a reconnection, and ask the chain about every order in flight."""
        head = self.ports.reader.head()
        self._find_footing(head)
        road.recover(self.chain_key)

    def register_logs(self, logs: Sequence[RawLog]) -> None:
        """Register the pairs of subscribed logs, a moment before their block is read as a whole."""
        for source in self.ports.sources:
            factory = source.log_filter["address"].lower()
            events = source.decode_logs([log for log in logs if log.address.lower() == factory])
            if events:
                self._register(events)

    def advance(self) -> None:
        """Read everything from the cursor to the head."""
        head = self.ports.reader.head()
        cursor = self._find_footing(head)
        while cursor.number < head.number:
            last = min(head.number, cursor.number + _STEP_BLOCKS_MAX)
            self._read(cursor.number + 1, last, head)
            newest = head if last == head.number else self._block(last)
            cursor_advance(chain_key=self.chain_key, blocks=self._between(cursor, newest))
            cursor = newest
        self._start_exits(head)
        fills_verify(
            chain_key=self.chain_key,
            since_block=head.number - _VERIFIED_DEPTHS * self.ports.profile.confirmation_depth,
            hashes_of=partial(hashes_since, self.chain_key),
        )
        sweep.settle_chain(self.chain_key)
        fills_finalise(
            chain_key=self.chain_key, head_number=head.number, depth=self.ports.profile.confirmation_depth
        )
        beat(
            component=f"listener/{self.chain_key}",
            status=f"block {head.number}",
            details={"block": head.number, "block_at_ms": head.at_ms},
            stale_after_s=max(15, 10 * self.ports.profile.block_time_ms // 1000),
        )

    # -- reading --------------------------------------------------------------------------
    def _read(self, first: int, last: int, head: BlockRef) -> None:
        for source in self.ports.sources:
            events = source.events(first, last)
            if events:
                self._register(events)
        followed = self._listings()
        if followed:
            reserves, swaps = self.ports.reader.pool_activity(followed, first, last)
            activity_store(
                chain_key=self.chain_key,
                reserves=reserves,
                swaps=swaps,
                quote_price_usd_micros=self._native_price(),
            )

    def _register(self, events: Sequence[ChainEvent]) -> None:
        """Register pairs and follow them at once: their first swaps may lie in the very same blocks."""
        if road.register(self.chain_key, events):
            self._followed_at = None

    def _listings(self) -> tuple[Listing, ...]:
        if self._followed_at is None or time.monotonic() - self._followed_at > _FOLLOWED_FOR_S:
            pairs = pairs_to_follow(self.chain_key)
            self._followed = tuple(listing_of(pair) for pair in pairs)
            self._followed_at = time.monotonic()
        return self._followed

    def _native_price(self) -> int | None:
        if time.monotonic() - self._price_at > _PRICE_KEPT_S:
            self._price = self.ports.reader.quote_price_usd_micros()
            self._price_at = time.monotonic()
        return self._price

    def _between(self, cursor: BlockRef, newest: BlockRef) -> list[BlockRef]:
        """Return the blocks after the cursor up to ``newest``: those that the ring keeps."""
        first = max(cursor.number + 1, newest.number - RING_BLOCKS_MAX)
        if newest.number == first:
            return [newest]
        blocks = [self._block(number) for number in range(first, newest.number)]
        return [*blocks, newest]

    def _block(self, number: int) -> BlockRef:
        block = self.ports.reader.block(number)
        if block is None:
            raise ReorgError(
                "the chain became shorter while it was read", remedy="It is read again by itself."
            )
        return block

    # -- footing --------------------------------------------------------------------------
    def _find_footing(self, head: BlockRef) -> BlockRef:
        """Return the cursor; steps back over a reorganisation and starts anew on a chain that was reset."""
        cursor = cursor_get(chain_key=self.chain_key)
        if cursor is None:
            return self._start_at(max(0, head.number - _FIRST_LOOK_BACK_BLOCKS))
        check = chain_check(
            chain_key=self.chain_key,
            fetch_hash=self._hash_at,
            head_number=head.number,
            genesis_hash=self.ports.profile.genesis_hash,
        )
        if check.footing is Footing.UNBROKEN:
            return cursor
        if check.footing is Footing.RESET:
            return self._reset(check.detail)
        assert check.common is not None
        if check.footing is Footing.BEHIND and not self.ports.profile.is_sandbox:
            return cursor  # a lagging endpoint: nothing to read yet; a sandbox chain has no second opinion
        return self._step_back(check.common, check.detail)

    def _hash_at(self, number: int) -> str | None:
        block = self.ports.reader.block(number)
        return None if block is None else block.hash

    def _start_at(self, number: int) -> BlockRef:
        block = self._block(number)
        cursor_rebase(chain_key=self.chain_key, to=block)
        return block

    def _step_back(self, common: BlockRef, detail: str) -> BlockRef:
        withdrawn = pairs_withdraw(chain_key=self.chain_key, above_block=common.number)
        reversed_orders = fills_reverse(chain_key=self.chain_key, above_block=common.number)
        cursor_rebase(chain_key=self.chain_key, to=common)
        logger.warning("chain was reorganised", extra={"chain": self.chain_key, "common": common.number})
        if reversed_orders or withdrawn:
            incident_open(
                code="REORG",
                category=Category.NETWORK,
                recovery=Recovery.RECONCILE,
                severity="warning",
                title=f"{self.ports.profile.name} was reorganised above block {common.number}",
                detail=f"{detail}; {len(withdrawn)} pairs withdrawn, {len(reversed_orders)} orders reversed",
                remedy="Nothing to do: the orders concerned are settled from the chain again.",
                dedup_key=f"blocks/{self.chain_key}/{common.number}",
            )
        return common

    def _reset(self, detail: str) -> BlockRef:
        pairs_withdraw(chain_key=self.chain_key, above_block=-1)
        reversed_orders = fills_reverse(chain_key=self.chain_key, above_block=-1)
        ring_forget(chain_key=self.chain_key)
        start = self._start_at(0)
        incident_open(
            code="CHAIN_RESET",
            category=Category.NETWORK,
            recovery=Recovery.RECONCILE,
            severity="critical",
            title=f"{self.ports.profile.name} is not the chain that was read before",
            detail=f"{detail}; all its pairs were withdrawn and {len(reversed_orders)} orders reversed",
            remedy=(
                "In the sandbox: expected after 'manage.py sandbox reset'. On a real chain: the endpoint serves another"
                " network; correct it in the admin under Endpoints."
            ),
            dedup_key=f"reset/{self.chain_key}",
        )
        return start

    # -- exits ----------------------------------------------------------------------------
    def _start_exits(self, head: BlockRef) -> None:
        """Look at this chain's positions in the exits' own lane; a block that comes too early is covered by the next."""
        if self._exits_running is None or self._exits_running.done():
            self._exits_running = self._exits.submit(self._evaluate_exits, head)

    def _evaluate_exits(self, head: BlockRef) -> None:
        close_old_connections()
        ports = self.ports.execution
        found = GuardLook()
        with road.guarded(f"guard/{self.chain_key}"):
            found = guard.positions_look(chain_key=self.chain_key, ports=ports, head=head)
        with road.guarded(f"exits/{self.chain_key}"):
            for order_id in exits_evaluate(chain_key=self.chain_key, ports=ports, head=head):
                road.execute(order_id)
        with road.guarded(f"advanced/{self.chain_key}"):
            due = advanced_evaluate(chain_key=self.chain_key, ports=ports, head=head)
            for order_id in due.order_ids:
                road.execute(order_id)
            for opportunity_id in due.opportunity_ids:
                nudge("engine.evaluate", opportunity_id)
        with road.guarded(f"guard/{self.chain_key}"):
            guard.positions_simulate(found=found, chain_key=self.chain_key, ports=ports, head=head)
