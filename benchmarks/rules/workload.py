"""Rules and texts to measure with: words taken from one half of real conversations, rules run on the other half.

Templates will not do: on 60 sentences over and over, automata that are built lazily look ten times faster than on text
in which every message is new. The generated corpus, which is taken when no file is given, has a few thousand different
messages and is the kinder workload for it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random

from marketplace import traffic
from streams.rule_engine.boundary import token_edges
from streams.rule_engine.regexes import BadRegex, check_regex
from streams.rule_engine.rule import Match, Near, Rule
from streams.rule_engine.views import safe

#: Shorter runs of words are everyday speech and would fire on every third message; moderators' words are rarer. In
#: UTF-8, so that a run is as telling in English: 6 to 15 Japanese characters, 18 to 45 Latin letters.
_WORD_BYTES = range(18, 46)
#: 10,000 rules draw 35,000 words. A set of texts that has fewer is filled up with coined names.
_WORDS = 30_000
_GENERATED_EVENTS = 60_000

#: Shapes of patterns that moderators write; {w} and {v} are words.
_PATTERNS = (
    "{w}[^0-9]{{0,8}}[0-9]{{4,8}}",
    "(?:{w}|{v})\\s{{0,3}}[:=は]\\s{{0,3}}[a-z0-9_.]{{4,20}}",
    "{w}.{{0,10}}{v}",
    "{w}(?:し|して|を)?{v}",
    "{w}\\s?[0-9]{{1,3}}\\s?(?:枚|個|円)",
)
#: One pattern in ten is of these shapes: no word is in every match. Numbers, handles, spaced-out words.
_WITHOUT_LITERAL = (
    "[0-9]{{{a},{b}}}[-.][0-9]{{{a},{c}}}",
    "[0-9]{{{a}}}[- ]?[0-9]{{{b}}}[- ]?[0-9]{{{c}}}",
    "@[a-z0-9_]{{{a},{c}}}[0-9]{{{b}}}",
    "[0-9]{{{a},{b}}}\\s?[¥€$]",
    "(?:[a-z][ .]){{{b},{c}}}[a-z]",
)
_SYLLABLES = "アイウエオカキクケコサシスセソタチツテトナニノハヒフマミムメモヤユヨラリルレロワン"


@dataclass(frozen=True, slots=True)
class Workload:
    """Texts to scan, none of which the words were taken from, and words to make rules of."""

    name: str
    texts: tuple[str, ...]
    words: tuple[str, ...]
    coined: int

    def lengths(self) -> dict[str, float]:
        """Characters of a message: mean, and the 10th, 50th and 90th of a hundred."""
        ordered = sorted(map(len, self.texts))
        at = {name: ordered[len(ordered) * name // 100] for name in (10, 50, 90)}
        return {"mean": sum(ordered) / len(ordered)} | {f"p{name}": length for name, length in at.items()}


def workload(path: Path | None) -> Workload:
    """A workload of the messages of a file of example conversations, or of generated ones."""
    texts = list(dict.fromkeys(generated_texts() if path is None else texts_of(path)))
    random = Random(1)
    random.shuffle(texts)
    half = len(texts) // 2
    words = words_of(texts[:half])
    random.shuffle(words)
    words = words[:_WORDS]
    coined = list(islice(_coined(random), max(0, _WORDS - len(words))))
    return Workload(
        "generated" if path is None else path.stem, tuple(texts[half:]), (*words, *coined), len(coined)
    )


def generated_texts() -> list[str]:
    """The messages of the generated corpus, the same ones every time."""
    events = islice(traffic(7, start=datetime(2026, 1, 1, tzinfo=UTC)), _GENERATED_EVENTS)
    return [str(event.value["text"]) for event in events if event.topic == "messages"]


def texts_of(path: Path) -> list[str]:
    """Every message of a file of example conversations."""
    lines = path.read_bytes().splitlines()
    return [message["text"] for line in lines for message in json.loads(line)["messages"]]


def words_of(texts: Sequence[str]) -> list[str]:
    """Two to six neighbouring words, as UniDic cuts them, that stand in one text alone."""
    seen: Counter[str] = Counter()
    for text in texts:
        form = safe(text)
        edges = sorted(token_edges(form))
        spans = [
            (first, last) for reach in range(2, 7) for first, last in zip(edges, edges[reach:], strict=False)
        ]
        words = {form[first:last].strip() for first, last in spans}
        words = {word for word in words if len(word.encode()) in _WORD_BYTES}
        seen.update(word for word in words if word.replace(" ", "").isalnum())
    return sorted(word for word, number in seen.items() if number == 1)


def _coined(random: Random) -> Iterator[str]:
    while True:
        name = "".join(random.choices(_SYLLABLES, k=random.randint(4, 7)))
        yield name + random.choice(("堂", "商店", "の店", "工房", "公式", "屋本店"))


def rules_of(words: Sequence[str], number: int, random: Random) -> list[Rule]:
    """So many message rules: 70 % words, 15 % near and all, 15 % patterns (a tenth of those without a literal)."""
    rules: list[Rule] = []
    while len(rules) < number:
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
        rule = Rule(f"made.r{len(rules)}", "made", "harassment", "message", "low", match, mode="active")
        if match.regex is None or _usable(match.regex):
            rules.append(rule)
    return rules


def _pattern(words: Sequence[str], random: Random) -> str:
    if random.random() < 0.1:
        least = random.randint(5, 8)
        shape = random.choice(_WITHOUT_LITERAL)
        return shape.format(a=least, b=least + random.randint(1, 3), c=least + random.randint(4, 9))
    return random.choice(_PATTERNS).format(w=words[0], v=words[1])


def _usable(pattern: str) -> bool:
    try:
        check_regex(pattern)
    except BadRegex:
        return False
    return True
