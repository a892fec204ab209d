"""The tests inside a deployment's own rules as events to send: what they fire on, and what they must not (pure)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

from streams.policy import POLICY_FILE, Policy, parse_policy
from streams.rule_engine.conditions import unmet
from streams.rule_engine.reading import ReadRule, read_list_file, read_rule_file
from streams.rule_engine.rule import ATTRIBUTE_PREFIX, Fact
from streams.rule_engine.samples import Sample, accepted_facts
from streams.rulebook.files import SourceFile, is_list_file
from streams.stress.material import Topic


class NoPolicy(ValueError):
    """There is no domains.yaml that can be used; says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One event, or the messages of one conversation, as bodies in order."""

    topic: Topic
    bodies: tuple[dict[str, Any], ...]


@dataclass(frozen=True, slots=True)
class RuleSamples:
    """`firing` raise an alert by an active rule, `harmless` are close to a rule and must not.

    `max_share` is what the policy's safety valve grants: an active rule that fires on a larger share of the events is
    set to shadow by the workers.
    """

    firing: tuple[Scene, ...]
    harmless: tuple[Scene, ...]
    max_share: float


def rule_samples(files: Sequence[SourceFile], *, now_us: int) -> RuleSamples:
    """Every sample in rule files that are right (faulty ones are left out: `sekisho rules check` is for them).

    Raises `NoPolicy`.
    """
    policy = _policy(files)
    shared = {
        PurePath(f.name).stem: read_list_file(f.content, f.name)[0] for f in files if is_list_file(f.name)
    }
    firing: list[Scene] = []
    harmless: list[Scene] = []
    for file in files:
        if is_list_file(file.name) or PurePath(file.name).name == POLICY_FILE:
            continue
        rules, _ = read_rule_file(file.content, file.name, policy.domains, now_us=now_us, shared_lists=shared)
        for sample, scene in _scenes(rules, now_us):
            (firing if sample.should_match else harmless).append(scene)
    return RuleSamples(tuple(firing), tuple(harmless), policy.valve.max_share)


def _policy(files: Sequence[SourceFile]) -> Policy:
    for file in files:
        if PurePath(file.name).name == POLICY_FILE:
            policy, issues = parse_policy(file.content, file.name)
            if policy is None:
                raise NoPolicy("\n".join(issue.render() for issue in issues))
            return policy
    raise NoPolicy(f"there is no {POLICY_FILE} beside the rule files")


def _scenes(rules: Sequence[ReadRule], now_us: int) -> Iterator[tuple[Sample, Scene]]:
    for found in rules:
        rule = found.rule
        for sample in found.samples:
            facts = accepted_facts(rule.when) | dict(sample.facts)
            alerts = rule.mode == "active" and not unmet(rule, facts, now_us)
            # A sample of another time, or of a rule that does not alert now, would not do what it says.
            if sample.at_us is not None or (sample.should_match and not alerts):
                continue
            make = _message_scene if rule.kind == "message" else _listing_scene
            yield sample, make(sample, facts)


def _message_scene(sample: Sample, facts: dict[str, Fact]) -> Scene:
    stated = {"status": facts["status"]} if "status" in facts else {}
    bodies = [{"writer": writer, "text": text, **stated} for writer, text in sample.turns]
    if "writer" in facts and bodies:
        bodies[-1]["writer"] = facts["writer"]
    return Scene("messages", tuple(bodies))


def _listing_scene(sample: Sample, facts: dict[str, Fact]) -> Scene:
    body: dict[str, Any] = {"title": "", **dict(sample.fields)}
    attributes = {
        n.removeprefix(ATTRIBUTE_PREFIX): v for n, v in facts.items() if n.startswith(ATTRIBUTE_PREFIX)
    }
    body |= {name: value for name, value in facts.items() if not name.startswith(ATTRIBUTE_PREFIX)}
    if attributes:
        body["attributes"] = attributes
    return Scene("listings", (body,))
