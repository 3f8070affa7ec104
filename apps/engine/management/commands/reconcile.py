"""Compare everything that we believe with what the chains say, on demand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.errors import SniperError
from apps.engine import housekeeping, wiring
from apps.state.console import answer, plain_errors
from apps.state.services.incidents import incident_from_error
from apps.trading.services.allowances import allowances_compare
from apps.trading.services.balances import balances_verify
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.reconciliation import WalletReport, orders_reconcile, wallet_reconcile


class Command(BaseCommand):
    """``manage.py reconcile``."""

    help = "Compares receipts, balances and allowances with the chains, books differences, and says their causes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options."""
        parser.add_argument("--chain", default="", help="one chain's key, e.g. eip155:8453; without it all")
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Compare, and end with an error when a chain did not answer or the books do not balance."""
        keys = [options["chain"]] if options["chain"] else list(housekeeping.followed_chain_keys())
        with plain_errors():
            if options["chain"]:
                wiring.chain_ports(options["chain"])  # a name nobody knows is an error, not a finding
            chains = [_chain(chain_key) for chain_key in keys]
        faults, is_balanced = balances_verify(), not books_imbalance()
        fields = {
            "chains": chains,
            "is_balanced": is_balanced,
            "kept_balances_corrected": [
                {"account": item.account, "chain": item.chain_key, "token": item.token_address}
                for item in faults
            ],
        }
        lines = [line for chain in chains for line in _lines(chain)]
        lines.append("Journal: " + ("balanced" if is_balanced else "NOT BALANCED"))
        lines += [f"Kept balance of {item.account} {item.token_address} was corrected" for item in faults]
        answer(self, as_json=options["json"], fields=fields, text="\n".join(lines))
        if not is_balanced or any(chain["fault"] for chain in chains):
            raise CommandError("Not everything could be reconciled: see above.")


def _chain(chain_key: str) -> dict[str, Any]:
    try:
        ports = wiring.chain_ports(chain_key)
        asked = orders_reconcile(chain_key=chain_key, ports=ports.execution)
        wallets = []
        for wallet_key in housekeeping.wallets_of(chain_key):
            report = wallet_reconcile(
                chain_key=chain_key, wallet_key=wallet_key, ports=ports.execution, is_thorough=True
            )
            allowances = allowances_compare(chain_key=chain_key, wallet_key=wallet_key, ports=ports.execution)
            wallets.append(
                _fields(report)
                | {
                    "allowances": [
                        {"token": i.token_address, "spender": i.spender, "raw": str(i.amount_raw)}
                        for i in allowances
                        if i.amount_raw
                    ]
                }
            )
    except SniperError as error:
        incident_from_error(error, dedup_key=f"reconcile/{chain_key}/{error.code}")
        return {"chain": chain_key, "fault": str(error), "remedy": error.remedy, "orders": 0, "wallets": []}
    return {"chain": chain_key, "fault": "", "remedy": "", "orders": len(asked), "wallets": wallets}


def _fields(report: WalletReport) -> dict[str, Any]:
    return {
        "wallet": report.wallet_key,
        "skipped": report.skipped,
        "tokens_compared": report.tokens_compared,
        "is_equal": report.is_equal,
        "frozen": list(report.frozen),
        "differences": [
            {
                "token": item.token_address,
                "book_raw": str(item.book_raw),
                "chain_raw": str(item.chain_raw),
                "adjusted": item.adjusted,
                "cause": item.cause,
                "why": item.why,
            }
            for item in report.differences
        ],
    }


def _lines(chain: dict[str, Any]) -> list[str]:
    if chain["fault"]:
        return [f"{chain['chain']}: {chain['fault']}", f"  remedy: {chain['remedy']}"]
    lines = [f"{chain['chain']}: {chain['orders']} orders asked for"]
    for wallet in chain["wallets"]:
        state = wallet["skipped"] or ("equal" if wallet["is_equal"] else "DIFFERENT")
        lines.append(f"  {wallet['wallet']}: {state} ({wallet['tokens_compared']} tokens compared)")
        lines += [
            f"    {item['token']}: book {item['book_raw']}, chain {item['chain_raw']}: {item['cause']}. {item['why']}"
            for item in wallet["differences"]
        ]
        lines += [f"    {token}: frozen" for token in wallet["frozen"]]
        lines += [
            f"    {item['spender']} may take {item['raw']} of {item['token']}"
            for item in wallet["allowances"]
        ]
    return lines
