"""Fitting: the same bytes each time, the same answers in plain Python, and no group on both sides."""

from __future__ import annotations

import csv
import gzip
import io
import json
import math
from dataclasses import replace
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from apps.intelligence.measuring.libraries import needed_library
from apps.risk.evaluation.rugs import gate_figures
from apps.risk.model import training
from apps.risk.model.model import model_to_json
from apps.risk.model.training import Settings, fit, folds
from tests.risk.model_rows import market, rows

SMALL = Settings(name="small", rounds=12, dropout_copies=1)


def test_same_rows_then_same_bytes():
    taught = rows(size=120)
    assert model_to_json(fit(taught, SMALL)) == model_to_json(fit(taught, SMALL))


def test_plain_python_then_scores_as_the_booster_does(monkeypatch):
    boosters: list[Any] = []
    boost = training._boost

    def kept(*given):
        boosters.append(boost(*given))
        return boosters[-1]

    monkeypatch.setattr(training, "_boost", kept)
    taught = rows(size=150)
    model = fit(taught, SMALL)
    np = needed_library("numpy")
    for at, row in enumerate(taught[:40]):
        known = row.features if at % 2 else {name: v for name, v in row.features.items() if len(name) % 2}
        inputs = model.row(known)
        theirs = [float(item.predict(np.array([inputs]), raw_score=True)[0]) for item in boosters]
        assert model.scores(inputs) == pytest.approx(theirs, abs=1e-4)


def test_folds_then_groups_stay_together_and_parts_are_even():
    taught = [replace(row, group=f"g{at // 3}") for at, row in enumerate(rows(size=120))]
    place = folds(taught, count=4, seed=1)
    by_group: dict[str, set[int]] = {}
    for row, part in zip(taught, place, strict=True):
        by_group.setdefault(row.group, set()).add(part)
    assert all(len(parts) == 1 for parts in by_group.values())
    assert max(map(place.count, range(4))) - min(map(place.count, range(4))) <= 12


def test_model_is_fitted_then_it_tells_held_out_launches_apart():
    model = fit(rows(size=300, seed=1), SMALL)
    unseen = rows(size=200, seed=2)
    lost = [model.balanced(model.row(row.features)) for row in unseen if row.lost]
    kept = [model.balanced(model.row(row.features)) for row in unseen if not row.lost]
    assert sum(lost) / len(lost) > sum(kept) / len(kept) + 0.15


# -- the commands -------------------------------------------------------------------------
def write_pools(folder, *, size, seed=1):
    """Write a market as a data set folder; parquet and packed text are both read."""
    arrow, parquet = needed_library("pyarrow"), needed_library("pyarrow.parquet")
    pools = market(size=size, seed=seed).pools
    steps = [
        {"pool": own.key, "block": block, "log_index": at, "weth": quote, "token_raw": base}
        for own in pools
        for at, (block, quote, base) in enumerate(own.steps)
    ]
    transfers = [
        {
            "pool": own.key,
            "block": block,
            "log_index": at,
            "from": sender,
            "to": recipient,
            "lp_value": amount,
        }
        for own in pools
        for at, (block, sender, recipient, amount) in enumerate(own.transfers or ())
    ]
    parquet.write_table(arrow.Table.from_pylist(steps), folder / "sync_events.made.parquet")
    parquet.write_table(arrow.Table.from_pylist(transfers), folder / "lp_transfers.made.parquet")
    table = [
        {
            "pool": own.key,
            "source_set": own.era,
            "created_block": own.created_block,
            "first_block": own.first_block,
            "decimals": own.base_decimals,
            "n_sync": 10**6 if own.outcome == "drained" else 1,  # an outcome in disguise
            "outcome": own.outcome,
            "drain_block": own.drain_block,
        }
        for own in pools
    ]
    write_csv(folder / "pools.made.csv.gz", table)


def write_csv(path, table):
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=list(table[0]))
    writer.writeheader()
    writer.writerows(table)
    path.write_bytes(gzip.compress(text.getvalue().encode()))


def printed(*arguments):
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


SHAPE = {"n", "metrics", "baselines", "ci95", "missing"}
FIGURES = {
    "auc",
    "auc_2021",
    "mcc",
    "f1",
    "macro_f1",
    "balanced_accuracy",
    "recall_at_fpr10",
    "brier",
    "ece",
    "decided_share",
    "accuracy_decided",
}


