"""Buy, approve and sell without sending anything, by two roads that are hard to fool at once.

By ``eth_call`` with RoundTripSimulator's code at the buyer's address: exact, everywhere, but a token may notice the
code or that both trades share a block. By ``eth_simulateV1`` from the plain account with valid fees, the sell in the
next block: what a real transaction meets. Requests and results only; reader.py sends them.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError

from apps.chains.evm import abi, parse
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.dex import concentrated_liquidity, solidly, uniswap_v3
from apps.chains.evm.dex.constant_product import tax_bps
from apps.chains.evm.dex.family import Family, family_of
from apps.chains.evm.dex.quoting import product_formula
from apps.chains.evm.simulate_script import reason_of
from apps.chains.evm.token_text import plain_text, revert_reason
from apps.domain.concentrated import ConcentratedLiquidity
from apps.domain.errors import BadDataError
from apps.domain.market import PoolReserves, RoundTrip
from apps.domain.money import BPS_ONE

Method = Literal["eth_call", "eth_simulateV1"]
Stage = Literal["bought_and_sold", "buy_failed", "sell_failed", "unavailable"]

#: Gas of each of buy, approve and sell; honest taxed tokens that also sell their taxes stay below 700,000.
LEG_GAS = 2_000_000
#: Gas of the whole injected call: three legs, its quotes and views, and the report.
CALL_GAS = 9_000_000
VIEW_GAS = 250_000
#: Intrinsic gas of a transaction, which the injected legs do not pay.
TRANSACTION_GAS = 21_000
#: A trade's logs that are looked at.
_LOGS_MAX = 500
_DEADLINE_S = 2**40

_ARTIFACT = Path(__file__).parent / "contracts" / "compiled" / "RoundTripSimulator.json"
_REQUEST_TYPE = "(address,address,address[],uint256,uint256,uint256,uint256)"
_SIMULATE = abi.selector(f"simulate({_REQUEST_TYPE})")
_RESULT_TYPE = (
    "(uint8,uint8,bool,uint256,uint256,bool,uint256,uint256,uint256,uint256,uint256,uint256,uint256,bytes)"
)
_STAGE_BOUGHT = 2
#: Failures after which nothing is known: the call lacked gas or coins, or there was no quote.
_UNKNOWN_FAILURES = {
    3: "the simulation was given too little gas",
    4: "the simulation was given too few coins",
    5: "router or pool gave no quote",
}
_FAILURES = {
    1: "reverted",
    2: "used up its gas",
    6: "the token's balance cannot be read",
    7: "nothing arrived",
}

#: What quotes are made from: (token, wrapped) of a constant product, or the ticks of ranged liquidity.
PoolState = tuple[int, int] | ConcentratedLiquidity


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What to simulate: a pool of wrapped coin and token, traded through a router at one block."""

    buyer: str
    pool: str
    router: str
    wrapped: str
    token: str
    amount_in_raw: int
    fee_bps: int
    base_fee_wei: int
    tip_wei: int
    block: str  # height as hex text
    kind: str = "uniswap_v2"  # of the exchange, as its row says
    factory: str = ""  # of the exchange; needed where the router is told it

    @property
    def family(self) -> Family:
        """Return how the exchange's pools are read."""
        return family_of(self.kind)

    @property
    def is_concentrated(self) -> bool:
        """Tell whether liquidity lies in ranges: Uniswap V3 and its kin."""
        return self.family.is_ranged

    @property
    def token_is_first(self) -> bool:
        """Tell whether the token is the pool's token0: pools sort by address."""
        return int(self.token, 16) < int(self.wrapped, 16)

    @property
    def max_fee_wei(self) -> int:
        """Return a fee that stays valid in the next two blocks and is never zero."""
        return 2 * self.base_fee_wei + max(self.tip_wei, 1)

    @property
    def buyer_funds_raw(self) -> int:
        """Return what the buyer is given: the trade and the gas of all legs, no more."""
        return self.amount_in_raw + (CALL_GAS + 2 * VIEW_GAS) * self.max_fee_wei


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainBuy:
    """How the buy of a plain account went: ``received_raw`` is None when it failed or could not be simulated."""

    stage: Stage
    received_raw: int | None
    detail: str = ""


# -- by injected code -----------------------------------------------------------------------------


