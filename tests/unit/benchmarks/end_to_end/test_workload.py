"""The same messages for everybody, and rules that fire."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest

from benchmarks.end_to_end.workload import (
    Record,
    described,
    example,
    fired_by,
    made_rules,
    message_domains,
    messages,
    messages_of_file,
    read_messages,
    write_messages,
    write_rules,
)
from streams.rule_engine import RuleSet
from streams.rulebook.check import check
from streams.rulebook.files import take_snapshot

ROOT = Path(__file__).parents[4]


def test_the_same_seed_gives_the_same_messages_and_another_gives_others() -> None:
    some = messages(300, seed=5)
    assert some == messages(300, seed=5)
    assert some != messages(300, seed=6)
    assert len({orjson.loads(record.value)["message_id"] for record in some}) == 300
    assert all(record.key.decode() == orjson.loads(record.value)["transaction_id"] for record in some)


def test_messages_survive_their_file(tmp_path: Path) -> None:
    some = [*messages(50, seed=5), Record(b"t", orjson.dumps({"text": "a\tb\nc"}))]
    write_messages(some, tmp_path / "messages")
    assert read_messages(tmp_path / "messages") == some


def test_conversations_of_a_file_speak_at_the_same_time(tmp_path: Path) -> None:
    lines = [
        {
            "transaction_id": name,
            "status": "shipped",
            "messages": [{"writer": "seller", "text": f"{name}{turn}"} for turn in range(turns)],
        }
        for name, turns in (("a", 3), ("b", 1), ("c", 2))
    ]
    path = tmp_path / "conversations.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    said = [orjson.loads(record.value) for record in messages_of_file(path, 6)]
    assert [each["text"] for each in said] == ["a0", "b0", "c0", "a1", "c1", "a2"]
    assert len({each["message_id"] for each in said}) == 6
    with pytest.raises(ValueError, match="holds 6 messages, fewer than the 7"):
        messages_of_file(path, 7)


def test_every_rule_fires_on_its_example_and_the_checker_takes_the_files(tmp_path: Path) -> None:
    rules = made_rules(60)
    compiled = RuleSet(rules)
    assert len({rule.id for rule in rules}) == 60
    assert all(rule.id in fired_by(compiled, example(rule.match)) for rule in rules)
    assert {kind for rule in rules for kind in ("regex", "near", "any") if getattr(rule.match, kind)} == {
        "regex",
        "near",
        "any",
    }
    domains = message_domains(ROOT / "rules" / "domains.yaml")
    write_rules(tmp_path / "rules", rules, domains)
    bundle = check(take_snapshot(tmp_path / "rules").files, now_us=0)
    assert bundle.usable, [issue.render() for issue in bundle.issues]
    assert len(bundle.rules) == 60
    assert {rule.domain for rule in bundle.rules} == set(domains) == set(bundle.domains)
    assert all(
        bundle.domains[name].champion == domain.champion is not None for name, domain in domains.items()
    )


def test_what_is_said_of_the_messages() -> None:
    records = [
        Record(key, orjson.dumps({"text": text})) for key, text in ((b"a", "1"), (b"a", "333"), (b"b", "333"))
    ]
    assert described(records) == {
        "messages": 3,
        "conversations": 2,
        "different_texts": 2,
        "mean_chars": 2.3,
        "p10_chars": 1,
        "p50_chars": 3,
        "p90_chars": 3,
    }
