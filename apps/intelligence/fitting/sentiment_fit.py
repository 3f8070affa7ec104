"""How the sentiment model is fitted: TF-IDF of words and pieces, two linear models, small sets held closer.

What was fixed before measuring and what was tried stands in docs/social.md.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from apps.intelligence.logic import words as w
from apps.intelligence.logic.sentiment import (
    BEARISH,
    BULLISH,
    NEUTRAL,
    Block,
    Lexicon,
    SentimentModel,
    lexical_features,
)
from apps.intelligence.measuring.labelled_texts import LabelledText
from apps.intelligence.measuring.libraries import needed_library

SEED = 20_240_229
#: Below so many rows a set is small: every feature is kept and the models are held closer to zero.
SMALL = 1_000
_SEEN_MIN_WORDS, _SEEN_MIN_PIECES = 2, 3  # texts that a feature must stand in, where the set is not small
_SPREAD_MIN = 1e-6  # a lexical feature that hardly differs between texts tells nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How close the models are held (C of a logistic regression), and how many features are kept at most.

    ``lexical_weight`` is what one deviation of a lexical feature weighs beside TF-IDF's values, which are far below one.
    """

    regression_c: float
    bayes_c: float
    lexical_weight: float
    features_max: int = 60_000  # of each kind


def settings_for(rows: int) -> Settings:
    """Return the settings for a set of this size."""
    if rows < SMALL:
        return Settings(regression_c=1.0, bayes_c=0.3, lexical_weight=0.6)
    return Settings(regression_c=2.0, bayes_c=4.0, lexical_weight=0.3)


@dataclass(frozen=True, slots=True)
class Read:
    """A text's features, counted once and used in every fold."""

    words: Counter[str]
    pieces: Counter[str]
    lexical: tuple[float, ...]


def read(text: str, lexicon: Lexicon) -> Read:
    """Return the features of a text."""
    found = w.words(text)
    return Read(
        words=Counter(w.word_features(found)),
        pieces=Counter(w.piece_features(text)),
        lexical=tuple(lexical_features(text, found, lexicon)),
    )


def fit(
    rows: Sequence[LabelledText],
    reads: Sequence[Read],
    *,
    settings: Settings | None = None,
    card: Mapping[str, Any] | None = None,
) -> SentimentModel:
    """Return a model of these rows."""
    np, sparse = needed_library("numpy"), needed_library("scipy.sparse")
    settings = settings or settings_for(len(rows))
    classes = tuple(name for name in (BEARISH, BULLISH, NEUTRAL) if any(row.label == name for row in rows))
    targets = [BULLISH] if len(classes) == 2 else list(classes)
    is_small = len(rows) < SMALL
    tables = [
        _table([item.words for item in reads], 1 if is_small else _SEEN_MIN_WORDS, settings.features_max),
        _table([item.pieces for item in reads], 2 if is_small else _SEEN_MIN_PIECES, settings.features_max),
    ]
    lexical = np.array([item.lexical for item in reads], dtype=float)
    centre, scale = lexical.mean(axis=0), lexical.std(axis=0)
    scale = np.where(scale > _SPREAD_MIN, scale, 1.0) / settings.lexical_weight
    texts = sparse.hstack([table.matrix for table in tables]).tocsr()
    full = sparse.hstack([texts, sparse.csr_matrix((lexical - centre) / scale)]).tocsr()
    labels = np.array([row.label for row in rows])
    weights = np.array([row.weight for row in rows])
    columns, offsets = [], []
    for target in targets:
        coefficients, offset = _regression(full, labels == target, weights, settings.regression_c)
        columns.append(coefficients)
        offsets.append(offset)
    for target in targets:
        ratios = _bayes_ratios(texts, labels == target, weights)
        coefficients, offset = _regression(
            texts @ sparse.diags(ratios), labels == target, weights, settings.bayes_c
        )
        columns.append(np.concatenate([coefficients * ratios, np.zeros(lexical.shape[1])]))
        offsets.append(offset)
    matrix = np.array(columns).T
    first = len(tables[0].names)
    return SentimentModel(
        classes=classes,
        words=_block(tables[0], matrix[:first]),
        pieces=_block(tables[1], matrix[first : texts.shape[1]]),
        lexical=matrix[texts.shape[1] :, : len(targets)].tolist(),
        centre=centre.tolist(),
        scale=scale.tolist(),
        offsets=offsets,
        card=dict(card or {}),
    )


