"""Features of pictures outlive the process, are shared between processes, and survive a cut-short write."""

import base64
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from models.data.feature_cache import FeatureCache
from models.data.image_features import ImageEmbedder
from models.networks.image_encoder import ImageEncoder
from models.shipped.release import encoder_model
from streams.features.tensors import IMAGE_WIDTH

pytestmark = pytest.mark.train

KEYS = [bytes([i]) * 32 for i in range(4)]


def features(value: float) -> np.ndarray:
    return np.full(IMAGE_WIDTH, value, np.float32)


def test_what_was_put_is_found_again_by_another_process(tmp_path: Path) -> None:
    first, second = FeatureCache(tmp_path, "ab" * 32), FeatureCache(tmp_path, "ab" * 32)
    first.put(KEYS[0], features(1))
    second.put(KEYS[1], None)
    second.put(KEYS[0], features(9))  # the other had it first
    later = FeatureCache(tmp_path, "ab" * 32)
    assert len(later) == 2
    assert later.get(KEYS[0]).tolist() == features(1).tolist()
    assert later.get(KEYS[1]) is None
    assert KEYS[2] not in later
    with pytest.raises(KeyError):
        later.get(KEYS[2])


def test_encoders_do_not_mix(tmp_path: Path) -> None:
    FeatureCache(tmp_path, "a" * 64).put(KEYS[0], features(1))
    assert KEYS[0] not in FeatureCache(tmp_path, "b" * 64)


@pytest.mark.parametrize("torn", [1, 31, 32, 5151])
def test_a_record_that_was_cut_short_is_dropped_and_written_over(tmp_path: Path, torn: int) -> None:
    cache = FeatureCache(tmp_path, "a" * 64)
    cache.put(KEYS[0], features(1))
    with cache.path.open("ab") as file:
        file.write(b"\x02" * torn)
    again = FeatureCache(tmp_path, "a" * 64)
    assert len(again) == 1
    again.put(KEYS[1], features(2))
    whole = FeatureCache(tmp_path, "a" * 64)
    assert [whole.get(key)[0] for key in KEYS[:2]] == [1, 2]
    assert cache.path.stat().st_size == 2 * (32 + 4 * IMAGE_WIDTH)


def test_an_embedder_with_a_cache_gives_the_same_features_without_encoding_again(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (30, 30), (10, 200, 30)).save(buffer, "PNG")
    good = {"listing": {"images": [{"data": base64.b64encode(buffer.getvalue()).decode()}]}}
    bad = {"listing": {"images": [{"data": base64.b64encode(b"none").decode()}]}}
    encoder = encoder_model(ImageEncoder())
    first = ImageEmbedder(encoder, cache=tmp_path)
    expected = first(good)
    assert first(bad) is None
    (stored,) = tmp_path.iterdir()
    size = stored.stat().st_size
    second = ImageEmbedder(encoder, cache=tmp_path)
    found = second(good)
    assert second(bad) is None
    assert found.tobytes() == expected.tobytes()
    assert second.refused == first.refused == 1
    assert stored.stat().st_size == size
