"""Uniswap V3 on a sandbox chain: the real contracts, and what people do there. A part of the launches opens in it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from math import isqrt

from eth_abi.abi import encode
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from apps.chains.evm.dex import uniswap_v3
from apps.chains.evm.dex.concentrated_liquidity import TICK_MAX
from apps.sandbox.accounts import calldata, selector
from apps.sandbox.artifacts import creation_code, npm_artifact
from apps.sandbox.market.plan import Launch

KIND, DEX_KEY, DEX_NAME = "uniswap_v3", "uniswap_v3", "Uniswap V3"
#: What new tokens' pools mostly take: one percent.
FEE_PIPS, FEE_BPS, TICK_SPACING = 10_000, 100, 200
_REACH = TICK_MAX // TICK_SPACING * TICK_SPACING
_Q96 = 1 << 96
_FACTORY = "@uniswap/v3-core/artifacts/contracts/UniswapV3Factory.sol/UniswapV3Factory.json"
_POOL = "@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json"
_POSITIONS = (
    "@uniswap/v3-periphery/artifacts/contracts/NonfungiblePositionManager.sol/NonfungiblePositionManager.json"
)
_ROUTER = "@uniswap/swap-router-contracts/artifacts/contracts/SwapRouter02.sol/SwapRouter02.json"
_MINT = "(address,address,uint24,int24,int24,uint256,uint256,uint256,uint256,address,uint256)"
_DEADLINE = 2**63
_AMOUNT_MAX = 2**128 - 1
_ZERO = "0x" + "00" * 20
#: By how many transactions the contracts come after the deployer's first.
FACTORY_NONCE, POSITIONS_NONCE, ROUTER_NONCE = 9, 10, 11
SWAP_TOPIC = uniswap_v3.TOPIC_SWAP
LIQUIDITY_TOPICS = uniswap_v3.LIQUIDITY_TOPICS


@dataclass(frozen=True, slots=True, kw_only=True)
class RangedPlaces:
    """Where the exchange is; addresses are EIP-55."""

    factory: str
    positions: str
    router: str


def creation_codes(places: RangedPlaces, *, plain_factory: str, wrapped: str) -> tuple[bytes, ...]:
    """Return what the deployer creates, in the order of the nonces."""
    return (
        creation_code(npm_artifact(_FACTORY)),
        creation_code(npm_artifact(_POSITIONS), places.factory, wrapped, _ZERO),
        creation_code(npm_artifact(_ROUTER), plain_factory, places.factory, places.positions, wrapped),
    )


def pool_address(*, factory: str, token: str, other: str) -> str:
    """Return where the factory puts the pool of two tokens. Source: EIP-1014; PoolAddress of the published contracts."""
    pair = sorted((token, other), key=lambda address: int(address, 16))
    salt = keccak(encode(["address", "address", "uint24"], [*pair, FEE_PIPS]))
    body = b"\xff" + bytes.fromhex(factory[2:]) + salt + _pool_code_hash()
    return str(to_checksum_address(keccak(body)[12:]))


@cache
def _pool_code_hash() -> bytes:
    return bytes(keccak(bytes.fromhex(npm_artifact(_POOL)["bytecode"].removeprefix("0x"))))


# -- what people do ---------------------------------------------------------------------------------


def open_data(
    plan: Launch, *, token: str, wrapped: str, token_raw: int, owners: tuple[tuple[str, int], ...]
) -> bytes:
    """Return calldata of the position manager that makes the pool at the plan's price and fills it over all prices.

    ``owners`` are who gets a position, and of how many bps of the liquidity. The coins go along as value.
    """
    is_first = int(token, 16) < int(wrapped, 16)
    pair = (token, wrapped) if is_first else (wrapped, token)
    amounts = (token_raw, plan.liquidity_wei) if is_first else (plan.liquidity_wei, token_raw)
    price = isqrt((amounts[1] << 192) // amounts[0])
    calls = [
        calldata(
            "createAndInitializePoolIfNecessary(address,address,uint24,uint160)", *(*pair, FEE_PIPS, price)
        )
    ]
    for owner, bps in owners:
        shares = tuple(amount * bps // 10_000 for amount in amounts)
        position = (*pair, FEE_PIPS, -_REACH, _REACH, *shares, 0, 0, owner, _DEADLINE)
        calls.append(selector(f"mint({_MINT})") + encode([_MINT], [position]))
    return _multicall([*calls, calldata("refundETH()")])


def remove_data(*, position: int, liquidity: int, owner: str) -> bytes:
    """Return calldata of the position manager that takes liquidity out and pays it to its owner."""
    less = (position, liquidity, 0, 0, _DEADLINE)
    types = "(uint256,uint128,uint256,uint256,uint256)"
    taken = (position, owner, _AMOUNT_MAX, _AMOUNT_MAX)
    paid = "(uint256,address,uint128,uint128)"
    return _multicall(
        [
            selector(f"decreaseLiquidity({types})") + encode([types], [less]),
            selector(f"collect({paid})") + encode([paid], [taken]),
        ]
    )


def buy_data(*, token: str, wrapped: str, buyer: str, native_wei: int) -> bytes:
    """Return the router's buy at any price."""
    return uniswap_v3.buy_data(
        route=(wrapped, token),
        fees_pips=(FEE_PIPS,),
        amount_in_raw=native_wei,
        amount_out_min_raw=0,
        recipient=buyer,
        deadline_s=_DEADLINE,
    )


def sell_data(*, token: str, wrapped: str, seller: str, raw: int) -> bytes:
    """Return the router's sale at any price."""
    return uniswap_v3.sell_data(
        route=(token, wrapped),
        fees_pips=(FEE_PIPS,),
        amount_in_raw=raw,
        amount_out_min_raw=0,
        recipient=seller,
        deadline_s=_DEADLINE,
    )


def reserves_of(*, sqrt_price_x96: int, liquidity: int, native_is_first: bool) -> tuple[int, int]:
    """Return native coins and tokens of a pool whose liquidity lies over all prices."""
    if sqrt_price_x96 == 0:
        return 0, 0
    first, second = liquidity * _Q96 // sqrt_price_x96, liquidity * sqrt_price_x96 // _Q96
    return (first, second) if native_is_first else (second, first)


def _multicall(calls: list[bytes]) -> bytes:
    return selector("multicall(bytes[])") + encode(["bytes[]"], [calls])
