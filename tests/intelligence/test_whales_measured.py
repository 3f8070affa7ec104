"""What large traders do against what came after: figures on histories whose answer is known."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from apps.domain.errors import ConfigurationError
from apps.intelligence.evaluation.whales import lift, pr_auc, rank_correlation, run


def test_average_precision_when_ranking_is_perfect_reversed_or_tied_then_as_by_hand() -> None:
    fell = np.array([1.0, 1.0, 0.0, 0.0])
    assert pr_auc(fell, np.array([4.0, 3.0, 2.0, 1.0])) == pytest.approx(1)
    assert pr_auc(fell, np.array([1.0, 2.0, 3.0, 4.0])) == pytest.approx((1 / 3 + 2 / 4) / 2)
    assert pr_auc(fell, np.ones(4)) == pytest.approx(0.5)
    assert pr_auc(np.zeros(4), np.ones(4)) is None


def test_lift_when_the_top_tenth_holds_all_falls_then_ten() -> None:
    fell = np.array([1.0] + [0.0] * 9)
    assert lift(fell, np.arange(10.0)[::-1]) == pytest.approx(10)


def test_rank_correlation_when_monotone_or_constant_then_one_or_none() -> None:
    rising = np.arange(9.0)
    assert rank_correlation(rising, rising**3) == pytest.approx(1)
    assert rank_correlation(rising, np.ones(9)) is None


def _folder(path: Path) -> Path:
    """Write pools that are bought up and then dumped by half of what hangs over them, and quiet ones."""
    path.mkdir()
    with (path / "sync_events.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["pool", "block", "log_index", "weth", "token_raw"])
        for number in range(60):
            is_bought_up = number % 2 == 0
            weth, tokens = 10.0, 1000.0
            product = weth * tokens
            for step in range(20):
                weth += 1.0 if is_bought_up else 0.01 * (-1) ** step
                tokens = product / weth
                writer.writerow([f"p{number}", 100 + step * 5, step, weth, tokens])
            weth = 11.0 if is_bought_up else weth
            writer.writerow([f"p{number}", 100 + 200, 1, weth, product / weth])
    return path


def test_evaluate_when_overhang_is_what_falls_then_it_ranks_best_and_nothing_is_fitted(
    tmp_path: Path,
) -> None:
    folder = _folder(tmp_path / "data")
    report = run({"data": folder, "test": None})
    hour = report["horizons"]["1h"]
    assert hour["falls"] == 30
    assert hour["metrics"]["overhang"]["pr_auc"] == 1
    assert hour["metrics"]["whale_imbalance"]["n"] < hour["n"]
    assert report == run({"data": tmp_path / "elsewhere", "test": folder})


def test_evaluate_when_the_folder_has_no_data_then_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError):
        run({"data": tmp_path, "test": None})
