"""Keeps the sandbox's chains alive: deploys, funds, then makes blocks until stopped."""

from __future__ import annotations

import logging
import threading
import time

from django.conf import settings
from django.db import close_old_connections

from apps.domain.errors import SniperError
from apps.sandbox.chainspec import FEED_PORT_OFFSET, ChainSpec, chains_named
from apps.sandbox.deploy import chain_deploy
from apps.sandbox.feeds import FeedServer
from apps.sandbox.life import ChainLife
from apps.sandbox.pace import pace_view
from apps.sandbox.rows import rows_rest, rows_write
from apps.sandbox.rpc import SandboxRpc
from apps.sandbox.store import Store, recall
from apps.wallets.services.wallets import sandbox_wallet_prepare

logger = logging.getLogger(__name__)
_RETRY_S = 1.0


class Driver:
    """One thread a chain; a chain that does not answer holds up no other."""

    def __init__(self, *, seed: int) -> None:
        self.seed = seed
        self.specs = chains_named(settings.ENV.sandbox_chains)
        self.stopping = threading.Event()
        self.lives: dict[str, ChainLife] = {}
        self._store = Store(on_end=self.stopping.set)
        self._ready = {spec.key: threading.Event() for spec in self.specs}

    def run(self) -> None:
        """Run until ``stopping`` is set. The feeds' port opens once every chain is alive: then all is ready."""
        sandbox_wallet_prepare()
        rows_rest(chosen=self.specs)
        self._store.start()
        threads = [
            threading.Thread(target=self._follow, args=(spec,), name=spec.process_name) for spec in self.specs
        ]
        for thread in threads:
            thread.start()
        feeds = None
        try:
            while not self.stopping.is_set() and not all(event.wait(0.1) for event in self._ready.values()):
                pass
            feeds = FeedServer(
                port=settings.ENV.sandbox_port_base + FEED_PORT_OFFSET,
                lives=lambda: tuple(self.lives.values()),
                seed=self.seed,
            )
            feeds.start()
            self.stopping.wait()
        finally:
            self.stopping.set()
            for thread in threads:
                thread.join()
            if feeds is not None:
                feeds.close()
            self._store.close()

    def _follow(self, spec: ChainSpec) -> None:
        try:
            while not self.stopping.is_set():
                try:
                    close_old_connections()
                    life = self._open(spec)
                    self.lives[spec.key] = life
                    self._ready[spec.key].set()
                    logger.info("chain is alive", extra={"chain": spec.key, "head": life.head})
                    self._make_blocks(life)
                except SniperError as error:
                    logger.warning("chain was lost", extra={"chain": spec.key, "error": str(error)})
                    self.stopping.wait(_RETRY_S)
        finally:  # a fault of our own ends the process, and the supervisor starts it afresh
            self.stopping.set()

    def _open(self, spec: ChainSpec) -> ChainLife:
        rpc = SandboxRpc(f"http://127.0.0.1:{spec.port(settings.ENV.sandbox_port_base)}")
        deployment = chain_deploy(spec, rpc)
        fund_trader(spec, rpc)
        rows_write(deployment, seed=self.seed)
        life = ChainLife(at=deployment, rpc=rpc, seed=self.seed)
        life.settle_in()
        self._store.flush()
        earlier, next_number = recall(chain_key=spec.key, head=life.head, seed=self.seed)
        life.resume(earlier, next_number=next_number)
        return life

    def _make_blocks(self, life: ChainLife) -> None:
        block_s = life.at.spec.block_time_ms / 1_000
        due = time.monotonic()
        while not self.stopping.is_set():
            pace = pace_view()
            rate = 0.0 if pace.is_paused else pace.per_second / len(self.specs)
            self._store.put(life.at.spec.key, life.tick(pairs_per_s=rate))
            due = max(
                due + block_s, time.monotonic() - block_s
            )  # behind: no sleep, and no pile of blocks either
            self.stopping.wait(max(0.0, due - time.monotonic()))


def fund_trader(spec: ChainSpec, rpc: SandboxRpc) -> None:
    """Fund the trading wallet once in a chain's life; afterwards the book must explain every coin."""
    address = sandbox_wallet_prepare().address
    balance, nonce = rpc.batch(
        [("eth_getBalance", (address, "latest")), ("eth_getTransactionCount", (address, "latest"))]
    )
    if int(balance, 16) == 0 and int(nonce, 16) == 0:
        rpc.call("anvil_setBalance", address, hex(spec.trader_balance_units * 10**18))