@dataclass(frozen=True, slots=True)
class _Table:
    names: list[str]
    idf: Any
    matrix: Any  # rows of length one


def _table(counts: Sequence[Counter[str]], seen_min: int, features_max: int) -> _Table:
    """Return TF-IDF vectors over the features that stand in enough texts, the most frequent ones first kept."""
    np, sparse = needed_library("numpy"), needed_library("scipy.sparse")
    seen: Counter[str] = Counter()
    for item in counts:
        seen.update(item.keys())
    kept = sorted(
        (name for name, count in seen.items() if count >= seen_min), key=lambda name: (-seen[name], name)
    )
    names = sorted(kept[:features_max])
    index = {name: at for at, name in enumerate(names)}
    idf = np.array([np.log((1 + len(counts)) / (1 + seen[name])) + 1 for name in names])
    places, values, starts = [], [], [0]
    for item in counts:
        own = [(index[name], 1 + np.log(count)) for name, count in item.items() if name in index]
        vector = np.array([value * idf[at] for at, value in own])
        length = np.sqrt((vector**2).sum()) or 1.0
        places += [at for at, _ in own]
        values += (vector / length).tolist()
        starts.append(len(places))
    return _Table(names, idf, sparse.csr_matrix((values, places, starts), shape=(len(counts), len(names))))


def _regression(matrix: Any, is_target: Any, weights: Any, c: float) -> tuple[Any, float]:
    """Return coefficients and offset; both answers weigh the same."""
    linear = needed_library("sklearn.linear_model")
    model = linear.LogisticRegression(
        C=c, class_weight="balanced", solver="liblinear", random_state=SEED, max_iter=300
    ).fit(matrix, is_target, sample_weight=weights)
    return model.coef_[0], float(model.intercept_[0])


def _bayes_ratios(matrix: Any, is_target: Any, weights: Any) -> Any:
    """Return the log ratios of each feature's share among the target's texts and the others'."""
    np = needed_library("numpy")
    inside = matrix.T @ (weights * is_target) + 1
    outside = matrix.T @ (weights * ~is_target) + 1
    return np.log((inside / inside.sum()) / (outside / outside.sum()))


def _block(table: _Table, matrix: Any) -> Block:
    return Block(
        index={name: at for at, name in enumerate(table.names)},
        idf=table.idf.tolist(),
        weights=matrix.tolist(),
    )


def folds(rows: Sequence[LabelledText], *, parts: int, seed: int) -> list[list[int]]:
    """Return the places of each part: equal texts never part, labels are spread evenly."""
    np = needed_library("numpy")
    rng = np.random.default_rng(seed)
    groups: dict[str, list[int]] = {}
    for place, row in enumerate(rows):
        groups.setdefault(_same(row.text), []).append(place)
    found: list[list[int]] = [[] for _ in range(parts)]
    by_label: dict[str, list[list[int]]] = {}
    for places in groups.values():
        by_label.setdefault(rows[places[0]].label, []).append(places)
    for label in sorted(by_label):
        members = by_label[label]
        for turn, at in enumerate(rng.permutation(len(members))):
            found[turn % parts] += members[at]
    return [sorted(part) for part in found]


def _same(text: str) -> str:
    return " ".join(text.lower().split())


def cross_validated(
    rows: Sequence[LabelledText],
    reads: Sequence[Read],
    lexicon: Lexicon,
    *,
    parts: int,
    seed: int,
    also: Sequence[tuple[LabelledText, Read]] = (),
    settings: Settings | None = None,
) -> list[tuple[float, ...]]:
    """Return each row's chances by a model that has not seen it; ``also`` teaches in every part."""
    chances: list[tuple[float, ...]] = [()] * len(rows)
    for part in folds(rows, parts=parts, seed=seed):
        inside = set(part)
        others = [at for at in range(len(rows)) if at not in inside]
        model = fit(
            [*(rows[at] for at in others), *(row for row, _ in also)],
            [*(reads[at] for at in others), *(item for _, item in also)],
            settings=settings or settings_for(len(others)),
        )
        for at in part:
            chances[at] = model.chances(rows[at].text, lexicon)
    return chances


def read_all(rows: Iterable[LabelledText], lexicon: Lexicon) -> list[Read]:
    """Return the features of all texts."""
    return [read(row.text, lexicon) for row in rows]
