"""What docs/data.md tells of folders against the code that reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from apps.intelligence.evaluation import ohlcv
from apps.intelligence.measuring import labelled_texts, swap_histories
from apps.risk.evaluation.contracts import KINDS
from apps.risk.management.commands.train import MODELS
from apps.risk.model.training import HOLDINGS
from apps.sandbox.management.commands.evaluate import SUBJECTS

TEXT = (Path(__file__).parents[2] / "docs" / "data.md").read_text()


@pytest.mark.parametrize("name", [*SUBJECTS, *MODELS])
def test_every_subject_and_model_then_its_folder_is_told(name):
    assert f"`{name}`" in TEXT.partition("## Texts")[0]


@pytest.mark.parametrize(
    "column",
    sorted(
        {
            *labelled_texts._TEXTS,
            *labelled_texts._LABELS,
            *ohlcv._NEEDED,
            *swap_histories._NEEDED,
            *KINDS,
            *(HOLDINGS.only or ()),
        }
    ),
)
def test_every_column_that_is_needed_then_it_is_told(column):
    assert f"`{column}`" in TEXT
