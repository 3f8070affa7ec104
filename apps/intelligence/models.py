"""What was known about a pair, and when. Append-only, pruned by age."""

from __future__ import annotations

from django.db import models

from apps.discovery.models import Pair


class AnalysisRecord(models.Model):
    """One analysis with all its estimates. Estimates are kept as one JSON list: they are written and read together,
    fifteen and more at a time, several times a second.
    """

    trace_id = models.CharField(max_length=32, db_index=True)
    pair = models.ForeignKey(Pair, on_delete=models.CASCADE, related_name="analyses")
    block_number = models.PositiveBigIntegerField()
    block_hash = models.CharField(max_length=66)
    estimates = models.JSONField()  # list of Estimate, decimals as text
    missing = models.JSONField(default=list)
    evidence = models.JSONField(
        default=list
    )  # list of Evidence: the calls that show what is held against the token
    probes = models.JSONField(null=True, default=None)  # TokenProbes, as observed; null after a first look
    skeleton_hash = models.CharField(
        max_length=66, blank=True, default="", db_index=True
    )  # of the token's code
    facts_duration_ms = models.PositiveIntegerField()  # reading the chain
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"analysis {self.pk} of {self.pair_id}"
