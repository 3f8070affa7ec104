"""Wallets and the nonces they may use. Keys are not here: they lie encrypted in the keystore folder."""

from __future__ import annotations

from django.db import models


class Wallet(models.Model):
    """A trading wallet. The row knows where its encrypted key lies, never the key."""

    key = models.CharField(max_length=60, unique=True)  # "trader"
    family = models.CharField(max_length=10, choices=[("evm", "EVM"), ("solana", "Solana")], default="evm")
    address = models.CharField(max_length=66, unique=True)
    keystore_file = models.CharField(max_length=200)  # file name inside the keystore folder
    is_sandbox = models.BooleanField(default=False)  # signs only for sandbox chains
    is_live = models.BooleanField(default=False)  # the third switch of live trading
    enabled = models.BooleanField(default=True)
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
