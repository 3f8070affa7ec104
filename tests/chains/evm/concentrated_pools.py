"""Real concentrated pools with random liquidity on a local chain, and what their contracts say of many swaps."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from eth_abi.abi import decode
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from apps.chains.evm.dex.concentrated_liquidity import TICK_MAX, sqrt_price_at
from apps.domain.concentrated import ConcentratedLiquidity
from tests.chain_fixtures import Rpc, calldata, deploy, npm_artifact, read, transact
from tests.chains.evm.contracts import artifact

MAKES = {
    "uniswap": "@uniswap/v3-core/artifacts/contracts/UniswapV3Pool.sol/UniswapV3Pool.json",
    "pancake": "@pancakeswap/v3-core/artifacts/contracts/PancakeV3Pool.sol/PancakeV3Pool.json",
}
SUPPLY = 2**200
_GAS = 30_000_000
_OUTCOME = "(bool,int256,int256,uint160,int24)[]"


@dataclass(frozen=True, slots=True)
class Case:
    """One swap of exact input in one pool."""

    pool: str
    zero_for_one: bool
    amount_in_raw: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the contract did; ``done`` is False where it reverted."""

    done: bool
    taken: int
    given: int
    sqrt_price_x96: int


@dataclass(slots=True)
class PoolLab:
    """Deploys pools and fills them through one driving contract."""

    rpc: Rpc
    account: LocalAccount
    probe: str
    token0: str
    token1: str

    @classmethod
    def open(cls, rpc: Rpc, account: LocalAccount) -> PoolLab:
        """Return a lab with two tokens that its driving contract owns."""
        probe = deploy(rpc, account, artifact("PoolProbe"))
        tokens = []
        for _ in range(2):
            token = deploy(rpc, account, "StableToken", "Sample", "SMPL", 18)
            send(rpc, account, token, calldata("mint(address,uint256)", probe, SUPPLY))
            tokens.append(token)
        first, second = sorted(tokens, key=lambda token: int(token, 16))
        return cls(rpc, account, probe, first, second)

    def bare_pool(self, make: str, *, fee_pips: int, tick_spacing: int) -> str:
        """Return a pool that has no price yet."""
        code = bytes.fromhex(npm_artifact(MAKES[make])["bytecode"].removeprefix("0x"))
        data = calldata(
            "deploy(bytes,address,address,uint24,int24)",
            *(code, self.token0, self.token1, fee_pips, tick_spacing),
        )
        receipt = send(self.rpc, self.account, self.probe, data)
        return str(to_checksum_address("0x" + receipt["logs"][-1]["data"][-40:]))

    def random_pool(
        self, make: str, rng: random.Random, *, fee_pips: int, tick_spacing: int
    ) -> tuple[str, ConcentratedLiquidity]:
        """Return a pool with some random positions and its state."""
        pool = self.bare_pool(make, fee_pips=fee_pips, tick_spacing=tick_spacing)
        near = rng.choice((200, 5_000, 100_000))
        tick = rng.randint(-near, near)
        price = sqrt_price_at(tick) + rng.choice((0, 1, rng.randrange(10**12)))
        send(self.rpc, self.account, pool, calldata("initialize(uint160)", price))
        bounds = self._positions(rng, tick, tick_spacing)
        net: dict[int, int] = {}
        for lower, upper, amount in bounds:
            net[lower] = net.get(lower, 0) + amount
            net[upper] = net.get(upper, 0) - amount
        lowers, uppers, amounts = zip(*bounds, strict=True)
        data = calldata("fill(address,int24[],int24[],uint128[])", pool, lowers, uppers, amounts)
        send(self.rpc, self.account, self.probe, data)
        return pool, state_of(self.rpc, pool, net, fee_pips=fee_pips, tick_spacing=tick_spacing)

    @staticmethod
    def _positions(rng: random.Random, tick: int, spacing: int) -> list[tuple[int, int, int]]:
        most = TICK_MAX // spacing
        found = []
        for number in range(rng.randint(1, 8)):
            width = rng.choice((1, 3, 40, 300, 2_000))
            lower = tick // spacing - rng.randint(0, width) + rng.choice((0, 0, width // 2, -width // 2))
            upper = lower + rng.randint(1, width + 1)
            if number == 0 and rng.random() < 0.5:
                lower, upper = -most, most
            lower, upper = max(lower, -most), min(upper, most)
            if lower < upper:
                found.append(
                    (lower * spacing, upper * spacing, 10 ** rng.randint(3, 24) + rng.randrange(999))
                )
        return found or [(-most * spacing, most * spacing, 10**18)]

    def outcomes(self, cases: Sequence[Case]) -> list[Outcome]:
        """Return what the contracts would do in each case, every one from the same state, by one call."""
        data = calldata(
            "outcomes(address[],bool[],int256[])",
            [case.pool for case in cases],
            [case.zero_for_one for case in cases],
            [case.amount_in_raw for case in cases],
        )
        answer = self.rpc("eth_call", {"to": self.probe, "data": data, "gas": hex(2**40)}, "latest")
        found = []
        for case, (done, amount0, amount1, price, _) in zip(
            cases, decode([_OUTCOME], bytes.fromhex(answer[2:]))[0], strict=True
        ):
            taken, given = (amount0, -amount1) if case.zero_for_one else (amount1, -amount0)
            found.append(Outcome(done, taken, given, price))
        return found

    def ticks_at(self, pool: str, prices: Sequence[int]) -> list[int]:
        """Return the ticks that a pool without a price finds for these root prices."""
        data = calldata("ticksAt(address,uint160[])", pool, list(prices))
        answer = self.rpc("eth_call", {"to": self.probe, "data": data, "gas": hex(2**40)}, "latest")
        return list(decode(["int24[]"], bytes.fromhex(answer[2:]))[0])


def send(rpc: Rpc, account: LocalAccount, to: str, data: str, *, value: int = 0) -> dict[str, Any]:
    """Send and return the receipt; fail the test when it reverted."""
    receipt = transact(rpc, account, to=to, data=data, value=value, gas=_GAS)
    assert receipt["status"] == "0x1", f"call of {to} reverted: {data[:10]}"
    return receipt


def state_of(
    rpc: Rpc, pool: str, net: dict[int, int], *, fee_pips: int, tick_spacing: int
) -> ConcentratedLiquidity:
    """Return a pool's state: price, tick and liquidity by the contract, the ticks by what was put in."""
    answer = rpc("eth_call", {"to": pool, "data": calldata("slot0()")}, "latest")
    price, tick = decode(["uint160", "int24"], bytes.fromhex(answer[2:130]))
    return ConcentratedLiquidity(
        sqrt_price_x96=price,
        tick=tick,
        liquidity=read(rpc, pool, "liquidity()", returns="uint128"),
        fee_pips=fee_pips,
        tick_spacing=tick_spacing,
        ticks=tuple(sorted((tick, amount) for tick, amount in net.items() if amount)),
        known_from=-(2**23),
        known_to=2**23,
    )
