"""Puts the real exchange contracts on a sandbox chain, the same way at every start."""

from __future__ import annotations

from dataclasses import dataclass

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from apps.chains.evm.data_fee import ARBITRUM_NODE_INTERFACE, OP_STACK_ORACLE
from apps.domain.errors import PlatformError
from apps.domain.market import DataFeeRule
from apps.sandbox import ranged
from apps.sandbox.accounts import Actor, calldata
from apps.sandbox.artifacts import creation_code, npm_artifact, own_artifact
from apps.sandbox.chainspec import ChainSpec
from apps.sandbox.ranged import RangedPlaces
from apps.sandbox.rpc import SandboxRpc

_UNISWAP_PAIR_CODE_HASH = "96e8ac4277198ff8b6f785478aa9a39f403cb768dd02cbee326c3e7da348845f"
_GAS = 8_000_000
_MAX_FEE_WEI, _TIP_WEI = 100 * 10**9, 10**9
_DEADLINE = 2**63
_DEPLOYER_BALANCE_WEI = 10**7 * 10**18
#: Where a rollup of each kind answers about data fees.
_DATA_FEE_PLACES: dict[DataFeeRule, str] = {
    "op_stack": OP_STACK_ORACLE,
    "arbitrum": ARBITRUM_NODE_INTERFACE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where everything is on one sandbox chain. Addresses follow from the deployer's nonces."""

    spec: ChainSpec
    url: str
    genesis_hash: str
    wrapped: str
    factory: str
    router: str
    stable: str
    locker: str
    batch_sender: str
    ranged: RangedPlaces
    is_new: bool


def created_address(sender: str, nonce: int) -> str:
    """Return where a contract created by this transaction lives. Source: Ethereum yellow paper, section 7."""
    address = bytes.fromhex(sender[2:])
    number = b"" if nonce == 0 else nonce.to_bytes((nonce.bit_length() + 7) // 8, "big")
    encoded = number if nonce and nonce < 0x80 else bytes([0x80 + len(number)]) + number
    body = bytes([0x80 + 20]) + address + encoded
    return to_checksum_address(keccak(bytes([0xC0 + len(body)]) + body)[12:])


def chain_deploy(spec: ChainSpec, rpc: SandboxRpc) -> Deployment:
    """Deploy what is not there yet and return where it all is; a chain that has it is left as it is."""
    address = _deployer(spec).address
    genesis, code, ranged_code, chain_id = rpc.batch(
        [
            ("eth_getBlockByNumber", ("0x0", False)),
            ("eth_getCode", (created_address(address, 2), "latest")),
            ("eth_getCode", (created_address(address, ranged.ROUTER_NONCE), "latest")),
            ("eth_chainId", ()),
        ]
    )
    if int(chain_id, 16) != spec.chain_id:
        raise PlatformError(
            f"Port of {spec.name} answers as chain {int(chain_id, 16)}, not {spec.chain_id}.",
            remedy="Another program uses this port: set DEXSNIPER_SANDBOX_PORT_BASE to a free stretch.",
        )
    deployment = Deployment(
        spec=spec,
        url=rpc.url,
        genesis_hash=genesis["hash"],
        wrapped=created_address(address, 0),
        factory=created_address(address, 1),
        router=created_address(address, 2),
        stable=created_address(address, 3),
        locker=created_address(address, 4),
        batch_sender=created_address(address, 5),
        ranged=RangedPlaces(
            factory=created_address(address, ranged.FACTORY_NONCE),
            positions=created_address(address, ranged.POSITIONS_NONCE),
            router=created_address(address, ranged.ROUTER_NONCE),
        ),
        is_new=code == "0x",
    )
    if deployment.is_new:
        _deploy(deployment, rpc)
    if ranged_code == "0x":  # a chain of an older version lacks it
        _deploy_ranged(deployment, rpc)
    if spec.data_fee_rule != "none":  # also on a chain of an older version, which lacks it
        code = own_artifact("RollupDataFee")["deployedBytecode"]
        rpc.call("anvil_setCode", _DATA_FEE_PLACES[spec.data_fee_rule], code)
    return deployment


def _deployer(spec: ChainSpec) -> Actor:
    return Actor.of(seed=0, chain_id=spec.chain_id, label="deployer")


def _deploy(at: Deployment, rpc: SandboxRpc) -> None:
    spec, deployer = at.spec, _deployer(at.spec)
    rpc.call("anvil_setBalance", deployer.address, hex(_DEPLOYER_BALANCE_WEI))
    core = "@uniswap/v2-core/build/UniswapV2Factory.json"
    if spec.flavour == "pancake":
        core = "@pancakeswap-libs/pancake-swap-core/build/PancakeFactory.json"
    _send(rpc, deployer, None, creation_code(npm_artifact("canonical-weth/build/contracts/WETH9.json")))
    _send(rpc, deployer, None, creation_code(npm_artifact(core), deployer.address))
    replace = None
    if spec.flavour == "pancake":  # the router derives pool addresses from its factory's pair code
        replace = (_UNISWAP_PAIR_CODE_HASH, pair_code_hash(at, rpc))
    router = npm_artifact("@uniswap/v2-periphery/build/UniswapV2Router02.json")
    _send(rpc, deployer, None, creation_code(router, at.factory, at.wrapped, replace=replace))
    stable_name = f"{spec.stable_symbol} (sandbox)"
    _send(
        rpc,
        deployer,
        None,
        creation_code(own_artifact("StableToken"), stable_name, spec.stable_symbol, spec.stable_decimals),
    )
    _send(rpc, deployer, None, creation_code(own_artifact("LiquidityLocker")))
    _send(rpc, deployer, None, creation_code(own_artifact("BatchSender")))
    stable_raw = spec.stable_pool_units * spec.native_price_usd * 10**spec.stable_decimals
    _send(rpc, deployer, at.stable, calldata("mint(address,uint256)", deployer.address, stable_raw))
    _send(rpc, deployer, at.stable, calldata("approve(address,uint256)", at.router, 2**256 - 1))
    liquidity = calldata(
        "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
        *(at.stable, stable_raw, 0, 0, deployer.address, _DEADLINE),
    )
    _send(rpc, deployer, at.router, liquidity, value_wei=spec.stable_pool_units * 10**18)


def _deploy_ranged(at: Deployment, rpc: SandboxRpc) -> None:
    deployer = _deployer(at.spec)
    deployer.nonce = ranged.FACTORY_NONCE
    for code in ranged.creation_codes(at.ranged, plain_factory=at.factory, wrapped=at.wrapped):
        _send(rpc, deployer, None, code)


def _send(rpc: SandboxRpc, sender: Actor, to: str | None, data: bytes, *, value_wei: int = 0) -> None:
    """Send, mine and check one transaction."""
    raw = sender.sign(
        to=to, data=data, value_wei=value_wei, gas=_GAS, max_fee_wei=_MAX_FEE_WEI, tip_wei=_TIP_WEI
    )
    tx_hash = rpc.call("eth_sendRawTransaction", raw)
    rpc.call("evm_mine")
    receipt = rpc.call("eth_getTransactionReceipt", tx_hash)
    if receipt is None or receipt["status"] != "0x1":
        raise PlatformError(
            f"{sender.chain_id}: deploying the exchange failed at nonce {sender.nonce - 1}.",
            remedy="Run 'manage.py sandbox reset' and start again.",
        )


def pair_code_hash(at: Deployment, rpc: SandboxRpc) -> str:
    """Return the hash from which this exchange's pool addresses follow, without 0x."""
    if at.spec.flavour == "uniswap":
        return _UNISWAP_PAIR_CODE_HASH
    request = {"to": at.factory, "data": "0x" + calldata("INIT_CODE_PAIR_HASH()").hex()}
    return str(rpc.call("eth_call", request, "latest")).removeprefix("0x")
