"""The sandbox's processes: a local chain each, and the driver that makes life on them."""

from __future__ import annotations

import platform
import sys
import time
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol

from apps.domain.errors import ConfigurationError
from apps.sandbox.chainspec import FEED_PORT_OFFSET, ChainSpec, chains_named

_ROOT = Path(__file__).resolve().parent.parent.parent
#: Writing the state holds up the chain for a moment, so not too often; what a kill loses is treated as a reorganisation.
_STATE_INTERVAL_S = 15
_STATES_KEPT = 24  # blocks at which balances and code can still be asked for
_BLOCKS_WITH_TRANSACTIONS = 180  # receipts and logs; what is older is out of the state's file too
_GAS_LIMIT = 120_000_000


class SandboxEnvironment(Protocol):
    """What of the environment concerns the sandbox."""

    @property
    def data_dir(self) -> Path:
        """Return the folder that holds the chains' state."""

    @property
    def sandbox_port_base(self) -> int:
        """Return the first chain's port."""

    @property
    def sandbox_chains(self) -> tuple[str, ...]:
        """Return the names of the chains that run."""


def sandbox_specs(env: SandboxEnvironment) -> list[dict[str, Any]]:
    """Return the fields of one child process each, in starting order."""
    chains = [chain_spec(env, chain) for chain in chains_named(env.sandbox_chains)]
    driver = {
        "name": "sandbox",
        "argv": (sys.executable, str(_ROOT / "manage.py"), "sandbox", "run"),
        "ready_port": env.sandbox_port_base + FEED_PORT_OFFSET,
    }
    return [*chains, driver]


def chain_spec(env: SandboxEnvironment, chain: ChainSpec) -> dict[str, Any]:
    """Return the fields of one chain's process, whether the environment names it or not."""
    folder = env.data_dir / "chains"
    folder.mkdir(parents=True, exist_ok=True)
    port = chain.port(env.sandbox_port_base)
    return {
        "name": chain.process_name,
        "argv": (str(anvil_path()), *_anvil_options(chain, port=port, folder=folder)),
        "ready_port": port,
        "quiet": True,
    }


def anvil_path() -> Path:
    """Return this machine's anvil. Raises ConfigurationError when it is not installed."""
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    package = f"anvil-{platform.system().lower()}-{machine}"
    path = _ROOT / "node_modules" / "@foundry-rs" / package / "bin" / "anvil"
    if not path.is_file():
        raise ConfigurationError(
            f"The local chain's program is missing: {path.relative_to(_ROOT)}",
            remedy="Run 'make setup'. Without it, use DEXSNIPER_MODE=paper with endpoints of your own.",
        )
    return path


def _anvil_options(chain: ChainSpec, *, port: int, folder: Path) -> tuple[str, ...]:
    # The header of block 0 holds nothing else of ours: a gas limit of its own gives each chain of each start a genesis
    # hash of its own, even when two are made in the same second. A chain that is loaded keeps its block 0.
    mark = int.from_bytes(sha256(f"{folder}:{chain.chain_id}:{time.time_ns()}".encode()).digest()[:3], "big")
    return (
        *("--host", "127.0.0.1", "--port", str(port), "--chain-id", str(chain.chain_id)),
        *(
            "--accounts",
            "1",
            "--no-mining",
            "--order",
            "fifo" if chain.ignores_tips else "fees",
            "--gas-limit",
            str(_GAS_LIMIT + mark),
            "--silent",
        ),
        *("--state", str(folder / f"{chain.process_name}.json"), "--state-interval", str(_STATE_INTERVAL_S)),
        *("--prune-history", str(_STATES_KEPT), "--transaction-block-keeper", str(_BLOCKS_WITH_TRANSACTIONS)),
    )