def injected_request(plan: Plan) -> Request:
    """Return the eth_call that runs the whole round trip at the buyer's address."""
    arguments = (
        plan.router,
        plan.pool,
        [plan.wrapped, plan.token],
        plan.amount_in_raw,
        BPS_ONE,
        plan.fee_bps,
        LEG_GAS,
    )
    transaction = {
        "from": plan.buyer,
        "to": plan.buyer,
        "data": "0x" + (_SIMULATE + encode([_REQUEST_TYPE], [arguments])).hex(),
        "gas": hex(CALL_GAS),
        "gasPrice": hex(plan.base_fee_wei + max(plan.tip_wei, 1)),
    }
    override = {plan.buyer: {"code": _simulator_code(), "balance": hex(plan.buyer_funds_raw)}}
    return "eth_call", [transaction, plan.block, override]


def injected_result(plan: Plan, answer: Any) -> RoundTrip:
    """Return the round trip that the injected call reports; the injected code knows Uniswap V2's router alone."""
    if not plan.family.is_injectable:
        return unavailable(plan, "eth_call", "pools of this kind are tried in another way")
    if isinstance(answer, RpcFault):
        return unavailable(plan, "eth_call", f"the node did not simulate: {answer.message}")
    try:
        data = parse.hex_data(answer, "simulation report")
        (report,) = decode([_RESULT_TYPE], data)
    except (BadDataError, DecodingError):
        return unavailable(plan, "eth_call", "the simulation's report cannot be read")
    (
        stage,
        failure,
        bought,
        expected,
        received,
        sold_ok,
        sold,
        arrived,
        expected_back,
        back,
        *gas,
        reason,
    ) = report
    if failure in _UNKNOWN_FAILURES:
        return unavailable(plan, "eth_call", _UNKNOWN_FAILURES[failure])
    detail = _FAILURES.get(failure, "")
    if failure == 1:
        detail = revert_reason(bytes(reason))
    if sold_ok:
        reached: Stage = "bought_and_sold"
    else:
        reached = "sell_failed" if bought and stage >= _STAGE_BOUGHT else "buy_failed"
    buy_gas, _, sell_gas = gas
    return RoundTrip(
        amount_in_raw=plan.amount_in_raw,
        sold_share_bps=BPS_ONE,
        sell_delay_blocks=0,
        method="eth_call",
        stage=reached,
        received_raw=received if bought else None,
        returned_raw=back if sold_ok else None,
        buy_tax_bps=tax_bps(expected_raw=expected, received_raw=received) if bought and expected else None,
        sell_tax_bps=_sell_tax(
            expected_raw=expected_back if sold_ok else 0,
            returned_raw=back,
            sold_raw=sold,
            arrived_raw=arrived,
        ),
        buy_gas=buy_gas + _intrinsic_gas(_buy_data(plan)) if bought else None,
        sell_gas=sell_gas + _intrinsic_gas(_sell_data(plan, sold)) if sold_ok else None,
        detail=detail,
    )


# -- from a plain account -------------------------------------------------------------------------


def plain_buy_request(plan: Plan) -> Request:
    """Return the eth_simulateV1 that only buys, to learn how many tokens the plain account would hold."""
    balance = abi.call(abi.BALANCE_OF, plan.buyer)
    calls = [
        _call(plan, to=plan.token, data=balance, gas=VIEW_GAS),
        _buy_call(plan),
        _call(plan, to=plan.token, data=balance, gas=VIEW_GAS),
    ]
    return _simulation(plan, [calls])


def plain_buy_result(answer: Any) -> PlainBuy:
    """Return what the plain account received."""
    if isinstance(answer, RpcFault):
        return PlainBuy(
            stage="unavailable", received_raw=None, detail=f"the node did not simulate: {answer.message}"
        )
    try:
        [[before, buy, after]] = _calls(answer, shape=(3,))
        if not _succeeded(buy):
            return PlainBuy(stage="buy_failed", received_raw=None, detail=reason_of(buy))
        if not (_succeeded(before) and _succeeded(after)):
            return PlainBuy(stage="buy_failed", received_raw=None, detail=_FAILURES[6])
        received = _balance(after) - _balance(before)
    except BadDataError as error:
        return PlainBuy(stage="unavailable", received_raw=None, detail=plain_text(str(error)))
    if received <= 0:
        return PlainBuy(stage="buy_failed", received_raw=None, detail=_FAILURES[7])
    return PlainBuy(stage="bought_and_sold", received_raw=received)


