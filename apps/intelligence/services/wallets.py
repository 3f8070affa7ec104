"""How good the trades of a chain's wallets were, counted anew from what we recorded; beside the road."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from apps.discovery.models import PoolTrade
from apps.intelligence.logic.wallet_quality import closed_tokens, wallet_quality_bps
from apps.intelligence.models import WalletRecord
from apps.intelligence.services.entities import comparable

#: The newest trades of a chain that one count looks at.
TRADES_MAX = 50_000
WALLETS_MAX = 5_000
#: What everybody's rate weighs against a wallet's own: as many closed tokens.
PRIOR_CLOSED = Decimal(20)


def wallets_count(*, chain_key: str, now: datetime) -> int:
    """Count each wallet's closed tokens and gains, and keep those with enough of them. Return how many are kept."""
    books: defaultdict[str, list[tuple[str, str, int, int]]] = defaultdict(list)
    rows = PoolTrade.objects.filter(pair__chain_key=chain_key).order_by("-id")
    columns = rows.values_list("trader", "pair__base_id", "side", "base_raw", "quote_raw")
    for trader, base_id, side, base_raw, quote_raw in columns[:TRADES_MAX].iterator(chunk_size=2_000):
        books[comparable(chain_key, trader)].append((str(base_id), side, base_raw, quote_raw))
    counts = {address: closed_tokens(trades) for address, trades in books.items()}
    gains, closed = (sum(count[place] for count in counts.values()) for place in (0, 1))
    prior_wins = PRIOR_CLOSED * gains / max(closed, 1)
    found: list[WalletRecord] = []
    for address, (wins, own_closed) in counts.items():
        quality = wallet_quality_bps(
            wins=wins, closed=own_closed, prior_wins=prior_wins, prior_closed=PRIOR_CLOSED
        )
        if quality is not None:
            found.append(
                WalletRecord(
                    chain_key=chain_key,
                    address=address,
                    gains=wins,
                    closed=own_closed,
                    quality_bps=quality,
                    counted_at=now,
                )
            )
    with transaction.atomic():
        WalletRecord.objects.bulk_create(
            found[:WALLETS_MAX],
            batch_size=200,
            update_conflicts=True,
            unique_fields=["chain_key", "address"],
            update_fields=["gains", "closed", "quality_bps", "counted_at"],
        )
        # Whose trades have been pruned is not known any more.
        WalletRecord.objects.filter(chain_key=chain_key, counted_at__lt=now).delete()
    return min(len(found), WALLETS_MAX)
