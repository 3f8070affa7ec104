"""Estimates as plain JSON and back: decimals are text, so that nothing is rounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from apps.domain.estimate import Estimate


def estimates_to_json(estimates: Iterable[Estimate]) -> list[dict[str, Any]]:
    """Return the estimates as plain JSON."""
    return [
        {
            "code": item.code,
            "value": _text(item.value),
            "low": _text(item.low),
            "high": _text(item.high),
            "confidence": str(item.confidence),
            "n": item.n,
            "source": item.source,
            "as_of_ms": item.as_of_ms,
            "unit": item.unit,
            "reason_unknown": item.reason_unknown,
        }
        for item in estimates
    ]


def estimates_from_json(rows: Iterable[Mapping[str, Any]]) -> tuple[Estimate, ...]:
    """Return stored estimates."""
    return tuple(
        Estimate(
            code=row["code"],
            value=_number(row["value"]),
            low=_number(row["low"]),
            high=_number(row["high"]),
            confidence=Decimal(row["confidence"]),
            n=row["n"],
            source=row["source"],
            as_of_ms=row["as_of_ms"],
            unit=row["unit"],
            reason_unknown=row["reason_unknown"],
        )
        for row in rows
    )


def _text(value: Decimal | None) -> str | None:
    return None if value is None else str(value)


def _number(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
