"""The forms of a text that words are looked for in, and the way from a place in one back to the original text.

`safe` is the engine's normal form (`streams.features.normal_form`): spellings that any reader takes for the same
word. `fold` goes further and is asked for keyword by keyword, because it also joins different words (バカ is found
in 手ばかり): katakana to hiragana, small kana to big, no long-vowel marks, no accents, look-alikes of Latin letters,
and kanji that stand for the katakana they resemble inside a katakana run. `squeeze` is the fold view without anything
but letters and digits, a letter repeated three times or more written once (L.I.N.E, ラ イ ン, LINEEEE); it joins words
over spaces (カラー インナー holds ライン). `digits` writes out spelled numbers (`streams.rule_engine.digits`).

Fast path: whole-string C functions and no offset map. The map is built only for a text in which a rule fired.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field

from streams.features.normal_form import Aligned, align, normalise
from streams.rule_engine.digits import digits, digits_places
from streams.rule_engine.look_alikes import KATAKANA, LATIN
from streams.rule_engine.rule import View

#: Longest text that is looked through, in characters: ten times the longest message a marketplace accepts, and the
#: bound on the time one hostile event can take.
MAX_CHARS = 10_000

_SMALL_KANA = dict(zip("ぁぃぅぇぉっゃゅょゎゕゖ", "あいうえおつやゆよわかけ", strict=True))
#: Texts are case-folded first, so н also stands for Н.
_LOOK_ALIKES = {other: latin for latin, others in LATIN.items() for other in others}
_KANJI_LOOK_ALIKES = {kanji: katakana for katakana, others in KATAKANA.items() for kanji in others}
_KANJI_IN_KATAKANA = re.compile(rf"(?<=[ァ-ヶー])[{''.join(_KANJI_LOOK_ALIKES)}](?=[ァ-ヶー]|\b)")
#: Characters that stay what they are, whatever stands beside them: two of three real Japanese messages hold no others
#: (0.1 µs to know it, where normalising takes 1 to 4).
_SETTLED = re.compile("[\t\n\r -@\\[-~\u3001-\u301bぁ-ゖァ-ヺ・ー一-鿿]*")
#: The same with those that become one character each: nine of ten. They need no aligning either (35 µs).
_PLAIN_CLASS = "\t\n\r -~\u3000-\u301c\u3030ぁ-ゖァ-ヺ・ー一-鿿！-～"
_PLAIN = re.compile(f"[{_PLAIN_CLASS}]*")
#: Other characters, and the plain one before them: what follows it may join it (か and a mark become が), while a plain
#: character joins nothing that stands before it. So these stretches can be normalised and aligned by themselves.
_STRETCH = re.compile(f"[{_PLAIN_CLASS}]?[^{_PLAIN_CLASS}]+")
_NO_LETTER = re.compile(r"[\W_]+")
#: Not digits: 1000 is not 10.
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
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


#: What the plain characters that are not settled become.
_OF_PLAIN = {
    code: safe_form
    for code in (*range(0x41, 0x5B), 0x3000, 0x301C, 0x3030, *range(0xFF01, 0xFF5F))
    if _PLAIN.fullmatch(chr(code)) and (safe_form := normalise(chr(code))) != chr(code)
}
#: Runs of them: a text is mostly others, which need not be looked up one by one.
_CHANGING = re.compile(f"[{''.join(map(re.escape, map(chr, _OF_PLAIN)))}]+")


def safe(text: str) -> str:
    """The safe view of a text: its normal form, by a shorter way where the text is plain.

    Of a real message of 500 characters, in which a handful are not plain, it takes a third of the time.
    """
    if _SETTLED.fullmatch(text):
        return text
    return _CHANGING.sub(_translated, _STRETCH.sub(_normalised, text))


def _translated(plain: re.Match[str]) -> str:
    return plain.group().translate(_OF_PLAIN)


def _normalised(stretch: re.Match[str]) -> str:
    return normalise(stretch.group())


def fold(safe_view: str) -> str:
    """The fold view, made from the safe view."""
    if safe_view.isascii():
        return safe_view.replace("~", "")
    return _in_katakana(safe_view).translate(_FOLD)


def squeeze(folded: str) -> str:
    """The squeeze view, made from the fold view."""
    return _REPEATED.sub(r"\1", _NO_LETTER.sub("", folded))


def view_of(safe_view: str, view: View) -> str:
    """A view, made from the safe view."""
    match view:
        case "safe":
            return safe_view
        case "fold":
            return fold(safe_view)
        case "squeeze":
            return squeeze(fold(safe_view))
        case "digits":
            return digits(safe_view)


def in_view(text: str, view: View) -> str:
    """A text in a view. Keywords pass through here too, so that both sides are written alike."""
    return view_of(safe(text), view)


@dataclass(frozen=True, slots=True)
class Places:
    """Character i of a view was written as `safe_view[starts[i]:ends[i]]`."""

    starts: Sequence[int]
    ends: Sequence[int]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where characters start..end (end exclusive, not empty) of the view stand in the safe view."""
        return self.starts[start], self.ends[end - 1]


