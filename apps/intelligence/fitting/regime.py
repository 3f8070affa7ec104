"""`manage.py train regime`: fit anew how often a stated regime still stood three days later."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.domain.errors import ConfigurationError
from apps.intelligence.evaluation.ohlcv import read_bars
from apps.intelligence.evaluation.regime import TEACHERS, observed
from apps.intelligence.logic import persistence
from apps.intelligence.measuring.artefacts import Fitted
from apps.intelligence.services.regime_parameters import PATH

HELP = "the confidence of the market regime"
_DAYS_MIN = 500


def arguments(parser: CommandParser) -> None:
    """Add what `train regime` takes."""
    parser.add_argument("--data", required=True, type=Path, metavar="DIR", help="A folder with ohlcv.*.")
    parser.add_argument(
        "--source",
        action="append",
        metavar="NAME",
        help="Rows whose src is this alone; may be repeated (default: A, which is under the MIT licence).",
    )


def run(options: Mapping[str, Any]) -> Fitted:
    """Return the curves fitted on walk-forward labels of TEACHERS. Raises ConfigurationError with too few days."""
    sources = frozenset(options.get("source") or ("A",))
    bars = {
        name: own for name, own in read_bars(options["data"], sources=sources).items() if name in TEACHERS
    }
    rows = [item.row for own in bars.values() for item in observed(own)]
    if len(rows) < _DAYS_MIN:
        raise ConfigurationError(
            f"There are {len(rows)} labelled days of {', '.join(TEACHERS)}.",
            remedy=f"At least {_DAYS_MIN} are needed.",
        )
    card = {
        "what": "share of stated regimes that were stated on each of the next three days too, by distance from leaving",
        "data": "daily bars (symbol, Date, Open, High, Low, Close) of "
        + ", ".join(
            f"{name} {_date(own.days[0])} to {_date(own.days[-1])}" for name, own in sorted(bars.items())
        ),
        "licence": "fitted on data under the MIT licence; the parameters are part of this project",
        "method": "isotonic regression on walk-forward labels; steps of at least 25 days",
        "days": len(rows),
        "persistence": round(sum(stood for _, _, stood in rows) / len(rows), 4),
        "measure": "manage.py evaluate regime",
    }
    content = {"card": card, "curves": persistence.curves_to_json(persistence.fit(rows))}
    return Fitted(
        name="regime",
        content=(json.dumps(content, indent=1, sort_keys=True) + "\n").encode(),
        path=PATH,
        rows=len(rows),
        positives=sum(stood for _, _, stood in rows),
    )


def _date(day: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()
