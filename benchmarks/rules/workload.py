"""Rules and texts to measure with: words taken from one half of real conversations, rules run on the other half.

Templates will not do: on 60 sentences over and over, automata that are built lazily look ten times faster than on text
in which every message is new.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from streams.rule_engine.boundary import token_edges
from streams.rule_engine.regexes import BadRegex, check_regex
from streams.rule_engine.rule import Match, Near, Rule
from streams.rule_engine.views import safe

#: Shapes of patterns that moderators write; {w} and {v} are words.
_PATTERNS = (
    "{w}[^0-9]{{0,8}}[0-9]{{4,8}}",
    "(?:{w}|{v})\\s{{0,3}}[:=は]\\s{{0,3}}[a-z0-9_.]{{4,20}}",
    "{w}.{{0,10}}{v}",
    "{w}(?:し|して|を)?{v}",
    "{w}\\s?[0-9]{{1,3}}\\s?(?:枚|個|円)",
)
#: One pattern in ten of this shape: no word of it is in every match.
_WITHOUT_LITERAL = "[0-9]{{{a},{b}}}[-.][0-9]{{{b},9}}"


def texts_of(path: Path) -> list[str]:
    """Every message of a file of example conversations."""
    found = []
    for line in path.read_bytes().splitlines():
        body = json.loads(line)
        found += [message["text"] for message in body["messages"]]
    return found


def words_of(texts: Sequence[str]) -> list[str]:
    """Two to four neighbouring words, as UniDic cuts them, of 5 to 14 characters, that stand in one text alone.

    A rule's words are rare: with words taken as they come every message would fire two of 10,000 rules.
    """
    seen: Counter[str] = Counter()
    for text in texts:
        form = safe(text)
        edges = sorted(token_edges(form))
        spans = [
            (first, last) for reach in (2, 3, 4) for first, last in zip(edges, edges[reach:], strict=False)
        ]
        words = {form[first:last] for first, last in spans if 5 <= last - first <= 14}
        seen.update(word for word in words if word.isalnum())
    return [word for word, number in seen.items() if number == 1]


def rules_of(words: Sequence[str], number: int, random: Random) -> list[Rule]:
    """So many message rules: 70 % words, 15 % near and all, 15 % patterns (a tenth of those without a literal)."""
    rules = []
    while len(rules) < number:
        at = len(rules)
        some = random.sample(words, 6)
        kind = random.random()
        if kind < 0.70:
            match = Match(any=tuple(some[: random.randint(1, 6)]))
        elif kind < 0.78:
            match = Match(near=Near(tuple(some[:3]), tuple(some[3:]), 12))
        elif kind < 0.85:
            match = Match(all=(Match(any=tuple(some[:3])), Match(any=tuple(some[3:]))))
        else:
            match = Match(regex=_pattern(some, random))
        rule = Rule(f"made.r{at}", "made", "harassment", "message", "low", match, mode="active")
        if match.regex is None or _usable(match.regex):
            rules.append(rule)
    return rules


def _pattern(words: Sequence[str], random: Random) -> str:
    if random.random() < 0.1:
        first = random.randint(3, 5)
        return _WITHOUT_LITERAL.format(a=first, b=first + 1)
    return random.choice(_PATTERNS).format(w=words[0], v=words[1])


def _usable(pattern: str) -> bool:
    try:
        check_regex(pattern)
    except BadRegex:
        return False
    return True
