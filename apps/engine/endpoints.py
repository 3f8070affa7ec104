"""Asks every endpoint what it can do, at start and hourly: what a provider restricts is known before it is missed."""

from __future__ import annotations

import logging
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.chains.selectors import endpoints_unchecked
from apps.chains.services.endpoints import endpoint_check
from apps.engine.road import guarded

logger = logging.getLogger(__name__)

EVERY = timedelta(hours=1)
#: Endpoints of one pass; the next comes within a minute.
CHECKED_MAX = 10
#: When this process began: what was found before may be of another plan of the provider.
_began = timezone.now()


@shared_task(name="engine.endpoints")
def endpoints() -> None:
    """Check the endpoints that are due; repeatable at will, mostly there is nothing to do."""
    for endpoint_id in endpoints_unchecked(since=max(_began, timezone.now() - EVERY))[:CHECKED_MAX]:
        with guarded(f"endpoint/{endpoint_id}"):
            report = endpoint_check(endpoint_id=endpoint_id)
            if report.fault:
                logger.warning("endpoint is not usable", extra={"at": report.label, "fault": report.fault})
