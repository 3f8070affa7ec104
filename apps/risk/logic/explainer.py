"""A verdict as ordered plain sentences with numbers, and what would have to change for a pass."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from apps.domain.analysis import Evidence
from apps.domain.money import BPS_ONE
from apps.domain.verdict import Finding, Gate, Outcome, RiskVerdict
from apps.risk.logic.explanations import explanation_of
from apps.risk.logic.rules import RULES

Weight = Literal["refuses", "warns", "not_asked", "speaks_for"]
#: In the order in which people read them.
_ORDER: tuple[Weight, ...] = ("refuses", "warns", "not_asked", "speaks_for")
NOT_ASKED = "NOT_ASKED"
_PERCENT = Decimal(BPS_ONE) / 100
_HOUR_S, _MINUTE_S, _DAY_S = 3_600, 60, 86_400
_FIGURES_MAX = 8
#: The estimate behind each rule; where none is named it bears the rule's name.
_FIGURES = {rule.name: rule.figure for rule in RULES if rule.figure}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What one rule found. ``remedy`` says what would have to change for it to pass, "" where nothing must."""

    rule: str
    code: str
    weight: Weight
    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictExplanation:
    """A verdict in words: the headline, every rule's sentence by weight, and what would make it pass."""

    headline: str
    sentences: tuple[Sentence, ...]

    @property
    def changes_needed(self) -> tuple[str, ...]:
        """Return what would have to change for a pass, each once; empty when it passes."""
        needed = (item.remedy for item in self.sentences if item.weight == "refuses" and item.remedy)
        return tuple(dict.fromkeys(needed))

    @property
    def lines(self) -> tuple[str, ...]:
        """Return headline, sentences and needed changes as plain lines."""
        needed = self.changes_needed
        ending = ("What would have to change:", *(f"- {item}" for item in needed)) if needed else ()
        return (self.headline, *(f"- {item.text}" for item in self.sentences), *ending)


def explain(verdict: RiskVerdict, *, evidence: Sequence[Evidence] = ()) -> VerdictExplanation:
    """Return the verdict in words, what refuses it first; with ``evidence`` each danger says what was tried."""
    shown = {item.code: item.summary for item in reversed(evidence)}  # the strongest stands first
    sentences = [_sentence(item, shown) for item in verdict.findings]
    return VerdictExplanation(
        headline=_headline(verdict),
        sentences=tuple(
            item for weight in _ORDER for item in _failures_first(sentences, weight, verdict.findings)
        ),
    )


def _failures_first(sentences: list[Sentence], weight: Weight, findings: Iterable[Finding]) -> list[Sentence]:
    pairs = [(item, found) for item, found in zip(sentences, findings, strict=True) if item.weight == weight]
    return [item for item, found in sorted(pairs, key=lambda pair: pair[1].outcome is not Outcome.FAIL)]


def _headline(verdict: RiskVerdict) -> str:
    failed = sum(item.outcome is Outcome.FAIL for item in verdict.refusals)
    unknown = len(verdict.refusals) - failed
    warned = sum(item.code != NOT_ASKED for item in verdict.warnings)
    counts = [
        text
        for count, text in (
            (failed, f"{_rules(failed)} against it"),
            (unknown, f"{_rules(unknown)} cannot be answered"),
            (warned, f"{warned} warning{'s' if warned != 1 else ''}"),
        )
        if count
    ]
    words = {Outcome.PASS: "Accepted", Outcome.FAIL: "Refused", Outcome.UNKNOWN: "Not known well enough"}
    score = (
        "no score"
        if verdict.score_bps is None
        else f"score {_percent(Decimal(verdict.score_bps))}, which rests on {_percent(Decimal(verdict.confidence_bps))}"
        " of what should be known"
    )
    return f"{words[verdict.outcome]}: {', '.join(counts) or 'every rule passes'}; {score}."


def _rules(count: int) -> str:
    return f"{count} rule{'s' if count != 1 else ''}"


def _sentence(found: Finding, shown: Mapping[str, str]) -> Sentence:
    weight: Weight = "speaks_for"
    if found.code == NOT_ASKED:
        weight = "not_asked"
    elif found.outcome is not Outcome.PASS:
        weight = "refuses" if found.gate is Gate.VETO else "warns"
    figures = figures_in_words(found.detail)
    text = f"{found.explanation.removesuffix('.')}: {figures}." if figures else found.explanation
    tried = "" if found.outcome is not Outcome.FAIL else shown.get(_FIGURES.get(found.rule, found.rule), "")
    if tried:
        text = f"{text} {tried}"
    return Sentence(
        rule=found.rule,
        code=found.code,
        weight=weight,
        text=text,
        remedy="" if found.outcome is Outcome.PASS else explanation_of(found.code).remedy,
    )


def figures_in_words(detail: str) -> str:
    """Return a finding's figures for people: "sell_tax_bps=9900 maximum=500" is "sell tax 99 %, at most 5 % allowed"."""
    parts: list[str] = []
    unit = ""
    for token in detail.split(" ")[:_FIGURES_MAX]:
        name, is_figure, value = token.partition("=")
        if not is_figure or name.endswith("_raw"):
            continue
        own = next((suffix for suffix in ("_bps", "_usd", "_s") if name.endswith(suffix)), "")
        is_limit = name.removesuffix(own) in ("maximum", "minimum")
        unit = unit if is_limit and not own else own
        shown = _value(value, unit)
        if is_limit:
            parts.append(
                f"at {'most' if name.startswith('max') else 'least'} {shown} {'allowed' if name.startswith('max') else 'needed'}"
            )
        else:
            parts.append(f"{name.removesuffix(own).replace('_', ' ')} {shown}")
    return ", ".join(parts)


def _value(text: str, unit: str) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return text
    if unit == "_bps":
        return _percent(number)
    if unit == "_usd":
        return f"${number:,.2f}"
    if unit == "_s":
        return _duration(int(number))
    return f"{number.normalize():,f}"


def _percent(bps: Decimal) -> str:
    return f"{(bps / _PERCENT).quantize(Decimal('0.01')).normalize():f} %"


def _duration(seconds: int) -> str:
    for size, word in ((_DAY_S, "d"), (_HOUR_S, "h"), (_MINUTE_S, "min")):
        if seconds >= 2 * size:
            return f"{seconds // size} {word}"
    return f"{seconds} s"
