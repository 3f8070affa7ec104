"""What the journal moved through wallets, one line for each event: the ground of every report and export."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from apps.domain.ids import NATIVE_ADDRESS
from apps.trading.logic.disposals import Acquisition, Disposal

MovementKind = Literal["trade", "fee", "deposit", "withdrawal", "found", "lost"]
_KINDS: dict[str, tuple[MovementKind, MovementKind]] = {  # by journal kind: what came, what went
    "deposit": ("deposit", "deposit"),
    "withdrawal": ("withdrawal", "withdrawal"),
    "adjust": ("found", "lost"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """A journal entry's effect on one wallet: signed smallest units by token address."""

    entry_key: str
    kind: str
    at_ms: int
    chain_key: str
    wallet_key: str
    trace_id: str
    description: str
    changes: tuple[tuple[str, int], ...]
    usd_micros: int | None  # of the coin it moved, at booking


@dataclass(frozen=True, slots=True, kw_only=True)
class Movement:
    """One event. ``sent`` and ``received`` are token addresses, "" for nothing; the fee is in the chain's coin.

    ``usd_micros`` is the worth of a trade's coin side, ``fee_usd_micros`` that of its gas; None: no price then.
    """

    kind: MovementKind
    at_ms: int
    chain_key: str
    wallet_key: str
    sent: str
    sent_raw: int
    received: str
    received_raw: int
    fee_raw: int
    usd_micros: int | None
    fee_usd_micros: int | None
    tx_hash: str
    trace_id: str
    description: str


def movements_of(entries: Sequence[EntryFacts]) -> tuple[Movement, ...]:
    """Return the movements of these entries, in the journal's order, lone gas last. Gas is put beside the trade that it paid for.

    Entries that were reversed, and their reversals, are left out: they never happened.
    """
    reversed_keys = {item.entry_key.removeprefix("reversal:") for item in entries if item.kind == "reversal"}
    standing = [item for item in entries if item.kind != "reversal" and item.entry_key not in reversed_keys]
    found: list[Movement] = []
    trades: dict[tuple[str, str, str], int] = {}
    gas: list[EntryFacts] = []
    for entry in standing:
        if entry.kind == "gas":
            gas.append(entry)
            continue
        movement = _movement(entry)
        if movement.kind == "trade":
            trades[entry.chain_key, entry.wallet_key, movement.tx_hash] = len(found)
        found.append(movement)
    for entry in gas:
        place = trades.get((entry.chain_key, entry.wallet_key, _tx_hash(entry)))
        if place is None or found[place].fee_raw:
            found.append(_movement(entry))
            continue
        paid = -sum(raw for _, raw in entry.changes)
        found[place] = replace(found[place], fee_raw=paid, fee_usd_micros=entry.usd_micros)
    return tuple(found)


def wallet_sums(movements: Iterable[Movement]) -> dict[tuple[str, str, str], int]:
    """Return what is left by (chain, wallet, token): the book's balances again, zeros left out."""
    sums: dict[tuple[str, str, str], int] = {}
    for item in movements:
        for token, raw in (
            (item.sent, -item.sent_raw),
            (item.received, item.received_raw),
            (NATIVE_ADDRESS, -item.fee_raw),
        ):
            if raw:
                key = (item.chain_key, item.wallet_key, token)
                sums[key] = sums.get(key, 0) + raw
    return {key: value for key, value in sums.items() if value}


def acquisitions_of(
    movements: Iterable[Movement], *, with_fees: bool
) -> dict[tuple[str, str, str], list[Acquisition]]:
    """Return what came, by (chain, wallet, token). Gas counts as cost where ``with_fees``."""
    found: dict[tuple[str, str, str], list[Acquisition]] = {}
    for number, item in enumerate(movements):
        if item.received in ("", NATIVE_ADDRESS) or not item.received_raw:
            continue
        fee, fee_usd = (item.fee_raw, item.fee_usd_micros) if with_fees else (0, 0)
        is_paid = item.kind == "trade"
        found.setdefault((item.chain_key, item.wallet_key, item.received), []).append(
            Acquisition(
                key=f"{number}:{item.tx_hash}",
                place=number,
                at_ms=item.at_ms,
                quantity_raw=item.received_raw,
                cost_raw=item.sent_raw + fee if is_paid else 0,
                cost_usd_micros=_plus(item.usd_micros, fee_usd if fee else 0, sign=1) if is_paid else 0,
            )
        )
    return found


def disposals_of(
    movements: Iterable[Movement], *, with_fees: bool
) -> dict[tuple[str, str, str], list[Disposal]]:
    """Return what went, by (chain, wallet, token). Gas lessens the proceeds where ``with_fees``."""
    found: dict[tuple[str, str, str], list[Disposal]] = {}
    for number, item in enumerate(movements):
        if item.sent in ("", NATIVE_ADDRESS) or not item.sent_raw:
            continue
        fee, fee_usd = (item.fee_raw, item.fee_usd_micros) if with_fees else (0, 0)
        is_paid = item.kind == "trade"
        found.setdefault((item.chain_key, item.wallet_key, item.sent), []).append(
            Disposal(
                key=f"{number}:{item.tx_hash}",
                place=number,
                at_ms=item.at_ms,
                quantity_raw=item.sent_raw,
                proceeds_raw=item.received_raw - fee if is_paid else 0,
                proceeds_usd_micros=_plus(item.usd_micros, fee_usd if fee else 0, sign=-1) if is_paid else 0,
            )
        )
    return found


def _plus(worth: int | None, fee: int | None, *, sign: int) -> int | None:
    return None if worth is None or fee is None else worth + sign * fee


def _movement(entry: EntryFacts) -> Movement:
    came = [(token, raw) for token, raw in entry.changes if raw > 0]
    went = [(token, -raw) for token, raw in entry.changes if raw < 0]
    assert len(came) <= 1, entry.entry_key
    assert len(went) <= 1, entry.entry_key
    received, received_raw = came[0] if came else ("", 0)
    sent, sent_raw = went[0] if went else ("", 0)
    if entry.kind == "gas":
        return _line(entry, kind="fee", fee_raw=sent_raw)
    kinds = _KINDS.get(entry.kind)
    kind: MovementKind = "trade" if kinds is None else kinds[0 if came else 1]
    return _line(entry, kind=kind, sent=sent, sent_raw=sent_raw, received=received, received_raw=received_raw)


def _line(
    entry: EntryFacts,
    *,
    kind: MovementKind,
    sent: str = "",
    sent_raw: int = 0,
    received: str = "",
    received_raw: int = 0,
    fee_raw: int = 0,
) -> Movement:
    return Movement(
        kind=kind,
        at_ms=entry.at_ms,
        chain_key=entry.chain_key,
        wallet_key=entry.wallet_key,
        sent=sent,
        sent_raw=sent_raw,
        received=received,
        received_raw=received_raw,
        fee_raw=fee_raw,
        usd_micros=None if fee_raw else entry.usd_micros,
        fee_usd_micros=entry.usd_micros if fee_raw else None,
        tx_hash=_tx_hash(entry),
        trace_id=entry.trace_id,
        description=entry.description,
    )


def _tx_hash(entry: EntryFacts) -> str:
    """Return the transaction out of "fill:<hash>:<block>" and "gas:<hash>:<block>", "" for what had none of ours."""
    if entry.kind not in ("fill", "gas"):
        return ""
    return entry.entry_key.split(":", maxsplit=2)[1]
