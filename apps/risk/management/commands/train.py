"""`manage.py train MODEL`: fit anew what is shipped as parameters, reproducible to the byte.

Each model is a module with ``HELP``, ``arguments(parser)`` and ``run(options)``; ``run`` returns what was fitted.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol, cast

from django.core.management.base import BaseCommand, CommandParser

from apps.intelligence.measuring.artefacts import Fitted
from apps.state.console import answer, plain_errors

#: Model -> the module that fits it; a module that is not there is not offered.
MODELS = {
    "bots": "apps.intelligence.fitting.bots",
    "pumps": "apps.intelligence.fitting.pumps",
    "regime": "apps.intelligence.fitting.regime",
    "risk": "apps.risk.model.fitting",
    "sentiment": "apps.intelligence.fitting.sentiment",
    "sybil": "apps.intelligence.fitting.sybil",
}


class Model(Protocol):
    """What a module must offer to be fitted by this command."""

    HELP: str

    def arguments(self, parser: CommandParser) -> None:
        """Add the model's own arguments."""

    def run(self, options: Mapping[str, Any]) -> Fitted:
        """Fit and return the parameters. Raises SniperError with a remedy."""


class Command(BaseCommand):
    """Fit one model on labelled data and write its parameters."""

    help = "Fits the models that are shipped as parameters. The same data and libraries give the same bytes."

    def add_arguments(self, parser: CommandParser) -> None:
        """Add one sub-command per model."""
        models = parser.add_subparsers(dest="model", required=True, metavar="MODEL")
        for name in sorted(MODELS):
            model = _model(name)
            if model is None:
                continue
            own = models.add_parser(name, help=model.HELP, description=model.HELP)
            model.arguments(own)
            own.add_argument(
                "--out",
                type=Path,
                metavar="FILE",
                help="Where to write (default: over the shipped parameters).",
            )
            own.add_argument(
                "--check",
                action="store_true",
                help="Write nothing; say whether the shipped file would come out.",
            )
            own.add_argument("--json", action="store_true", help="Print one JSON object.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Fit and write, or compare."""
        model = _model(options["model"])
        assert model is not None, options["model"]
        with plain_errors():
            fitted = model.run(options)
        path: Path = options["out"] or fitted.path
        is_same = path.is_file() and path.read_bytes() == fitted.content
        if not options["check"]:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(fitted.content)
        digest = sha256(fitted.content).hexdigest()
        fields = {
            "model": fitted.name,
            "rows": fitted.rows,
            "positives": fitted.positives,
            "bytes": len(fitted.content),
            "sha256": digest,
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
            text=f"{fitted.name}: {fitted.rows} rows, {len(fitted.content)} bytes, {state}, {verb} {path}\n{digest}",
        )


def _model(name: str) -> Model | None:
    module = MODELS[name]
    try:
        found = importlib.util.find_spec(module)
    except ModuleNotFoundError:  # its package is not there either
        found = None
    return None if found is None else cast(Model, importlib.import_module(module))
