"""The same rules by other means: a `re` loop, pyahocorasick with `re`, hyperscan. Each answers with ids of rules that fire."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

from streams.rule_engine.required import required_literals
from streams.rule_engine.rule import Match, Rule
from streams.rule_engine.views import safe

Engine = Callable[[str], set[int]]
_FLAGS = re.ASCII | re.IGNORECASE | re.DOTALL


def _either(words: Sequence[str]) -> str:
    return "(?:" + "|".join(re.escape(safe(word)) for word in words) + ")"


def _expressions(match: Match) -> list[str]:
    """Regular expressions that must all be found for the rule to fire."""
    if match.regex is not None:
        return [match.regex]
    if match.any:
        return [_either(match.any)]
    if match.near is not None:
        one, other, gap = _either(match.near.a), _either(match.near.b), f"(?s:.{{0,{match.near.within}}})"
        return [f"{one}{gap}{other}|{other}{gap}{one}"]
    return [
        expression for child in match.all if isinstance(child, Match) for expression in _expressions(child)
    ]


def naive(rules: Sequence[Rule]) -> Engine:
    """Every rule's compiled `re` on every text."""
    compiled = [[re.compile(one, _FLAGS) for one in _expressions(rule.match)] for rule in rules]

    def run(text: str) -> set[int]:
        form = safe(text)
        return {at for at, found in enumerate(compiled) if all(one.search(form) for one in found)}

    return run


def pyahocorasick_and_re(rules: Sequence[Rule]) -> Engine:
    """One automaton finds candidate rules by their words, `re` verifies them.

    Patterns are found by the literals they need, as in the engine; those that need none run on every text.
    """
    ahocorasick = import_module("ahocorasick")
    compiled = [[re.compile(one, _FLAGS) for one in _expressions(rule.match)] for rule in rules]
    by_word: dict[str, list[int]] = {}
    always = []
    for at, rule in enumerate(rules):
        match = rule.match
        first = match.all[0] if match.all else match
        assert isinstance(first, Match)
        words = first.any or (first.near.a if first.near else required_literals(first.regex or ""))
        if not words:
            always.append(at)
        for word in words:
            by_word.setdefault(safe(word), []).append(at)
    automaton = ahocorasick.Automaton()
    for word, wanted in by_word.items():
        automaton.add_word(word, wanted)
    automaton.make_automaton()

    def run(text: str) -> set[int]:
        form = safe(text)
        candidates = {at for _, wanted in automaton.iter(form) for at in wanted}
        candidates.update(always)
        return {at for at in candidates if all(one.search(form) for one in compiled[at])}

    return run


def hyperscan(rules: Sequence[Rule]) -> Engine:
    """One database of every expression."""
    hs = import_module("hyperscan")
    expressions: list[bytes] = []
    owners: list[int] = []
    wanted = []
    for at, rule in enumerate(rules):
        mine = _expressions(rule.match)
        wanted.append(len(mine))
        expressions += [one.encode() for one in mine]
        owners += [at] * len(mine)
    database = hs.Database()
    flag = hs.HS_FLAG_UTF8 | hs.HS_FLAG_CASELESS | hs.HS_FLAG_SINGLEMATCH | hs.HS_FLAG_DOTALL
    database.compile(
        expressions=expressions, ids=list(range(len(expressions))), flags=[flag] * len(expressions)
    )

    def run(text: str) -> set[int]:
        found: dict[int, int] = {}

        def hit(number: int, *_: Any) -> None:  # noqa: ANN401 - hyperscan's own
            found[owners[number]] = found.get(owners[number], 0) + 1

        database.scan(safe(text).encode("utf-8", "replace"), match_event_handler=hit)
        return {at for at, number in found.items() if number == wanted[at]}

    return run
