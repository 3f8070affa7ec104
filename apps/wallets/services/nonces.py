"""Nonces: each is given out once, in the transaction that claims an order."""

from __future__ import annotations

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.domain.errors import NonceConflictError
from apps.wallets.models import NonceLease, Wallet

TAKE_ATTEMPTS_MAX = 10
COUNT_MAX = 16


def nonces_take(*, wallet_key: str, chain_key: str, count: int, chain_nonce: int | None) -> int:
    """Take ``count`` nonces in a row and return the first. Call it inside the transaction that claims the order.

    ``chain_nonce`` is the chain's pending count if the caller has it fresh: it starts the lease at its first use, and
    shows when somebody else has spent our nonces. Raises NonceConflictError then.
    """
    assert connection.in_atomic_block, "nonces are taken in the transaction that claims the order"
    assert 1 <= count <= COUNT_MAX, count
    lease = _lease(wallet_key, chain_key)
    for _ in range(TAKE_ATTEMPTS_MAX):
        first = lease.values_list("next_nonce", flat=True).first()
        if first is None:
            if chain_nonce is None:
                raise NonceConflictError(
                    f"The next nonce of {wallet_key} on {chain_key} is not known yet.",
                    remedy="Let reconciliation run once, or wait for the chain's endpoint to answer.",
                )
            if _lease_start(wallet_key=wallet_key, chain_key=chain_key, next_nonce=chain_nonce + count):
                return chain_nonce
            continue  # another worker started it in between
        if chain_nonce is not None and chain_nonce > first:
            raise NonceConflictError(
                f"{wallet_key} has sent {chain_nonce} transactions on {chain_key}, and we know of {first}.",
                remedy="Something else signs with this wallet's key: stop it. Reconciliation then takes up its nonces.",
                chain_nonce=chain_nonce,
                known_nonce=first,
            )
        if lease.filter(next_nonce=first).update(next_nonce=first + count):
            return first
    raise NonceConflictError(
        f"No nonce of {wallet_key} on {chain_key} was to be had: too many workers ask at once.",
        remedy="It clears by itself; run one execute worker per wallet if it does not.",
    )


def nonces_return(*, wallet_key: str, chain_key: str, first: int, count: int) -> bool:
    """Give back nonces of which nothing was signed. Return False when later ones are out: then a gap must be closed."""
    lease = _lease(wallet_key, chain_key)
    return lease.filter(next_nonce=first + count).update(next_nonce=first) > 0


def nonces_next(*, wallet_key: str, chain_key: str) -> int | None:
    """Return the nonce that would be given out next, or None before the first."""
    return _lease(wallet_key, chain_key).values_list("next_nonce", flat=True).first()


def nonces_sync(*, wallet_key: str, chain_key: str, chain_nonce: int, expected_next: int | None) -> bool:
    """Set the next nonce to what the chain counts. Only for a wallet with nothing in flight on this chain.

    ``expected_next`` is ``nonces_next`` as read *before* making sure that nothing is in flight: when a nonce was taken
    since, nothing is changed and False returned.
    """
    now = timezone.now()
    if expected_next is None:
        return _lease_start(wallet_key=wallet_key, chain_key=chain_key, next_nonce=chain_nonce)
    lease = _lease(wallet_key, chain_key).filter(next_nonce=expected_next)
    return lease.update(next_nonce=chain_nonce, synced_at=now) > 0


def _lease(wallet_key: str, chain_key: str) -> QuerySet[NonceLease]:
    """Return the one lease, by the wallet's id.

    Filtering by the wallet's name would join, which makes an update choose its row in a subquery; PostgreSQL does not
    ask that again after waiting for another worker, so that both would take the same nonce.
    """
    wallet_id = Wallet.objects.filter(key=wallet_key).values_list("pk", flat=True).first()
    if wallet_id is None:
        return NonceLease.objects.none()
    return NonceLease.objects.filter(wallet_id=wallet_id, chain_key=chain_key)


def _lease_start(*, wallet_key: str, chain_key: str, next_nonce: int) -> bool:
    try:
        with transaction.atomic():
            NonceLease.objects.create(
                wallet=Wallet.objects.get(key=wallet_key),
                chain_key=chain_key,
                next_nonce=next_nonce,
                synced_at=timezone.now(),
            )
    except IntegrityError:
        return False
    return True
