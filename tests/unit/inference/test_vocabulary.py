from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streams.inference.vocabulary import NotAModelError, vocabulary_of

REPOSITORY = Path(__file__).parents[3] / "triton_repo"


@given(st.sets(st.integers(1, 2**63 - 1)))
def test_the_words_are_those_that_the_graph_was_given(hashes: set[int]) -> None:
    helper = pytest.importorskip("onnx.helper")
    onnx = pytest.importorskip("onnx")
    keys = [0, *hashes]
    encoder = helper.make_node(
        "LabelEncoder", ["tokens"], ["rows"], domain="ai.onnx.ml",
        keys_int64s=keys, values_int64s=list(range(len(keys))), default_int64=1,
    )  # fmt: skip
    noise = helper.make_node("Identity", ["rows"], ["score"])
    info = [helper.make_tensor_value_info(n, onnx.TensorProto.INT64, ["N"]) for n in ("tokens", "score")]
    model = helper.make_model(helper.make_graph([noise, encoder], "g", info[:1], info[1:]))
    found = vocabulary_of(model.SerializeToString())
    assert found is not None
    assert found.tolist() == sorted(hashes)


@pytest.mark.parametrize(
    "name", sorted(p.name for p in REPOSITORY.glob("*_*") if (p / "1" / "model.onnx").is_file())
)
def test_the_shipped_models_know_words_and_the_image_encoder_none(name: str) -> None:
    found = vocabulary_of((REPOSITORY / name / "1" / "model.onnx").read_bytes())
    if name.startswith(("message_", "listing_")):
        assert found is not None
        assert len(found) > 100
        assert found.dtype == np.int64
        assert found[0] > 0
        assert (np.diff(found) > 0).all()
    else:
        assert found is None


@pytest.mark.parametrize("content", [b"\x3a\x05ab", b"\xff" * 12, b"\x3b", b"\x08"])
def test_other_bytes_are_refused(content: bytes) -> None:
    with pytest.raises(NotAModelError):
        vocabulary_of(content)


def test_a_model_without_words() -> None:
    assert vocabulary_of(b"") is None


def field(number: int, content: bytes) -> bytes:
    assert len(content) < 128
    return bytes([number << 3 | 2, len(content)]) + content


def test_packed_numbers_and_fields_of_fixed_width_are_read_over() -> None:
    """Other writers of ONNX pack repeated numbers, and a model has floats beside what is looked for."""
    keys = (
        field(1, b"keys_int64s") + field(8, b"\x00\x05\x96\x01\x03") + bytes([7 << 3 | 5, 0, 0, 0x80, 0x3F])
    )
    node = bytes([9 << 3 | 1]) + bytes(8) + field(4, b"LabelEncoder") + field(5, keys)
    found = vocabulary_of(field(7, field(1, node)))
    assert found is not None
    assert found.tolist() == [3, 5, 150]


@pytest.mark.parametrize("last", [b"\x02", b"\x7f", b"\x80\x00"])
@pytest.mark.parametrize("packed", [True, False])
def test_a_number_beyond_64_bits_is_no_hash(last: bytes, packed: bool) -> None:
    """The tenth byte of a number has room for one bit."""
    number = b"\xff" * 9 + last
    keys = field(1, b"keys_int64s") + (field(8, number) if packed else b"\x40" + number)
    model = field(7, field(1, field(4, b"LabelEncoder") + field(5, keys)))
    with pytest.raises(NotAModelError, match="64 bits"):
        vocabulary_of(model)


def test_the_largest_number_is_read() -> None:
    """Negative numbers are written as if they had no sign."""
    keys = field(1, b"keys_int64s") + field(8, b"\xff" * 9 + b"\x01")
    found = vocabulary_of(field(7, field(1, field(4, b"LabelEncoder") + field(5, keys))))
    assert found is not None
    assert found.tolist() == [-1]
