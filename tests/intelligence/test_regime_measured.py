"""`evaluate regime` and `train regime` on made-up bars."""

from __future__ import annotations

import csv
import json
from datetime import date, timedelta
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from apps.domain.errors import ConfigurationError
from apps.intelligence.evaluation import regime
from apps.intelligence.evaluation.ohlcv import read_bars
from apps.intelligence.fitting import regime as fitting
from tests.intelligence.tapes import path

LEGS = ((300, 0.006, 0.02), (250, -0.006, 0.03), (300, 0.006, 0.02), (250, -0.006, 0.03), (200, 0.0, 0.02))
FIRST = date(2018, 1, 1)


def write(
    folder: Path, markets: dict[str, list[float]], *, first: date = FIRST, without: int | None = None
) -> Path:
    folder.mkdir()
    with (folder / "ohlcv.test.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["symbol", "Date", "Open", "High", "Low", "Close", "Volume", "src"])
        for name, closes in markets.items():
            for number, close in enumerate(closes):
                if number != without:
                    day = first + timedelta(days=number)
                    rows.writerow([name, day.isoformat(), close, close * 1.01, close * 0.99, close, 1, "A"])
    return folder


def measured(folder: Path, *more: str) -> dict:
    out = StringIO()
    call_command("evaluate", "regime", "--data", str(folder), *more, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_regime_when_the_market_trends_then_bull_beats_bear(tmp_path: Path):
    report = measured(write(tmp_path / "d", {"BTC": path(*LEGS)}))
    assert report["n"] == 1_300 - 249
    low, high = report["ci95"]["spread_7d"]
    assert 0 < low < report["spread_7d"] < high
    assert report["flips_per_year"] <= report["metrics"]["flips_per_year_with_unknown"]
    assert report["persistence_gap"] <= report["metrics"]["persistence_gap_worst"]
    assert {"rule_alone", "above_mean_of_50", "jump_model", "always_crab"} == set(report["baselines"])
    assert sum(part["days"] for part in report["by_regime"].values()) == report["n"]


def test_walk_when_the_future_changes_then_no_day_before_is_judged_differently(tmp_path: Path):
    closes = path(*LEGS)
    crash = closes[:900] + path((400, -0.05, 0.1), start=closes[899], seed=9)
    walks = []
    for number, own in enumerate((closes, crash)):
        bars = read_bars(write(tmp_path / str(number), {"BTC": own}))["BTC"]
        walks.append(regime.walk(bars))
    assert walks[0].stated[:900] == walks[1].stated[:900]
    assert walks[0].confidence[:900] == walks[1].confidence[:900]


def test_regime_when_a_test_folder_is_given_then_only_its_days_count(tmp_path: Path):
    closes = path(*LEGS)
    data = write(tmp_path / "dev", {"BTC": closes[:900]})
    test = write(tmp_path / "held", {"BTC": closes[900:]}, first=FIRST + timedelta(days=900))
    report = measured(data, "--test", str(test))
    assert report["n"] == 400  # the days of --data are history enough for the first of them


def test_regime_when_bars_are_few_or_of_another_form_then_it_says_so(tmp_path: Path):
    few = write(tmp_path / "few", {"BTC": path((300, 0.0, 0.02))})
    with pytest.raises(ConfigurationError, match="51 days to judge"):
        regime.run({"data": few, "test": None, "market": "BTC"})
    with pytest.raises(ConfigurationError, match="no bars of ETH"):
        regime.run({"data": few, "test": None, "market": "ETH"})
    with pytest.raises(ConfigurationError, match=r"no file ohlcv\."):
        regime.run({"data": tmp_path, "test": None, "market": "BTC"})
    (tmp_path / "ohlcv.csv").write_text("symbol,Close\nBTC,1\n")
    with pytest.raises(ConfigurationError, match="lacks the columns Date, High"):
        regime.run({"data": tmp_path, "test": None, "market": "BTC"})


def test_bars_when_a_day_is_missing_then_the_longest_stretch_counts(tmp_path: Path):
    bars = read_bars(write(tmp_path / "d", {"BTC": path((100, 0.0, 0.02))}, without=30))["BTC"]
    assert len(bars.days) == 69


def test_confidence_when_fitted_twice_then_the_same_bytes_with_a_card(tmp_path: Path):
    folder = write(tmp_path / "d", {"BTC": path(*LEGS), "DOGE": path(*LEGS, seed=8)})
    first, second = (fitting.run({"data": folder}) for _ in range(2))
    assert first.content == second.content
    card = json.loads(first.content)["card"]
    assert "BTC 2018-01-01 to 2021-07-23" in card["data"]
    assert "DOGE" not in card["data"]
    with pytest.raises(ConfigurationError, match="0 labelled days"):
        fitting.run({"data": folder, "source": ["B"]})
