"""Where a text in normal form holds personal data, by pattern: numbers that can be called, paid to or written to.

Precision comes before recall where a marketplace writes the same shape for other things: tracking numbers, prices,
sizes, model numbers and item ids are not personal data and stay.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from streams.features.pii_contacts import HANDLE_HINTS, emails, handles
from streams.features.pii_names import introduced_names
from streams.features.pii_numbers import accounts, cards, phones
from streams.features.pii_places import addresses, postal_codes
from streams.features.scan import Places

#: Kinds of personal data; the placeholder of PHONE is 〈PHONE〉. Models know them by name: adding one changes TOKENIZER.
KINDS = ("PHONE", "EMAIL", "POSTAL", "ADDRESS", "ACCOUNT", "CARD", "HANDLE", "NAME")


class Span(NamedTuple):
    """Characters start..end (end exclusive) that are personal data of a kind."""

    start: int
    end: int
    kind: str


def pattern_spans(normal: str) -> list[Span]:
    """Personal data in a text in normal form, in order, not overlapping. Where two kinds claim a place the surer wins."""
    if not _WORTH_A_LOOK.search(normal):
        return []
    digits = len(_DIGIT.findall(normal))
    kept: list[Span] = []
    claimed = bytearray(len(normal))
    for finder in _FINDERS:
        if digits < finder.digits or not any(hint in normal for hint in finder.hints):
            continue
        for start, end, kind in finder.find(normal):
            if claimed.find(1, start, end) < 0:
                claimed[start:end] = b"\1" * (end - start)
                kept.append(Span(start, end, kind))
    kept.sort()
    return kept


class _Finder(NamedTuple):
    """How to find something, tried only on a text with so many digits and one of the hints in it.

    Most messages have neither, and looking for substrings is some 20 times cheaper than looking for patterns.
    """

    find: Callable[[str], Iterator[Span]]
    hints: tuple[str, ...] = ("",)
    digits: int = 0


def _of_kind(kind: str, places: Callable[[str], Places]) -> Callable[[str], Iterator[Span]]:
    return lambda text: (Span(start, end, kind) for start, end in places(text))


def _placeholders(text: str) -> Iterator[Span]:
    """A text that is masked already keeps its placeholders, and they stay one token each."""
    return (Span(*match.span(), match[1].upper()) for match in _PLACEHOLDER.finditer(text))


_PLACEHOLDER = re.compile(f"〈({'|'.join(KINDS).lower()})〉")
_DIGIT = re.compile("[0-9〇零ゼ一二三四五六七八九]")
#: Every finder needs one of these characters or words; one text in two of Japanese chat has none.
_WORTH_A_LOOK = re.compile(
    "[0-9@〈★☆〇零a-z]|ゼロ|ぜろ|[一二三四五六七八九](?=丁目|番地)|アット|あっと|ライン|らいん|カカオ|インスタ|テレグラム|ディスコ"
    "|スカイプ|ツイッター|ウィーチャット|微信|と申します"
)
_TOWNS = ("市", "区", "町", "村", "郡", "島")
_STREETS = ("street", " st", "ave", "road", " rd", "boulevard", "blvd", "lane", " ln", "drive", " dr", "court", " ct",
            "way", "place", "terrace", "square", "box")  # fmt: skip
#: The surest first: check digits and @ before shapes, shapes before words around a number.
_FINDERS = (
    _Finder(_placeholders, hints=("〈",)),
    _Finder(_of_kind("EMAIL", emails), hints=("@", " at ", "(at", "[at", "アット", "あっと", "★", "☆")),
    _Finder(_of_kind("CARD", cards), digits=14),
    _Finder(_of_kind("ACCOUNT", accounts), digits=5),
    _Finder(_of_kind("PHONE", phones), digits=8),
    _Finder(_of_kind("ADDRESS", addresses), hints=(*_TOWNS, *_STREETS), digits=1),
    _Finder(_of_kind("POSTAL", postal_codes), digits=5),
    _Finder(_of_kind("HANDLE", handles), hints=HANDLE_HINTS),
    _Finder(_of_kind("NAME", introduced_names), hints=("と申します", "my name is")),
)
