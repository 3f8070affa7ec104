"""What a wallet's entries of one day may cost, enforced where an order's funds are reserved."""

from __future__ import annotations

from datetime import UTC, datetime

from django.db.models import Sum

from apps.domain.decision import Reason
from apps.domain.money import USD_MICROS
from apps.wallets.models import Wallet, WalletSpend


def spend_reserve(*, wallet_key: str, client_order_id: str, usd_micros: int, now: datetime) -> Reason | None:
    """Count an entry against its wallet's day, in the transaction that creates its order; a Reason when that is too much.

    The wallet's row is locked, so that two entries at once cannot both take the last of it.
    """
    wallet = Wallet.objects.select_for_update().filter(key=wallet_key).first()
    if wallet is None:
        return None  # no wallet of ours, nothing to cap: the signer refuses it anyway
    day = now.astimezone(UTC).date()
    cap = wallet.daily_spend_max_usd_micros
    if cap is not None:
        others = WalletSpend.objects.filter(wallet=wallet, day=day, counts=True)
        spent = others.exclude(client_order_id=client_order_id).aggregate(sum=Sum("usd_micros"))["sum"] or 0
        if spent + usd_micros > cap:
            return Reason(
                code="WALLET_DAILY_SPEND",
                explanation=f"Wallet {wallet_key} has spent what it may spend today.",
                detail=f"spent={spent // USD_MICROS} wanted={usd_micros // USD_MICROS} cap={cap // USD_MICROS} USD",
            )
    WalletSpend.objects.update_or_create(
        client_order_id=client_order_id,
        defaults={"wallet": wallet, "day": day, "usd_micros": usd_micros, "counts": True},
    )
    return None


def spend_settle(*, client_order_id: str, counts: bool) -> None:
    """Let an entry count, or count no more because it came to nothing; repeatable, in the caller's transaction."""
    WalletSpend.objects.filter(client_order_id=client_order_id).exclude(counts=counts).update(counts=counts)


def spent_today(*, wallet_key: str, now: datetime) -> int:
    """Return what the wallet's entries of this UTC day cost, in micro dollars."""
    rows = WalletSpend.objects.filter(wallet__key=wallet_key, day=now.astimezone(UTC).date(), counts=True)
    return rows.aggregate(sum=Sum("usd_micros"))["sum"] or 0
