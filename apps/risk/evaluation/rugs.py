"""`manage.py evaluate rugs`: how well the probability of loss tells launches that will be drained."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.management.base import CommandParser

from apps.domain.errors import PlatformError

HELP = "The probability of loss on labelled pools, against simple rules on the same rows."


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate rugs` takes."""
    parser.add_argument("--data", required=True, metavar="DIR", help="A data set's folder.")
    parser.add_argument(
        "--test",
        metavar="DIR",
        help="Score this folder with a model fitted on --data, instead of cross-validating.",
    )
    parser.add_argument(
        "--horizon-blocks",
        type=int,
        default=300,
        metavar="N",
        help="Age at which pools are judged (300 are 1 hour).",
    )


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises SniperError when the data or the libraries are missing."""
    raise PlatformError(
        "The probability of loss cannot be measured yet.", remedy=f"Nothing read from {options['data']}."
    )
