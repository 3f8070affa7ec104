"""`manage.py evaluate sentiment`: how well messages are told as praise, blame or neither, against lexicons and words alone.

Every prediction is by a model that has not seen the message; equal texts never part. With --test the model fitted on
--data scores that folder. The shipped parameters are the same kind of object and are scored beside it.
"""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from apps.intelligence.fitting.sentiment_fit import (
    SMALL,
    Read,
    cross_validated,
    fit,
    folds,
    read_all,
    settings_for,
)
from apps.intelligence.logic.sentiment import BEARISH, BULLISH, NEUTRAL, Lexicon, SentimentModel
from apps.intelligence.measuring.labelled_texts import LabelledText, labelled_texts
from apps.intelligence.measuring.libraries import needed_library
from apps.intelligence.measuring.texts import chosen, classes_of, label_figures, label_intervals
from apps.intelligence.onnx_sentiment import onnx_sentiment
from apps.intelligence.scorers import SENTIMENT_PATH, plain_vader, shipped_lexicon, shipped_sentiment, vader

HELP = "Sentiment of messages on labelled texts, against VADER and TF-IDF on the same rows."
SEED = 7
#: Small sets are split finer and again and again: one split alone would say too much about itself.
PARTS_SMALL, ROUNDS_SMALL, PARTS = 10, 4, 5
_VADER_EDGE = 0.05  # VADER's own edge of neutral
_MISSING = (50, 90)
_SPEED_MESSAGES = 2_000
DEFINITIONS = {
    "metrics": "of the pipeline, cross-validated on --data (small sets: mean of several splits) or fitted on it and scored on --test",
    "shipped": "the parameters that trading uses; on data that they were fitted on they are flattered",
    "onnx": "the user's own model, where DEXSNIPER_SENTIMENT_ONNX names one; what it was fitted on is not known here",
    "vader_crypto": "VADER with the trade's own words over its lexicon",
    "tfidf": "TF-IDF of words and pairs with a logistic regression, the quick baseline",
    "missing": "so many percent of each message's words left out at random",
    "ci95": "bootstrap over messages",
    "speed": "messages a second on one core, of the data's own lengths",
}


def arguments(parser: CommandParser) -> None:
    """Add what `evaluate sentiment` takes."""
    parser.add_argument(
        "--data", required=True, type=Path, metavar="DIR", help="A folder with data.* of texts."
    )
    parser.add_argument(
        "--test", type=Path, metavar="DIR", help="Score this folder with a model fitted on --data instead."
    )
    parser.add_argument(
        "--also",
        type=Path,
        nargs="*",
        default=[],
        metavar="DIR",
        help="Further folders that teach in every part and are not scored.",
    )


