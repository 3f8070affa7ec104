"""What one message says: words, lexicons, the fitted model and what is shipped of it."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.domain.errors import BadDataError, ConfigurationError
from apps.intelligence.evaluation import sentiment as measuring
from apps.intelligence.fitting.sentiment_fit import cross_validated, fit, folds, read_all
from apps.intelligence.logic.crypto_words import CRYPTO_PHRASES, CRYPTO_WORDS
from apps.intelligence.logic.sentiment import (
    SentimentModel,
    lexical_features,
    sentiment_from_json,
    sentiment_to_json,
)
from apps.intelligence.logic.words import piece_features, word_features, words
from apps.intelligence.measuring.labelled_texts import LabelledText, labelled_texts
from apps.intelligence.measuring.texts import chosen, label_figures
from apps.intelligence.scorers import (
    message_opinion,
    shipped_lexicon,
    shipped_sentiment,
    vader,
)

GOOD = ("solid", "great", "bullish", "lovely", "strong", "fine")
BAD = ("scam", "awful", "bearish", "ugly", "weak", "broken")
THINGS = ("token", "chart", "team", "launch", "pool")


def taught() -> list[LabelledText]:
    rows = [
        LabelledText(text=f"this {thing} is {word}", label="bullish") for word, thing in product(GOOD, THINGS)
    ]
    rows += [
        LabelledText(text=f"this {thing} is {word}", label="bearish") for word, thing in product(BAD, THINGS)
    ]
    return rows


@pytest.fixture(scope="module")
def model() -> SentimentModel:
    rows = taught()
    return fit(rows, read_all(rows, shipped_lexicon()))


# -- words ----------------------------------------------------------------------------------
def test_words_when_negated_then_marked_until_the_clause_ends() -> None:
    assert words("I don't trust this dev, but good chart") == [
        *("i", "don't", "not_trust", "not_this", "not_dev"),
        *(",", "but", "good", "chart"),
    ]


def test_words_when_links_names_and_figures_then_their_kind() -> None:
    assert words("@bob $FROG +12% at $1,000 https://a.example #gem!!") == [
        *("USER_", "CASH_", "+NUM%", "at", "NUM$", "URL_", "gem", "!!"),
    ]


def test_features_when_a_word_is_short_then_one_piece() -> None:
    assert list(word_features(["a", "b"])) == ["a", "b", "a b"]
    assert list(piece_features("a")) == [" a", "a ", " a "]


def test_lexicon_of_the_trade_then_within_bounds_and_lower_case() -> None:
    for word, valence in (CRYPTO_WORDS | CRYPTO_PHRASES).items():
        assert word == word.lower()
        assert -4 <= valence <= 4
        assert valence


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("to the moon, accumulating more", True),
        ("wagmi, just bought the dip", True),
        ("rugpull, dev dumped and liquidity is drained", False),
        ("this is a honeypot, cannot sell", False),
    ],
)
def test_vader_with_the_words_of_the_trade_then_understands_it(text: str, is_good: bool) -> None:
    assert (vader().polarity_scores(text)["compound"] > 0) == is_good


# -- the model --------------------------------------------------------------------------------
def test_fitted_when_asked_for_what_it_learnt_then_right(model: SentimentModel) -> None:
    lexicon = shipped_lexicon()
    good, bad = model.opinion("a solid pool", lexicon), model.opinion("an ugly scam", lexicon)
    assert good is not None
    assert bad is not None
    assert bad.score_bps < 0 < good.score_bps
    assert model.opinion("🚀🚀 12 !!", lexicon) is None


def test_model_when_kept_as_text_then_scores_the_same(model: SentimentModel) -> None:
    text = sentiment_to_json(model, {"solid": 1.25})
    again, valences = sentiment_from_json(text)
    assert sentiment_to_json(again, valences) == text
    assert valences == {"solid": pytest.approx(1.25)}
    for row in taught():
        before, after = model.chances(row.text, shipped_lexicon()), again.chances(row.text, shipped_lexicon())
        assert after == pytest.approx(before, abs=0.02)


@pytest.mark.parametrize(
    "change",
    [{"format": 2}, {"classes": ["bullish"]}, {"words": [["a", 1]]}, {"offsets": [0.0]}, {"scale": [0.0]}],
)
def test_parameters_are_damaged_then_bad_data(model: SentimentModel, change: dict[str, Any]) -> None:
    fields = json.loads(sentiment_to_json(model, {})) | change
    with pytest.raises(BadDataError):
        sentiment_from_json(json.dumps(fields))


def test_folds_when_texts_repeat_then_never_on_both_sides() -> None:
    rows = taught() * 2
    parts = folds(rows, parts=5, seed=1)
    assert sorted(at for part in parts for at in part) == list(range(len(rows)))
    for part in parts:
        inside = {rows[at].text for at in part}
        assert not inside & {rows[at].text for at in range(len(rows)) if at not in set(part)}


def test_cross_validated_then_each_row_has_chances_that_sum_to_one() -> None:
    rows = taught()
    chances = cross_validated(rows, read_all(rows, shipped_lexicon()), shipped_lexicon(), parts=5, seed=1)
    assert all(sum(item) == pytest.approx(1) for item in chances)
    assert label_figures([row.label for row in rows], chosen(rows, chances))["macro_f1"] > 0.8


def test_three_class_model_asked_about_two_then_third_left_out() -> None:
    rows = [LabelledText(text="a", label="bullish"), LabelledText(text="b", label="bearish")]
    assert chosen(rows, [(0.1, 0.3, 0.6), (0.2, 0.1, 0.7)]) == ["bullish", "bearish"]


# -- what is shipped -----------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        ("I love this project, great team and very bullish", True),
        ("Bitcoin will recover, best time to buy", True),
        ("total scam, lost everything, stay away", False),
        ("worthless garbage, the price is crashing to zero", False),
    ],
)
def test_shipped_when_opinion_is_plain_then_understood(text: str, is_good: bool) -> None:
    opinion = message_opinion(text)
    assert opinion is not None
    assert (opinion.score_bps > 0) == is_good


def test_shipped_then_its_card_names_data_licence_and_figures() -> None:
    card = shipped_sentiment().card
    assert card["data_licence"] == "MIT"
    assert {"date", "metrics", "data", "words"} <= set(card)


@settings(max_examples=150, deadline=None)
@given(text=st.text(max_size=400) | st.text(alphabet="ab not$#@!?.,🚀%0x'", max_size=200))
def test_any_text_then_nothing_raises_and_chances_sum_to_one(text: str) -> None:
    opinion = message_opinion(text)
    if opinion is None:
        assert not any(character.isalpha() for character in text)
        return
    assert 0 <= opinion.praise <= 1
    assert 0 <= opinion.blame <= 1
    assert opinion.praise + opinion.blame <= 1 + 1e-9
    assert -10_000 <= opinion.score_bps <= 10_000
    assert len(lexical_features(text, words(text), shipped_lexicon())) == len(shipped_sentiment().lexical)


# -- the command -----------------------------------------------------------------------------------
def table(folder: Path) -> Path:
    folder.mkdir()
    lines = ["text,label", *(f"{row.text},{row.label}" for row in taught())]
    (folder / "data.dev.csv").write_text("\n".join(lines), encoding="utf-8")
    return folder


def test_evaluate_then_baselines_intervals_and_the_shipped_beside(tmp_path: Path) -> None:
    folder = table(tmp_path / "set")
    crossed = measuring.run({"data": folder, "test": None, "also": []})
    tested = measuring.run({"data": folder, "test": folder, "also": [folder]})
    for report in (crossed, tested):
        assert report["n"] == len(taught())
        assert set(report["baselines"]) == {"majority", "vader", "vader_crypto", "tfidf"}
        assert 0 <= report["ci95"]["macro_f1"][0] <= report["ci95"]["macro_f1"][1] <= 1
        assert report["shipped"]["macro_f1"] > 0.5
        assert report["speed"]["lexicon_messages_per_s"] > 0
        json.dumps(report)
    assert crossed["shipped"]["may_have_seen_these"]
    assert set(tested["missing"]) == {"50", "90"}


def test_data_without_labels_then_says_what_to_give(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("words\nhello\n", encoding="utf-8")
    with pytest.raises(ConfigurationError, match="no columns of text and label"):
        labelled_texts(tmp_path)
    with pytest.raises(ConfigurationError, match="no file"):
        labelled_texts(tmp_path / "nowhere")
