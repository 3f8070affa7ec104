"""What the scoreboard of refusals needs of a chain, and the rows that are not needed any more."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.engine import wiring
from apps.risk.services.budgets import budgets_prune
from apps.risk.services.scoreboard import scoreboard_prune, scoreboard_update
from apps.state.services.config import active_config

#: What became of refused tokens is kept for so long.
_REFUSALS_KEPT = timedelta(days=90)


def follow(chain_key: str) -> None:
    """Take up a chain's new refusals and look at those that are due. Raises NetworkError."""
    ports = wiring.chain_ports(chain_key)
    scoreboard_update(
        chain_key=chain_key,
        reader=ports.reader,
        buyer=wiring.signer().address(wiring.trading_wallet_key(ports.profile)),
        config=active_config().config,
        now=timezone.now(),
    )


def prune() -> None:
    """Delete old refusals, and the budgets of tokens and deployers in which nothing is at stake."""
    scoreboard_prune(before=timezone.now() - _REFUSALS_KEPT)
    budgets_prune()