def places_of(safe_view: str, view: View) -> Places:
    """The way from a view back to the safe view; as long as the view."""
    if view == "digits":
        return Places(*digits_places(safe_view))
    starts = list(range(len(safe_view))) if view == "safe" else _fold_sources(safe_view)
    ends = [start + 1 for start in starts]
    return _squeezed(fold(safe_view), starts, ends) if view == "squeeze" else Places(starts, ends)


def _fold_sources(safe_view: str) -> list[int]:
    sources: list[int] = []
    for index, character in enumerate(_in_katakana(safe_view)):
        sources.extend([index] * len(_FOLD.get(ord(character), character)))
    return sources


def _squeezed(folded: str, starts: Sequence[int], ends: Sequence[int]) -> Places:
    kept = [index for index, character in enumerate(folded) if not _NO_LETTER.match(character)]
    letters = "".join(folded[index] for index in kept)
    first: list[int] = []
    last: list[int] = []
    at = 0
    for run in _REPEATED.finditer(letters):
        first += kept[at : run.start() + 1]
        last += [*kept[at : run.start()], kept[run.end() - 1]]  # the one letter stands for the whole run
        at = run.end()
    first += kept[at:]
    last += kept[at:]
    return Places([starts[index] for index in first], [ends[index] for index in last])


@dataclass(slots=True)
class WayBack:
    """From places in the views of one text to places in the text; built once for a text in which rules fired."""

    text: str
    safe_view: str
    _starts: Sequence[int] | None
    _ends: Sequence[int]
    _places: dict[View, Places] = field(default_factory=dict)

    @classmethod
    def of(cls, text: str, safe_view: str) -> WayBack:
        """The way back for a text whose safe view is known. Some 35 µs for a message of 56 characters that are not plain."""
        if len(text) == len(safe_view) and _PLAIN.fullmatch(text):
            return cls(text, safe_view, range(len(text)), range(1, len(text) + 1))
        aligned = _aligned(text, safe_view)
        if aligned is None or aligned.text != safe_view:
            return cls(text, safe_view, None, ())
        return cls(text, safe_view, aligned.starts, aligned.ends)

    def span(self, view: View, start: int, end: int) -> tuple[int, int]:
        """Where characters start..end of a view stand in the original text.

        The whole text if it cannot be told: what a moderator is shown then is too much, never the wrong word.
        """
        if self._starts is None:
            return 0, len(self.text)
        if view != "safe":
            if view not in self._places:
                self._places[view] = places_of(self.safe_view, view)
            start, end = self._places[view].span(start, end)
        return self._starts[start], max(self._ends[start:end])


def _aligned(text: str, safe_view: str) -> Aligned | None:
    """What `align` says of a text, stretch by stretch; None where too many marks are heaped on a letter."""
    written: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    at = 0
    for stretch in _STRETCH.finditer(text):
        first, last = stretch.span()
        if last - first > _MAX_MARKS and _heaped(safe_view):
            return None
        aligned = align(stretch.group())
        written += (text[at:first].translate(_OF_PLAIN), aligned.text)
        starts += (*range(at, first), *(first + start for start in aligned.starts))
        ends += (*range(at + 1, first + 1), *(first + end for end in aligned.ends))
        at = last
    written.append(text[at:].translate(_OF_PLAIN))
    starts += range(at, len(text))
    ends += range(at + 1, len(text) + 1)
    return Aligned("".join(written), tuple(starts), tuple(ends))


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
