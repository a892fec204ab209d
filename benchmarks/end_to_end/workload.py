"""The messages and the rules that every system gets: generated conversations, and rules made of other texts' words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import orjson

from benchmarks.rules.workload import rules_of, words_of
from marketplace import Pace, traffic
from streams.policy import POLICY_FILE, Domain, parse_policy
from streams.rule_engine import RuleSet, ScannedTurn
from streams.rule_engine.rule import Match, Rule

#: Rule files are refused above 1 MiB; 250 rules are about 100 kB.
_RULES_PER_FILE = 250
#: Real rules fire on a few messages of a hundred, all of them together (0.9 of a hundred for 1,000 on real
#: conversations, docs/results/rules-speed.md). The phrases of the generated corpus recur, so a rule that fires on more
#: than two messages of ten thousand is left out.
_MOST_FIRED_SHARE = 0.0002
#: Seeds of the messages that words are taken from, and of those that tell which rules fire too often.
_WORDS_SEED, _TRIED_SEED = 7, 8
_TRIED = 10_000
#: So few conversations at the same time that a thousand messages already fill windows.
_PACE = Pace(events_per_s=200.0, listing_share=0.0, active_transactions=200)
#: Sent times lie in the past, so that no broker's clock finds them implausible.
_START = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Record:
    """A record of the topic `messages`; the key is the conversation."""

    key: bytes
    value: bytes


def messages(count: int, *, seed: int) -> list[Record]:
    """So many messages of generated conversations in the order they were sent, the same ones for the same seed."""
    events = islice(traffic(seed, start=_START, pace=_PACE), count)
    return [Record(event.key.encode(), orjson.dumps(event.value)) for event in events]


def messages_of_file(path: Path, count: int) -> list[Record]:
    """So many messages of a file of example conversations, many conversations at the same time.

    Raises ValueError when the file holds fewer.
    """
    found: list[Record] = []
    lines = path.read_bytes().splitlines()
    for at in range(0, len(lines), _PACE.active_transactions):
        several = [orjson.loads(line) for line in lines[at : at + _PACE.active_transactions]]
        for turn in range(max(len(each["messages"]) for each in several)):
            found += [_record(each, turn) for each in several if turn < len(each["messages"])]
        if len(found) >= count:
            return found[:count]
    raise ValueError(f"{path} holds {len(found)} messages, fewer than the {count} asked for")


def _record(conversation: dict[str, Any], turn: int) -> Record:
    """A message of an example, with an id of its own; its time is left to the broker's clock."""
    said = conversation["messages"][turn]
    key = str(conversation["transaction_id"])
    return Record(
        key.encode(),
        orjson.dumps(
            {
                "message_id": f"{key}-{turn}",
                "transaction_id": key,
                "writer": said["writer"],
                "text": said["text"],
                "status": conversation.get("status"),
            }
        ),
    )


def write_messages(records: Iterable[Record], path: Path) -> None:
    """One message a line, key and value with a tab between them (JSON holds neither tabs nor line ends)."""
    path.write_bytes(b"".join(b"%s\t%s\n" % (record.key, record.value) for record in records))


def read_messages(path: Path) -> list[Record]:
    """What `write_messages` wrote."""
    return [Record(*line.split(b"\t", 1)) for line in path.read_bytes().splitlines()]


def message_domains(policy_file: Path) -> dict[str, Domain]:
    """The domains of a policy that messages are screened for by a model. Raises ValueError for a policy with errors."""
    policy, issues = parse_policy(policy_file.read_bytes(), str(policy_file))
    if policy is None:
        raise ValueError("\n".join(issue.render() for issue in issues))
    return {d.name: d for d in policy.for_kind("message") if d.champion is not None}


def made_rules(number: int) -> list[Rule]:
    """So many rules of every kind, made of other messages' words; each fires on its example and none too often."""
    words = words_of(sorted(set(texts_of(messages(_TRIED, seed=_WORDS_SEED)))))
    tried = texts_of(messages(_TRIED, seed=_TRIED_SEED))
    kept: list[Rule] = []
    seed = number
    while len(kept) < number:
        made = rules_of(words, number, Random(seed))
        kept += _usable(
            [msgspec.structs.replace(rule, id=f"made.r{seed}_{at}") for at, rule in enumerate(made)], tried
        )
        seed += 1
    return kept[:number]


