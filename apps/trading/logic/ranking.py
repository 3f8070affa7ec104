"""Which opportunity goes first when there are many."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """What ranking looks at. ``score_bps`` is None while nothing is known."""

    opportunity_id: int
    score_bps: int | None
    created_at_ms: int


def ranked(candidates: tuple[Candidate, ...]) -> tuple[Candidate, ...]:
    """Return the candidates, best first: by score, unknown last, the younger first among equals."""
    return tuple(
        sorted(
            candidates,
            key=lambda item: (
                item.score_bps is None,
                -(item.score_bps or 0),
                -item.created_at_ms,
                item.opportunity_id,
            ),
        )
    )
