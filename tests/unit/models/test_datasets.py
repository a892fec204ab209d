"""Examples become the same features as serving makes of the same events."""

import base64
import io
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data.datasets import ExampleError, downsampled, listing_set, message_set, read_examples
from models.data.tables import listing_table, message_table
from models.data.vocabulary import build_vocabulary
from models.shipped.corpus import PARTS, listing_part, message_part
from streams.features.auxiliary import AUX_NAMES
from streams.features.tokens import TextPipeline

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def text() -> TextPipeline:
    return TextPipeline()


def window(*said: tuple[str, str], status: str = "shipped", label: int | None = 1) -> dict:
    messages = [
        {"message_id": str(i), "writer": writer, "text": words} for i, (writer, words) in enumerate(said)
    ]
    return {"transaction_id": "t", "status": status, "messages": messages, "labels": {"d": label}}


def test_a_window_keeps_the_last_five_turns_with_writers_and_status(text: TextPipeline) -> None:
    said = [("seller" if i % 2 else "buyer", f"word{i}") for i in range(7)]
    found = message_set([window(*said)], text)
    features = found.features[0]
    assert len(features.tokens) == 5
    assert features.writers == (2, 1, 2, 1, 2)
    assert features.status == 3
    for tokens, (_, words) in zip(features.tokens, said[2:], strict=True):
        assert tokens.tolist() == text.prepare(words).tokens.tolist()


def test_personal_data_is_masked_before_training(text: TextPipeline) -> None:
    first, second = message_set(
        [window(("buyer", "090-1234-5678です")), window(("buyer", "080-9999-0000です"))], text
    ).features
    assert first.tokens[0].tolist() == second.tokens[0].tolist()


def test_unknown_labels_are_left_out_of_the_table(text: TextPipeline) -> None:
    found = message_set([window(("buyer", "a b"), label=None), window(("buyer", "a b c"), label=1)], text)
    assert np.isnan(found.labels["d"][0])
    table = message_table(
        found.features, found.labels["d"], build_vocabulary(f.tokens[0] for f in found.features)
    )
    assert len(table) == 1
    assert table.labels.tolist() == [1.0]
    assert int(table.lengths[0]) == 3


@pytest.mark.parametrize(
    "broken",
    [
        {**window(("buyer", "a")), "labels": {"d": 2}},
        {**window(("buyer", "a")), "labels": None},
        {**window(("buyer", "a")), "messages": []},
        {**window(("bot", "a"))},
        {"labels": {"d": 1}},
    ],
)
def test_broken_examples_are_named(broken: dict, text: TextPipeline) -> None:
    with pytest.raises(ExampleError, match="example 2"):
        message_set([window(("buyer", "a")), broken], text)


def test_files_are_read_line_by_line_and_errors_name_the_line(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    path.write_text('{"a": 1}\n\n[1]\n', encoding="utf-8")
    with pytest.raises(ExampleError, match=r"x\.jsonl:3: a JSON list"):
        list(read_examples(path))
    path.write_text('{"a": 1}\n{"a"', encoding="utf-8")
    with pytest.raises(ExampleError, match=r"x\.jsonl:2: not JSON"):
        list(read_examples(path))


def test_a_listing_is_title_then_description_with_nulls_forgiven(text: TextPipeline) -> None:
    listing = {
        "listing_id": "l",
        "seller_id": "s",
        "title": "bag",
        "description": "black leather",
        "price": None,
        "attributes": {"year": 2001, "score": None},
    }
    found = listing_set([{"listing": listing, "labels": {"d": 0}}], text, lambda _: None)
    expected = np.concatenate([text.prepare("bag").tokens, text.prepare("black leather").tokens])
    assert found.features[0].tokens.tolist() == expected.tolist()
    assert found.features[0].aux.shape == (len(AUX_NAMES),)
    table = listing_table(found.features, found.labels["d"], build_vocabulary([expected], min_count=1))
    assert table.inputs[2].tolist() == [[0.0]]
    with pytest.raises(ExampleError, match="example 1: not a listing"):
        listing_set([{"listing": {"title": 3}, "labels": {"d": 0}}], text, lambda _: None)


def test_the_fingerprint_is_of_the_content(text: TextPipeline) -> None:
    one = message_set([window(("buyer", "a"))], text).fingerprint
    assert one == message_set([json.loads(json.dumps(window(("buyer", "a"))))], text).fingerprint
    assert one != message_set([window(("buyer", "b"))], text).fingerprint


def test_parts_of_the_corpus_are_apart_in_time_and_in_richness() -> None:
    parts = {part: list(message_part(part, 1, 400)) for part in PARTS}
    for earlier, later in pairwise(PARTS):
        last = max(e["messages"][-1]["sent_at"] for e in parts[earlier])
        assert last < min(e["messages"][-1]["sent_at"] for e in parts[later])
    violating = {part: sum(any(e["labels"].values()) for e in found) for part, found in parts.items()}
    assert violating["training"] > 3 * violating["held_out"]
    listings = {part: list(listing_part(part, 1, 150)) for part in ("training", "held_out")}
    identities = [{e["listing"]["listing_id"] for e in found} for found in listings.values()]
    assert identities[0].isdisjoint(identities[1])


def test_pictures_come_from_the_event_or_the_directory(tmp_path: Path) -> None:
    from models.data.image_features import ImageEmbedder
    from models.networks.image_encoder import ImageEncoder
    from models.shipped.release import encoder_model

    embed = ImageEmbedder(encoder_model(ImageEncoder()), root=tmp_path)
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40), (200, 10, 10)).save(buffer, "PNG")
    (tmp_path / "a.png").write_bytes(buffer.getvalue())
    inside = {"listing": {"images": [{"data": base64.b64encode(buffer.getvalue()).decode()}]}}
    beside = {"listing": {"image": "a.png"}}
    first, second = embed(inside), embed(beside)
    assert first is not None
    assert first.shape == (1280,)
    assert first is second
    assert embed({"listing": {}}) is None
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    assert embed({"listing": {"image": "broken.jpg"}}) is None
    assert embed.refused == 1
    assert embed({"listing": {"images": None}}) is None
    assert embed({"listing": {"images": [{"data": "not base64"}]}}) is None
    assert embed.refused == 2
    with pytest.raises(ExampleError, match=r"lost\.jpg"):
        embed({"listing": {"image": "lost.jpg"}})
    with pytest.raises(ExampleError, match="directory"):
        ImageEmbedder(encoder_model(ImageEncoder()))(beside)


def test_downsampling_keeps_every_positive_and_the_stated_share_of_the_others(text: TextPipeline) -> None:
    labels = [1, 0, 0, None, 0, 0, 0, 1, 0]
    found = message_set([window(("buyer", f"w{i}"), label=label) for i, label in enumerate(labels)], text)
    kept = downsampled(found, "d", 1.5, seed=3)
    assert kept.labels["d"].tolist().count(1.0) == 2
    assert kept.labels["d"].tolist().count(0.0) == 3
    assert len(kept.features) == 5
    assert {id(feature) for feature in kept.features} <= {id(feature) for feature in found.features}
    assert [*map(id, kept.features)] == [*map(id, downsampled(found, "d", 1.5, seed=3).features)]
    assert len(downsampled(found, "d", 100, seed=3).features) == 8
