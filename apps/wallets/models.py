"""Wallets and the nonces they may use. Keys are not here: they lie encrypted in the keystore folder."""

from __future__ import annotations

from django.db import models


class Wallet(models.Model):
    """A trading wallet. The row knows where its encrypted key lies, never the key."""

    key = models.CharField(max_length=60, unique=True)  # "trader"
    family = models.CharField(max_length=10, choices=[("evm", "EVM"), ("solana", "Solana")], default="evm")
    address = models.CharField(max_length=66, unique=True)
    keystore_file = models.CharField(
        max_length=200, blank=True
    )  # inside the keystore folder; "": a remote signer's
    is_sandbox = models.BooleanField(default=False)  # signs only for sandbox chains
    is_live = models.BooleanField(default=False)  # the third switch of live trading
    enabled = models.BooleanField(default=True)
    #: "": every chain of its family. A wallet that names a chain goes before those that name none.
    chain_key = models.CharField(max_length=60, blank=True)
    may_enter = models.BooleanField(default=True)  # off: only exits, until nothing of it is left
    is_locked = models.BooleanField(default=False)  # nothing is signed, not even an exit
    unlocked_until = models.DateTimeField(null=True, blank=True)  # after this only exits; None: no end
    #: Most that its entries of one UTC day may cost; None: no cap of its own.
    daily_spend_max_usd_micros = models.PositiveBigIntegerField(null=True, blank=True)
    signer = models.CharField(
        max_length=8,
        choices=[("keystore", "key on this machine"), ("remote", "remote signer")],
        default="keystore",
    )
    created_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.key} {self.address}"


class NonceLease(models.Model):
    """The next nonce of a wallet on one chain, taken in the transaction that claims an order."""

    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE)
    chain_key = models.CharField(max_length=60)
    next_nonce = models.PositiveBigIntegerField()
    synced_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["wallet", "chain_key"], name="nonce_once_per_wallet_chain")
        ]

    def __str__(self) -> str:
        return f"{self.wallet_id} {self.chain_key} {self.next_nonce}"


class WalletSpend(models.Model):
    """What one entry order takes out of its wallet's daily allowance; one that came to nothing does not count."""

    client_order_id = models.CharField(max_length=80, unique=True)
    wallet = models.ForeignKey(Wallet, on_delete=models.CASCADE, related_name="spends")
    day = models.DateField()  # UTC, of the order's creation
    usd_micros = models.PositiveBigIntegerField()
    counts = models.BooleanField(default=True)

    class Meta:
        indexes = [models.Index(fields=["wallet", "day"], name="wallet_spend_of_day")]

    def __str__(self) -> str:
        return f"{self.client_order_id} {self.usd_micros}"


class AddressLabel(models.Model):
    """A name that a person gave an address, to know it again. Nothing is ever sent there: there are no withdrawals."""

    family = models.CharField(max_length=10, choices=[("evm", "EVM"), ("solana", "Solana")], default="evm")
    address = models.CharField(max_length=66)  # EVM: lower case
    label = models.CharField(max_length=60)
    note = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["family", "address"], name="label_once_per_address")]

    def __str__(self) -> str:
        return f"{self.label} {self.address}"
