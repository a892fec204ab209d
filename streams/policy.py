"""What is screened for and when it becomes an alert: domains.yaml with its thresholds, models and budgets (pure)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import msgspec

from streams.diagnostics import Issue, errors
from streams.strict_yaml import load
from streams.vocabulary import KINDS, SEVERITIES, USUAL_VALVE, Kind, Severity, ValveLimits
from streams.yaml_cursor import Cursor

#: The file's name beside the rule files.
POLICY_FILE = "domains.yaml"
FORMAT = 1

#: A domain's name becomes part of a topic name and of a model's directory.
_DOMAIN_NAME = re.compile(r"[a-z][a-z0-9_]{1,48}\Z")
_MODEL_NAME = re.compile(r"[a-z][a-z0-9_]{1,100}\Z")


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model version and the least score that counts as evidence."""

    model: str
    version: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Domain:
    """One kind of violation. Without a champion only rules speak for it."""

    name: str
    title: str
    applies_to: Kind
    severity: Severity
    champion: ModelRef | None = None
    challenger: ModelRef | None = None
    alerts_per_day: int | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """All domains. `version` is a hash of what they say, not of how the file is written."""

    domains: Mapping[str, Domain]
    version: str
    valve: ValveLimits = USUAL_VALVE

    def for_kind(self, kind: str) -> tuple[Domain, ...]:
        """The domains that an event of this kind is screened for, by name."""
        return tuple(domain for _, domain in sorted(self.domains.items()) if domain.applies_to == kind)


def policy_of(domains: Mapping[str, Domain], valve: ValveLimits | None = None) -> Policy:
    """A policy with its version: 16 hex digits of SHA-256 over the domains in order of name, and a valve of its own."""
    ordered = dict(sorted(domains.items()))
    valve = valve or USUAL_VALVE
    said: object = ordered if valve == USUAL_VALVE else (ordered, valve)
    digest = hashlib.sha256(msgspec.json.encode(said)).hexdigest()
    return Policy(MappingProxyType(ordered), digest[:16], valve)


def parse_policy(text: bytes, path: str) -> tuple[Policy | None, list[Issue]]:
    """Read domains.yaml. The policy is None if there is any error; the issues name all of them."""
    document, issues = load(text, path)
    if document is None:
        return None, issues
    root = Cursor.at_root(document, issues, "policy")
    domains: dict[str, Domain] = {}
    valve: ValveLimits | None = None
    if root.mapping(("format", "domains", "safety_valve"), required=("format", "domains")):
        valve = root.read("safety_valve", _valve)
        if written := root.get("format"):
            written.integer(least=FORMAT, most=FORMAT)
        listed = root.get("domains")
        if listed is not None and not (isinstance(listed.value, dict) and listed.value):
            listed.note(
                "wrong-type", '"domains" must be a mapping of at least one domain name to its settings'
            )
        elif listed is not None:
            for name, cursor in listed.entries():
                if domain := _domain(name, cursor.about(f"domain {name}")):
                    domains[name] = domain
    return (None if errors(issues) else policy_of(domains, valve)), issues


def kind_word(cursor: Cursor) -> Kind | None:
    """Reads `message` or `listing`."""
    return cursor.word(KINDS)


def severity_word(cursor: Cursor) -> Severity | None:
    """Reads a severity."""
    return cursor.word(SEVERITIES)


def _valve(cursor: Cursor) -> ValveLimits | None:
    if not cursor.mapping(("max_share", "over_events")):
        return None
    share = cursor.read("max_share", lambda at: at.number(least=0.0001, most=1.0))
    events = cursor.read("over_events", lambda at: at.integer(least=100, most=10_000_000))
    return ValveLimits(
        USUAL_VALVE.max_share if share is None else share,
        USUAL_VALVE.over_events if events is None else events,
    )


def _domain(name: str, cursor: Cursor) -> Domain | None:
    if not _DOMAIN_NAME.match(name):
        cursor.note(
            "domain-name", f'"{name}" cannot be a domain name', "small letters, digits and _, a letter first"
        )
    known = ("title", "applies_to", "severity", "champion", "challenger", "budget")
    if not cursor.mapping(known, required=("title", "applies_to", "severity")):
        return None
    title = cursor.read("title", lambda at: at.text(most=200))
    applies_to: Kind | None = cursor.read("applies_to", kind_word)
    severity: Severity | None = cursor.read("severity", severity_word)
    champion = cursor.read("champion", _model)
    challenger = cursor.read("challenger", _model)
    if challenger and not champion:
        cursor.note(
            "challenger-alone", "a challenger needs a champion to be compared with", at_key="challenger"
        )
    if (
        champion
        and challenger
        and (champion.model, champion.version) == (challenger.model, challenger.version)
    ):
        cursor.note(
            "challenger-same",
            "champion and challenger are the same version",
            "give another one",
            at_key="challenger",
        )
    alerts_per_day = None
    budget = cursor.get("budget")
    if budget and budget.mapping(("alerts_per_day",), required=("alerts_per_day",)):
        alerts_per_day = budget.read("alerts_per_day", lambda at: at.integer(least=1, most=10_000_000))
    if title is None or applies_to is None or severity is None:
        return None
    return Domain(name, title, applies_to, severity, champion, challenger, alerts_per_day)


def _model(cursor: Cursor) -> ModelRef | None:
    keys = ("model", "version", "threshold")
    if not cursor.mapping(keys, required=keys):
        return None
    model = cursor.read("model", lambda at: at.text(most=101))
    version = cursor.read("version", lambda at: at.integer(least=1, most=2**31 - 1))
    threshold = cursor.read("threshold", lambda at: at.number(least=0.0, most=1.0))
    if model and not _MODEL_NAME.match(model):
        cursor.note(
            "model-name", f'"{model}" cannot be a model name', "small letters, digits and _, a letter first"
        )
    if model is None or version is None or threshold is None:
        return None
    return ModelRef(model, version, threshold)
