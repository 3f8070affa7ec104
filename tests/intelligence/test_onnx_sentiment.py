"""A user's own ONNX model as the scorer: the same opinions, bounds, and plain words for what is missing."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from apps.domain.errors import BadDataError, ConfigurationError
from apps.intelligence.evaluation.sentiment import _by_onnx
from apps.intelligence.measuring.labelled_texts import LabelledText
from apps.intelligence.models import SocialMessage, SocialSourceState
from apps.intelligence.onnx_sentiment import BATCH_MAX, PIECES_MAX, onnx_sentiment
from apps.intelligence.scorers import message_opinion, message_opinions
from tests.intelligence.social_posts import FakeSocialSource, post
from tests.intelligence.test_social_poll import NOW_MS, poll

WORDS = {"[PAD]": 0, "[UNK]": 1, "moon": 2, "scam": 3}
#: By word: what it speaks for, in the order of the labels.
WEIGHTS = [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 5.0], [5.0, 0.0, 0.0]]


def made(folder: Path, *, labels: Any = ("negative", "neutral", "positive"), weights: Any = WEIGHTS) -> Path:
    """Write a tiny model: each word has a weight for each label, and a message is their sum."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    from tokenizers import Tokenizer, models, pre_tokenizers

    shape = ["messages", "pieces"]
    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["weights", "input_ids"], ["each"]),
            helper.make_node("Cast", ["attention_mask"], ["mask"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["mask", "last"], ["wide"]),
            helper.make_node("Mul", ["each", "wide"], ["heard"]),
            helper.make_node("ReduceSum", ["heard", "middle"], ["logits"], keepdims=0),
        ],
        "tiny",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, shape)
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["messages", "labels"])],
        [
            numpy_helper.from_array(np.array(weights, dtype=np.float32), "weights"),
            numpy_helper.from_array(np.array([2], dtype=np.int64), "last"),
            numpy_helper.from_array(np.array([1], dtype=np.int64), "middle"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    onnx.save(model, str(folder / "model.onnx"))
    tokenizer = Tokenizer(models.WordLevel(WORDS, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "labels.json").write_text(json.dumps(list(labels)))
    return folder


@pytest.fixture
def configured(settings: Any, tmp_path: Path) -> Path:
    settings.ENV = replace(settings.ENV, sentiment_onnx=made(tmp_path))
    return tmp_path


def test_messages_when_a_model_is_configured_then_it_scores_them(configured: Path) -> None:
    praise, blame, neither, silent = message_opinions(["to the moon", "scam", "hello", "123 !!"])
    assert praise is not None
    assert blame is not None
    assert neither is not None
    assert praise.score_bps > 5_000
    assert blame.score_bps < -5_000
    assert neither.score_bps == 0
    assert silent is None


def test_messages_when_more_than_a_batch_or_very_long_then_each_as_by_itself(configured: Path) -> None:
    texts = ["moon", "scam", "hello there", "moon " * (3 * PIECES_MAX)] * BATCH_MAX
    together = message_opinions(texts)
    alone = [message_opinions([text])[0] for text in texts[:4]]
    assert len(together) == len(texts)
    for one, other in zip(together[:4], alone, strict=True):
        assert one is not None
        assert other is not None
        assert one.praise == pytest.approx(other.praise)


def test_messages_when_the_time_is_over_then_the_rest_is_left(configured: Path) -> None:
    assert onnx_sentiment(configured).opinions(["moon"] * 5, seconds_max=0) == []


def test_messages_when_nothing_is_configured_then_the_shipped_scorer(settings: Any) -> None:
    settings.ENV = replace(settings.ENV, sentiment_onnx=None)
    assert message_opinions(["to the moon"]) == [message_opinion("to the moon")]


def test_model_of_two_labels_then_praise_and_blame_sum_to_one(tmp_path: Path) -> None:
    folder = made(tmp_path, labels=("BEARISH", "bullish"), weights=[[0, 0], [0, 0], [0, 5], [5, 0]])
    [opinion] = onnx_sentiment(folder).opinions(["moon"])
    assert opinion is not None
    assert opinion.praise + opinion.blame == pytest.approx(1)
    assert opinion.praise > 0.9


@pytest.mark.parametrize("labels", [["good", "bad"], ["positive"], ["positive", "bull", "negative"], 7])
def test_labels_when_they_tell_nothing_then_said_how_to_write_them(tmp_path: Path, labels: Any) -> None:
    made(tmp_path)
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    with pytest.raises(ConfigurationError) as error:
        onnx_sentiment(tmp_path)
    assert "JSON list" in error.value.remedy


def test_labels_when_fewer_than_columns_then_the_answer_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadDataError):
        onnx_sentiment(made(tmp_path, labels=("negative", "positive"))).opinions(["moon"])


def test_folder_when_files_are_missing_then_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"model\.onnx, tokenizer\.json, labels\.json"):
        onnx_sentiment(tmp_path)


def test_model_when_damaged_then_said(tmp_path: Path) -> None:
    made(tmp_path)
    (tmp_path / "model.onnx").write_bytes(b"nothing")
    with pytest.raises(ConfigurationError, match="cannot be loaded"):
        onnx_sentiment(tmp_path)


def test_libraries_when_not_installed_then_said_how_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made(tmp_path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(ConfigurationError) as error:
        onnx_sentiment(tmp_path)
    assert "onnxruntime" in str(error.value)
    assert "pip install" in error.value.remedy


@pytest.mark.django_db
def test_poll_when_configured_then_messages_carry_its_scores(configured: Path) -> None:
    poll(FakeSocialSource(posts=[post(1, "moon moon", sent_at_ms=NOW_MS)]))
    assert (SocialMessage.objects.get().score_bps or 0) > 9_000


def test_measured_when_configured_then_its_own_labels_are_told(configured: Path) -> None:
    rows = [
        LabelledText(text="moon", label="bullish"),
        LabelledText(text="scam", label="bearish"),
        LabelledText(text="99", label="bearish"),
    ]
    assert _by_onnx(rows, configured)[:2] == ["bullish", "bearish"]


@pytest.mark.django_db
def test_poll_when_the_folder_is_empty_then_nothing_is_read_and_the_state_says_why(
    settings: Any, tmp_path: Path
) -> None:
    settings.ENV = replace(settings.ENV, sentiment_onnx=tmp_path)
    source = FakeSocialSource(posts=[post(1, "moon", sent_at_ms=NOW_MS)])
    assert poll(source).stored == 0
    assert "model.onnx" in SocialSourceState.objects.get().reason


@pytest.mark.django_db
def test_poll_when_the_model_fails_then_messages_are_kept_unscored_and_the_state_says_why(
    settings: Any, tmp_path: Path
) -> None:
    folder = made(tmp_path, labels=("negative", "positive"))
    settings.ENV = replace(settings.ENV, sentiment_onnx=folder)
    assert poll(FakeSocialSource(posts=[post(1, "moon", sent_at_ms=NOW_MS)])).stored == 1
    assert SocialMessage.objects.get().score_bps is None
    assert "were not scored" in SocialSourceState.objects.get().reason
