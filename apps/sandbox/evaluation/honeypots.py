"""`manage.py evaluate honeypots`: how well the verdict tells tokens that rob their buyers from those that do not.

A verdict is "safe" when no rule about the token fails or is unknown, "unsafe" when one fails, else "unknown"; an unknown one
counts against the recall. What the owner does after our purchase is not played before the verdict: to foresee it is the
task. ``--prove`` plays it afterwards.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from django.core.management.base import CommandParser

from apps.domain.errors import BadDataError, SniperError
from apps.sandbox.evaluation.assess import Assessment, Assessor, assess, assessor_of
from apps.sandbox.evaluation.case import Label, TokenCase, case_paths, case_read, claimed_identity
from apps.sandbox.evaluation.chain import LocalChain, local_chain
from apps.sandbox.evaluation.proof import prove
from apps.sandbox.evaluation.stage import Staged, stage
from apps.sandbox.logic.confusion import confusion_of, quantile

logger = logging.getLogger(__name__)

HELP = "The verdict on tokens whose truth is known, each with a pool of its own on a local chain."
_FORM = (
    "A folder, sub-folders too, with one JSON file a token: name, label (safe or unsafe), abi, bytecode,"
    " constructor_args, value_wei, setup, after_buy; the last two are lists of {from: owner or other, fn, args,"
    " blocks_after}, and to where another contract is called. Arguments may be $PAIR, $ROUTER, $WETH, $OWNER, $OTHER,"
    " and $MADE1 to $MADE3 for what the token made when it was deployed."
)
#: Coins of the account that would buy: as much as a trading wallet holds.
_BUYER_WEI = 20 * 10**18
_NOTE_CHARS_MAX = 400
_REASONS_SHOWN = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One token's row in the report. ``label`` is None when its file does not tell it."""

    name: str
    label: Label | None
    verdict: Literal["safe", "unsafe", "unknown", "error"]
    findings: tuple[Mapping[str, str], ...]
    buy_tax_bps: int | None = None
    sell_tax_bps: int | None = None
    ms: float | None = None
    label_holds: bool | None = None  # by real transactions; None where they were not asked for or failed


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate honeypots` takes."""
    parser.add_argument("--tokens", required=True, type=Path, metavar="DIR", help=_FORM)
    parser.add_argument(
        "--prove",
        action="store_true",
        help="Also buy and sell each token in real transactions, and name labels that do not hold.",
    )


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the report. Raises SniperError when nothing can be evaluated."""
    rows = tokens_judge(case_paths(options["tokens"]), proves=bool(options.get("prove")))
    if all(row.verdict == "error" for row in rows):
        raise BadDataError(
            f"None of {len(rows)} files could be evaluated. {rows[0].name}: {rows[0].findings[0]['explanation']}",
            remedy="Mend the files; their form is told by 'evaluate honeypots --help'.",
        )
    return report_of(rows)


def tokens_judge(paths: Sequence[Path], *, proves: bool = False) -> tuple[Judged, ...]:
    """Return one row a file, in order. A file or token that fails gives a row that says so, and the others go on."""
    with local_chain() as chain:
        assessor = assessor_of(chain)
        rows: list[Judged] = []
        for number, path in enumerate(paths):
            # Each token that stays on the chain makes every later block dearer.
            kept = chain.rpc.call("evm_snapshot")
            rows.append(_judge(chain, assessor, path, number=number, proves=proves))
            chain.rpc.call("evm_revert", kept)
        return tuple(rows)


def report_of(rows: Sequence[Judged]) -> Mapping[str, Any]:
    """Return the figures. Rows in error are listed and counted nowhere else."""
    pairs = [(row.label, row.verdict) for row in rows if row.label is not None and row.verdict != "error"]
    confusion = confusion_of(pairs)
    durations = [row.ms for row in rows if row.ms is not None]
    return {
        "n": confusion.n,
        "confusion": {
            "tp": confusion.tp,
            "fp": confusion.fp,
            "tn": confusion.tn,
            "fn": confusion.fn,
            "unknown_safe": confusion.unknown_safe,
            "unknown_unsafe": confusion.unknown_unsafe,
        },
        "precision": confusion.precision,
        "recall": confusion.recall,
        "unknown_share": confusion.unknown_share,
        "latency_ms": {"p50": quantile(durations, 0.5), "p95": quantile(durations, 0.95)},
        "tokens": [_row(row) for row in rows],
    }


def lines(report: Mapping[str, Any]) -> list[str]:
    """Return the report for people: the figures, then every token that was not judged as its label says."""
    told = report["confusion"]
    latency = report["latency_ms"]
    text = [
        f"{report['n']} tokens",
        f"unsafe: {told['tp']} refused, {told['fn']} passed, {told['unknown_unsafe']} unknown",
        f"safe: {told['tn']} passed, {told['fp']} refused, {told['unknown_safe']} unknown",
        f"precision {_percent(report['precision'])}, recall {_percent(report['recall'])}",
        f"a look takes {latency['p50']} ms in the median, {latency['p95']} ms in 95 of 100",
    ]
    for token in report["tokens"]:
        if token["verdict"] == token["label"] and token.get("label_holds", True):
            continue
        shown = [item["explanation"] for item in token["findings"][:_REASONS_SHOWN]]
        more = len(token["findings"]) - len(shown)
        reasons = " ".join(shown + [f"And {more} more."] * (more > 0)) or "no rule objects"
        note = "" if token.get("label_holds", True) else " ITS LABEL DOES NOT HOLD."
        text.append(f"  {token['name']}: {token['label']}, judged {token['verdict']}: {reasons}{note}")
    return text


def _judge(chain: LocalChain, assessor: Assessor, path: Path, *, number: int, proves: bool) -> Judged:
    try:
        case = case_read(path)
        staged = stage(chain, case, number=number)
    except SniperError as error:
        name, label = claimed_identity(path)
        return Judged(name=name, label=label, verdict="error", findings=(_note("NOT_EVALUATED", str(error)),))
    buyer = chain.actor(f"{number}:buyer", balance_wei=_BUYER_WEI).address
    try:
        row = _judged(case, assess(assessor, staged, buyer=buyer))
    except SniperError as error:
        row = _unknown(case, f"the assessment failed: {error}")
    except Exception as error:
        logger.exception("assessment failed", extra={"token": case.name})
        row = _unknown(case, f"our own code failed on this token: {type(error).__name__}")
    return _proved(chain, staged, row, number=number) if proves else row


def _proved(chain: LocalChain, staged: Staged, row: Judged, *, number: int) -> Judged:
    """Return the row with what real transactions say of its label."""
    try:
        robbed = prove(chain, staged, number=number).is_robbed
    except SniperError as error:
        return replace(row, findings=(*row.findings, _note("NOT_PROVED", str(error))))
    return replace(row, label_holds=robbed == (staged.case.label == "unsafe"))


def _judged(case: TokenCase, assessment: Assessment) -> Judged:
    return Judged(
        name=case.name,
        label=case.label,
        verdict=assessment.verdict,
        findings=tuple(
            {
                "rule": item.rule,
                "code": item.code,
                "outcome": item.outcome.value,
                "explanation": item.explanation,
                "detail": item.detail,
            }
            for item in assessment.refusals
        ),
        buy_tax_bps=assessment.buy_tax_bps,
        sell_tax_bps=assessment.sell_tax_bps,
        ms=round(assessment.duration_ms, 1),
    )


def _unknown(case: TokenCase, words: str) -> Judged:
    return Judged(
        name=case.name, label=case.label, verdict="unknown", findings=(_note("NOT_ASSESSED", words),)
    )


def _note(code: str, words: str) -> Mapping[str, str]:
    return {
        "rule": "",
        "code": code,
        "outcome": "unknown",
        "explanation": words[:_NOTE_CHARS_MAX],
        "detail": "",
    }


def _row(row: Judged) -> Mapping[str, Any]:
    fields: dict[str, Any] = {
        "name": row.name,
        "label": row.label,
        "verdict": row.verdict,
        "findings": list(row.findings),
        "buy_tax_bps": row.buy_tax_bps,
        "sell_tax_bps": row.sell_tax_bps,
        "ms": row.ms,
    }
    if row.label_holds is not None:
        fields["label_holds"] = row.label_holds
    return fields


def _percent(share: float | None) -> str:
    return "unknown" if share is None else f"{100 * share:.2f} %"
