"""Keeps how true a model was, and says whether it may be believed."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from django.db import transaction

from apps.intelligence.logic.drift import Health
from apps.intelligence.models import ModelHealth


def model_distrust(*, name: str) -> str:
    """Return why a model may not be believed now, "" when it may."""
    row = ModelHealth.objects.filter(name=name, is_trusted=False).only("reason").first()
    return "" if row is None else row.reason


def model_health(*, name: str) -> ModelHealth | None:
    """Return how true a model was when it was last checked, None when it never was."""
    return ModelHealth.objects.filter(name=name).first()


@transaction.atomic
def model_health_store(*, name: str, health: Health, now: datetime) -> bool:
    """Keep a model's health; return whether it is trusted otherwise than before."""
    before = ModelHealth.objects.filter(name=name).first()
    changed = (before is None or before.is_trusted) != health.is_trusted
    ModelHealth.objects.update_or_create(
        name=name,
        defaults={
            "is_trusted": health.is_trusted,
            "reason": health.reason[:300],
            "resolved": health.resolved,
            "brier": health.brier,
            "brier_baseline": health.brier_baseline,
            "skill": health.skill,
            "has_drifted": health.has_drifted,
            "reliability": [asdict(item) for item in health.reliability],
            "checked_at": now,
            "changed_at": now if changed or before is None else before.changed_at,
        },
    )
    return changed
