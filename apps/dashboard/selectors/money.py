"""Results by day, chain, token or exit; the wallets; and what may be left of our approvals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.cache import cache
from django.db.models import Max
from django.utils import timezone

from apps.domain.money import Token
from apps.trading.logic.pnl_report import BYS, By, PnlRow
from apps.trading.models import JournalEntry, TxAttempt
from apps.trading.selectors import coin_of, pnl_report
from apps.trading.services.allowances import spender_of
from apps.trading.services.revocations import is_needed, is_under_way, revocations_of, told_of
from apps.wallets.logic.permission import WalletView
from apps.wallets.selectors import address_labels, wallet_views
from apps.wallets.services.spends import spent_today

ROWS_MAX = 200
APPROVALS_MAX = 50
#: A report reads the whole journal: while nothing is booked it is made once in this time, for the marks.
_KEPT_S = 15


@dataclass(frozen=True, slots=True, kw_only=True)
class MoneyRow:
    """A report's row with its coin."""

    item: PnlRow
    coin: Token


@dataclass(frozen=True, slots=True, kw_only=True)
class WalletRow:
    """A wallet with what its entries cost today."""

    item: WalletView
    spent_usd_micros: int
    takes_entries: bool


def by_of(text: str) -> By:
    """Return the grouping that a visitor asks for, by day when it is none."""
    return next((by for by in BYS if by == text), "day")


def money(by: By) -> dict[str, Any]:
    """Return everything that the page shows."""
    rows = _report(by)
    if by == "day":
        rows = tuple(sorted(rows, key=lambda row: row.group, reverse=True))
    elif by in ("token", "exit"):
        rows = tuple(sorted(rows, key=lambda row: row.net_usd_micros))
    return {
        "rows": [MoneyRow(item=row, coin=coin_of(row.chain_key)) for row in rows[:ROWS_MAX]],
        "left_out": max(len(rows) - ROWS_MAX, 0),
        "wallets": _wallets(),
        "labels": sorted(address_labels().items()),
        "approvals": _approvals(),
    }


def _report(by: By) -> tuple[PnlRow, ...]:
    last = JournalEntry.objects.aggregate(last=Max("id"))["last"]
    rows: tuple[PnlRow, ...] = cache.get_or_set(f"pnl/{by}/{last}", lambda: pnl_report(by=by), _KEPT_S) or ()
    return rows


def _wallets() -> list[WalletRow]:
    now = timezone.now()
    now_ms = int(now.timestamp() * 1000)
    return [
        WalletRow(
            item=item,
            spent_usd_micros=spent_today(wallet_key=item.key, now=now),
            takes_entries=item.may_spend_at(now_ms),
        )
        for item in wallet_views()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRow:
    """An approval that may be left, and how taking it back stands; "" when nobody asked."""

    item: TxAttempt
    spender: str
    state: str
    may_ask: bool


def _approvals() -> list[ApprovalRow]:
    """Return approvals that were mined and whose sale was not: exact amounts are used up by their sale."""
    rows = TxAttempt.objects.filter(purpose="approve", status="mined", revocation=None)
    rows = rows.exclude(order__status="filled").select_related("order__pair__base")
    found = list(rows.order_by("-id")[:APPROVALS_MAX])
    asked = revocations_of([item.order_id for item in found])
    shown = []
    for item in found:
        spender = spender_of(bytes(item.payload))
        revocation = asked.get((item.order_id, spender))
        state = "" if revocation is None else told_of(revocation)
        over = revocation is not None and (revocation.status == "waiting" or is_under_way(revocation))
        if is_needed(item.order):
            state, over = state or "its sale is on its way", True
        shown.append(ApprovalRow(item=item, spender=spender, state=state, may_ask=not over))
    return shown
