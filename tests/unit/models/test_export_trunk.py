"""A model's file comes apart at its trunk and goes together with others, and no score changes by a bit."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
import torch

from models.data.vocabulary import Vocabulary
from models.export.graph import message_onnx, run, session
from models.export.trunk import (
    VECTOR,
    assembled,
    digest,
    has_trunk,
    head_of,
    head_onnx,
    joined,
    trunk_of,
    trunk_onnx,
    width_of,
)
from models.networks.conversation import ConversationShape
from models.networks.trunk import HeadShape, MessageHead, MessageTrunk
from tests.unit.models.test_export import BATCHES, WORDS, hashes
from tests.unit.models.test_networks import conversation_network, windows

pytestmark = pytest.mark.train

SHAPE = ConversationShape(embedding_width=12, filters=8, hidden=10)


def trunk_network(seed: int = 1, words: Vocabulary = WORDS) -> MessageTrunk:
    torch.manual_seed(seed)
    return MessageTrunk(words.size, SHAPE).eval()


def head(width: int, seed: int) -> MessageHead:
    torch.manual_seed(seed)
    made = MessageHead(width, HeadShape(hidden=6)).eval()
    made.standardise(torch.randn(50, width) * 3 + 1)
    return made


def inputs(count: int, length: int) -> dict[str, np.ndarray]:
    rows, writer, status = windows(count, count, length)
    return {"tokens": hashes(rows), "writer": writer.numpy(), "status": status.numpy()}


@pytest.fixture(scope="module")
def network() -> MessageTrunk:
    return trunk_network()


@pytest.fixture(scope="module")
def trunk(network: MessageTrunk) -> onnx.ModelProto:
    return trunk_onnx(network, WORDS)


@pytest.fixture(scope="module")
def fleet(network: MessageTrunk, trunk: onnx.ModelProto) -> dict[str, onnx.ModelProto]:
    return {
        f"message_d{number}/{number}": joined(trunk, head_onnx(head(network.width, number)))
        for number in range(1, 5)
    }


@pytest.mark.parametrize("length", [16, 64])
@torch.no_grad()
def test_a_complete_model_is_the_trunk_and_the_head(
    network: MessageTrunk, trunk: onnx.ModelProto, length: int
) -> None:
    decide = head(network.width, 7)
    alone, whole = session(trunk), session(joined(trunk, head_onnx(decide)))
    for count in BATCHES:
        rows, writer, status = windows(count, count, length)
        vector = network(rows, writer, status)
        asked = inputs(count, length)
        assert np.abs(run(alone, asked)[VECTOR] - vector.numpy()).max() < 1e-5
        score = run(whole, asked)["score"]
        assert score.shape == (count, 1)
        assert np.abs(score - torch.sigmoid(decide(vector)).numpy()).max() < 1e-5


def test_the_trunk_is_the_same_bytes_from_every_file_that_holds_it(
    network: MessageTrunk, trunk: onnx.ModelProto, fleet: dict[str, onnx.ModelProto]
) -> None:
    assert width_of(trunk) == network.width
    assert {digest(trunk_of(model)) for model in fleet.values()} == {digest(trunk)}
    # What has been on disk too, and what was put together again from its parts.
    some = fleet["message_d2/2"]
    read = onnx.load_from_string(some.SerializeToString())
    assert digest(trunk_of(read)) == digest(trunk)
    again = joined(trunk_of(read), head_of(read))
    assert again.SerializeToString(deterministic=True) == some.SerializeToString(deterministic=True)


def test_other_weights_or_words_are_another_trunk(trunk: onnx.ModelProto) -> None:
    changed = trunk_network()
    with torch.no_grad():
        changed.status.weight[3, 2] += 1e-6
    others = [trunk_onnx(changed, WORDS), trunk_onnx(trunk_network(), Vocabulary(WORDS.hashes + 1))]
    assert len({digest(trunk), *map(digest, others)}) == 3


@pytest.mark.parametrize("length", [16, 32, 64])
def test_an_assembly_gives_every_heads_score_bit_for_bit(
    fleet: dict[str, onnx.ModelProto], length: int
) -> None:
    together = session(assembled(fleet))
    for count in BATCHES:
        asked = inputs(count, length)
        scores = run(together, asked)
        assert list(scores) == list(fleet)
        for name, model in fleet.items():
            np.testing.assert_array_equal(scores[name], run(session(model), asked)["score"])


def test_another_head_changes_no_other_heads_score(
    network: MessageTrunk, trunk: onnx.ModelProto, fleet: dict[str, onnx.ModelProto]
) -> None:
    asked = inputs(64, 32)
    before = run(session(assembled(fleet)), asked)
    replaced = {name: model for name, model in fleet.items() if name != "message_d2/2"}
    replaced["message_d2/9"] = joined(trunk, head_onnx(head(network.width, 99)))
    after = run(session(assembled(replaced)), asked)
    for name in ("message_d1/1", "message_d3/3", "message_d4/4"):
        np.testing.assert_array_equal(after[name], before[name])
    assert (after["message_d2/9"] != before["message_d2/2"]).any()


def test_one_output_can_be_asked_for_alone(fleet: dict[str, onnx.ModelProto]) -> None:
    together, asked = session(assembled(fleet)), inputs(7, 16)
    (alone,) = together.run(["message_d3/3"], asked)
    np.testing.assert_array_equal(alone, run(together, asked)["message_d3/3"])


def test_what_cannot_be_shared_is_refused_by_name(fleet: dict[str, onnx.ModelProto]) -> None:
    own = message_onnx(conversation_network(), WORDS)
    assert not has_trunk(own)
    assert all(map(has_trunk, fleet.values()))
    with pytest.raises(
        ValueError, match=r"message_own/1: it has no tensor 'trunk_vector': it was not trained"
    ):
        assembled({**fleet, "message_own/1": own})
    stranger = trunk_network(seed=2)
    other = joined(trunk_onnx(stranger, WORDS), head_onnx(head(stranger.width, 1)))
    with pytest.raises(ValueError, match="message_other/1 and message_d1/1 hold different trunks"):
        assembled({**fleet, "message_other/1": other})
    with pytest.raises(ValueError, match="at least one head"):
        assembled({})


def test_parts_of_different_operator_sets_are_refused(network: MessageTrunk, trunk: onnx.ModelProto) -> None:
    newer = head_onnx(head(network.width, 1))
    newer.opset_import[0].version = 18
    with pytest.raises(ValueError, match=r'operator set "" is 18 in one part and 17 in another'):
        joined(trunk, newer)
