"""Where a word ends in text without spaces: a hit inside a longer run of the same script is another word.

ライン in ラインストーン and `line` in `deadline` are not hits. Morphological analysis does not help here: UniDic,
IPAdic and Sudachi all cut ラインストーン into ライン and ストーン. Kanji and hiragana have no such runs; there `token` may
help (ばか in 手ばかり is no token), at the price of inflected and prefixed words (振込 in お振込み is none either).
"""

from __future__ import annotations

import threading
from functools import lru_cache

import fugashi
import unidic_lite

_KATAKANA, _LATIN, _OTHER = 1, 2, 0


def stands_alone(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] (not empty) is not part of a longer katakana or Latin/digit run."""
    return not (
        (start > 0 and _same_run(text[start - 1], text[start]))
        or (end < len(text) and _same_run(text[end - 1], text[end]))
    )


def _same_run(left: str, right: str) -> bool:
    script = _script(left)
    return script != _OTHER and script == _script(right)


def _script(character: str) -> int:
    if "ァ" <= character <= "ヺ" or character == "ー":
        return _KATAKANA
    return _LATIN if character.isascii() and character.isalnum() else _OTHER


def on_token_edges(text: str, start: int, end: int) -> bool:
    """Whether text[start:end] begins and ends where words of UniDic do, and stands alone besides.

    The text is cut (some 30 µs for a message) only when this is asked, which is for texts that hold the word.
    """
    if not stands_alone(text, start, end):
        return False
    edges = token_edges(text)
    return start in edges and end in edges


@lru_cache(maxsize=1024)
def token_edges(text: str) -> frozenset[int]:
    """Where UniDic's words begin and end in a text."""
    edges: set[int] = set()
    at = 0
    for surface in _tagger().parse(text).split():
        at = text.index(surface, at)  # the tagger drops nothing but whitespace
        edges.add(at)
        at += len(surface)
        edges.add(at)
    return frozenset(edges)


_of_thread = threading.local()


def _tagger() -> fugashi.GenericTagger:
    """One per thread, because a tagger is not for two at once; they share the dictionary by mmap."""
    if not hasattr(_of_thread, "tagger"):
        directory = unidic_lite.DICDIR
        _of_thread.tagger = fugashi.GenericTagger(f"-Owakati -d '{directory}' -r '{directory}/mecabrc'")
    tagger: fugashi.GenericTagger = _of_thread.tagger
    return tagger
