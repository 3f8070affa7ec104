"""The fitted scorers that are shipped, read once: what messages say, and who writes them."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.conf import settings

from apps.domain.errors import ConfigurationError
from apps.intelligence.logic.bots import BotModel, bots_from_json
from apps.intelligence.logic.sentiment import (
    Lexicon,
    Opinion,
    SentimentModel,
    sentiment_from_json,
    strong_lexicon,
)
from apps.intelligence.onnx_sentiment import onnx_sentiment

FOLDER = Path(__file__).resolve().parent / "parameters"
SENTIMENT_PATH = FOLDER / "sentiment.json.gz"
BOTS_PATH = FOLDER / "bots.json"
BYTES_MAX = 20_000_000


def message_opinions(texts: Sequence[str]) -> list[Opinion | None]:
    """Return the opinions in messages; None where one says nothing.

    By the user's own ONNX model where one is configured, within its time; else, and beyond it, by the shipped one.
    Raises ConfigurationError, BadDataError.
    """
    folder = settings.ENV.sentiment_onnx
    found = [] if folder is None else onnx_sentiment(folder).opinions(texts)
    return [*found, *(message_opinion(text) for text in texts[len(found) :])]


def scorer_prepare() -> None:
    """Load the configured scorer, so that what it lacks is said before anything is paid for. Raises ConfigurationError."""
    if settings.ENV.sentiment_onnx is not None:
        onnx_sentiment(settings.ENV.sentiment_onnx)


def message_opinion(text: str) -> Opinion | None:
    """Return the opinion in a message by the shipped model; None where it says nothing."""
    return shipped_sentiment().opinion(text, shipped_lexicon())


@lru_cache(maxsize=1)
def shipped_bots() -> BotModel:
    """Return the shipped bot detection. Raises ConfigurationError, BadDataError."""
    return bots_from_json(_text_of(BOTS_PATH))


def shipped_sentiment() -> SentimentModel:
    """Return the shipped model. Raises ConfigurationError, BadDataError."""
    return _sentiment()[0]


@lru_cache(maxsize=1)
def shipped_lexicon() -> Lexicon:
    """Return VADER with the trade's words, and the valences learnt from word vectors."""
    return lexicon_with(shipped_valences())


def shipped_valences() -> dict[str, float]:
    """Return the valences learnt from word vectors; none before they are learnt."""
    return _sentiment()[1] if SENTIMENT_PATH.is_file() else {}


def lexicon_with(valences: dict[str, float]) -> Lexicon:
    """Return the lexicons with these learnt valences."""
    analyser = vader()
    strong = strong_lexicon(vader_words())

    def polarity(text: str) -> tuple[float, float, float]:
        scores = analyser.polarity_scores(text)
        return scores["compound"], scores["pos"], scores["neg"]

    return Lexicon(polarity=polarity, strong=strong, wide={**valences, **strong})


@lru_cache(maxsize=1)
def vader() -> Any:
    """Return VADER's analyser with the trade's words over its lexicon. Source: Hutto and Gilbert, ICWSM 2014."""
    analyser = plain_vader()
    analyser.lexicon = strong_lexicon(analyser.lexicon)
    return analyser


@lru_cache(maxsize=1)
def vader_words() -> dict[str, float]:
    """Return VADER's own lexicon, as the library ships it."""
    return dict(plain_vader().lexicon)


def plain_vader() -> Any:
    """Return VADER's analyser as the library ships it."""
    from vaderSentiment.vaderSentiment import SentimentIntensityAnalyzer

    return SentimentIntensityAnalyzer()


@lru_cache(maxsize=1)
def _sentiment() -> tuple[SentimentModel, dict[str, float]]:
    return sentiment_from_json(_text_of(SENTIMENT_PATH))


def _text_of(path: Path) -> str:
    """Return a shipped parameter file's text, unpacked where it is packed."""
    try:
        with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(BYTES_MAX).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise ConfigurationError(
            f"Fitted parameters cannot be read: {error}.",
            remedy="Restore apps/intelligence/parameters from the repository.",
        ) from error
