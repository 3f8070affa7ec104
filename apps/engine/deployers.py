"""Looks up who paid for new launches, beside the road: nothing ever waits for it."""

from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from apps.discovery.selectors import funding_due
from apps.discovery.services.funding import funding_find
from apps.domain.errors import ConfigurationError, NetworkError
from apps.engine import housekeeping, wiring
from apps.state.services.incidents import incident_from_error

#: Older launches are judged already.
_YOUNGER_THAN = timedelta(hours=1)
#: A maker costs up to 250 questions, twenty where the node keeps no old state: of one run so many are looked up on a chain
#: of our own, so many on a real one, whose endpoints are needed for trading. What finds no room stays unknown.
_OWN_MAX, _REAL_MAX = 10, 1


@shared_task(name="engine.deployers")
def deployers() -> None:
    """Look up who paid for the launches of every chain that nobody has looked up yet; repeatable at will."""
    for chain_key in housekeeping.followed_chain_keys():
        try:
            look_up(chain_key)
        except ConfigurationError:
            continue  # the chain cannot be read at all, which the road itself tells of
        except NetworkError as error:
            incident_from_error(error, dedup_key=f"deployers/{chain_key}/{error.code}")


def look_up(chain_key: str) -> int:
    """Look up the newest launches of one chain; return how many. Raises NetworkError."""
    ports = wiring.chain_ports(chain_key)
    limit = _OWN_MAX if ports.profile.is_sandbox else _REAL_MAX
    due = funding_due(chain_key=chain_key, since=timezone.now() - _YOUNGER_THAN, limit=limit)
    for pair_id in due:
        funding_find(pair_id=pair_id, reader=ports.reader)
    return len(due)
