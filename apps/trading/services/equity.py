"""The equity line: what everything is worth, once a while."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from apps.chains.selectors import chain_profiles
from apps.discovery.selectors import coin_prices
from apps.domain.ids import NATIVE_ADDRESS
from apps.domain.market import ChainProfile
from apps.domain.money import value_usd_micros
from apps.trading.logic import ledger
from apps.trading.models import AccountBalance, EquityPoint, Position
from apps.trading.services.ledger import account_balance
from apps.wallets.selectors import wallet_views

POINT_EVERY_S = 10
#: An older price tells nothing of a coin's worth now.
PRICE_AGE_MAX_S = 600


def equity_record() -> bool:
    """Store one point of the equity line, at most one each POINT_EVERY_S; False when it is too early or nothing is known.

    Cash is the book's native coins at the newest price; positions stand at their marks. What has no fresh price is left
    out and counted: unknown is not zero.
    """
    now = timezone.now()
    last = EquityPoint.objects.order_by("-at").values_list("at", flat=True).first()
    if last is not None and now - last < timedelta(seconds=POINT_EVERY_S):
        return False
    cash, held, unpriced = 0, 0, 0
    priced_chains = 0
    for profile in chain_profiles():
        price = native_price(profile.chain_key)
        positions = list(Position.objects.filter(chain_key=profile.chain_key).exclude(status="closed"))
        if price is None:
            unpriced += len(positions)
            continue
        priced_chains += 1
        cash += _worth(profile, _cash_raw(profile.chain_key), price)
        for position in positions:
            if position.mark_value_raw is None:
                unpriced += 1
            else:
                held += _worth(profile, position.mark_value_raw, price)
    if priced_chains == 0:
        return False
    EquityPoint.objects.create(
        at=now, cash_usd_micros=cash, positions_usd_micros=held, unpriced_positions=unpriced
    )
    return True


def native_price(chain_key: str) -> int | None:
    """Return the newest known price of a chain's coin in micro dollars, None when it is too old or unknown."""
    oldest = timezone.now() - timedelta(seconds=PRICE_AGE_MAX_S)
    rows = coin_prices(chain_key).filter(at__gte=oldest)
    return rows.values_list("quote_price_usd_micros", flat=True).first()


def _cash_raw(chain_key: str) -> int:
    kept = AccountBalance.objects.filter(chain_key=chain_key, token_address=NATIVE_ADDRESS)
    names = set(kept.values_list("account", flat=True))
    names |= {ledger.wallet_account(wallet.key) for wallet in wallet_views()}
    return sum(
        account_balance(account=name, chain_key=chain_key, token_address=NATIVE_ADDRESS)
        for name in sorted(names)
    )


def _worth(profile: ChainProfile, raw: int, price: int) -> int:
    return value_usd_micros(raw, decimals=profile.native.decimals, price_usd_micros=price)
