"""Static int8: the same contract, nearly the same scores, and shipped only where it costs little and helps."""

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from models.export.graph import (
    IR_VERSION,
    OPSET,
    listing_onnx,
    message_onnx,
    round_to_half,
    run,
    session,
    stored_half,
)
from models.export.parity import departures, requests, runtime_answers
from models.export.quantisation import (
    Measured,
    NothingToQuantiseError,
    decide,
    int8_onnx,
    stored_single,
)
from models.export.speed import us_per_row
from models.networks.conversation import ConversationShape
from models.ship import MODELS
from streams.features.auxiliary import AUX_NAMES
from streams.features.tensors import IMAGE_WIDTH
from streams.inference.contracts import LISTING, MESSAGE
from tests.unit.models.test_networks import conversation_network, listing_network
from tests.unit.models.test_parity import WORDS

pytestmark = pytest.mark.train


@pytest.fixture(scope="module")
def message_model() -> onnx.ModelProto:
    # wide enough for its embedding to be stored in half precision
    network = conversation_network(ConversationShape(embedding_width=32, filters=6, hidden=8))
    round_to_half(network)
    return stored_half(message_onnx(network, WORDS))


@pytest.fixture(scope="module")
def listing_model() -> onnx.ModelProto:
    network = listing_network()
    round_to_half(network)
    return stored_half(listing_onnx(network, WORDS, image_width=IMAGE_WIDTH, aux_width=len(AUX_NAMES)))


@pytest.mark.parametrize(("model", "family"), [("message_model", MESSAGE), ("listing_model", LISTING)])
def test_int8_keeps_the_contract_and_nearly_the_scores(model, family, request) -> None:
    single = request.getfixturevalue(model)
    before = single.SerializeToString()
    calibration = [asked.rows for asked in requests(family, WORDS, seed=1)]
    quantised = int8_onnx(single, calibration)
    assert single.SerializeToString() == before
    for place in ("input", "output"):
        assert [(v.name, v.type.tensor_type.elem_type) for v in getattr(quantised.graph, place)] == [
            (v.name, v.type.tensor_type.elem_type) for v in getattr(single.graph, place)
        ]
    weights = {c.name: c.data_type for c in quantised.graph.initializer}
    assert TensorProto.INT8 in weights.values()
    assert quantised.ir_version == IR_VERSION
    assert {(entry.domain, entry.version) for entry in quantised.opset_import} == {
        ("", OPSET),
        ("ai.onnx.ml", 3),
    }
    asked = list(requests(family, WORDS, seed=2))
    answers = [runtime_answers(session(one), asked) for one in (single, quantised)]
    assert departures(asked, *answers, tolerance=0.03) == []
    assert departures(asked, *answers) != [], "int8 answers as fp32 does: nothing was quantised"


def test_the_score_of_an_int8_model_does_not_depend_on_padding_either(message_model) -> None:
    calibration = [asked.rows for asked in requests(MESSAGE, WORDS, seed=1)]
    opened = session(int8_onnx(message_model, calibration))
    for asked in requests(MESSAGE, WORDS, seed=3, batches=(7,)):
        longer = np.pad(asked.rows["tokens"], ((0, 0), (0, 0), (0, 64)))
        scores = [run(opened, {**asked.rows, "tokens": t})["score"] for t in (asked.rows["tokens"], longer)]
        assert np.abs(scores[0] - scores[1]).max() < 1e-5


def test_weights_take_seven_bits_so_that_every_processor_adds_them_exactly(message_model) -> None:
    calibration = [asked.rows for asked in requests(MESSAGE, WORDS, seed=1)]
    quantised = int8_onnx(message_model, calibration)
    weights = [
        onnx.numpy_helper.to_array(c)
        for c in quantised.graph.initializer
        if c.data_type == TensorProto.INT8 and len(c.dims) > 1
    ]
    assert len(weights) >= 3
    assert max(int(np.abs(w.astype(np.int32)).max()) for w in weights) <= 64


def test_without_calibration_rows_there_are_no_ranges(message_model) -> None:
    with pytest.raises(ValueError, match="calibration"):
        int8_onnx(message_model, [])


