"""Turns what actors do into calldata, with the addresses known before anything is mined."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from math import isqrt
from typing import Any, Literal

from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from apps.sandbox import ranged
from apps.sandbox.accounts import calldata
from apps.sandbox.artifacts import creation_code, own_artifact
from apps.sandbox.deploy import Deployment
from apps.sandbox.market.plan import Launch, Who

DEADLINE = 2**63
_DAY_S = 86_400
EVER = 2**256 - 1
DEAD = "0x000000000000000000000000000000000000dEaD"
_LOCKED_FOR_EVER = 1_000  # shares that a pool's first provider never gets. Source: Uniswap v2 whitepaper 3.4
GAS_DEPLOY = 4_500_000
GAS_TEXT_BYTE = 900  # 20,000 for a word of storage, and its calldata
GAS_OPEN_POOL = 3_000_000
GAS_OPEN_RANGED = 7_000_000
GAS_LIQUIDITY = 500_000
GAS_SWAP = 400_000
GAS_APPROVE = 80_000
GAS_CALL = 300_000
GAS_GIVE_BASE, GAS_GIVE_EACH = 120_000, 60_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A transaction before its sender signs it."""

    to: str | None
    data: bytes
    gas: int
    value_wei: int = 0


def pool_address(*, factory: str, code_hash: str, token: str, other: str) -> str:
    """Return where the factory puts the pool of two tokens. Source: EIP-1014; UniswapV2Library.pairFor."""
    low, high = sorted((bytes.fromhex(token[2:]), bytes.fromhex(other[2:])))
    body = (
        b"\xff"
        + bytes.fromhex(factory[2:])
        + keccak(low + high)
        + bytes.fromhex(code_hash.removeprefix("0x"))
    )
    return str(to_checksum_address(keccak(body)[12:]))


def passive_holder(token: str, index: int) -> str:
    """Return the address of a holder that never acts: nobody has its key."""
    return str(to_checksum_address(sha256(f"holder:{token}:{index}".encode()).digest()[:20]))


def deploy_call(plan: Launch, at: Deployment, addresses: dict[str, str]) -> Call:
    """Return the token's creation, which opens its pool as well. ``addresses`` are the accounts that it names."""
    arguments = tuple(_resolved(item, addresses) for item in plan.arguments)
    if plan.opens_pool:
        arguments = (plan.name, plan.symbol, plan.decimals, plan.supply_raw, at.router, *arguments)
    code = creation_code(own_artifact(plan.contract), *arguments)
    return Call(to=None, data=code, gas=GAS_DEPLOY + GAS_TEXT_BYTE * _text_bytes(plan))


def minted_raw(plan: Launch) -> int:
    """Return what the owner's call makes out of nothing."""
    assert plan.shut_call is not None
    raw = plan.shut_call[1][-1]
    assert isinstance(raw, int)
    return raw


def grab_calls(*, token: str, pool: str, taker: str, raw: int) -> list[Call]:
    """Return what takes tokens out of a pool and makes the pool believe it."""
    data = calldata("recoverTokens(address,address,uint256)", pool, taker, raw)
    return [Call(to=token, data=data, gas=GAS_CALL), Call(to=pool, data=calldata("sync()"), gas=GAS_CALL)]


def owner_call(plan: Launch, token: str, addresses: dict[str, str]) -> Call:
    """Return the owner's call that ends a launch."""
    assert plan.shut_call is not None
    signature, arguments = plan.shut_call
    data = calldata(signature, *(_resolved(item, addresses) for item in arguments))
    return Call(to=token, data=data, gas=GAS_CALL)


def open_pool_call(at: Deployment, token: str) -> Call:
    """Return the creation of a pool at the factory itself."""
    data = calldata("createPair(address,address)", token, at.wrapped)
    return Call(to=at.factory, data=data, gas=GAS_OPEN_POOL)


def add_liquidity_calls(plan: Launch, at: Deployment, *, token: str, provider: str) -> list[Call]:
    """Return the first liquidity of a launch, which opens its pool where the token did not."""
    if plan.venue == "v3":
        gone_bps = plan.lp_fate_bps if plan.lp_fate == "burn" else 0
        owners = tuple((who, bps) for who, bps in ((DEAD, gone_bps), (provider, 10_000 - gone_bps)) if bps)
        data = ranged.open_data(
            plan, token=token, wrapped=at.wrapped, token_raw=pool_tokens_raw(plan), owners=owners
        )
        return [
            approve_call(token, at.ranged.positions),
            Call(to=at.ranged.positions, data=data, gas=GAS_OPEN_RANGED, value_wei=plan.liquidity_wei),
        ]
    data = calldata(
        "addLiquidityETH(address,uint256,uint256,uint256,address,uint256)",
        *(token, pool_tokens_raw(plan), 0, 0, provider, DEADLINE),
    )
    if plan.opens_pool:
        return [Call(to=at.router, data=data, gas=GAS_LIQUIDITY, value_wei=plan.liquidity_wei)]
    gas = GAS_OPEN_POOL + GAS_LIQUIDITY
    return [
        approve_call(token, at.router),
        Call(to=at.router, data=data, gas=gas, value_wei=plan.liquidity_wei),
    ]


