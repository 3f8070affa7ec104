"""A data folder of its own for each test: the latch file outlives a rolled-back database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def data_dir(settings, tmp_path: Path) -> Path:
    settings.DATA_DIR = tmp_path
    settings.ENV = replace(settings.ENV, data_dir=tmp_path)
    return tmp_path
