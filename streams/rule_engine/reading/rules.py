"""Reads a rule file: its rules with their tests, and every mistake in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol, TypeVar

from streams.diagnostics import Issue, did_you_mean
from streams.rule_engine.reading.exceptions import Exceptions, read_exceptions
from streams.rule_engine.reading.lists import Lists, read_lists
from streams.rule_engine.reading.match import read_match
from streams.rule_engine.reading.samples import read_samples
from streams.rule_engine.reading.when import read_time_us, read_when, read_window
from streams.rule_engine.rule import FIELDS, MODES, Mode, Rule, Window
from streams.rule_engine.samples import Sample
from streams.strict_yaml import load
from streams.vocabulary import KINDS, SEVERITIES, Kind, Severity
from streams.yaml_cursor import Cursor

FORMAT = 1
#: More than a team can look after in one file.
MAX_RULES = 5_000

RULE_KEYS = (
    "id",
    "description",
    "domain",
    "severity",
    "score",
    "mode",
    "applies_to",
    "match",
    "window",
    "when",
    "except",
    "valid_from",
    "valid_until",
    "owner",
    "tags",
    "refs",
    "tests",
)
#: What `defaults:` may give to all rules of its file.
DEFAULT_KEYS = ("domain", "severity", "score", "mode", "applies_to", "owner", "tags")

RULE_ID = re.compile(r"[a-z][a-z0-9_]*(?:[.-][a-z0-9_]+)*\Z")
Read = TypeVar("Read")


class RuleDomain(Protocol):
    """What a rule takes over from its domain."""

    @property
    def applies_to(self) -> Kind:
        """The kind of event."""

    @property
    def severity(self) -> Severity:
        """Severity of a rule that does not give its own."""


@dataclass(frozen=True, slots=True)
class ReadRule:
    """A rule with its tests and the place where it begins."""

    rule: Rule
    samples: tuple[Sample, ...]
    path: str
    line: int
    column: int


def read_rule_file(
    data: bytes,
    path: str,
    domains: Mapping[str, RuleDomain] | None,
    *,
    now_us: int,
    shared_lists: Lists = MappingProxyType({}),
) -> tuple[list[ReadRule], list[Issue]]:
    """The rules of one file that could be read, and every issue.

    `domains` are those of domains.yaml; with None (it could not be read, or there is none) the rules' domains are not
    checked. `now_us` tells which rules have expired. `shared_lists` are those of lists/*.txt.
    """
    document, issues = load(data, path)
    if document is None:
        return [], issues
    root = Cursor.at_root(document, issues, "rule")
    if not root.mapping(("format", "defaults", "lists", "rules"), required=("format", "rules")):
        return [], issues
    root.read("format", lambda at: at.integer(least=FORMAT, most=FORMAT))
    defaults = root.get("defaults")
    if defaults is not None:
        defaults = defaults.about("defaults")
        if not defaults.mapping(DEFAULT_KEYS):
            defaults = None
    lists = root.get("lists")
    reader = _Reader(domains, defaults, read_lists(lists, shared_lists) if lists else shared_lists, now_us)
    listed = root.get("rules")
    found = [reader.rule(cursor) for cursor in listed.items(most=MAX_RULES)] if listed else []
    return [rule for rule in found if rule is not None], issues


@dataclass(frozen=True, slots=True)
class _Reader:
    domains: Mapping[str, RuleDomain] | None
    defaults: Cursor | None
    lists: Lists
    now_us: int

    def rule(self, cursor: Cursor) -> ReadRule | None:
        """One rule, or None if it could not be read to the end."""
        written_id = cursor.value.get("id") if isinstance(cursor.value, dict) else None
        cursor = cursor.about(
            f"rule {written_id}" if isinstance(written_id, str) else f"rule number {cursor.path[-1]}"
        )
        if not cursor.mapping(RULE_KEYS, required=("id", "description", "match")):
            return None
        rule_id = cursor.read("id", _rule_id)
        description = cursor.read("description", lambda at: at.text(most=2000))
        domain = self._domain(cursor)
        known = self.domains.get(domain) if self.domains and domain else None
        kind, fields = self._applies_to(cursor, known)
        severity: Severity | None = self._or_default(cursor, "severity", _severity)
        mode: Mode | None = self._or_default(cursor, "mode", _mode)
        score = self._or_default(cursor, "score", lambda at: at.integer(least=0, most=100))
        owner = self._or_default(cursor, "owner", lambda at: at.text(most=200))
        tags = self._or_default(cursor, "tags", lambda at: at.texts(most=50))
        refs = cursor.read("refs", lambda at: at.texts(most=50, longest=2000))
        valid_from_us, valid_until_us = self._validity(cursor)
        words_in = fields or (FIELDS[kind] if kind else ())
        match = cursor.read("match", lambda at: read_match(at, self.lists, words_in))
        if kind is None:  # what may stand in the rest depends on it, and why it is missing has been noted
            return None
        when = cursor.read("when", lambda at: read_when(at, kind)) or {}
        window = cursor.read("window", read_window)
        if window is not None and kind == "listing":
            cursor.note("window", "a listing has no window of messages", "remove it", at_key="window")
        spared = cursor.read("except", lambda at: read_exceptions(at, match, self.lists)) or Exceptions()
        samples = cursor.read("tests", lambda at: read_samples(at, kind)) or ()
        if "tests" not in cursor.value and mode != "off":
            cursor.note(
                "no-tests", "there are no tests", 'add "tests:" with should_match and should_not_match'
            )
        elif mode != "off" and not any(sample.should_match for sample in samples):
            cursor.note(
                "no-tests", "no test shows what should match", 'add one under "should_match"', at_key="tests"
            )
        if rule_id is None or description is None or domain is None or match is None:
            return None
        rule = Rule(
            id=rule_id,
            description=description,
            domain=domain,
            kind=kind,
            severity=severity or (known.severity if known else "medium"),
            match=match,
            mode=mode or "shadow",
            score=50 if score is None else score,
            fields=fields,
            window=window or Window(),
            when=when,
            except_phrases=spared.phrases,
            except_writers=spared.writers,
            valid_from_us=valid_from_us,
            valid_until_us=valid_until_us,
            owner=owner or "",
            tags=tags or (),
            refs=refs or (),
        )
        return ReadRule(rule, samples, cursor.document.path, *cursor.document.place(cursor.path))

    def _or_default(self, cursor: Cursor, key: str, reader: Callable[[Cursor], Read | None]) -> Read | None:
        """A key of the rule, else of the file's defaults."""
        if key in cursor.value or self.defaults is None:
            return cursor.read(key, reader)
        return self.defaults.read(key, reader)

    def _domain(self, cursor: Cursor) -> str | None:
        domain = self._or_default(cursor, "domain", lambda at: at.text(most=50))
        if domain is None:
            if "domain" not in cursor.value:
                cursor.note("missing-key", '"domain" is missing', "give it here or under defaults")
        elif self.domains is not None and domain not in self.domains:
            hint = did_you_mean(domain, self.domains) or "add it to domains.yaml"
            cursor.note(
                "unknown-domain", f'there is no domain "{domain}" in domains.yaml', hint, at_key="domain"
            )
        return domain

    def _applies_to(self, cursor: Cursor, known: RuleDomain | None) -> tuple[Kind | None, tuple[str, ...]]:
        written = self._or_default(cursor, "applies_to", _applies_to)
        if written is None:
            return (known.applies_to if known else None), ()
        kind, fields = written
        if known is not None and known.applies_to != kind:
            cursor.note(
                "kind",
                f"the domain is for {known.applies_to}s, the rule for {kind}s",
                "choose another domain",
                at_key="applies_to",
            )
        return kind, fields

    def _validity(self, cursor: Cursor) -> tuple[int | None, int | None]:
        begins = cursor.read("valid_from", read_time_us)
        ends = cursor.read("valid_until", read_time_us)
        if begins is not None and ends is not None and begins >= ends:
            cursor.note("time", "valid_until is not after valid_from", "swap them", at_key="valid_until")
        elif ends is not None and ends <= self.now_us:
            cursor.note(
                "expired",
                "the rule has expired",
                "delete it or move valid_until",
                severity="warning",
                at_key="valid_until",
            )
        return begins, ends


def _rule_id(cursor: Cursor) -> str | None:
    written = cursor.text(most=80, least=3)
    if written is not None and not RULE_ID.match(written):
        cursor.note(
            "id", f'"{written}" cannot be an id', "small letters, digits, _ and dots, e.g. pay.bank_transfer"
        )
        return None
    return written


def _severity(cursor: Cursor) -> Severity | None:
    return cursor.word(SEVERITIES)


def _mode(cursor: Cursor) -> Mode | None:
    return cursor.word(MODES)


def _kind(cursor: Cursor) -> Kind | None:
    return cursor.word(KINDS)


def _applies_to(cursor: Cursor) -> tuple[Kind, tuple[str, ...]] | None:
    """`message` or `listing`, or a mapping that also names the fields."""
    if not isinstance(cursor.value, dict):
        kind = _kind(cursor)
        return None if kind is None else (kind, ())
    if not cursor.mapping(("type", "fields"), required=("type",)):
        return None
    kind = cursor.read("type", _kind)
    if kind is None:
        return None
    listed = cursor.get("fields")
    fields = [item.word(FIELDS[kind]) for item in listed.items(most=10)] if listed else []
    return kind, tuple(dict.fromkeys(field for field in fields if field is not None))
