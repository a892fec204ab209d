"""Text to tokens: masked, normalised, cut into words by UniDic, and named by stable hashes.

Each model carries its own vocabulary from hash to row inside its graph, so one pass over a text serves every model.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b

import fugashi
import numpy as np
import numpy.typing as npt
import unidic_lite

from streams.features.masking import mask_spans, placeholder
from streams.features.names import person_names
from streams.features.normal_form import encodable, normalise
from streams.features.patterns import KINDS, Span, pattern_spans

#: Dictionary and version of the normal form, masking placeholders and hash; models name it in their metadata and the
#: engine refuses a model that names another. Raise the number whenever a text could get other hashes than before.
TOKENIZER = "unidic-lite-1.0.8/1"
#: Models see this much of a text. A bucket holds 64 or 128 tokens, about 2 characters each, so nothing that a model
#: could use is lost; tokenising the 100,000 characters that a record may hold would stall the worker for 0.1 s.
MAX_CHARACTERS = 2_000
#: What is dropped before a cut: a number or an address that goes on beyond it would no longer be recognised.
_AT_CUT = re.compile(r"[\w.@+\-/()\s]{0,64}\Z", re.ASCII)

#: One character a kind, which the tagger takes for a symbol of its own; `normalise` lets none through from a text.
_STAND_INS = {kind: chr(0xE000 + i) for i, kind in enumerate(KINDS)}
_PLACEHOLDER_OF = {character: placeholder(kind) for kind, character in _STAND_INS.items()}
# The tagger writes "surface pos3/pos4 " itself: 25 µs a message, where walking its nodes for the surfaces alone takes
# 32 µs and reading their features 52-102 µs. Unknown words have no such levels.
_TAGGER_OPTIONS = (
    r"-d '{dictionary}' -r '{dictionary}/mecabrc' -O '' -F '%m\s%f[2]/%f[3]\s' -U '%m\s*\s' -E '\n'"
)


@lru_cache(maxsize=1 << 16)
def token_hash(surface: str) -> int:
    """The token's name: BLAKE2b of the normalised surface, 63 bits (fits INT64), never 0, which is padding.

    Two of a million words collide with probability 5e-8, so collisions need no handling.
    """
    digest = blake2b(normalise(surface).encode("utf-8"), digest_size=8).digest()
    return (int.from_bytes(digest, "big") >> 1) or 1


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text as the models see it: `masked` in the original's writing, `tokens` int64."""

    masked: str
    tokens: npt.NDArray[np.int64]


class TextPipeline:
    """Masks and tokenises. One per process (the dictionary is 85 MB, shared by mmap); not for two threads at once."""

    def __init__(self, *, mask: bool = True) -> None:
        """`mask=False` leaves `masked` as written; the tokens are those of the masked text all the same.

        Models are trained on placeholders, so they are scored on placeholders whatever the operator shows people.
        """
        self._mask = mask
        self._tagger = fugashi.GenericTagger(_TAGGER_OPTIONS.format(dictionary=unidic_lite.DICDIR))

    def prepare(self, text: str) -> PreparedText:
        """Mask and tokenise once. Any string is taken; beyond `MAX_CHARACTERS` it is cut (and `masked` ends in …)."""
        original = encodable(_cut(text))
        surfaces, spans = self._surfaces(normalise(original))
        hashes = np.array([token_hash(surface) for surface in surfaces], np.int64)
        masked = mask_spans(original, spans).text if spans and self._mask else original
        if len(original) < len(text):
            masked += "…"
        return PreparedText(masked, hashes)

    def words(self, text: str) -> list[str]:
        """The words whose hashes `prepare` gives, for people."""
        surfaces, _ = self._surfaces(normalise(encodable(_cut(text))))
        return surfaces

    def _surfaces(self, normal: str) -> tuple[list[str], list[Span]]:
        """The words of a text in normal form, placeholders among them, and what these stand for."""
        spans = pattern_spans(normal)
        sentence = _with_stand_ins(normal, spans)
        fields = self._tagger.parse(" ".join(sentence.split())).split()
        surfaces, tags = fields[0::2], fields[1::2]
        names = person_names(surfaces, tags)
        if names:
            spans = sorted([*spans, *_name_spans(sentence, surfaces, names)])
            surfaces = _with_names(surfaces, names)
        if spans:
            surfaces = [_PLACEHOLDER_OF.get(surface, surface) for surface in surfaces]
        return surfaces, spans


def _cut(text: str) -> str:
    if len(text) <= MAX_CHARACTERS:
        return text
    head = text[:MAX_CHARACTERS]
    return head[: _AT_CUT.search(head, MAX_CHARACTERS - 64).start()]  # type: ignore[union-attr]  # matches emptiness


def _with_stand_ins(normal: str, spans: Sequence[Span]) -> str:
    """Every span becomes one symbol between spaces, as long as it was: what follows keeps its place."""
    if not spans:
        return normal
    pieces: list[str] = []
    at = 0
    for span in spans:
        pieces += (normal[at : span.start], _STAND_INS[span.kind].center(span.end - span.start))
        at = span.end
    pieces.append(normal[at:])
    return "".join(pieces)


def _name_spans(sentence: str, surfaces: Sequence[str], names: Sequence[tuple[int, int]]) -> list[Span]:
    """Where the name tokens stand: the tagger drops nothing but whitespace, so its words are found one after another."""
    starts: list[int] = []
    at = 0
    for surface in surfaces[: names[-1][1]]:
        at = sentence.index(surface, at)
        starts.append(at)
        at += len(surface)
    return [Span(starts[first], starts[end - 1] + len(surfaces[end - 1]), "NAME") for first, end in names]


def _with_names(surfaces: Sequence[str], names: Sequence[tuple[int, int]]) -> list[str]:
    merged: list[str] = []
    at = 0
    for first, end in names:
        merged += surfaces[at:first]
        merged.append(_STAND_INS["NAME"])
        at = end
    return [*merged, *surfaces[at:]]
