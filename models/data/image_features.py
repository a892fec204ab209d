"""Pictures of training listings to features, by the same decoder and the same encoder file that serve."""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx

from models.data.datasets import Example, ExampleError
from models.data.feature_cache import FeatureCache
from models.export.graph import run, session
from streams.features.image_decode import ImageRefused, decode_image


class ImageEmbedder:
    """The first picture of each listing as float32 [1280]; equal pictures are encoded once.

    `root` is where example files' relative paths start. A picture that serving would refuse counts as none, as it
    would there, and is counted in `refused`. `cache` is a directory where features are kept for the next time, by
    the picture's content and the encoder's; trainings may share one, at the same time too.
    """

    def __init__(
        self,
        encoder: onnx.ModelProto,
        *,
        root: Path | None = None,
        cache: Path | None = None,
        threads: int = 1,
    ) -> None:
        serialised = encoder.SerializeToString(deterministic=True)
        self._session = session(encoder, threads=threads)
        self._root = root
        self._cache = None if cache is None else FeatureCache(cache, hashlib.sha256(serialised).hexdigest())
        self._known: dict[bytes, npt.NDArray[np.float32] | None] = {}
        self.refused = 0

    def __call__(self, example: Example) -> npt.NDArray[np.float32] | None:
        """Features of the example's first picture, None without a usable one. Raises `ExampleError` for a lost file."""
        data = self._bytes(example["listing"])
        if data is None:
            return None
        digest = hashlib.sha256(data).digest()
        if digest not in self._known:
            self._known[digest] = self._remembered(digest, data)
        return self._known[digest]

    def _remembered(self, digest: bytes, data: bytes) -> npt.NDArray[np.float32] | None:
        if self._cache is not None and digest in self._cache:
            features = self._cache.get(digest)
        else:
            features = self._embed(data)
            if self._cache is not None:
                self._cache.put(digest, features)
        self.refused += features is None
        return features

    def _embed(self, data: bytes) -> npt.NDArray[np.float32] | None:
        try:
            pixels = decode_image(data)
        except ImageRefused:
            return None
        embedding: npt.NDArray[np.float32] = run(self._session, {"image": pixels[np.newaxis]})["embedding"][0]
        return embedding

    def _bytes(self, listing: Mapping[str, Any]) -> bytes | None:
        for image in listing.get("images") or ():
            if image.get("data"):
                try:
                    return b64decode(str(image["data"]))
                except ValueError:
                    return b""  # refused when it is decoded, and counted, as serving does
        relative = listing.get("image")
        if not relative:
            return None
        if self._root is None:
            raise ExampleError(
                f"the example names the picture {relative!r}, but no directory of pictures was given"
            )
        path = self._root / relative
        if not path.is_file():
            raise ExampleError(f"the example names the picture {path}, which is not a file")
        picture: bytes = path.read_bytes()
        return picture
