"""Libraries that only fitting and measuring need: the running system reads fitted parameters without them."""

from __future__ import annotations

import importlib
from typing import Any

from apps.domain.errors import ConfigurationError


def needed_library(name: str) -> Any:
    """Return a library that only fitting and measuring need. Raises ConfigurationError with how to install it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise ConfigurationError(
            f"The library {name.partition('.')[0]} is not installed: it is needed for fitting and measuring only.",
            remedy="Install it with 'pip install -r requirements/research.txt'.",
        ) from error
