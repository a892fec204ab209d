"""Picture features on disk, so that no training encodes a picture that an earlier one has seen."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from streams.features.tensors import IMAGE_WIDTH

_DIGEST_BYTES: Final = 32
_RECORD: Final = np.dtype([("digest", f"V{_DIGEST_BYTES}"), ("features", "<f4", (IMAGE_WIDTH,))])
#: Raise it when decoding changes (streams.features.image_decode): the same picture would get other features.
_DECODER: Final = 1


class FeatureCache:
    """SHA-256 of a picture → float32 [1280], or None for one that decoding refuses; one file per encoder.

    The file is a row of equal records that is only ever appended to, under a lock, so that trainings may share it.
    A record that a kill has cut short is dropped by the next one that writes.
    """

    def __init__(self, directory: Path, encoder_digest: str) -> None:
        """`encoder_digest`: hex SHA-256 of the encoder's file; features of another encoder are never mixed in."""
        directory.mkdir(parents=True, exist_ok=True)
        self.path = directory / f"{encoder_digest[:16]}-{_DECODER}.features"
        self._places: dict[bytes, int] = {}
        self._read_to = 0
        self._catch_up()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, digest: bytes) -> bool:
        return digest in self._places

    def get(self, digest: bytes) -> npt.NDArray[np.float32] | None:
        """Features of a picture that is in the cache; None for a refused one. Raises KeyError for one that is not."""
        with self.path.open("rb") as file:
            file.seek(self._places[digest] * _RECORD.itemsize)
            record = np.frombuffer(file.read(_RECORD.itemsize), _RECORD)
        features: npt.NDArray[np.float32] = record["features"][0]
        return None if np.isnan(features[0]) else features

    def put(self, digest: bytes, features: npt.NDArray[np.float32] | None) -> None:
        """Add a picture; one that another process has added meanwhile is left as it is."""
        record = np.zeros(1, _RECORD)
        record["digest"] = np.void(digest)
        record["features"] = np.nan if features is None else features
        with self.path.open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            self._catch_up()
            if digest not in self._places:
                os.truncate(file.fileno(), self._read_to * _RECORD.itemsize)
                file.write(record.tobytes())
                file.flush()
                self._places[digest] = self._read_to
                self._read_to += 1

    def _catch_up(self) -> None:
        """Learn of the records that were appended since the last look."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            file.seek(self._read_to * _RECORD.itemsize)
            while len(record := file.read(_RECORD.itemsize)) == _RECORD.itemsize:
                self._places[record[:_DIGEST_BYTES]] = self._read_to
                self._read_to += 1
