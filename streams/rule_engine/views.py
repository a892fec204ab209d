"""The forms of a text that words are looked for in, and the way from a place in one back to the original text.

`safe` is the engine's normal form (`streams.features.normal_form`): spellings that any reader takes for the same
word. `fold` goes further and is asked for keyword by keyword, because it also joins different words (バカ is found
in 手ばかり): katakana to hiragana, small kana to big, no long-vowel marks, no accents, look-alikes of Latin letters,
and kanji that stand for the katakana they resemble inside a katakana run.

Fast path: whole-string C functions and no offset map. The map is built only for a text in which a rule fired.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from streams.features.normal_form import Aligned, align, normalise
from streams.rule_engine.rule import View

#: Longest text that is looked through, in characters: ten times the longest message a marketplace accepts, and the
#: bound on the time one hostile event can take.
MAX_CHARS = 10_000

_SMALL_KANA = dict(zip("ぁぃぅぇぉっゃゅょゎゕゖ", "あいうえおつやゆよわかけ", strict=True))
#: Letters of other scripts that are drawn like Latin ones, from Unicode's confusables.txt (UTS #39), those that occur
#: in living alphabets. Texts are case-folded first, so н also stands for Н; where the two cases resemble different
#: letters the capital decides (ν is read as N, not v), because names such as LINE are written in capitals.
_LOOK_ALIKES = dict(
    zip(
        "авекмнорстухіјѕԁԛԝһӏ" + "αβεζηικμνορτυχγω" + "ıɑɡøłđħ",
        "abekmhopctyxijsdqwhl" + "abezhikmnoptyxyw" + "iagoldh",
        strict=True,
    )
)
#: Kanji drawn like katakana.
_KANJI_LOOK_ALIKES = dict(zip("力口夕二工八卜一", "カロタニエハトー", strict=True))
_KANJI_IN_KATAKANA = re.compile(r"(?<=[ァ-ヶー])[力口夕二工八卜一](?=[ァ-ヶー]|\b)")
#: Accents and overlays that can be put on any letter (L̶I̶N̶E). Voiced-sound marks of kana are not among them.
_ACCENTS = ((0x0300, 0x036F), (0x0483, 0x0489), (0x1AB0, 0x1AFF), (0x20D0, 0x20FF))
_LATIN_WITH_ACCENTS = ((0x00C0, 0x024F), (0x1E00, 0x1EFF))
#: More marks than this on one letter are no spelling of anything (the limit of Unicode's stream-safe text, UAX #15).
#: Aligning takes the square of their number, so such a text is not aligned.
_MAX_MARKS = 30


def _fold_table() -> dict[int, str]:
    table: dict[int, str] = {}
    for first, last in _LATIN_WITH_ACCENTS:
        for code in range(first, last + 1):
            bare = "".join(c for c in unicodedata.normalize("NFD", chr(code)) if not unicodedata.combining(c))
            if bare != chr(code):
                table[code] = bare
    for code in range(ord("ァ"), ord("ヶ") + 1):
        hiragana = chr(code - 0x60)
        table[code] = _SMALL_KANA.get(hiragana, hiragana)
    table |= {ord(small): big for small, big in _SMALL_KANA.items()}
    table |= {ord(other): latin for other, latin in _LOOK_ALIKES.items()}
    table |= {0x1F1E6 + i: chr(ord("a") + i) for i in range(26)}  # regional indicators: 🇱🇮🇳🇪
    for first, last in _ACCENTS:
        table |= dict.fromkeys(range(first, last + 1), "")
    return table | {ord("ー"): "", ord("~"): ""}


_FOLD = _fold_table()


def safe(text: str) -> str:
    """The safe view of a text."""
    return normalise(text)


def fold(safe_view: str) -> str:
    """The fold view, made from the safe view."""
    if safe_view.isascii():
        return safe_view.replace("~", "")
    return _in_katakana(safe_view).translate(_FOLD)


def in_view(text: str, view: View) -> str:
    """A text in a view. Keywords pass through here too, so that both sides are written alike."""
    return safe(text) if view == "safe" else fold(safe(text))


def fold_sources(safe_view: str) -> list[int]:
    """For each character of `fold(safe_view)` the index of the character of the safe view that it comes from."""
    sources: list[int] = []
    for index, character in enumerate(_in_katakana(safe_view)):
        sources.extend([index] * len(_FOLD.get(ord(character), character)))
    return sources


@dataclass(slots=True)
class WayBack:
    """From places in the views of one text to places in the text; built once for a text in which rules fired."""

    text: str
    safe_view: str
    _aligned: Aligned | None
    _fold_sources: list[int] | None = None

    @classmethod
    def of(cls, text: str, safe_view: str) -> WayBack:
        """The way back for a text whose safe view is known. Some 35 µs for a message of 56 characters."""
        if text.isascii() and len(text) == len(safe_view):
            places = tuple(range(len(text) + 1))
            return cls(text, safe_view, Aligned(safe_view, places[:-1], places[1:]))
        if _heaped(safe_view):
            return cls(text, safe_view, None)
        aligned = align(text)
        return cls(text, safe_view, aligned if aligned.text == safe_view else None)

    def span(self, view: View, start: int, end: int) -> tuple[int, int]:
        """Where characters start..end of a view stand in the original text.

        The whole text if it cannot be told: what a moderator is shown then is too much, never the wrong word.
        """
        if self._aligned is None:
            return 0, len(self.text)
        if view == "fold":
            if self._fold_sources is None:
                self._fold_sources = fold_sources(self.safe_view)
            start, end = self._fold_sources[start], self._fold_sources[end - 1] + 1
        return self._aligned.span(start, end)


def _heaped(safe_view: str) -> bool:
    run = 0
    for character in safe_view:
        run = run + 1 if unicodedata.combining(character) else 0
        if run > _MAX_MARKS:
            return True
    return False


def _in_katakana(safe_view: str) -> str:
    if not _KANJI_IN_KATAKANA.search(safe_view):
        return safe_view
    return _KANJI_IN_KATAKANA.sub(lambda found: _KANJI_LOOK_ALIKES[found.group()], safe_view)
