"""The Solidly family (Aerodrome, Velodrome V2): two curves, a fee per pool, and a router that takes routes.

Source: the published contracts' specification. The fee is taken off the input first and rounded down; volatile pools hold
x * y, stable ones x^3 * y + y^3 * x with both sides scaled to 18 decimals.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from apps.chains.evm import abi, parse
from apps.chains.evm.dex.uniswap_v2 import (
    APPROVE_GAS_LIMIT,
    UniswapV2PairSource,
    route_checked,
    router_transaction,
)
from apps.domain.market import ChainEvent, ChainProfile, DexProfile
from apps.domain.money import BPS_ONE
from apps.domain.order import OrderIntent, UnsignedTx

WAD = 10**18
#: Newton's steps of the contract; beyond them it reverts.
STEPS_MAX = 255
_UINT256_MAX = 2**256 - 1

TOPIC_POOL_CREATED = abi.topic("PoolCreated(address,address,bool,address,uint256)")
TOPIC_SYNC = abi.topic("Sync(uint256,uint256)")
TOPIC_SWAP = abi.topic("Swap(address,address,uint256,uint256,uint256,uint256)")
GET_FEE = abi.selector("getFee(address,bool)")
_ROUTE = "(address,address,bool,address)[]"
_BUY = abi.selector(f"swapExactETHForTokensSupportingFeeOnTransferTokens(uint256,{_ROUTE},address,uint256)")
_SELL = abi.selector(
    f"swapExactTokensForETHSupportingFeeOnTransferTokens(uint256,uint256,{_ROUTE},address,uint256)"
)


# -- the curves -------------------------------------------------------------------------------------


def amount_out_volatile(
    *, amount_in_raw: int, reserve_in_raw: int, reserve_out_raw: int, fee_bps: int
) -> int:
    """Return what a volatile pool gives, rounded down as its contract does; 0 from an empty pool."""
    assert amount_in_raw >= 0, amount_in_raw
    if reserve_in_raw <= 0 or reserve_out_raw <= 0:
        return 0
    taken = amount_in_raw - amount_in_raw * fee_bps // BPS_ONE
    return taken * reserve_out_raw // (reserve_in_raw + taken)


def amount_out_stable(
    *,
    amount_in_raw: int,
    reserve_in_raw: int,
    reserve_out_raw: int,
    unit_in: int,
    unit_out: int,
    is_in_token0: bool,
    fee_bps: int,
) -> int:
    """Return what a stable pool gives; 0 from an empty pool and where its contract finds no answer and reverts.

    A unit is 10 to the token's decimals.
    """
    assert amount_in_raw >= 0, amount_in_raw
    if reserve_in_raw <= 0 or reserve_out_raw <= 0:
        return 0
    taken = (amount_in_raw - amount_in_raw * fee_bps // BPS_ONE) * WAD // unit_in
    into, out = reserve_in_raw * WAD // unit_in, reserve_out_raw * WAD // unit_out
    units = (unit_in, unit_out) if is_in_token0 else (unit_out, unit_in)
    try:
        left = _solved(taken + into, _invariant(into, out), out, units=units)
    except OverflowError:
        return 0
    if left is None or left > out:
        return 0
    return (out - left) * unit_out // WAD


def _invariant(x: int, y: int) -> int:
    """Return x^3 y + y^3 x of scaled amounts, cut after each product; raise OverflowError where the contract reverts."""
    product = (x * y // WAD) * (x * x // WAD + y * y // WAD)
    if y < 0 or product > _UINT256_MAX:
        raise OverflowError
    return product // WAD


def _slope(x: int, y: int) -> int:
    return 3 * x * (y * y // WAD) // WAD + (x * x // WAD) * x // WAD


def _solved(x: int, target: int, start: int, *, units: tuple[int, int]) -> int | None:
    """Return the y at which the invariant of x and y is the target, as the contract's Newton steps find it."""
    y = start
    for _ in range(STEPS_MAX):
        reached, slope = _invariant(x, y), _slope(x, y)
        if slope == 0:
            return None
        step = abs(target - reached) * WAD // slope
        if reached < target:
            if step == 0:
                # The contract scales once more here, by token0's and token1's units in that order.
                if _invariant(x * WAD // units[0], (y + 1) * WAD // units[1]) > target:
                    return y + 1
                step = 1
            y += step
        else:
            if step == 0:
                if reached == target or _invariant(x, y - 1) < target:
                    return y
                step = 1
            y -= step
            if y < 0:
                return None
    return None


# -- which pools exist ------------------------------------------------------------------------------


class SolidlyPairSource(UniswapV2PairSource):
    """Reads the volatile pools that a factory created; stable ones hold no new tokens and go to ``on_fault``."""

    topic = TOPIC_POOL_CREATED

    def _event(self, log: parse.Log, times_ms: Mapping[int, int]) -> ChainEvent:
        if len(log.topics) != 4 or log.topics[0] != self.topic or len(log.data) != 2 * abi.WORD_BYTES:
            raise parse.bad_data("log has another shape than its event", (log.address, log.topics))
        first, second, stable = (bytes.fromhex(topic[2:]) for topic in log.topics[1:])
        if parse.word(stable, 0, "stable flag", maximum=1):
            raise parse.bad_data("a stable pool is not followed", log.tx_hash)
        return ChainEvent(
            chain_key=self._dex.chain_key,
            dex_key=self._dex.dex_key,
            kind="pair_created",
            pool_address=abi.checksum(parse.word_address(log.data, 0, "pool address")),
            token0=abi.checksum(parse.word_address(first, 0, "token0")),
            token1=abi.checksum(parse.word_address(second, 0, "token1")),
            block=log.block(times_ms),
            tx_hash=log.tx_hash,
            log_index=log.log_index,
        )


def fee_call(pool: str, *, is_stable: bool) -> str:
    """Return the calldata by which a factory tells a pool's fee in bps; it may change at any time."""
    return abi.call(GET_FEE, pool, int(is_stable))


# -- trading ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SolidlySwapBuilder:
    """Builds approvals and swaps in volatile pools. Implements ``ports.SwapBuilder``; fees are left at zero."""

    profile: ChainProfile
    dex: DexProfile

    def approval(self, intent: OrderIntent, *, nonce: int, allowance_raw: int) -> UnsignedTx | None:
        """Return the approval of exactly what a sell spends, or None when it is a buy or the allowance covers it."""
        if intent.side == "buy" or allowance_raw >= intent.amount_in.raw:
            return None
        return router_transaction(
            self.profile,
            intent,
            purpose="approve",
            nonce=nonce,
            to=intent.amount_in.token.address,
            data=abi.approve_data(spender=self.dex.router, amount_raw=intent.amount_in.raw),
            gas_limit=min(APPROVE_GAS_LIMIT, intent.gas_limit),
        )

    def swap(self, intent: OrderIntent, *, nonce: int, recipient: str, deadline_s: int) -> UnsignedTx:
        """Return the swap, safe for tokens that take a fee; the router reverts after ``deadline_s``, unix time.

        Raises TradingError for a route that leaves the wrapped coin out.
        """
        route_checked(self.profile, intent)
        buys = intent.side == "buy"
        least = abi.word_of(intent.amount_out_min.raw)
        numbers = least if buys else abi.word_of(intent.amount_in.raw) + least
        head_words = 4 if buys else 5
        data = (
            (_BUY if buys else _SELL)
            + numbers
            + abi.word_of(head_words * abi.WORD_BYTES)
            + abi.address_word(recipient)
            + abi.word_of(deadline_s)
            + self._routes(intent.route)
        )
        return router_transaction(
            self.profile,
            intent,
            purpose="swap",
            nonce=nonce,
            to=self.dex.router,
            value_raw=intent.amount_in.raw if buys else 0,
            data=data,
            gas_limit=intent.gas_limit,
        )

    def _routes(self, tokens: Sequence[str]) -> bytes:
        hops = [
            abi.address_word(sold)
            + abi.address_word(bought)
            + abi.word_of(0)  # volatile
            + abi.address_word(self.dex.factory)
            for sold, bought in pairwise(tokens)
        ]
        return abi.word_of(len(hops)) + b"".join(hops)
