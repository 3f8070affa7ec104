"""Lines of the event log as messages. Whatever a line lacks, or holds in another form, is null: a stream never ends by it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal, cast

from apps.api.messages import (
    ConcertPart,
    CoordinationDetected,
    EngineStatusChange,
    Entity,
    Logged,
    MarketRegimeChange,
    NewPairAnalysis,
    OpportunityFound,
    RiskAlert,
    TradeExecuted,
    WhaleActivityAlert,
    message_json,
)

#: Items of a list within a message, and characters of one text: what a stored line holds is not trusted to be small.
ITEMS_MAX: Final = 100
TEXT_LENGTH_MAX: Final = 2_000
_RAW: Final = re.compile(r"\d{1,78}")
_FIGURE: Final = re.compile(r"-?\d{1,40}(\.\d{1,60})?(E[+-]?\d{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A numbered line of the event log."""

    position: int
    kind: str
    at: datetime
    trace_id: str
    actor: str
    subject: str
    summary: str
    payload: Any  # JSON as it was stored


def line_json(line: Line, *, mode: str) -> str:
    """Return a line of one of the eight kinds as it is sent."""
    return message_json(
        _PARSERS[line.kind](line, line.payload if isinstance(line.payload, Mapping) else {}),
        mode=mode,
        at=line.at,
        position=line.position,
        trace_id=_clean(line.trace_id),
    )


def _engine(line: Line, found: Mapping[str, Any]) -> Logged:
    return EngineStatusChange(
        **_said_of(line),
        before=_text(found, "before"),
        after=_text(found, "after"),
        epoch=_whole(found, "epoch"),
        reason=_text(found, "reason"),
        by=_clean(line.actor),
    )


def _trade(line: Line, found: Mapping[str, Any]) -> Logged:
    side = found.get("side")
    return TradeExecuted(
        **_said_of(line),
        side=side if side in ("buy", "sell") else None,
        order_id=_whole(found, "order"),
        pair_id=_whole(found, "pair"),
        position_id=_subject(line, "position"),
        base_raw=_raw(found, "base_raw"),
        native_raw=_raw(found, "native_raw"),
        fee_raw=_raw(found, "fee_raw"),
        block_number=_whole(found, "block"),
        exit_tag=_text(found, "exit_tag"),
    )


def _opportunity(line: Line, found: Mapping[str, Any]) -> Logged:
    return OpportunityFound(
        **_said_of(line),
        pair_id=_subject(line, "pair"),
        pair_key=_text(found, "pair"),
        base_address=_text(found, "base"),
        symbol=_text(found, "symbol"),
        block_number=_whole(found, "block"),
        number=_whole(found, "number"),
        why=_text(found, "why") or _text(found, "detail"),
    )


def _risk(line: Line, found: Mapping[str, Any]) -> Logged:
    cause, _, name = line.subject.partition(":")
    known = cause if cause in ("pair", "breaker", "position", "order") else "other"
    code = _text(found, "code")
    return RiskAlert(
        **_said_of(line),
        cause=cast(Literal["pair", "breaker", "position", "order", "other"], known),
        pair_id=_subject(line, "pair"),
        position_id=_subject(line, "position"),
        order_id=_subject(line, "order"),
        breaker=_clean(name) or None if cause == "breaker" else None,
        chain_key=_text(found, "chain"),
        codes=_texts(found, "codes") or ([code] if code else []),
        effect=_text(found, "effect"),
        detail=_text(found, "detail") or _text(found, "reason"),
        verdict_id=_whole(found, "verdict"),
        block_number=_whole(found, "block"),
        transactions=_texts(found, "transactions"),
    )


def _analysis(line: Line, found: Mapping[str, Any]) -> Logged:
    return NewPairAnalysis(
        **_said_of(line),
        pair_id=_subject(line, "pair"),
        analysis_id=_whole(found, "analysis"),
        block_number=_whole(found, "block"),
        unknown=_texts(found, "unknown"),
        insight=_text(found, "insight"),
    )