def test_a_model_without_products_is_refused() -> None:
    node = helper.make_node("Identity", ["a"], ["score"])
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("a", "score")]
    model = helper.make_model(helper.make_graph([node], "copy", values[:1], values[1:]))
    with pytest.raises(NothingToQuantiseError, match="'copy'"):
        int8_onnx(model, [])


def test_half_stored_constants_come_back_as_they_were(message_model) -> None:
    single = stored_single(message_model)
    assert any(c.data_type == TensorProto.FLOAT16 for c in message_model.graph.initializer)
    assert not any(c.data_type == TensorProto.FLOAT16 for c in single.graph.initializer)
    assert sum(node.op_type == "Cast" for node in single.graph.node) < sum(
        node.op_type == "Cast" for node in message_model.graph.node
    )
    asked = list(requests(MESSAGE, WORDS, seed=2))
    answers = [runtime_answers(session(one), asked) for one in (message_model, single)]
    assert departures(asked, *answers, tolerance=0.0) == []


def measured(average_precision: float, us: float = 100.0) -> Measured:
    return Measured(average_precision, 1000, {1: 2 * us, 64: us})


@pytest.mark.parametrize(
    ("fp32", "int8", "ship", "reason"),
    [
        (measured(0.800), measured(0.796, 50), "int8", "0.8000 → 0.7960, 2.00 times as fast at batch 64"),
        (measured(0.800), measured(0.795, 50), "int8", "2.00 times"),
        (measured(0.800), measured(0.7949, 50), "fp32", "drops by more than 0.005"),
        (measured(0.800), measured(float("nan"), 50), "fp32", "drops"),
        (measured(0.800), measured(0.810, 90), "fp32", "only 1.11 times as fast at batch 64 (wanted: 1.2)"),
    ],
)
def test_int8_ships_only_when_precision_holds_and_speed_pays(fp32, int8, ship, reason) -> None:
    decision = decide(fp32, int8)
    assert decision.ship == ship
    assert reason in decision.reason
    described = decision.as_json()
    assert described["shipped"] == ship
    assert described["fp32"]["average_precision"] == fp32.average_precision
    assert described["speed_ratio"]["64"] == pytest.approx(fp32.us_per_row[64] / int8.us_per_row[64])


class Counting:
    """A session that remembers the batches that it was asked for, and a clock that it moves."""

    def __init__(self, us_per_call: float, clock: list[float]) -> None:
        self._seconds = us_per_call / 1e6
        self._clock = clock
        self.batches: list[int] = []

    def get_outputs(self) -> list:
        return []

    def run(self, names: list[str], inputs: dict) -> list:
        self.batches.append(len(inputs["x"]))
        self._clock[0] += self._seconds
        return []


def test_time_a_row_is_a_median_over_sessions_that_take_turns() -> None:
    now = [0.0]
    fast, slow = Counting(100, now), Counting(300, now)
    rows = {"x": np.zeros((10, 3))}
    found = us_per_row([fast, slow], rows, 16, rounds=5, clock=lambda: now[0])
    assert found == pytest.approx([100 / 16, 300 / 16])
    assert set(fast.batches) == {16}
    assert len(fast.batches) == len(slow.batches) == 4 * (5 + 3)


def test_the_page_of_figures_is_what_the_file_of_figures_gives() -> None:
    from benchmarks.models.int8 import section

    root = Path(__file__).parents[3]
    body = json.loads((root / "benchmarks" / "results" / "int8.json").read_text(encoding="utf-8"))
    assert (root / "docs" / "results" / "int8.md").read_text(encoding="utf-8") == section(body)
    assert {row["model"] for row in body["rows"]} == set(MODELS)
    for row in body["rows"]:
        fp32, int8 = (
            Measured(
                row[file]["average_precision"],
                row[file]["file_bytes"],
                {int(batch): us for batch, us in row[file]["us_per_row"].items()},
            )
            for file in ("fp32", "int8")
        )
        assert decide(fp32, int8).ship == row["shipped"]
