"""What a message says of a token: praise, blame or neither, from its words, their pieces and two lexicons.

Two linear models over the same TF-IDF features are averaged: a logistic regression that also sees the lexicons' figures,
and one on naive-Bayes ratios (NB-SVM, Wang and Manning 2012). Pure Python, so that trading and measuring use the same
object and the running system needs no library for it.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.domain.errors import BadDataError
from apps.intelligence.logic import words as w
from apps.intelligence.logic.crypto_words import CRYPTO_PHRASES, CRYPTO_WORDS

FORMAT = 1
BEARISH, BULLISH, NEUTRAL = "bearish", "bullish", "neutral"
FEATURES_MAX = 200_000
_SENTENCE_END = re.compile(r"[.!?\n]+")
#: VADER's own factor for what is negated, rounded; a wide lexicon's guess is bent less far.
_NEGATED_STRONG, _NEGATED_WIDE = -0.7, -0.6
_BIG = 0.5  # valences above it are more than a tint
_ONE = 10_000

#: Returns VADER's compound, positive and negative share of a text.
Polarity = Callable[[str], tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class Lexicon:
    """What words mean by themselves. ``strong`` was written by people, ``wide`` adds what was learnt from word vectors."""

    polarity: Polarity
    strong: Mapping[str, float]
    wide: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """The chances that a message praises, blames, or does neither; they sum to one."""

    praise: float
    blame: float

    @property
    def score_bps(self) -> int:
        """Return praise less blame, -10000..10000."""
        return round((self.praise - self.blame) * _ONE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One kind of features: its vocabulary, how telling each is by itself (idf), and each one's weights."""

    index: Mapping[str, int]
    idf: Sequence[float]
    weights: Sequence[Sequence[float]]  # by feature: one weight for each column of either model

    def add_to(self, totals: list[float], features: Iterable[str]) -> None:
        """Add this text's weighted features, its vector being of length one."""
        counts = Counter(self.index[item] for item in features if item in self.index)
        if not counts:
            return
        values = [(at, (1 + math.log(count)) * self.idf[at]) for at, count in counts.items()]
        length = math.sqrt(sum(value * value for _, value in values))
        for at, value in values:
            share = value / length
            for column, weight in enumerate(self.weights[at]):
                totals[column] += share * weight


@dataclass(frozen=True, kw_only=True)
class SentimentModel:
    """Fitted parameters. Columns are first those of the regression, then those of the naive-Bayes one.

    With two classes a model has one column, the log odds of bullish; with three it has one for each class.
    """

    classes: tuple[str, ...]
    words: Block
    pieces: Block
    lexical: Sequence[Sequence[float]]  # by lexical feature: one weight a column of the regression
    centre: Sequence[float]  # of the lexical features
    scale: Sequence[float]
    offsets: Sequence[float]  # by column
    card: Mapping[str, Any]

    def chances(self, text: str, lexicon: Lexicon) -> tuple[float, ...]:
        """Return the chance of each class; they sum to one."""
        found = w.words(text)
        totals = list(self.offsets)
        self.words.add_to(totals, w.word_features(found))
        self.pieces.add_to(totals, w.piece_features(text))
        for value, centre, scale, weights in zip(
            lexical_features(text, found, lexicon), self.centre, self.scale, self.lexical, strict=True
        ):
            if value != centre:
                for column, weight in enumerate(weights):
                    totals[column] += (value - centre) / scale * weight
        half = len(totals) // 2
        mean = [
            (_sigmoid(one) + _sigmoid(other)) / 2
            for one, other in zip(totals[:half], totals[half:], strict=True)
        ]
        if half == 1:
            return (1 - mean[0], mean[0])
        whole = sum(mean)
        return tuple(value / whole for value in mean)

    def opinion(self, text: str, lexicon: Lexicon) -> Opinion | None:
        """Return the opinion in a text, None where there is not one word."""
        if not any(character.isalpha() for character in text):
            return None
        chances = dict(zip(self.classes, self.chances(text, lexicon), strict=True))
        return Opinion(praise=chances[BULLISH], blame=chances[BEARISH])


def lexical_features(text: str, found: Sequence[str], lexicon: Lexicon) -> list[float]:
    """Return the lexicons' figures about a text, in a fixed order."""
    text = text[: w.TEXT_MAX]
    compound, positive, negative = lexicon.polarity(text)
    sentences = [part for part in _SENTENCE_END.split(text) if part.strip()]
    ends = (0.0, 0.0)
    if len(sentences) == 1:
        ends = (compound, compound)
    elif sentences:
        ends = (lexicon.polarity(sentences[0])[0], lexicon.polarity(sentences[-1])[0])
    count = max(len(found), 1)
    return [
        *(compound, positive, negative, *ends),
        *_strong(_valences(found, lexicon.strong, _NEGATED_STRONG)),
        _phrases(text),
        *_wide(_valences(found, lexicon.wide, _NEGATED_WIDE)),
        float("?" in text),
        float("!" in text),
        math.log(count),
        sum(map(w.is_negation, found)) / count,
    ]


