"""`manage.py evaluate bots`: how well accounts that a program runs are told from people's, by their public figures alone.

Positive is a bot. Whether a name or description speaks of a bot is no input. Every prediction is by a model that has not
seen the account; with --test the model fitted on --data scores that folder, and so does the shipped one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.intelligence.fitting.bots import CARD, LabelledAccounts, cross_validated, fit, read
from apps.intelligence.logic.bots import BotModel
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.metrics import Scored, figures, intervals, rule_figures
from apps.intelligence.scorers import BOTS_PATH, shipped_bots

HELP = "Bot detection on labelled accounts, against simple rules on the same rows."
SEED = 11
_HALF = 0.5
_YOUNG_DAYS = (30, 400)
_MISSING = (50, 90)
_AGE, _MESSAGES_A_DAY = 0, 6  # places among the inputs
DEFINITIONS = {
    "positive": "an account that a program runs",
    "inputs": "public figures of the account; no words of its name or description",
    "missing": "so many percent of the inputs of each row hidden at random",
    "shipped": "the parameters that trading uses; on the data that they were fitted on they are flattered",
    "ci95": "bootstrap over accounts",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate bots` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with data.* of accounts."
    )
    parser.add_argument(
        "--test", type=Path, metavar="DIR", help="Score this folder with a model fitted on --data instead."
    )


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError when data or libraries are missing."""
    np = needed_library("numpy")
    data = read(options["data"])
    if options["test"] is None:
        rows, chances = data, cross_validated(data, seed=SEED)
        missing = {}
    else:
        rows = read(options["test"])
        model = fit(data.rows, data.is_bot, unseen=cross_validated(data))
        chances = _chances(model, rows.rows)
        missing = {
            str(share): figures(_scored(rows, _chances(model, _hidden(rows.rows, share))))
            for share in _MISSING
        }
    made = _scored(rows, chances)
    report: dict[str, Any] = {
        "n": len(rows.keys),
        "n_bots": int(rows.is_bot.sum()),
        "metrics": figures(made),
        "baselines": {
            "nobody": rule_figures(made, np.zeros(len(rows.keys))),
            **{
                f"younger_than_{days}_days": rule_figures(made, (rows.rows[:, _AGE] < days).astype(float))
                for days in _YOUNG_DAYS
            },
            "more_than_30_messages_a_day": rule_figures(
                made, (rows.rows[:, _MESSAGES_A_DAY] > 30).astype(float)
            ),
        },
        "ci95": intervals(made, seed=SEED),
        "missing": missing,
        "definitions": DEFINITIONS,
    }
    if BOTS_PATH.is_file():
        shipped = figures(_scored(rows, _chances(shipped_bots(), rows.rows)))
        report["shipped"] = {
            **shipped,
            "card": dict(shipped_bots().card),
            "may_have_seen_these": options["test"] is None,
        }
    report["card"] = CARD
    return report


def _chances(model: BotModel, rows: Any) -> Any:
    np = needed_library("numpy")
    return np.array([model.chance(row) for row in rows.tolist()])


def _hidden(rows: Any, percent: int) -> Any:
    np = needed_library("numpy")
    return np.where(np.random.default_rng(SEED + percent).random(rows.shape) * 100 < percent, np.nan, rows)


def _scored(rows: LabelledAccounts, chances: Any) -> Scored:
    np = needed_library("numpy")
    return Scored(
        lost=rows.is_bot,
        probability=chances,
        balanced=chances,
        refused=(chances >= _HALF).astype(float),
        group=list(rows.keys),
        era=np.array([""] * len(rows.keys)),
    )
