"""Why a balance changed: transfers of the log, the supply before and now, and whether the token still moves."""

from __future__ import annotations

from typing import Any

from apps.chains.evm import abi, parse
from apps.chains.evm.client import EvmClient
from apps.chains.evm.jsonrpc import RpcFault
from apps.domain.errors import BadDataError
from apps.domain.evidence import SeenTransfer, TokenEvidence

#: More than this is not looked through; what is older counts as unknown.
BLOCKS_MAX = 10_000
TRANSFERS_MAX = 500
#: Who is showered with more does not want to hear of each.
TOKENS_MAX = 50
#: Whose senders are looked up.
SENDERS_MAX = 50
_DEAD = "0x000000000000000000000000000000000000dEaD"


class EvmEvidence:
    """Implements EvidenceReader over JSON-RPC."""

    def __init__(self, client: EvmClient) -> None:
        self._client = client

    def token_evidence(self, *, owner: str, token_address: str, first_block: int) -> TokenEvidence:
        """Return what is known about this token and wallet since a block, BLOCKS_MAX at most."""
        head = parse.hex_number(
            self._client.call("eth_blockNumber"), "block number", maximum=parse.UINT64_MAX
        )
        first = max(first_block, head - BLOCKS_MAX, 1)
        padded, supply = abi.address_topic(owner), abi.call(abi.TOTAL_SUPPLY)
        sending = abi.call(abi.TRANSFER, _DEAD, 1)
        asked = {"address": token_address, "fromBlock": hex(first), "toBlock": hex(head)}
        answers = self._client.batch(
            [
                ("eth_getLogs", [asked | {"topics": [abi.TOPIC_TRANSFER, padded]}]),
                ("eth_getLogs", [asked | {"topics": [abi.TOPIC_TRANSFER, None, padded]}]),
                ("eth_call", [{"to": token_address, "data": supply}, hex(first - 1)]),
                ("eth_call", [{"to": token_address, "data": supply}, "latest"]),
                ("eth_call", [{"from": owner, "to": token_address, "data": sending}, "latest"]),
            ]
        )
        return TokenEvidence(
            owner=owner.lower(),
            transfers=None if first > first_block else self._transfers(answers[0], answers[1]),
            supply_before_raw=_number(answers[2]),
            supply_now_raw=_number(answers[3]),
            can_move=_moves(answers[4]),
            first_block=first,
        )

    def tokens_received(self, *, owner: str) -> tuple[str, ...]:
        """Return the tokens whose logs say that something came to the wallet in the last BLOCKS_MAX blocks."""
        head = parse.hex_number(
            self._client.call("eth_blockNumber"), "block number", maximum=parse.UINT64_MAX
        )
        topics = [abi.TOPIC_TRANSFER, None, abi.address_topic(owner)]
        asked = {"fromBlock": hex(max(head - BLOCKS_MAX, 0)), "toBlock": hex(head), "topics": topics}
        [answer] = self._client.batch([("eth_getLogs", [asked])])
        if isinstance(answer, RpcFault):
            return ()
        logs = [
            parse.attempt(parse.log_of, item) for item in parse.items(answer, "logs", maximum=TRANSFERS_MAX)
        ]
        addresses = dict.fromkeys(abi.checksum(log.address) for log in logs if log is not None)
        return tuple(addresses)[:TOKENS_MAX]

    def _transfers(self, going: Any, coming: Any) -> tuple[SeenTransfer, ...] | None:
        if isinstance(going, RpcFault) or isinstance(coming, RpcFault):
            return None
        try:
            entries = [
                *parse.items(going, "logs", maximum=TRANSFERS_MAX),
                *parse.items(coming, "logs", maximum=TRANSFERS_MAX),
            ]
            logs = {(log.tx_hash, log.log_index): log for log in map(parse.log_of, entries)}
            moves = [(log.tx_hash, parse.transfer(log)) for _, log in sorted(logs.items())]
        except BadDataError:
            return None
        senders = self._senders([tx_hash for tx_hash, _ in moves])
        return tuple(
            SeenTransfer(
                tx_hash=tx_hash,
                sender=move.sender.lower(),
                recipient=move.recipient.lower(),
                amount_raw=move.amount_raw,
                sent_by=senders.get(tx_hash, ""),
            )
            for tx_hash, move in moves
        )

    def _senders(self, tx_hashes: list[str]) -> dict[str, str]:
        asked = list(dict.fromkeys(tx_hashes))[:SENDERS_MAX]
        answers = (
            self._client.batch([("eth_getTransactionByHash", [item]) for item in asked]) if asked else []
        )
        found = {}
        for tx_hash, answer in zip(asked, answers, strict=True):
            if isinstance(answer, dict) and isinstance(answer.get("from"), str):
                found[tx_hash] = answer["from"].lower()
        return found


def _number(answer: Any) -> int | None:
    if isinstance(answer, RpcFault):
        return None
    try:
        return parse.word(parse.hex_data(answer, "supply"), 0, "supply")
    except BadDataError:
        return None


def _moves(answer: Any) -> bool | None:
    """Tell whether the transfer went through: no revert, and not the answer false."""
    if isinstance(answer, RpcFault):
        return (
            False if "revert" in answer.message.lower() or answer.code == 3 else None
        )  # 3: geth's code of a revert
    try:
        data = parse.hex_data(answer, "transfer")
    except BadDataError:
        return None
    return not data or any(data)
