"""Keeps what a decision was made from, so that it can be made again.

The form is JSON without floats: integers beyond 2^53 and decimals are text, which every JSON reader keeps exact.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter

from apps.domain.decision import Reason, TradeDecision
from apps.trading.logic.core import step_entry, step_exit
from apps.trading.logic.entry_case import EntryCase
from apps.trading.logic.exit import ExitCase

_EXACT_INT_MAX = 2**53 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryInputs:
    """What an entry decision was made from; ``refused`` is the budget's answer, None when it held the funds."""

    case: EntryCase
    refused: Reason | None = None


_ENTRY = TypeAdapter(EntryInputs)
_EXIT = TypeAdapter(ExitCase)


def entry_inputs(inputs: EntryInputs) -> dict[str, Any]:
    """Return an entry's inputs as plain JSON."""
    return {"step": "entry", "given": _exact(_ENTRY.dump_python(inputs, mode="json"))}


def exit_inputs(case: ExitCase) -> dict[str, Any]:
    """Return an exit's inputs as plain JSON."""
    return {"step": "exit", "given": _exact(_EXIT.dump_python(case, mode="json"))}


def decision_from_inputs(inputs: dict[str, Any]) -> TradeDecision:
    """Return the decision that these stored inputs lead to."""
    if inputs["step"] == "entry":
        given = _ENTRY.validate_python(inputs["given"])
        case = given.case
        return step_entry(
            verdict=case.verdict,
            analysis=case.analysis,
            config=case.config,
            config_revision=case.config_revision,
            facts=case.facts,
            steering=case.steering,
            wish=case.wish,
            refused=given.refused,
        )
    assert inputs["step"] == "exit", inputs["step"]
    exit_case = _EXIT.validate_python(inputs["given"])
    return step_exit(
        position=exit_case.position,
        reserves=exit_case.reserves,
        fees=exit_case.fees,
        quote_price_usd_micros=exit_case.quote_price_usd_micros,
        head=exit_case.head,
        config=exit_case.config,
        config_revision=exit_case.config_revision,
        now_ms=exit_case.now_ms,
        estimates=exit_case.estimates,
    )


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _exact(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    if type(value) is int and abs(value) > _EXACT_INT_MAX:
        return str(value)
    return value
