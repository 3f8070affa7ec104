"""Compare the books with the chain, and book what a person did by hand."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.domain.errors import ConfigurationError
from apps.domain.money import raw_to_units
from apps.engine import housekeeping, wiring
from apps.state.console import answer, console_user, plain_errors
from apps.trading.services.ledger import books_imbalance
from apps.trading.services.reconciliation import native_difference_accept, wallet_reconcile


class Command(BaseCommand):
    """``manage.py ledger check|accept``."""

    help = "Compares the books with every chain; books coins that a person sent or received by hand."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the acts."""
        acts = parser.add_subparsers(dest="act", required=True)
        check = acts.add_parser(
            "check", help="compare book and chain for every wallet on every enabled chain"
        )
        accept = acts.add_parser(
            "accept", help="book the difference in coins as a deposit or withdrawal of yours"
        )
        accept.add_argument("chain", help="the chain's key, e.g. eip155:8453")
        accept.add_argument(
            "--wallet", default="", help="whose coins; needed where several wallets trade on the chain"
        )
        accept.add_argument("--reason", required=True, help="what was done by hand; kept in the journal")
        for act in (check, accept):
            act.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one act."""
        with plain_errors():
            if options["act"] == "accept":
                self._accept(options)
            else:
                self._check(as_json=options["json"])

    def _accept(self, options: dict[str, Any]) -> None:
        ports = wiring.chain_ports(options["chain"])
        wallet_key = _wallet_of(options["chain"], options["wallet"])
        difference = native_difference_accept(
            chain_key=options["chain"],
            wallet_key=wallet_key,
            ports=ports.execution,
            by=console_user(),
            reason=options["reason"],
        )
        units = raw_to_units(difference, ports.profile.native.decimals)
        text = (
            f"Booked {units} {ports.profile.native.symbol} of wallet {wallet_key}."
            if difference
            else f"Book and chain agree already on wallet {wallet_key}."
        )
        fields = {"wallet": wallet_key, "booked_raw": str(difference)}
        answer(self, as_json=options["json"], fields=fields, text=text)

    def _check(self, *, as_json: bool) -> None:
        lines, chains = [], []
        for chain_key in housekeeping.followed_chain_keys():
            ports = wiring.chain_ports(chain_key)
            for wallet_key in housekeeping.wallets_of(chain_key):
                report = wallet_reconcile(chain_key=chain_key, wallet_key=wallet_key, ports=ports.execution)
                state = report.skipped or (
                    "equal" if report.is_equal else f"{len(report.differences)} differences"
                )
                compared = report.tokens_compared
                lines.append(f"{ports.profile.name}, {wallet_key}: {state} ({compared} tokens compared)")
                chains.append(
                    {"chain": chain_key, "wallet": wallet_key, "state": state, "tokens_compared": compared}
                )
        is_balanced = not books_imbalance()
        lines.append("Journal: " + ("balanced" if is_balanced else "NOT BALANCED"))
        answer(
            self,
            as_json=as_json,
            fields={"chains": chains, "is_balanced": is_balanced},
            text="\n".join(lines),
        )


def _wallet_of(chain_key: str, given: str) -> str:
    """Return whose difference is booked. Raises ConfigurationError where that must be said, or nobody has that name here."""
    known = housekeeping.wallets_of(chain_key)
    if given in known:
        return given
    if not given and len(known) == 1:
        return known[0]
    raise ConfigurationError(
        f"{given} has nothing to do with {chain_key}." if given else f"Several wallets trade on {chain_key}.",
        remedy=f"Name one with --wallet: {', '.join(known)}.",
    )
