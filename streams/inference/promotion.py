"""Edits the champion of a model in domains.yaml in place, leaving every comment and space where it was (pure)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import yaml


class NoChampionError(ValueError):
    """domains.yaml has no champion of that model that could be changed."""


@dataclass(frozen=True, slots=True)
class _Place:
    start: int
    end: int
    text: str


def with_champion(
    policy: str, model: str, version: int, threshold: float, *, domain: str | None = None
) -> str:
    """The text of domains.yaml with `version` and `threshold` of every champion of `model` replaced.

    Where no domain has a champion of that model, `domain` gets it as its first, if it is there and has none. Values
    are replaced where the YAML parser says they stand, so any layout keeps its form. Raises NoChampionError when there
    is nothing to change, and yaml.YAMLError when the text is not YAML.
    """
    root = yaml.compose(policy, Loader=yaml.SafeLoader)
    places = [
        place
        for champion in _champions(root)
        if _scalar(champion, "model") == model
        for place in (
            _place(champion, "version", str(version)),
            _place(champion, "threshold", f"{threshold:g}"),
        )
    ]
    if not places and domain is not None and (place := _room_for_a_champion(policy, root, domain)):
        champion = f"champion: {{model: {model}, version: {version}, threshold: {threshold:g}}}"
        places = [_Place(place.start, place.end, place.text.replace("champion", champion))]
    if not places:
        raise NoChampionError(
            f"no domain has a champion {model}: write `champion: {{model: {model}, version: {version}, "
            f"threshold: {threshold:g}}}` into the domain that it should serve"
        )
    for place in sorted(places, key=lambda p: p.start, reverse=True):
        policy = policy[: place.start] + place.text + policy[place.end :]
    return policy


def _champions(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    domains = _value(root, "domains")
    if isinstance(domains, yaml.MappingNode):
        for _, domain in domains.value:
            champion = _value(domain, "champion")
            if isinstance(champion, yaml.MappingNode):
                yield champion


def _room_for_a_champion(policy: str, root: yaml.Node | None, domain: str) -> _Place | None:
    """Where a domain without champion takes one, after its last key; `text` has "champion" in its place."""
    found = _value(_value(root, "domains"), domain)
    if not isinstance(found, yaml.MappingNode) or not found.value or _value(found, "champion") is not None:
        return None
    first_key, last_value = found.value[0][0], found.value[-1][1]
    if found.flow_style:
        return _Place(last_value.end_mark.index, last_value.end_mark.index, ", champion")
    if not isinstance(last_value, yaml.ScalarNode) and not last_value.flow_style:
        # A block ends where the next begins, behind whatever comments stand between: go before its key instead.
        start = found.value[-1][0].start_mark
        return _Place(start.index, start.index, "champion\n" + " " * start.column)
    end_of_line = policy.find(
        "\n", last_value.end_mark.index
    )  # what is said of the last value stays beside it
    after = len(policy) if end_of_line < 0 else end_of_line
    return _Place(after, after, "\n" + " " * first_key.start_mark.column + "champion")


def _value(node: yaml.Node | None, key: str) -> yaml.Node | None:
    if not isinstance(node, yaml.MappingNode):
        return None
    return next((value for name, value in node.value if name.value == key), None)


def _scalar(node: yaml.MappingNode, key: str) -> str | None:
    value = _value(node, key)
    return value.value if isinstance(value, yaml.ScalarNode) else None


def _place(champion: yaml.MappingNode, key: str, text: str) -> _Place:
    value = _value(champion, key)
    if value is None:
        raise NoChampionError(f"line {champion.start_mark.line + 1}: the champion has no {key}")
    return _Place(value.start_mark.index, value.end_mark.index, text)