def plain_request(plan: Plan, *, received_raw: int) -> Request:
    """Return the eth_simulateV1 that buys and approves in one block and sells all of it in the next."""
    approve = abi.approve_data(spender=plan.router, amount_raw=received_raw)
    first = [_buy_call(plan), _call(plan, to=plan.token, data="0x" + approve.hex(), gas=LEG_GAS)]
    sell = "0x" + _sell_data(plan, received_raw).hex()
    return _simulation(plan, [first, [_call(plan, to=plan.router, data=sell, gas=LEG_GAS)]])


def plain_result(plan: Plan, answer: Any, *, bought: PlainBuy, reserves: PoolState | None) -> RoundTrip:
    """Return the plain account's round trip. ``reserves`` are those before it; None leaves taxes unknown."""
    if isinstance(answer, RpcFault):
        return unavailable(plan, "eth_simulateV1", f"the node did not simulate: {answer.message}")
    assert bought.received_raw is not None
    try:
        [[buy, approve], [sell]] = _calls(answer, shape=(2, 1))
        if not _succeeded(buy):
            return unavailable(plan, "eth_simulateV1", "two simulations of the same buy disagree")
        legs = _Legs(
            buy_gas=_gas(buy),
            sell_gas=_gas(sell),
            received_raw=bought.received_raw,
            buy_tax=_buy_tax(plan, bought, reserves),
        )
        if not _succeeded(approve):
            return _plain(plan, legs, stage="sell_failed", detail=f"approval: {reason_of(approve)}")
        if not _succeeded(sell):
            return _plain(plan, legs, stage="sell_failed", detail=reason_of(sell))
        returned = _withdrawn(plan, sell)
        after = state_after(
            plan, _last_pool_log(plan, buy), before=reserves if plan.is_concentrated else None
        )
        arrived = arrived_raw(plan, _last_swap_log(plan, sell))
    except BadDataError as error:
        return unavailable(plan, "eth_simulateV1", plain_text(str(error)))
    if returned <= 0:
        return _plain(plan, legs, stage="sell_failed", detail=_FAILURES[7])
    expected = 0 if after is None else quote(plan, after, buys=False, amount_raw=bought.received_raw)
    sell_tax = _sell_tax(
        expected_raw=expected, returned_raw=returned, sold_raw=bought.received_raw, arrived_raw=arrived
    )
    return _plain(plan, legs, stage="bought_and_sold", returned_raw=returned, sell_tax=sell_tax)


def plain_failure(plan: Plan, bought: PlainBuy) -> RoundTrip:
    """Return the round trip that ended at the buy."""
    assert bought.received_raw is None
    return RoundTrip(
        amount_in_raw=plan.amount_in_raw,
        sold_share_bps=BPS_ONE,
        sell_delay_blocks=1,
        method="eth_simulateV1",
        stage=bought.stage,
        received_raw=None,
        returned_raw=None,
        buy_tax_bps=None,
        sell_tax_bps=None,
        buy_gas=None,
        sell_gas=None,
        detail=bought.detail,
    )


def unavailable(plan: Plan, method: Method, detail: str) -> RoundTrip:
    """Return a round trip of which nothing is known, with the reason."""
    return RoundTrip(
        amount_in_raw=plan.amount_in_raw,
        sold_share_bps=BPS_ONE,
        sell_delay_blocks=0 if method == "eth_call" else 1,
        method=method,
        stage="unavailable",
        received_raw=None,
        returned_raw=None,
        buy_tax_bps=None,
        sell_tax_bps=None,
        buy_gas=None,
        sell_gas=None,
        detail=detail,
    )


# -- the pool's state -----------------------------------------------------------------------------


def pool_state(reserves: PoolReserves | None) -> PoolState | None:
    """Return what quotes are made from."""
    if reserves is None:
        return None
    return reserves.concentrated or (reserves.base_raw, reserves.quote_raw)


def quote(plan: Plan, state: PoolState, *, buys: bool, amount_raw: int) -> int:
    """Return what the pool gives, before token taxes."""
    if isinstance(state, ConcentratedLiquidity):
        zero_for_one = buys is not plan.token_is_first
        return concentrated_liquidity.amount_out(state, zero_for_one=zero_for_one, amount_in_raw=amount_raw)
    token, wrapped = state
    formula = product_formula("solidly" if plan.kind == "solidly" else "uniswap_v2")
    return formula(
        amount_in_raw=amount_raw,
        reserve_in_raw=wrapped if buys else token,
        reserve_out_raw=token if buys else wrapped,
        fee_bps=plan.fee_bps,
    )


def state_topics(plan: Plan) -> Sequence[str]:
    """Return the events by which the plan's pool tells its new state."""
    return plan.family.state_topics


