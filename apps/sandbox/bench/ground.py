"""Local chains for a measurement: the sandbox's contracts, tokens that every rule lets pass, blocks when we say so."""

from __future__ import annotations

import logging
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from math import isqrt
from typing import Any

from celery import current_app
from django.conf import settings
from django.utils import timezone

from apps.domain.errors import PlatformError
from apps.engine import wiring
from apps.engine.blocks import ChainFollower
from apps.sandbox.accounts import Actor, calldata
from apps.sandbox.artifacts import creation_code, own_artifact
from apps.sandbox.bench.lane import Lane
from apps.sandbox.chainspec import CHAINS, ChainSpec
from apps.sandbox.deploy import Deployment, chain_deploy, created_address, pair_code_hash
from apps.sandbox.processes import chain_spec
from apps.sandbox.rows import rows_write
from apps.sandbox.rpc import SandboxRpc
from apps.sandbox.transactions import DEAD, DEADLINE, pool_address
from apps.state.models import Heartbeat
from apps.state.services.config import active_config, config_change
from apps.trading.models import Opportunity, OpportunityStatus, Order
from apps.wallets.services.wallets import sandbox_wallet_prepare

logger = logging.getLogger(__name__)

_START_MAX_S = 20.0
_WORKERS_START_MAX_S, _LOOK_EVERY_S = 60.0, 0.1
_LAUNCHES_PER_BLOCK = 16  # all five steps of each fit in one block
_ETHER = 10**18
_SUPPLY_RAW, _POOLED_RAW = 10**27, 95 * 10**25
#: Of each pool's side in the chain's own coin: what every rule on liquidity lets pass.
_POOL_USD = 30_000
_MAX_FEE_WEI, _TIP_WEI, _BASE_FEE_WEI = 100 * 10**9, 10**9, 10**8
_TRADER_USD = 15_000_000
#: More than a follower looks back on a chain that it never read.
_BLOCKS_OUT_OF_SIGHT = 60


@dataclass(slots=True)
class Ground:
    """One local chain with an exchange. Nothing is mined but by ``mine``."""

    at: Deployment
    rpc: SandboxRpc
    code_hash: str
    launched: int = 0

    @property
    def key(self) -> str:
        """Return the chain's key."""
        return self.at.spec.key

    @property
    def pool_wei(self) -> int:
        """Return what a launch puts into its pool."""
        return _POOL_USD * _ETHER // self.at.spec.native_price_usd

    def mine(self, blocks: int = 1) -> None:
        """Make blocks with what waits."""
        self.rpc.call("anvil_mine", hex(blocks))

    def launch(self, count: int) -> None:
        """Launch so many honest tokens, each by an account of its own, and mine until all of it is in blocks."""
        actors = [
            Actor.of(seed=7, chain_id=self.at.spec.chain_id, label=f"bench{number}")
            for number in range(self.launched, self.launched + count)
        ]
        self.launched += count
        for first in range(0, count, _LAUNCHES_PER_BLOCK):
            self._launch_block(actors[first : first + _LAUNCHES_PER_BLOCK])
        # Full blocks have made gas dear, and dear gas makes entries unworthy.
        self.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(_BASE_FEE_WEI))
        self.mine()

    def _launch_block(self, actors: Sequence[Actor]) -> None:
        self.rpc.batch([("anvil_setBalance", (actor.address, hex(10 * self.pool_wei))) for actor in actors])
        for actor in actors:
            self.rpc.batch([("eth_sendRawTransaction", (raw,)) for raw in self._launch(actor)])
        self.mine()
        counts = self.rpc.batch([("eth_getTransactionCount", (actor.address, "latest")) for actor in actors])
        if any(int(count, 16) != actor.nonce for count, actor in zip(counts, actors, strict=True)):
            raise PlatformError("The bench's tokens were not launched.", remedy="Run it again.")

    def _launch(self, actor: Actor) -> list[str]:
        """Return the signed steps: create, pool, burn the shares, give up the ownership."""
        name = f"Bench {actor.address[2:8]}"
        token = created_address(actor.address, 0)
        pool = pool_address(
            factory=self.at.factory, code_hash=self.code_hash, token=token, other=self.at.wrapped
        )
        create = creation_code(
            own_artifact("StandardToken"), name, actor.address[2:8], 18, _SUPPLY_RAW, self.at.router
        )
        shares = isqrt(_POOLED_RAW * self.pool_wei) - 1_000  # Source: Uniswap v2 whitepaper 3.4
        liquidity = calldata(
            "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
            *(token, _POOLED_RAW, 0, 0, actor.address, DEADLINE),
        )
        steps: tuple[tuple[str | None, bytes, int, int], ...] = (
            (None, create, 0, 4_500_000),
            (token, calldata("approve(address,uint256)", self.at.router, 2**256 - 1), 0, 80_000),
            (self.at.router, liquidity, self.pool_wei, 500_000),
            (pool, calldata("transfer(address,uint256)", DEAD, shares), 0, 100_000),
            (token, calldata("renounceOwnership()"), 0, 100_000),
        )
        return [
            actor.sign(to=to, data=data, value_wei=value, gas=gas, max_fee_wei=_MAX_FEE_WEI, tip_wei=_TIP_WEI)
            for to, data, value, gas in steps
        ]


