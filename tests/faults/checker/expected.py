"""What the rules and thresholds of an edition imply for an event: rules that fire, scores, domains that alert (pure)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.faults.arithmetic import listing_score, message_score


@dataclass(frozen=True, slots=True)
class Seen:
    """An event as far as rules and models look at it. `window_words` are those of the whole window."""

    kind: str
    words: frozenset[str]
    window_words: frozenset[str]
    writers: int = 0
    status: int = 0
    title_letters: int = 0
    picture: bool = False

    def score(self, version: int) -> float:
        """What the counting model of this kind answers."""
        if self.kind == "message":
            return message_score(version, (self.writers,), self.status)
        return listing_score(version, title_letters=self.title_letters, has_picture=self.picture)


@dataclass(frozen=True, slots=True)
class Champion:
    """The model that has a say in a domain."""

    kind: str
    model: str
    version: int
    threshold: float


class Editions:
    """Every good edition that an operator wrote, found by the versions that predictions and alerts name."""

    def __init__(self, records: Iterable[Mapping[str, Any]]) -> None:
        self._rules: dict[str, list[Mapping[str, Any]]] = {}
        self._policies: dict[str, dict[str, Champion]] = {}
        for record in records:
            self._rules[record["ruleset"]] = record["rules"]
            self._policies[record["policy"]] = {
                domain: Champion(**champion) for domain, champion in record["champions"].items()
            }

    @property
    def words(self) -> list[str]:
        """All marker words."""
        return sorted({rule["word"] for rules in self._rules.values() for rule in rules})

    def known(self, ruleset: str, policy: str) -> bool:
        """Both were written by the operator, and good."""
        return ruleset in self._rules and policy in self._policies

    def fired(self, seen: Seen, ruleset: str) -> list[tuple[str, str]]:
        """(rule, mode) of every rule that must fire, in the order of their names; rules that are off do not."""
        return sorted((rule["rule_id"], rule["mode"]) for rule in self._firing(seen, ruleset))

    def raising(self, seen: Seen, ruleset: str, domain: str) -> list[str]:
        """The active rules of a domain that must fire."""
        return sorted(
            rule["rule_id"]
            for rule in self._firing(seen, ruleset)
            if rule["domain"] == domain and rule["mode"] == "active"
        )

    def champions(self, kind: str, policy: str) -> dict[str, Champion]:
        """By domain, the models that must score an event of this kind."""
        return {d: c for d, c in self._policies[policy].items() if c.kind == kind}

    def domains(self, kind: str, ruleset: str) -> list[str]:
        """Every domain that an event of this kind may be alerted in."""
        return sorted({rule["domain"] for rule in self._rules[ruleset] if rule["kind"] == kind})

    def _firing(self, seen: Seen, ruleset: str) -> Iterable[Mapping[str, Any]]:
        for rule in self._rules[ruleset]:
            looked_at = seen.window_words if rule["window"] else seen.words
            if rule["kind"] == seen.kind and rule["mode"] != "off" and rule["word"] in looked_at:
                yield rule