def swap_topics(plan: Plan) -> Sequence[str]:
    """Return the events by which the plan's pool tells a swap."""
    return plan.family.swap_topics


def state_after(plan: Plan, log: parse.Log | None, *, before: PoolState | None) -> PoolState | None:
    """Return the state that a pool's event tells; ``before`` without one. Raises BadDataError."""
    if log is None:
        return before
    if plan.is_concentrated:
        return uniswap_v3.state_after(log, before) if isinstance(before, ConcentratedLiquidity) else None
    first, second = solidly.sync(log) if plan.kind == "solidly" else parse.sync(log)
    return (first, second) if plan.token_is_first else (second, first)


def arrived_raw(plan: Plan, log: parse.Log | None) -> int:
    """Return how many tokens reached the pool in a swap; 0 without one. Raises BadDataError."""
    if log is None:
        return 0
    if plan.is_concentrated:
        return max(uniswap_v3.swap_amounts(log)[0 if plan.token_is_first else 1], 0)
    swap = solidly.swap(log) if plan.kind == "solidly" else parse.swap(log)
    return swap.amount0_in if plan.token_is_first else swap.amount1_in


# -- for other plays on the same pool -------------------------------------------------------------


def buy_step_data(plan: Plan, *, recipient: str, amount_raw: int) -> str:
    """Return the hex calldata of a purchase for so many coins through the plan's router."""
    return "0x" + _buy_data(plan, recipient=recipient, amount_raw=amount_raw).hex()


def sell_step_data(plan: Plan, *, recipient: str, amount_raw: int) -> str:
    """Return the hex calldata of a sale through the plan's router."""
    return "0x" + _sell_data(plan, amount_raw, recipient=recipient).hex()


# -- parts ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class _Legs:
    buy_gas: int
    sell_gas: int
    received_raw: int
    buy_tax: int | None


def _plain(
    plan: Plan,
    legs: _Legs,
    *,
    stage: Stage,
    detail: str = "",
    returned_raw: int | None = None,
    sell_tax: int | None = None,
) -> RoundTrip:
    return RoundTrip(
        amount_in_raw=plan.amount_in_raw,
        sold_share_bps=BPS_ONE,
        sell_delay_blocks=1,
        method="eth_simulateV1",
        stage=stage,
        received_raw=legs.received_raw,
        returned_raw=returned_raw,
        buy_tax_bps=legs.buy_tax,
        sell_tax_bps=sell_tax,
        buy_gas=legs.buy_gas,
        sell_gas=None if returned_raw is None else legs.sell_gas,
        detail=detail,
    )


def _buy_tax(plan: Plan, bought: PlainBuy, reserves: PoolState | None) -> int | None:
    if reserves is None or bought.received_raw is None:
        return None
    expected = quote(plan, reserves, buys=True, amount_raw=plan.amount_in_raw)
    return tax_bps(expected_raw=expected, received_raw=bought.received_raw) if expected else None


def _buy_data(plan: Plan, *, recipient: str = "", amount_raw: int | None = None) -> bytes:
    route, to = (plan.wrapped, plan.token), recipient or plan.buyer
    if plan.kind == "solidly":
        return solidly.buy_data(
            factory=plan.factory,
            route=route,
            amount_in_raw=plan.amount_in_raw if amount_raw is None else amount_raw,
            amount_out_min_raw=0,
            recipient=to,
            deadline_s=_DEADLINE_S,
        )
    if not plan.is_concentrated:
        return abi.buy_data(amount_out_min_raw=0, route=route, recipient=to, deadline_s=_DEADLINE_S)
    return uniswap_v3.buy_data(
        route=route,
        fees_pips=(plan.fee_bps * uniswap_v3.PIPS_PER_BPS,),
        amount_in_raw=plan.amount_in_raw if amount_raw is None else amount_raw,
        amount_out_min_raw=0,
        recipient=to,
        deadline_s=_DEADLINE_S,
    )


def _sell_data(plan: Plan, amount_raw: int, *, recipient: str = "") -> bytes:
    route, to = (plan.token, plan.wrapped), recipient or plan.buyer
    if plan.kind == "solidly":
        return solidly.sell_data(
            factory=plan.factory,
            route=route,
            amount_in_raw=amount_raw,
            amount_out_min_raw=0,
            recipient=to,
            deadline_s=_DEADLINE_S,
        )
    if not plan.is_concentrated:
        return abi.sell_data(
            amount_in_raw=amount_raw, amount_out_min_raw=0, route=route, recipient=to, deadline_s=_DEADLINE_S
        )
    return uniswap_v3.sell_data(
        route=route,
        fees_pips=(plan.fee_bps * uniswap_v3.PIPS_PER_BPS,),
        amount_in_raw=amount_raw,
        amount_out_min_raw=0,
        recipient=to,
        deadline_s=_DEADLINE_S,
    )


