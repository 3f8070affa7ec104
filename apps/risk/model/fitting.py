"""`manage.py train risk`: fit the probability of loss anew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.intelligence.measuring.artefacts import Fitted
from apps.risk.model.artefact import artefact_path
from apps.risk.model.dataset import Labelled, is_pools, read_pools, read_tokens
from apps.risk.model.model import model_to_json
from apps.risk.model.training import HOLDINGS, PATH, SHIPPED_HORIZONS, Settings, fit

HELP = "the probability of loss"


def arguments(parser: CommandParser) -> None:
    """Add what `train risk` takes."""
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        metavar="DIR",
        help="A folder with pools.*, sync_events.* and lp_transfers.*, or one with data.* of tokens.",
    )


def run(options: Mapping[str, Any]) -> Fitted:
    """Return the parameters fitted on one folder of labelled data."""
    rows, settings = _teaching(options["data"])
    return Fitted(
        name=settings.name,
        content=model_to_json(fit(rows, settings)).encode(),
        path=artefact_path(settings.name),
        rows=len(rows),
        positives=sum(row.lost for row in rows),
    )


def _teaching(folder: Path) -> tuple[Sequence[Labelled], Settings]:
    """Return the rows that this kind of data teaches with, launches at every age that is shipped."""
    if is_pools(folder):
        pools = read_pools(folder)
        return [row for horizon in SHIPPED_HORIZONS for row in pools.cut(horizon)], PATH
    return read_tokens(folder), HOLDINGS
