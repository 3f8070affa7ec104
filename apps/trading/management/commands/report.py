"""Report results."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.domain.money import raw_to_units
from apps.state.console import answer, plain_errors
from apps.trading.logic.csv_text import usd
from apps.trading.logic.pnl_report import BYS, PnlRow
from apps.trading.selectors import coin_of, pnl_report


class Command(BaseCommand):
    """``manage.py report pnl --by day|chain|token|exit``."""

    help = "Reports realised and unrealised results from the journal, gas and token taxes included."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the reports."""
        reports = parser.add_subparsers(dest="report", required=True)
        pnl = reports.add_parser("pnl", help="results by day (UTC), chain, token or exit")
        pnl.add_argument("--by", choices=BYS, default="day")
        pnl.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Print the report."""
        with plain_errors():
            rows = pnl_report(by=options["by"])
        fields = {"by": options["by"], "rows": [_fields(row) for row in rows]}
        text = "\n".join(map(_line, rows)) or "Nothing was traded yet."
        answer(self, as_json=options["json"], fields=fields, text=text)


def _fields(row: PnlRow) -> dict[str, Any]:
    """Return a row for scripts; raw figures as text, which JSON numbers would round."""
    found = asdict(row) | {"net_raw": row.net_raw, "net_usd_micros": row.net_usd_micros}
    found |= {name: str(value) for name, value in found.items() if name.endswith("_raw")}
    return found | {"coin": coin_of(row.chain_key).symbol}


def _line(row: PnlRow) -> str:
    coin = coin_of(row.chain_key)
    net, held = (raw_to_units(raw, coin.decimals) for raw in (row.net_raw, row.unrealised_raw))
    parts = [
        f"{row.group:<24.60}",
        f"{row.chain_key:<16}",
        f"{row.sales:>5} sales",
        f"net {net:>+14.6f} {coin.symbol} ({usd(row.net_usd_micros)} USD)",
    ]
    if row.holdings:
        parts.append(f"held {row.holdings}, unrealised {held:+.6f} ({usd(row.unrealised_usd_micros)} USD)")
    if row.unpriced:
        parts.append(f"{row.unpriced} parts without a price in USD")
    if row.unmarked:
        parts.append(f"{row.unmarked} holdings without a fresh mark")
    return "  ".join(parts)
