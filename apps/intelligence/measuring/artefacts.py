"""A model fitted anew: its parameters as bytes, and where they are shipped."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """Fitted parameters. The same data and libraries must give the same ``content``, byte for byte."""

    name: str
    content: bytes
    path: Path  # where the shipped parameters lie
    rows: int  # labelled rows it rests on
    positives: int  # of them
