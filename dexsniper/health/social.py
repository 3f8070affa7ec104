"""Where people talk: each source as it was last read."""

from __future__ import annotations

from collections.abc import Iterator

from apps.intelligence.models import SocialSourceState
from dexsniper.env import Environment
from dexsniper.health.check import Check, good, warning

_WORDS = {"down": "does not answer", "blocked": "refuses us", "out_of_budget": "has no budget left today"}


def social(_: Environment) -> Iterator[Check]:
    """Check that each source that has a token is read."""
    rows = list(SocialSourceState.objects.order_by("source"))
    if not rows:
        yield good("social", "sources", "none was read yet")
    for row in rows:
        if row.state == "not_configured":
            yield good("social", row.source, "not configured")
        elif row.state in _WORDS:
            yield warning(
                "social",
                row.source,
                f"{_WORDS[row.state]}: {row.reason}",
                remedy="It is tried again by itself; what mends it stands in the reason and in docs/social.md.",
            )
        else:
            yield good("social", row.source, f"read, {row.messages_total} messages in all")