def _usable(rules: Sequence[Rule], texts: Sequence[str]) -> Iterator[Rule]:
    compiled = RuleSet(rules)
    fired = dict.fromkeys((rule.id for rule in rules), 0)
    for text in texts:
        for rule_id in fired_by(compiled, text):
            fired[rule_id] += 1
    for rule in rules:
        if fired[rule.id] <= _MOST_FIRED_SHARE * len(texts) and rule.id in fired_by(
            compiled, example(rule.match)
        ):
            yield rule


def fired_by(rules: RuleSet, text: str) -> set[str]:
    """Ids of the rules that fire on a text alone."""
    turn = ScannedTurn("m", "seller", rules.scan(text))
    return {hit.rule_id for hit in rules.evaluate_message((turn,), {}, at_us=0)}


def example(match: Match) -> str:
    """A text that the match, as `benchmarks.rules.workload` makes them, should find: rule files must show one."""
    if match.regex is not None:
        return _example_of_pattern(match.regex)
    if match.near is not None:
        return f"{match.near.a[0]} {match.near.b[0]}"
    if match.any:
        return match.any[0]
    return " ".join(example(child) for child in match.all if isinstance(child, Match))


def _example_of_pattern(pattern: str) -> str:
    """The shortest text for the shapes of pattern in use: repetitions at their least, the first of alternatives."""
    text = re.sub(r"\(\?:\[a-z\]\[ \.\]\)\{(\d+),\d+\}", lambda m: "a " * int(m[1]), pattern)
    text = re.sub(r"\(\?:[^)]*\)\?", "", text)
    text = re.sub(r"\(\?:([^|)]*)\|[^)]*\)", r"\1", text)
    text = re.sub(r"\[0-9\]\{(\d+)(?:,\d+)?\}", lambda m: "5" * int(m[1]), text)
    text = re.sub(r"\[a-z0-9_\.?\]\{(\d+),\d+\}", lambda m: "a" * int(m[1]), text)
    text = re.sub(r"(?:\\s|\.|\[\^0-9\])\{0,\d+\}|\\s\?|\[- \]\?", "", text)
    return text.replace("[:=は]", ":").replace("[-.]", "-").replace("[¥€$]", "¥").replace("[a-z]", "a")


def write_rules(directory: Path, rules: Sequence[Rule], domains: dict[str, Domain]) -> None:
    """A rules directory for `SEKISHO_RULES_DIR`: the rules, shared out among the domains, and the domains with their models.

    JSON is YAML too.
    """
    directory.mkdir(parents=True)
    names = sorted(domains)
    bodies = [
        {
            "id": rule.id,
            "description": "made of words of generated texts",
            "domain": names[at % len(names)],
            "mode": "active",
            "match": msgspec.to_builtins(rule.match),
            "tests": {"should_match": [example(rule.match)]},
        }
        for at, rule in enumerate(rules)
    ]
    for number, at in enumerate(range(0, len(bodies), _RULES_PER_FILE)):
        _write(directory / f"made{number}.yaml", {"format": 1, "rules": bodies[at : at + _RULES_PER_FILE]})
    _write(
        directory / POLICY_FILE,
        {"format": 1, "domains": {name: _domain_body(domain) for name, domain in sorted(domains.items())}},
    )


def _domain_body(domain: Domain) -> dict[str, object]:
    assert domain.champion is not None
    return {
        "title": domain.title,
        "applies_to": domain.applies_to,
        "severity": domain.severity,
        "champion": {
            "model": domain.champion.model,
            "version": domain.champion.version,
            "threshold": domain.champion.threshold,
        },
    }


def _write(path: Path, body: dict[str, object]) -> None:
    path.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", "utf-8")


def texts_of(records: Iterable[Record]) -> list[str]:
    """The messages' texts."""
    return [str(orjson.loads(record.value)["text"]) for record in records]


def described(records: Sequence[Record]) -> dict[str, float]:
    """Characters of a message (mean, 10th, 50th, 90th of a hundred), different texts, conversations."""
    texts = texts_of(records)
    lengths = sorted(map(len, texts))
    return {
        "messages": len(records),
        "conversations": len({record.key for record in records}),
        "different_texts": len(set(texts)),
        "mean_chars": round(sum(lengths) / len(lengths), 1),
        **{f"p{share}_chars": lengths[len(lengths) * share // 100] for share in (10, 50, 90)},
    }
