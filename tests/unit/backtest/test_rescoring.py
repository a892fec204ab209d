"""Shipped models run in this process on what predictions hold."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

from streams.backtest.history import Skipped
from streams.backtest.predicted import Predicted, picture_less_features, predicted_of, window_features
from streams.backtest.rescoring import Rescorer
from streams.events import ImageSource, Listing
from streams.features.listing import listing_features
from streams.features.tensors import WindowFeatures
from streams.features.tokens import TextPipeline
from streams.inference.contracts import ModelVersion
from streams.inference.in_process import InProcessModel
from streams.inference.repository import RepositoryError, read_golden
from tests.unit.backtest.predictions import DOMAIN, MODEL, listing_value, predicted, scored, value

ROOT = Path(__file__).parents[3]
SHIPPED = ROOT / "triton_repo" / MODEL / "1"
VERSION = ModelVersion(MODEL, 1)
WORDS = ("ばか", "ありがとうございます", "死ね", "発送しました。よろしくお願いします。" * 9, "ok " * 60)


@pytest.fixture(scope="module")
def text() -> TextPipeline:
    return TextPipeline()


@pytest.fixture(scope="module")
def model() -> InProcessModel:
    return InProcessModel(SHIPPED)


def test_scores_are_those_that_the_model_was_exported_with(model: InProcessModel) -> None:
    golden = read_golden(SHIPPED, MODEL)
    for row in golden.rows:
        turns = [turn[turn != 0] for turn in row.inputs["tokens"]]
        there = [place for place, turn in enumerate(turns) if len(turn)]
        if not there:  # nothing but padding is no window
            continue
        features = WindowFeatures(
            tokens=tuple(turns[there[0] :]),
            writers=tuple(int(code) for code in row.inputs["writer"][there[0] :]),
            status=int(row.inputs["status"][0]),
        )
        (score,) = model.scores([features])
        assert score == pytest.approx(float(row.expected["score"][0]), abs=golden.tolerance)


def test_many_at_once_score_as_one_by_one(model: InProcessModel, text: TextPipeline) -> None:
    rows = [window_features(predicted(n, text=word).shown, text) for n, word in enumerate(WORDS * 20)]
    together = model.scores(rows)  # type: ignore[arg-type]
    alone = [model.scores([row])[0] for row in rows[: len(WORDS)]]  # type: ignore[list-item]
    assert together == pytest.approx(alone * 20, abs=1e-5)
    assert len({round(score or 0, 3) for score in alone}) > 1


def test_masked_text_has_the_tokens_of_the_text_it_was_made_from(text: TextPipeline) -> None:
    original = "振込先は りそな銀行 普通 1234567 です。090-1234-5678 に電話か a@example.com まで"
    prepared = text.prepare(original)
    assert "〈" in prepared.masked
    found = window_features(predicted(1, text=prepared.masked).shown, text)
    assert found is not None
    assert found.tokens[0].tolist() == prepared.tokens.tolist()
    assert (found.writers, found.status) == ((2,), 3)


@pytest.mark.parametrize("file", ["pii_samples.txt", "pii_samples_second.txt"])
def test_every_sample_of_personal_data_keeps_its_tokens_when_it_is_masked_twice(
    text: TextPipeline, file: str
) -> None:
    lines = (ROOT / "tests" / "unit" / "features" / file).read_text("utf-8").splitlines()
    samples = [re.sub(r"\[\[\w+\|(.*?)\]\]", r"\1", line) for line in lines if line and line[0] != "#"]
    masked = 0
    for sample in samples:
        prepared = text.prepare(sample)
        assert text.prepare(prepared.masked).tokens.tolist() == prepared.tokens.tolist(), sample
        masked += prepared.masked != sample
    assert masked > 50


def test_a_listing_is_what_it_was_but_for_its_picture(text: TextPipeline) -> None:
    said = {
        "price": 4800.0,
        "currency": "JPY",
        "brand": "X",
        "condition": "new",
        "images": (ImageSource(url="https://a/b"),) * 3,
        "attributes": {"size": 3.0},
    }
    found = predicted_of(listing_value(1, "ブランドバッグ", "新品です", **said))
    assert isinstance(found, Predicted)
    assert found.text == "ブランドバッグ"
    features = picture_less_features(found.shown, text)
    listing = Listing(listing_id="l1", seller_id="s1", title="ブランドバッグ", description="新品です", **said)
    expected = listing_features(
        listing, title=text.prepare(listing.title), description=text.prepare(listing.description)
    )
    assert features is not None
    np.testing.assert_array_equal(features.tokens, expected.tokens)
    np.testing.assert_array_equal(features.aux, expected.aux)
    assert features.image is None
    (score,) = InProcessModel(ROOT / "triton_repo" / "listing_counterfeit" / "1").scores([features])
    assert score is not None
    assert 0 <= score <= 1


def test_only_what_is_wanted_and_not_recorded_is_run(model: InProcessModel, text: TextPipeline) -> None:
    recorded, failed = predicted(1, scored(0.5)), predicted(2, scored(None))
    other = ModelVersion(MODEL, 9)
    wanted = [[VERSION, other], [VERSION, VERSION], []]
    events = [recorded, failed, predicted(3)]
    made = Rescorer({VERSION: model}, text).scores(events, wanted)
    assert [sorted(scores) for scores in made] == [[], [VERSION], []]
    made = Rescorer({VERSION: model}, text, even_recorded=True).scores(events, wanted)
    assert [sorted(scores) for scores in made] == [[VERSION], [VERSION], []]
    assert made[0][VERSION] == made[1][VERSION]  # the same words


def test_a_prediction_without_its_input_is_not_scored(model: InProcessModel, text: TextPipeline) -> None:
    body = json.loads(value(1, scored(None)))
    body["input"] = {}
    bare = predicted_of(json.dumps(body).encode())
    assert isinstance(bare, Predicted)
    assert Rescorer({VERSION: model}, text).scores([bare], [[VERSION]]) == [{}]
    assert bare.text == ""
    assert not isinstance(predicted_of(value(1)), Skipped)
    assert picture_less_features(bare.shown, text) is None
    assert bare.alert_id(DOMAIN) == predicted(1).alert_id(DOMAIN)


def test_what_cannot_be_run_here_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RepositoryError, match="image_encoder"):
        InProcessModel(ROOT / "triton_repo" / "image_encoder" / "1")
    broken = tmp_path / "broken"
    shutil.copytree(SHIPPED, broken)
    (broken / "model.onnx").write_bytes(b"no model")
    with pytest.raises(RepositoryError, match="not a model that ONNX Runtime can open"):
        InProcessModel(broken)
    metadata = json.loads((broken / "metadata.json").read_text())
    (broken / "metadata.json").write_text(json.dumps(metadata | {"tokenizer": "other/2"}))
    with pytest.raises(RepositoryError, match="trained with tokeniser other/2"):
        InProcessModel(broken)
