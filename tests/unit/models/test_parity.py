"""Torch and ONNX Runtime answer alike, for every batch and length; and what differs is found."""

import numpy as np
import pytest

from models.data.vocabulary import Vocabulary
from models.export.graph import listing_onnx, message_onnx, round_to_half, session, stored_half
from models.export.parity import BATCHES, departures, requests, runtime_answers, torch_answers
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH
from streams.inference.contracts import IMAGE_ENCODER, LISTING, MESSAGE
from tests.unit.models.test_networks import FUSIONS, VOCABULARY, conversation_network, listing_network

pytestmark = pytest.mark.train

WORDS = Vocabulary(np.sort(np.random.default_rng(1).integers(1, 2**62, VOCABULARY - 2)))


@pytest.mark.parametrize("half", [True, False])
def test_messages_in_every_bucket_and_batch(half: bool) -> None:
    network = conversation_network()
    if half:
        round_to_half(network)
    model = message_onnx(network, WORDS)
    asked = list(requests(MESSAGE, WORDS, seed=5))
    assert [(r.bucket, r.batch) for r in asked] == [(b, n) for b in (16, 32, 64) for n in BATCHES]
    expected = torch_answers(network, WORDS, asked)
    given = runtime_answers(session(stored_half(model) if half else model), asked)
    assert departures(asked, expected, given) == []


@pytest.mark.parametrize("fusion", FUSIONS)
def test_listings_in_every_bucket_and_batch(fusion: str) -> None:
    network = listing_network(fusion=fusion)
    round_to_half(network)
    model = listing_onnx(network, WORDS, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES))
    asked = list(requests(LISTING, WORDS, seed=5))
    assert {r.bucket for r in asked} == {32, 64, 128}
    given = runtime_answers(session(stored_half(model)), asked)
    assert departures(asked, torch_answers(network, WORDS, asked), given) == []


def test_requests_hold_what_is_hard_padding_strange_words_missing_turns_and_pictures() -> None:
    *_, windows = requests(MESSAGE, WORDS, seed=2)
    tokens = windows.rows["tokens"]
    assert (tokens[0, -1] != 0).all()
    assert (tokens[:, 0] == 0).all(axis=1).any()
    assert not np.isin(tokens, [0, *WORDS.hashes]).all()
    *_, goods = requests(LISTING, WORDS, seed=2)
    assert set(goods.rows["has_image"].ravel()) == {0.0, 1.0}
    assert (goods.rows["tokens"][1] == 0).all()
    with pytest.raises(ValueError, match="image_encoder"):
        next(requests(IMAGE_ENCODER, WORDS, seed=2))


def test_what_differs_is_named() -> None:
    asked = list(requests(MESSAGE, WORDS, seed=5, batches=(1, 2)))[:3]
    right = [{"score": np.full((r.batch, 1), 0.5, np.float32)} for r in asked]
    wrong = [{"score": answer["score"].copy()} for answer in right]
    wrong[1]["score"][1] += 3e-5
    wrong[2]["score"][0] = np.nan
    assert [str(d) for d in departures(asked, right, wrong)] == [
        "batch 2, bucket 16: score differs by 3.00e-05",
        "batch 1, bucket 32: score differs by nan",
    ]
    assert departures(asked, right, wrong, tolerance=1e-4)[0].bucket == 32
    other_shape = [{"score": answer["score"][:, 0]} for answer in right]
    assert {d.largest for d in departures(asked, right, other_shape)} == {float("inf")}
