"""Findings as plain JSON and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from apps.domain.verdict import Finding, Gate, Outcome


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
