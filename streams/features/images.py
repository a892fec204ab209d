"""A listing's picture, from an address, from base64 or from a file, to pixels; what cannot be used leaves a note."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import numpy as np
import numpy.typing as npt

from streams.events import ImageSource
from streams.features.image_addresses import is_public_address
from streams.features.image_decode import MAX_BYTES, SIDE, ImageRefused, decode_image
from streams.features.image_fetch import AllowedHosts, ImageFetcher

__all__ = ["SIDE", "ImageLoader", "ImageRefused", "LoadedImage", "decode_image"]

#: Pictures of one listing that are tried before it is scored without: one hostile listing of fifty dead addresses
#: must not hold a batch for fifty time limits.
MAX_TRIED = 3
#: Pictures decoded at once; 583 MB each at worst (a WebP of `image_decode.MAX_PIXELS`; docs/security.md).
DECODERS = 2


@dataclass(frozen=True, slots=True)
class LoadedImage:
    """`pixels` uint8 [224, 224, 3]; `digest` is the SHA-256 of the bytes as sent, in hexadecimal."""

    pixels: npt.NDArray[np.uint8]
    digest: str


class ImageLoader:
    """Loads pictures for one worker. `start` before the first `load`, `close` at the end."""

    def __init__(
        self,
        *,
        hosts: Collection[str],
        paths: Path | None,
        timeout_s: float,
        allow_address: Callable[[str], bool] = is_public_address,
    ) -> None:
        """`hosts` and `paths` are what pictures may come from; nothing else is read. `allow_address` is for tests.

        Raises ValueError for a host that is not one.
        """
        self._fetcher = ImageFetcher(AllowedHosts(hosts), allow_address=allow_address)
        self._root = paths.resolve() if paths is not None else None
        self._timeout_s = timeout_s
        self._decoders = ThreadPoolExecutor(DECODERS, thread_name_prefix="image-decode")

    async def start(self) -> None:
        """Open the HTTP session."""
        await self._fetcher.start()

    async def close(self) -> None:
        """Close the session; a picture that is being decoded is not waited for."""
        await self._fetcher.close()
        self._decoders.shutdown(wait=False, cancel_futures=True)

    async def load(self, images: Sequence[ImageSource]) -> tuple[LoadedImage | None, tuple[str, ...]]:
        """The first usable picture, and the reason codes of those before it. Never raises because of what was sent.

        At most `MAX_TRIED` are tried; `image_others_untried` says that there were more.
        """
        notes: list[str] = []
        for source in images[:MAX_TRIED]:
            try:
                return await self._load_one(source), tuple(notes)
            except ImageRefused as refusal:
                notes.append(refusal.reason)
        if len(images) > MAX_TRIED:
            notes.append("image_others_untried")
        return None, tuple(notes)

    async def _load_one(self, source: ImageSource) -> LoadedImage:
        try:
            async with asyncio.timeout(self._timeout_s):
                data = await self._bytes(source)
                return await asyncio.get_running_loop().run_in_executor(self._decoders, _decoded, data)
        except TimeoutError as error:
            raise ImageRefused("image_timeout", f"not there after {self._timeout_s} s") from error

    async def _bytes(self, source: ImageSource) -> bytes:
        match source:
            case ImageSource(url=str(url), data=None, path=None):
                return await self._fetcher.fetch(url)
            case ImageSource(url=None, data=str(data), path=None):
                return _from_base64(data)
            case ImageSource(url=None, data=None, path=str(path)):
                return await asyncio.get_running_loop().run_in_executor(self._decoders, self._from_file, path)
            case _:
                raise ImageRefused("image_source_unclear", "an image has exactly one of url, data and path")

    def _from_file(self, path: str) -> bytes:
        if self._root is None:
            raise ImageRefused("image_path_refused", "local paths are off (SEKISHO_IMAGE_PATHS is not set)")
        try:
            # Resolved first, so that neither .. nor a link leads out of the directory.
            file = (self._root / path).resolve()
            if not file.is_relative_to(self._root) or not file.is_file():
                raise ImageRefused("image_path_refused", "no file inside SEKISHO_IMAGE_PATHS")
            with file.open("rb") as opened:
                return opened.read(MAX_BYTES + 1)
        except (
            OSError,
            ValueError,
            RuntimeError,
        ) as error:  # no such file, a NUL in the name, a loop of links
            raise ImageRefused("image_path_refused", f"{type(error).__name__}") from error


def _decoded(data: bytes) -> LoadedImage:
    return LoadedImage(decode_image(data), sha256(data).hexdigest())


def _from_base64(data: str) -> bytes:
    if len(data) > MAX_BYTES * 4 // 3 + 4:
        raise ImageRefused(
            "image_too_large", f"{len(data)} base64 characters; at most {MAX_BYTES} bytes are decoded"
        )
    try:
        return base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ImageRefused("image_broken", f"not base64: {error}") from error
