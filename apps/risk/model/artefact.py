"""The fitted parameters that are shipped, and where they lie."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from apps.domain.errors import ConfigurationError
from apps.risk.model.model import LossModel, model_from_json

FOLDER = Path(__file__).resolve().parent / "parameters"
BYTES_MAX = 5_000_000


def artefact_path(name: str) -> Path:
    """Return the file of the model called ``name``."""
    return FOLDER / f"{name}.json"


@lru_cache(maxsize=8)
def shipped_model(name: str) -> LossModel:
    """Return the shipped model called ``name``, read once. Raises ConfigurationError, BadDataError."""
    path = artefact_path(name)
    try:
        with path.open(encoding="utf-8") as file:
            text = file.read(BYTES_MAX + 1)
    except OSError as error:
        raise ConfigurationError(
            f"The parameters of the probability of loss cannot be read: {error}.",
            remedy="Restore apps/risk/model/parameters from the repository.",
        ) from error
    return model_from_json(text[:BYTES_MAX])