@contextmanager
def grounds(count: int = len(CHAINS), *, works_here: bool = True) -> Iterator[tuple[Ground, ...]]:
    """Start so many of the sandbox's chains, ready to be traded on, and stop them at the end. Raises PlatformError.

    ``works_here``: messages go nowhere and the bench does the work itself; else workers of their own listen to the broker.
    """
    chosen = CHAINS[:count]
    owner = sandbox_wallet_prepare().address
    if works_here:
        current_app.conf.update(broker_url="memory://")
    with ExitStack() as stack:
        for chain in chosen:
            stack.enter_context(_anvil(chain_spec(settings.ENV, chain)))
        laid = tuple(_lay(chain, owner) for chain in chosen)
        _loosen()
        wiring.forget_ports()
        yield laid


@contextmanager
def _anvil(spec: Mapping[str, Any]) -> Iterator[None]:
    process = subprocess.Popen(spec["argv"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_MAX_S
        while not _answers(int(spec["ready_port"])):
            if process.poll() is not None or time.monotonic() > deadline:
                raise PlatformError(f"{spec['name']} did not start.", remedy="Run 'make setup', then again.")
            time.sleep(0.05)
        yield
    finally:
        process.kill()
        process.wait()


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _lay(spec: ChainSpec, owner: str) -> Ground:
    rpc = SandboxRpc(f"http://127.0.0.1:{spec.port(settings.ENV.sandbox_port_base)}")
    at = chain_deploy(spec, rpc)
    rows_write(at, seed=7)
    rpc.call("anvil_setBalance", owner, hex(_TRADER_USD * _ETHER // spec.native_price_usd))
    rpc.call("anvil_mine", hex(_BLOCKS_OUT_OF_SIGHT))
    return Ground(at=at, rpc=rpc, code_hash=pair_code_hash(at, rpc))


def _loosen() -> None:
    """Let no limit on money stand in the way: what is measured is speed."""
    payload = active_config().config.model_dump(mode="json")
    payload["limits"] |= {
        "open_positions_max": 500,
        "exposure_max_usd": "10000000",
        "position_max_usd": "250",
    }
    payload["gates"] |= {"loss_probability": "warn"}  # it takes a launch without any market for a dead one
    config_change(payload=payload, by="bench", reason="measurement")


def follower_of(ground: Ground) -> ChainFollower:
    """Return what follows the chain in the listener, its exits judged in the caller's own thread."""
    follower = ChainFollower(ground.key, wiring.chain_ports(ground.key), exits=Lane(1))
    follower.begin()
    return follower


def workers_await(names: Sequence[str]) -> None:
    """Return once these processes are at work. Raises PlatformError."""
    wanted = {f"worker/{name}" for name in names if name != "broker"}
    deadline = time.monotonic() + _WORKERS_START_MAX_S
    while missing := wanted - set(Heartbeat.objects.values_list("component", flat=True)):
        if time.monotonic() > deadline:
            raise PlatformError(f"Not at work in time: {', '.join(sorted(missing))}.", remedy="Run it again.")
        time.sleep(_LOOK_EVERY_S)


def messages_forget() -> None:
    """Drop the messages that were sent and that nobody has begun with."""
    with current_app.connection_for_write() as broker, broker.channel() as channel:
        for queue in current_app.amqp.queues.values():
            bound = queue(channel)
            bound.declare()
            bound.purge()


def waiting_opportunities() -> list[int]:
    """Return the opportunities that wait for their evaluation, oldest first."""
    rows = Opportunity.objects.filter(status=OpportunityStatus.WAITING)
    return list(rows.order_by("id").values_list("pk", flat=True))


def created_orders(chain_key: str) -> list[int]:
    """Return the orders of a chain that wait to be carried out, oldest first, their time anew from now on."""
    rows = Order.objects.filter(chain_key=chain_key, status="created").order_by("id")
    rows.update(expires_at=timezone.now() + timedelta(seconds=600))
    return list(rows.values_list("pk", flat=True))


def refusals() -> dict[str, int]:
    """Return why opportunities were passed over, by code."""
    found: dict[str, int] = {}
    for code in Opportunity.objects.exclude(skip_code="").values_list("skip_code", flat=True):
        found[code] = found.get(code, 0) + 1
    return found


def quantiles_of(spent_ms: Sequence[float]) -> dict[str, float | int]:
    """Return p50, p95 and the most of measured times, with their number. Nearest rank, so that a tail shows."""
    ranked = sorted(spent_ms)
    if not ranked:
        return {"count": 0}
    return {
        "count": len(ranked),
        "p50": round(ranked[(len(ranked) - 1) // 2], 2),
        "p95": round(ranked[min(len(ranked) - 1, -(-len(ranked) * 95 // 100) - 1)], 2),
        "max": round(ranked[-1], 2),
    }
