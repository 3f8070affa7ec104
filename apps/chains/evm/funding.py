"""Who gave an account its first coins: found by halving, not by scanning.

An account that was once funded has coins, or has spent some of them in a transaction of its own: balance or nonce is above
zero from then on. So the first such block is found with a few reads of old state. Nodes that keep no old state cannot tell;
then it is unknown, with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from apps.chains.evm import abi, parse
from apps.chains.evm.client import Request, RpcFault
from apps.domain.errors import BadDataError
from apps.domain.market import Funding

Ask = Callable[[Mapping[str, Request]], Mapping[str, Any]]

#: Distances back from the launch grow eightfold: 8^9 blocks are 50 years of Ethereum, eight of Base.
DEPTH_STEP, DEPTH_POWERS = 8, 9
#: Heights that are asked in one round after that.
PROBES_PER_ROUND = 15
ROUNDS_MAX = 8
#: An account that has sent so much is an exchange, a bridge or a payer of very many: it says nothing of the launch.
HUB_NONCE_MIN = 500
_TX_PER_BLOCK_MAX = 50_000
_NO_OLD_STATE = "the node keeps no state as old as the account's first coins"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Bracket:
    """The account was still empty at ``empty`` and funded at ``funded``."""

    empty: int
    funded: int


def first_funding(account: str, *, before_block: int, ask: Ask) -> Funding:
    """Return who first gave ``account`` coins, looking back from ``before_block``, at which it had some.

    Takes up to eleven round trips and 250 questions, usually half of that, and one trip of twenty where the node keeps no
    old state. What cannot be told is unknown with its reason. Raises NetworkError when no endpoint answers.
    """
    bracket = _bracket(account, before_block=before_block, ask=ask)
    if isinstance(bracket, str):
        return _unknown(bracket)
    for _ in range(ROUNDS_MAX):
        if bracket.funded - bracket.empty <= 1:
            break
        narrowed = _narrowed(account, bracket, ask=ask)
        if narrowed is None:
            return _unknown(_NO_OLD_STATE)
        bracket = narrowed
    else:
        return _unknown("the account's first coins lie too far back")
    return _payer(account, bracket.funded, ask=ask)


def _unknown(reason: str) -> Funding:
    return Funding(state="unknown", funder="", block_number=None, tx_hash="", reason=reason)


# -- when ---------------------------------------------------------------------------------


def _bracket(account: str, *, before_block: int, ask: Ask) -> _Bracket | str:
    """Return the nearest bracket by growing distances; a string says why there is none."""
    depths = (DEPTH_STEP**power for power in range(DEPTH_POWERS + 1))
    earlier = (before_block - depth for depth in depths if depth < before_block)
    heights = sorted({before_block, *earlier, 0}, reverse=True)
    seen = _funded_at(account, heights, ask=ask)
    funded = before_block
    if seen[before_block] is None:
        return _NO_OLD_STATE
    if seen[before_block] is False:
        return "the account had no coins when it launched"
    for height in heights[1:]:
        state = seen[height]
        if state is None:
            return _NO_OLD_STATE
        if state is False:
            return _Bracket(empty=height, funded=funded)
        funded = height
    return "the account has had coins since the chain's first block"


def _narrowed(account: str, bracket: _Bracket, *, ask: Ask) -> _Bracket | None:
    span = bracket.funded - bracket.empty
    parts = min(PROBES_PER_ROUND, span - 1)
    heights = sorted({bracket.empty + span * number // (parts + 1) for number in range(1, parts + 1)})
    heights = [height for height in heights if bracket.empty < height < bracket.funded]
    seen = _funded_at(account, heights, ask=ask)
    if any(state is None for state in seen.values()):
        return None
    first = next((height for height in heights if seen[height]), bracket.funded)
    last = max((height for height in heights if height < first), default=bracket.empty)
    return _Bracket(empty=last, funded=first)


def _funded_at(account: str, heights: Sequence[int], *, ask: Ask) -> dict[int, bool | None]:
    """Return by height whether the account has or has spent coins; None where the node does not say."""
    requests: dict[str, Request] = {}
    for height in heights:
        requests[f"balance:{height}"] = ("eth_getBalance", [account, hex(height)])
        requests[f"nonce:{height}"] = ("eth_getTransactionCount", [account, hex(height)])
    answers = ask(requests)
    found: dict[int, bool | None] = {}
    for height in heights:
        numbers = [_number(answers[f"{kind}:{height}"]) for kind in ("balance", "nonce")]
        found[height] = True if any(numbers) else None if None in numbers else False
    return found


def _number(answer: Any) -> int | None:
    return None if isinstance(answer, RpcFault) else parse.attempt(parse.hex_number, answer, "figure")


# -- who ----------------------------------------------------------------------------------


def _payer(account: str, number: int, *, ask: Ask) -> Funding:
    block = ask({"block": ("eth_getBlockByNumber", [hex(number), True])})["block"]
    entries = block.get("transactions") if isinstance(block, dict) else None
    if not isinstance(entries, list) or len(entries) > _TX_PER_BLOCK_MAX:
        return _unknown("the node does not give the block with the account's first coins")
    for entry in entries:
        payment = _payment(entry, to=account)
        if payment is not None:
            sender, tx_hash = payment
            state = _kind(sender, number, ask=ask)
            return Funding(
                state=state,
                funder=abi.checksum(sender),
                block_number=number,
                tx_hash=tx_hash,
                reason="" if state == "found" else _HUB_WORDS,
            )
    return _unknown("the first coins came out of a contract, or as a reward: no transaction pays the account")


_HUB_WORDS = "the first coins came from an account that pays very many, as exchanges and bridges do"


def _payment(entry: Any, *, to: str) -> tuple[str, str] | None:
    """Return sender and hash of a transaction that pays ``to``, None when it is none."""
    if (
        not isinstance(entry, dict)
        or not isinstance(entry.get("to"), str)
        or entry["to"].lower() != to.lower()
    ):
        return None
    try:
        if parse.hex_number(entry.get("value"), "value") == 0:
            return None
        return parse.hex_address(entry.get("from"), "sender"), parse.hex_hash(entry.get("hash"), "hash")
    except BadDataError:
        return None


def _kind(sender: str, number: int, *, ask: Ask) -> Literal["found", "hub"]:
    """Tell a person from an account that pays very many; one whose count cannot be read counts as such."""
    sent = _number(ask({"nonce": ("eth_getTransactionCount", [sender, hex(number)])})["nonce"])
    return "hub" if sent is None or sent >= HUB_NONCE_MIN else "found"
