"""EIP-1559 fees for the next block. Prices are wei per gas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from apps.chains.evm import data_fee, parse
from apps.chains.evm.client import EvmClient, Request, RpcFault, RpcFaultError
from apps.domain.market import BaseFeeRule, ChainProfile, FeeQuote

#: Base fee moves by at most 1/8 a block (EIP-1559). Chains with other parameters move less or say so in eth_feeHistory.
BASE_FEE_CHANGE_DENOMINATOR = 8
ELASTICITY = 2
#: The maximum holds through six full blocks in a row: 1.125 ** 6 is just above 2.
BASE_FEE_MARGIN = 2
HISTORY_BLOCKS = 5
#: Paid by most, and paid to stand at the front of a block. Percentiles are of the gas used (eth_feeHistory).
TIP_PERCENTILE, TIP_PERCENTILE_FRONT = 60, 99
#: 1,000,000 gwei. A node that asks for more is wrong, whatever the chain.
GAS_PRICE_MAX_WEI = 10**15
GAS_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FeeFacts:
    """What a node says about prices. ``next_base_fee_wei`` and ``tips_wei`` come from eth_feeHistory and may lack."""

    block_number: int
    base_fee_wei: int  # of the newest block
    gas_used: int
    gas_limit: int
    next_base_fee_wei: int | None = None
    tips_wei: tuple[int, ...] = ()  # of recent blocks that held transactions
    tips_front_wei: tuple[int, ...] = ()  # at the front of the same blocks


def next_base_fee_wei(*, base_fee_wei: int, gas_used: int, gas_limit: int) -> int:
    """Return the base fee of the block after one with these figures. Source: EIP-1559, `validate_block`."""
    target = gas_limit // ELASTICITY
    if target in (0, gas_used):
        return base_fee_wei
    change = base_fee_wei * abs(gas_used - target) // target // BASE_FEE_CHANGE_DENOMINATOR
    return base_fee_wei + max(change, 1) if gas_used > target else base_fee_wei - change


def quote_fees(
    facts: FeeFacts,
    *,
    base_fee_min_wei: int,
    tip_min_wei: int,
    base_fee_rule: BaseFeeRule = "eip1559",
    ignores_tips: bool = False,
) -> FeeQuote:
    """Return fees for the next block: the chain's base fee, a median tip where tips count, room for six blocks."""
    base_fee = max(_base_fee_wei(facts, base_fee_rule), base_fee_min_wei)
    tips = sorted(facts.tips_wei)
    tip = 0 if ignores_tips else max(tips[len(tips) // 2] if tips else 0, tip_min_wei)
    return FeeQuote(
        base_fee_wei=base_fee,
        tip_wei=tip,
        max_fee_wei=BASE_FEE_MARGIN * base_fee + tip,
        block_number=facts.block_number,
        tip_front_wei=0 if ignores_tips else max(facts.tips_front_wei, default=0),
    )


def _base_fee_wei(facts: FeeFacts, rule: BaseFeeRule) -> int:
    """Return the next block's base fee by the chain's rule; where that cannot be followed, the higher of all we know."""
    told = facts.next_base_fee_wei
    if rule == "zero" and facts.base_fee_wei == 0 and not told:
        return 0
    if rule == "told" and told is not None:
        return told
    computed = next_base_fee_wei(
        base_fee_wei=facts.base_fee_wei, gas_used=facts.gas_used, gas_limit=facts.gas_limit
    )
    newest = facts.base_fee_wei if rule == "told" else 0
    return max(computed, told or 0, newest)


def read_fees(client: EvmClient, profile: ChainProfile) -> FeeQuote:
    """Return fees for the next block, from the newest block and, where the node has it, the fee history.

    On a rollup with what a swap's data costs. Raises NetworkError, BadDataError.
    """
    return fees_of(client.batch(fee_requests(profile)), profile)


def fee_requests(profile: ChainProfile) -> list[Request]:
    """Return what to ask for fees: ``fees_of`` takes the answers."""
    return [
        ("eth_getBlockByNumber", ("latest", False)),
        ("eth_feeHistory", (hex(HISTORY_BLOCKS), "latest", [TIP_PERCENTILE, TIP_PERCENTILE_FRONT])),
        *data_fee.requests(profile.data_fee_rule),
    ]


def fees_of(answers: Sequence[Any], profile: ChainProfile) -> FeeQuote:
    """Return the fees that these answers make; without a fee history from the block alone. Raises NetworkError, BadDataError."""
    block, history, *rest = answers
    if isinstance(block, RpcFault):
        raise RpcFaultError(block, method="eth_getBlockByNumber")
    facts = fee_facts(block, None if isinstance(history, RpcFault) else history)
    quote = quote_fees(
        facts,
        base_fee_min_wei=profile.base_fee_min_wei,
        tip_min_wei=profile.tip_min_wei,
        base_fee_rule=profile.base_fee_rule,
        ignores_tips=profile.ignores_tips,
    )
    data = data_fee.data_fee_of(profile.data_fee_rule, rest)
    return replace(quote, data_fee_raw=data.fee_raw, data_gas=data.gas, is_data_fee_known=data.is_known)


def fee_facts(block: object, history: object) -> FeeFacts:
    """Return what a block header and a fee history (None: the node has none) say. Raises BadDataError."""
    header = parse.mapping(block, "block")
    number = parse.hex_number(header.get("number"), "block number", maximum=parse.UINT64_MAX)
    next_base_fee, tips = (
        (None, []) if history is None else _history(parse.mapping(history, "fee history"), number)
    )
    return FeeFacts(
        block_number=number,
        base_fee_wei=_price(header.get("baseFeePerGas"), "base fee"),
        gas_used=parse.hex_number(header.get("gasUsed"), "gas used", maximum=GAS_MAX),
        gas_limit=parse.hex_number(header.get("gasLimit"), "gas limit", maximum=GAS_MAX),
        next_base_fee_wei=next_base_fee,
        tips_wei=tuple(usual for usual, _ in tips),
        tips_front_wei=tuple(front for _, front in tips),
    )


def _history(history: Mapping[str, Any], block_number: int) -> tuple[int | None, list[tuple[int, int]]]:
    """Return the next block's base fee, None when the history ends elsewhere than our block, and recent tips: usual, front."""
    oldest = parse.hex_number(history.get("oldestBlock"), "oldest block", maximum=parse.UINT64_MAX)
    base_fees = parse.items(history.get("baseFeePerGas"), "base fees", maximum=HISTORY_BLOCKS + 1)
    ratios = parse.items(history.get("gasUsedRatio"), "gas used ratios", maximum=HISTORY_BLOCKS)
    rewards = parse.items(history.get("reward") or [], "tips", maximum=HISTORY_BLOCKS)
    is_next_known = bool(base_fees) and oldest + len(base_fees) - 1 == block_number + 1
    tips = [
        _usual_and_front(reward)
        for ratio, reward in zip(ratios, rewards, strict=False)
        if ratio not in (0, None)
    ]
    return _price(base_fees[-1], "next base fee") if is_next_known else None, tips


def _usual_and_front(reward: object) -> tuple[int, int]:
    """Return a block's two tips. A front below the usual is no front."""
    entries: Sequence[object] = parse.items(reward, "tips of a block", maximum=2)
    usual = _price(entries[0] if entries else None, "tip")
    return usual, max(usual, _price(entries[1], "front tip")) if len(entries) > 1 else usual


def _price(value: object, what: str) -> int:
    return parse.hex_number(value, what, maximum=GAS_PRICE_MAX_WEI)
