"""Sandbox chains for tests: the real node, started as the system starts it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from apps.domain.errors import NetworkError
from apps.sandbox.chainspec import CHAIN_NAMES_DEFAULT, CHAINS, ChainSpec
from apps.sandbox.deploy import chain_deploy
from apps.sandbox.life import ChainLife
from apps.sandbox.processes import sandbox_specs
from apps.sandbox.rpc import SandboxRpc
from tests.chain_fixtures import running_anvil

BASE, BSC, ETHEREUM, POLYGON, ARBITRUM = CHAINS
NODE_OPTIONS = ("--no-mining", "--order", "fees", "--gas-limit", "120000000")
START_MAX_S = 20.0


@contextmanager
def living_chain(spec: ChainSpec, *, seed: int) -> Iterator[ChainLife]:
    """Yield a fresh chain with its exchanges and a market that has not launched anything yet."""
    with running_anvil(chain_id=spec.chain_id, options=NODE_OPTIONS) as node:
        rpc = SandboxRpc(node.url)
        life = ChainLife(at=chain_deploy(spec, rpc), rpc=rpc, seed=seed)
        life.settle_in()
        yield life


@dataclass(frozen=True, kw_only=True)
class Environment:
    """What the sandbox wants to know of the environment."""

    data_dir: Path
    sandbox_port_base: int
    sandbox_chains: tuple[str, ...] = CHAIN_NAMES_DEFAULT


@contextmanager
def started_node(environment: Environment, *, spec: ChainSpec) -> Iterator[subprocess.Popen[bytes]]:
    """Yield the chain's process, started with the supervisor's own command line."""
    child = next(item for item in sandbox_specs(environment) if item["name"] == spec.process_name)
    process = subprocess.Popen(child["argv"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={})
    try:
        _wait_for(SandboxRpc(node_url(environment, spec=spec)))
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def node_url(environment: Environment, *, spec: ChainSpec) -> str:
    return f"http://127.0.0.1:{spec.port(environment.sandbox_port_base)}"


def _wait_for(rpc: SandboxRpc) -> None:
    deadline = time.monotonic() + START_MAX_S
    while True:
        try:
            rpc.call("eth_chainId")
            return
        except NetworkError:
            assert time.monotonic() < deadline
            time.sleep(0.05)