def _regime(line: Line, found: Mapping[str, Any]) -> Logged:
    simulated = found.get("simulated")
    return MarketRegimeChange(
        **_said_of(line),
        market=_text(found, "market"),
        regime=_text(found, "regime"),
        before=_text(found, "before"),
        confidence_bps=_whole(found, "confidence_bps"),
        volatility=_text(found, "volatility"),
        second_opinion=_text(found, "second_opinion"),
        as_of_ms=_whole(found, "as_of_ms"),
        simulated=simulated if isinstance(simulated, bool) else None,
    )


def _whale(line: Line, found: Mapping[str, Any]) -> Logged:
    return WhaleActivityAlert(
        **_said_of(line),
        pair_id=_subject(line, "pair"),
        code=_text(found, "code"),
        value_bps=_figure(found, "value_bps"),
        low_bps=_figure(found, "low_bps"),
        high_bps=_figure(found, "high_bps"),
        confidence=_figure(found, "confidence"),
        n=_whole(found, "n"),
        threshold_bps=_whole(found, "threshold_bps"),
        entities=[
            Entity(
                members=_texts(item, "members"),
                size=_whole(item, "size"),
                reasons=_texts(item, "reasons"),
                evidence=_texts(item, "evidence"),
            )
            for item in _items(found, "entities")
        ],
    )


def _concert(line: Line, found: Mapping[str, Any]) -> Logged:
    return CoordinationDetected(
        **_said_of(line),
        pair_id=_subject(line, "pair"),
        likelihood_bps=_figure(found, "likelihood_bps"),
        low_bps=_figure(found, "low_bps"),
        high_bps=_figure(found, "high_bps"),
        confidence=_figure(found, "confidence"),
        n=_whole(found, "n"),
        limit_bps=_whole(found, "limit_bps"),
        parts=[
            ConcertPart(
                code=_text(item, "code"),
                likelihood_bps=_whole(item, "likelihood_bps"),
                reason=_text(item, "reason"),
                addresses=_texts(item, "addresses"),
                transactions=_texts(item, "transactions"),
            )
            for item in _items(found, "parts")
        ],
    )


_PARSERS: Final[dict[str, Callable[[Line, Mapping[str, Any]], Logged]]] = {
    EngineStatusChange.type: _engine,
    TradeExecuted.type: _trade,
    OpportunityFound.type: _opportunity,
    RiskAlert.type: _risk,
    NewPairAnalysis.type: _analysis,
    MarketRegimeChange.type: _regime,
    WhaleActivityAlert.type: _whale,
    CoordinationDetected.type: _concert,
}


# -- fields ---------------------------------------------------------------------------------
def _said_of(line: Line) -> dict[str, str]:
    return {"subject": _clean(line.subject), "summary": _clean(line.summary)}


def _subject(line: Line, kind: str) -> int | None:
    found, _, number = line.subject.partition(":")
    return (
        int(number) if found == kind and number.isascii() and number.isdigit() and len(number) < 19 else None
    )


def _clean(text: str) -> str:
    """Return a text no longer than may be, and without half characters, which no encoding knows."""
    return text[:TEXT_LENGTH_MAX].encode("utf-8", "replace").decode("utf-8")


def _text(found: Mapping[str, Any], name: str) -> str | None:
    """Return a text; an empty one says nothing."""
    value = found.get(name)
    return _clean(value) or None if isinstance(value, str) else None


def _whole(found: Mapping[str, Any], name: str) -> int | None:
    value = found.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _raw(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and _RAW.fullmatch(value) else None


def _figure(found: Mapping[str, Any], name: str) -> str | None:
    value = found.get(name)
    return value if isinstance(value, str) and _FIGURE.fullmatch(value) else None


def _texts(found: Mapping[str, Any], name: str) -> list[str]:
    value = found.get(name)
    if not isinstance(value, list):
        return []
    return [_clean(item) for item in value[:ITEMS_MAX] if isinstance(item, str)]


def _items(found: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    value = found.get(name)
    return (
        [item for item in value[:ITEMS_MAX] if isinstance(item, Mapping)] if isinstance(value, list) else []
    )
