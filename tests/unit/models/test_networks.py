"""The networks' exactness: padding changes nothing, absent turns and missing pictures are masked."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.networks.conversation import ConversationNetwork, ConversationShape
from models.networks.listing import ListingNetwork, ListingShape, ListingStatistics, Standardise, TfIdf
from models.networks.sentences import KimCnn
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH

pytestmark = pytest.mark.train

VOCABULARY = 50
SMALL = ConversationShape(embedding_width=8, filters=6, hidden=8)
FUSIONS = ("gmu", "concat", "linear_sum", "max_pool")


def conversation_network(shape: ConversationShape = SMALL) -> ConversationNetwork:
    torch.manual_seed(3)
    return ConversationNetwork(VOCABULARY, shape).eval()


def statistics() -> ListingStatistics:
    generator = np.random.default_rng(0)
    idf = np.concatenate([[0, 0], generator.uniform(1, 5, VOCABULARY - 2)]).astype(np.float32)
    return ListingStatistics(
        torch.from_numpy(idf), torch.zeros(IMAGE_WIDTH), torch.ones(IMAGE_WIDTH),
        torch.zeros(len(AUX_NAMES)), torch.ones(len(AUX_NAMES)),
    )  # fmt: skip


def listing_network(**parts: object) -> ListingNetwork:
    torch.manual_seed(3)
    return ListingNetwork(
        statistics(), replace(ListingShape(text_width=8, fused_width=6, hidden=5), **parts)
    ).eval()


def windows(seed: int, count: int, length: int = 16) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = np.random.default_rng(seed)
    rows = np.zeros((count, 5, length), np.int64)
    writer = np.zeros((count, 5), np.int64)
    for row in range(count):
        for turn in range(5 - generator.integers(1, 6), 5):
            words = generator.integers(1, length + 1)
            rows[row, turn, :words] = generator.integers(1, VOCABULARY, words)
            writer[row, turn] = generator.integers(1, 3)
    status = generator.integers(0, 7, (count, 1))
    return torch.from_numpy(rows), torch.from_numpy(writer), torch.from_numpy(status)


def padded(rows: torch.Tensor, length: int) -> torch.Tensor:
    return torch.nn.functional.pad(rows, (0, length - rows.shape[-1]))


@given(st.integers(0, 1000), st.integers(17, 64))
@settings(max_examples=25, deadline=None)
@torch.no_grad()
def test_the_score_of_a_window_does_not_depend_on_its_padding(seed: int, longer: int) -> None:
    network = conversation_network()
    rows, writer, status = windows(seed, 4)
    short, long = network(rows, writer, status), network(padded(rows, longer), writer, status)
    assert torch.allclose(short, long, atol=1e-6)


@torch.no_grad()
def test_the_score_of_a_window_does_not_depend_on_its_batch() -> None:
    network = conversation_network()
    rows, writer, status = windows(1, 7)
    together = network(rows, writer, status)
    alone = torch.cat([network(rows[i : i + 1], writer[i : i + 1], status[i : i + 1]) for i in range(7)])
    assert torch.allclose(together, alone, atol=1e-6)


def test_a_sentence_longer_than_every_filter_and_one_shorter() -> None:
    encoder = KimCnn(VOCABULARY, 8, 6, (2, 3, 4))
    vectors = encoder(torch.tensor([[5, 0, 0, 0, 0, 0], [5, 6, 7, 8, 9, 10], [0, 0, 0, 0, 0, 0]]))
    assert vectors.shape == (3, 18)
    assert vectors[0].abs().sum() > 0
    assert vectors[2].abs().sum() == 0


@torch.no_grad()
def test_training_mode_skips_absent_turns_without_changing_the_result() -> None:
    still = replace(SMALL, dropout=0.0, word_dropout=0.0)
    network = conversation_network(still)
    inputs = windows(2, 9)
    evaluated = network(*inputs)
    assert torch.allclose(network.train()(*inputs), evaluated, atol=1e-6)


@torch.no_grad()
def test_context_writer_and_status_each_change_the_score() -> None:
    network = conversation_network()
    rows, writer, status = windows(5, 1)
    rows[0, :, 0] = 7  # five turns are there
    writer[:] = 1
    base = network(rows, writer, status)
    earlier = rows.clone()
    earlier[0, 1, 0] = 8
    assert network(earlier, writer, status) != base
    other = writer.clone()
    other[0, 4] = 2
    assert network(rows, other, status) != base
    assert network(rows, writer, (status + 1) % 7) != base


@torch.no_grad()
def test_parts_that_are_off_are_off() -> None:
    rows, writer, status = windows(5, 3)
    blind = conversation_network(replace(SMALL, turns=1, writer=False, status=False))
    changed = rows.clone()
    changed[:, :4] = 0
    assert torch.equal(blind(rows, writer, status), blind(changed, writer * 0, status * 0))


def test_a_window_of_six_is_refused() -> None:
    with pytest.raises(ValueError, match="turns"):
        ConversationShape(turns=6)


@given(st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=20))
@settings(deadline=None)
@torch.no_grad()
def test_tf_idf_in_the_graph_is_the_dense_product(rows: list[int]) -> None:
    torch.manual_seed(1)
    idf = statistics().idf
    layer = TfIdf(idf, 4)
    counts = np.bincount(rows, minlength=VOCABULARY).astype(np.float64)
    dense = counts * idf.numpy()
    dense[0] = 0
    norm = np.linalg.norm(dense)
    expected = (dense / norm if norm else dense) @ layer.embedding.weight.numpy()
    assert np.allclose(layer(torch.tensor([rows]))[0].numpy(), expected, atol=1e-5)


def listings(count: int, *, seed: int = 0) -> tuple[torch.Tensor, ...]:
    generator = np.random.default_rng(seed)
    rows = np.zeros((count, 32), np.int64)
    for row in rows:
        words = generator.integers(1, 33)
        row[:words] = generator.integers(2, VOCABULARY, words)
    has_image = (generator.random((count, 1)) < 0.7).astype(np.float32)
    image = generator.normal(size=(count, IMAGE_WIDTH)).astype(np.float32) * has_image
    aux = generator.normal(size=(count, len(AUX_NAMES))).astype(np.float32)
    return tuple(torch.from_numpy(part) for part in (rows, image, has_image, aux))


@pytest.mark.parametrize("fusion", FUSIONS)
@torch.no_grad()
def test_a_missing_picture_is_masked_whatever_stands_in_its_place(fusion: str) -> None:
    network = listing_network(fusion=fusion)
    rows, image, has_image, aux = listings(6)
    none = torch.zeros_like(has_image)
    score, gate = network(rows, image, none, aux)
    other, _ = network(rows, image + 9, none, aux)
    assert torch.equal(score, other)
    assert torch.allclose(gate, torch.tensor([[1.0, 0.0]]).expand(6, 2))
    assert not torch.equal(
        score[has_image[:, 0] == 1], network(rows, image, has_image, aux)[0][has_image[:, 0] == 1]
    )


@pytest.mark.parametrize("fusion", FUSIONS)
@torch.no_grad()
def test_gates_sum_to_one_and_a_missing_text_gives_all_to_the_picture(fusion: str) -> None:
    network = listing_network(fusion=fusion)
    rows, image, has_image, aux = listings(6)
    here = torch.ones_like(has_image)
    _, gate = network(rows, image + 1, here, aux)
    assert torch.allclose(gate.sum(dim=1), torch.ones(6), atol=1e-5)
    assert (gate >= 0).all()
    _, blank = network(torch.zeros_like(rows), image + 1, here, aux)
    assert torch.allclose(blank, torch.tensor([[0.0, 1.0]]).expand(6, 2))
    score, nothing = network(torch.zeros_like(rows), image, torch.zeros_like(has_image), aux)
    assert torch.isfinite(score).all()
    assert (nothing == 0).all()


@pytest.mark.parametrize("batch_norm", [False, True])
@pytest.mark.parametrize("maxout", [False, True])
@torch.no_grad()
def test_listing_score_does_not_depend_on_padding_or_batch(*, batch_norm: bool, maxout: bool) -> None:
    network = listing_network(batch_norm=batch_norm, maxout=maxout)
    rows, *others = listings(5)
    together, _ = network(rows, *others)
    longer, _ = network(padded(rows, 128), *others)
    alone = torch.cat([network(rows[i : i + 1], *(part[i : i + 1] for part in others))[0] for i in range(5)])
    assert torch.allclose(together, longer, atol=1e-5)
    assert torch.allclose(together, alone, atol=1e-5)


def test_training_takes_modalities_away_but_never_both() -> None:
    network = listing_network(image_dropout=0.5, text_dropout=0.5, dropout=0.0).train()
    rows, image, has_image, aux = listings(400)
    _, gate = network(rows, image, torch.ones_like(has_image), aux)
    text_only = int((gate[:, 0] == 1).sum())
    image_only = int((gate[:, 1] == 1).sum())
    assert 130 < text_only < 270
    assert 130 < image_only < 270
    assert (gate.sum(dim=1) > 0.99).all()


def test_unknown_fusion_is_refused() -> None:
    with pytest.raises(ValueError, match="product"):
        listing_network(fusion="product")


def test_a_column_that_never_varied_is_switched_off_and_outliers_are_cut() -> None:
    layer = Standardise(torch.tensor([1.0, 0.0]), torch.tensor([0.0, 2.0]))
    assert layer(torch.tensor([[99.0, 4.0], [1.0, 1e6]])).tolist() == [[0.0, 2.0], [0.0, 5.0]]
