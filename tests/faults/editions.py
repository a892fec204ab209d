"""Rule files and policy in numbered editions: what an operator edits during a campaign, good ones and bad ones.

Every rule looks for one marker word, so that whoever reads a text can say which rules must fire on it.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from streams.policy import POLICY_FILE
from streams.rule_engine import RuleSet
from streams.rulebook.check import check
from streams.rulebook.files import SourceFile
from tests.faults.arithmetic import LISTING_MODEL, MESSAGE_MODEL

RULES_FILE: Final = "markers.yaml"
#: Put before a version's number, it gives one that no campaign comes to.
UNSERVED: Final = 9999


@dataclass(frozen=True, slots=True)
class Marker:
    """One rule: it fires on the word in the event's own text, or with `window` in any of the last five messages."""

    word: str
    domain: str
    kind: str
    window: bool = False

    @property
    def rule_id(self) -> str:
        """The rule's name."""
        return f"marker.{self.word}"


MARKERS: Final = (
    Marker("kasanemark", "marked_messages", "message"),
    Marker("mizukimark", "marked_messages", "message"),
    Marker("tobiramark", "worded_messages", "message"),
    Marker("hotarumark", "worded_messages", "message", window=True),
    Marker("sangomark", "marked_goods", "listing"),
    Marker("suzumemark", "marked_goods", "listing"),
)
#: Kind of event, and the model that has a say in the domain if any.
DOMAINS: Final[Mapping[str, tuple[str, str | None]]] = {
    "marked_messages": ("message", MESSAGE_MODEL),
    "worded_messages": ("message", None),
    "marked_goods": ("listing", LISTING_MODEL),
}


@dataclass(frozen=True, slots=True)
class Edition:
    """What the files said at one time. `ruleset` and `policy` are the versions that predictions name."""

    number: int
    files: Mapping[str, str]
    ruleset: str
    policy: str
    modes: Mapping[str, str]
    champions: Mapping[str, tuple[str, int, float]]

    def record(self) -> dict[str, Any]:
        """For the checker: the facts, in plain JSON."""
        return {
            "number": self.number,
            "ruleset": self.ruleset,
            "policy": self.policy,
            "rules": [
                {
                    "rule_id": marker.rule_id,
                    "word": marker.word,
                    "domain": marker.domain,
                    "kind": marker.kind,
                    "window": marker.window,
                    "mode": self.modes[marker.word],
                }
                for marker in MARKERS
            ],
            "champions": {
                domain: {
                    "kind": DOMAINS[domain][0],
                    "model": model,
                    "version": version,
                    "threshold": threshold,
                }
                for domain, (model, version, threshold) in self.champions.items()
            },
        }

    def put(self, directory: Path) -> None:
        """Write the files, each in one step, as an editor or a deployment does."""
        for name, text in self.files.items():
            replace_file(directory / name, text)


def edition(number: int, versions: Mapping[str, int], *, seed: int) -> Edition:
    """Edition `number` with these model versions. Modes and thresholds are drawn.

    Always four rules are active: the engine refuses a set that drops many of five or more.
    """
    rng = Random(f"{seed}/{number}")
    modes = {marker.word: "active" for marker in MARKERS}
    for marker in rng.sample(MARKERS, 2):
        modes[marker.word] = rng.choice(("shadow", "off"))
    champions = {
        domain: (model, versions[model], round(rng.uniform(0.72, 0.84), 4) + 0.00003)
        for domain, (_, model) in DOMAINS.items()
        if model is not None
    }
    champions = {domain: (model, version, round(t, 5)) for domain, (model, version, t) in champions.items()}
    files = {RULES_FILE: _rules(number, modes), POLICY_FILE: _policy(champions)}
    return _checked(number, files, modes, champions)


def spoilt(good: Edition, choice: int) -> tuple[Mapping[str, str], Edition | None]:
    """The files of an edition with a mistake that a running worker must refuse.

    Beside them the edition that they make if only the servers can tell the mistake (a model that is not served): a
    worker that starts just then takes it, because it has no other, and screens by its rules.
    """
    rules, policy = good.files[RULES_FILE], good.files[POLICY_FILE]
    mistakes: Sequence[Mapping[str, str]] = (
        {RULES_FILE: rules.replace("mode: ", "mood: ", 1)},
        {RULES_FILE: rules[: rules.rindex("any: [") + len("any: [")]},
        {RULES_FILE: rules.replace("domain: marked_goods", "domain: no_such_domain", 1)},
        {RULES_FILE: rules + "\n  - [\n"},
        {POLICY_FILE: policy.replace("threshold: 0.", "threshold: 7.", 1)},
        {POLICY_FILE: ""},
        {POLICY_FILE: policy.replace("version: ", f"version: {UNSERVED}", 1)},
    )
    mistake = mistakes[choice % len(mistakes)]
    if mistake is not mistakes[-1]:
        return mistake, None
    first = min(good.champions, key=list(DOMAINS).index)
    model, version, threshold = good.champions[first]
    champions = {**good.champions, first: (model, int(f"{UNSERVED}{version}"), threshold)}
    return mistake, _checked(good.number, {**good.files, **mistake}, good.modes, champions)


def _checked(
    number: int,
    files: Mapping[str, str],
    modes: Mapping[str, str],
    champions: Mapping[str, tuple[str, int, float]],
) -> Edition:
    bundle = check(
        [SourceFile(name, text.encode()) for name, text in sorted(files.items())],
        now_us=time.time_ns() // 1000,
    )
    if not bundle.usable:
        raise ValueError(
            "an edition that should be good is not: " + "; ".join(i.render() for i in bundle.issues)
        )
    return Edition(
        number=number,
        files=files,
        ruleset=RuleSet(bundle.rules).version,
        policy=bundle.policy.version,
        modes=modes,
        champions=champions,
    )


def replace_file(path: Path, text: str) -> None:
    """Write beside its place and rename, so that nobody reads half of it."""
    part = path.with_name(f".{path.name}.part")
    part.write_text(text, encoding="utf-8")
    part.rename(path)


def _rules(number: int, modes: Mapping[str, str]) -> str:
    lines = [f"# edition {number}", "format: 1", "rules:"]
    for marker in MARKERS:
        lines += [
            f"  - id: {marker.rule_id}",
            f"    description: The marker word of edition {number}.",
            f"    domain: {marker.domain}",
            "    owner: fault-campaign",
            f"    mode: {modes[marker.word]}",
            "    match:",
            f"      any: [{marker.word}]",
        ]
        if marker.window:
            lines.append("    window: {messages: 5, scope: any, same_writer: false}")
        sample = marker.word if marker.kind == "message" else f"{{title: {marker.word}}}"
        lines += ["    tests:", f"      should_match: [{sample}]"]
    return "\n".join(lines) + "\n"


def _policy(champions: Mapping[str, tuple[str, int, float]]) -> str:
    # The valve is left open: a campaign wants every marker to count, and valves shut by what one worker has seen.
    lines = ["format: 1", "safety_valve: {max_share: 1.0, over_events: 10000000}", "domains:"]
    for domain, (kind, _) in DOMAINS.items():
        lines += [f"  {domain}:", f"    title: {domain}", f"    applies_to: {kind}", "    severity: medium"]
        if domain in champions:
            model, version, threshold = champions[domain]
            lines.append(f"    champion: {{model: {model}, version: {version}, threshold: {threshold}}}")
    return "\n".join(lines) + "\n"
