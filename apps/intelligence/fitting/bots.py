"""`manage.py train bots`: fit the chance that a program runs an account, from its public figures.

The folder holds data.* with the columns of twitter_bots: followers_count, friends_count, listedcount, favourites_count,
statuses_count, created_at, verified, default_profile, default_profile_image, has_url, has_location, description_len,
screen_name_digits and bot (1 or 0). Whether name or description speak of a bot is no input: live accounts that matter do
not say so.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.bots import INPUTS, Account, BotModel, bot_inputs, bots_to_json
from apps.intelligence.measuring.artefacts import Fitted
from apps.intelligence.measuring.boosted import trees_of
from apps.intelligence.measuring.labelled_texts import table_rows
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.scorers import BOTS_PATH

HELP = "the chance that a program runs an account"
SEED = 20_240_229
PARTS = 5
ROWS_MIN = 100
ROUNDS = 150
#: Copies of every row with a part of it hidden: live sources tell less than the data set.
HIDDEN_COPIES, HIDDEN_SHARE = 2, (0.2, 0.8)
_DIGITS = 6
_BOOSTING = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 12,
    "min_data_in_leaf": 15,
    "feature_fraction": 0.4,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 3.0,
    "seed": SEED,
    "num_threads": 1,
    "deterministic": True,
    "force_row_wise": True,
    "verbose": -1,
}
CARD = {
    "data": "1,952 Twitter accounts of 2017 labelled by hand: github jubins/MachineLearning-Detecting-Twitter-Bots",
    "data_licence": "MIT",
    "date": "2026-11-24",
    "use": "A soft weight. Detectors lose much away from the accounts they were fitted on, and these are of 2017.",
}
#: How the accounts' dates are written; day before month, as 30/01/2017 shows.
_DATES = ("%a %b %d %H:%M:%S %z %Y", "%d/%m/%Y %H:%M", "%Y-%m-%d %H:%M:%S")


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledAccounts:
    """Accounts with what they are, all of one length. ``age_days`` is also the simple rule's only input."""

    rows: Any  # float64 [accounts, inputs]
    is_bot: Any  # 1.0 or 0.0
    keys: Sequence[str]


def arguments(parser: CommandParser) -> None:
    """Add what `train bots` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with data.* of accounts."
    )


def run(options: Mapping[str, Any]) -> Fitted:
    """Return the parameters fitted on one folder of labelled accounts."""
    data = read(options["data"])
    chances = cross_validated(data)
    figures = _figures(data, chances)
    model = fit(
        data.rows, data.is_bot, unseen=chances, card={**CARD, "rows": len(data.keys), "metrics": figures}
    )
    return Fitted(
        name="bots",
        content=bots_to_json(model).encode(),
        path=BOTS_PATH,
        rows=len(data.keys),
        positives=int(data.is_bot.sum()),
    )


def read(folder: Path) -> LabelledAccounts:
    """Return the accounts of a folder. Raises ConfigurationError when they are too few or not of this form."""
    np = needed_library("numpy")
    table = table_rows(folder)
    try:
        made = [_moment(row["created_at"]) for row in table]
        newest = max(moment for moment in made if moment is not None)
        rows = [
            bot_inputs(_account(row, moment), at_ms=newest) for row, moment in zip(table, made, strict=True)
        ]
        is_bot = np.array([float(row["bot"]) for row in table])
    except (KeyError, ValueError) as error:
        raise ConfigurationError(
            f"{folder} does not hold labelled accounts: {error}.",
            remedy="The columns are those of the data set twitter_bots; see docs/data.md.",
        ) from error
    if len(rows) < ROWS_MIN or not 0 < is_bot.sum() < len(rows):
        raise ConfigurationError(
            f"{folder} holds {len(rows)} accounts: too few, or all of one kind.",
            remedy=f"Give {ROWS_MIN} or more, bots and people.",
        )
    keys = [row.get("account_key") or str(place) for place, row in enumerate(table)]
    return LabelledAccounts(rows=np.array(rows, dtype=float), is_bot=is_bot, keys=keys)


def fit(rows: Any, is_bot: Any, *, unseen: Any = None, card: Mapping[str, Any] | None = None) -> BotModel:
    """Return a model; ``unseen`` are scores of these rows by models that had not seen them, to calibrate with."""
    np, lightgbm = needed_library("numpy"), needed_library("lightgbm")
    rng = np.random.default_rng(SEED)
    parts = [rows, *(_hidden(rows, rng) for _ in range(HIDDEN_COPIES))]
    table = lightgbm.Dataset(np.vstack(parts), np.tile(is_bot, len(parts)), feature_name=list(INPUTS))
    trees = trees_of(lightgbm.train(_BOOSTING, table, ROUNDS))
    slope, offset = (1.0, 0.0) if unseen is None else _calibration(unseen, is_bot)
    return BotModel(trees=trees, slope=slope, offset=offset, card=dict(card or {}))


def cross_validated(data: LabelledAccounts, *, seed: int = SEED) -> Any:
    """Return each account's chance by a model that has not seen it."""
    np = needed_library("numpy")
    part = np.zeros(len(data.keys), dtype=int)
    rng = np.random.default_rng(seed)
    for kind in (0.0, 1.0):
        places = rng.permutation(np.flatnonzero(data.is_bot == kind))
        part[places] = np.arange(len(places)) % PARTS
    chances = np.zeros(len(data.keys))
    for number in range(PARTS):
        inside = part == number
        model = fit(data.rows[~inside], data.is_bot[~inside])
        chances[inside] = [model.chance(row) for row in data.rows[inside]]
    return chances


