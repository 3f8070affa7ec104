"""Who gave many addresses their first coins, asked at once where a node keeps traces.

``trace_filter`` names every payment to an address, those out of contracts included. Nodes without it cannot be asked about
many addresses within reason: then it is unknown, with that reason. Source: OpenEthereum's trace module, which Erigon,
Nethermind, Reth and local chains follow.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.chains.evm import parse
from apps.chains.evm.client import Request, RpcFault
from apps.chains.evm.funding import HUB_NONCE_MIN
from apps.domain.entities import FirstCoins, FundingLink
from apps.domain.errors import BadDataError

Ask = Callable[[Mapping[str, Request]], Mapping[str, Any]]

ADDRESSES_MAX = 120
#: How far back is looked, in so many questions.
LOOKBACK_BLOCKS_MAX, QUESTION_BLOCKS = 10_000, 1_000
PAYMENTS_MAX = 20_000
_PARTS_MAX = 2_000  # of one transaction
_NO_TRACES = "no endpoint of this chain tells who paid whom (trace_filter)"
_OLDER = "its first coins came earlier than was looked back"
_NOTHING = "no payment to it was seen"
_UNREAD = "the payment of its first coins could not be understood"


@dataclass(frozen=True, slots=True)
class _Payment:
    """Coins that came to an address. ``source`` may be a contract that passed them on."""

    target: str
    source: str
    amount_raw: int
    block: int
    tx_hash: str
    is_inner: bool  # out of a contract


def first_coins(addresses: Sequence[str], *, before_block: int, ask: Ask) -> FirstCoins:
    """Return who gave each of these addresses (lower case) its first coins, looking back from a block.

    Takes four round trips whatever their number. Raises NetworkError when no endpoint answers.
    """
    assert len(addresses) <= ADDRESSES_MAX, len(addresses)
    if not addresses:
        return FirstCoins(links=(), unknown={})
    first = max(before_block - LOOKBACK_BLOCKS_MAX + 1, 0)
    payments = _payments(addresses, first=first, last=before_block, ask=ask)
    if isinstance(payments, str):
        return FirstCoins(links=(), unknown=dict.fromkeys(addresses, payments))
    older = _older(addresses, first=first, ask=ask)
    unknown = {address: why for address in addresses if (why := older.get(address, ""))}
    unknown |= {
        address: _NOTHING for address in addresses if address not in unknown and address not in payments
    }
    found = [payment for address, payment in payments.items() if address not in unknown]
    links = _links(found, ask=ask)
    named = {link.target for link in links}
    unknown |= {payment.target: _UNREAD for payment in found if payment.target not in named}
    return FirstCoins(links=links, unknown=unknown)


def _payments(addresses: Sequence[str], *, first: int, last: int, ask: Ask) -> dict[str, _Payment] | str:
    """Return the earliest payment to each address that is seen; a string says why nothing can be seen."""
    requests: dict[str, Request] = {}
    for low in range(first, last + 1, QUESTION_BLOCKS):
        criteria = {
            "fromBlock": hex(low),
            "toBlock": hex(min(last, low + QUESTION_BLOCKS - 1)),
            "toAddress": list(addresses),
        }
        requests[f"{low:020}"] = ("trace_filter", [criteria])
    answers = ask(requests)
    wanted = frozenset(addresses)
    found: dict[str, _Payment] = {}
    seen = 0
    for name in sorted(requests):
        answer = answers[name]
        if isinstance(answer, RpcFault) or not isinstance(answer, list):
            return _NO_TRACES
        seen += len(answer)
        if seen > PAYMENTS_MAX:
            return f"more than {PAYMENTS_MAX} payments came to these addresses"
        for entry in answer:
            payment = _payment(entry)
            if payment is None or payment.target not in wanted:
                continue
            if payment.target not in found or payment.block < found[payment.target].block:
                found[payment.target] = payment
    return found


def _payment(entry: Any) -> _Payment | None:
    """Return a trace as a payment, None when it moved no coins or failed."""
    try:
        fields = parse.mapping(entry, "trace")
        action = parse.mapping(fields.get("action"), "action")
        number = fields.get("blockNumber")
        amount = parse.hex_number(action.get("value"), "value")
        is_call = fields.get("type") == "call" and action.get("callType") == "call"
        if not is_call or amount == 0 or fields.get("error") or not isinstance(number, int):
            return None
        return _Payment(
            target=parse.hex_address(action.get("to"), "target"),
            source=parse.hex_address(action.get("from"), "source"),
            amount_raw=amount,
            block=number,
            tx_hash=parse.hex_hash(fields.get("transactionHash"), "transaction"),
            is_inner=bool(fields.get("traceAddress")),
        )
    except BadDataError:
        return None


def _older(addresses: Sequence[str], *, first: int, ask: Ask) -> dict[str, str]:
    """Return the addresses that had or had spent coins before ``first``, with that reason.

    Where the node keeps no state so old, the first coins within the time looked back stand: they paid for the trade.
    """
    if first == 0:
        return {}
    height = hex(first - 1)
    requests: dict[str, Request] = {}
    for address in addresses:
        requests[f"balance:{address}"] = ("eth_getBalance", [address, height])
        requests[f"nonce:{address}"] = ("eth_getTransactionCount", [address, height])
    answers = ask(requests)
    found: dict[str, str] = {}
    for address in addresses:
        if any(_number(answers[f"{kind}:{address}"]) for kind in ("balance", "nonce")):
            found[address] = _OLDER
    return found


def _number(answer: Any) -> int | None:
    return None if isinstance(answer, RpcFault) else parse.attempt(parse.hex_number, answer, "figure")


# -- who stands behind a payment ----------------------------------------------------------
def _links(payments: Sequence[_Payment], *, ask: Ask) -> tuple[FundingLink, ...]:
    """Return payments as links: behind a contract stands who called it, and how many he paid at once."""
    inner = sorted({payment.tx_hash for payment in payments if payment.is_inner})
    blocks = sorted({payment.block for payment in payments})
    requests: dict[str, Request] = {f"tx:{tx}": ("eth_getTransactionByHash", [tx]) for tx in inner}
    requests |= {f"parts:{tx}": ("trace_transaction", [tx]) for tx in inner}
    requests |= {f"block:{number}": ("eth_getBlockByNumber", [hex(number), False]) for number in blocks}
    answers = ask(requests)
    callers = {tx: _caller(answers[f"tx:{tx}"]) for tx in inner}
    paid = {tx: _paid(answers[f"parts:{tx}"]) for tx in inner}
    times = {number: parse.attempt(parse.block_ref, answers[f"block:{number}"]) for number in blocks}
    sources = {
        payment: callers[payment.tx_hash] if payment.is_inner else payment.source for payment in payments
    }
    hubs = _hubs({source for source in sources.values() if source}, at=max(blocks, default=0), ask=ask)
    found: list[FundingLink] = []
    for payment, source in sources.items():
        block = times[payment.block]
        if source is None or block is None:
            continue
        found.append(
            FundingLink(
                source=source,
                target=payment.target,
                at_ms=block.at_ms,
                amount_raw=payment.amount_raw,
                block=payment.block,
                tx_hash=payment.tx_hash,
                is_hub=source in hubs,
                paid_in_tx=paid.get(payment.tx_hash, 1),
            )
        )
    return tuple(found)


def _caller(answer: Any) -> str | None:
    return (
        parse.attempt(parse.hex_address, answer.get("from"), "sender") if isinstance(answer, dict) else None
    )


def _paid(answer: Any) -> int:
    """Return how many addresses a transaction paid; one that cannot be read counts as paying very many."""
    if not isinstance(answer, list) or len(answer) > _PARTS_MAX:
        return _PARTS_MAX
    payments = (_payment(entry) for entry in answer)
    return max(len({item.target for item in payments if item is not None and item.is_inner}), 1)


def _hubs(sources: set[str], *, at: int, ask: Ask) -> frozenset[str]:
    """Return those who had sent very many transactions; whose count cannot be read counts as such."""
    answers = ask({source: ("eth_getTransactionCount", [source, hex(at)]) for source in sorted(sources)})
    sent = {source: _number(answer) for source, answer in answers.items()}
    return frozenset(source for source, count in sent.items() if count is None or count >= HUB_NONCE_MIN)
