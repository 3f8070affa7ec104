"""Keeps what the protocol canary found."""

from __future__ import annotations

from datetime import datetime

from apps.chains.models import CanaryRun, DexDeployment
from apps.domain.canary import CanaryFigures

#: A week of hourly runs.
RUNS_KEPT = 168
_TEXT_MAX = 300


def canary_store(
    *,
    chain_key: str,
    dex_key: str,
    now: datetime,
    figures: CanaryFigures | None,
    alarm: str = "",
    fault: str = "",
) -> None:
    """Store one run, without figures when nothing could be looked at, and drop what is older than a week of runs."""
    dex = DexDeployment.objects.get(chain__key=chain_key, key=dex_key)
    found = CanaryFigures() if figures is None else figures
    CanaryRun.objects.create(
        dex=dex,
        looked_at=now,
        block_first=found.block_first,
        block_last=found.block_last,
        creations=found.creations,
        decoded=found.decoded,
        pools_asked=found.pools_asked,
        pools_answered=found.pools_answered,
        alarm=alarm[:_TEXT_MAX],
        fault=fault[:_TEXT_MAX],
    )
    old = list(CanaryRun.objects.filter(dex=dex).values_list("pk", flat=True)[RUNS_KEPT : RUNS_KEPT + 1])
    if old:
        CanaryRun.objects.filter(dex=dex, pk__lte=old[0]).delete()
