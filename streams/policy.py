"""What is screened for and when it becomes an alert: domains.yaml with its thresholds, models and budgets (pure)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

import msgspec

from streams.diagnostics import Issue, errors
from streams.strict_yaml import load
from streams.vocabulary import KINDS, PATROL_DOMAIN, SEVERITIES, USUAL_VALVE, Kind, Severity, ValveLimits
from streams.yaml_cursor import Cursor

#: The file's name beside the rule files.
POLICY_FILE = "domains.yaml"
FORMAT = 1

#: A domain's name becomes part of a topic name and of a model's directory.
_DOMAIN_NAME = re.compile(r"[a-z][a-z0-9_]{1,48}\Z")
_MODEL_NAME = re.compile(r"[a-z][a-z0-9_]{1,100}\Z")
#: What models that cannot read events of a kind are called: it would find no row that they can score.
_FAMILY_OF_OTHERS = {"message": "listing_", "listing": "message_"}
_MODEL_KEYS = ("model", "version", "threshold")

#: How a challenger takes part. beside: it raises alerts as the champion does. shadow: it only writes predictions.
#: canary: it decides alone for a share of the subjects, the champion for the others.
ChallengerMode = Literal["beside", "shadow", "canary"]
#: fixed: thresholds are what the file says. adaptive: they are moved so that the budget is kept.
BudgetMode = Literal["fixed", "adaptive"]
CHALLENGER_MODES: Final[tuple[ChallengerMode, ...]] = get_args(ChallengerMode)
BUDGET_MODES: Final[tuple[BudgetMode, ...]] = get_args(BudgetMode)


@dataclass(frozen=True, slots=True)
class ModelRef:
    """A model version and the least score that counts as evidence."""

    model: str
    version: int
    threshold: float


@dataclass(frozen=True, slots=True)
class Trial:
    """How a challenger takes part; `share` is that of a canary, from 0 to 1, and 0 in the other modes."""

    mode: ChallengerMode = "beside"
    share: float = 0.0


BESIDE: Final = Trial()


@dataclass(frozen=True, slots=True)
class Patrol:
    """Which share of the events that nothing flagged goes to `alerts.patrol`, by kind of event; 0 is none."""

    message: float = 0.0
    listing: float = 0.0

    def share(self, kind: Kind) -> float:
        """The share of this kind of event."""
        return self.message if kind == "message" else self.listing


NO_PATROL: Final = Patrol()


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
    trial: Trial = BESIDE
    budget_mode: BudgetMode = "fixed"

    @property
    def alerts_per_day_each(self) -> float | None:
        """How many alerts a day the threshold of each of its models is to give on all traffic; None without a budget.

        A challenger beside the champion shares the budget with it, half each, an alert of both counting for both. In
        every other case one model decides at a time, and the whole budget is that one's.
        """
        if self.alerts_per_day is None:
            return None
        shared = self.challenger is not None and self.trial.mode == "beside"
        return self.alerts_per_day / 2 if shared else float(self.alerts_per_day)


@dataclass(frozen=True, slots=True)
class Policy:
    """All domains. `version` is a hash of what they say, not of how the file is written."""

    domains: Mapping[str, Domain]
    version: str
    valve: ValveLimits = USUAL_VALVE
    patrol: Patrol = NO_PATROL

    def for_kind(self, kind: str) -> tuple[Domain, ...]:
        """The domains that an event of this kind is screened for, by name."""
        return tuple(domain for _, domain in sorted(self.domains.items()) if domain.applies_to == kind)


def policy_of(
    domains: Mapping[str, Domain], valve: ValveLimits | None = None, patrol: Patrol = NO_PATROL
) -> Policy:
    """A policy with its version: 16 hex digits of SHA-256 over what is said in it, the domains in order of name.

    What has its usual value counts as not said, so that a file keeps its version when the engine learns new fields.
    """
    ordered = dict(sorted(domains.items()))
    valve = valve or USUAL_VALVE
    said: object = {name: _said_of(domain) for name, domain in ordered.items()}
    if valve != USUAL_VALVE:
        said = (said, valve)
    if patrol != NO_PATROL:
        said = (said, "patrol", patrol)
    digest = hashlib.sha256(msgspec.json.encode(said)).hexdigest()
    return Policy(MappingProxyType(ordered), digest[:16], valve, patrol)


def _said_of(domain: Domain) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(domain)
    if domain.trial == BESIDE:
        del fields["trial"]
    if domain.budget_mode == "fixed":
        del fields["budget_mode"]
    return fields


def parse_policy(text: bytes, path: str) -> tuple[Policy | None, list[Issue]]:
    """Read domains.yaml. The policy is None if there is any error; the issues name all of them."""
    document, issues = load(text, path)
    if document is None:
        return None, issues
    root = Cursor.at_root(document, issues, "policy")
    domains: dict[str, Domain] = {}
    valve: ValveLimits | None = None
    patrol: Patrol | None = None
    if root.mapping(("format", "domains", "safety_valve", "patrol"), required=("format", "domains")):
        valve = root.read("safety_valve", _valve)
        patrol = root.read("patrol", _patrol)
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
    return (None if errors(issues) else policy_of(domains, valve, patrol or NO_PATROL)), issues


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


def _patrol(cursor: Cursor) -> Patrol | None:
    if not cursor.mapping(("share",), required=("share",)):
        return None
    share = cursor.get("share")
    if share is None or not share.mapping(KINDS):
        return None
    of = {kind: share.read(kind, _share) for kind in KINDS}
    return Patrol(message=of["message"] or 0.0, listing=of["listing"] or 0.0)


def _share(cursor: Cursor) -> float | None:
    return cursor.number(least=0.0, most=1.0)


def _domain(name: str, cursor: Cursor) -> Domain | None:
    if not _DOMAIN_NAME.match(name):
        cursor.note(
            "domain-name", f'"{name}" cannot be a domain name', "small letters, digits and _, a letter first"
        )
    if name == PATROL_DOMAIN:
        cursor.note(
            "domain-reserved",
            f'"{name}" is the name of the random patrol\'s alerts',
            "give the domain another name",
        )
    known = ("title", "applies_to", "severity", "champion", "challenger", "budget")
    if not cursor.mapping(known, required=("title", "applies_to", "severity")):
        return None
    title = cursor.read("title", lambda at: at.text(most=200))
    applies_to: Kind | None = cursor.read("applies_to", kind_word)
    severity: Severity | None = cursor.read("severity", severity_word)
    champion = cursor.read("champion", _model)
    challenger, trial = cursor.read("challenger", _challenger) or (None, BESIDE)
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
    for role, reference in (("champion", champion), ("challenger", challenger)):
        if reference and applies_to and reference.model.startswith(_FAMILY_OF_OTHERS[applies_to]):
            cursor.note(
                "model-kind",
                f'"{reference.model}" cannot judge a domain that applies to {applies_to}s',
                f"give a model whose name begins with {applies_to}_",
                at_key=role,
            )
    alerts_per_day, budget_mode = cursor.read("budget", _budget) or (None, "fixed")
    if budget_mode == "adaptive" and not champion:
        cursor.note(
            "adaptive-alone", "an adaptive budget needs a champion, whose threshold it moves", at_key="budget"
        )
    if title is None or applies_to is None or severity is None:
        return None
    return Domain(name, title, applies_to, severity, champion, challenger, alerts_per_day, trial, budget_mode)


def _budget(cursor: Cursor) -> tuple[int | None, BudgetMode] | None:
    if not cursor.mapping(("alerts_per_day", "mode"), required=("alerts_per_day",)):
        return None
    alerts_per_day = cursor.read("alerts_per_day", lambda at: at.integer(least=1, most=10_000_000))
    mode: BudgetMode | None = cursor.read("mode", lambda at: at.word(BUDGET_MODES))
    return alerts_per_day, mode or "fixed"


def _challenger(cursor: Cursor) -> tuple[ModelRef | None, Trial] | None:
    if not cursor.mapping((*_MODEL_KEYS, "mode", "share"), required=_MODEL_KEYS):
        return None
    mode: ChallengerMode = cursor.read("mode", lambda at: at.word(CHALLENGER_MODES)) or "beside"
    share = cursor.read("share", _share)
    if mode == "canary" and "share" not in cursor.value:
        cursor.note(
            "canary-share", "a canary needs the share of subjects that it decides for", "add share: 0.05"
        )
    if mode != "canary" and "share" in cursor.value:
        cursor.note(
            "share-unused",
            f'"share" does nothing in mode {mode}',
            "add mode: canary, or remove the share",
            at_key="share",
        )
    return _reference(cursor), Trial(mode, share or 0.0)


def _model(cursor: Cursor) -> ModelRef | None:
    return _reference(cursor) if cursor.mapping(_MODEL_KEYS, required=_MODEL_KEYS) else None


def _reference(cursor: Cursor) -> ModelRef | None:
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