def pool_tokens_raw(plan: Launch) -> int:
    """Return how many tokens go into the pool at first."""
    return plan.supply_raw * plan.pool_share_bps // 10_000


def first_shares_raw(plan: Launch) -> int:
    """Return the pool shares that the first provider receives. Source: UniswapV2Pair.mint."""
    return isqrt(pool_tokens_raw(plan) * plan.liquidity_wei) - _LOCKED_FOR_EVER


def give_calls(plan: Launch, at: Deployment, *, token: str, insiders: tuple[str, ...]) -> list[Call]:
    """Return what gives a young token its holders."""
    receivers = [*insiders, *(passive_holder(token, index) for index in range(len(plan.holders_raw)))]
    amounts = [*(raw for _, raw in plan.insiders), *plan.holders_raw]
    data = calldata("sendToken(address,address[],uint256[])", token, receivers, amounts)
    return [
        approve_call(token, at.batch_sender),
        Call(to=at.batch_sender, data=data, gas=GAS_GIVE_BASE + GAS_GIVE_EACH * len(receivers)),
    ]


def approve_call(token: str, spender: str) -> Call:
    """Return an unlimited allowance."""
    return Call(to=token, data=calldata("approve(address,uint256)", spender, EVER), gas=GAS_APPROVE)


def renounce_call(token: str) -> Call:
    """Return the owner's farewell."""
    return Call(to=token, data=calldata("renounceOwnership()"), gas=GAS_APPROVE)


def burn_shares_call(plan: Launch, pool: str) -> Call:
    """Return what puts pool shares out of reach for ever."""
    raw = first_shares_raw(plan) * plan.lp_fate_bps // 10_000
    return Call(to=pool, data=calldata("transfer(address,uint256)", DEAD, raw), gas=GAS_APPROVE)


def lock_shares_calls(plan: Launch, at: Deployment, *, pool: str, owner: str, today_s: int) -> list[Call]:
    """Return what locks pool shares for the plan's time, counted from the end of the day: the same at every replay."""
    raw = first_shares_raw(plan) * plan.lp_fate_bps // 10_000
    data = calldata("lock(address,uint256,uint64,address)", pool, raw, today_s + _DAY_S + plan.lock_s, owner)
    return [approve_call(pool, at.locker), Call(to=at.locker, data=data, gas=GAS_CALL)]


def buy_call(
    at: Deployment, *, token: str, buyer: str, native_wei: int, venue: Literal["v2", "v3"] = "v2"
) -> Call:
    """Return a buy at any price."""
    if venue == "v3":
        data = ranged.buy_data(token=token, wrapped=at.wrapped, buyer=buyer, native_wei=native_wei)
        return Call(to=at.ranged.router, data=data, gas=GAS_SWAP, value_wei=native_wei)
    data = calldata(
        "swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,address[],address,uint256)",
        *(0, [at.wrapped, token], buyer, DEADLINE),
    )
    return Call(to=at.router, data=data, gas=GAS_SWAP, value_wei=native_wei)


def sell_call(
    at: Deployment, *, token: str, seller: str, raw: int, venue: Literal["v2", "v3"] = "v2"
) -> Call:
    """Return a sale at any price."""
    if venue == "v3":
        data = ranged.sell_data(token=token, wrapped=at.wrapped, seller=seller, raw=raw)
        return Call(to=at.ranged.router, data=data, gas=GAS_SWAP)
    data = calldata(
        "swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,address[],address,uint256)",
        *(raw, 0, [token, at.wrapped], seller, DEADLINE),
    )
    return Call(to=at.router, data=data, gas=GAS_SWAP)


def remove_liquidity_calls(at: Deployment, *, token: str, pool: str, provider: str, raw: int) -> list[Call]:
    """Return what takes pool shares back out."""
    data = calldata(
        "removeLiquidityETHSupportingFeeOnTransferTokens(address,uint256,uint256,uint256,address,uint256)",
        *(token, raw, 0, 0, provider, DEADLINE),
    )
    return [approve_call(pool, at.router), Call(to=at.router, data=data, gas=GAS_LIQUIDITY)]


def remove_ranged_call(at: Deployment, *, position: int, liquidity: int, owner: str) -> Call:
    """Return what takes liquidity out of a position."""
    data = ranged.remove_data(position=position, liquidity=liquidity, owner=owner)
    return Call(to=at.ranged.positions, data=data, gas=GAS_LIQUIDITY)


def fund_call(at: Deployment, receivers: list[str], amounts_wei: list[int]) -> Call:
    """Return what pays many accounts at once."""
    data = calldata("sendNative(address[],uint256[])", receivers, amounts_wei)
    gas = GAS_GIVE_BASE + GAS_GIVE_EACH * len(receivers)
    return Call(to=at.batch_sender, data=data, gas=gas, value_wei=sum(amounts_wei))


def _resolved(item: object, addresses: dict[str, str]) -> Any:
    if isinstance(item, Who):
        return addresses[item.label]
    if isinstance(item, tuple):
        return tuple(_resolved(part, addresses) for part in item)
    return item


def _text_bytes(plan: Launch) -> int:
    """Return how many bytes of text a creation stores: names of any length and raw answers."""
    answers = [part for item in plan.arguments if isinstance(item, tuple) for part in item]
    return len(plan.name.encode()) + sum(len(part) for part in answers if isinstance(part, bytes))
