"""What the bot answers: figures read from the same rows as the pages show, in Telegram's HTML."""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, Sum
from django.utils import timezone

from apps.alerts.logic.notices import harmless
from apps.alerts.models import AlertRecord
from apps.chains.models import Chain
from apps.domain.engine import EngineStatus, EngineView
from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.money import BPS_ONE, raw_to_units, value_usd_micros
from apps.domain.order import FINAL_STATUSES, OrderStatus
from apps.state.models import Heartbeat, Incident
from apps.state.services.config import active_config
from apps.state.services.engine import engine_view
from apps.state.services.heartbeats import stale_components
from apps.trading.logic.ledger import wallet_account
from apps.trading.logic.pnl_report import PnlRow
from apps.trading.models import EquityPoint, Order, Position
from apps.trading.selectors import pnl_report
from apps.trading.services.equity import native_price
from apps.trading.services.ledger import account_balance
from apps.wallets.selectors import wallet_views

#: Telegram takes 4,096 characters in a message.
_LENGTH_MAX = 3_500
_ROWS_MAX = 30
_DAYS_MAX, _DAYS = 60, 7
_BEST = 10
#: An older mark tells nothing of now.
_MARK_AGE_MAX_S = 60
_MICROS = 1_000_000
_WORDS = {
    EngineStatus.RUNNING: "running: entries and exits",
    EngineStatus.PAUSED: "paused: no entries, exits go on",
    EngineStatus.STOPPED: "stopped: no entries, no exits",
    EngineStatus.CLOSING: "closing: sells everything, buys nothing",
    EngineStatus.EMERGENCY_STOPPED: "EMERGENCY STOPPED: nothing is signed or sent",
}
_SHOWN_SECTIONS = ("limits", "entry", "exits", "execution")


def listing(title: str, lines: Sequence[str]) -> str:
    """Return a title and lines in a fixed-width block, cut to what a message takes."""
    shown: list[str] = []
    length = 0
    for line in lines:
        text = html.escape(line)
        length += len(text) + 1
        if length > _LENGTH_MAX:
            shown.append(f"… and {len(lines) - len(shown)} more")
            break
        shown.append(text)
    head = f"<b>[{settings.ENV.mode.upper()}] {html.escape(title)}</b>"
    return f"{head}\n<pre>" + "\n".join(shown) + "</pre>" if shown else f"{head}\nNothing yet."


def engine_words(view: EngineView) -> str:
    """Return how the engine stands."""
    why = f" ({html.escape(harmless(view.reason, 200))})" if view.reason else ""
    return f"<b>[{view.mode.upper()}]</b> The engine is {_WORDS[view.status]}{why}. Epoch {view.epoch}."


def status() -> str:
    """Return the engine and what is held."""
    rows = Position.objects.exclude(status="closed").select_related("pair__base").order_by("-pk")
    lines = [_position(row) for row in rows[:_ROWS_MAX]]
    total = rows.count()
    if total > len(lines):
        lines.append(f"… and {total - len(lines)} more")
    return f"{engine_words(engine_view())}\n{listing('Open positions', lines)}"


def _position(row: Position) -> str:
    now = timezone.now()
    held = row.cost_raw - row.realised_cost_raw
    is_fresh = row.marked_at is not None and (now - row.marked_at).total_seconds() <= _MARK_AGE_MAX_S
    if row.mark_value_raw is None or not is_fresh or not held:
        result = "no fresh price"
    else:
        result = f"{Decimal((row.mark_value_raw - held) * BPS_ONE // held) / 100:+} %"
    age = int((now - row.opened_at).total_seconds()) // 60
    word = "" if row.status == "open" else f" {row.status}"
    return f"{row.pk:>6} {harmless(row.pair.base.symbol, 16):<12} {result:>12} {age:>5} min{word}"


def profit() -> str:
    """Return what the closed positions brought."""
    found = Position.objects.filter(status="closed").aggregate(
        closed=Count("pk"),
        won=Count("pk", filter=Q(realised_usd_micros__gt=0)),
        sum=Sum("realised_usd_micros"),
        unpriced=Count("pk", filter=Q(realised_usd_micros=None)),
    )
    lines = [
        f"closed     {found['closed']}",
        f"won        {found['won']}",
        f"after gas  {usd(found['sum'] or 0)}",
    ]
    if found["unpriced"]:
        lines.append(f"           {found['unpriced']} without a price are left out")
    newest = EquityPoint.objects.order_by("-at").first()
    if newest is not None:
        lines.append(f"worth now  {worth(newest.cash_usd_micros + newest.positions_usd_micros)}")
        if newest.unpriced_positions:
            lines.append(f"           {newest.unpriced_positions} positions without a price are left out")
    return listing("Results", lines)


