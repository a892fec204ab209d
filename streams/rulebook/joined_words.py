"""Words that were meant to be several: `[LINE、インスタ]` is one word to YAML, and hardly ever found (pure)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from streams.diagnostics import Issue
from streams.rule_engine.reading import ReadRule
from streams.rule_engine.rule import Match

#: Commas of Japanese between two words.
_JOINED = re.compile(r"\w[、，､]\s*\w")


def joined_words(read: Sequence[ReadRule]) -> list[Issue]:
    """A warning for each rule of which a word holds a Japanese comma."""
    return [
        Issue(
            "rule.joined-words",
            f'rule {found.rule.id}: "{word}" is one word with a comma in it',
            found.path,
            found.line,
            found.column,
            "put an ordinary comma and a space between words: [LINE, インスタ]",
            "warning",
        )
        for found in read
        for word in dict.fromkeys(_words(found.rule.match))
        if _JOINED.search(word)
    ]


def _words(match: Match) -> Iterator[str]:
    words = [*match.any, *match.all, *match.none]
    words += [*match.near.a, *match.near.b] if match.near is not None else []
    words += match.count.of if match.count is not None else []
    for word in words:
        if isinstance(word, Match):
            yield from _words(word)
        else:
            yield word
