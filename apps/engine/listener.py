"""One asyncio process for all chains: finds pairs, follows pools, watches positions, sweeps what was left lying.

Each chain has its own WebSocket and two lanes (threads): ``blocks`` reads and registers, ``exits`` sells. A chain that
hangs holds up no other. Blocks are read as ranges from a stored cursor, so a lost connection leaves no gap; the
subscription only says when to look, and brings new pairs a moment earlier.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django.db import close_old_connections

from apps.chains.evm.subscribe import Head, RawLog, subscribe
from apps.domain.errors import NetworkError, SniperError
from apps.engine import blocks, housekeeping, sweep, wiring
from apps.engine.road import guarded
from apps.state.services.heartbeats import beat, lease_release, lease_take
from apps.state.services.incidents import incident_from_error, incident_resolve
from apps.state.services.relay import relay_once

logger = logging.getLogger(__name__)

LEASE_TTL_S = 10
_BEAT_EVERY_S = 3.0
_HOUSE_THREADS = 6  # beat, relay, sweep, broker, chains, and one for incidents
_CHAINS_EVERY_S = 2.0
_RELAY_EVERY_S = 0.1
_SWEEP_EVERY_S = 1.0
_BACKOFF_FIRST_S, _BACKOFF_MAX_S = 0.25, 15.0
_QUEUE_ITEMS_MAX = 5_000  # a full queue drops nothing of worth: blocks are read as ranges
_POLL_EVERY_S = 2.0  # without a WebSocket
#: When no endpoint's subscription stood, blocks are asked for so long before subscriptions are tried again.
_POLL_INSTEAD_S = 30.0
#: A subscription without a new block for so many block times, or so many seconds if that is longer, is given up.
_SILENCE_BLOCKS, _SILENCE_MIN_S = 10, 30.0


@dataclass(slots=True)
class _Chain:
    key: str
    blocks: ThreadPoolExecutor = field(init=False)
    exits: ThreadPoolExecutor = field(init=False)
    turn: int = 0  # which of the endpoints that offer subscriptions is next
    subscriptions_lost: int = 0  # in a row, without a block in between

    def __post_init__(self) -> None:
        self.blocks = ThreadPoolExecutor(1, thread_name_prefix=f"blocks-{self.key}")
        self.exits = ThreadPoolExecutor(1, thread_name_prefix=f"exits-{self.key}")

    def websocket(self, urls: Sequence[str]) -> str:
        """Return the endpoint whose turn it is, "" when each has failed since the last block came."""
        if not urls or self.subscriptions_lost >= len(urls):
            return ""
        return urls[self.turn % len(urls)]

    def lost(self) -> None:
        """Note a subscription that failed: the next endpoint has its turn."""
        self.turn += 1
        self.subscriptions_lost += 1

    def end(self, *, wait: bool) -> None:
        """Take no more work; what has begun is finished."""
        self.blocks.shutdown(wait=wait)
        self.exits.shutdown(wait=wait)


class Listener:
    """Follows all enabled chains until stopped."""

    def __init__(self) -> None:
        self.stopping = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._house = ThreadPoolExecutor(_HOUSE_THREADS, thread_name_prefix="house")
        self._chains: dict[str, _Chain] = {}
        self._followers: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Follow until ``stop`` is called. Raises NetworkError when another listener holds the lease."""
        self._loop = asyncio.get_running_loop()
        await self._take_lease()
        try:
            async with asyncio.TaskGroup() as group:
                stop = group.create_task(self.stopping.wait())
                tasks = [
                    group.create_task(self._keep_following(group)),
                    group.create_task(self._every(_BEAT_EVERY_S, self._beat)),
                    group.create_task(self._every(_RELAY_EVERY_S, relay_once)),
                    group.create_task(self._every(_SWEEP_EVERY_S, sweep.sweep_all)),
                    group.create_task(self._every(_BEAT_EVERY_S, sweep.watch_broker)),
                ]
                await stop
                for task in (*tasks, *self._followers.values()):
                    task.cancel()
        finally:
            for chain in self._chains.values():
                chain.end(wait=True)
            await self._in(
                self._house,
                lambda: lease_release(name=housekeeping.LEASE, holder=housekeeping.process_name()),
            )
            self._house.shutdown(wait=True)

    def stop(self) -> None:
        """Ask the listener to finish what is under way and return."""
        self.stopping.set()

    async def _take_lease(self) -> None:
        holder = housekeeping.process_name()
        deadline = (
            time.monotonic() + LEASE_TTL_S * 1.5
        )  # a predecessor that was killed lets go when its lease expires
        while not await self._in(
            self._house, lambda: lease_take(name=housekeeping.LEASE, holder=holder, ttl_s=LEASE_TTL_S)
        ):
            if time.monotonic() > deadline:
                raise NetworkError(
                    "another listener is at work on this database",
                    remedy="Stop the other instance first ('manage.py up' elsewhere), or give this one its own DEXSNIPER_DATA_DIR.",
                )
            await asyncio.sleep(0.5)

    async def _in(self, pool: ThreadPoolExecutor, function: Callable[[], Any]) -> Any:
        def call() -> Any:
            close_old_connections()
            return function()

        return await asyncio.get_running_loop().run_in_executor(pool, call)

    async def _every(self, seconds: float, function: Callable[[], Any]) -> None:
        """Call forever; a failure is an incident, not an end."""
        name = getattr(function, "__name__", "job").strip("_")

        def once() -> None:
            with guarded(f"listener/{name}"):
                function()

        while True:
            started = time.monotonic()
            await self._in(self._house, once)
            await asyncio.sleep(max(0.0, seconds - (time.monotonic() - started)))

    def _beat(self) -> None:
        if not lease_take(name=housekeeping.LEASE, holder=housekeeping.process_name(), ttl_s=LEASE_TTL_S):
            logger.error("lease was lost to another listener: stopping")
            if self._loop is not None:
                self._loop.call_soon_threadsafe(self.stopping.set)
            return
        beat(component="listener", status=f"{len(self._chains)} chains", stale_after_s=LEASE_TTL_S)

    async def _keep_following(self, group: asyncio.TaskGroup) -> None:
        """Follow a chain from the moment that a person gives it an endpoint until the last one is taken away."""
        keys: set[str] = set()

        def look() -> None:
            with guarded("listener/chains"):
                found = set(housekeeping.followed_chain_keys())  # a failure leaves all as it is
                keys.clear()
                keys.update(found)

        while True:
            await self._in(self._house, look)
            for key in keys - set(self._chains):
                logger.info("chain is followed", extra={"chain": key})
                self._chains[key] = _Chain(key)
                self._followers[key] = group.create_task(self._follow(self._chains[key]))
            for key in set(self._chains) - keys:
                logger.info("chain is no longer followed", extra={"chain": key})
                self._followers.pop(key).cancel()
                self._chains.pop(key).end(wait=False)
            await asyncio.sleep(_CHAINS_EVERY_S)

    # -- one chain ------------------------------------------------------------------------
    async def _follow(self, chain: _Chain) -> None:
        """Follow one chain for ever, reconnecting with back-off."""
        delay_s = _BACKOFF_FIRST_S
        while True:
            started = time.monotonic()
            try:
                await self._follow_once(chain)
            except SniperError as error:
                logger.warning(
                    "chain was lost", extra={"chain": chain.key, "code": error.code, "error": str(error)}
                )
                await self._in(self._house, partial(self._report, chain.key, error))
            except (OSError, TimeoutError) as error:
                logger.warning("chain was lost", extra={"chain": chain.key, "error": type(error).__name__})
            except Exception:
                logger.exception("listener failed on a chain", extra={"chain": chain.key})
                await self._in(self._house, partial(self._report_bug, chain.key))
            if time.monotonic() - started > _BACKOFF_MAX_S:
                delay_s = _BACKOFF_FIRST_S
            # Jitter only spreads reconnections; no decision depends on it.
            await asyncio.sleep(delay_s * random.uniform(0.8, 1.2))  # noqa: S311
            delay_s = min(delay_s * 2, _BACKOFF_MAX_S)
            await self._in(self._house, partial(wiring.forget_ports, chain.key))

    @staticmethod
    def _report(chain_key: str, error: SniperError) -> None:
        incident_from_error(error, dedup_key=f"listener/{chain_key}", severity="warning")

    @staticmethod
    def _report_bug(chain_key: str) -> None:
        with guarded(f"listener/{chain_key}"):
            raise RuntimeError("listener failed")

    async def _follow_once(self, chain: _Chain) -> None:
        ports = await self._in(chain.blocks, lambda: wiring.chain_ports(chain.key))
        worker = await self._in(
            chain.blocks, lambda: blocks.ChainFollower(chain.key, ports, exits=chain.exits)
        )
        await self._in(chain.blocks, worker.begin)
        url = chain.websocket(ports.websocket_urls)
        if not url:
            await self._poll(chain, worker, for_ever=not ports.websocket_urls)
            return
        queue: asyncio.Queue[Head | RawLog | Exception] = asyncio.Queue(_QUEUE_ITEMS_MAX)
        reader = asyncio.create_task(self._read(ports, url, chain, queue))
        try:
            await self._in(chain.blocks, worker.advance)  # closes the gap since the cursor
            await self._recovered(chain)
            while True:
                items = [await queue.get()]
                while not queue.empty():
                    items.append(queue.get_nowait())
                await self._work(chain, worker, items)
        finally:
            reader.cancel()

    async def _poll(self, chain: _Chain, worker: blocks.ChainFollower, *, for_ever: bool) -> None:
        """Ask for blocks, for ever or until subscriptions are worth another try."""
        until = time.monotonic() + _POLL_INSTEAD_S
        while for_ever or time.monotonic() < until:
            await self._in(chain.blocks, worker.advance)
            await self._recovered(chain)
            await asyncio.sleep(_POLL_EVERY_S)
        chain.subscriptions_lost = 0

    async def _recovered(self, chain: _Chain) -> None:
        await self._in(self._house, partial(incident_resolve, dedup_key=f"listener/{chain.key}"))

    async def _work(
        self, chain: _Chain, worker: blocks.ChainFollower, items: Sequence[Head | RawLog | Exception]
    ) -> None:
        logs = [item for item in items if isinstance(item, RawLog)]
        if logs:
            await self._in(chain.blocks, lambda: worker.register_logs(logs))
        if any(isinstance(item, Head) for item in items):
            await self._in(chain.blocks, worker.advance)
        for item in items:
            if isinstance(item, Exception):
                raise item

    @staticmethod
    async def _read(
        ports: wiring.ChainPorts, url: str, chain: _Chain, queue: asyncio.Queue[Head | RawLog | Exception]
    ) -> None:
        """Move the subscription's items to the queue; its end is an item too, so that the worker hears of it."""
        filters = [source.log_filter for source in ports.sources]
        assert ports.profile.chain_id is not None
        stream = subscribe(
            url,
            chain_id=ports.profile.chain_id,
            genesis_hash=ports.profile.genesis_hash,
            addresses=[item["address"] for item in filters],
            topics=sorted({topic for item in filters for topic in item["topics"]}),
            silence_max_s=max(_SILENCE_MIN_S, _SILENCE_BLOCKS * ports.profile.block_time_ms / 1_000),
        )
        try:
            async with aclosing(stream) as items:
                async for item in items:
                    if isinstance(item, Head):
                        chain.subscriptions_lost = 0
                    if queue.full():
                        queue.get_nowait()
                    queue.put_nowait(item)
        except SniperError as error:
            chain.lost()
            await queue.put(error)
