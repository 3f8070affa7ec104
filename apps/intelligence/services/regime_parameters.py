"""The fitted parameters of the regime's confidence that are shipped, and where they lie."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.persistence import Curves, curves_from_json

PATH = Path(__file__).resolve().parent.parent / "parameters" / "regime.json"
_BYTES_MAX = 1_000_000


@lru_cache(maxsize=1)
def shipped_curves() -> Curves:
    """Return the shipped curves, read once. Raises ConfigurationError when they are gone or no curves."""
    try:
        with PATH.open(encoding="utf-8") as file:
            return curves_from_json(json.loads(file.read(_BYTES_MAX))["curves"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigurationError(
            f"The parameters of the market regime cannot be read: {error}.",
            remedy="Restore apps/intelligence/parameters/regime.json from the repository.",
        ) from error
