"""Looks for second chances beside the road and sends them onto it."""

from __future__ import annotations

from celery import shared_task
from django.db import transaction
from django.utils import timezone

from apps.engine.nudges import nudge
from apps.engine.road import guarded
from apps.state.services.engine import engine_view
from apps.trading.services.reentries import reentries_open


@shared_task(name="engine.reentries")
def reentries() -> None:
    """Open chances for known tokens that gain attention; none while no entry may be made anyway."""
    with guarded("reentries"):
        if not engine_view().may_enter:
            return
        with transaction.atomic():
            for opportunity_id in reentries_open(now=timezone.now()):
                nudge("engine.evaluate", opportunity_id)
