"""What the sandbox did, and the truth about it. Nothing outside this app and the demo's report reads this."""

from __future__ import annotations

from django.db import models


class SandboxRun(models.Model):
    """One life of the sandbox chains."""

    seed = models.BigIntegerField()
    chain_key = models.CharField(max_length=60, unique=True)
    genesis_hash = models.CharField(max_length=66)
    started_at = models.DateTimeField()
    tick = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.chain_key} seed {self.seed}"


class SandboxBlock(models.Model):
    """When a block was really mined, to the millisecond: the measure of every latency."""

    chain_key = models.CharField(max_length=60)
    number = models.PositiveBigIntegerField()
    hash = models.CharField(max_length=66)
    mined_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain_key", "hash"], name="sandbox_block_once")]
        indexes = [models.Index(fields=["chain_key", "number"], name="sandbox_block_height")]

    def __str__(self) -> str:
        return f"{self.chain_key} {self.number}"


class SandboxLaunch(models.Model):
    """A launch and its ground truth."""

    chain_key = models.CharField(max_length=60)
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=40)  # "honest", "slow_rug", "instant_rug", "honeypot_sell_reverts", …
    is_honest = models.BooleanField()
    is_unsellable = models.BooleanField()  # a buyer cannot sell from the start
    unsellable_from_block = models.PositiveBigIntegerField(null=True)  # the owner shut it later
    token_address = models.CharField(max_length=66)
    pool_address = models.CharField(max_length=66, db_index=True)
    created_block_number = models.PositiveBigIntegerField(null=True)
    rugged_block_number = models.PositiveBigIntegerField(null=True)
    parameters = models.JSONField(default=dict)  # what the seed drew for it

    class Meta:
        constraints = [models.UniqueConstraint(fields=["chain_key", "number"], name="sandbox_launch_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.token_address}"
