"""Exports for tax tools: column orders as their makers publish them.

Koinly's universal template: support.koinly.io, "How to create a custom CSV file with your data". CoinTracking: its
CSV import with eleven columns and four optional ones. There gas stands as a line of its own ("Other Fee"), so that it
counts once whether or not a trade's amounts are taken to include their fee.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.money import Token
from apps.trading.logic.csv_text import csv_of, exact, safe_text, usd, utc_text
from apps.trading.logic.disposals import Matching, Method
from apps.trading.logic.movements import Movement

Format = Literal["plain", "koinly", "cointracking"]
FORMATS: tuple[Format, ...] = get_args(Format)
Tokens = Mapping[tuple[str, str], Token]  # by chain and address

KOINLY = (
    "Date",
    "Sent Amount",
    "Sent Currency",
    "Received Amount",
    "Received Currency",
    "Fee Amount",
    "Fee Currency",
    "Net Worth Amount",
    "Net Worth Currency",
    "Label",
    "Description",
    "TxHash",
)
COINTRACKING = (
    "Type",
    "Buy Amount",
    "Buy Currency",
    "Sell Amount",
    "Sell Currency",
    "Fee",
    "Fee Currency",
    "Exchange",
    "Trade-Group",
    "Comment",
    "Date",
    "Liquidity pool (optional)",
    "Tx-ID (optional)",
    "Buy Value in Account Currency (optional)",
    "Sell Value in Account Currency (optional)",
)
PLAIN = (
    "time_utc",
    "kind",
    "chain",
    "wallet",
    "sent_amount",
    "sent_symbol",
    "sent_address",
    "received_amount",
    "received_symbol",
    "received_address",
    "fee_amount",
    "fee_symbol",
    "worth_usd",
    "fee_usd",
    "tx_hash",
    "trace_id",
    "description",
)
LOTS = (
    "state",
    "method",
    "chain",
    "wallet",
    "token_symbol",
    "token_address",
    "quantity",
    "acquired_utc",
    "disposed_utc",
    "cost",
    "proceeds",
    "gain",
    "coin",
    "cost_usd",
    "proceeds_usd",
    "gain_usd",
    "acquired_tx",
    "disposed_tx",
)
_KOINLY_LABELS = {"found": "airdrop", "lost": "lost", "fee": "cost"}
_COINTRACKING_TYPES = {
    "trade": "Trade",
    "deposit": "Deposit",
    "withdrawal": "Withdrawal",
    "found": "Airdrop",
    "lost": "Lost",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class LotsOf:
    """The matching of one token in one wallet."""

    chain_key: str
    wallet_key: str
    token_address: str
    matching: Matching


def trades_csv(movements: Iterable[Movement], *, tokens: Tokens, form: Format, source: str) -> str:
    """Return movements as CSV. ``source`` is what the tools show as the exchange."""
    if form == "koinly":
        return csv_of(KOINLY, (_koinly(item, tokens) for item in movements))
    if form == "cointracking":
        return csv_of(
            COINTRACKING, (row for item in movements for row in _cointracking(item, tokens, source))
        )
    return csv_of(PLAIN, (_plain(item, tokens) for item in movements))


def lots_csv(
    lots: Iterable[LotsOf], *, tokens: Tokens, method: Method, since_ms: int | None, until_ms: int | None
) -> str:
    """Return sold pieces and held rests as CSV; of pieces those disposed of in [since, until), of rests all."""
    rows: list[tuple[str, ...]] = []
    for item in lots:
        token, coin = _token(tokens, item.chain_key, item.token_address), _coin(tokens, item.chain_key)
        fixed = (method, item.chain_key, item.wallet_key, safe_text(token.symbol), item.token_address)
        for piece in item.matching.pieces:
            at = piece.disposal.at_ms
            if (since_ms is not None and at < since_ms) or (until_ms is not None and at >= until_ms):
                continue
            rows.append(
                (
                    "sold",
                    *fixed,
                    exact(piece.quantity_raw, token.decimals),
                    utc_text(piece.acquisition.at_ms),
                    utc_text(at),
                    exact(piece.cost_raw, coin.decimals),
                    exact(piece.proceeds_raw, coin.decimals),
                    exact(piece.gain_raw, coin.decimals),
                    safe_text(coin.symbol),
                    usd(piece.cost_usd_micros),
                    usd(piece.proceeds_usd_micros),
                    usd(piece.gain_usd_micros),
                    _hash_of(piece.acquisition.key),
                    _hash_of(piece.disposal.key),
                )
            )
        rows += (
            (
                "held",
                *fixed,
                exact(rest.quantity_raw, token.decimals),
                utc_text(rest.acquisition.at_ms),
                "",
                exact(rest.cost_raw, coin.decimals),
                "",
                "",
                safe_text(coin.symbol),
                usd(rest.cost_usd_micros),
                "",
                "",
                _hash_of(rest.acquisition.key),
                "",
            )
            for rest in item.matching.rests
        )
    return csv_of(LOTS, rows)


def _koinly(item: Movement, tokens: Tokens) -> tuple[str, ...]:
    sent, received, fee = _sides(item, tokens)
    label = _KOINLY_LABELS.get(item.kind, "")
    if item.kind == "fee":  # gas alone: coins that were sent away as a cost
        sent, fee = fee, ("", "")
    worth = item.fee_usd_micros if item.kind == "fee" else item.usd_micros
    return (
        f"{utc_text(item.at_ms)} UTC",
        *sent,
        *received,
        *fee,
        usd(worth),
        "" if worth is None else "USD",
        label,
        _described(item),
        item.tx_hash,
    )


def _cointracking(item: Movement, tokens: Tokens, source: str) -> list[tuple[str, ...]]:
    sent, received, fee = _sides(item, tokens)
    end = (
        "",
        "",
        source,
        safe_text(item.wallet_key),
        _described(item),
        utc_text(item.at_ms),
        "",
        item.tx_hash,
    )
    rows: list[tuple[str, ...]] = []
    if item.kind != "fee":
        worth = usd(item.usd_micros)
        rows.append(
            (
                _COINTRACKING_TYPES[item.kind],
                *received,
                *sent,
                *end,
                worth if received[0] else "",
                worth if sent[0] else "",
            )
        )
    if item.fee_raw:
        rows.append(("Other Fee", "", "", *fee, *end, "", usd(item.fee_usd_micros)))
    return rows


def _plain(item: Movement, tokens: Tokens) -> tuple[str, ...]:
    sent, received, fee = _sides(item, tokens)
    return (
        utc_text(item.at_ms),
        item.kind,
        item.chain_key,
        safe_text(item.wallet_key),
        *sent,
        item.sent,
        *received,
        item.received,
        *fee,
        usd(item.usd_micros),
        usd(item.fee_usd_micros),
        item.tx_hash,
        item.trace_id,
        safe_text(item.description),
    )


def _sides(item: Movement, tokens: Tokens) -> tuple[tuple[str, str], tuple[str, str], tuple[str, str]]:
    return (
        _amount(item.chain_key, item.sent, item.sent_raw, tokens),
        _amount(item.chain_key, item.received, item.received_raw, tokens),
        _amount(item.chain_key, NATIVE_ADDRESS if item.fee_raw else "", item.fee_raw, tokens),
    )


def _amount(chain_key: str, address: str, raw: int, tokens: Tokens) -> tuple[str, str]:
    if not address:
        return "", ""
    token = _token(tokens, chain_key, address)
    return exact(raw, token.decimals), safe_text(token.symbol) or address


def _described(item: Movement) -> str:
    token = next((one for one in (item.received, item.sent) if one not in ("", NATIVE_ADDRESS)), "")
    return safe_text(f"{item.description} {token}".strip())


def _token(tokens: Tokens, chain_key: str, address: str) -> Token:
    return tokens[chain_key, address]


def _coin(tokens: Tokens, chain_key: str) -> Token:
    return tokens[chain_key, NATIVE_ADDRESS]


def _hash_of(key: str) -> str:
    """Return the transaction out of an acquisition's or disposal's key."""
    return key.partition(":")[2]
