"""A burst of listings lost its pictures: the time limit of each ran while it waited for the others to be decoded."""

from __future__ import annotations

import asyncio
import base64
import io
import time

import pytest
from PIL import Image

from streams.agents.pictures import PicturesInTurn
from streams.events import ImageSource
from streams.features import images as image_module
from streams.features.images import ImageLoader, LoadedImage

#: Forty pictures of 50 ms on two decoders take a second, twice the time that each is given.
COUNT, DECODE_S, TIMEOUT_S = 40, 0.05, 0.5


@pytest.fixture
def pictures(monkeypatch: pytest.MonkeyPatch) -> list[tuple[ImageSource, ...]]:
    """Small pictures that take as long as large ones, whatever the machine."""
    decoded = image_module._decoded

    def slowly(data: bytes) -> LoadedImage:
        time.sleep(DECODE_S)
        return decoded(data)

    monkeypatch.setattr(image_module, "_decoded", slowly)
    found = []
    for number in range(COUNT):
        written = io.BytesIO()
        Image.new("RGB", (32, 32), (number, 90, 60)).save(written, "PNG")
        found.append((ImageSource(data=base64.b64encode(written.getvalue()).decode()),))
    return found


async def _lost(loader: ImageLoader, pictures: list[tuple[ImageSource, ...]]) -> int:
    await loader.start()
    try:
        loaded = await asyncio.gather(*(loader.load(images) for images in pictures))
    finally:
        await loader.close()
    assert all(image is not None or notes == ("image_timeout",) for image, notes in loaded)
    return sum(1 for image, _ in loaded if image is None)


async def test_no_picture_is_lost_to_the_others(pictures: list[tuple[ImageSource, ...]]) -> None:
    assert await _lost(PicturesInTurn(hosts=(), paths=None, timeout_s=TIMEOUT_S), pictures) == 0


async def test_all_at_once_they_still_are(pictures: list[tuple[ImageSource, ...]]) -> None:
    """When this fails, the loader itself gives each picture its full time: `PicturesInTurn` can go."""
    assert await _lost(ImageLoader(hosts=(), paths=None, timeout_s=TIMEOUT_S), pictures) > 0
