"""How the sources of people's talk stand, and what was heard lately."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from django.db.models import Count, Q
from django.utils import timezone

from apps.dashboard.asks import Ask
from apps.intelligence.models import SocialMention, SocialMessage, SocialSourceState

HEARD_WITHIN: Final = timedelta(hours=1)
_NAMES: Final = {"x": "X", "telegram": "Telegram", "tg_channels": "Telegram channels", "discord": "Discord"}


def source_rows(_: Ask) -> dict[str, Any]:
    """Return each source with its state, and how many messages and pairs the last hour brought."""
    since = timezone.now() - HEARD_WITHIN
    heard = dict(
        SocialMessage.objects.filter(received_at__gte=since).values_list("source").annotate(count=Count("pk"))
    )
    rows = [
        (_NAMES.get(row.source, row.source), row, heard.get(row.source, 0))
        for row in SocialSourceState.objects.order_by("source")
    ]
    return {
        "rows": rows,
        "messages": sum(heard.values()),
        "pairs": SocialMention.objects.filter(sent_at__gte=since).aggregate(n=Count("pair", distinct=True))[
            "n"
        ],
        "is_simulated": SocialMessage.objects.filter(Q(received_at__gte=since), is_simulated=True).exists(),
    }
