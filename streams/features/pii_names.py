"""Names that their own sentence introduces, in a text in normal form; other names need the tagger (`names`)."""

from __future__ import annotations

import re

from streams.features.scan import Places, first_group

#: さとうと申します: the tagger takes さとう for sugar. の ends a name only where it starts one: 購入者のさとう.
_JAPANESE = re.compile(r"(?:^|[\s、。,.!?の])((?:(?!の)[ぁ-んァ-ヶー一-鿿々 ]){2,10})と申します")
_ENGLISH = re.compile(
    r"\bmy name is ((?!on\b|in\b|not\b|the\b|a\b|listed|written|printed|and\b)[a-z]{2,15}"
    r"(?: (?!and\b|from\b|i\b|is\b|but\b|from\b)[a-z]{2,20})?)\b"
)


def introduced_names(text: str) -> Places:
    """〜と申します and "my name is …"."""
    yield from first_group(_JAPANESE, text)
    yield from first_group(_ENGLISH, text)