def _hidden(rows: Any, rng: Any) -> Any:
    np = needed_library("numpy")
    share = rng.uniform(*HIDDEN_SHARE, size=(len(rows), 1))
    return np.where(rng.random(rows.shape) < share, np.nan, rows)


def _calibration(chances: Any, is_bot: Any) -> tuple[float, float]:
    """Return slope and offset of the logistic curve through unseen scores."""
    np = needed_library("numpy")
    linear = needed_library("sklearn.linear_model")
    scores = np.log(chances / (1 - chances)).reshape(-1, 1)
    model = linear.LogisticRegression(C=100.0, solver="liblinear", random_state=SEED).fit(scores, is_bot)
    return round(float(model.coef_[0][0]), _DIGITS), round(float(model.intercept_[0]), _DIGITS)


def _figures(data: LabelledAccounts, chances: Any) -> Mapping[str, float | None]:
    from apps.intelligence.measuring.metrics import auc, confusion_figures

    found = confusion_figures(data.is_bot, (chances >= 0.5).astype(float))
    return {
        "mcc": round(found["mcc"] or 0.0, 4),
        "f1": round(found["f1"] or 0.0, 4),
        "auc": round(auc(data.is_bot, chances) or 0.0, 4),
        "how": f"{PARTS}-fold cross-validated, names not seen",  # type: ignore[dict-item]
    }


def _account(row: Mapping[str, str], made_at_ms: int | None) -> Account:
    return Account(
        created_at_ms=made_at_ms,
        followers=_count(row["followers_count"]),
        following=_count(row["friends_count"]),
        listed=_count(row["listedcount"]),
        favourites=_count(row["favourites_count"]),
        messages=_count(row["statuses_count"]),
        is_verified=_flag(row["verified"]),
        has_default_profile=_flag(row["default_profile"]),
        has_default_image=_flag(row["default_profile_image"]),
        has_link=_flag(row["has_url"]),
        has_location=_flag(row["has_location"]),
        description_length=_count(row["description_len"]) or 0,  # none written is a length of nothing
        name_digits=_count(row["screen_name_digits"]),
    )


def _count(text: str) -> int | None:
    number = float(text) if text.strip() else math.nan
    return None if math.isnan(number) else int(number)


def _flag(text: str) -> bool | None:
    return {"true": True, "1": True, "1.0": True, "false": False, "0": False, "0.0": False}.get(
        text.strip().lower()
    )


def _moment(text: str) -> int | None:
    for form in _DATES:
        try:
            moment = datetime.strptime(text.strip().strip('"'), form)  # noqa: DTZ007  # UTC below
        except ValueError:
            continue
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1_000)
    return None