def daily(wish: str) -> str:
    """Return results by day, newest first."""
    days = int(wish) if wish.isascii() and wish.isdigit() and len(wish) < 4 else _DAYS
    rows = sorted(pnl_report(by="day"), key=lambda row: (row.group == "open", row.group), reverse=True)
    names = list(dict.fromkeys(row.group for row in rows))[: min(max(days, 1), _DAYS_MAX)]
    return listing(
        "By day (UTC)", [_sums(name, [row for row in rows if row.group == name]) for name in names]
    )


def performance() -> str:
    """Return the tokens with the most and the least profit."""
    rows = sorted(pnl_report(by="token"), key=lambda row: row.net_usd_micros, reverse=True)
    rows = [row for row in rows if row.sales or row.fees_raw]
    shown = rows if len(rows) <= 2 * _BEST else [*rows[:_BEST], *rows[-_BEST:]]
    return listing("By token", [_sums(row.group.partition(" ")[0], [row]) for row in shown])


def _sums(name: str, rows: Iterable[PnlRow]) -> str:
    found = list(rows)
    net = sum(row.net_usd_micros for row in found)
    held = sum(row.unrealised_usd_micros for row in found)
    open_words = f"  open {usd(held)}" if any(row.holdings for row in found) else ""
    unpriced = sum(row.unpriced for row in found)
    more = f"  ({unpriced} unpriced)" if unpriced else ""
    return f"{harmless(name, 14):<14} {sum(row.sales for row in found):>4} sales {usd(net):>14}{open_words}{more}"


def balance() -> str:
    """Return the chains' own coins by wallet, as booked, and the worth of everything."""
    lines = []
    for chain in Chain.objects.filter(enabled=True).order_by("pk"):
        price = native_price(chain.key)
        for view in wallet_views():
            account = wallet_account(view.key)
            raw = account_balance(account=account, chain_key=chain.key, token_address=NATIVE_ADDRESS)
            if not raw:
                continue
            units = raw_to_units(raw, chain.native_decimals)
            told = (
                "no fresh price"
                if price is None
                else worth(value_usd_micros(raw, decimals=chain.native_decimals, price_usd_micros=price))
            )
            lines.append(f"{view.key:<12.12} {chain.name:<14.14} {units:.4f} {chain.native_symbol} {told}")
    newest = EquityPoint.objects.order_by("-at").first()
    if newest is not None:
        lines.append(f"positions {worth(newest.positions_usd_micros)}")
        lines.append(f"together  {worth(newest.cash_usd_micros + newest.positions_usd_micros)}")
    return listing("Balances", lines)


def count() -> str:
    """Return how many positions and orders there are."""
    limits = active_config().config.limits
    moving = [state.value for state in OrderStatus if state not in FINAL_STATUSES]
    return listing(
        "Count",
        [
            f"positions  {Position.objects.exclude(status='closed').count()} of {limits.open_positions_max}",
            f"orders     {Order.objects.filter(status__in=moving).count()} on their way",
        ],
    )


def reload_config() -> str:
    """Read the configuration and say which is in force: every process reads it anew before it uses it."""
    return f"Revision {active_config().revision} is in force. Every part reads it anew before it acts."


def show_config(section: str) -> str:
    """Return settings of the trading configuration; the environment, where secrets are, is never read here."""
    active = active_config()
    fields: dict[str, Any] = active.config.model_dump(mode="json")
    wanted = section.strip().lower()
    names = [wanted] if wanted in fields else list(_SHOWN_SECTIONS)
    lines = [f"{name}.{key} = {value}" for name in names for key, value in fields[name].items()]
    if wanted not in fields:
        lines.append(f"sections: {', '.join(fields)}")
    return listing(f"Configuration, revision {active.revision}", lines)


def health() -> str:
    """Return what ails the system."""
    view, silent = engine_view(), stale_components()
    incidents = dict(
        Incident.objects.filter(resolved_at=None).order_by().values_list("severity").annotate(Count("pk"))
    )
    lines = [f"engine      {view.status.value.replace('_', ' ')}"]
    lines += [f"            {word}" for word in view.degraded]
    lines.append(f"components  {Heartbeat.objects.count() - len(silent)} well, {len(silent)} silent")
    lines += [f"            {item.component}: silent for {item.silent_s} s" for item in silent[:10]]
    counted = ", ".join(f"{number} {severity}" for severity, number in sorted(incidents.items()))
    lines.append(f"incidents   {counted or 'none open'}")
    lines.append(f"alerts      {AlertRecord.objects.filter(resolved_at=None).count()} open")
    worst = Incident.objects.filter(resolved_at=None, severity="critical").order_by("-last_at")[:3]
    lines += [f"critical    {harmless(row.title, 120)}" for row in worst]
    return listing("Health", lines)


def usd(micros: int) -> str:
    """Return a result in dollars, with its sign."""
    return f"{Decimal(micros) / _MICROS:+,.2f} USD"


def worth(micros: int) -> str:
    """Return what something is worth in dollars."""
    return f"{Decimal(micros) / _MICROS:,.2f} USD"
