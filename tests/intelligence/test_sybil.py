"""Addresses of one person: inputs, shipped parameters, fitting, measuring."""

from __future__ import annotations

import csv
import math
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.domain.errors import BadDataError, ConfigurationError
from apps.intelligence.evaluation import sybil as evaluation
from apps.intelligence.fitting import sybil as fitting
from apps.intelligence.logic.sybil import INPUTS, Link, Participant, rows
from apps.intelligence.logic.sybil_model import model_from_json, model_to_json


def _people(count: int) -> list[Participant]:
    return [Participant(address=f"a{at}", at=float(at), size=float(at % 7 + 1)) for at in range(count)]


def test_rows_when_nobody_paid_anybody_then_only_what_needs_no_partner_is_known() -> None:
    found = dict(zip(INPUTS, rows(_people(5), ())[2], strict=True))
    assert found["peers"] == found["near"] == found["cluster_100"] == 0
    assert math.isnan(found["time_min"])
    assert 0 <= found["size_rank"] <= 1


def test_rows_when_times_are_scaled_then_nothing_changes() -> None:
    links = [Link("a1", "a2", "native"), Link("x", "a3", "token"), Link("x", "a4", "token")]
    later = [Participant(address=item.address, at=item.at * 3_600 + 9, size=item.size) for item in _people(6)]
    before, after = rows(_people(6), links), rows(later, links)
    for one, other in zip(before, after, strict=True):
        assert one == pytest.approx(other, nan_ok=True)


def test_rows_when_two_share_a_payer_then_they_are_near_and_others_are_not() -> None:
    found = rows(_people(6), [Link("x", "a3", "token"), Link("x", "a4", "token")])
    near = [row[INPUTS.index("near")] for row in found]
    assert near == [0, 0, 0, 1, 1, 0]


_names = st.sampled_from([f"a{at}" for at in range(6)] + ["x", "y"])


@given(
    links=st.lists(st.builds(Link, _names, _names, st.sampled_from(["token", "native"])), max_size=20),
    count=st.integers(0, 6),
)
def test_likelihood_when_links_are_anything_then_it_is_between_nothing_and_certainty(
    links: list[Link], count: int
) -> None:
    model = fitting.shipped_model()
    for row in rows(_people(count), links):
        assert len(row) == len(INPUTS)
        assert 0 <= model.likelihood(row) <= 1


def test_model_when_written_and_read_then_it_is_the_same() -> None:
    model = fitting.shipped_model()
    assert model.inputs == INPUTS
    assert model_to_json(model_from_json(model_to_json(model))) == model_to_json(model)
    assert model.card["data_licence"]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        "no",
        '{"format":1,"inputs":["a"],"threshold":0.5,"card":{},"trees":[[[[0,1,0,-1,0]],[1,2]]]}',
        '{"format":1,"inputs":["a"],"threshold":0.5,"card":{},"trees":[[[[3,1,-1,-2,0]],[1,2]]]}',
    ],
)
def test_model_when_parameters_are_broken_then_says_so(text: str) -> None:
    with pytest.raises(BadDataError):
        model_from_json(text)


def _folder(path: Path) -> Path:
    """Write rings whose members pay each other at about the same time, and strangers."""
    chance = Random(7)
    people: list[tuple[str, int, float, float, str]] = []
    edges: list[tuple[str, str, str]] = []
    for ring in range(30):
        at = chance.uniform(0, 1e6)
        members = [f"ring{ring}x{number}" for number in range(6)]
        people += [(name, 1, 100 + chance.random(), at + chance.random(), f"g{ring}") for name in members]
        edges += [(one, other, "native") for one, other in pairwise(members)]
    for number in range(300):
        people.append((f"s{number}", 0, chance.uniform(1, 1e4), chance.uniform(0, 1e6), ""))
    path.mkdir()
    with (path / "addresses.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["address", "sybil", "hop_volume_usd", "first_hop_ts", "group"])
        writer.writerows(people)
    with (path / "edges.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["from", "to", "kind"])
        writer.writerows(edges)
    return path


def test_evaluate_when_rings_are_plain_then_they_are_found(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "data")
    report = evaluation.run({"data": folder, "test": None})
    assert report["n_sybil"] == 180
    assert report["metrics"]["auc"] > 0.95
    again = evaluation.run({"data": folder, "test": folder})
    assert again["metrics"]["f1"] > 0.95


def test_train_when_run_twice_then_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = _folder(tmp_path / "data")
    assert fitting.run({"data": folder}).content == fitting.run({"data": folder}).content


def test_read_when_a_file_is_missing_then_says_which(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"addresses\.\*"):
        fitting.read(tmp_path)
