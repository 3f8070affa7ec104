"""An ONNX model of the user's own in place of the shipped scorer: a folder with the model, its tokenizer and its labels.

Nothing here is imported before such a folder is configured; the libraries are the user's to install, too.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from apps.domain.errors import BadDataError, ConfigurationError
from apps.intelligence.logic.sentiment import BEARISH, BULLISH, NEUTRAL, Opinion

MODEL, TOKENIZER, LABELS = "model.onnx", "tokenizer.json", "labels.json"
#: Messages that go through the model together, and pieces of a message that it sees.
BATCH_MAX: Final = 16
PIECES_MAX: Final = 128
TEXT_MAX: Final = 1_000
#: One poll's messages may take so long; the rest is left to the shipped scorer. A batch that runs is not cut off.
SECONDS_MAX: Final = 5.0
_THREADS: Final = 1
_LABELS_MAX: Final = 10
_INPUTS: Final = {"input_ids": "ids", "attention_mask": "attention_mask", "token_type_ids": "type_ids"}
_CLASS_OF: Final = {
    **dict.fromkeys(("bullish", "positive", "pos", "bull"), BULLISH),
    **dict.fromkeys(("bearish", "negative", "neg", "bear"), BEARISH),
    **dict.fromkeys(("neutral", "neu"), NEUTRAL),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OnnxSentiment:
    """A loaded model. ``classes`` are what its columns mean."""

    session: Any
    tokenizer: Any
    inputs: tuple[str, ...]
    classes: tuple[str, ...]

    def opinions(self, texts: Sequence[str], *, seconds_max: float = SECONDS_MAX) -> list[Opinion | None]:
        """Return the opinions in the first texts, as many as the time allows; None where there is not one word."""
        until = time.monotonic() + seconds_max
        found: list[Opinion | None] = []
        while len(found) < len(texts) and time.monotonic() < until:
            found += self._batch(texts[len(found) : len(found) + BATCH_MAX])
        return found

    def _batch(self, texts: Sequence[str]) -> list[Opinion | None]:
        places = [at for at, text in enumerate(texts) if any(letter.isalpha() for letter in text)]
        found: list[Opinion | None] = [None] * len(texts)
        if places:
            chances = self._chances([texts[at][:TEXT_MAX] for at in places])
            for at, row in zip(places, chances, strict=True):
                by_class = dict(zip(self.classes, row, strict=True))
                found[at] = Opinion(praise=by_class[BULLISH], blame=by_class[BEARISH])
        return found

    def _chances(self, texts: Sequence[str]) -> list[list[float]]:
        import numpy as np

        encoded = self.tokenizer.encode_batch(list(texts))
        asked = {
            name: np.array([getattr(item, _INPUTS[name]) for item in encoded], dtype=np.int64)
            for name in self.inputs
        }
        try:
            logits = np.asarray(self.session.run(None, asked)[0], dtype=float)
        except Exception as error:  # the library's own exceptions have no common parent
            raise BadDataError(
                f"The ONNX model of sentiment failed: {str(error)[:200]}.",
                remedy=f"Export it with the inputs {', '.join(_INPUTS)} as int64, any batch and length.",
            ) from error
        if logits.shape != (len(texts), len(self.classes)) or not np.isfinite(logits).all():
            raise BadDataError(
                f"The ONNX model of sentiment answers with {logits.shape}, not with a number for each label.",
                remedy=f"Its first output must have a column for each of the {len(self.classes)} labels.",
            )
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        chances: list[list[float]] = (powers / powers.sum(axis=1, keepdims=True)).tolist()
        return chances


@lru_cache(maxsize=2)
def onnx_sentiment(folder: Path) -> OnnxSentiment:
    """Return the model of a folder, read once. Raises ConfigurationError with what is missing and how to get it."""
    absent = [name for name in (MODEL, TOKENIZER, LABELS) if not (folder / name).is_file()]
    if absent:
        raise ConfigurationError(
            f"DEXSNIPER_SENTIMENT_ONNX names {folder}, where {', '.join(absent)} is missing.",
            remedy=f"Put {MODEL}, {TOKENIZER} and {LABELS} there, or leave it empty for the shipped scorer.",
        )
    try:
        import onnxruntime  # type: ignore[import-untyped]
        import tokenizers
    except ImportError as error:
        raise ConfigurationError(
            f"DEXSNIPER_SENTIMENT_ONNX is set, and {error.name or 'a library'} is not installed.",
            remedy="Install it with 'pip install -r requirements/research.txt', or leave the setting empty.",
        ) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = _THREADS
    try:
        session = onnxruntime.InferenceSession(
            str(folder / MODEL), options, providers=["CPUExecutionProvider"]
        )
        tokenizer = tokenizers.Tokenizer.from_file(str(folder / TOKENIZER))
    except Exception as error:  # the libraries' own exceptions have no common parent
        raise ConfigurationError(
            f"The ONNX model in {folder} cannot be loaded: {str(error)[:200]}.",
            remedy=f"{MODEL} and {TOKENIZER} must be whole, and of a version that the libraries read.",
        ) from error
    tokenizer.enable_truncation(max_length=PIECES_MAX)
    if tokenizer.padding is None:
        tokenizer.enable_padding()
    inputs = tuple(item.name for item in session.get_inputs())
    if not set(inputs) <= set(_INPUTS):
        raise ConfigurationError(
            f"The ONNX model in {folder} asks for {', '.join(inputs)}.",
            remedy=f"Export one that asks for nothing but {', '.join(_INPUTS)}.",
        )
    return OnnxSentiment(session=session, tokenizer=tokenizer, inputs=inputs, classes=_classes(folder))


def _classes(folder: Path) -> tuple[str, ...]:
    """Return what the model's columns mean, from a JSON list of words. Raises ConfigurationError."""
    try:
        words = json.loads((folder / LABELS).read_text(encoding="utf-8"))
        classes = tuple(_CLASS_OF[str(word).strip().lower()] for word in words[:_LABELS_MAX])
    except (OSError, ValueError, TypeError, KeyError) as error:
        classes = ()
        fault = f"{type(error).__name__}: {error}"
    else:
        fault = "it must name praise and blame once each"
    if len(set(classes)) != len(classes) or not {BULLISH, BEARISH} <= set(classes):
        raise ConfigurationError(
            f"{folder / LABELS} does not tell what the model's columns mean ({fault}).",
            remedy='Write a JSON list in the order of the columns, as ["negative", "neutral", "positive"].',
        )
    return classes
