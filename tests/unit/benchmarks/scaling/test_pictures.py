"""Pictures are fetched, decoded and different each time, and only by the worker that the benchmark starts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
import orjson
import pytest

from benchmarks.scaling import pictures
from benchmarks.scaling.case import TRIAL
from benchmarks.scaling.pictures import HOST, PictureServer, commented, images, photo
from benchmarks.scaling.worker_beside_pictures import PicturesOfThisMachine
from benchmarks.scaling.workshop import Workshop
from streams.agents.pictures import PicturesInTurn
from streams.events import ImageSource, decode_listing
from streams.features.image_decode import decode_image


def test_a_comment_changes_the_bytes_and_no_pixel() -> None:
    plain = photo(Random(1))
    assert commented(plain, b"7") not in (plain, commented(plain, b"8"))
    assert np.array_equal(decode_image(commented(plain, b"7")), decode_image(plain))


@pytest.fixture(scope="module")
def server() -> Iterator[PictureServer]:
    with PictureServer() as server:
        yield server


async def test_the_benchmarks_worker_fetches_from_this_machine_and_the_usual_one_does_not(
    server: PictureServer,
) -> None:
    sources = [ImageSource(url=server.url("a", number)) for number in (0, pictures.DRAWN)]
    loader = PicturesOfThisMachine(hosts=[f"{HOST}:{server.port}"], paths=None, timeout_s=30.0)
    usual = PicturesInTurn(hosts=[f"{HOST}:{server.port}"], paths=None, timeout_s=30.0)
    await loader.start()
    await usual.start()
    try:
        (first, notes), (second, _) = [await loader.load([source]) for source in sources]
        refused, why = await usual.load(sources[:1])
    finally:
        await loader.close()
        await usual.close()
    assert first is not None
    assert second is not None
    assert notes == ()
    assert first.digest != second.digest
    assert np.array_equal(first.pixels, second.pixels)
    assert refused is None
    assert why


def test_listings_differ_in_nothing_but_their_pictures(tmp_path: Path, server: PictureServer) -> None:
    cases = list(images(Workshop(tmp_path, TRIAL, cores=2), server))
    assert [case.at for case in cases] == list(TRIAL.images)
    bodies = [[orjson.loads(event.value) for event in case.traffic["all"]] for case in cases]
    addresses = [[each.pop("images", []) for each in body] for body in bodies]
    assert bodies[0][: TRIAL.listings] == bodies[1] == bodies[2]
    assert [{len(each) for each in of_case} for of_case in addresses] == [{0}, {1}, {3}]
    urls = [image["url"] for of_case in addresses for each in of_case for image in each]
    assert len(set(urls)) == len(urls) == 4 * TRIAL.listings
    event = cases[2].traffic["all"][0]
    assert len(decode_listing(event.value, key=event.key, timestamp_us=0, headers=()).event.images) == 3
