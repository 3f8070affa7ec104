"""How likely a program runs an account."""

from __future__ import annotations

import csv
import json
import random
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.domain.errors import BadDataError, ConfigurationError
from apps.intelligence.evaluation import bots as measuring
from apps.intelligence.fitting import bots as fitting
from apps.intelligence.logic.bots import (
    INPUTS,
    KNOWN_MIN,
    Account,
    account_from_json,
    account_to_json,
    age_s,
    bot_inputs,
    bots_from_json,
    bots_to_json,
)
from apps.intelligence.scorers import shipped_bots

NOW_MS = 1_790_000_000_000
DAY_MS = 86_400_000
PERSON = Account(
    created_at_ms=NOW_MS - 2_000 * DAY_MS,
    followers=400,
    following=350,
    listed=6,
    favourites=9_000,
    messages=5_000,
    is_verified=False,
    has_default_image=False,
    has_location=True,
    description_length=80,
    name_digits=0,
)
PROGRAM = Account(
    created_at_ms=NOW_MS - 300 * DAY_MS,
    followers=30,
    following=1,
    listed=9,
    favourites=0,
    messages=40_000,
    is_verified=False,
    has_default_image=False,
    has_location=False,
    description_length=60,
    name_digits=0,
)


def test_shipped_when_account_posts_without_end_and_likes_nothing_then_likely_a_bot() -> None:
    model = shipped_bots()
    person, program = (model.account_chance(account, at_ms=NOW_MS) for account in (PERSON, PROGRAM))
    assert person is not None
    assert program is not None
    assert person < 0.3 < 0.7 < program


def test_account_declares_itself_then_certain() -> None:
    assert shipped_bots().account_chance(Account(is_declared_bot=True), at_ms=NOW_MS) == 1.0


def test_too_little_is_told_then_nothing_is_said() -> None:
    names = ("followers", "following", "messages", "listed")
    for count in range(KNOWN_MIN):
        account = Account(is_declared_bot=False, **dict.fromkeys(names[:count], 5))  # type: ignore[arg-type]
        assert shipped_bots().account_chance(account, at_ms=NOW_MS) is None
    assert (
        shipped_bots().account_chance(Account(followers=1, following=1, messages=1, listed=1), at_ms=NOW_MS)
        is not None
    )


def test_account_when_kept_as_numbers_then_the_same_again() -> None:
    for account in (PERSON, PROGRAM, Account()):
        kept = json.loads(json.dumps(account_to_json(account)))
        assert account_from_json(kept) == account


def test_age_when_made_after_it_wrote_then_zero() -> None:
    assert age_s(Account(created_at_ms=NOW_MS + 5), at_ms=NOW_MS) == 0
    assert age_s(Account(), at_ms=NOW_MS) is None


def test_model_when_kept_as_text_then_the_same_bytes() -> None:
    text = bots_to_json(shipped_bots())
    assert bots_to_json(bots_from_json(text)) == text
    assert shipped_bots().card["data_licence"] == "MIT"


@pytest.mark.parametrize(
    "change", [{"format": 9}, {"inputs": ["age"]}, {"trees": []}, {"trees": [[[[0, 1, 0, 0, 0]], [1, 2]]]}]
)
def test_parameters_are_damaged_then_bad_data(change: dict[str, Any]) -> None:
    parts = json.loads(bots_to_json(shipped_bots())) | change
    with pytest.raises(BadDataError):
        bots_from_json(json.dumps(parts))


KINDS = {
    item.name: st.none()
    | (st.booleans() if item.name.startswith(("is_", "has_")) else st.integers(0, 2 * NOW_MS))
    for item in fields(Account)
}


@settings(max_examples=100, deadline=None)
@given(account=st.builds(Account, **KINDS))
def test_any_subset_of_an_account_then_nothing_raises_and_nothing_is_invented(account: Account) -> None:
    assert len(bot_inputs(account, at_ms=NOW_MS)) == len(INPUTS)
    chance = shipped_bots().account_chance(account, at_ms=NOW_MS)
    if chance is not None:
        assert 0 <= chance <= 1


# -- fitting and measuring -------------------------------------------------------------------
COLUMNS = (
    *(
        "account_key",
        "followers_count",
        "friends_count",
        "listedcount",
        "created_at",
        "favourites_count",
        "verified",
    ),
    *(
        "statuses_count",
        "default_profile",
        "default_profile_image",
        "has_url",
        "has_location",
        "description_len",
    ),
    *("screen_name_digits", "bot"),
)


def table(folder: Path, *, count: int = 160) -> Path:
    folder.mkdir()
    chance = random.Random(5)
    with (folder / "data.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(COLUMNS)
        for number in range(count):
            is_bot = number % 2
            writer.writerow(
                [
                    *(
                        number,
                        chance.randrange(50 if is_bot else 900),
                        chance.randrange(300),
                        chance.randrange(9),
                    ),
                    "Sat Oct 17 22:35:31 +0000 2015" if is_bot else "17/01/2011 17:44",
                    *(chance.randrange(3 if is_bot else 4_000), "False", chance.randrange(30_000)),
                    *("True", "False", 0, 1, "" if is_bot else "20.0", 0, is_bot),
                ]
            )
    return folder


def test_train_twice_then_the_same_bytes(tmp_path: Path) -> None:
    folder = table(tmp_path / "set")
    first, second = (fitting.run({"data": folder}) for _ in range(2))
    assert first.content == second.content
    assert (first.rows, first.positives) == (160, 80)
    assert bots_from_json(first.content.decode()).card["metrics"]["mcc"] > 0.8


def test_evaluate_then_baselines_intervals_and_the_shipped_beside(tmp_path: Path) -> None:
    folder = table(tmp_path / "set")
    for test in (None, folder):
        report = measuring.run({"data": folder, "test": test})
        assert report["n"] == 160
        assert report["metrics"]["mcc"] > 0.8
        assert {"nobody", "younger_than_30_days"} <= set(report["baselines"])
        assert "mcc" in report["ci95"]
        assert "shipped" in report
        assert set(report["missing"]) == ({"50", "90"} if test else set())
        json.dumps(report)


def test_data_of_another_kind_then_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("text,label\nhello,positive\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="labelled accounts"):
        fitting.read(tmp_path)
    with pytest.raises(ConfigurationError, match="too few"):
        fitting.read(table(tmp_path / "small", count=10))
