"""The real Uniswap V4 on a local chain: pool manager, quoter, Permit2 and universal router, with pools of native coin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode

from apps.chains.evm.dex.concentrated_liquidity import sqrt_price_at
from apps.chains.evm.dex.uniswap_v4 import PoolKey
from apps.chains.evm.dex.universal_router import PERMIT2
from apps.domain.market import DexProfile
from tests.chain_fixtures import ZERO_ADDRESS, Market, calldata, deploy, npm_artifact
from tests.chains.evm.concentrated_pools import send
from tests.chains.evm.deployment import chain_key

_OUT = "@uniswap/v4-periphery/foundry-out"
_ROUTER = "@uniswap/universal-router/artifacts/contracts/UniversalRouter.sol/UniversalRouter.json"
_KEY = "(address,address,uint24,int24,address)"
_NO_HASH = b"\0" * 32
_GAS = 3_000_000


@dataclass(frozen=True, slots=True)
class V4Dex:
    """Addresses are EIP-55."""

    manager: str
    quoter: str
    provider: str
    router: str

    @classmethod
    def deploy(cls, market: Market) -> V4Dex:
        """Deploy everything beside the market's wrapped coin; Permit2 gets its real address."""
        rpc, account, wrapped = market.rpc, market.chain.accounts[0], market.dex.wrapped
        manager = deploy(rpc, account, _artifact("PoolManager.sol/PoolManager.default.json"), account.address)
        quoter = deploy(rpc, account, _artifact("V4Quoter.sol/V4Quoter.json"), manager)
        provider = deploy(
            rpc,
            account,
            _artifact("PoolModifyLiquidityTest.sol/PoolModifyLiquidityTest.default.json"),
            manager,
        )
        rpc("anvil_setCode", PERMIT2, _permit2_code())
        parameters = (PERMIT2, wrapped, market.dex.factory, *[ZERO_ADDRESS] * 1, _NO_HASH, _NO_HASH)
        router = deploy(
            rpc,
            account,
            npm_artifact(_ROUTER),
            (*parameters, manager, ZERO_ADDRESS, ZERO_ADDRESS, ZERO_ADDRESS),
        )
        return cls(manager, quoter, provider, router)


def _artifact(path: str) -> dict[str, Any]:
    loaded = npm_artifact(f"{_OUT}/{path}")
    return {"contractName": path, "abi": loaded["abi"], "bytecode": loaded["bytecode"]["object"]}


def _permit2_code() -> str:
    """Return Permit2's own code, which its package carries inside the script that installs it."""
    script = npm_artifact(f"{_OUT}/DeployPermit2.sol/DeployPermit2.json")["deployedBytecode"]["object"]
    found = re.search(r"6040608081526004908136101561001557.*", script)
    assert found is not None
    return "0x" + found.group()


def v4_profile(market: Market, dex: V4Dex) -> DexProfile:
    """Return the deployment as a row would give it."""
    return DexProfile(
        chain_key=chain_key(market),
        dex_key="uniswap_v4",
        kind="uniswap_v4",
        name="Local V4",
        factory=dex.manager,
        router=dex.router,
        fee_bps=30,
    )


def create_pool(market: Market, dex: V4Dex, key: PoolKey, *, tick: int) -> None:
    """Initialise a pool at the price of a tick."""
    data = calldata(f"initialize({_KEY},uint160)", _tuple(key), sqrt_price_at(tick))
    send(market.rpc, market.chain.accounts[0], dex.manager, data)


def add_position(
    market: Market, dex: V4Dex, key: PoolKey, *, ticks: tuple[int, int], liquidity: int, native_max: int
) -> None:
    """Put liquidity between two ticks; the first account pays, what native coins are left come back."""
    account = market.chain.accounts[0]
    for currency in (key.currency0, key.currency1):
        if currency != ZERO_ADDRESS:
            approve = calldata("approve(address,uint256)", dex.provider, 2**256 - 1)
            send(market.rpc, account, currency, approve)
    data = calldata(
        f"modifyLiquidity({_KEY},(int24,int24,int256,bytes32),bytes)",
        _tuple(key),
        (*ticks, liquidity, _NO_HASH),
        b"",
    )
    value = native_max if key.currency0 == ZERO_ADDRESS else 0
    send(market.rpc, account, dex.provider, data, value=value)


def quoted(market: Market, dex: V4Dex, key: PoolKey, *, zero_for_one: bool, amount_in_raw: int) -> int:
    """Return what the exchange's own quoter says."""
    data = calldata(
        f"quoteExactInputSingle(({_KEY},bool,uint128,bytes))", (_tuple(key), zero_for_one, amount_in_raw, b"")
    )
    answer = market.rpc("eth_call", {"to": dex.quoter, "data": data, "gas": hex(_GAS)}, "latest")
    return int(decode(["uint256"], bytes.fromhex(answer[2:66]))[0])


def set_protocol_fee(market: Market, dex: V4Dex, key: PoolKey, *, pips: tuple[int, int]) -> None:
    """Let the protocol take a share of its own, by direction."""
    account = market.chain.accounts[0]
    send(market.rpc, account, dex.manager, calldata("setProtocolFeeController(address)", account.address))
    data = calldata(f"setProtocolFee({_KEY},uint24)", _tuple(key), pips[0] | pips[1] << 12)
    send(market.rpc, account, dex.manager, data)


def _tuple(key: PoolKey) -> tuple[object, ...]:
    return key.currency0, key.currency1, key.fee_pips, key.tick_spacing, key.hooks
