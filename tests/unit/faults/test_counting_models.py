"""The counting models give, in ONNX Runtime, the sums that the checker works out by hand."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from streams.events import ImageSource, Listing
from streams.features.auxiliary import auxiliary_values
from streams.features.tensors import IMAGE_WIDTH, WINDOW, WRITER_CODES, status_code
from tests.faults.arithmetic import LISTING_MODEL, MESSAGE_MODEL, listing_score, message_score, scale
from tests.faults.checker.facts import STATUSES, WRITERS
from tests.faults.counting_models import put_repository, write_bad_push, write_push

onnxruntime = pytest.importorskip("onnxruntime")


def _session(directory: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(str(directory / "model.onnx"), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("version", [1, 2, 37])
def test_a_message_counts_writers_and_status(tmp_path: Path, version: int) -> None:
    session = _session(write_push(tmp_path / "push", MESSAGE_MODEL, version))
    writers = np.array([[0, 0, 1, 2, 1], [2, 2, 2, 2, 2]], np.int64)
    tokens = np.full((2, WINDOW, 16), (1 << 63) - 1, np.int64)
    (scores,) = session.run(
        None, {"tokens": tokens, "writer": writers, "status": np.array([[0], [6]], np.int64)}
    )
    assert scores[:, 0] == pytest.approx(
        [message_score(version, (1, 2, 1), 0), message_score(version, (2,) * 5, 6)], abs=1e-6
    )


@pytest.mark.parametrize("picture", [True, False])
def test_a_listing_counts_letters_and_picture(tmp_path: Path, picture: bool) -> None:
    session = _session(write_push(tmp_path / "push", LISTING_MODEL, 3))
    listing = Listing(
        listing_id="l", seller_id="s", title="鞄" * 12, images=(ImageSource(data="x"),) * picture
    )
    score, gate = session.run(
        None,
        {
            "tokens": np.full((1, 32), (1 << 63) - 1, np.int64),
            "image": np.full((1, IMAGE_WIDTH), 255.0, np.float32),
            "has_image": np.array([[float(picture)]], np.float32),
            "aux": auxiliary_values(listing)[np.newaxis],
        },
    )
    right = listing_score(3, title_letters=12, has_picture=picture)
    assert right == pytest.approx(0.98 * (0.3 * picture + 0.15 * math.log(13)))
    assert score[0, 0] == pytest.approx(right, abs=1e-6)
    assert gate[0] == pytest.approx([1.0 - picture, float(picture)])


def test_scores_stay_between_nought_and_one_in_every_version() -> None:
    assert all(0.5 <= scale(version) <= 1.0 for version in range(1, 200))
    assert message_score(1, (2,) * 5, 6) == pytest.approx(1.0)


def test_the_checker_numbers_writers_and_statuses_as_the_engine_does() -> None:
    assert WRITERS == WRITER_CODES
    assert [status_code(status) for status in STATUSES] == list(range(1, len(STATUSES) + 1))


def test_bad_pushes_differ_from_good_ones_in_the_file_that_serves(tmp_path: Path) -> None:
    good = write_push(tmp_path / "good", MESSAGE_MODEL, 2)
    for choice in range(3):
        bad = write_bad_push(tmp_path / str(choice), MESSAGE_MODEL, 2, choice=choice)
        assert (bad / "golden.json").read_text() == (good / "golden.json").read_text()
        assert (bad / "model.onnx").read_bytes() != (good / "model.onnx").read_bytes()


def test_the_repository_has_version_one_of_all_that_is_needed(tmp_path: Path) -> None:
    put_repository(tmp_path)
    there = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.glob("*/1/model.onnx"))
    assert there == [f"{m}/1/model.onnx" for m in ("image_encoder", LISTING_MODEL, MESSAGE_MODEL)]
