"""A slow matcher that follows the words of docs/rules.md one by one, to hold the engine against."""

from __future__ import annotations

import re
from collections.abc import Mapping

from streams.rule_engine.boundary import on_token_edges, stands_alone
from streams.rule_engine.rule import Match, Rule, View
from streams.rule_engine.views import in_view, places_of, safe

Place = tuple[int, int]


def fires(rule: Rule, texts: Mapping[str, str]) -> bool:
    """Whether the rule's words are found in the named texts, read together; conditions are not looked at."""
    wanted = {name: text for name, text in texts.items() if not rule.fields or name in rule.fields}
    return _matches(rule.match, rule, wanted)


def _matches(match: Match, rule: Rule, texts: Mapping[str, str]) -> bool:
    if match.field is not None:
        texts = {name: text for name, text in texts.items() if name == match.field}
    if any(_child(veto, match, rule, texts) for veto in match.none):
        return False
    if match.regex is not None:
        return any(_regex_places(match, text, rule) for text in texts.values())
    if match.any:
        return any(_places(word, text, match, rule) for word in match.any for text in texts.values())
    if match.near is not None:
        near = match.near
        return any(
            0 <= second[0] - first[1] <= near.within or 0 <= first[0] - second[1] <= near.within
            for text in texts.values()
            for one in near.a
            for other in near.b
            for first in _places(one, text, match, rule)
            for second in _places(other, text, match, rule)
        )
    if match.count is not None:
        forms = {in_view(word, match.view): word for word in match.count.of}
        counts = [
            sum(len(_places(word, text, match, rule)) for text in texts.values()) for word in forms.values()
        ]
        return (sum(map(bool, counts)) if match.count.distinct else sum(counts)) >= match.count.at_least
    return all(_child(child, match, rule, texts) for child in match.all)


def _child(child: Match | str, parent: Match, rule: Rule, texts: Mapping[str, str]) -> bool:
    if isinstance(child, str):
        return any(_places(child, text, parent, rule) for text in texts.values())
    return _matches(child, rule, texts)


def _places(word: str, text: str, match: Match, rule: Rule) -> list[Place]:
    view = in_view(text, match.view)
    places = _occurrences(in_view(word, match.view), view)
    places = [place for place in places if not _excepted(place, text, match.view, rule)]
    if match.boundary != "none":
        alone = on_token_edges if match.boundary == "token" else stands_alone
        way = places_of(safe(text), match.view)
        places = [place for place in places if alone(safe(text), *way.span(*place))]
    return places


def _occurrences(word: str, text: str) -> list[Place]:
    return [(at, at + len(word)) for at in range(len(text)) if text.startswith(word, at)]


def _excepted(place: Place, text: str, view: View, rule: Rule) -> bool:
    phrases = [_occurrences(in_view(phrase, view), in_view(text, view)) for phrase in rule.except_phrases]
    return any(first <= place[0] and place[1] <= last for found in phrases for first, last in found)


def _regex_places(match: Match, text: str, rule: Rule) -> list[Place]:
    view = in_view(text, match.view)
    found = [place.span() for place in re.finditer(str(match.regex), view, re.IGNORECASE | re.ASCII)]
    return [place for place in found if not _excepted(place, text, match.view, rule)]