def _buy_call(plan: Plan) -> dict[str, str]:
    data = "0x" + _buy_data(plan).hex()
    return {**_call(plan, to=plan.router, data=data, gas=LEG_GAS), "value": hex(plan.amount_in_raw)}


def _call(plan: Plan, *, to: str, data: str, gas: int) -> dict[str, str]:
    return {
        "from": plan.buyer,
        "to": to,
        "data": data,
        "gas": hex(gas),
        "maxFeePerGas": hex(plan.max_fee_wei),
        "maxPriorityFeePerGas": hex(max(plan.tip_wei, 1)),
    }


def _simulation(plan: Plan, blocks: list[list[dict[str, str]]]) -> Request:
    states: list[dict[str, Any]] = [{"calls": calls} for calls in blocks]
    states[0]["stateOverrides"] = {plan.buyer: {"balance": hex(plan.buyer_funds_raw)}}
    return "eth_simulateV1", [{"blockStateCalls": states, "validation": True}, plan.block]


def _calls(answer: Any, *, shape: tuple[int, ...]) -> list[list[dict[str, Any]]]:
    blocks = parse.items(answer, "simulated blocks", maximum=len(shape))
    calls = [
        list(parse.items(parse.mapping(block, "block").get("calls"), "calls", maximum=8)) for block in blocks
    ]
    if tuple(map(len, calls)) != shape:
        raise parse.bad_data("the simulation has another shape than asked for", answer)
    return calls


def _succeeded(call: Any) -> bool:
    return parse.hex_number(parse.mapping(call, "call").get("status"), "call status", maximum=1) == 1


def _gas(call: dict[str, Any]) -> int:
    return parse.hex_number(call.get("gasUsed"), "gas used", maximum=parse.UINT64_MAX)


def _balance(call: dict[str, Any]) -> int:
    return parse.word(parse.hex_data(call.get("returnData"), "balance"), 0, "balance")


def _withdrawn(plan: Plan, call: dict[str, Any]) -> int:
    """Return the coins that the router unwrapped last, which it pays to the seller."""
    for entry in reversed(parse.items(call.get("logs"), "logs", maximum=_LOGS_MAX)):
        log = parse.log_of(entry)
        if log.address == plan.wrapped.lower() and log.topics and log.topics[0] == abi.TOPIC_WITHDRAWAL:
            return parse.wrapped_move(log).amount_raw
    return 0


def _last_swap_log(plan: Plan, call: dict[str, Any]) -> parse.Log | None:
    return _last_log(plan, call, swap_topics(plan))


def _last_pool_log(plan: Plan, call: dict[str, Any]) -> parse.Log | None:
    return _last_log(plan, call, state_topics(plan))


def _last_log(plan: Plan, call: dict[str, Any], topics: Sequence[str]) -> parse.Log | None:
    for entry in reversed(parse.items(call.get("logs"), "logs", maximum=_LOGS_MAX)):
        log = parse.log_of(entry)
        if log.address == plan.pool.lower() and log.topics and log.topics[0] in topics:
            return log
    return None


def _sell_tax(*, expected_raw: int, returned_raw: int, sold_raw: int, arrived_raw: int) -> int | None:
    """Return the worse of two measures: coins against the quote, and tokens at the pool against those sold.

    A token's fee makes the sell smaller, which gets it a better price: the coins alone show less than the fee.
    """
    if expected_raw <= 0:
        return None
    by_coins = tax_bps(expected_raw=expected_raw, received_raw=returned_raw)
    by_tokens = tax_bps(expected_raw=sold_raw, received_raw=arrived_raw) if arrived_raw > 0 else 0
    return max(by_coins, by_tokens)


def _intrinsic_gas(data: bytes) -> int:
    zeros = data.count(0)
    return TRANSACTION_GAS + 4 * zeros + 16 * (len(data) - zeros)


@lru_cache(maxsize=1)
def _simulator_code() -> str:
    code: str = json.loads(_ARTIFACT.read_text())["deployedBytecode"]
    return code if code.startswith("0x") else "0x" + code
