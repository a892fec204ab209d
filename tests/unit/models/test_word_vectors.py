"""Embeddings that start from word2vec files: both formats read alike, coverage told, what does not fit refused."""

import gzip
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.vocabulary import Vocabulary
from models.data.word_vectors import KIM_RANGE, WordVectorError, read_word_vectors, start_from_word_vectors
from streams.features.tokens import token_hash

pytestmark = pytest.mark.train

WORDS = {"口座": [0.5, -1.0, 2.0], "振込": [1.0, 0.0, -0.25], "line": [-3.0, 0.125, 0.5]}


def vocabulary(*words: str) -> Vocabulary:
    return Vocabulary(np.array(sorted(token_hash(word) for word in words), np.int64))


def row_of(known: Vocabulary, word: str) -> int:
    return int(known.rows(np.array([token_hash(word)]))[0])


def text_file(path: Path, vectors: dict[str, list[float]], *, header: bool = True) -> Path:
    width = len(next(iter(vectors.values())))
    lines = [f"{len(vectors)} {width}"] if header else []
    lines += [f"{word} {' '.join(map(repr, vector))}" for word, vector in vectors.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def binary_file(path: Path, vectors: dict[str, list[float]], *, newline: bytes = b"\n") -> Path:
    width = len(next(iter(vectors.values())))
    content = f"{len(vectors)} {width}\n".encode()
    for word, vector in vectors.items():
        content += word.encode() + b" " + struct.pack(f"<{width}f", *vector) + newline
    path.write_bytes(content)
    return path


def test_text_with_and_without_first_line_binary_with_and_without_newlines_and_gzip_are_read_alike(
    tmp_path: Path,
) -> None:
    packed = tmp_path / "packed"
    packed.write_bytes(gzip.compress(binary_file(tmp_path / "plain", WORDS).read_bytes()))
    files = [
        text_file(tmp_path / "text", WORDS),
        text_file(tmp_path / "headless", WORDS, header=False),
        binary_file(tmp_path / "newlines", WORDS),
        binary_file(tmp_path / "no-newlines", WORDS, newline=b""),
        packed,
    ]
    for path in files:
        assert {word: vector.tolist() for word, vector in read_word_vectors(path)} == WORDS, path.name


vectors_of_width = st.integers(1, 6).flatmap(
    lambda width: st.dictionaries(
        st.text(st.characters(exclude_categories=("Cs", "C", "Z")), min_size=1, max_size=8),
        st.lists(st.floats(-1e6, 1e6, width=32), min_size=width, max_size=width),
        min_size=1,
        max_size=6,
    )
)


@given(vectors_of_width)
@settings(max_examples=60, deadline=None)
def test_whatever_is_written_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, vectors: dict[str, list[float]]
) -> None:
    directory = tmp_path_factory.mktemp("vectors")
    for path in (text_file(directory / "text", vectors), binary_file(directory / "binary", vectors)):
        assert {word: vector.tolist() for word, vector in read_word_vectors(path)} == vectors


def test_known_words_start_from_the_file_and_the_others_from_a_range_of_the_same_variance(
    tmp_path: Path,
) -> None:
    generator = np.random.default_rng(5)
    vectors = {f"word{i}": generator.normal(0, 0.4, 50).astype(np.float32).tolist() for i in range(200)}
    strangers = [f"stranger{i}" for i in range(200)]
    known = vocabulary(*list(vectors)[:150], *strangers)
    embedding = torch.zeros(known.size, 50)
    torch.manual_seed(1)
    coverage = start_from_word_vectors(embedding, known, binary_file(tmp_path / "vectors", vectors))
    assert (coverage.found, coverage.words, coverage.in_file) == (150, 350, 200)
    assert str(coverage).startswith("150 of 350 words (42.9%) start from the file's 200 vectors")
    for word in list(vectors)[:150]:
        assert embedding[row_of(known, word)].tolist() == vectors[word]
    assert (embedding[0] == 0).all()
    others = embedding[[1, *(row_of(known, word) for word in strangers)]]
    assert float(others.var()) == pytest.approx(0.4**2, rel=0.05)
    assert float(others.abs().max()) <= coverage.random_range


def test_without_any_known_word_kims_range_holds(tmp_path: Path) -> None:
    known = vocabulary(*(f"stranger{i}" for i in range(100)))
    embedding = torch.zeros(known.size, 3)
    assert start_from_word_vectors(embedding, known, text_file(tmp_path / "v", WORDS)).found == 0
    assert 0.9 * KIM_RANGE < float(embedding.abs().max()) <= KIM_RANGE


def test_the_same_seed_gives_the_same_start(tmp_path: Path) -> None:
    known = vocabulary("口座", "stranger")
    starts = []
    for _ in range(2):
        torch.manual_seed(7)
        starts.append(torch.zeros(known.size, 3))
        start_from_word_vectors(starts[-1], known, text_file(tmp_path / "v", WORDS))
    assert torch.equal(*starts)


def test_words_are_named_as_tokens_are_and_of_several_the_first_counts(tmp_path: Path) -> None:
    known = vocabulary("line")
    embedding = torch.zeros(known.size, 2)
    path = text_file(tmp_path / "v", {"ＬＩＮＥ": [1.0, 2.0], "Line": [3.0, 4.0], "line": [5.0, 6.0]})
    start_from_word_vectors(embedding, known, path)
    assert embedding[2].tolist() == [1.0, 2.0]


def test_a_width_that_does_not_fit_says_which_would(tmp_path: Path) -> None:
    known = vocabulary("口座")
    with pytest.raises(WordVectorError, match=r"vectors of 3 .*embedding_width 64; set embedding_width: 3$"):
        start_from_word_vectors(torch.zeros(known.size, 64), known, text_file(tmp_path / "v", WORDS))


def test_an_embedding_of_another_vocabulary_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="9 rows, the vocabulary 3"):
        start_from_word_vectors(torch.zeros(9, 3), vocabulary("口座"), text_file(tmp_path / "v", WORDS))


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "holds no vector"),
        (b"\n", "holds no vector"),
        (b"2 2\na 1.0 2.0\n", "1 vectors where the first line promises 2"),
        (b"2 2\na 1.0 2.0\nb 1.0\n", r":3: not a word and 2 numbers"),
        (b"a 1.0 2.0\nb 1.0 x\n", r":2: not a word and 2 numbers"),
        (b"a 1.0 nan\n", r":1: the vector of 'a' holds a number that is not finite"),
        (b"word\n", r":1: not a word and 0 numbers"),
        (b"2 2\na " + struct.pack("<2f", 1, 2) + b"b " + b"\0", "ends within the vector of 'b', word 2 of 2"),
        (b"2 2\na " + struct.pack("<2f", 1, 2), "1 vectors where the first line promises 2"),
        (b"2 2\na " + struct.pack("<2f", 1, 2) + b"b", "ends within word 2"),
        (b"2 2\n" + b"\xff" * 9000, "word 1 has no end"),
        (b"1 2\na " + struct.pack("<2f", 1, float("inf")), "word 1: the vector of 'a' holds a number"),
        (gzip.compress(b"2 2\na 1.0 2.0\nb 1.0 2.0\n", mtime=0)[:-9], "cut or damaged"),
    ],
)
def test_a_file_that_is_damaged_says_where(tmp_path: Path, content: bytes, complaint: str) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(content)
    known = vocabulary("a")
    with pytest.raises(WordVectorError, match=complaint):
        start_from_word_vectors(torch.zeros(known.size, 2), known, path)
