"""Everything that must hold before rules and policy go live: read, cross-checked, compiled, their tests run (pure)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

import msgspec

from streams.diagnostics import Issue, errors, in_reading_order
from streams.policy import NO_PATROL, POLICY_FILE, Domain, Patrol, Policy, parse_policy, policy_of
from streams.rule_engine import RuleSet
from streams.rule_engine.reading import ReadRule, read_list_file, read_rule_file
from streams.rule_engine.rule import Rule
from streams.rule_engine.samples import run_sample
from streams.rulebook.benign import BenignText, too_eager
from streams.rulebook.files import SourceFile, is_list_file
from streams.rulebook.joined_words import joined_words
from streams.rulebook.sample_hints import sample_hint
from streams.vocabulary import ValveLimits

#: Of a file that a program wrote wrong, or that is an attack, so many errors and as many warnings are enough to see it;
#: a file of 1 MiB can hold 88,000, which would fill logs and /rules.
MAX_ISSUES_PER_FILE = 200


class Bundle(msgspec.Struct, frozen=True):
    """What a check leaves: the rules and domains, to be used only if no issue is an error, and every issue.

    `rules_of` names the rules of each file.
    """

    rules: tuple[Rule, ...]
    domains: dict[str, Domain]
    issues: tuple[Issue, ...]
    samples_run: int
    rules_of: dict[str, tuple[str, ...]] = {}
    valve: ValveLimits = ValveLimits()
    patrol: Patrol = NO_PATROL

    @property
    def usable(self) -> bool:
        """Whether rules and policy may go live."""
        return not errors(self.issues)

    @property
    def policy(self) -> Policy:
        """The policy of the domains."""
        return policy_of(self.domains, self.valve, self.patrol)


def check(files: Sequence[SourceFile], *, now_us: int, benign: Sequence[BenignText] = ()) -> Bundle:
    """Check rule files and domains.yaml together. Every issue is found at once, except that tests run only on rules
    that could all be read. `now_us` tells which rules have expired. `benign` are ordinary texts that hardly any rule
    should fire on.
    """
    issues: list[Issue] = []
    policy = _policy(files, issues)
    read: list[ReadRule] = []
    lists: dict[str, tuple[str, ...]] = {}
    for file in files:
        if is_list_file(file.name):
            lists[PurePath(file.name).stem], found = read_list_file(file.content, file.name)
            issues += found
    for file in files:
        name = PurePath(file.name)
        if name.name == POLICY_FILE or is_list_file(file.name):
            continue
        if name.suffix != ".yaml":
            issues.append(
                Issue(
                    "file.extension",
                    "rule files end in .yaml",
                    file.name,
                    1,
                    1,
                    f"rename it to {name.stem}.yaml",
                )
            )
            continue
        rules, found = read_rule_file(
            file.content,
            file.name,
            policy.domains if policy else None,
            now_us=now_us,
            shared_lists=lists,
        )
        read += rules
        issues += found
    issues += _repeated_ids(read)
    issues += joined_words(read)
    samples_run = 0
    if not errors(issues):
        compiled = RuleSet(found.rule for found in read)
        samples_run, failures = _run_samples(compiled, read)
        issues += failures
        issues += too_eager(compiled, read, benign)
    rules_of: dict[str, tuple[str, ...]] = {}
    for one in read:
        rules_of[one.path] = (*rules_of.get(one.path, ()), one.rule.id)
    return Bundle(
        tuple(found.rule for found in read),
        dict(policy.domains) if policy else {},
        tuple(_first_of_each_file(in_reading_order(issues))),
        samples_run,
        rules_of,
        policy.valve if policy else ValveLimits(),
        policy.patrol if policy else NO_PATROL,
    )


def _first_of_each_file(issues: Sequence[Issue]) -> list[Issue]:
    """The first of each file, and how many more there are."""
    seen: Counter[tuple[str, str]] = Counter()
    shown = []
    for issue in issues:
        kind = (issue.path, issue.severity)
        seen[kind] += 1
        if seen[kind] <= MAX_ISSUES_PER_FILE:
            shown.append(issue)
    for (path, severity), number in seen.items():
        if number > MAX_ISSUES_PER_FILE:
            shown.append(
                Issue(
                    "check.more",
                    f"{number - MAX_ISSUES_PER_FILE} more {severity}s in this file are not shown",
                    path,
                    1,
                    1,
                    "correct these first, then check again",
                    "error" if severity == "error" else "warning",
                )
            )
    return shown


def _policy(files: Sequence[SourceFile], issues: list[Issue]) -> Policy | None:
    for file in files:
        if PurePath(file.name).name == POLICY_FILE:
            policy, found = parse_policy(file.content, file.name)
            issues += found
            return policy
    path = str(PurePath(files[0].name).parent / POLICY_FILE) if files else POLICY_FILE
    issues.append(
        Issue(
            "policy.missing",
            "there is no domains.yaml beside the rule files",
            path,
            1,
            1,
            "see docs/rules.md",
        )
    )
    return None


def _repeated_ids(read: Sequence[ReadRule]) -> list[Issue]:
    first: dict[str, ReadRule] = {}
    issues = []
    for found in read:
        before = first.setdefault(found.rule.id, found)
        if before is not found:
            message = f"rule {found.rule.id}: the id is already used at {before.path}:{before.line}"
            issues.append(
                Issue(
                    "rule.repeated-id",
                    message,
                    found.path,
                    found.line,
                    found.column,
                    "ids are unique over all files",
                )
            )
    return issues


def _run_samples(rules: RuleSet, read: Sequence[ReadRule]) -> tuple[int, list[Issue]]:
    run = 0
    issues = []
    for found in read:
        if found.rule.mode == "off":
            continue
        for sample in found.samples:
            run += 1
            outcome = run_sample(rules, found.rule, sample)
            if not outcome.passed:
                code = "test.did-not-fire" if sample.should_match else "test.fired"
                message = f"rule {found.rule.id}: {outcome.headline()}"
                issues.append(
                    Issue(
                        code,
                        message,
                        found.path,
                        sample.line,
                        sample.column,
                        sample_hint(found.rule, outcome),
                        detail=outcome.shown(),
                    )
                )
    return run, issues
