"""Aerodrome's published contracts on a local chain: pools, factory and router, compiled from their npm package."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from eth_utils.address import to_checksum_address

from apps.domain.market import DexProfile
from tests.chain_fixtures import NODE_MODULES, ZERO_ADDRESS, Market, calldata, deploy, read
from tests.chains.evm.concentrated_pools import send
from tests.chains.evm.deployment import chain_key

_SCRIPT = Path(__file__).with_name("solidly_sources.cjs")
_PACKAGE = NODE_MODULES / "sphere-mezo-solidity-files" / "package.json"
_COMPILE_MAX_S = 120
_DEADLINE = 2**63
#: Named only to fill arguments that must not be empty.
_NOBODY = "0x000000000000000000000000000000000000c0De"


@dataclass(frozen=True, slots=True)
class SolidlyDex:
    """Addresses are EIP-55."""

    factory: str
    router: str

    @classmethod
    def deploy(cls, market: Market) -> SolidlyDex:
        """Deploy everything beside the market's wrapped coin."""
        rpc, account, code = market.rpc, market.chain.accounts[0], _compiled()
        factory = deploy(rpc, account, code["PoolFactory"], deploy(rpc, account, code["Pool"]))
        registry = deploy(rpc, account, code["FactoryRegistry"], factory, _NOBODY, _NOBODY, _NOBODY)
        router = deploy(
            rpc, account, code["Router"], ZERO_ADDRESS, registry, factory, ZERO_ADDRESS, market.dex.wrapped
        )
        return cls(factory, router)


@cache
def _compiled() -> dict[str, dict[str, Any]]:
    """Return the compiled contracts; the compiler's seconds are spent once for all test processes."""
    if not _PACKAGE.is_file():
        pytest.skip(f"{_PACKAGE} is missing, run make setup")
    key = sha256(_SCRIPT.read_bytes() + _PACKAGE.read_bytes()).hexdigest()[:16]
    kept = NODE_MODULES / ".cache" / f"solidly-{key}.json"
    if not kept.is_file():
        node = shutil.which("node") or str(NODE_MODULES.parent / ".venv" / "bin" / "node")
        told = subprocess.run(
            [node, str(_SCRIPT)], capture_output=True, check=True, text=True, timeout=_COMPILE_MAX_S
        )
        kept.parent.mkdir(exist_ok=True)
        fresh = kept.with_suffix(f".{os.getpid()}")
        fresh.write_text(told.stdout, encoding="utf-8")
        fresh.replace(kept)
    loaded: dict[str, dict[str, Any]] = json.loads(kept.read_text(encoding="utf-8"))
    return loaded


def solidly_profile(market: Market, dex: SolidlyDex) -> DexProfile:
    """Return the deployment as a row would give it."""
    return DexProfile(
        chain_key=chain_key(market),
        dex_key="aerodrome",
        kind="solidly",
        name="Local Aerodrome",
        factory=dex.factory,
        router=dex.router,
        fee_bps=30,
    )


def add_liquidity(
    market: Market, dex: SolidlyDex, token: str, *, token_amount: int, native_amount: int
) -> str:
    """Fill the volatile pool of token and wrapped coin, which is created where there is none; return its address."""
    account = market.chain.accounts[0]
    send(market.rpc, account, token, calldata("approve(address,uint256)", dex.router, 2**256 - 1))
    data = calldata(
        "addLiquidityETH(address,bool,uint256,uint256,uint256,address,uint256)",
        *(token, False, token_amount, 0, 0, account.address, _DEADLINE),
    )
    send(market.rpc, account, dex.router, data, value=native_amount)
    found = read(
        market.rpc,
        dex.factory,
        "getPool(address,address,bool)",
        *(token, market.dex.wrapped, False),
        returns="address",
    )
    return str(to_checksum_address(found))


def set_fee(market: Market, dex: SolidlyDex, pool: str, fee_bps: int) -> None:
    """Give a pool a fee of its own."""
    data = calldata("setCustomFee(address,uint256)", pool, fee_bps)
    send(market.rpc, market.chain.accounts[0], dex.factory, data)
