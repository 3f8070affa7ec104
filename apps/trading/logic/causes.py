"""Why book and chain differ, as far as the evidence tells. What it does not tell is called unknown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from apps.domain.evidence import SeenTransfer, TokenEvidence

CauseName = Literal[
    "airdrop",
    "foreign_transfer_in",
    "foreign_transfer_out",
    "taken",
    "burned",
    "rebase",
    "dust",
    "silent_change",
    "unknown",
]
ZERO = "0x" + "0" * 40
_NOWHERE = frozenset({ZERO, "0x" + "0" * 36 + "dead"})
#: A thousandth of a thousandth of a whole token, of any size, is not worth a word.
_DUST_DECIMALS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """``is_alarming``: somebody may have our key or took what was ours."""

    name: CauseName
    text: str
    is_alarming: bool = False


def cause_of(
    *,
    difference_raw: int,
    decimals: int,
    is_held: bool,
    evidence: TokenEvidence | None,
    own_hashes: frozenset[str],
) -> Cause:
    """Return why a token's balance is ``difference_raw`` (chain less book, not zero) off. ``own_hashes``: our own
    transactions, whose transfers are booked already.
    """
    assert difference_raw != 0
    if evidence is None or evidence.transfers is None:
        return Cause(
            name="unknown", text="The node could not show the token's log since the last comparison."
        )
    foreign = [item for item in evidence.transfers if item.tx_hash not in own_hashes]
    came = [item for item in foreign if item.recipient == evidence.owner != item.sender]
    went = [item for item in foreign if item.sender == evidence.owner != item.recipient]
    balance = sum(item.amount_raw for item in came) - sum(item.amount_raw for item in went)
    if balance == difference_raw and (came or went):
        return _moved_out(went, evidence.owner) if difference_raw < 0 else _moved_in(came, is_held=is_held)
    before, now = evidence.supply_before_raw, evidence.supply_now_raw
    if not foreign and before is not None and now is not None and before != now:
        return _supply_changed(difference_raw, before, now)
    if abs(difference_raw) * 10**_DUST_DECIMALS < 10**decimals:
        return Cause(
            name="dust", text="A remainder of less than a millionth of a token, as roundings leave it."
        )
    if foreign:
        return Cause(
            name="silent_change",
            text=f"Its transfers explain {balance} of {difference_raw} smallest units; the rest changed without a log.",
            is_alarming=difference_raw < 0,
        )
    return Cause(
        name="silent_change",
        text="The token rewrote the balance without a transfer in its log.",
        is_alarming=difference_raw < 0,
    )


def _moved_in(came: list[SeenTransfer], *, is_held: bool) -> Cause:
    sources = ", ".join(sorted({item.sender for item in came}))[:200]
    if not is_held or all(item.sender == ZERO for item in came):
        return Cause(name="airdrop", text=f"Tokens were given to the wallet unasked, from {sources}.")
    return Cause(
        name="foreign_transfer_in", text=f"Somebody sent more of a token that we hold, from {sources}."
    )


def _moved_out(went: list[SeenTransfer], owner: str) -> Cause:
    by_us = any(item.sent_by == owner for item in went)
    hashes = ", ".join(sorted({item.tx_hash for item in went}))[:200]
    if all(item.recipient in _NOWHERE for item in went):
        who = "with this wallet's key" if by_us else "by somebody else"
        return Cause(name="burned", text=f"Our tokens were burned {who}: {hashes}.", is_alarming=True)
    if by_us:
        return Cause(
            name="foreign_transfer_out",
            text=f"This wallet's key signed a transfer that is not ours: {hashes}.",
            is_alarming=True,
        )
    return Cause(
        name="taken",
        text=f"Others moved our tokens, by an allowance or a power of the token: {hashes}.",
        is_alarming=True,
    )


def _supply_changed(difference_raw: int, before: int, now: int) -> Cause:
    if difference_raw < 0 and now - before == difference_raw:
        return Cause(
            name="burned",
            text="The supply shrank by exactly what we lost: our tokens were burned without a transfer.",
            is_alarming=True,
        )
    if (difference_raw > 0) == (now > before):
        return Cause(name="rebase", text=f"The token's supply went from {before} to {now} for every holder.")
    return Cause(
        name="silent_change",
        text="The token rewrote the balance without a transfer in its log.",
        is_alarming=difference_raw < 0,
    )
