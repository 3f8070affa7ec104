"""`manage.py train risk --data PATH`: fit the probability of loss anew, reproducible to the byte."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from apps.risk.model.artefact import artefact_path
from apps.risk.model.dataset import Labelled, is_pools, read_pools, read_tokens
from apps.risk.model.model import model_to_json
from apps.risk.model.training import HOLDINGS, PATH, SHIPPED_HORIZONS, Settings, fit
from apps.state.console import answer, plain_errors


class Command(BaseCommand):
    """Fit one model on one folder of labelled data and write its parameters."""

    help = "Fits the models that are shipped as parameters. The same data and libraries give the same bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the models that can be fitted."""
        models = parser.add_subparsers(dest="model", required=True, metavar="MODEL")
        risk = models.add_parser("risk", help="the probability of loss")
        risk.add_argument(
            "--data",
            required=True,
            type=Path,
            metavar="DIR",
            help="A folder with pools.*, sync_events.* and lp_transfers.*, or one with data.* of tokens.",
        )
        risk.add_argument(
            "--out", type=Path, metavar="FILE", help="Where to write (default: over the shipped parameters)."
        )
        risk.add_argument(
            "--check", action="store_true", help="Write nothing; say whether the shipped file would come out."
        )
        risk.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fit and write, or compare."""
        with plain_errors():
            rows, settings = _teaching(options["data"])
            text = model_to_json(fit(rows, settings))
        path: Path = options["out"] or artefact_path(settings.name)
        encoded = text.encode()
        is_same = path.is_file() and path.read_bytes() == encoded
        if not options["check"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(encoded)
        fields = {
            "model": settings.name,
            "rows": len(rows),
            "losses": sum(row.lost for row in rows),
            "bytes": len(encoded),
            "sha256": hashlib.sha256(encoded).hexdigest(),
            "file": str(path),
            "unchanged": is_same,
            "written": not options["check"],
        }
        state = "the same bytes as before" if is_same else "other bytes than before"
        verb = "compared with" if options["check"] else "written to"
        answer(
            self,
            as_json=options["json"],
            fields=fields,
            text=f"{settings.name}: {len(rows)} rows, {len(encoded)} bytes, {state}, {verb} {path}\n{fields['sha256']}",
        )


def _teaching(folder: Path) -> tuple[Sequence[Labelled], Settings]:
    """Return the rows that this kind of data teaches with, launches at every age that is shipped."""
    if is_pools(folder):
        pools = read_pools(folder)
        return [row for horizon in SHIPPED_HORIZONS for row in pools.cut(horizon)], PATH
    return read_tokens(folder), HOLDINGS
