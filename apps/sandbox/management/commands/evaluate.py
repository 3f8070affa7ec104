"""`manage.py evaluate SUBJECT`: measure on labelled data what the system claims.

Each subject is a module with ``HELP``, ``arguments(parser)`` and ``run(options)``; ``run`` returns the report, whose
keys are the same for every subject where they apply: n, metrics, baselines, ci95, missing. A module may also offer
``lines(report)``, its report for people.

It stands above the apps that it measures, because some subjects need a local chain.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from typing import Any, Protocol, cast

from django.core.management.base import BaseCommand, CommandParser

from apps.state.console import answer, plain_errors

#: Subject -> the module that measures it; a module that is not there is not offered.
SUBJECTS = {
    "bots": "apps.intelligence.evaluation.bots",
    "contracts": "apps.risk.evaluation.contracts",
    "honeypots": "apps.sandbox.evaluation.honeypots",
    "pumps": "apps.intelligence.evaluation.pumps",
    "regime": "apps.intelligence.evaluation.regime",
    "rugs": "apps.risk.evaluation.rugs",
    "sentiment": "apps.intelligence.evaluation.sentiment",
    "sybil": "apps.intelligence.evaluation.sybil",
    "wash": "apps.intelligence.evaluation.wash",
    "whales": "apps.intelligence.evaluation.whales",
}


class Subject(Protocol):
    """What a module must offer to be measured by this command."""

    HELP: str

    def arguments(self, parser: CommandParser) -> None:
        """Add the subject's own arguments."""

    def run(self, options: Mapping[str, Any]) -> Mapping[str, Any]:
        """Measure and return the report, ready for JSON. Raises SniperError with a remedy."""


class Command(BaseCommand):
    """Dispatch to the subject's module and print its report."""

    help = "Measures on labelled data what the system claims, and prints the figures."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one sub-command per subject."""
        subjects = parser.add_subparsers(dest="subject", required=True, metavar="SUBJECT")
        for name in sorted(SUBJECTS):
            subject = _subject(name)
            if subject is not None:
                own = subjects.add_parser(name, help=subject.HELP, description=subject.HELP)
                subject.arguments(own)
                own.add_argument(
                    "--json", action="store_true", help="Print one JSON object and nothing else."
                )

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure one subject."""
        subject = _subject(options["subject"])
        assert subject is not None, options["subject"]
        with plain_errors():
            report = subject.run(options)
        told = getattr(subject, "lines", _lines)(report)
        answer(self, as_json=options["json"], fields=dict(report), text="\n".join(told))


def _subject(name: str) -> Subject | None:
    module = SUBJECTS[name]
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # its package is not there either
        found = None
    return None if found is None else cast(Subject, importlib.import_module(module))


def _lines(report: Mapping[str, Any], *, indent: str = "") -> list[str]:
    """Return a report as indented lines; a long list is counted, not shown."""
    lines: list[str] = []
    for key, value in report.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}", *_lines(value, indent=f"{indent}  ")]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines.append(f"{indent}{key}  {len(value)} (shown with --json)")
        elif isinstance(value, float):
            lines.append(f"{indent}{key}  {value:.4f}")
        else:
            lines.append(f"{indent}{key}  {value}")
    return lines
