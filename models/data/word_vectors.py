"""Word vectors in word2vec's formats, text or binary, as the start of a model's embedding."""

from __future__ import annotations

import gzip
import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from models.data.vocabulary import FIRST_WORD, Vocabulary
from models.networks.sentences import PAD, UNKNOWN
from streams.features.tokens import token_hash

#: Kim's published half-width for words without a vector, where nothing was found to measure a better one from.
KIM_RANGE = 0.25
_GZIP = b"\x1f\x8b"
#: No word of any published file is longer; a binary file that is cut or is something else is noticed soon.
_LONGEST_WORD_BYTES = 4_096
_LONGEST_HEADER_BYTES = 64


class WordVectorError(ValueError):
    """A file that is not of word2vec's format, or does not fit the model; says where and what to do."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of a vocabulary has a vector. `random_range` is the half-width of the others' uniform start."""

    found: int
    words: int
    in_file: int
    random_range: float

    def __str__(self) -> str:
        share = self.found / self.words if self.words else 0.0
        return (
            f"{self.found:,} of {self.words:,} words ({share:.1%}) start from the file's {self.in_file:,} vectors, "
            f"the others at random within ±{self.random_range:.3g}"
        )


@torch.no_grad()
def start_from_word_vectors(embedding: Tensor, vocabulary: Vocabulary, path: Path) -> Coverage:
    """Fill `embedding` float32 [vocabulary.size, width] in place from a file; padding stays 0.

    The file's words are normalised and hashed as tokens are; of several that become the same token the first counts,
    which is the most frequent one in files that are sorted as word2vec sorts them. Words without a vector, and the
    unknown word, are drawn by torch's generator from the uniform range that has the found vectors' variance (Kim 2014,
    §4.3; a uniform ±a has variance a²/3; ±0.25 for the vectors he used).

    Raises `WordVectorError` for a file that cannot be read or is of another width.
    """
    if embedding.shape[0] != vocabulary.size:
        raise ValueError(f"the embedding has {embedding.shape[0]} rows, the vocabulary {vocabulary.size}")
    row_of = {int(token): row for row, token in enumerate(vocabulary.hashes.tolist(), start=FIRST_WORD)}
    found: dict[int, npt.NDArray[np.float32]] = {}
    in_file = 0
    for word, vector in read_word_vectors(path):
        if not in_file and len(vector) != embedding.shape[1]:
            raise WordVectorError(
                f"{path}: vectors of {len(vector)} numbers do not fit embedding_width {embedding.shape[1]}; "
                f"set embedding_width: {len(vector)}"
            )
        in_file += 1
        row = row_of.get(token_hash(word))
        if row is not None:
            found.setdefault(row, vector)
    if not in_file:
        raise WordVectorError(f"{path}: holds no vector")
    known = np.stack(list(found.values())) if found else None
    half_width = KIM_RANGE if known is None else math.sqrt(3 * float(known.var()))
    embedding.uniform_(-half_width, half_width)
    embedding[PAD] = 0
    if known is not None:
        embedding[list(found)] = torch.from_numpy(known)
    return Coverage(len(found), vocabulary.size - UNKNOWN - 1, in_file, half_width)


def read_word_vectors(path: Path) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    """Words and their vectors float32 [width], in the file's order; text and binary are told apart, gzip is unpacked.

    Text: an optional line "words width", then a word and its numbers a line (a word may hold spaces). Binary: that
    line, then for each word its bytes, a space, and float32 little-endian. Raises `WordVectorError` naming the line or
    the word, and OSError.
    """
    with path.open("rb") as raw:
        packed = raw.read(len(_GZIP)) == _GZIP
        raw.seek(0)
        try:
            with io.BufferedReader(gzip.GzipFile(fileobj=raw) if packed else raw) as file:
                yield from _read(file, path)
        except (EOFError, gzip.BadGzipFile) as error:
            raise WordVectorError(f"{path}: the packed file is cut or damaged: {error}") from error


