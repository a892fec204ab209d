"""The one written form that patterns and tokens are looked for in, and the way back from it to the original text.

Full-width letters, half-width kana, styled letters and invisible characters are spellings of the same word, so a
model must see them alike. Fast path: whole-string C functions and no offset map. The map is built only for a text
in which something has to be pointed at. The form is frozen: trained vocabularies depend on it, so a change here is a
change of `tokens.TOKENIZER`.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_SURROGATE = re.compile("[\ud800-\udfff]")
#: Private-use characters that `tokens` hands to the tagger in place of a placeholder; never taken from a text.
STAND_INS = "\ue000-\ue00f"
_UNUSABLE = re.compile(f"[\ud800-\udfff{STAND_INS}]")
#: Control characters other than tab, newline and carriage return; what Unicode calls default-ignorable (zero-width,
#: soft hyphen, bidi, variation selectors, Hangul fillers, tags), which break words up unseen; and the enclosing
#: keycap, so that the digits of 0️⃣9️⃣0️⃣ are digits.
_INVISIBLE_CLASS = (
    "\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u20e3\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff"
)
_INVISIBLE = re.compile(f"[{_INVISIBLE_CLASS}]")
#: Spacing voiced-sound marks: か゛ composes to が only with the combining ones.
_VOICED_MARKS = {0x309B: 0x3099, 0x309C: 0x309A}
_HAS_VOICED_MARK = re.compile("[\u309b\u309c]")
#: One character to one character: hyphens and dashes (not the long vowel ー), tildes, line separators, and the
#: squared and negative letters 🅛 🅻 that NFKC leaves as they are.
_ONE_TO_ONE = {
    **dict.fromkeys(map(ord, "‐‑‒–—―−⁃➖"), "-"),
    **dict.fromkeys(map(ord, "〜∼〰"), "~"),
    **dict.fromkeys((0x2028, 0x2029), "\n"),
    **{first + i: chr(ord("a") + i) for first in (0x1F150, 0x1F170) for i in range(26)},
}
_HAS_ONE_TO_ONE = re.compile(
    "[\u2010-\u2015\u2028\u2029\u2043\u2212\u223c\u2796\u301c\u3030\U0001f150-\U0001f189]"
)


def normalise(text: str) -> str:
    """The normal form: NFKC and case-folded, nothing invisible in it, hyphens and tildes alike.

    Lone surrogates become U+FFFD. Whitespace is kept (a number does not go on over a newline).
    """
    if text.isascii():
        return _INVISIBLE.sub("", text).lower()
    text = _visible(text)
    if _HAS_VOICED_MARK.search(text):
        text = text.translate(_VOICED_MARKS)
    return _finish(unicodedata.normalize("NFKC", text))


def encodable(text: str) -> str:
    """The text with U+FFFD for every lone surrogate, which UTF-8 cannot hold; no character changes its place."""
    return _SURROGATE.sub("\ufffd", text) if not text.isascii() and _SURROGATE.search(text) else text


@dataclass(frozen=True, slots=True)
class Aligned:
    """A normal form whose character i was written as `original[starts[i]:ends[i]]`."""

    text: str
    starts: tuple[int, ...]
    ends: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters start..end (end exclusive, not empty) of the normal form stand in the original."""
        return self.starts[start], max(self.ends[start:end])


def align(text: str) -> Aligned:
    """The normal form with the way back. `align(text).text == normalise(text)`; some 20 times dearer.

    NFKC is taken of the shortest pieces that do not change one another: a character joins the piece before it
    when the two together do not normalise to the two apart (が from か and a mark, a Hangul syllable from letters).
    """
    characters: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    for piece, start, end in _pieces(text):
        for character in _finish(unicodedata.normalize("NFKC", piece)):
            characters.append(character)
            starts.append(start)
            ends.append(end)
    return Aligned("".join(characters), tuple(starts), tuple(ends))


def _visible(text: str) -> str:
    if _UNUSABLE.search(text):
        text = _UNUSABLE.sub("\ufffd", text)
    return _INVISIBLE.sub("", text) if _INVISIBLE.search(text) else text


def _finish(composed: str) -> str:
    folded = composed.casefold()
    if _INVISIBLE.search(folded):  # NFKC makes some: U+FFA0 becomes a Hangul filler
        folded = _INVISIBLE.sub("", folded)
    return folded.translate(_ONE_TO_ONE) if _HAS_ONE_TO_ONE.search(folded) else folded


def _changes(before: str, character: str, alone: str) -> bool:
    """Whether the two together do not normalise to the two apart; `alone` is the character by itself, normalised."""
    return unicodedata.normalize("NFKC", before + character) != unicodedata.normalize("NFKC", before) + alone


def _pieces(text: str) -> list[tuple[str, int, int]]:
    pieces: list[tuple[str, int, int]] = []
    for index, written in enumerate(text):
        character = _visible(written).translate(_VOICED_MARKS)
        if not character:  # goes with what it follows, so that none is left behind when that is masked
            if pieces:
                pieces[-1] = (*pieces[-1][:2], index + 1)
            continue
        if pieces and not character.isascii():
            before, start, _ = pieces[-1]
            # Marks first: a thousand on one letter would be normalised a thousand times over. Of what is written,
            # half-width voiced marks combine only once they are normalised.
            alone = unicodedata.normalize("NFKC", character)
            if unicodedata.combining(alone[0]) or _changes(before, character, alone):
                pieces[-1] = (before + character, start, index + 1)
                continue
        pieces.append((character, index, index + 1))
    return pieces