def run(options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the figures. Raises ConfigurationError when data or libraries are missing."""
    lexicon = shipped_lexicon()
    data = labelled_texts(options["data"])
    more = [row for path in options["also"] for row in labelled_texts(path) if row.label in classes_of(data)]
    also = list(zip(more, read_all(more, lexicon), strict=True))
    missing: dict[str, Any] = {}
    if options["test"] is None:
        rows = data
        rounds = _cross_validated(data, lexicon, also)
        tfidf = [_tfidf(data, folds(data, parts=_parts(data), seed=SEED))]
    else:
        rows = labelled_texts(options["test"])
        teaching = [*data, *more]
        model = fit(teaching, read_all(teaching, lexicon), settings=settings_for(len(data)))
        rounds = [_said(model, rows, lexicon)]
        tfidf = [_tfidf_on(data, rows)]
        missing = {
            str(share): label_figures(_truth(rows), _said(model, _hidden(rows, share), lexicon))
            for share in _MISSING
        }
    truth = _truth(rows)
    report: dict[str, Any] = {
        "n": len(rows),
        "n_by_label": dict(sorted(Counter(truth).items())),
        "metrics": _mean(label_figures(truth, said) for said in rounds),
        "baselines": {
            "majority": label_figures(truth, [Counter(truth).most_common(1)[0][0]] * len(rows)),
            "vader": label_figures(truth, _by_vader(rows, plain_vader())),
            "vader_crypto": label_figures(truth, _by_vader(rows, vader())),
            "tfidf": _mean(label_figures(truth, said) for said in tfidf),
        },
        "ci95": label_intervals(truth, rounds[0], seed=SEED),
        "missing": missing,
        "speed": _speed(rows, lexicon),
        "definitions": DEFINITIONS,
    }
    if SENTIMENT_PATH.is_file():
        said = _said(shipped_sentiment(), rows, lexicon)
        report["shipped"] = {
            **label_figures(truth, said),
            "ci95": label_intervals(truth, said, seed=SEED),
            "may_have_seen_these": options["test"] is None,
            "card": dict(shipped_sentiment().card),
        }
    if settings.ENV.sentiment_onnx is not None:
        said = _by_onnx(rows, settings.ENV.sentiment_onnx)
        report["onnx"] = {
            **label_figures(truth, said),
            "ci95": label_intervals(truth, said, seed=SEED),
        }
    return report


def _cross_validated(
    rows: Sequence[LabelledText], lexicon: Lexicon, also: Sequence[tuple[LabelledText, Read]]
) -> list[list[str]]:
    reads = read_all(rows, lexicon)
    rounds = ROUNDS_SMALL if len(rows) < SMALL else 1
    return [
        chosen(rows, cross_validated(rows, reads, lexicon, parts=_parts(rows), seed=SEED + number, also=also))
        for number in range(rounds)
    ]


def _parts(rows: Sequence[LabelledText]) -> int:
    return PARTS_SMALL if len(rows) < SMALL else PARTS


def _said(model: SentimentModel, rows: Sequence[LabelledText], lexicon: Lexicon) -> list[str]:
    return chosen(rows, [model.chances(row.text, lexicon) for row in rows])


def _by_onnx(rows: Sequence[LabelledText], folder: Path) -> list[str]:
    found = onnx_sentiment(folder).opinions([row.text for row in rows], seconds_max=math.inf)
    return chosen(
        rows,
        [
            (1.0, 1.0, 1.0) if item is None else (item.blame, item.praise, 1 - item.blame - item.praise)
            for item in found
        ],
    )


def _truth(rows: Sequence[LabelledText]) -> list[str]:
    return [row.label for row in rows]


def _mean(rounds: Any) -> dict[str, float]:
    told = list(rounds)
    return {name: round(sum(item[name] for item in told) / len(told), 4) for name in told[0]}


def _hidden(rows: Sequence[LabelledText], percent: int) -> list[LabelledText]:
    chance = random.Random(SEED + percent)  # noqa: S311  # for measuring, not for secrets
    return [
        LabelledText(
            text=" ".join(word for word in row.text.split() if chance.random() * 100 >= percent),
            label=row.label,
        )
        for row in rows
    ]


# -- what to compare with -------------------------------------------------------------------
def _by_vader(rows: Sequence[LabelledText], analyser: Any) -> list[str]:
    has_neutral = NEUTRAL in classes_of(rows)

    def said(compound: float) -> str:
        if has_neutral and abs(compound) < _VADER_EDGE:
            return NEUTRAL
        return BULLISH if compound >= 0 else BEARISH

    return [said(analyser.polarity_scores(row.text)["compound"]) for row in rows]


def _tfidf(rows: Sequence[LabelledText], parts: Sequence[Sequence[int]]) -> list[str]:
    said = [""] * len(rows)
    for part in parts:
        inside = set(part)
        others = [rows[at] for at in range(len(rows)) if at not in inside]
        for at, label in zip(part, _tfidf_on(others, [rows[at] for at in part]), strict=True):
            said[at] = label
    return said


def _tfidf_on(teaching: Sequence[LabelledText], rows: Sequence[LabelledText]) -> list[str]:
    text = needed_library("sklearn.feature_extraction.text")
    linear = needed_library("sklearn.linear_model")
    vectors = text.TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True)
    model = linear.LogisticRegression(C=4.0, class_weight="balanced", max_iter=300, random_state=SEED)
    model.fit(vectors.fit_transform([row.text for row in teaching]), _truth(teaching))
    return [str(label) for label in model.predict(vectors.transform([row.text for row in rows]))]


# -- how fast -------------------------------------------------------------------------------
def _speed(rows: Sequence[LabelledText], lexicon: Lexicon) -> dict[str, int]:
    texts = [row.text for row in rows[:_SPEED_MESSAGES]]
    speeds = {"lexicon_messages_per_s": _per_second(texts, lexicon.polarity)}
    if SENTIMENT_PATH.is_file():
        model = shipped_sentiment()
        speeds["pipeline_messages_per_s"] = _per_second(texts, lambda text: model.opinion(text, lexicon))
    return speeds


def _per_second(texts: Sequence[str], score: Callable[[str], object]) -> int:
    started = time.process_time()
    for text in texts:
        score(text)
    return int(len(texts) / max(time.process_time() - started, 1e-6))
