"""The message network under every choice of its options: exact under padding, batch and neighbours."""

from dataclasses import replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.networks.conversation import ConversationNetwork, ConversationShape
from streams.features.tensors import MESSAGE_BUCKETS
from tests.unit.models.test_networks import VOCABULARY, padded, windows

pytestmark = pytest.mark.train

SMALL = ConversationShape(embedding_width=8, filters=6, hidden=8)
#: The product's promise for a window's score.
EXACT = 1e-5

shapes = st.builds(
    ConversationShape,
    embedding_width=st.integers(1, 24),
    filters=st.integers(1, 12),
    widths=st.lists(st.integers(1, 20), min_size=1, max_size=4, unique=True).map(tuple),
    hidden=st.integers(1, 16),
    turns=st.integers(1, 5),
    writer=st.booleans(),
    status=st.booleans(),
)


def network_of(shape: ConversationShape) -> ConversationNetwork:
    torch.manual_seed(3)
    network = ConversationNetwork(VOCABULARY, shape)
    # As large as training makes them: fresh ones are so small that a leak could hide below the tolerance.
    torch.nn.init.normal_(network.sentences.embedding.weight)
    with torch.no_grad():
        network.sentences.embedding.weight[0] = 0
    torch.nn.init.normal_(network.writer.weight)
    torch.nn.init.normal_(network.status.weight)
    return network.eval()


@given(shapes, st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
@torch.no_grad()
def test_a_window_scores_the_same_in_every_bucket_batch_and_company(
    shape: ConversationShape, seed: int
) -> None:
    network = network_of(shape)
    rows, writer, status = windows(seed, 5)
    alone = torch.sigmoid(network(rows[:1], writer[:1], status[:1]))
    others = windows(seed + 1, 5)
    for bucket in MESSAGE_BUCKETS:
        together = network(padded(rows, bucket), writer, status)
        company = network(
            torch.cat([padded(others[0], bucket), padded(rows[:1], bucket)]),
            *(torch.cat([other, own[:1]]) for other, own in zip(others[1:], (writer, status), strict=True)),
        )
        assert torch.allclose(torch.sigmoid(together[:1]), alone, rtol=0, atol=EXACT)
        assert torch.allclose(torch.sigmoid(company[-1:]), alone, rtol=0, atol=EXACT)


@given(shapes, st.integers(0, 10_000))
@settings(max_examples=40, deadline=None)
@torch.no_grad()
def test_what_a_shape_leaves_out_is_not_read(shape: ConversationShape, seed: int) -> None:
    network = network_of(shape)
    rows, writer, status = windows(seed, 4)
    ignored = rows.clone()
    ignored[:, : 5 - shape.turns] = torch.randint(1, VOCABULARY, ignored[:, : 5 - shape.turns].shape)
    other_writer = writer if shape.writer else (writer + 1) % 3
    other_status = status if shape.status else (status + 1) % 7
    assert torch.equal(network(rows, writer, status), network(ignored, other_writer, other_status))


@torch.no_grad()
@pytest.mark.parametrize("turns", [1, 2, 3, 4, 5])
def test_every_message_that_is_read_changes_the_score(turns: int) -> None:
    network = network_of(replace(SMALL, turns=turns))
    rows = torch.full((1, 5, 16), 7)
    writer, status = torch.ones(1, 5, dtype=torch.int64), torch.zeros(1, 1, dtype=torch.int64)
    base = network(rows, writer, status)
    for turn in range(5):
        changed = rows.clone()
        changed[0, turn] = 9
        assert torch.equal(network(changed, writer, status), base) == (turn < 5 - turns)


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"turns": 0}, "turns is 0"),
        ({"embedding_width": 0}, "embedding_width is 0"),
        ({"filters": 0}, "filters is 0"),
        ({"hidden": 0}, "hidden is 0"),
        ({"widths": ()}, "at least one"),
        ({"widths": (2, 2)}, "each once"),
        ({"widths": (0, 2)}, "1 to 64 words"),
        ({"widths": (65,)}, "1 to 64 words"),
        ({"dropout": 1.0}, "dropout is 1.0"),
        ({"word_dropout": -0.1}, "word_dropout is -0.1"),
    ],
)
def test_a_shape_that_cannot_be_built_says_why(options: dict[str, object], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ConversationShape(**options)
