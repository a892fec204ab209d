"""Pictures of a burst in turn: the time limit of one is not spent waiting for the others to be decoded."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from pathlib import Path

from streams.events import ImageSource
from streams.features.images import DECODERS, MAX_TRIED, ImageLoader, LoadedImage

#: Pictures that came with their record, decoded or next to be: one waits behind each decoder.
AT_HAND = 2 * DECODERS
#: Pictures fetched at the same time. At 100 ms each that is 160 a second, more than two decoders keep up with (10 ms
#: for a photo of 0.4 MB), and at most eight wait for each decoder, a tenth of a second.
FETCHED = 16


class PicturesInTurn(ImageLoader):
    """An `ImageLoader` that begins as many pictures as it can finish; a backlog of listings asks for 2,000 at once."""

    def __init__(self, *, hosts: Collection[str], paths: Path | None, timeout_s: float) -> None:
        """As `ImageLoader`."""
        super().__init__(hosts=hosts, paths=paths, timeout_s=timeout_s)
        self._at_hand = asyncio.Semaphore(AT_HAND)
        self._fetched = asyncio.Semaphore(FETCHED)

    async def load(self, images: Sequence[ImageSource]) -> tuple[LoadedImage | None, tuple[str, ...]]:
        """As `ImageLoader.load`, after those that were asked for before."""
        remote = any(source.url is not None for source in images[:MAX_TRIED])
        async with self._fetched if remote else self._at_hand:
            return await super().load(images)
