"""Say everything that can be found out about a token, and what it rests on."""

from __future__ import annotations

import re
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.domain.money import BPS_ONE
from apps.engine.assessment import Assessed, lines_of, token_assess
from apps.engine.assessment_bench import bench, bench_lines
from apps.intelligence.logic.probes_record import evidence_to_json, probes_to_json
from apps.intelligence.logic.record import estimates_to_json
from apps.state.console import answer, plain_errors

_ADDRESS = re.compile(r"0x[0-9a-fA-F]{40}")
_RUNS_MAX = 10_000


class Command(BaseCommand):
    """``manage.py assess CHAIN TOKEN``."""

    help = "Assesses a token on a configured chain in full: trades and owner's acts in simulation, rules, evidence."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare chain and token."""
        parser.add_argument("chain", help="the chain's key, e.g. eip155:8453")
        parser.add_argument("token", help="the token's address, 0x and 40 hex digits")
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--outside", action="store_true", help="ask the configured outside services about it at once"
        )
        parser.add_argument(
            "--bench",
            type=int,
            default=0,
            metavar="N",
            help="assess it N times, singly and 16 at once, and print how long that takes",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Assess."""
        if not _ADDRESS.fullmatch(options["token"]):
            raise CommandError("The token must be an address: 0x and 40 hex digits.")
        if not 0 <= options["bench"] <= _RUNS_MAX:
            raise CommandError(f"--bench takes 1 to {_RUNS_MAX}.")
        with plain_errors():
            if options["bench"]:
                report = bench(options["chain"], options["token"], runs=options["bench"])
                answer(
                    self, as_json=options["json"], fields=report.fields(), text="\n".join(bench_lines(report))
                )
                return
            assessed = token_assess(options["chain"], options["token"], asks_outside=options["outside"])
            answer(
                self, as_json=options["json"], fields=_fields(assessed), text="\n".join(lines_of(assessed))
            )


def _fields(assessed: Assessed) -> dict[str, Any]:
    analysis, verdict, probes = assessed.analysis, assessed.verdict, assessed.facts.probes
    return {
        "chain": assessed.listing.base.chain_key,
        "token": assessed.listing.base.address,
        "symbol": assessed.listing.base.symbol,
        "pool": assessed.listing.pool_address,
        "dex": assessed.listing.dex_key,
        "creator": assessed.listing.creator,
        "block": {
            "number": analysis.block.number,
            "hash": analysis.block.hash,
            "at_ms": analysis.block.at_ms,
        },
        "duration_ms": assessed.duration_ms,
        "verdict": verdict.outcome.value,
        "score_bps": verdict.score_bps,
        "score_of": BPS_ONE,
        "findings": [
            {
                "rule": item.rule,
                "code": item.code,
                "outcome": item.outcome.value,
                "gate": item.gate.name.lower(),
                "explanation": item.explanation,
                "detail": item.detail,
            }
            for item in verdict.findings
        ],
        "estimates": estimates_to_json(analysis.estimates),
        "missing": list(analysis.missing),
        "evidence": evidence_to_json(analysis.evidence),
        "probes": None if probes is None else probes_to_json(probes),
    }
