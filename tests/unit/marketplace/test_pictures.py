"""Pictures: small enough for an event, different by what they show, the same by seed."""

from base64 import b64decode
from random import Random
from typing import get_args

import numpy as np
import pytest

from marketplace.phrases.listings import Shape
from marketplace.pictures import LARGEST_JPEG, MARKS, SIDE, PicturePool, jpeg
from streams.features.image_decode import decode_image


@pytest.mark.parametrize("shape", get_args(Shape))
def test_every_shape_with_every_mark_is_a_small_jpeg_that_the_engine_decodes(shape: Shape) -> None:
    for mark in MARKS:
        data = jpeg(shape, mark, Random(1))
        assert len(data) <= LARGEST_JPEG
        assert decode_image(data).std() > 5


def test_marks_change_the_picture() -> None:
    plain = decode_image(jpeg("bag", "none", Random(4))).astype(int)
    for mark in ("copy_text", "logo_pattern", "screen", "genuine"):
        assert np.abs(decode_image(jpeg("bag", mark, Random(4))).astype(int) - plain).max() > 60, mark


def test_a_pool_gives_the_same_pictures_whatever_was_asked_before() -> None:
    first, second = PicturePool(7), PicturePool(7)
    second.base64("shoe", "screen", Random(1))
    assert first.base64("bag", "none", Random(2)) == second.base64("bag", "none", Random(2))
    assert PicturePool(8).base64("bag", "none", Random(2)) != first.base64("bag", "none", Random(2))


def test_a_pool_draws_each_kind_only_so_often() -> None:
    pool = PicturePool(7, per_kind=3)
    rng = Random(1)
    assert len({pool.base64("bag", "none", rng) for _ in range(50)}) == 3
    assert len(b64decode(pool.base64("bag", "none", rng))) > 500
    assert SIDE == 192
