"""Reads verdicts and what became of the refused. Writes nothing."""

from __future__ import annotations

from datetime import datetime

from apps.domain.verdict import Finding
from apps.risk.logic.record import findings_from_json
from apps.risk.logic.scoreboard import Followed, RuleScore, board
from apps.risk.models import RefusedToken, VerdictRecord

#: Refused tokens that a board is made of: the newest.
SCOREBOARD_ROWS_MAX = 20_000


def verdict_latest(*, pair_id: int) -> VerdictRecord | None:
    """Return the pair's newest verdict, or None when there is none."""
    return VerdictRecord.objects.filter(pair_id=pair_id).order_by("-id").first()


def findings_of(record: VerdictRecord) -> tuple[Finding, ...]:
    """Return a stored verdict's findings, in the order in which people read them."""
    return findings_from_json(record.findings)


def scoreboard(*, since: datetime | None = None) -> tuple[RuleScore, ...]:
    """Return what each rule saved and cost, by the tokens refused since then; "all" stands first."""
    rows = RefusedToken.objects.filter(status__in=("following", "ended")).order_by("-id")
    if since is not None:
        rows = rows.filter(refused_at__gte=since)
    values = rows.values_list(
        "rules", "status", "died_at", "rose_at", "saved_usd_micros", "missed_usd_micros"
    )[:SCOREBOARD_ROWS_MAX]
    return board(
        Followed(
            rules=tuple(rules),
            is_decided=status == "ended",
            has_died=died_at is not None,
            has_risen=rose_at is not None,
            saved_usd_micros=saved,
            missed_usd_micros=missed,
        )
        for rules, status, died_at, rose_at, saved, missed in values
    )


def refused_tokens(*, rule: str = "", limit: int = 100) -> tuple[RefusedToken, ...]:
    """Return the newest refused tokens with their pairs, of one rule or of all."""
    rows = RefusedToken.objects.select_related("pair__base", "pair__quote").order_by("-id")
    if not rule:
        return tuple(rows[:limit])
    newest = rows[:SCOREBOARD_ROWS_MAX].iterator(chunk_size=500)
    found = (row for row in newest if rule in row.rules)
    return tuple(row for row, _ in zip(found, range(limit), strict=False))
