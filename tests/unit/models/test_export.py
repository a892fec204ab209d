"""The ONNX files answer as torch does, at any batch and length, from token hashes."""

import numpy as np
import onnx
import pytest
import torch

from models.data.vocabulary import Vocabulary
from models.export.graph import (
    IR_VERSION,
    OPSET,
    image_encoder_onnx,
    listing_onnx,
    message_onnx,
    round_to_half,
    run,
    session,
    stored_half,
)
from models.networks.image_encoder import ImageEncoder
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH
from tests.unit.models.test_networks import (
    FUSIONS,
    VOCABULARY,
    conversation_network,
    listing_network,
    listings,
    windows,
)

pytestmark = pytest.mark.train

#: Hashes of the words of rows 2…
WORDS = Vocabulary(np.sort(np.random.default_rng(1).integers(1, 2**62, VOCABULARY - 2)))
BATCHES = (1, 2, 3, 7, 64)


def hashes(rows: torch.Tensor) -> np.ndarray:
    """Token hashes for vocabulary rows; row 1 becomes a hash that no vocabulary holds."""
    table = np.concatenate([[0, 2**62 + 1], WORDS.hashes])
    return table[rows.numpy()]


@pytest.mark.parametrize("length", [16, 64])
@torch.no_grad()
def test_message_model_as_onnx_is_the_network(length: int) -> None:
    network = conversation_network()
    round_to_half(network)
    opened = session(stored_half(message_onnx(network, WORDS)))
    for count in BATCHES:
        rows, writer, status = windows(count, count, length)
        expected = torch.sigmoid(network(rows, writer, status)).numpy()
        inputs = {"tokens": hashes(rows), "writer": writer.numpy(), "status": status.numpy()}
        score = run(opened, inputs)["score"]
        assert score.shape == (count, 1)
        assert score.dtype == np.float32
        assert np.abs(score - expected).max() < 1e-6


@pytest.mark.parametrize("fusion", FUSIONS)
@torch.no_grad()
def test_listing_model_as_onnx_is_the_network(fusion: str) -> None:
    network = listing_network(fusion=fusion, batch_norm=fusion == "concat", maxout=fusion != "max_pool")
    round_to_half(network)
    model = stored_half(listing_onnx(network, WORDS, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES)))
    opened = session(model)
    for count in BATCHES:
        rows, image, has_image, aux = listings(count, seed=count)
        logits, gate = network(rows, image, has_image, aux)
        for length in (32, 128):
            inputs = {
                "tokens": np.pad(hashes(rows), ((0, 0), (0, length - 32))), "image": image.numpy(),
                "has_image": has_image.numpy(), "aux": aux.numpy(),
            }  # fmt: skip
            answer = run(opened, inputs)
            assert answer["gate"].shape == (count, 2)
            # Batch normalisation is folded into its neighbour, whose halved weights differ: hence not 1e-6 there.
            assert np.abs(answer["score"] - torch.sigmoid(logits).numpy()).max() < 1e-5
            assert np.abs(answer["gate"] - gate.numpy()).max() < 1e-5


def test_unknown_words_share_one_row_and_padding_is_none() -> None:
    opened = session(message_onnx(conversation_network(), WORDS))
    tokens = np.zeros((3, 5, 16), np.int64)
    tokens[0, 4, 0], tokens[1, 4, 0], tokens[2, 4, 0] = 12345, 2**62 + 7, WORDS.hashes[0]
    inputs = {"tokens": tokens, "writer": np.full((3, 5), 1), "status": np.zeros((3, 1), np.int64)}
    score = run(opened, inputs)["score"][:, 0]
    assert score[0] == score[1] != score[2]


def test_a_file_says_what_triton_can_read_and_stores_large_constants_in_half() -> None:
    network = conversation_network()
    model = stored_half(message_onnx(network, WORDS))
    assert model.ir_version == IR_VERSION
    assert {(entry.domain, entry.version) for entry in model.opset_import} >= {("", OPSET)}
    sizes = {c.name: (c.data_type, int(np.prod(c.dims))) for c in model.graph.initializer}
    assert all(size < 1024 for kind, size in sizes.values() if kind == onnx.TensorProto.FLOAT)


def test_values_beyond_half_precision_are_refused() -> None:
    network = conversation_network()
    with torch.no_grad():
        network.writer.weight[1, 0] = 1e6
    with pytest.raises(OverflowError, match=r"writer\.weight"):
        round_to_half(network)


@torch.no_grad()
def test_image_encoder_as_onnx_is_the_network_and_half_storage_keeps_its_direction() -> None:
    network = ImageEncoder().eval()
    model = image_encoder_onnx(network)
    pictures = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    expected = network(torch.from_numpy(pictures)).numpy()
    embedding = run(session(model), {"image": pictures})["embedding"]
    assert embedding.shape == (3, IMAGE_WIDTH)
    assert np.abs(embedding - expected).max() < 1e-4
    halved = run(session(stored_half(model)), {"image": pictures[:1]})["embedding"][0]
    cosine = halved @ expected[0] / np.linalg.norm(halved) / np.linalg.norm(expected[0])
    assert cosine > 0.999
