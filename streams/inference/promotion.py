"""Edits the champion of a model in domains.yaml in place, leaving every comment and space where it was (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import yaml

from streams.alerts import Role


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

    A challenger of that very version has won, and its entry goes. Where no domain has a champion of that model,
    `domain` gets it as its first, if it is there and has none. Values are replaced where the YAML parser says they
    stand, so any layout keeps its form. Raises NoChampionError when there is nothing to change, and yaml.YAMLError when
    the text is not YAML.
    """
    root = yaml.compose(policy, Loader=yaml.SafeLoader)
    places: list[_Place] = []
    for found in _domains(root):
        champion, challenger = _value(found, "champion"), _value(found, "challenger")
        if not isinstance(champion, yaml.MappingNode) or _scalar(champion, "model") != model:
            continue
        places += _in_place(champion, version, threshold)
        if challenger is not None and _names(challenger, model, version):
            places.append(_without(policy, found, "challenger"))
    if not places and domain is not None:
        places = _first_champion(policy, root, domain, _entry(model, version, threshold))
    if not places:
        raise NoChampionError(
            f"no domain has a champion {model}: write `{_entry(model, version, threshold)}` into the domain that it "
            "should serve"
        )
    return _edited(policy, places)


def settled(policy: str, domain: str, model: str, version: int, threshold: float) -> str:
    """The text of domains.yaml in which a trial has ended: `model` is this one domain's champion, nobody challenges it.

    Its champion may have been another model. Everything else stays as it is, the layout too; of a challenger's entry
    the lines go. Raises NoChampionError for a domain that is not there, and yaml.YAMLError.
    """
    root = yaml.compose(policy, Loader=yaml.SafeLoader)
    found = _value(_value(root, "domains"), domain)
    if not isinstance(found, yaml.MappingNode):
        raise NoChampionError(f"there is no domain {domain}")
    champion = _value(found, "champion")
    if not isinstance(champion, yaml.MappingNode):
        return _edited(policy, _first_champion(policy, root, domain, _entry(model, version, threshold)))
    places = [_place(champion, "model", model), *_in_place(champion, version, threshold)]
    if _value(found, "challenger") is not None:
        places.append(_without(policy, found, "challenger"))
    return _edited(policy, places)


def with_thresholds(policy: str, domain: str, thresholds: Mapping[Role, float]) -> str:
    """The text of domains.yaml with other thresholds for the models that have these roles (`champion`, `challenger`) in
    one domain; everything else stays as it is. Raises NoChampionError for a role that nobody has, and yaml.YAMLError.
    """
    found = _value(_value(yaml.compose(policy, Loader=yaml.SafeLoader), "domains"), domain)
    places = []
    for role, threshold in thresholds.items():
        reference = _value(found, role)
        if not isinstance(reference, yaml.MappingNode):
            raise NoChampionError(f"the domain {domain} has no {role}")
        places.append(_place(reference, "threshold", _number(threshold)))
    return _edited(policy, places)


def _edited(policy: str, places: list[_Place]) -> str:
    for place in sorted(places, key=lambda p: p.start, reverse=True):
        policy = policy[: place.start] + place.text + policy[place.end :]
    return policy


def _domains(root: yaml.Node | None) -> Iterator[yaml.MappingNode]:
    domains = _value(root, "domains")
    if isinstance(domains, yaml.MappingNode):
        yield from (domain for _, domain in domains.value if isinstance(domain, yaml.MappingNode))


def _names(reference: yaml.Node, model: str, version: int) -> bool:
    return isinstance(reference, yaml.MappingNode) and (
        _scalar(reference, "model"),
        _scalar(reference, "version"),
    ) == (model, str(version))


def _in_place(champion: yaml.MappingNode, version: int, threshold: float) -> list[_Place]:
    return [
        _place(champion, "version", str(version)),
        _place(champion, "threshold", _number(threshold)),
    ]


def _number(threshold: float) -> str:
    """With six digits, as scores have them in outputs, and never as 1e-05, which domains.yaml does not know."""
    written = f"{threshold:.6f}".rstrip("0")
    return written + "0" if written.endswith(".") else written


def _entry(model: str, version: int, threshold: float) -> str:
    return f"champion: {{model: {model}, version: {version}, threshold: {_number(threshold)}}}"


def _first_champion(policy: str, root: yaml.Node | None, domain: str, entry: str) -> list[_Place]:
    place = _room_for_a_champion(policy, root, domain)
    return [_Place(place.start, place.end, place.text.replace("champion", entry))] if place else []


def _without(policy: str, domain: yaml.MappingNode, key: str) -> _Place:
    """The removal of a key with its value: its lines, or its part of a mapping in braces."""
    number = next(i for i, (name, _) in enumerate(domain.value) if name.value == key)
    name, value = domain.value[number]
    if not domain.flow_style:
        start = policy.rfind("\n", 0, name.start_mark.index) + 1
        end_of_line = policy.find("\n", _end(value))
        return _Place(start, len(policy) if end_of_line < 0 else end_of_line + 1, "")
    if number:
        return _Place(domain.value[number - 1][1].end_mark.index, value.end_mark.index, "")
    following = domain.value[1][0].start_mark.index if len(domain.value) > 1 else value.end_mark.index
    return _Place(name.start_mark.index, following, "")


def _end(node: yaml.Node) -> int:
    """Where a value ends. The parser says of a block that it ends where the next begins, behind any comments."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(node.value[-1][1])
    end: int = node.end_mark.index
    return end


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