def _valences(found: Sequence[str], lexicon: Mapping[str, float], negated: float) -> list[float]:
    valences = []
    for word in found:
        is_negated = word.startswith(w.NEGATED)
        value = lexicon.get(word[len(w.NEGATED) :] if is_negated else word)
        if value:
            valences.append(negated * value if is_negated else value)
    return valences


def _strong(values: Sequence[float]) -> tuple[float, ...]:
    good = sum(value > 0 for value in values)
    bad = sum(value < 0 for value in values)
    return (
        sum(values) / (len(values) + 1),
        max(values, default=0.0),
        min(values, default=0.0),
        math.log1p(good),
        math.log1p(bad),
        (good - bad) / (good + bad + 1),
    )


def _wide(values: Sequence[float]) -> tuple[float, ...]:
    if not values:
        return (0.0,) * 7
    count = len(values)
    mean = sum(values) / count
    big = [value for value in values if abs(value) > _BIG]
    return (
        mean,
        math.sqrt(sum((value - mean) ** 2 for value in values) / count),
        max(*values, 0.0),
        min(*values, 0.0),
        sum(big) / len(big) if big else 0.0,
        sum(value for value in values if value > 0) / count,
        sum(value for value in values if value < 0) / count,
    )


def _phrases(text: str) -> float:
    lowered = text.lower().replace("’", "'")
    return sum(valence for phrase, valence in CRYPTO_PHRASES.items() if phrase in lowered)


def strong_lexicon(vader: Mapping[str, float]) -> dict[str, float]:
    """Return VADER's lexicon with the trade's own words over it."""
    return {**vader, **CRYPTO_WORDS}


def _sigmoid(value: float) -> float:
    return 1 / (1 + math.exp(-max(min(value, 60.0), -60.0)))


# -- as text ------------------------------------------------------------------------------
#: Weights and idf are kept as whole numbers of this part: finer than they are known.
STEP = 0.01


def sentiment_to_json(model: SentimentModel, valences: Mapping[str, float]) -> str:
    """Return model and learnt valences as text, the same bytes for the same parameters."""
    fields: dict[str, Any] = {
        "format": FORMAT,
        "card": model.card,
        "classes": model.classes,
        "words": _block_to_json(model.words),
        "pieces": _block_to_json(model.pieces),
        "lexical": [[round(item, 5) for item in row] for row in model.lexical],
        "centre": [round(item, 5) for item in model.centre],
        "scale": [round(item, 5) for item in model.scale],
        "offsets": [round(item, 5) for item in model.offsets],
        "valences": {word: round(value / STEP) for word, value in sorted(valences.items())},
    }
    lines = (
        f"{json.dumps(key)}:{json.dumps(value, separators=(',', ':'), ensure_ascii=False)}"
        for key, value in fields.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"


def sentiment_from_json(text: str) -> tuple[SentimentModel, dict[str, float]]:
    """Return what ``sentiment_to_json`` wrote. Raises BadDataError when the text is not one."""
    try:
        fields = json.loads(text)
        if fields["format"] != FORMAT:
            raise ValueError(f"format {fields['format']} instead of {FORMAT}")
        columns = len(fields["offsets"])
        model = SentimentModel(
            classes=tuple(fields["classes"]),
            words=_block_from_json(fields["words"], columns),
            pieces=_block_from_json(fields["pieces"], columns),
            lexical=[list(map(float, row)) for row in fields["lexical"]],
            centre=list(map(float, fields["centre"])),
            scale=list(map(float, fields["scale"])),
            offsets=list(map(float, fields["offsets"])),
            card=fields["card"],
        )
        if columns not in (2, 6) or {BULLISH, BEARISH} - set(model.classes) or min(model.scale) <= 0:
            raise ValueError("classes or columns that make no sense")
        return model, {str(word): value * STEP for word, value in fields["valences"].items()}
    except (ValueError, KeyError, TypeError, IndexError) as error:
        raise BadDataError(
            f"The parameters of sentiment are not readable: {error}.",
            remedy="Restore the file from the repository, or fit it anew with 'manage.py train sentiment'.",
        ) from error


def _block_to_json(block: Block) -> Any:
    names = sorted(block.index, key=block.index.__getitem__)
    return [
        [name, round(idf / STEP), *(round(weight / STEP) for weight in weights)]
        for name, idf, weights in zip(names, block.idf, block.weights, strict=True)
    ]


def _block_from_json(rows: Sequence[Sequence[Any]], columns: int) -> Block:
    if len(rows) > FEATURES_MAX or any(len(row) != columns + 2 for row in rows):
        raise ValueError("a vocabulary of senseless size")
    return Block(
        index={str(row[0]): at for at, row in enumerate(rows)},
        idf=[row[1] * STEP for row in rows],
        weights=[[weight * STEP for weight in row[2:]] for row in rows],
    )
