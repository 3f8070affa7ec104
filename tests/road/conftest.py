"""Chains with the sandbox's contracts, one a module, and the whole system on them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from apps.engine import wiring
from apps.sandbox.chainspec import CHAINS, ChainSpec
from tests.chain_fixtures import running_anvil
from tests.road.driving import Ground, Road, environment_of

BASE, BSC, *_ = CHAINS


@contextmanager
def ground_of(spec: ChainSpec) -> Iterator[Ground]:
    """Run a chain with the sandbox's contracts."""
    with running_anvil(chain_id=spec.chain_id, options=("--order", "fees")) as chain:
        ground = Ground.lay(spec, chain)
        yield ground
        ground.rpc.close()


@pytest.fixture(scope="module")
def base_ground() -> Iterator[Ground]:
    with ground_of(BASE) as ground:
        yield ground


@pytest.fixture(scope="module")
def bsc_ground() -> Iterator[Ground]:
    with ground_of(BSC) as ground:
        yield ground


@pytest.fixture
def installation(transactional_db: None, settings: Any, tmp_path: Path) -> Iterator[Path]:
    """An installation of its own: data folder, keys, ports."""
    environment_of(settings, tmp_path)
    wiring.forget_ports()
    yield tmp_path
    wiring.forget_ports()


@pytest.fixture
def road(base_ground: Ground, installation: Path) -> Road:
    """The system on a Uniswap-like chain, started."""
    return Road(base_ground, installation).start()


@pytest.fixture
def bsc_road(bsc_ground: Ground, installation: Path) -> Road:
    """The system on a Pancake-like chain, started."""
    return Road(bsc_ground, installation).start()
