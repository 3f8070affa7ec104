"""`manage.py train sentiment`: fit what messages say, and, where word vectors are given, what words mean.

Each --data is a folder with data.* or a file of texts and labels. The shipped parameters are fitted on sets whose licence
allows it (MIT); see docs/social.md.
"""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from apps.intelligence.fitting.sentiment_fit import Settings, cross_validated, fit, read_all
from apps.intelligence.fitting.valences import learnt_valences
from apps.intelligence.logic.sentiment import (
    BULLISH,
    Lexicon,
    sentiment_from_json,
    sentiment_to_json,
    strong_lexicon,
)
from apps.intelligence.measuring.artefacts import Fitted
from apps.intelligence.measuring.labelled_texts import LabelledText, labelled_texts
from apps.intelligence.measuring.texts import macro_f1
from apps.intelligence.scorers import SENTIMENT_PATH, lexicon_with, shipped_valences, vader_words

HELP = "what messages say of a token"
SEED = 20_240_229
PARTS = 5
#: So many features of each kind are shipped: a larger vocabulary was hardly better and several times as large.
SHIPPED_FEATURES_MAX = 20_000
#: All small sets together weigh as much as this share of the large ones: they are about crypto, the large one is about shares.
SMALL_ROWS, SMALL_SHARE = 1_000, 0.08
CARD = {
    "date": "2026-11-24",
    "words": "valences learnt from GloVe 6B (PDDL 1.0) towards VADER's lexicon (MIT) and our own",
    "use": "English messages about tokens. Sarcasm and other languages are beyond it.",
}


def arguments(parser: CommandParser) -> None:
    """Add what `train sentiment` takes."""
    parser.add_argument(
        "--data",
        required=True,
        type=Path,
        nargs="+",
        metavar="CSV",
        help="Files or folders with texts and labels.",
    )
    parser.add_argument(
        "--vectors",
        type=Path,
        metavar="FILE",
        help="Word vectors to learn valences from; without them the shipped valences stay.",
    )
    parser.add_argument(
        "--licence", default="MIT", metavar="TEXT", help="The licence of the data, for the card."
    )


def run(options: Mapping[str, Any]) -> Fitted:
    """Return the parameters fitted on all the data together."""
    valences = (
        shipped_valences()
        if options["vectors"] is None
        else learnt_valences(options["vectors"], strong_lexicon(vader_words()))
    )
    # What is shipped is rounded; fitting sees what scoring will see.
    lexicon = lexicon_with({word: round(value, 2) for word, value in valences.items()})
    sets = [labelled_texts(path) for path in options["data"]]
    rows = weighed(sets)
    card = {
        **CARD,
        "data_licence": options["licence"],
        "data": [
            {"name": path.name, "rows": len(own), "sha256": _digest(own)}
            for path, own in zip(options["data"], sets, strict=True)
        ],
        "metrics": _figures(options["data"], sets, lexicon),
    }
    model = fit(rows, read_all(rows, lexicon), settings=SHIPPED, card=card)
    text = sentiment_to_json(model, valences)
    sentiment_from_json(text)  # what cannot be read back is not shipped
    return Fitted(
        name="sentiment",
        content=gzip.compress(text.encode(), mtime=0),
        path=SENTIMENT_PATH,
        rows=len(rows),
        positives=sum(row.label == BULLISH for row in rows),
    )


SHIPPED = Settings(regression_c=2.0, bayes_c=4.0, lexical_weight=0.6, features_max=SHIPPED_FEATURES_MAX)


def weighed(sets: Sequence[Sequence[LabelledText]]) -> list[LabelledText]:
    """Return the rows of all sets, those of small ones with more weight."""
    large = sum(len(rows) for rows in sets if len(rows) >= SMALL_ROWS)
    small = sum(len(rows) for rows in sets if len(rows) < SMALL_ROWS)
    more = max(SMALL_SHARE * large / small, 1.0) if small and large else 1.0
    return [
        LabelledText(text=row.text, label=row.label, weight=more if len(rows) < SMALL_ROWS else 1.0)
        for rows in sets
        for row in rows
    ]


def _figures(
    paths: Sequence[Path], sets: Sequence[Sequence[LabelledText]], lexicon: Lexicon
) -> dict[str, Any]:
    """Return the macro-F1 of each set, cross-validated by the shipped recipe with the other sets teaching too."""
    rows = weighed(sets)
    reads = read_all(rows, lexicon)
    found: dict[str, Any] = {
        "how": f"macro-F1, {PARTS}-fold cross-validated, the other sets teach in every part"
    }
    start = 0
    for path, own in zip(paths, sets, strict=True):
        inside = range(start, start + len(own))
        start += len(own)
        also = [(rows[at], reads[at]) for at in range(len(rows)) if at not in inside]
        chances = cross_validated(
            [rows[at] for at in inside],
            [reads[at] for at in inside],
            lexicon,
            parts=PARTS,
            seed=SEED,
            also=also,
            settings=SHIPPED,
        )
        found[path.name] = round(macro_f1(own, chances), 4)
    return found


def _digest(rows: Sequence[LabelledText]) -> str:
    digest = sha256()
    for row in rows:
        digest.update(f"{row.label}\t{row.text}\n".encode())
    return digest.hexdigest()[:16]
