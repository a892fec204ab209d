"""Listings with pictures, and the HTTP server on this machine that they are fetched from."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from random import Random
from typing import Any

import orjson
from aiohttp import web
from PIL import Image, ImageFilter

from benchmarks.scaling.case import Case, Event
from benchmarks.scaling.deployment import ROOT
from benchmarks.scaling.workshop import Workshop
from marketplace import Pace, traffic

#: What a phone's photo is scaled down to by marketplaces' apps; some 100 kB as JPEG.
SIZE = (1080, 1080)
#: Photos that are drawn. Each address gives one of them with a comment of its own in the file, so that no two are the
#: same to the worker, which remembers the features of pictures it has seen.
DRAWN = 6
HOST = "localhost"
_SEED = 2026
_QUALITY = 80


class PictureServer:
    """Serves `/<anything>-<number>.jpg` on a free port of 127.0.0.1, from a thread of its own."""

    def __init__(self) -> None:
        self.port = 0
        self._photos = [photo(Random(number)) for number in range(DRAWN)]
        self._loop = asyncio.new_event_loop()
        self._runner: web.AppRunner | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, name="picture-server", daemon=True)

    @property
    def mean_bytes(self) -> float:
        """Size of a picture."""
        return sum(map(len, self._photos)) / len(self._photos)

    def url(self, name: str, number: int) -> str:
        """The address of a picture."""
        return f"http://{HOST}:{self.port}/{name}-{number}.jpg"

    def __enter__(self) -> PictureServer:
        """Begin to serve."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result()
        return self

    def __exit__(self, *_exception: object) -> None:
        """Stop serving."""
        assert self._runner is not None
        asyncio.run_coroutine_threadsafe(self._runner.cleanup(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _serve(self) -> None:
        app = web.Application()
        app.router.add_get("/{name}", self._picture)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = self._runner.addresses[0][1]

    async def _picture(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        number = int(name.rpartition("-")[2].removesuffix(".jpg"))
        return web.Response(
            body=commented(self._photos[number % DRAWN], name.encode()), content_type="image/jpeg"
        )


def photo(random: Random) -> bytes:
    """A JPEG of `SIZE` with the detail of a photo: blurred noise of several scales."""
    picture = Image.new("RGB", SIZE)
    for side in (4, 32, 256):
        noise = Image.frombytes("RGB", (side, side), random.randbytes(side * side * 3))
        layer = noise.resize(SIZE, Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(2))
        picture = Image.blend(picture, layer, 0.4)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def commented(jpeg: bytes, comment: bytes) -> bytes:
    """The JPEG with a comment segment after its first marker: other bytes, the same pixels."""
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return jpeg[:2] + segment + jpeg[2:]


def images(workshop: Workshop, server: PictureServer) -> Iterator[Case]:
    """The same listings with no picture, one, or several. The worker looks at the first that can be used.

    Without pictures there are more of them: two thousand would be over before their processor time can be told.
    """
    listed = _listings(max(workshop.sizes.listings, workshop.sizes.messages))
    for number in workshop.sizes.images:
        events = []
        for at, (identity, value) in enumerate(listed[: workshop.sizes.listings] if number else listed):
            pictures = [{"url": server.url(f"{number}-{turn}", at)} for turn in range(number)]
            events.append(
                Event(
                    identity,
                    identity.encode(),
                    orjson.dumps(value | ({"images": pictures} if number else {})),
                )
            )
        yield Case(
            "images",
            number,
            f"{number} picture{'' if number == 1 else 's'}",
            {"all": events},
            ROOT / "rules",
            ROOT / "triton_repo",
            topic="listings",
            module="benchmarks.scaling.worker_beside_pictures",
            settings={"image_hosts": [f"{HOST}:{server.port}"]},
        )


def _listings(count: int) -> list[tuple[str, dict[str, Any]]]:
    """Generated listings by id, without their own small pictures."""
    events = traffic(
        _SEED, start=datetime(2026, 1, 1, tzinfo=UTC), pace=Pace(events_per_s=100.0, listing_share=0.9)
    )
    listings = (event for event in events if event.topic == "listings")
    return [
        (event.key, {name: value for name, value in event.value.items() if name != "images"})
        for event in islice(listings, count)
    ]
