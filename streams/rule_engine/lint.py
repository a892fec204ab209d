"""Words that are allowed in a rule and are probably a mistake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import ahocorasick_rs

from streams.rule_engine.rule import Match, View
from streams.rule_engine.views import in_view

#: In the fold view short words join others: of 2,000 ordinary listings バカ (2 kana) hit 9 unfolded and 97 folded.
MIN_FOLDED_KANA = 4
#: In the squeeze view words are also found over spaces and punctuation: ab in "a boat".
MIN_SQUEEZED = 3


def lint_word(word: str, view: View) -> tuple[str, str, str] | None:
    """Code, message and hint for a word that will hit too much; None if nothing is wrong."""
    form = in_view(word, view)
    if len(form) < 2:
        return (
            "short-word",
            f'"{word}" is a single character and will be found everywhere',
            "write a longer word",
        )
    if view == "squeeze" and len(form) < MIN_SQUEEZED:
        return (
            "short-squeezed-word",
            f'"{word}" is "{form}" in the squeeze view and will be found across words',
            "use the fold view for words under 3 letters",
        )
    if (
        view in ("fold", "squeeze")
        and len(form) < MIN_FOLDED_KANA
        and all("ぁ" <= character <= "ん" for character in form)
    ):
        return (
            "short-folded-word",
            f'"{word}" is "{form}" in the {view} view and will be found inside other words',
            "use the safe view for words under 4 kana",
        )
    return None


def redundant_words(words: Sequence[str], view: View) -> Iterator[tuple[int, int]]:
    """Pairs (index, index of the other) of words that never add a hit, because they contain the other."""
    forms = [in_view(word, view) for word in words]
    if not all(forms):
        return
    automaton = ahocorasick_rs.AhoCorasick(list(forms))
    for index, form in enumerate(forms):
        for other, _, _ in automaton.find_matches_as_indexes(form, overlapping=True):
            if other != index and (forms[other] != form or other < index):
                yield index, other
                break


def exception_applies(phrase: str, match: Match) -> bool:
    """Whether an exception phrase could ever cover a hit: it must contain a word of the rule (or there is a regex)."""
    if match.regex is not None:
        return True
    words = [*match.any, *(child for child in match.all if isinstance(child, str))]
    if match.near is not None:
        words += [*match.near.a, *match.near.b]
    if match.count is not None:
        words += match.count.of
    form = in_view(phrase, match.view)
    if any(in_view(word, match.view) in form for word in words):
        return True
    return any(exception_applies(phrase, child) for child in match.all if isinstance(child, Match))