def _read(file: io.BufferedReader[Any], path: Path) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    first = file.readline()
    header = _header(first)
    if header is None:
        yield from _read_text(file, path, first, None)
    elif _is_text(file.peek(1 << 16), header[1]):
        yield from _read_text(file, path, None, header)
    else:
        yield from _read_binary(file, path, header)


def _header(line: bytes) -> tuple[int, int] | None:
    """Words and width; no vector has a line of one number, so two integers are never a word and its vector."""
    fields = line.split()
    if len(line) > _LONGEST_HEADER_BYTES or len(fields) != 2 or not all(field.isdigit() for field in fields):
        return None
    return int(fields[0]), int(fields[1])


def _is_text(ahead: bytes, width: int) -> bool:
    """Whether the bytes after the header begin with a word and `width` numbers in digits."""
    line, newline, _ = ahead.partition(b"\n")
    fields = line.split()
    # Where the line is longer than what was read ahead, its last number is cut: the ones before decide.
    numbers = fields[-width:] if newline else fields[1:-1]
    if newline and len(fields) <= width:
        return False
    try:
        [float(number) for number in numbers]
    except ValueError:
        return False
    return bool(numbers)


def _read_text(
    file: io.BufferedReader[Any], path: Path, first: bytes | None, header: tuple[int, int] | None
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    width = header[1] if header else None
    lines = file if first is None else chain([first], file)
    number, count = (1, 0) if header else (0, 0)
    for line in lines:
        number += 1
        if not line.strip():
            continue
        fields = line.rstrip().split(b" ")
        width = len(fields) - 1 if width is None else width
        if not 1 <= width < len(fields):
            raise WordVectorError(f"{path}:{number}: not a word and {width} numbers: {line[:60]!r}")
        try:
            vector = np.array([float(field) for field in fields[-width:]], np.float32)
        except ValueError as error:
            raise WordVectorError(f"{path}:{number}: not a word and {width} numbers: {error}") from error
        word = b" ".join(fields[:-width]).decode("utf-8", "replace")
        yield word, _finite(vector, f"{path}:{number}", word)
        count += 1
    _complete(path, count, header)


def _read_binary(
    file: io.BufferedReader[Any], path: Path, header: tuple[int, int]
) -> Iterator[tuple[str, npt.NDArray[np.float32]]]:
    words, width = header
    for count in range(words):
        word = _word(file, path, count)
        if word is None:
            _complete(path, count, header)
            return
        packed = file.read(4 * width)
        if len(packed) < 4 * width:
            raise WordVectorError(
                f"{path}: ends within the vector of {word!r}, word {count + 1:,} of {words:,}"
            )
        vector = np.frombuffer(packed, "<f4").astype(np.float32)
        yield word, _finite(vector, f"{path}: word {count + 1:,}", word)


def _word(file: io.BufferedReader[Any], path: Path, count: int) -> str | None:
    """The bytes up to the next space; None at the end. Some writers end each vector with a newline."""
    letters = bytearray()
    while (letter := file.read(1)) != b" ":
        if not letter:
            if letters.strip():
                raise WordVectorError(f"{path}: ends within word {count + 1:,}")
            return None
        letters += letter
        if len(letters) > _LONGEST_WORD_BYTES:
            raise WordVectorError(f"{path}: word {count + 1:,} has no end: not a word2vec file, or damaged")
    return letters.lstrip(b"\n").decode("utf-8", "replace")


def _finite(vector: npt.NDArray[np.float32], place: str, word: str) -> npt.NDArray[np.float32]:
    if not np.isfinite(vector).all():
        raise WordVectorError(f"{place}: the vector of {word!r} holds a number that is not finite")
    return vector


def _complete(path: Path, count: int, header: tuple[int, int] | None) -> None:
    if header is not None and count != header[0]:
        raise WordVectorError(
            f"{path}: {count:,} vectors where the first line promises {header[0]:,}: the file was cut, or edited"
        )
