"""Findings and score cards as plain JSON and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import TypeAdapter

from apps.domain.verdict import Finding, Gate, Outcome, ScoreCard

_CARD = TypeAdapter(ScoreCard)


def findings_to_json(findings: Iterable[Finding]) -> list[dict[str, Any]]:
    """Return the findings as plain JSON."""
    return [
        {
            "rule": item.rule,
            "code": item.code,
            "outcome": item.outcome.value,
            "explanation": item.explanation,
            "detail": item.detail,
            "gate": item.gate.word,
        }
        for item in findings
    ]


def findings_from_json(rows: Iterable[Mapping[str, Any]]) -> tuple[Finding, ...]:
    """Return stored findings."""
    return tuple(
        Finding(
            rule=row["rule"],
            code=row["code"],
            outcome=Outcome(row["outcome"]),
            explanation=row["explanation"],
            detail=row["detail"],
            gate=Gate[row.get("gate", "veto").upper()],  # findings of before the gates all refused
        )
        for row in rows
    )


def card_to_json(card: ScoreCard) -> dict[str, Any]:
    """Return a score card as plain JSON."""
    kept: dict[str, Any] = _CARD.dump_python(card, mode="json")
    return kept


def card_from_json(kept: Mapping[str, Any]) -> ScoreCard:
    """Return a stored score card."""
    return _CARD.validate_python(kept)