@pytest.fixture
def small_settings(monkeypatch):
    monkeypatch.setattr("apps.risk.evaluation.rugs.PATH", SMALL)
    monkeypatch.setattr("apps.risk.evaluation.rugs.TOKENS", SMALL)
    monkeypatch.setattr("apps.risk.model.fitting.PATH", SMALL)
    monkeypatch.setattr("apps.intelligence.measuring.metrics.BOOTSTRAP_ROUNDS", 5)


@pytest.mark.usefixtures("small_settings")
def test_pools_are_cross_validated_then_the_report_has_its_shape(tmp_path):
    write_pools(tmp_path, size=260)
    report = json.loads(printed("evaluate", "rugs", "--data", str(tmp_path), "--json"))
    assert report.keys() >= SHAPE
    assert report["metrics"].keys() >= FIGURES
    assert set(report["baselines"]) == {"always_scam", "lp_rule"}
    assert set(report["missing"]) == {"50", "90"}
    assert report["n"] == 260
    low, high = report["ci95"]["auc"]
    assert low <= report["metrics"]["auc"] <= high or high - low < 0.1
    # Honest makers lock in the made-up market, so both the model and the rule must see it.
    assert report["metrics"]["auc"] > 0.75
    assert report["baselines"]["lp_rule"]["balanced_accuracy"] > 0.7
    assert report["baselines"]["always_scam"]["mcc"] == 0
    gate = report["gate"]
    assert gate["maximum_bps"] == 9_500
    assert 0 <= gate["lost_refused"] <= 1
    assert 0 <= gate["alive_kept"] <= 1


def test_gate_is_measured_then_unknown_refuses_nothing_and_shares_are_of_their_own_kind():
    np = pytest.importorskip("numpy")
    lost, upper = np.array([1.0, 1.0, 0.0, 0.0]), np.array([9_600.0, math.nan, 9_500.0, 9_501.0])
    assert gate_figures(lost, upper, maximum_bps=9_500) == {
        "maximum_bps": 9_500,
        "refused_share": 0.5,
        "lost_refused": 0.5,
        "alive_kept": 0.5,
        "lost_share_of_kept": 0.5,
    }


@pytest.mark.usefixtures("small_settings")
def test_test_folder_is_named_then_it_is_scored_by_a_model_of_the_other(tmp_path):
    for name, seed in (("data", 1), ("test", 2)):
        (tmp_path / name).mkdir()
        write_pools(tmp_path / name, size=240, seed=seed)
    folders = ("--data", str(tmp_path / "data"), "--test", str(tmp_path / "test"))
    report = json.loads(printed("evaluate", "rugs", *folders, "--json"))
    assert report["n"] == 240
    assert report["metrics"]["auc"] > 0.75


@pytest.mark.usefixtures("small_settings")
def test_tokens_are_evaluated_then_the_key_and_the_label_are_no_inputs(tmp_path):
    table = [
        {
            "id": f"0x{at:040x}",
            "lp_creator_holding_ratio": (at * 7 % 10) / 10,
            "noise": at * 31 % 17,
            "rug": at % 2,
        }
        for at in range(240)
    ]
    write_csv(tmp_path / "data.made.csv.gz", table)
    report = json.loads(printed("evaluate", "rugs", "--data", str(tmp_path), "--json"))
    assert report["metrics"]["auc"] < 0.75  # neither figure tells the label


@pytest.mark.usefixtures("small_settings")
def test_training_twice_then_the_check_finds_the_same_bytes(tmp_path):
    write_pools(tmp_path, size=150)
    out = tmp_path / "made.json"
    arguments = ("train", "risk", "--data", str(tmp_path), "--out", str(out), "--json")
    first, second = json.loads(printed(*arguments)), json.loads(printed(*arguments, "--check"))
    assert (second["unchanged"], second["written"]) == (True, False)
    assert first["sha256"] == second["sha256"]


def test_folder_without_data_then_error_says_what_it_should_hold(tmp_path):
    with pytest.raises(CommandError, match="pools"):
        call_command("evaluate", "rugs", "--data", str(tmp_path))


def test_too_few_rows_then_nothing_is_measured(tmp_path):
    write_pools(tmp_path, size=20)
    with pytest.raises(CommandError, match="too few"):
        call_command("evaluate", "rugs", "--data", str(tmp_path))
